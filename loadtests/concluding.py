"""From a run that is over to its result."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil

from controlplane.client import Endpoint
from loadtests.coordinator import Run
from loadtests.deciding import autoscaling
from loadtests.evaluating import evidence, phase_result, points, scale_ups
from loadtests.histogram import mean_s, quantile_s, to_pairs
from loadtests.recording import Interval, summed
from loadtests.result import Autoscaling, Generated, Latencies, PhaseResult, Result, ScaleUp, Totals
from loadtests.shapes import Knee, expected
from loadtests.slo import QUANTILES, Evidence, bounds_s, judge, overall
from loadtests.watching import wall

CPU_MODEL: Final = Path("/proc/cpuinfo")


def conclude(run: Run) -> Result:
    """Judge a run and put together all that reports show."""
    plan, endpoint = run.plan, run.target.endpoint
    watched = run.watch.scale if run.watch is not None else []
    starts = run.watch.starts if run.watch is not None else {}
    grown = scale_ups(plan.shape.phases(), watched)
    phases = _phases(run)
    held = [phase for phase in phases if phase.holds]
    seen = _evidence(run, grown, len(held))
    verdicts = judge(plan.objectives, seen)
    total = run.total
    return Result(
        endpoint=endpoint.name,
        endpoint_id=endpoint.id,
        plan=plan.model_dump(mode="json", exclude_none=True),
        rows_from=run.target.rows_from,
        started_at=datetime.fromtimestamp(run.start, UTC),
        verdict=overall(verdicts),
        verdicts=list(verdicts),
        cut=run.cut,
        knee=held[-1].end_rate if held else None,
        totals=_totals(run, total, seen.rate),
        counts=to_pairs(total.latency),
        points=[] if not run.ends else points(run.intervals, plan.shape.phases(), run.each),
        phases=phases,
        scale=list(watched),
        scale_ups=grown,
        autoscaling=_autoscaling(run),
        wakes=run.wakes,
        cold_starts=[starts[at] for at in sorted(starts)],
        generated=_generated(run, total, seen),
        environment=environment(endpoint),
        notes=run.notes,
    )


def _autoscaling(run: Run) -> Autoscaling | None:
    watch = run.watch
    if watch is None:
        return None
    return autoscaling(watch.decisions, watch.scale, run.start, wall())


def _phases(run: Run) -> list[PhaseResult]:
    if isinstance(run.plan.shape, Knee):
        return run.steps
    found = [phase_result(stretch, run.intervals, run.each) for stretch in run.stretches]
    return [phase for phase in found if phase.sent]


def _evidence(run: Run, grown: list[ScaleUp], held: int) -> Evidence:
    """Give what is judged: all of a test; of `knee` its last step that held, or its first."""
    if isinstance(run.plan.shape, Knee):
        return run.of_step(run.stretches[max(0, held - 1)])
    due = expected(run.plan.shape.phases(), 0.0, run.ends)
    return evidence(
        run.intervals,
        due / run.ends if run.ends else 0.0,
        run.missed_after,
        wakes=run.wakes,
        scale_ups=grown,
        cut=run.cut,
    )


def _totals(run: Run, total: Interval, rate: float) -> Totals:
    latencies = []
    for name, share in QUANTILES.items():
        low, high = bounds_s(total.latency, share)
        value = quantile_s(total.latency, share)
        latencies.append(Latencies(name=name, seconds=value, low=low, high=high))
    return Totals(
        seconds=run.ends,
        rate=rate,
        sent=total.sent,
        good=total.good,
        in_time=total.in_time,
        missed=total.missed,
        queued=total.queued,
        errors=dict(total.errors.most_common()),
        latencies=latencies,
        mean=mean_s(total.latency),
    )


def _generated(run: Run, total: Interval, seen: Evidence) -> Generated:
    loaded = summed({place: one for place, one in run.intervals.items() if one.sent})
    return Generated(
        processes=run.plan.processes,
        busy=loaded.busy_s / loaded.wall_s if loaded.wall_s else 0.0,
        missed_share=total.missed / total.sent if total.sent else 0.0,
        missed_after=run.missed_after,
        limited=list(seen.limited),
    )


def environment(endpoint: Endpoint) -> dict[str, str]:
    """Say what was tested and from where; names no machine."""
    raw = endpoint.raw
    served = ", ".join(
        f"{one.model}:{one.version} {one.percent} % ({one.backend})" for one in endpoint.revisions
    )
    scaling = raw.get("scaling") or {}
    kept = ("min_scale", "max_scale", "metric", "target", "window_s")
    return {
        "revisions": served,
        "container_concurrency": str(raw.get("container_concurrency", "")),
        "scaling": ", ".join(
            f"{name} {scaling[name]}" for name in kept if scaling.get(name) is not None
        ),
        "generated with": f"kubeserve {version('kubeserve')}, Locust {version('locust')},"
        f" Python {platform.python_version()}",
        "generated on": f"{_processor()}, {os.cpu_count()} cores,"
        f" {psutil.virtual_memory().total / (1 << 30):.0f} GiB, Linux {platform.release()}",
    }


def _processor() -> str:
    """Name the processor as the kernel does."""
    try:
        lines = CPU_MODEL.read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
