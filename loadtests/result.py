"""What a load test leaves: one document, of which reports are made and that others compare with."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from loadtests.slo import Outcome, Verdict


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Latencies(_Part):
    """Quantiles in seconds, with the bounds of their 95 % confidence; None: there is no such."""

    name: str
    seconds: float | None
    low: float | None
    high: float | None


class Totals(_Part):
    """Sums of the whole test.

    in_time  answered well before the load ended
    missed   the generator came to them late; `queued`: they found no free connection
    rate     requests a second that were to be sent
    """

    seconds: float
    rate: float
    sent: int
    good: int
    in_time: int
    missed: int
    queued: int
    errors: dict[str, int]
    latencies: list[Latencies]
    mean: float | None


class Point(_Part):
    """An interval of the test: rates a second, quantiles in seconds, shares of one."""

    at: float
    wanted: float
    sent: float
    good: float
    bad: float
    p50: float | None
    p95: float | None
    p99: float | None
    busy: float


class PhaseResult(_Part):
    """A stretch of the test.

    concurrency  requests that were in flight on average: those sent, times how long they took
                 (Little's law)
    holds        of `knee`, whether the objectives held in it; `limited`: why it was the generator
                 that did not hold
    """

    name: str
    begin: float
    end: float
    start_rate: float
    end_rate: float
    sent: int
    good: int
    p50: float | None
    p95: float | None
    p99: float | None
    concurrency: float | None = None
    holds: bool | None = None
    because: str | None = None
    limited: list[str] = []


class Scale(_Part):
    """What the control plane told at a moment, in seconds from the start of the test."""

    at: float
    ready: int
    desired: int
    concurrency: float


class Decided(_Part):
    """One decision of the autoscaler, seconds from the start of the test.

    stable, panic  the averages it decided from, with `ready` replicas
    desired        what it decided; `recomputed`: what Knative's decides from the same
    bounded        that, held to the endpoint's bounds; `wanted`: what the platform made of it
    """

    at: float
    ready: int
    stable: float
    panic: float
    panicking: bool
    desired: int
    recomputed: int
    bounded: int
    wanted: int


class Autoscaling(_Part):
    """What the autoscaler decided, and what comes of it when decided again.

    sampled      it was read from outside: a tick of two seconds may lie between
    differing    moments of decisions that are another than what was recomputed
    seen         looks at the replicas that were wanted, shortly after a decision that is known;
                 `unexplained`: moments of those that no recomputed decision explains
    """

    sampled: bool
    decisions: list[Decided]
    differing: list[float]
    seen: int
    unexplained: list[float]


class ScaleUp(_Part):
    """More replicas: from when the load rose until all were ready; None: not in time."""

    at: float
    before: int
    after: int
    seconds: float | None


class Woken(_Part):
    """A burst for an endpoint at zero: seconds until its first, its median and its last answer."""

    at: float
    requests: int
    good: int
    first: float | None
    median: float | None
    last: float | None


class Started(_Part):
    """A start from nothing as the platform told it, in milliseconds by phase."""

    at: datetime
    total_ms: float
    phases_ms: dict[str, float]


class Generated(_Part):
    """How the load was made. `limited`: why the generator was the limit, if it was."""

    processes: int
    busy: float
    missed_share: float
    missed_after: float
    limited: list[str]


class Result(_Part):
    """A load test, done.

    verdict   on all objectives; None: there were none
    cut       why it ended before its end
    knee      the greatest rate that held, of a `knee`
    counts    the latencies as [step, count], see `loadtests.histogram`
    """

    format: Literal[1] = 1
    endpoint: str
    endpoint_id: str
    plan: dict[str, Any]
    rows_from: str
    started_at: datetime
    verdict: Outcome | None
    verdicts: list[Verdict]
    cut: str | None
    knee: float | None
    totals: Totals
    counts: list[list[int]]
    points: list[Point]
    phases: list[PhaseResult]
    scale: list[Scale]
    scale_ups: list[ScaleUp]
    autoscaling: Autoscaling | None = None
    wakes: list[Woken]
    cold_starts: list[Started]
    generated: Generated
    environment: dict[str, str]
    notes: list[str]
