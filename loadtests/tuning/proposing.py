"""From what tests measured of one replica to an endpoint's settings, each with its reason. Pure."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from loadtests.intervals import Z, samples_needed
from loadtests.reports.words import figure, time
from loadtests.slo import QUANTILES, Objectives, Verdict

# Below so many requests in flight at the knee, their number says too little: one slow client more
# or less would be another replica.
FEW_IN_FLIGHT: Final = 2.0
MOST_CONCURRENCY: Final = 1000  # the API takes no more
MOST_REPLICAS: Final = 100
LEAST_TARGET: Final = 0.01
CPU_STEP_MILLIS: Final = 50
# Errors are asked for where nobody did: a replica that refuses is not fast, it is too small.
ERRORS: Final = 0.01
SAMPLES: Final = 4  # times those that bound a quantile at all: they leave room for a verdict
LEAST_STEPS: Final = 3  # of the search, that the test of a proposal lasts
MOST_S: Final = 600.0
MOST_STEP_S: Final = 60.0


class Step(BaseModel):
    """One replica under a steady rate.

    rate         requests a second that were to be sent
    throughput   that were answered well
    in_flight    on average: as the autoscaler counts them, where it tells, else by Little's law
    p50 .. p99   seconds
    limited      why the generator was the limit; nothing: it was not
    """

    model_config = ConfigDict(frozen=True)

    rate: float
    throughput: float
    in_flight: float
    p50: float | None
    p95: float | None
    p99: float | None
    holds: bool
    because: str
    limited: tuple[str, ...] = ()


class Knee(NamedTuple):
    """Where a replica stops to hold.

    step     the greatest rate that held, with none below it that did not
    beyond   the least rate above it that did not hold; None: all that were tried held
    """

    step: Step
    beyond: Step | None


def knee(steps: Sequence[Step]) -> Knee | None:
    """Find the knee among the steps of some searches; None: no rate held."""
    failed = min((one for one in steps if not one.holds), key=lambda one: one.rate, default=None)
    held = [one for one in steps if one.holds and (failed is None or one.rate < failed.rate)]
    if not held:
        return None
    return Knee(max(held, key=lambda one: one.rate), failed)


class Now(NamedTuple):
    """Settings of the endpoint as it is."""

    container_concurrency: int
    metric: str
    target: float | None
    utilization_percentage: float
    min_scale: int
    max_scale: int


class Measured(NamedTuple):
    """All that a proposal is made of.

    steps       of one replica, in whatever order
    cold_start  the verdict on it: its median against what is allowed (`cold_start_limit`)
    cpu_us      processor time of a request; None: it was not measured
    """

    steps: Sequence[Step]
    cold_start: Verdict
    cpu_us: float | None


class Change(BaseModel):
    """A setting: as it is, as it is proposed, and why. `applies`: it is an endpoint's to set."""

    model_config = ConfigDict(frozen=True)

    setting: str
    now: str
    proposed: str
    because: str
    applies: bool = True


class Proposal(BaseModel):
    """Settings for an endpoint.

    rate       requests a second that the autoscaler gives one replica by them
    in_flight  on average, at that rate
    """

    model_config = ConfigDict(frozen=True)

    container_concurrency: int
    metric: str
    target: float
    min_scale: int
    max_scale: int
    cpu_millis: int | None
    rate: float
    in_flight: float
    changes: list[Change]

    @property
    def scaling(self) -> dict[str, object]:
        """Give them as a release takes them."""
        names = ("metric", "target", "min_scale", "max_scale")
        return {name: getattr(self, name) for name in names}


def cold_start_limit(objectives: Objectives) -> float:
    """Give the seconds within which a first answer after zero must come, to keep nobody warm.

    What is promised of it; else what is promised of latency, of the most requests.
    """
    if objectives.cold_start is not None:
        return objectives.cold_start
    return max(objectives.latencies.items(), key=lambda one: QUANTILES[one[0]])[1]


