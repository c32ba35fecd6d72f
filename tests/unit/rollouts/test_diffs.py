"""Differences of predictions against what is allowed."""

import random

import pytest

from controlplane.engines.engine import Compared
from controlplane.rollouts.checks import Verdict
from controlplane.rollouts.diffs import difference, judge, mean_tail, questions, read, total
from controlplane.rollouts.rules import Rules, Shadow, rules_from


def verdict(found, shadow, alpha=0.001):
    (check,) = judge(found, shadow, alpha)
    return check.verdict


def seen(rows, flips=0, shift=0.0, **more):
    """Give rows that all shifted alike."""
    return Compared(
        "a", rows, flips, shift_sum=rows * shift, shift_squares=rows * shift**2, shift_most=shift,
        **more,
    )  # fmt: skip


FLIPS, SHIFT = Shadow(max_flips=0.01), Shadow(max_shift=0.05)
CASES = {
    "no flip": (seen(300), FLIPS, Verdict.PASSED),
    "as many as are allowed": (seen(300, 3), FLIPS, Verdict.PASSED),
    "a third flipped": (seen(20, 7), FLIPS, Verdict.FAILED),
    "a few too many": (seen(300, 8), FLIPS, Verdict.UNSURE),
    "one where none may": (seen(300, 1), Shadow(max_flips=0.0), Verdict.FAILED),
    "a small shift": (seen(300, shift=0.04), SHIFT, Verdict.PASSED),
    "a large shift": (seen(40, shift=0.3), SHIFT, Verdict.FAILED),
    "one row alone": (seen(1, shift=0.9), SHIFT, Verdict.PASSED),
    "nothing yet": (seen(0), SHIFT, Verdict.PASSED),
    "it died": (seen(0, trouble="killed by signal 11"), FLIPS, Verdict.FAILED),
}


@pytest.mark.parametrize("case", CASES)
def test_verdict(case):
    found, shadow, expected = CASES[case]
    assert verdict(found, shadow) is expected


def test_without_bounds_nothing_is_asked():
    assert judge(seen(300, 300), Shadow(), 0.1) == ()
    assert (questions(None), questions(Shadow()), questions(FLIPS)) == (0, 0, 1)
    assert (Shadow().needed, FLIPS.needed, Shadow(max_flips=0.001).needed) == (0, 299, 2995)


def test_what_was_refused_is_named():
    (check,) = judge(seen(100, 100, refused=100), FLIPS, 0.001)
    assert "(100 refused, 0 failed)" in check.message


def test_a_mean_at_its_bound_is_hardly_ever_called_too_large():
    rng, alarms = random.Random(3), 0
    for _ in range(500):
        shifts = [rng.random() * 0.1 for _ in range(200)]
        found = Compared("a", 200, shift_sum=sum(shifts), shift_squares=sum(x * x for x in shifts))
        alarms += mean_tail(found, 0.05) < 0.01
    assert alarms <= 12


def test_readings_may_come_twice_late_and_from_several_sources():
    worst = {"row": [1.0], "running": {}, "candidate": {}, "flipped": True, "shift": 1.0}
    known = {}
    for told in (
        seen(10, 1),
        seen(30, 2, worst=(worst,)),
        seen(20, 1),
        seen(30, 2, worst=(worst,)),
    ):
        known = read(known, [told])
    known = read(known, [Compared("b", 5, 5, shift_most=0.5)])
    found = total(known)
    assert (found.rows, found.flips, found.shift_most) == (35, 7, 0.5)
    assert found.worst == (worst,)
    assert difference(total({})).mean_shift == 0.0


def test_rules_are_read_as_they_were_written():
    for rules in (Rules(), Rules(shadow=FLIPS), Rules(shadow=Shadow(0.5, 0.01, 0.1, 50))):
        assert rules_from(rules.to_json()) == rules
