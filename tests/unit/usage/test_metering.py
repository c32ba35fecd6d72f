"""Counters that were read become amounts of hours; amounts become cost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.engines.sizes import Size
from controlplane.usage.cost import Prices, estimate
from controlplane.usage.metering import grown, highest, hour_of, priced, spread

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


@given(
    count=st.integers(0, 10**9),
    seconds=st.floats(0, 1e7),
    offset_s=st.floats(0, 3600),
    length_s=st.floats(0, 86_400),
)
def test_the_parts_of_hours_sum_to_the_whole(
    count: int, seconds: float, offset_s: float, length_s: float
) -> None:
    since = NOON + timedelta(seconds=offset_s)
    until = since + timedelta(seconds=length_s)
    parts = spread({"requests": count, "busy_s": seconds, "rows": None}, since, until)
    counts: list[Any] = [part["requests"] for part in parts.values()]
    assert sum(counts) == count
    assert min(counts) >= 0
    busy: list[Any] = [part["busy_s"] for part in parts.values()]
    assert sum(busy) == pytest.approx(seconds)
    assert all(part["rows"] is None for part in parts.values())
    assert list(parts) == sorted({hour_of(hour) for hour in parts})


def test_an_hour_gets_what_lasted_in_it() -> None:
    since, until = NOON + timedelta(minutes=45), NOON + timedelta(minutes=105)
    parts = spread({"lasted_s": 3600.0, "requests": 100}, since, until)
    assert parts == {
        NOON: {"lasted_s": 900.0, "requests": 25},
        NOON + timedelta(hours=1): {"lasted_s": 2700.0, "requests": 75},
    }


def test_a_clock_that_was_set_back_loses_nothing() -> None:
    assert spread({"requests": 3}, NOON, NOON - timedelta(hours=2)) == {
        NOON - timedelta(hours=2): {"requests": 3}
    }


def test_what_was_read_before_is_not_added_again() -> None:
    assert grown(None, {"requests": 5}) == {"requests": 5}
    assert grown({"requests": 5}, {"requests": 7}) == {"requests": 2}
    assert grown({"requests": 5}, {"requests": None}) == {"requests": None}


def test_counters_that_a_power_cut_set_back_count_only_beyond_what_was_told() -> None:
    told = {"requests": 100}
    assert grown(told, {"requests": 60}) == {"requests": 0}
    kept = highest(told, {"requests": 60})
    assert kept == {"requests": 100}
    assert grown(kept, {"requests": 130}) == {"requests": 30}


def sums(**values: float) -> dict[str, Any]:
    counted: dict[str, Any] = {"starting_s": 0.0, "ready_s": 0.0, "active_s": 0.0, **values}
    lasted_s = counted.pop("lasted_s")
    return dict(priced(counted, lasted_s, Size(100, 512)))


def test_at_zero_an_endpoint_costs_what_it_used_and_warm_all_the_time() -> None:
    day = sums(starting_s=10.0, ready_s=890.0, active_s=900.0, lasted_s=86_400.0)
    found = estimate(day, Prices(cpu_hour=3.6, gib_hour=7.2))
    assert found["used"] == {
        "replica_s": 900.0,
        "cpu_s": 90.0,
        "memory_gib_s": 450.0,
        "money": pytest.approx(90 * 0.001 + 450 * 0.002),
    }
    assert found["kept_warm"]["replica_s"] == 86_400.0
    assert found["kept_warm"]["cpu_s"] == 8640.0
    assert found["kept_warm"]["money"] == pytest.approx(96 * found["used"]["money"])


def test_kept_warm_several_replicas_are_as_many_and_one_where_there_was_none() -> None:
    found = estimate(sums(ready_s=300.0, active_s=100.0, lasted_s=160.0), None)
    assert found["used"]["replica_s"] == 300.0
    assert found["kept_warm"]["replica_s"] == 360.0
    assert "money" not in found["used"]
