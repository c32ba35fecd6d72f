"""What a meter makes of workers that come and go, in virtual time."""

import pytest

from controlplane.engines.embedded.metering import Meter, meter_from
from controlplane.engines.engine import EndpointId


def test_seconds_are_counted_by_worker_and_once_for_the_endpoint() -> None:
    meter = Meter()
    meter.workers(10.0, starting=1, ready=0)
    meter.workers(10.5, starting=1, ready=1)
    meter.workers(12.5, starting=0, ready=2)
    meter.workers(15.5, starting=0, ready=0)
    meter.workers(99.0, starting=0, ready=0)
    read = meter.read(EndpointId("e")).counters
    assert (read.starting_s, read.ready_s, read.active_s) == (2.5, 8.0, 5.5)


def test_time_without_a_supervisor_is_nobodys() -> None:
    meter = Meter(ready_s=3.0)
    meter.workers(1_000.0, starting=0, ready=1)
    assert meter.ready_s == 3.0
    meter.workers(1_001.0, starting=0, ready=1)
    assert meter.ready_s == 4.0


def test_what_workers_tell_is_added_also_by_one_that_does_not_know_rows() -> None:
    meter = Meter(ready_s=10.0)
    meter.add({"requests": 3, "rows": 30, "busy_s": 0.25})
    meter.add({"requests": 1})
    read = meter.read(EndpointId("e"))
    assert (read.counters.requests, read.counters.rows, read.counters.busy_s) == (4, 30, 0.25)
    assert read.source == meter.source


def test_busy_is_never_more_than_ready() -> None:
    meter = Meter(busy_s=5.0, ready_s=4.0)
    assert meter.read(EndpointId("e")).counters.busy_s == 4.0


def test_a_meter_is_read_back_equal_and_two_have_two_sources() -> None:
    meter = Meter(requests=1, ready_s=0.5)
    back = meter_from(meter.to_json())
    assert (back, back.source) == (meter, meter.source)
    assert Meter().source != Meter().source
    with pytest.raises(KeyError):
        meter_from({"source": "a"})
