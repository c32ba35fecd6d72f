"""Objectives, and whether a test showed that they hold: passed, failed or inconclusive. Pure.

They are what endpoints promise (`kubeserve slo`), rollouts hold candidates to and load tests judge.

A verdict is inconclusive where samples are too few to tell, where the generator was the limit, and
where what is asked about did not happen. It is never passed then.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from loadtests.histogram import Counts, quantile_s, ranked_s
from loadtests.intervals import (
    CONFIDENCE,
    quantile_ranks,
    samples_needed,
    share_interval,
)
from loadtests.units import Duration, Share, duration

Limit = Annotated[Duration, Field(gt=0, le=86_400)]
# An arrival rate is a draw: what keeps up with 200/s answers 199.4 in one test, 200.9 in another.
RATE_TOLERANCE: Final = 0.01

QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


class Objectives(BaseModel):
    """What is asked of an endpoint, its service level objectives; what is None is not.

    p50 … p999  latency from when a request should have been sent until its answer is whole
    error_rate  share of requests that were not answered well
    throughput  requests a second that are answered well, at least
    cold_start  median of the first answers after nothing ran (`wake`)
    scale_up    median time from a peak's begin until all replicas are there (`spike`)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    p50: Limit | None = None
    p90: Limit | None = None
    p95: Limit | None = None
    p99: Limit | None = None
    p999: Limit | None = None
    error_rate: Share | None = None
    throughput: Annotated[float, Field(strict=True, gt=0, le=1e6)] | None = None
    cold_start: Limit | None = None
    scale_up: Limit | None = None

    @property
    def latencies(self) -> dict[str, float]:
        """Give the limits of quantiles, in seconds."""
        limits = {name: getattr(self, name) for name in QUANTILES}
        return {name: limit for name, limit in limits.items() if limit is not None}

    def only(self, names: Iterable[str]) -> "Objectives":
        """Give those of these names."""
        return Objectives.model_construct(**{name: getattr(self, name) for name in names})

    @property
    def of_answers(self) -> "Objectives":
        """Give those that each answer tells of: latency and errors."""
        return self.only((*QUANTILES, "error_rate"))

    def to_json(self) -> dict[str, Any]:
        """Give what `objectives_from` reads; what is not asked is left out."""
        return self.model_dump(mode="json", exclude_none=True)


def objectives_from(document: Mapping[str, Any] | None) -> Objectives | None:
    """Read what is kept in a row; None: nothing is asked."""
    return Objectives.model_validate(dict(map(_now_named, document.items()))) if document else None


def _now_named(item: tuple[str, Any]) -> tuple[str, Any]:
    """Read what older rows hold too: `p99_ms`, a number."""
    name, value = item
    return (name[:-3], duration(value / 1000)) if name.endswith("_ms") else item


