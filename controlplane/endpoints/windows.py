"""Warm windows: when how many replicas are kept ahead of requests that are expected. Pure.

A window begins when its cron expression says so in its own time zone, and lasts so many minutes
of real time. Where clocks are put forward over it, it begins with the first minute that there is;
where they are put back, at the first of both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

MOST: Final = 20  # windows of an endpoint
A_WEEK: Final = 7 * 24 * 60


class BadWindow(ValueError):
    """A window that never opens; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Window:
    """One window.

    cron       when it begins: minute, hour, day of month, month, day of week
    minutes    that it lasts, a week at most
    replicas   kept at least while it is open
    time_zone  an IANA name, such as Europe/Berlin
    """

    cron: str
    minutes: int
    replicas: int = 1
    time_zone: str = "UTC"

    def is_open(self, now: datetime, ahead: timedelta) -> bool:
        """Tell whether it is open, or about to be: it opens `ahead` of its beginning."""
        began = self.last_start(now + ahead)
        return began is not None and began + timedelta(minutes=self.minutes) > now

    def last_start(self, at: datetime) -> datetime | None:
        """Give when it began last, `at` included; None: never before."""
        # A moment later, since the beginning itself would not count as past.
        found = self._starts(at + timedelta(seconds=1), reverse=True)
        return next(found, None)

    def next_start(self, after: datetime) -> datetime | None:
        """Give when it begins next; None: never again."""
        return next(self._starts(after, reverse=False), None)

    def _starts(self, at: datetime, *, reverse: bool) -> Iterator[datetime]:
        local = at.astimezone(ZoneInfo(self.time_zone))
        return (one.astimezone(UTC) for one in CronSim(self.cron, local, reverse=reverse))


def check(windows: Sequence[Window], now: datetime) -> None:
    """Raise BadWindow for one that says nothing."""
    if len(windows) > MOST:
        raise BadWindow(f"An endpoint has {MOST} warm windows at most, these are {len(windows)}.")
    for one in windows:
        _check(one, now)


def _check(window: Window, now: datetime) -> None:
    try:
        ZoneInfo(window.time_zone)
    except (OSError, ValueError, KeyError) as error:  # a folder, a path, a name of none
        raise BadWindow(
            f"{window.time_zone!r} is no time zone. Give an IANA name, such as Europe/Berlin."
        ) from error
    try:
        found = window.next_start(now)
    except CronSimError as error:
        raise BadWindow(
            f"{window.cron!r} is no cron expression ({error}). Five fields: minute, hour, day of "
            "month, month, day of week, such as `0 8 * * 1-5`."
        ) from error
    if found is None:
        raise BadWindow(f"{window.cron!r} never happens.")


def replicas(windows: Sequence[Window], now: datetime, ahead: timedelta) -> int:
    """Give how many replicas the windows that are open want; 0: none is."""
    return max((one.replicas for one in windows if one.is_open(now, ahead)), default=0)


def windows_from(documents: Sequence[dict[str, Any]] | None) -> tuple[Window, ...]:
    """Read windows as they are kept."""
    return tuple(Window(**one) for one in documents or ())
