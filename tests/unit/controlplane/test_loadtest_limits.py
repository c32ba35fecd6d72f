"""What a load test may ask for: rates and durations of every shape against a quota."""

from dataclasses import replace
from typing import Any

import pytest

from controlplane.loadtests.limits import admitted, longest_s, rate
from controlplane.tenants.limits import Limits
from loadtests.plan import Plan, plan_from
from runtime.problems import QuotaExceeded

MOST = Limits(1, 1, 1, 1, 1, 1, 1, 1, loadtests=1, loadtest_rate=100, loadtest_s=60, webhooks=1)


def plan(kind: str, **shape: Any) -> Plan:
    return plan_from({"endpoint": "e", "shape": {"kind": kind, **shape}})


def with_processes(asked: Plan, processes: int) -> Plan:
    return plan_from({**asked.model_dump(mode="json", exclude_none=True), "processes": processes})


@pytest.mark.parametrize(
    ("asked", "most_rate", "seconds"),
    [
        (plan("steady", rate=100, duration="60s"), 100, 60),
        (plan("soak", rate=10, duration="30s"), 10, 30),
        (plan("ramp", start=1, rate=50, duration="20s"), 50, 20),
        (plan("ramp", start=70, rate=50, duration="20s"), 70, 20),
        (plan("spike", rate=1, peak=80, duration="5s", rest="2s", times=3), 80, 23),
        (plan("knee", start=50, factor=2, most=100, step="10s"), 100, 20),
        (plan("wake", burst=10, times=2, zero_within="20s"), 0, 60),
    ],
    ids=lambda value: value.shape.kind if isinstance(value, Plan) else "",
)
def test_what_is_at_its_limits_may_be_and_what_is_beyond_may_not(
    asked: Plan, most_rate: float, seconds: float
) -> None:
    assert rate(asked) == most_rate
    assert longest_s(asked) == pytest.approx(seconds)
    assert admitted(asked, MOST, 4) == asked
    with pytest.raises(QuotaExceeded, match="loadtest_s is 1"):
        admitted(asked, replace(MOST, loadtest_s=1), 4)
    with pytest.raises(QuotaExceeded, match="loadtest_rate is 9"):
        admitted(asked, replace(MOST, loadtest_rate=9), 4)


def test_a_knee_goes_as_far_as_it_may_unless_it_was_told_how_far() -> None:
    capped = admitted(plan("knee", start=10, step="1s"), MOST, 4)
    assert capped.shape.model_dump()["most"] == 100
    assert rate(capped) <= 100
    with pytest.raises(QuotaExceeded, match="loadtest_rate"):
        admitted(plan("knee", start=10, step="1s", most=100_000), MOST, 4)
    with pytest.raises(QuotaExceeded, match="loadtest_rate"):
        admitted(plan("knee", start=200, step="1s"), MOST, 4)


@pytest.mark.parametrize(
    ("rate", "processes", "most", "wanted"),
    [(100, None, 4, 1), (5001, None, 4, 2), (90_000, None, 4, 4), (100, 3, 4, 3), (100, 4, 4, 4)],
)
def test_a_test_has_as_many_generators_as_its_rate_needs_or_as_it_asks_for(
    rate: float, processes: int | None, most: int, wanted: int
) -> None:
    asked = plan("steady", rate=rate, duration="1s")
    if processes is not None:
        asked = with_processes(asked, processes)
    found = admitted(asked, replace(MOST, loadtest_rate=100_000), most)
    assert found.processes == wanted


def test_more_generators_than_there_are_is_refused() -> None:
    asked = with_processes(plan("steady", rate=1, duration="1s"), 5)
    with pytest.raises(QuotaExceeded, match="has 4 for a test"):
        admitted(asked, MOST, 4)
