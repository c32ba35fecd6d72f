"""From what was booked and watched to evidence, the generator's limits, and scale-ups. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from loadtests.histogram import mean_s, quantile_s, ranked_s
from loadtests.plan import Plan
from loadtests.recording import Interval, summed
from loadtests.result import PhaseResult, Point, Scale, ScaleUp, Woken
from loadtests.shapes import Phase, expected
from loadtests.slo import Evidence, Objectives, Outcome, bounds_s, judge

MISSED_SHARE: Final = 0.05
BUSY: Final = 0.9
BUSY_SHARE: Final = 0.1  # of the intervals
MISSED_AFTER_S: Final = 0.01  # where no latency is asked for
# A quarter of the tightest limit: later than that is not the load whose latency was asked for.
MISSED_OF_LIMIT: Final = 0.25
LEAST_MISSED_S: Final = 0.001
# Without an objective a step of `knee` holds while it is not so much slower than the first one.
SLOWER: Final = 5.0
KEPT_UP: Final = 0.99
DEVIATIONS: Final = 3  # of a Poisson number


def missed_after_s(objectives: Objectives) -> float:
    """Give how late a request may be sent before it counts as missed."""
    limits = objectives.latencies.values()
    if not limits:
        return MISSED_AFTER_S
    return max(LEAST_MISSED_S, MISSED_OF_LIMIT * min(limits))


def interval_s(plan: Plan) -> float:
    """Give the length of the intervals that are booked: a second, or a 600th of the test."""
    return max(1.0, sum(phase.seconds for phase in plan.shape.phases()) / 600)


def limited(intervals: Iterable[Interval], missed_after: float) -> tuple[str, ...]:
    """Say why the generator was the limit, not the server; nothing: it was not."""
    listed = [one for one in intervals if one.sent]
    sent = sum(one.sent for one in listed)
    if not sent:
        return ()
    found = []
    missed = sum(one.missed for one in listed) / sent
    if missed > MISSED_SHARE:
        found.append(
            f"the generator sent {missed:.0%} of the requests more than {1e3 * missed_after:.3g} ms"
            " late"
        )
    busy = [one for one in listed if one.wall_s and one.busy_s / one.wall_s > BUSY]
    if len(busy) > BUSY_SHARE * len(listed):
        found.append(
            f"the generator had no processor time left in {len(busy) / len(listed):.0%} of the"
            " time: use more processes or a machine of its own"
        )
    return tuple(found)


def evidence(
    intervals: Mapping[int, Interval],
    rate: float,
    missed_after: float,
    *,
    wakes: Sequence[Woken] = (),
    scale_ups: Sequence[ScaleUp] = (),
    cut: str | None = None,
) -> Evidence:
    """Put together what verdicts are made of."""
    total = summed(intervals)
    return Evidence(
        latency=total.latency,
        service=total.service,
        sent=total.sent,
        good=total.good,
        in_time=total.in_time,
        rate=rate,
        wakes=tuple(float("inf") if one.first is None else one.first for one in wakes),
        scale_ups=tuple(float("inf") if one.seconds is None else one.seconds for one in scale_ups),
        limited=limited(intervals.values(), missed_after),
        cut=cut,
    )


class Stretch(NamedTuple):
    """A phase with its place in time, seconds from the start."""

    phase: Phase
    begin: float
    end: float


def stretches(phases: Sequence[Phase]) -> list[Stretch]:
    """Put phases one behind the other."""
    found, begin = [], 0.0
    for phase in phases:
        found.append(Stretch(phase, begin, begin + phase.seconds))
        begin += phase.seconds
    return found


def within(
    intervals: Mapping[int, Interval], each: float, begin: float, end: float
) -> dict[int, Interval]:
    """Give the intervals whose middle is in a stretch of time."""
    return {place: one for place, one in intervals.items() if begin <= (place + 0.5) * each < end}


def points(
    intervals: Mapping[int, Interval], phases: tuple[Phase, ...], each: float
) -> list[Point]:
    """Give a point for each interval, rates a second."""
    ends = sum(phase.seconds for phase in phases)
    found = []
    for place in sorted(intervals):
        one = intervals[place]
        begin = place * each
        span = min(each, ends - begin)
        if span <= 0 or not one.sent:
            continue
        found.append(
            Point(
                at=begin,
                wanted=expected(phases, begin, begin + span) / span,
                sent=one.sent / span,
                good=one.good / span,
                bad=(one.sent - one.good) / span,
                p50=quantile_s(one.latency, 0.5),
                p95=quantile_s(one.latency, 0.95),
                p99=quantile_s(one.latency, 0.99),
                busy=one.busy_s / one.wall_s if one.wall_s else 0.0,
            )
        )
    return found


def phase_result(stretch: Stretch, intervals: Mapping[int, Interval], each: float) -> PhaseResult:
    """Sum up a phase."""
    total = summed(within(intervals, each, stretch.begin, stretch.end))
    took = mean_s(total.service)
    return PhaseResult(
        name=stretch.phase.name,
        begin=stretch.begin,
        end=stretch.end,
        start_rate=stretch.phase.start,
        end_rate=stretch.phase.end,
        sent=total.sent,
        good=total.good,
        p50=quantile_s(total.latency, 0.5),
        p95=quantile_s(total.latency, 0.95),
        p99=quantile_s(total.latency, 0.99),
        concurrency=None if took is None else total.sent * took / stretch.phase.seconds,
    )


def step_holds(
    objectives: Objectives, first: Evidence | None, step: Evidence, due: float
) -> tuple[bool, str]:
    """Tell whether a step of `knee` holds, and why not.

    first  evidence of the first step; None: this is it
    due    requests that were due in it; what is not answered yet is in no evidence
    """
    if step.limited:
        return False, "; ".join(step.limited)
    if step.good < KEPT_UP * due - DEVIATIONS * due**0.5:
        return False, f"{step.good} of about {due:.0f} requests were answered well"
    for verdict in judge(objectives.of_answers, step):
        if verdict.outcome is Outcome.FAILED:
            return False, f"{verdict.objective} failed"
    if not objectives.latencies and first is not None:
        before, now = bounds_s(first.latency, 0.95), bounds_s(step.latency, 0.95)
        if before[1] is not None and now[0] is not None and now[0] > SLOWER * before[1]:
            return False, f"p95 is more than {SLOWER:g} times that of the first step"
    return True, "holds"


def scale_ups(phases: Sequence[Phase], seen: Sequence[Scale]) -> list[ScaleUp]:
    """Give each growth: from when the load rose until as many replicas were ready as were wanted.

    A load that rises and needs no more replicas is no growth.
    """
    found = []
    last = 0.0
    for stretch in stretches(phases):
        risen = stretch.phase.start > last or stretch.phase.end > stretch.phase.start
        last = stretch.phase.end
        during = [one for one in seen if stretch.begin <= one.at < stretch.end]
        if not risen or not during:
            continue
        before = during[0].ready
        after = max(one.desired for one in during)
        if after <= before:
            continue
        reached = next((one.at for one in during if one.ready >= after), None)
        took = None if reached is None else reached - stretch.begin
        found.append(ScaleUp(at=stretch.begin, before=before, after=after, seconds=took))
    return found


def woken(at: float, burst: Interval) -> Woken:
    """Sum up a burst."""
    total = int(burst.latency.sum())
    return Woken(
        at=at,
        requests=burst.sent,
        good=burst.good,
        first=ranked_s(burst.latency, 1) if burst.good else None,
        median=quantile_s(burst.latency, 0.5),
        last=ranked_s(burst.latency, total) if total else None,
    )
