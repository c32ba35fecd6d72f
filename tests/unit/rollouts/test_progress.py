"""What is done with a step: a table, and the clock is ours."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from controlplane.rollouts.checks import Check, Verdict
from controlplane.rollouts.progress import Do, Standing, decide
from controlplane.rollouts.rules import Rules, Shadow
from controlplane.rollouts.service import split

BEGAN = datetime(2026, 11, 29, tzinfo=UTC)
RULES = Rules(requests=100, step_s=60, give_up_s=600)
GOOD = (Check("errors", Verdict.PASSED, "none"),)
BAD = (*GOOD, Check("latency", Verdict.FAILED, "far too slow"))
OPEN = (Check("errors", Verdict.UNSURE, "one of 100"),)
AT = Standing(2, 3, 25, BEGAN, BEGAN, None, 500, 400, GOOD)
CASES = {
    "passed": (AT, 60, Do.GO_ON, "step 2 of 3 (25 %) passed"),
    "passed the last": (replace(AT, number=3, percent=100), 60, Do.FINISH, "passed"),
    "too early": (AT, 59, Do.WAIT, "59 of at least 60 s"),
    "too few": (replace(AT, answers=99), 599, Do.WAIT, "99 of the 100 requests"),
    "too few for too long": (replace(AT, answers=99), 600, Do.GO_BACK, "nothing was proved"),
    "not served yet": (replace(AT, taken_at=None), 300, Do.WAIT, "waits for the engine"),
    "never served": (replace(AT, taken_at=None), 600, Do.GO_BACK, "waits for the engine"),
    "cannot be served": (replace(AT, broken="bad plan"), 1, Do.GO_BACK, "served: bad plan"),
    "a fault, at once": (replace(AT, checks=BAD), 1, Do.GO_BACK, "far too slow"),
    "not sure": (replace(AT, checks=OPEN), 599, Do.WAIT, "not sure yet: one of 100"),
    "not sure for too long": (replace(AT, checks=OPEN), 600, Do.GO_BACK, "one of 100"),
}


def test_a_step_without_traffic_waits_for_rows_alone():
    rules = replace(RULES, shadow=Shadow(max_flips=0.01))
    at = replace(AT, number=1, percent=0, answers=0, rows=298)
    later = BEGAN + timedelta(seconds=60)
    waits = decide(at, rules, later)
    assert (waits.do, "298 of the 299 rows" in waits.reason) == (Do.WAIT, True)
    assert decide(replace(at, rows=299), rules, later).do is Do.GO_ON


def test_what_was_answered_to_us_is_waited_for_until_it_is_counted():
    at = replace(AT, number=1, percent=0, answers=0, told_s=17.0)
    waits = decide(at, RULES, BEGAN + timedelta(seconds=60), 18.0)
    assert (waits.do, "are counted" in waits.reason) == (Do.WAIT, True)
    at = replace(at, told_s=18.0)
    assert decide(at, RULES, BEGAN + timedelta(seconds=61), 18.0).do is Do.GO_ON


@pytest.mark.parametrize("case", CASES)
def test_decision(case):
    at, after_s, do, said = CASES[case]
    decision = decide(at, RULES, BEGAN + timedelta(seconds=after_s))
    assert decision.do is do
    assert said in decision.reason


def line(revision, percent, tag=None):
    return {"revision": revision, "percent": percent, "tag": tag}


SPLITS = {
    "ordinary": ([line("a", 100)], 25, [line("a", 75), line("b", 25)]),
    "all of it": ([line("a", 100)], 100, [line("b", 100)]),
    "a tag stays": ([line("a", 100, "live")], 100, [line("a", 0, "live"), line("b", 100)]),
    "its own tag too": ([line("a", 100), line("b", 0, "next")], 5,
                        [line("a", 95), line("b", 5, "next")]),
    "others are left alone": ([line("c", 0, "old"), line("a", 100)], 5,
                              [line("a", 95), line("b", 5), line("c", 0, "old")]),
}  # fmt: skip


def test_a_candidate_has_the_tag_that_it_is_asked_by_or_its_own():
    assert split([line("a", 100)], "b", "a", 0, "candidate")[1] == line("b", 0, "candidate")
    before = [line("a", 100), line("b", 0, "next")]
    assert split(before, "b", "a", 0, "candidate")[1] == line("b", 0, "next")


@pytest.mark.parametrize("case", SPLITS)
def test_traffic_of_a_step(case):
    before, percent, expected = SPLITS[case]
    assert split(before, "b", "a", percent) == expected
