"""Why a load test waits, or ended as it did. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.engines.engine import Cause
from controlplane.loadtests.states import LoadTestState


def cause(
    test: Mapping[str, Any], verdicts: Sequence[Mapping[str, Any]], before: int, running: int
) -> Cause:
    """Explain a test's document.

    verdicts  on its objectives, as `loadtests.slo` has them
    before    tests of all tenants that wait longer; running: those that run
    """
    what = f"Test {test['number']} of {test['endpoint']}"
    report = f"`kubeserve loadtests report {test['id']}` shows all of it."
    facts = tuple(f"{one['outcome']} {one['objective']}: {one['because']}" for one in verdicts)
    reason = test["reason"]
    match LoadTestState(test["state"]):
        case LoadTestState.QUEUED:
            waits = (f"{running} tests run", f"{before} wait before it")
            step = f"Wait, or `kubeserve loadtests cancel {test['id']}`."
            return Cause("Waiting", True, f"{what} waits for its turn.", waits, step)
        case LoadTestState.RUNNING:
            step = f"`kubeserve loadtests follow {test['id']}`, or wait."
            return Cause("Running", True, f"{what} runs.", facts, step)
        case LoadTestState.FAILED:
            text = f"{what} did not come about: {reason}"
            step = "Mend that, then ask for the test again."
            return Cause("Failed", False, text, facts, step)
        case LoadTestState.INTERRUPTED:
            text = f"{what} was cut short: {reason}"
            return Cause("Interrupted", False, text, facts, "Ask for it again to know.")
        case LoadTestState.FINISHED:
            return _finished(what, test["verdict"], facts, report)


def _finished(what: str, verdict: str | None, facts: tuple[str, ...], report: str) -> Cause:
    if verdict == "failed":
        text = f"{what} showed that an objective is not kept."
        step = f"{report} `kubeserve tune` finds settings that keep it."
        return Cause("ObjectiveMissed", False, text, facts, step)
    if verdict == "inconclusive":
        text = f"{what} could not tell whether its objectives are kept."
        return Cause("Inconclusive", False, text, facts, f"Send more, for longer. {report}")
    text = f"{what} passed." if verdict == "passed" else f"{what} ran; nothing was asked of it."
    return Cause("Passed" if verdict == "passed" else "Finished", True, text, facts, report)
