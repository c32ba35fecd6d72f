"""Averages of a metric over a sliding window of buckets, and the maximum over a delay window."""

import math
from collections import deque
from dataclasses import dataclass

from controlplane.autoscaler.policy import LINEAR, NANOSECONDS, WEIGHTED_EXPONENTIAL

MIN_DECAY = 0.2
WEIGHT_PRECISION = 0.9999
TICK_NS = 2 * NANOSECONDS


def round_half_away(value: float, digits: int = 6) -> float:
    """Round as Go's `math.Round` does; Python's `round` goes to even.

    source  pkg/autoscaler/aggregation/bucketing.go, roundToNDigits
    """
    power = 10.0**digits
    scaled = value * power
    if not math.isfinite(scaled):
        return scaled / power
    whole = math.floor(abs(scaled))
    if abs(scaled) - whole >= 0.5:
        whole += 1
    return math.copysign(float(whole), scaled) / power


class BucketedWindow:
    """A ring of buckets; what is recorded within one bucket adds up.

    Three things that surprise: seconds without data after the last write are left out of the
    divisor; gaps before it count as zero; a young window is averaged over the time it has existed.

    source  pkg/autoscaler/aggregation/bucketing.go, TimedFloat64Buckets, WeightedFloat64Buckets
    """

    def __init__(
        self, window_ns: int, granularity_ns: int = NANOSECONDS, algorithm: str = LINEAR
    ) -> None:
        if algorithm not in (LINEAR, WEIGHTED_EXPONENTIAL):
            raise ValueError(
                f"unknown algorithm {algorithm!r}; use {LINEAR} or {WEIGHTED_EXPONENTIAL}"
            )
        if window_ns <= 0 or granularity_ns <= 0:
            raise ValueError("window and granularity must be positive")
        self._window, self._granularity, self._algorithm = window_ns, granularity_ns, algorithm
        self._buckets = [0.0] * -(-window_ns // granularity_ns)
        self._total = 0.0
        # Bucket numbers (time // granularity) of the first and the last write; None: never written.
        self._first: int | None = None
        self._last: int | None = None

    def record(self, now_ns: int, value: float) -> None:
        """Add a value to the bucket of its time; older than the window, it is ignored."""
        at = now_ns // self._granularity
        if at != self._last:
            if not self._newer_than_window(at):
                return
            if self._first is None or self._first > at:
                self._first = at
            if self._last is None or at > self._last:
                self._advance(at)
        self._buckets[at % len(self._buckets)] += value
        self._total += value

    def _newer_than_window(self, at: int) -> bool:
        return self._last is None or self._span(self._last, at) < self._window

    def _span(self, later: int, earlier: int) -> int:
        return (later - earlier) * self._granularity

    def _advance(self, at: int) -> None:
        if self._last is None or self._span(at, self._last) >= self._window:
            self._first = at
            self._buckets = [0.0] * len(self._buckets)
            self._total = 0.0
        else:
            for skipped in range(self._last + 1, at + 1):
                index = skipped % len(self._buckets)
                self._total -= self._buckets[index]
                self._buckets[index] = 0.0
        self._last = at

    def is_empty(self, now_ns: int) -> bool:
        """Tell whether nothing was recorded for longer than the window."""
        at = now_ns // self._granularity
        return self._last is None or self._span(at, self._last) > self._window

    def average(self, now_ns: int) -> float:
        """Give the average per bucket over the window that ends now."""
        at = now_ns // self._granularity
        if self._algorithm == LINEAR:
            return self._linear(at)
        return self._weighted(at)

    def _linear(self, at: int) -> float:
        if self._last is None or self._first is None:
            return 0.0
        buckets = len(self._buckets)
        written = self._last - self._first + 1
        if at <= self._last:
            return round_half_away(self._total / min(written, buckets))
        if self._span(at, self._last) >= self._window:
            return 0.0
        total = self._total
        for gone in range(self._last + 1, at + 1):
            total -= self._buckets[gone % buckets]
        return round_half_away(total / min(written, buckets - (at - self._last)))

    def _weighted(self, at: int) -> float:
        if self._last is None or self._span(at, self._last) > self._window:
            return 0.0
        buckets = len(self._buckets)
        coefficient = max(1 - math.pow(1 - WEIGHT_PRECISION, 1 / buckets), MIN_DECAY)
        multiplier, seen = coefficient, buckets
        if at > self._last:
            multiplier *= math.pow(1 - coefficient, float(at - self._last))
            seen -= at - self._last
        result = 0.0
        for back in range(seen):
            result += self._buckets[(self._last - back) % buckets] * multiplier
            multiplier *= 1 - coefficient
        return result

    def resize(self, now_ns: int, window_ns: int) -> None:
        """Change the window; the newest buckets that fit are kept."""
        if window_ns <= 0:
            raise ValueError("window must be positive")
        if window_ns == self._window:
            return
        old, new = self._buckets, [0.0] * -(-window_ns // self._granularity)
        total = 0.0
        if self._last is not None and not self.is_empty(now_ns):
            for back in range(min(len(old), len(new))):
                kept = self._last - back
                new[kept % len(new)] = old[kept % len(old)]
                total += old[kept % len(old)]
            # As Knative has it: the earliest time the old window could have been written.
            self._first = self._last - (len(old) - 1)
        else:
            self._first = None
        self._window, self._buckets, self._total = window_ns, new, total


@dataclass(frozen=True, slots=True)
class Averages:
    """Stable and panic average of one metric at one time."""

    stable: float
    panic: float


class MetricWindows:
    """The stable and the panic window of one revision; both hold the same samples.

    source  pkg/autoscaler/metrics/collector.go, collection
    """

    def __init__(self, stable_ns: int, panic_ns: int, algorithm: str = LINEAR) -> None:
        self._stable = BucketedWindow(stable_ns, algorithm=algorithm)
        self._panic = BucketedWindow(panic_ns, algorithm=algorithm)

    def record(self, now_ns: int, value: float) -> None:
        """Add one second's value of the whole revision (several reports of a second add up)."""
        self._stable.record(now_ns, value)
        self._panic.record(now_ns, value)

    def averages(self, now_ns: int, *, empty_is_zero: bool) -> Averages | None:
        """Give both averages, None for "no data, no decision".

        empty_is_zero  nothing is scraped (target burst capacity -1), so silence means no requests
        """
        empty = self._stable.is_empty(now_ns) and self._panic.is_empty(now_ns)
        if empty and not empty_is_zero:
            return None
        return Averages(self._stable.average(now_ns), self._panic.average(now_ns))


class DelayWindow:
    """The largest value of the last `ceil(delay / tick)` ticks.

    source  pkg/autoscaler/aggregation/max/window.go ("ascending minima")
    """

    def __init__(self, delay_ns: int, tick_ns: int = TICK_NS) -> None:
        self._tick = tick_ns
        self._size = -(-delay_ns // tick_ns)
        self._descending: deque[tuple[int, int]] = deque()

    def record(self, now_ns: int, value: int) -> None:
        """Add a value at its tick; time must not run backwards."""
        index, kept = now_ns // self._tick, self._descending
        while kept and value >= kept[-1][1]:
            kept.pop()
        while kept and index - kept[0][0] >= self._size:
            kept.popleft()
        if kept and kept[-1][0] == index:
            # Two decisions in one tick: the larger one, which is already there, stands.
            return
        kept.append((index, value))

    def current(self) -> int:
        """Give the maximum; only after something was recorded."""
        return self._descending[0][1]
