"""Times as people type them."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click
from typing_extensions import override

UNITS: Final = {"m": 60, "h": 3600, "d": 86_400}
FORMATS: Final = (
    *("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"),
    *("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"),
)


class Moment(click.ParamType[datetime]):
    """A time, or how long ago: `2026-11-30`, `2026-11-30T12:00`, `90m`, `1d`."""

    name = "time"

    @override
    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> datetime:
        """Read it."""
        if isinstance(value, datetime):
            return value
        number, unit = str(value)[:-1], str(value)[-1:]
        if number.isdecimal() and unit in UNITS:
            return datetime.now(UTC) - timedelta(seconds=int(number) * UNITS[unit])
        for form in FORMATS:
            try:
                return datetime.strptime(str(value), form).astimezone()
            except ValueError:
                continue
        raise click.BadParameter(
            f"{value!r} is no time such as 2026-11-30, 2026-11-30T12:00, 90m or 1d", ctx, param
        )


MOMENT: Final = Moment()


def check_order(since: datetime | None, until: datetime | None) -> None:
    """Refuse a time that ends before it begins; raises click.UsageError."""
    if since is not None and until is not None and since >= until:
        raise click.UsageError("--since must be before --until; 1h is an hour ago.")
