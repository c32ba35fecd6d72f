"""The last hour of an endpoint, in bounded memory."""

from sys import getsizeof
from typing import Any

from controlplane.engines.engine import Answers, Measured, ObservedEndpoint
from controlplane.engines.history import (
    COARSE_S,
    FINE_S,
    MOST_MINUTES,
    History,
    quantile,
    unknown,
)
from controlplane.engines.knative.looks import APART_S, WATCHED, Looked, Looks, concurrency_of
from runtime.latencies import BOUNDS_S, BUCKETS

START = 1_800_000_000.0
FAST, SLOW = BOUNDS_S.index(0.001), BOUNDS_S.index(0.1)


def packet(latency: dict[int, int], **more: float) -> dict[str, object]:
    """Make a worker's report of its last second."""
    told = {"latency": {str(bucket): n for bucket, n in latency.items()}, "errors": 0}
    return {"revisions": {"r1": {**told, **more}}, "rows": sum(latency.values()), "concurrency": 2}


def test_a_step_tells_rates_quantiles_and_replicas() -> None:
    history = History(START)
    for second in range(FINE_S):
        history.answered(START + second, packet({FAST: 18, SLOW: 2}, errors=1, refusals=2))
        history.replicas(START + second, 2, second % 2)
    history.woke(START + 1)
    history.started(START + 2, 0.25)
    found = history.series(START + FINE_S, 1)
    assert found.every_s == FINE_S
    assert found.at[-1] == START
    assert len(found.at) == 60 // FINE_S
    last = {name: values[-1] for name, values in found.values.items()}
    assert last == {
        "rate": 20, "errors": 1, "refusals": 2, "rows": 20, "p50": 0.001, "p95": 0.1, "p99": 0.1,
        "replicas_desired": 2, "replicas_ready": 1, "concurrency": 2, "cold_starts": 1,
        "cold_start_s": 0.25,
    }  # fmt: skip


def test_rest_is_zero_and_what_was_before_the_start_is_not_known() -> None:
    found = History(START).series(START + 60, 2)
    before, after = found.at.index(START - FINE_S), found.at.index(START)
    assert found.values["rate"][before] is None
    assert found.values["replicas_ready"][before] is None
    assert found.values["rate"][after] == 0
    assert found.values["replicas_ready"][after] == 0
    assert found.values["p95"][after] is None, "nothing was answered, so nothing took long"
    nothing = unknown(START, MOST_MINUTES)
    assert {value for each in nothing.values.values() for value in each} == {None}
    assert len(nothing.at) == MOST_MINUTES * 60 // COARSE_S


def test_an_hour_is_kept_and_no_more() -> None:
    history = History(START)
    for second in range(0, 3 * 3600, 3):
        history.answered(START + second, packet({FAST: 1}))
    kept = [len(ring._over) for ring in history._rings]
    assert kept == [15 * 60 // FINE_S, MOST_MINUTES * 60 // COARSE_S]
    hour = history.series(START + 3 * 3600, MOST_MINUTES)
    assert set(hour.values["rate"]) == {round(1 / 3, 6)}
    told = [*history._rings[0]._over, *history._rings[1]._over]
    # With its place in the ring 250 bytes a step at most: what the module states.
    assert max(getsizeof(values) for _, values in told) < 200


def test_a_clock_that_goes_back_loses_no_answer() -> None:
    history = History(START - 100)
    history.answered(START, packet({FAST: 5}))
    history.answered(START - 50, packet({FAST: 5}))
    assert history.series(START + FINE_S, 1).values["rate"][-1] == 2


def test_endpoints_at_rest_keep_no_steps() -> None:
    history = History(START)
    for second in range(1000):
        history.replicas(START + second, 0, 0)
    assert [(len(ring._over), ring._now) for ring in history._rings] == [(0, None)] * 2


def test_quantiles_are_upper_bounds_of_buckets() -> None:
    assert quantile({}, 0.5) is None
    assert quantile({FAST: 99, SLOW: 1}, 0.99) == 0.001
    assert quantile({FAST: 98, SLOW: 2}, 0.99) == 0.1
    assert quantile({BUCKETS - 1: 1}, 0.5) == BOUNDS_S[-1], "longer than the longest bound"


def answers(count: int, errors: int = 0) -> Answers:
    """Make what a revision answered so far."""
    latency = [0] * BUCKETS
    latency[FAST] = count
    return Answers(errors, 0, tuple(latency))


def seen(ready: int) -> ObservedEndpoint:
    """Make what Knative says of an endpoint."""
    return ObservedEndpoint("e", 1, "http://e", ready, 2, ())  # type: ignore[arg-type]  # an id


def test_looks_tell_what_grew_between_them() -> None:
    looked = Looked()
    looked.add(START, seen(1), (Measured("p", {"r1": answers(100)}),), None)
    more = (Measured("p", {"r1": answers(130, 3)}), Measured("q", {"r1": answers(30)}))
    looked.add(START + 14, seen(2), more, 1.5)
    found = looked.series(START + COARSE_S, 1)
    last = {name: values[-1] for name, values in found.values.items()}
    assert last["rate"] == round(60 / 14, 5)
    assert last["errors"] == round(3 / 14, 6)
    assert (last["replicas_desired"], last["replicas_ready"], last["concurrency"]) == (2, 2, 1.5)
    assert (last["rows"], last["cold_starts"]) == (None, None), "nobody tells"
    assert found.values["rate"][-2] is None, "nobody looked"


def test_looks_far_apart_say_nothing_of_the_rate() -> None:
    looked = Looked()
    looked.add(START, seen(1), (Measured("p", {"r1": answers(100)}),), None)
    at = START + APART_S + 1
    looked.add(at, seen(1), (Measured("p", {"r1": answers(900)}),), None)
    found = looked.series(at + COARSE_S, 2)
    step = found.at.index(int(at // COARSE_S) * COARSE_S)
    assert found.values["rate"][step] is None
    assert found.values["replicas_ready"][step] == 1


def test_looks_are_apart_and_bounded() -> None:
    looked = Looked()
    assert looked.is_due(START)
    looked.begin(START)
    assert not looked.is_due(START + 1)
    assert looked.is_due(START + 6)
    assert looked.is_due(START - 1), "after a clock that went back"
    looks = Looks()
    for number in range(WATCHED + 10):
        looks.of(f"e-{number}")  # type: ignore[arg-type]  # an id
    assert len(looks._of) == WATCHED


def test_concurrency_is_the_sum_of_revisions_that_are_scaled_now() -> None:
    def recording(
        key: str, at: float, stable: float, metric: str = "concurrency"
    ) -> dict[str, Any]:
        steps = [{"t_s": at - 10, "stable": 99.0}, {"t_s": at, "stable": stable}]
        return {"key": key, "config": {"scaling_metric": metric}, "steps": steps}

    both = [recording("r1", 100.0, 2.0), recording("r2", 100.0, 1.5), recording("old", 50.0, 7.0)]
    assert concurrency_of(both) == 3.5
    assert concurrency_of([recording("r1", 100.0, 2.0, "rps")]) is None
    assert concurrency_of([]) is None
