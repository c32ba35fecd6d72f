"""Steps are judged: faults are found soon, chance is not taken for one."""

import random
from itertools import pairwise

import pytest

from controlplane.rollouts.checks import FALSE_ALARMS, Verdict, failed, level, look_number, unsure
from controlplane.rollouts.judging import above, judge, quantile, questions
from controlplane.rollouts.rules import Rules, enough_for, needed
from loadtests.slo import Objectives
from runtime.latencies import BOUNDS_S
from tests.unit.rollouts.made import answers

SLO = Objectives(p95="20ms", p99="50ms", error_rate=0.01)


def verdict(name, candidate, running, slo=None, alpha=0.001):
    found = {check.name: check.verdict for check in judge(candidate, running, slo, alpha)}
    return found[name]


CASES = {
    "as good": ("errors", answers(400), answers(4000), None, Verdict.PASSED),
    "no answer yet": ("errors", answers(0), answers(4000), None, Verdict.PASSED),
    "nothing beside": ("errors", answers(400, errors=4), answers(0), None, Verdict.PASSED),
    "fails, nothing beside": ("errors", answers(40, errors=20), answers(0), None, Verdict.FAILED),
    "fails at times": ("errors", answers(400, errors=20), answers(4000), None, Verdict.FAILED),
    "both fail alike": (
        "errors", answers(400, errors=20), answers(4000, errors=200), None, Verdict.PASSED
    ),
    "one failed": ("errors", answers(100, errors=1), answers(4000), None, Verdict.UNSURE),
    "takes other columns": (
        "refusals", answers(40, refusals=40), answers(400), None, Verdict.FAILED
    ),
    "a little slower": ("latency", answers(400, 4), answers(4000, 1), None, Verdict.PASSED),
    "much slower": ("latency", answers(40, 40), answers(400, 10), None, Verdict.FAILED),
    "faster": ("latency", answers(400, 1), answers(4000, 100), None, Verdict.PASSED),
    "keeps a p95": ("p95", answers(400, 10), answers(4000, 10), SLO, Verdict.PASSED),
    "misses a p95": ("p95", answers(400, 10, slow=60), answers(0), SLO, Verdict.FAILED),
    "misses a p99": ("p99", answers(400, 10, slow=15), answers(0), SLO, Verdict.FAILED),
    "may miss a p99": ("p99", answers(400, 10, slow=9), answers(0), SLO, Verdict.UNSURE),
    "errors as promised": ("error rate", answers(400, errors=4), answers(0), SLO, Verdict.PASSED),
    "more than promised": ("error rate", answers(400, errors=19), answers(0), SLO, Verdict.FAILED),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_question_is_answered(case):
    name, candidate, running, slo, expected = CASES[case]
    assert verdict(name, candidate, running, slo) is expected


def test_nothing_is_said_of_a_revision_that_answered_nothing():
    for check in judge(answers(40, errors=2), answers(0), None, 0.001):
        assert "p95 is" not in check.message
        assert "of 0" not in check.message
        assert "to compare with" in check.message


def test_nothing_fails_between_two_looks():
    checks = judge(answers(400, errors=400), answers(4000), SLO, 0.0)
    assert failed(checks) is None
    assert unsure(checks).name == "errors"


def test_as_many_questions_as_are_told():
    for slo in (None, Objectives(), SLO):
        assert len(judge(answers(1), answers(1), slo, 0.1)) == questions(slo)


def test_looks_double_and_their_levels_sum_to_what_is_said():
    assert [look_number(n) for n in (0, 19, 20, 39, 40, 80, 159, 160)] == [0, 0, 1, 1, 2, 3, 3, 4]
    assert level(0, 3) == 0.0
    assert 3 * sum(level(look, 3) for look in range(1, 10_000)) == pytest.approx(
        FALSE_ALARMS, rel=1e-3
    )


def test_quantiles_are_those_of_the_buckets():
    found = answers(100, 10, slow=5)
    assert quantile(found, 0.95) == pytest.approx(0.010)
    assert quantile(found, 0.96) == pytest.approx(1.0)
    assert quantile(answers(0), 0.95) == 0.0
    assert (above(found, 0.010).count, above(found, 0.0099).count) == (5, 5)
    assert above(found, 0.005).count == 100
    assert all(low < high for low, high in pairwise(BOUNDS_S))


def test_an_slo_of_few_exceptions_takes_many_requests():
    assert (enough_for(0.05), enough_for(0.01), enough_for(0.001)) == (59, 299, 2995)
    assert enough_for(0.0) == 1
    assert needed(SLO) == 299
    assert Rules(SLO, requests=1000).needed == 1000


def simulated(rng, share_candidate, share_running, most=2_600):
    """Look whenever it is time; give the number of answers at which it failed, or None."""
    looked = errors = n = beside = 0
    while n < most:
        n += 1
        beside += 3
        errors += rng.random() < share_candidate
        if (look := look_number(n)) > looked:
            looked = look
            running = answers(beside, errors=round(beside * share_running))
            checks = judge(answers(n, errors=errors), running, None, level(look, questions(None)))
            if failed(checks):
                return n
    return None


def test_a_candidate_that_is_as_good_is_hardly_ever_failed():
    rng = random.Random(7)
    alarms = sum(simulated(rng, 0.05, 0.05) is not None for _ in range(100))
    assert alarms <= 100 * FALSE_ALARMS * 2


def test_a_candidate_that_fails_is_failed_within_few_answers():
    rng = random.Random(7)
    for _ in range(20):
        assert simulated(rng, 0.5, 0.001) <= 40
        assert simulated(rng, 0.05, 0.001) <= 640
