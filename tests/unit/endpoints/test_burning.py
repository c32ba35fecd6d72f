"""Whether an endpoint keeps its SLO: enough requests, two windows, no coming and going."""

import json

from controlplane.engines.engine import Answers, Measured
from controlplane.reconciler.burning import LONG_S, SHORT_S, Burn, burn_from, counted, is_breached
from loadtests.slo import Objectives, objectives_from
from runtime.latencies import BOUNDS_S, BUCKETS

SLO = objectives_from({"p99": "50ms", "error_rate": 0.01})
assert SLO is not None
FAST, SLOW = BOUNDS_S.index(0.01), BOUNDS_S.index(0.1)


class Endpoint:
    """Answers, and is looked at each ten seconds, as its row would have it."""

    def __init__(self, slo: Objectives = SLO) -> None:
        self.slo, self.at, self.breached = slo, 0.0, False
        self.fast = self.slow = self.errors = 0
        self.kept: dict[str, object] | None = None
        self.look()

    def look(self) -> None:
        latency = [0] * BUCKETS
        latency[FAST], latency[SLOW] = self.fast, self.slow
        told = Measured("worker", {"r1": Answers(self.errors, 0, tuple(latency))})
        burn = burn_from(self.kept, self.slo)
        burn.read(counted([told], self.slo), self.at)
        self.standing = burn.standing(self.slo, self.at)
        self.breached = is_breached(self.breached, self.standing)
        self.kept = burn.to_json()

    def run(self, seconds: float, *, fast: int = 0, slow: int = 0, errors: int = 0) -> list[bool]:
        """Answer so many in each ten seconds; gives how it stood at each look."""
        found = []
        for _ in range(int(seconds // 10)):
            self.at += 10
            self.fast, self.slow = self.fast + fast, self.slow + slow
            self.errors += errors
            self.look()
            found.append(self.breached)
        return found


def test_who_keeps_its_promises_is_never_called_in_breach() -> None:
    assert not any(Endpoint().run(7200, fast=200, slow=1))


def test_a_breach_is_seen_within_a_minute_and_over_once_it_is_over() -> None:
    one = Endpoint()
    one.run(3600, fast=100)
    begun = one.run(120, fast=60, slow=40)
    assert begun.index(True) < 6
    assert all(begun[begun.index(True) :])
    assert "p99" in one.standing[0].message
    after = one.run(SHORT_S + 60, fast=100)
    assert after[0] is True
    assert after[-1] is False
    assert after == sorted(after, reverse=True)  # once


def test_errors_break_their_own_promise() -> None:
    one = Endpoint()
    assert one.run(60, fast=100, errors=20)[-1]
    assert [kept.is_broken for kept in one.standing] == [False, True]


def test_a_few_requests_say_nothing() -> None:
    assert not any(Endpoint().run(60, slow=3))


def test_one_bad_moment_of_a_busy_hour_is_no_breach() -> None:
    one = Endpoint()
    one.run(LONG_S, fast=1000)
    assert not any(one.run(10, fast=990, slow=10) + one.run(300, fast=1000))


def test_without_any_request_a_breach_is_over_when_it_is_out_of_sight() -> None:
    one = Endpoint()
    assert one.run(60, slow=20)[-1]
    idle = one.run(LONG_S + 120)
    assert idle[0] is True
    assert idle[-1] is False


def test_what_goes_up_and_down_is_one_breach() -> None:
    one = Endpoint()
    found = [state for _ in range(20) for state in one.run(60, fast=50, slow=50) + one.run(60)]
    assert found == sorted(found)


def test_another_promise_begins_anew_and_nothing_grows() -> None:
    one = Endpoint()
    one.run(2 * LONG_S, fast=10, slow=10)
    assert one.kept is not None
    assert len(one.kept["slots"]) <= LONG_S // 30 + 1  # type: ignore[arg-type]
    other = objectives_from({"p99": "1s"})
    assert other is not None
    assert burn_from(one.kept, other) == Burn(other.to_json())


def test_a_source_that_is_new_counts_from_its_beginning_and_one_that_fell_back_not_twice() -> None:
    burn = Burn(SLO.to_json())
    burn.read({"a": (100, 50, 0)}, 0.0)  # of a time before
    burn.read({"a": (110, 50, 0), "b": (30, 30, 0)}, 10.0)
    burn.read({"a": (5, 1, 0), "b": (30, 30, 0)}, 20.0)
    p99, _ = burn.standing(SLO, 20.0)
    assert (p99.long.count, p99.long.of) == (30, 40)


def test_what_was_kept_and_did_not_change_is_equal_to_what_would_be_kept() -> None:
    one = Endpoint()
    one.run(60, fast=10)
    kept = json.loads(json.dumps(one.kept))  # as a row gives it
    assert burn_from(kept, SLO).to_json() == kept
