"""JUnit XML: a case for each objective. Inconclusive is an error: it must not look green."""

from xml.etree import ElementTree

from loadtests.reports.words import bound, figure
from loadtests.result import Result
from loadtests.slo import Outcome, Verdict


def render(result: Result) -> str:
    """Write a result as JUnit XML."""
    outcomes = [verdict.outcome for verdict in result.verdicts]
    suite = ElementTree.Element(
        "testsuite",
        name=f"loadtest {result.endpoint} {result.plan['shape']['kind']}",
        tests=str(len(outcomes)),
        failures=str(outcomes.count(Outcome.FAILED)),
        errors=str(outcomes.count(Outcome.INCONCLUSIVE)),
        skipped="0",
        time=f"{result.totals.seconds:.3f}",
        timestamp=result.started_at.strftime("%Y-%m-%dT%H:%M:%S"),
    )
    for verdict in result.verdicts:
        suite.append(_case(result, verdict))
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(
        suites, encoding="unicode"
    )


def _case(result: Result, verdict: Verdict) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        classname=f"loadtest.{result.endpoint}",
        name=bound(verdict.objective, verdict.limit, verdict.unit),
        time=f"{result.totals.seconds:.3f}",
    )
    measured = figure(verdict.measured, verdict.unit)
    text = f"{measured} in {verdict.samples} samples: {verdict.because}"
    if verdict.outcome is not Outcome.PASSED:
        kind = "failure" if verdict.outcome is Outcome.FAILED else "error"
        ElementTree.SubElement(case, kind, message=text, type=verdict.outcome.value)
    else:
        ElementTree.SubElement(case, "system-out").text = text
    return case
