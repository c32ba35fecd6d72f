"""What the supervisor sees, named."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from controlplane.engines.embedded.causes import cause
from controlplane.engines.embedded.conditions import Verdict, active_of, ready_of
from controlplane.engines.embedded.words import Trouble
from controlplane.engines.engine import (
    ColdStart,
    DesiredEndpoint,
    EndpointId,
    LogLine,
    ObservedEndpoint,
    Status,
)

NOW = datetime(2026, 11, 23, 21, 0, 7, tzinfo=UTC)
ID = EndpointId("11111111-1111-1111-1111-111111111111")
DESIRED = DesiredEndpoint(ID, "demo", "iris", 3, "http://x/endpoints/1", ())


def seen(ready: Verdict, replicas: int = 0, active: Verdict | None = None) -> ObservedEndpoint:
    since = NOW - timedelta(seconds=7)
    conditions = tuple(
        Status(v.type, v.status, v.reason, v.message, since)
        for v in (ready, active or active_of(None, replicas))
    )
    return ObservedEndpoint(ID, 3, "http://127.0.0.1:1", replicas, replicas, conditions)


def verdict(
    trouble: Trouble | None = None, taken: str | None = None, proven: int | None = 3, ready: int = 0
) -> Verdict:
    return ready_of(taken, trouble, lasting=True, proven=proven, newest=3, ready=ready)


@pytest.mark.parametrize("reason", ["CrashLoop", "BadPlan", "BadLaunch"])
def test_trouble_is_named_with_its_last_words_and_a_next_step(reason: str) -> None:
    log = [LogLine(NOW, "w-1", f"line {i}") for i in range(9)] + [
        LogLine(NOW, "w-2", "cannot serve: iris-00001: password=hunter2000")
    ]
    found = cause(DESIRED, seen(verdict(Trouble(reason, "it ended", True))), log, NOW)
    assert (found.reason, found.ok) == (reason, False)
    assert found.message == "It ended."
    assert found.evidence[-1] == "log of w-2: cannot serve: iris-00001: password=[hidden]"
    assert sum(fact.startswith("log of") for fact in found.evidence) == 5
    assert "kubeserve" in found.next_step
    assert "{" not in found.next_step


def test_a_taken_port_says_what_to_do() -> None:
    found = cause(DESIRED, seen(verdict(taken="port 18100 is in use")), [], NOW)
    assert (found.reason, found.ok, found.message) == ("PortTaken", False, "Port 18100 is in use.")
    assert "KUBESERVE_PORTS" in found.next_step


def test_idle_starting_and_serving_are_no_faults() -> None:
    idle = cause(DESIRED, seen(verdict()), [], NOW)
    starting = cause(DESIRED, seen(verdict(proven=None)), [], NOW)
    serving = cause(DESIRED, seen(verdict(ready=2), 2), [], NOW)
    assert [(c.reason, c.ok) for c in (idle, starting, serving)] == [
        ("Idle", True),
        ("Starting", True),
        ("Serving", True),
    ]
    assert "7 s" in starting.message
    assert "2 worker(s)" in serving.message


def test_the_last_start_is_told_by_phase() -> None:
    start = ColdStart(NOW, 12.34, {"spawn": 2.0, "load": 10.34})
    found = cause(DESIRED, replace(seen(verdict()), cold_start=start), [], NOW)
    assert found.evidence[-1] == "last cold start: 12.3 ms (spawn 2.0 ms, load 10.3 ms)"


def test_what_the_engine_has_not_taken_over_is_said_so() -> None:
    assert cause(DESIRED, None, [], NOW).reason == "NotTaken"
    older = cause(replace(DESIRED, generation=4), seen(verdict()), [], NOW)
    assert older.reason == "NotTaken"
    assert older.evidence == ("generation: 3 runs, 4 is wanted",)