def propose(measured: Measured, objectives: Objectives, now: Now, metric: str | None) -> Proposal:
    """Size an endpoint by the knee of one replica, which must be there.

    metric  that the autoscaler is to count by; None: requests in flight where they say enough
    """
    found = knee(measured.steps)
    if found is None:
        raise ValueError("no rate held")
    top = found.step
    share = now.utilization_percentage / 100
    counted = metric or ("rps" if top.in_flight < FEW_IN_FLIGHT else "concurrency")
    if counted == "rps":
        target, rate = float(math.floor(top.rate) or top.rate), top.rate * share
    else:
        target = max(LEAST_TARGET, _rounded(top.in_flight))
        rate = min(top.rate, _rate_at(measured.steps, top, top.in_flight * share))
    limit_name, limit = min(objectives.latencies.items(), key=lambda one: -QUANTILES[one[0]])
    reached = found.beyond is not None and not found.beyond.limited
    # Of a replica that could take more nobody knows how many are too many.
    hard = max(math.ceil(2 * top.in_flight), math.floor(top.rate * limit), 1)
    hard = min(MOST_CONCURRENCY, hard) if reached else now.container_concurrency
    if counted == "concurrency" and hard:
        target = min(target, float(hard))
    warm = 0 if measured.cold_start.outcome == "passed" else max(1, now.min_scale)
    needed = _replicas(objectives, rate)
    most = max(now.max_scale, needed, warm)
    cpu = _cpu_millis(measured.cpu_us, rate)
    knee_said = (
        f"one replica holds up to {figure(top.rate, '1/s')} with {top.in_flight:.3g} requests in "
        "flight on average" + ("" if found.beyond is None else f"; {_beyond(found.beyond)}")
    )
    aims = f"the autoscaler aims at {share:.0%} of it: {figure(rate, '1/s')} for a replica"
    in_flight = (
        f"in flight, less than {FEW_IN_FLIGHT:g}, are too few to count by"
        if top.in_flight < FEW_IN_FLIGHT
        else "in flight say how busy it is, whatever a request costs"
    )
    asked = "as it was asked" if metric else f"{top.in_flight:.3g} {in_flight}"
    changes = [
        Change(
            setting="container_concurrency", now=_of(now.container_concurrency), proposed=_of(hard),
            because=f"at {figure(top.rate, '1/s')} the last of more requests would be answered"
            f" after more than {limit_name}'s {time(limit)}"
            if reached
            else "as it is: a replica may take more than was tried",
        ),
        Change(setting="metric", now=now.metric, proposed=counted, because=asked),
        Change(
            setting="target", now="default" if now.target is None else f"{now.target:g}",
            proposed=f"{target:g}", because=f"{knee_said}; {aims}",
        ),
        Change(
            setting="min_scale", now=f"{now.min_scale}", proposed=f"{warm}",
            because=_warm_because(measured.cold_start, objectives),
        ),
        Change(
            setting="max_scale", now=f"{now.max_scale}", proposed=f"{most}",
            because=f"{needed} replicas for {figure(objectives.throughput, '1/s')}"
            if objectives.throughput is not None
            else f"as it is; together they take {figure(most * rate, '1/s')}",
        ),
        Change(
            setting="cpu", now="the installation's", applies=False,
            proposed="-" if cpu is None else f"{cpu}m",
            because="it could not be measured" if measured.cpu_us is None
            else f"a request takes {measured.cpu_us:.3g} µs of processor time, at"
            f" {figure(rate, '1/s')}; for who sizes nodes, since no endpoint sets it",
        ),
    ]  # fmt: skip
    return Proposal(
        container_concurrency=hard,
        metric=counted,
        target=target,
        min_scale=warm,
        max_scale=min(most, MOST_REPLICAS),
        cpu_millis=cpu,
        rate=rate,
        in_flight=top.in_flight * rate / top.rate if counted == "rps" else top.in_flight * share,
        changes=changes,
    )


def to_prove(proposal: Proposal, objectives: Objectives) -> Objectives:
    """Give what the test of a proposal asks: of answers what is promised, and that it keeps up."""
    asked = objectives.of_answers
    errors = ERRORS if asked.error_rate is None else asked.error_rate
    return asked.model_copy(update={"error_rate": errors, "throughput": proposal.rate})


def lasts_s(asked: Objectives, rate: float, step_s: float) -> float:
    """Give the seconds of that test: as many as its verdicts take."""
    samples = [SAMPLES * samples_needed(QUANTILES[name]) for name in asked.latencies]
    if asked.error_rate:
        # Without an error, Wilson's upper bound of n is z² / (n + z²).
        samples.append(math.ceil(2 * Z * Z / asked.error_rate))
    needed = max(samples, default=0) / rate
    return min(MOST_S, max(LEAST_STEPS * step_s, needed))


def step_s(objectives: Objectives, rate: float, least_s: float) -> float:
    """Give the seconds of a search's steps: what too few answers say nothing of would hold."""
    needed = max(samples_needed(QUANTILES[name]) for name in objectives.latencies)
    return max(least_s, min(MOST_STEP_S, needed / rate))


def _rate_at(steps: Sequence[Step], top: Step, in_flight: float) -> float:
    """Give the rate at which so many are in flight, between the steps that held."""
    held = sorted(
        {one.rate: one.in_flight for one in steps if one.holds and one.rate <= top.rate}.items()
    )
    low_rate, low = 0.0, 0.0
    for rate, busy in held:
        if busy >= in_flight > low:
            return low_rate + (rate - low_rate) * (in_flight - low) / (busy - low)
        if busy > low:
            low_rate, low = rate, busy
    return top.rate


def _replicas(objectives: Objectives, rate: float) -> int:
    return 1 if objectives.throughput is None else math.ceil(objectives.throughput / rate)


def _cpu_millis(cpu_us: float | None, rate: float) -> int | None:
    if cpu_us is None:
        return None
    return CPU_STEP_MILLIS * max(1, math.ceil(cpu_us * rate / 1000 / CPU_STEP_MILLIS))


def _warm_because(cold: Verdict, objectives: Objectives) -> str:
    what = "cold start" if objectives.cold_start is not None else "latency"
    took = "none was measured" if cold.measured is None else f"its median is {time(cold.measured)}"
    said = f"a first answer after zero must come within {time(cold.limit)} ({what}); {took}"
    return said if cold.outcome == "passed" else f"{said}, {cold.outcome}: {cold.because}"


def _beyond(step: Step) -> str:
    return f"at {figure(step.rate, '1/s')} it does not ({step.because})"


def _of(limit: int) -> str:
    return "no limit" if limit == 0 else f"{limit}"


def _rounded(value: float) -> float:
    """Round to two digits."""
    return float(f"{value:.2g}")
