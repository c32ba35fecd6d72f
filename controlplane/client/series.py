"""What was measured of an endpoint lately."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from controlplane.client.errors import BadAnswer

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Series:
    """Steps of `every_s` seconds, oldest first, without the one that is under way.

    at      when each step began
    values  by name (rate, errors, p95, replicas_ready, …), one for each step; None: not known, or
            there was nothing to measure
    """

    every_s: int
    at: tuple[datetime, ...]
    values: Mapping[str, tuple[float | None, ...]]
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "Series":
        """Read the API's document."""
        try:
            return cls(
                every_s=int(raw["every_s"]),
                at=tuple(datetime.fromtimestamp(at, UTC) for at in raw["at"]),
                values={name: tuple(each) for name, each in raw["values"].items()},
                raw=raw,
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BadAnswer(f"The server's answer is no series: {str(dict(raw))[:200]}") from error
