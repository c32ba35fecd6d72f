"""What a generator books while it drives, and how that travels: sums by interval."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtests.histogram import Counts, empty, from_pairs, to_pairs


@dataclass(slots=True)
class Interval:
    """Sums over the requests that were due in an interval.

    latency  from when they were due, `service` from when they were sent, until the answer was whole
    good     answered well; `in_time`: before the load ended
    missed   the generator came to them later than they were due: its own fault
    queued   found no free connection: the server holds them all
    busy_s   processor time that a generator took, of `wall_s`
    """

    latency: Counts = field(default_factory=empty)
    service: Counts = field(default_factory=empty)
    sent: int = 0
    good: int = 0
    in_time: int = 0
    missed: int = 0
    queued: int = 0
    busy_s: float = 0.0
    wall_s: float = 0.0
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Interval") -> None:
        """Add the sums of another."""
        self.latency += other.latency
        self.service += other.service
        self.sent += other.sent
        self.good += other.good
        self.in_time += other.in_time
        self.missed += other.missed
        self.queued += other.queued
        self.busy_s += other.busy_s
        self.wall_s += other.wall_s
        self.errors.update(other.errors)

    def to_message(self) -> dict[str, Any]:
        """Give what `from_message` reads back."""
        return {
            "latency": to_pairs(self.latency),
            "service": to_pairs(self.service),
            "sums": [self.sent, self.good, self.in_time, self.missed, self.queued],
            "times": [self.busy_s, self.wall_s],
            "errors": dict(self.errors),
        }

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> "Interval":
        """Read what another process sent; raises ValueError or KeyError."""
        sent, good, in_time, missed, queued = map(int, message["sums"])
        busy_s, wall_s = map(float, message["times"])
        errors = Counter({str(kind): int(count) for kind, count in message["errors"].items()})
        return cls(
            from_pairs(message["latency"]), from_pairs(message["service"]), sent, good, in_time,
            missed, queued, busy_s, wall_s, errors,
        )  # fmt: skip


def summed(intervals: Mapping[int, Interval]) -> Interval:
    """Add all."""
    total = Interval()
    for interval in intervals.values():
        total.add(interval)
    return total
