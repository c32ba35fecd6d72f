"""Warm windows: when they are open, over changes of the clocks too."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.endpoints.windows import MOST, BadWindow, Window, check, replicas, windows_from

BERLIN = ZoneInfo("Europe/Berlin")
AT_ONCE = timedelta()
OFFICE = Window("0 8 * * 1-5", 600, 2, "Europe/Berlin")


def berlin(month, day, hour=0, minute=0, fold=0):
    return datetime(2026, month, day, hour, minute, fold=fold, tzinfo=BERLIN).astimezone(UTC)


# 2026-11-30 is a Monday.
TIMES = {
    "before it": (berlin(11, 30, 7, 59), False),
    "when it begins": (berlin(11, 30, 8), True),
    "amid it": (berlin(11, 30, 13), True),
    "its last minute": (berlin(11, 30, 17, 59), True),
    "when it ends": (berlin(11, 30, 18), False),
    "on a Sunday": (berlin(11, 29, 12), False),
    "in summer, an hour earlier by UTC": (datetime(2026, 7, 6, 6, 0, tzinfo=UTC), True),
    "in winter not": (datetime(2026, 12, 7, 6, 0, tzinfo=UTC), False),
}


@pytest.mark.parametrize("case", TIMES)
def test_open(case):
    at, expected = TIMES[case]
    assert OFFICE.is_open(at, AT_ONCE) is expected


def test_it_opens_ahead_of_its_beginning_and_ends_when_it_is_over():
    ahead = timedelta(seconds=40)
    begins, ends = berlin(11, 30, 8), berlin(11, 30, 18)
    second = timedelta(seconds=1)
    assert not OFFICE.is_open(begins - ahead - second, ahead)
    assert OFFICE.is_open(begins - ahead, ahead)
    assert OFFICE.is_open(ends - second, ahead)
    assert not OFFICE.is_open(ends, ahead)


def test_one_that_is_followed_by_itself_is_open_all_the_time():
    daily = Window("0 * * * *", 60)
    for minute in range(0, 180, 7):
        at = datetime(2026, 11, 30, tzinfo=UTC) + timedelta(minutes=minute)
        assert daily.is_open(at, timedelta(minutes=10))


def test_where_clocks_are_put_forward_it_begins_with_the_first_minute_that_there_is():
    night = Window("30 2 * * *", 60, 1, "Europe/Berlin")  # on 29 March there is no 2:30
    begins = berlin(3, 29, 3)
    assert night.next_start(berlin(3, 28, 12)) == begins
    assert begins == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert not night.is_open(begins - timedelta(minutes=1), AT_ONCE)
    assert night.is_open(begins + timedelta(minutes=59), AT_ONCE)
    assert not night.is_open(begins + timedelta(minutes=60), AT_ONCE)


def test_where_clocks_are_put_back_it_begins_once_and_lasts_real_minutes():
    night = Window("30 2 * * *", 90, 1, "Europe/Berlin")  # on 25 October 2:30 comes twice
    first, second = berlin(10, 25, 2, 30), berlin(10, 25, 2, 30, fold=1)
    assert second - first == timedelta(hours=1)
    assert night.next_start(berlin(10, 24, 12)) == first
    assert night.next_start(first) == berlin(10, 26, 2, 30)
    assert night.is_open(second, AT_ONCE)
    assert not night.is_open(first + timedelta(minutes=90), AT_ONCE)


def test_one_that_lasts_over_a_change_of_the_clocks_keeps_its_length():
    evening = Window("0 22 * * 6", 600, 1, "Europe/Berlin")
    for month, day in ((3, 28), (10, 24)):
        begins = berlin(month, day, 22)
        assert evening.is_open(begins + timedelta(minutes=599), AT_ONCE)
        assert not evening.is_open(begins + timedelta(minutes=600), AT_ONCE)


@given(
    st.integers(0, 2 * 365 * 24 * 3600).map(lambda s: berlin(1, 1) + timedelta(seconds=s)),
    st.sampled_from(["0 8 * * 1-5", "*/20 * * * *", "30 2 * * *", "0 0 1 * *"]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    st.integers(1, 3000),
)
def test_it_is_open_exactly_from_a_start_on_for_its_length(at, cron, zone, minutes):
    window = Window(cron, minutes, 1, zone)
    began = window.last_start(at)
    assert began <= at
    following = window.next_start(began)
    assert following > at.replace(microsecond=0)
    assert window.is_open(at, AT_ONCE) == (at < began + timedelta(minutes=minutes))


def test_of_several_that_are_open_the_most_replicas_count():
    windows = (OFFICE, Window("0 12 * * *", 60, 5, "Europe/Berlin"), Window("0 0 * * *", 1, 9))
    assert replicas(windows, berlin(11, 30, 12, 30), AT_ONCE) == 5
    assert replicas(windows, berlin(11, 30, 13, 30), AT_ONCE) == 2
    assert replicas(windows, berlin(11, 29, 13, 30), AT_ONCE) == 0
    assert replicas((), berlin(11, 30, 12), AT_ONCE) == 0


BAD = {
    "no cron": (Window("at eight", 60), "no cron expression"),
    "four fields": (Window("0 8 * *", 60), "no cron expression"),
    "out of range": (Window("0 25 * * *", 60), "no cron expression"),
    "never": (Window("0 0 30 2 *", 60), "never happens|no cron expression"),
    "no zone": (Window("0 8 * * *", 60, 1, "Europe/Nowhere"), "no time zone"),
    "a path": (Window("0 8 * * *", 60, 1, "../../etc/passwd"), "no time zone"),
    "a folder": (Window("0 8 * * *", 60, 1, "Europe"), "no time zone"),
    "nothing": (Window("0 8 * * *", 60, 1, ""), "no time zone"),
}


@pytest.mark.parametrize("case", BAD)
def test_one_that_says_nothing_is_refused(case):
    window, said = BAD[case]
    with pytest.raises(BadWindow, match=said):
        check([window], datetime(2026, 11, 30, tzinfo=UTC))


def test_too_many_are_refused():
    check([OFFICE] * MOST, datetime(2026, 11, 30, tzinfo=UTC))
    with pytest.raises(BadWindow, match="20 warm windows at most"):
        check([OFFICE] * (MOST + 1), datetime(2026, 11, 30, tzinfo=UTC))


def test_they_are_read_as_they_are_kept():
    kept = [{"cron": "0 8 * * 1-5", "minutes": 600, "replicas": 2, "time_zone": "Europe/Berlin"}]
    assert windows_from(kept) == (OFFICE,)
    assert windows_from(None) == ()