class Outcome(StrEnum):
    """How a verdict ends."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


class Verdict(BaseModel):
    """What a test says of one objective.

    unit       of limit, measured, low and high: `s`, `share` or `1/s`
    low, high  95 % confidence interval of what was measured; None: not bounded on that side
    margin     how far within (positive) or beyond (negative) the limit it is, as a share of it
    because    in a sentence
    """

    model_config = ConfigDict(frozen=True)

    objective: str
    outcome: Outcome
    unit: Literal["s", "share", "1/s"]
    limit: float
    measured: float | None
    low: float | None
    high: float | None
    samples: int
    margin: float | None
    because: str


class Evidence(NamedTuple):
    """What a test measured.

    latency    from when requests should have been sent; timed out ones with the time they waited
    service    the same from when they were sent
    sent       requests, of which `good` were answered well, `in_time` before the load ended
    rate       requests a second that were to be sent
    wakes      seconds until the first answer, each time that nothing ran
    scale_ups  seconds until all replicas were there, each time that more were wanted
    limited    why the generator, not the server, was the limit; empty: it was not
    cut        why the test ended before its end
    """

    latency: Counts
    service: Counts
    sent: int
    good: int
    in_time: int
    rate: float
    wakes: tuple[float, ...] = ()
    scale_ups: tuple[float, ...] = ()
    limited: tuple[str, ...] = ()
    cut: str | None = None


def judge(objectives: Objectives, seen: Evidence) -> tuple[Verdict, ...]:
    """Give a verdict on each objective."""
    found = [_latency(name, limit, seen) for name, limit in objectives.latencies.items()]
    if objectives.error_rate is not None:
        found.append(_errors(objectives.error_rate, seen))
    if objectives.throughput is not None:
        found.append(_throughput(objectives.throughput, seen))
    if objectives.cold_start is not None:
        found.append(_median("cold_start", objectives.cold_start, seen.wakes))
    if objectives.scale_up is not None:
        found.append(_median("scale_up", objectives.scale_up, seen.scale_ups))
    return tuple(_never_passed(verdict, seen) for verdict in found)


def overall(verdicts: tuple[Verdict, ...]) -> Outcome | None:
    """Give the verdict on all: one that failed fails it; None: nothing was asked."""
    outcomes = {verdict.outcome for verdict in verdicts}
    for worst in (Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.PASSED):
        if worst in outcomes:
            return worst
    return None


def _never_passed(verdict: Verdict, seen: Evidence) -> Verdict:
    """A load that was not the one asked for, or not all of it, proves nothing good."""
    reasons = [*seen.limited, *([seen.cut] if seen.cut else [])]
    if verdict.outcome is not Outcome.PASSED or not reasons:
        return verdict
    return verdict.model_copy(
        update={"outcome": Outcome.INCONCLUSIVE, "because": "; ".join(reasons)}
    )


def _latency(name: str, limit: float, seen: Evidence) -> Verdict:
    share, samples = QUANTILES[name], int(seen.latency.sum())
    low, high = bounds_s(seen.latency, share)
    measured = quantile_s(seen.latency, share)
    verdict = _compared(name, "s", limit, measured, (low, high), samples)
    if high is None and verdict.outcome is Outcome.INCONCLUSIVE:
        needed = samples_needed(share)
        because = f"{samples} answers; {name} is not bounded by fewer than {needed}"
        return verdict.model_copy(update={"because": because})
    if verdict.outcome is Outcome.FAILED:
        return _server_or_us(verdict, limit, share, seen)
    return verdict


def _server_or_us(verdict: Verdict, limit: float, share: float, seen: Evidence) -> Verdict:
    """Latencies that are beyond the limit only by what we sent late do not show a slow server."""
    low, _ = bounds_s(seen.service, share)
    if low is not None and low > limit and not seen.limited:
        return verdict
    late = "counted from when requests were sent, it is not beyond the limit"
    because = "; ".join(seen.limited or (late,))
    return verdict.model_copy(update={"outcome": Outcome.INCONCLUSIVE, "because": because})


def bounds_s(counts: Counts, share: float) -> tuple[float | None, float | None]:
    """Give the 95 % confidence interval of a quantile, in seconds; None: not bounded."""
    low, high = quantile_ranks(int(counts.sum()), share)
    return (
        None if low is None else ranked_s(counts, low),
        None if high is None else ranked_s(counts, high),
    )


def _errors(limit: float, seen: Evidence) -> Verdict:
    bad = seen.sent - seen.good
    low, high = share_interval(bad, seen.sent)
    measured = bad / seen.sent if seen.sent else None
    verdict = _compared("error_rate", "share", limit, measured, (low, high), seen.sent)
    if limit == 0 and bad == 0 and seen.sent:
        # No number of samples proves it: what is asked is that none was seen.
        seen_none = {"outcome": Outcome.PASSED, "because": "no error was seen"}
        return verdict.model_copy(update=seen_none)
    return verdict


def _throughput(limit: float, seen: Evidence) -> Verdict:
    """Judge by the share that was answered well in time, of the rate that was to be sent."""
    low, high = (seen.rate * share for share in share_interval(seen.in_time, seen.sent))
    measured = seen.rate * seen.in_time / seen.sent if seen.sent else None
    bound = limit * (1 - RATE_TOLERANCE)
    if seen.rate < bound:
        outcome, because = Outcome.INCONCLUSIVE, f"no more than {seen.rate:.6g}/s were to be sent"
    elif low >= bound:
        outcome, because = Outcome.PASSED, "answered well before the load ended"
    elif high < bound:
        outcome, because = Outcome.FAILED, "the server did not keep up"
    else:
        outcome, because = Outcome.INCONCLUSIVE, _close(seen.sent)
    if outcome is Outcome.FAILED and seen.limited:
        outcome, because = Outcome.INCONCLUSIVE, "; ".join(seen.limited)
    return Verdict(
        objective="throughput", outcome=outcome, unit="1/s", limit=limit, measured=measured,
        low=low, high=high, samples=seen.sent, because=because,
        margin=None if measured is None else measured / limit - 1,
    )  # fmt: skip


def _median(name: str, limit: float, values: tuple[float, ...]) -> Verdict:
    """Judge the median of a few durations by their order statistics."""
    ordered = sorted(values)
    low, high = quantile_ranks(len(ordered), 0.5)
    measured = ordered[(len(ordered) - 1) // 2] if ordered else None
    verdict = _compared(
        name, "s", limit, measured,
        (ordered[low - 1] if low else None, ordered[high - 1] if high else None), len(ordered),
    )  # fmt: skip
    needed = samples_needed(0.5)
    if len(ordered) < needed:
        because = f"{len(ordered)} samples; a median is not bounded by fewer than {needed}"
        return verdict.model_copy(update={"because": because})
    return verdict


def _compared(
    name: str,
    unit: Literal["s", "share"],
    limit: float,
    measured: float | None,
    bounds: tuple[float | None, float | None],
    samples: int,
) -> Verdict:
    """Judge what is not to be above a limit."""
    low, high = bounds
    if high is not None and samples and high <= limit:
        outcome, because = Outcome.PASSED, f"with {CONFIDENCE:.0%} confidence not above the limit"
    elif low is not None and samples and low > limit:
        outcome, because = Outcome.FAILED, f"with {CONFIDENCE:.0%} confidence above the limit"
    else:
        outcome = Outcome.INCONCLUSIVE
        because = _close(samples) if samples else "nothing was measured"
    margin = None if measured is None or limit == 0 else 1 - measured / limit
    return Verdict(
        objective=name, outcome=outcome, unit=unit, limit=limit, measured=measured, low=low,
        high=high, samples=samples, margin=margin, because=because,
    )  # fmt: skip


def _close(samples: int) -> str:
    return f"{samples} samples are too few to tell: the limit lies within the confidence interval"
