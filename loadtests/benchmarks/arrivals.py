"""Open-loop load: requests arrive when they arrive, whether or not those before are answered.

A latency counts from the moment of arrival, so that what waits for a free connection, or for us, is
late as it would be for a caller. Arrivals are Poisson's. The loop never sleeps: the core is ours.
"""

import select
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from loadtests.benchmarks.load import Link, LoadFailed, Request, begin, links, step
from loadtests.benchmarks.measuring import LOAD_CORE, pinned

AT_A_TIME: Final = 4096  # arrivals drawn, latencies booked
LATE_S: Final = 10.0  # behind the schedule, or without any answer: the server cannot keep up
WAITED_S: Final = 0.005
STEPS: Final = 230  # a decade, so about 1 % each
DECADES: Final = 8  # from a microsecond


@dataclass(slots=True)
class Latencies:
    """How many took how long, in steps of 1 %."""

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(STEPS * DECADES, np.int64))

    def add(self, seconds: list[float]) -> None:
        """Book some."""
        micros = np.maximum(1e6 * np.asarray(seconds), 1.0)
        steps = np.minimum((STEPS * np.log10(micros)).astype(np.int64), len(self.counts) - 1)
        self.counts += np.bincount(steps, minlength=len(self.counts))

    @property
    def total(self) -> int:
        """All of them."""
        return int(self.counts.sum())

    def quantile_us(self, share: float) -> float:
        """Give what this share of all did not exceed."""
        at = np.searchsorted(np.cumsum(self.counts), share * self.counts.sum(), side="left")
        return float(10 ** ((int(at) + 0.5) / STEPS))


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of a soak, or what the last one had."""

    requests: int
    p50_us: float
    p99_us: float


class Soak:
    """So many requests a second, for so long."""

    def __init__(
        self, rate: float, seconds: float, each_minute: Callable[[Minute], None] = lambda _: None
    ) -> None:
        self.latencies, self.minutes = Latencies(), list[Minute]()
        self._rate, self._seconds, self._each_minute = rate, seconds, each_minute
        self._minute, self._booked = Latencies(), list[float]()
        self._free: deque[Link] = deque()
        self._answered = 0.0
        self.waited = 0  # arrivals that found no free connection for a while

    def run(self, request: Request, connections: int) -> None:
        """Load a server; raises LoadFailed where requests pile up."""
        clock = time.perf_counter
        with pinned(LOAD_CORE), links(request, connections) as (poll, opened):
            free = self._free
            free.extend(opened.values())
            start = self._answered = clock()
            schedule, end, minute = Schedule(self._rate, start), start + self._seconds, start + 60
            due = schedule.next()
            while due < end or len(free) < connections:
                now = clock()
                while due <= now and due < end and free:
                    begin(poll, free.popleft(), due)
                    self.waited += now - due > WAITED_S
                    due = schedule.next()
                self._read(poll, opened)
                if now >= minute:
                    self._book(ends=True)
                    minute += 60
                self._check(now, min(due, end), connections)
        self._book(ends=True)

    def _read(self, poll: select.epoll, opened: dict[int, Link]) -> None:
        for descriptor, events in poll.poll(0):
            link = opened[descriptor]
            if step(poll, link, events):
                self._answered = time.perf_counter()
                self._booked.append(self._answered - link.began)
                self._free.append(link)
        if len(self._booked) >= AT_A_TIME:
            self._book(ends=False)

    def _book(self, *, ends: bool) -> None:
        """Count what is answered; at the end of a minute tell of it."""
        self.latencies.add(self._booked)
        self._minute.add(self._booked)
        self._booked.clear()
        if ends and self._minute.total:
            of, self._minute = self._minute, Latencies()
            self.minutes.append(Minute(of.total, of.quantile_us(0.5), of.quantile_us(0.99)))
            self._each_minute(self.minutes[-1])

    def _check(self, now: float, due: float, connections: int) -> None:
        silent = len(self._free) < connections and now - self._answered > LATE_S
        if silent or now - due > LATE_S:
            raise LoadFailed(f"the server does not keep up with {self._rate:,.0f} requests/s")


class Schedule:
    """Moments of arrival, drawn a few thousand at a time."""

    def __init__(self, rate: float, start: float) -> None:
        self._random, self._rate, self._last = np.random.default_rng(1), rate, start
        self._moments: list[float] = []

    def next(self) -> float:
        """Give the next."""
        if not self._moments:
            gaps = self._random.exponential(1 / self._rate, size=AT_A_TIME)
            drawn = self._last + np.cumsum(gaps)
            self._last = float(drawn[-1])
            self._moments = drawn[::-1].tolist()
        return self._moments.pop()
