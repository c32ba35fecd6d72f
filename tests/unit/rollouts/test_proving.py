"""What a candidate is asked before it has traffic, and what that proves."""

from datetime import UTC, datetime
from typing import Any

import pytest

from controlplane.engines.engine import Compared
from controlplane.loadtests.outcomes import Outcome
from controlplane.loadtests.states import LoadTestState
from controlplane.rollouts.asking import tag_of
from controlplane.rollouts.checks import Verdict
from controlplane.rollouts.proving import (
    Replayed,
    of_loadtest,
    of_replay,
    replayed_from,
)
from controlplane.rollouts.rules import Replay, Rules, rules_from

NOW = datetime(2026, 11, 30, tzinfo=UTC)
FINISHED, ENDED = LoadTestState.FINISHED, NOW.isoformat()


def objective(outcome: str) -> dict[str, Any]:
    return {
        "objective": "p95", "outcome": outcome, "unit": "s", "limit": 0.05, "measured": 0.061,
        "samples": 4038, "because": "that is how it is",
    }  # fmt: skip


def ran(state: LoadTestState, *outcomes: str, cancelled: bool = False) -> Outcome:
    verdicts = tuple(map(objective, outcomes))
    return Outcome("id", 12, state, None, None, cancelled, NOW, verdicts)


LOADS = {
    "none yet": (None, Verdict.UNSURE, "about to be"),
    "waits": (ran(LoadTestState.QUEUED), Verdict.UNSURE, "number 12 is queued"),
    "runs": (ran(LoadTestState.RUNNING), Verdict.UNSURE, "number 12 is running"),
    "passed": (ran(FINISHED, "passed"), Verdict.PASSED, "p95 61 ms of 4038 answers, 50 ms asked"),
    "failed": (ran(FINISHED, "failed"), Verdict.FAILED, "loadtests report id"),
    "cannot tell": (ran(FINISHED, "inconclusive"), Verdict.FAILED, "inconclusive"),
    "judged nothing": (ran(FINISHED), Verdict.FAILED, "judged nothing"),
    "could not": (ran(LoadTestState.FAILED), Verdict.FAILED, "failed"),
    "cancelled": (ran(LoadTestState.INTERRUPTED, cancelled=True), Verdict.FAILED, "interrupted"),
    "cut off with us": (ran(LoadTestState.INTERRUPTED), Verdict.UNSURE, "about to be"),
}


@pytest.mark.parametrize(("found", "verdict", "said"), LOADS.values(), ids=LOADS)
def test_what_a_load_test_proves(found: Outcome | None, verdict: Verdict, said: str) -> None:
    (check,) = of_loadtest(found, None)
    assert (check.verdict, said in check.message) == (verdict, True), check


def test_a_load_test_waits_for_its_place_and_says_so() -> None:
    (check,) = of_loadtest(None, "the quota is full")
    assert (check.verdict, "quota is full" in check.message) == (Verdict.UNSURE, True)


def replayed(rows: int, flips: int = 0, unanswered: int = 0, *, ended: bool = True) -> Replayed:
    compared = Compared("replay", rows, flips, shift_sum=float(flips))
    return Replayed(rows + unanswered, unanswered, ENDED if ended else None, compared)


TEN = Replay(10, max_flips=0.1)
REPLAYS = {
    "none flipped": (replayed(10), TEN, [Verdict.PASSED]),
    "as many as may": (replayed(10, 1), TEN, [Verdict.PASSED]),
    "one more": (replayed(10, 2), TEN, [Verdict.FAILED]),
    "one more, of fewer that count": (replayed(5, 1, 5), TEN, [Verdict.FAILED]),
    "too many already": (replayed(3, 2, ended=False), TEN, [Verdict.FAILED, Verdict.UNSURE]),
    "on its way": (replayed(3, 1, ended=False), TEN, [Verdict.PASSED, Verdict.UNSURE]),
    "the mean of all": (replayed(10, 2), Replay(10, max_shift=0.1), [Verdict.FAILED]),
    "told alone": (replayed(10, 9), Replay(10), [Verdict.PASSED]),
    "nothing to compare with": (replayed(0, 0, 10), Replay(10), [Verdict.FAILED]),
}  # fmt: skip


@pytest.mark.parametrize(("found", "asked", "verdicts"), REPLAYS.values(), ids=REPLAYS)
def test_what_a_replay_proves(found: Replayed, asked: Replay, verdicts: list[Verdict]) -> None:
    assert [check.verdict for check in of_replay(found, asked, None)] == verdicts


def test_a_replay_is_noted_and_gone_on_with() -> None:
    first, then = replayed(3, 1, ended=False), replayed(7, 2)
    noted = replayed_from(first.to_json()).and_then(then)
    assert (noted.at, noted.compared.flips, noted.ended_at) == (10, 3, ENDED)
    assert replayed_from(noted.to_json()) == noted
    assert replayed_from(None) == Replayed()


def test_rules_are_read_as_they_were_written() -> None:
    rules = Rules(replay=TEN, loadtest={"endpoint": "iris"})
    assert rules_from(rules.to_json()) == rules
    assert rules.begins_without_traffic
    assert not Rules().begins_without_traffic


def test_a_candidate_is_asked_by_a_tag_that_no_other_has() -> None:
    line = {"revision": "a", "percent": 100, "tag": None}
    assert tag_of([line], "b") == "candidate"
    assert tag_of([line, {"revision": "b", "percent": 0, "tag": "mine"}], "b") == "mine"
    assert tag_of([{**line, "tag": "candidate"}], "b") == "candidate-2"
