"""What an endpoint did in the last hour: counts in steps of some seconds, in bounded memory. Pure.

Two rings, since who looks at the last minutes wants them fine: 5 s for 15 minutes, 15 s for an
hour. An endpoint that is busy all the time keeps 420 steps, about 100 kB; one at rest keeps none.
"""

import math
from array import array
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from runtime.latencies import BOUNDS_S

FINE_S: Final = 5
COARSE_S: Final = 15
FINE_MINUTES: Final = 15
MOST_MINUTES: Final = 60
QUANTILES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
Value = float | None


@dataclass(frozen=True, slots=True)
class Series:
    """What was measured of an endpoint, oldest first; the step that is under way is not in it.

    every_s  seconds of a step
    at       when each step began, in seconds since 1970
    values   by name, one for each step. None: not known; of `p50`, `p95`, `p99` (seconds) also:
             nothing was answered, of `cold_start_s`: there was none
    """

    every_s: int
    at: tuple[int, ...]
    values: Mapping[str, tuple[Value, ...]]


@dataclass(slots=True)
class Step:
    """Sums of one step.

    lasted_s     that are counted in it; None: all of it; 0: no answers are
    in_flight_s  area under requests in flight; None: not told
    desired, ready  replicas, the most at a time; None: not told
    start_s      the longest cold start
    latency      answers by bucket of `runtime.latencies`
    """

    lasted_s: Value = None
    errors: int = 0
    refusals: int = 0
    rows: int | None = 0
    in_flight_s: Value = 0.0
    desired: int | None = 0
    ready: int | None = 0
    wakes: int | None = 0
    start_s: Value = None
    latency: dict[int, int] = field(default_factory=dict)

    def values(self, every_s: int) -> dict[str, Value]:
        """Give what is told of it."""
        answers, seconds = self.latency, every_s if self.lasted_s is None else self.lasted_s

        def a_second(count: Value) -> Value:
            return count / seconds if count is not None and seconds > 0 else None

        return {
            "rate": a_second(sum(answers.values())),
            "errors": a_second(self.errors),
            "refusals": a_second(self.refusals),
            "rows": a_second(self.rows),
            **{name: quantile(answers, share) for name, share in QUANTILES.items()},
            "replicas_desired": self.desired,
            "replicas_ready": self.ready,
            "concurrency": None if self.in_flight_s is None else self.in_flight_s / every_s,
            "cold_starts": self.wakes,
            "cold_start_s": self.start_s,
        }


class Ring:
    """Steps of one length, the newest of them; of a step that is over what is told, not the counts.

    since  when counting began; None: what was not counted is not known, rather than nothing
    """

    def __init__(self, every_s: int, minutes: int, since: float | None) -> None:
        self._every_s, self._since = every_s, since
        self._over: deque[tuple[int, array[float]]] = deque(maxlen=minutes * 60 // every_s)
        self._now: tuple[int, Step] | None = None
        self._nothing = packed(Step().values(every_s))

    def step(self, now: float) -> Step:
        """Give the step to add to; after a clock that went back, the newest one."""
        at = int(now // self._every_s)
        if self._now is None or self._now[0] < at:
            if self._now is not None:
                self._over.append((self._now[0], packed(self._now[1].values(self._every_s))))
            self._now = at, Step()
        return self._now[1]

    def series(self, now: float, minutes: int) -> Series:
        """Give the whole steps of the last minutes."""
        end = int(now // self._every_s)
        numbers = range(end - minutes * 60 // self._every_s, end)
        found = dict(self._over)
        if self._now is not None and self._now[0] < end:
            found[self._now[0]] = packed(self._now[1].values(self._every_s))
        rows = [found.get(at) or self._without(at) for at in numbers]
        columns = zip(NAMES, zip(*rows, strict=True), strict=True)
        return Series(
            self._every_s,
            tuple(at * self._every_s for at in numbers),
            {name: unpacked(name, column) for name, column in columns},
        )

    def _without(self, at: int) -> "array[float]":
        known = self._since is not None and at * self._every_s >= self._since
        return self._nothing if known else UNKNOWN


def packed(values: Mapping[str, Value]) -> "array[float]":
    """Make what is told of a step small; what is not known is not a number."""
    return array("d", [math.nan if value is None else value for value in values.values()])


def unpacked(name: str, column: Iterable[float]) -> tuple[Value, ...]:
    """Read one value of many steps; counts are whole numbers, and a seventh digit is nobody's."""
    if name in WHOLE:
        return tuple(None if math.isnan(value) else int(value) for value in column)
    return tuple(None if math.isnan(value) else float(f"{value:.6g}") for value in column)


class History:
    """The last hour of an endpoint, told as it happens; `since`: as in `Ring`."""

    def __init__(self, since: float | None) -> None:
        self._rings = (
            Ring(FINE_S, FINE_MINUTES, since),
            Ring(COARSE_S, MOST_MINUTES, since),
        )

    def answered(self, now: float, stats: Mapping[str, Any]) -> None:
        """Add a worker's `stats` packet, which is of about its last second."""
        told = [*stats.get("revisions", {}).values()]
        for ring in self._rings:
            step = ring.step(now)
            step.rows = (step.rows or 0) + int(stats.get("rows", 0))
            step.in_flight_s = (step.in_flight_s or 0.0) + float(stats.get("concurrency", 0.0))
            for one in told:
                step.errors += int(one.get("errors", 0))
                step.refusals += int(one.get("refusals", 0))
                _add(step.latency, ((int(b), n) for b, n in one.get("latency", {}).items()))

    def replicas(self, now: float, desired: int, ready: int) -> None:
        """Note how many replicas there are, and should be."""
        if not desired and not ready:
            return  # an endpoint at rest, which costs nothing
        for ring in self._rings:
            step = ring.step(now)
            step.desired = max(step.desired or 0, desired)
            step.ready = max(step.ready or 0, ready)

    def woke(self, now: float) -> None:
        """Count a request that found no replica."""
        for ring in self._rings:
            step = ring.step(now)
            step.wakes = (step.wakes or 0) + 1

    def started(self, now: float, seconds: float) -> None:
        """Note how long a cold start took, to the first answer."""
        for ring in self._rings:
            step = ring.step(now)
            step.start_s = max(step.start_s or 0.0, seconds)

    def series(self, now: float, minutes: int) -> Series:
        """Give the last minutes, as fine as they are kept."""
        return self._rings[minutes > FINE_MINUTES].series(now, minutes)


def unknown(now: float, minutes: int) -> Series:
    """Give the series of an endpoint of which nothing is known."""
    return History(None).series(now, minutes)


def quantile(answers: Mapping[int, int], share: float) -> Value:
    """Give the upper bound in seconds of the bucket that a quantile is in; None without answers."""
    wanted, so_far = share * sum(answers.values()), 0
    for bucket in sorted(answers):
        so_far += answers[bucket]
        if so_far >= wanted:
            return BOUNDS_S[min(bucket, len(BOUNDS_S) - 1)]
    return None


def _add(latency: dict[int, int], more: Iterable[tuple[int, int]]) -> None:
    for bucket, count in more:
        latency[bucket] = latency.get(bucket, 0) + count


NAMES: Final = tuple(Step().values(1))
WHOLE: Final = frozenset({"replicas_desired", "replicas_ready", "cold_starts"})
UNKNOWN: Final = packed(dict.fromkeys(NAMES))
