"""Usage from the times of pods."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from controlplane.engines.engine import EndpointId
from controlplane.engines.knative.metering import FIRST, metered

KEY = EndpointId("6f1c1d1e-0000-4000-8000-000000000001")
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def text(seconds: float) -> str:
    return at(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(made: float, ready: float | None = None, **more: Any) -> dict[str, Any]:
    status = "False" if ready is None else "True"
    condition = {"type": "Ready", "status": status, "lastTransitionTime": text(ready or made)}
    running = {"state": {"running": {"startedAt": text(made + 1)}}}
    return {
        "metadata": {"name": "iris-1", "creationTimestamp": text(made), **more.pop("metadata", {})},
        "status": {"conditions": [condition], "containerStatuses": [running, running], **more},
    }


def test_a_pods_time_is_starting_until_it_is_ready() -> None:
    found = metered(KEY, [pod(0, 3)], None, at(10))
    assert (found.endpoint, found.source) == (KEY, FIRST)
    counted = found.counters
    assert (counted.starting_s, counted.ready_s, counted.active_s) == (3.0, 7.0, 10.0)
    assert (counted.starts, counted.wakes) == (1, 1)
    assert counted.requests is counted.rows is counted.busy_s is None


def test_only_what_was_since_the_last_reading_counts() -> None:
    found = metered(KEY, [pod(0, 3), pod(20, 24)], at(10), at(30))
    counted = found.counters
    assert found.source == at(10).isoformat()
    assert (counted.starting_s, counted.ready_s, counted.active_s) == (4.0, 26.0, 20.0)
    assert (counted.starts, counted.wakes) == (1, 0)


def test_readings_one_after_the_other_sum_to_one_of_all_the_time() -> None:
    times = [(0, 3), (2, 9), (40, 41)]

    def seen(until: float) -> list[dict[str, Any]]:
        return [
            pod(made, ready if ready <= until else None) for made, ready in times if made < until
        ]

    whole = metered(KEY, seen(60), at(-1), at(60)).counters
    parts = [
        metered(KEY, seen(until), at(since), at(until)).counters
        for since, until in itertools.pairwise((-1, 1, 5, 33, 60))
    ]
    assert sum(part.starts for part in parts) == whole.starts == 3
    for name in ("starting_s", "ready_s", "active_s"):
        assert sum(getattr(part, name) for part in parts) == getattr(whole, name)


def test_a_pod_that_never_was_ready_only_starts() -> None:
    counted = metered(KEY, [pod(0)], at(-5), at(10)).counters
    assert (counted.starting_s, counted.ready_s) == (10.0, 0.0)


def test_a_pod_that_ends_was_ready_since_its_containers_ran() -> None:
    ending = pod(0, metadata={"deletionTimestamp": text(8)})
    counted = metered(KEY, [ending], at(-5), at(10)).counters
    assert (counted.starting_s, counted.ready_s) == (1.0, 9.0)


def test_a_pod_that_has_ended_and_is_still_there_does_not_go_on() -> None:
    ended = {"state": {"terminated": {"startedAt": text(1), "finishedAt": text(6)}}}
    dead = pod(0, containerStatuses=[ended, ended], metadata={"deletionTimestamp": text(5)})
    counted = metered(KEY, [dead, pod(9, 10)], at(-5), at(20)).counters
    assert (counted.ready_s, counted.active_s) == (15.0, 17.0)
    assert (counted.starts, counted.wakes) == (2, 2)


def test_an_endpoint_without_pods_used_nothing() -> None:
    counted = metered(KEY, [], at(0), at(10)).counters
    assert (counted.starts, counted.ready_s, counted.active_s) == (0, 0.0, 0.0)


def test_hosts_are_named_as_their_containers_name_themselves() -> None:
    long = "a" * 62 + "-deployment-5d8f7c-x2x4q"
    pods = [pod(0, 3), pod(1, metadata={"name": long})]
    assert metered(KEY, pods, None, at(10)).hosts == {"iris-1", "a" * 62}
    assert metered(KEY, [], None, at(10)).hosts == frozenset()
