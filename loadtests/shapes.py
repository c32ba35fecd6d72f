"""When requests are to be sent: the rate over time, and the moments that follow from it. Pure.

A load is open: requests arrive when they arrive, whether or not those before are answered.
"""

import math
from collections.abc import Iterator
from typing import Annotated, Final, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from loadtests.units import Duration

MOST_RATE: Final = 1_000_000.0
MOST_S: Final = 86_400.0
MOST_STEPS: Final = 200
AT_A_TIME: Final = 4096

Rate = Annotated[float, Field(strict=True, gt=0, le=MOST_RATE)]
Span = Annotated[Duration, Field(gt=0, le=MOST_S)]
Arrivals = Literal["poisson", "constant"]


class Phase(NamedTuple):
    """A stretch of a test in which the rate is a straight line.

    start, end  requests a second at its beginning and its end
    """

    name: str
    seconds: float
    start: float
    end: float

    @property
    def requests(self) -> float:
        """Requests that are expected."""
        return self.seconds * (self.start + self.end) / 2


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Steady(_Shape):
    """One rate all the time."""

    kind: Literal["steady"] = "steady"
    rate: Rate
    duration: Span = 60.0

    def phases(self) -> tuple[Phase, ...]:
        """Give the stretches in their order."""
        return (Phase("steady", self.duration, self.rate, self.rate),)


class Soak(_Shape):
    """One rate for long, to see whether what is served gets slower with time."""

    kind: Literal["soak"] = "soak"
    rate: Rate
    duration: Span = 3600.0

    def phases(self) -> tuple[Phase, ...]:
        """Give the stretches in their order: first and last tenth apart, to be compared."""
        tenth, rate = self.duration / 10, self.rate
        return (
            Phase("first tenth", tenth, rate, rate),
            Phase("between", 8 * tenth, rate, rate),
            Phase("last tenth", tenth, rate, rate),
        )


class Ramp(_Shape):
    """From one rate to another in a straight line."""

    kind: Literal["ramp"] = "ramp"
    start: Rate = 1.0
    rate: Rate
    duration: Span = 60.0

    def phases(self) -> tuple[Phase, ...]:
        """Give the stretches in their order."""
        return (Phase("ramp", self.duration, self.start, self.rate),)


class Spike(_Shape):
    """A rate that suddenly becomes another and falls back, once or several times.

    rest  before, between and after peaks, at `rate`
    """

    kind: Literal["spike"] = "spike"
    rate: Rate
    peak: Rate
    duration: Span = 20.0
    rest: Span = 10.0
    times: Annotated[int, Field(strict=True, ge=1, le=100)] = 1

    def phases(self) -> tuple[Phase, ...]:
        """Give the stretches in their order."""
        rest = Phase("rest", self.rest, self.rate, self.rate)
        peak = Phase("peak", self.duration, self.peak, self.peak)
        return (*((rest, peak) * self.times), rest)


class Knee(_Shape):
    """Rates that grow step by step until the objectives, or the server, do not hold any more."""

    kind: Literal["knee"] = "knee"
    start: Rate = 50.0
    factor: Annotated[float, Field(strict=True, gt=1, le=10)] = 1.5
    step: Span = 10.0
    most: Rate = 100_000.0

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        if self._steps > MOST_STEPS:
            raise ValueError(
                f"from {self.start:g} to {self.most:g} by {self.factor!r} takes {self._steps:.2g} "
                f"steps, of {MOST_STEPS} at most: take a larger factor, or a range that is less"
            )
        return self

    @property
    def _steps(self) -> int:
        # Not the logarithm of the ratio, which may be too large for a number.
        doublings = math.log2(self.most) - math.log2(self.start)
        return 1 + max(0, math.floor(doublings / math.log2(self.factor) + 1e-9))

    def phases(self) -> tuple[Phase, ...]:
        """Give the stretches in their order; the test ends behind the first that does not hold."""
        rates = [self.start * self.factor**step for step in range(self._steps)]
        return tuple(Phase(f"step {i}", self.step, rate, rate) for i, rate in enumerate(rates, 1))


class Wake(_Shape):
    """Bursts for an endpoint at zero: each waits until nothing runs, then all are sent at once.

    zero_within  how long one waits for zero before the test is given up
    """

    kind: Literal["wake"] = "wake"
    burst: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 20
    times: Annotated[int, Field(strict=True, ge=1, le=1000)] = 6
    zero_within: Span = 180.0

    def phases(self) -> tuple[Phase, ...]:
        """Give none: what comes when depends on the endpoint."""
        return ()


Shape = Annotated[
    Steady | Soak | Ramp | Spike | Knee | Wake,
    Field(discriminator="kind"),
]


def at(phases: tuple[Phase, ...], moment: float) -> int:
    """Give the place of the phase that a moment (seconds from the start) is in, or the last."""
    for place, phase in enumerate(phases):
        if moment < phase.seconds:
            return place
        moment -= phase.seconds
    return len(phases) - 1


def expected(phases: tuple[Phase, ...], begin: float, end: float) -> float:
    """Give the requests that are expected between two moments."""
    total = start = 0.0
    for phase in phases:
        low, high = max(begin - start, 0.0), min(end - start, phase.seconds)
        if high > low:
            slope = (phase.end - phase.start) / phase.seconds
            total += (high - low) * (phase.start + slope * (low + high) / 2)
        start += phase.seconds
    return total


def moments(
    phases: tuple[Phase, ...],
    arrivals: Arrivals,
    *,
    worker: int = 0,
    workers: int = 1,
    seed: int = 1,
) -> Iterator[NDArray[np.float64]]:
    """Give the moments of arrival, some thousands at a time, in seconds from the start.

    worker, workers  the part of one of several: their arrivals together are those of one alone
    source           an inhomogeneous process is a homogeneous one of rate 1 whose time is mapped
                     through the inverse of the expected count (Çinlar, 1975)
    """
    random = np.random.default_rng((seed, worker))
    count = 0.0 if arrivals == "poisson" else (worker + 0.5) / workers - 1.0
    ends = np.cumsum([phase.requests / workers for phase in phases])
    starts = np.cumsum([0.0, *(phase.seconds for phase in phases)])
    while True:
        if arrivals == "poisson":
            counts = count + np.cumsum(random.exponential(1.0, AT_A_TIME))
        else:
            counts = count + np.arange(1.0, AT_A_TIME + 1)
        count = float(counts[-1])
        counts = counts[counts < ends[-1]] if len(ends) else counts[:0]
        places = np.searchsorted(ends, counts, side="right")
        found = np.empty(len(counts))
        for place in np.unique(places):
            here = places == place
            before = ends[place - 1] if place else 0.0
            passed = _inverse(phases[place], counts[here] - before, workers)
            found[here] = starts[place] + passed
        if len(found):
            yield found
        if len(counts) < AT_A_TIME:
            return


def _inverse(phase: Phase, counts: NDArray[np.float64], workers: int) -> NDArray[np.float64]:
    """Give when, from the start of a phase, so many requests are expected to have come."""
    start = phase.start / workers
    slope = (phase.end - phase.start) / phase.seconds / workers
    return 2 * counts / (start + np.sqrt(start * start + 2 * slope * counts))
