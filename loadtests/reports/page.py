"""The report as one HTML page that asks nobody for anything: all that it shows is in it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import jinja2
import numpy as np
from markupsafe import Markup

from loadtests.histogram import BINS, STEPS, edge_s, from_pairs
from loadtests.reports import compare, words
from loadtests.reports.charts import Axis, Line, axis_for, bar_chart, line_chart, nice
from loadtests.reports.compare import Change
from loadtests.result import Result

BARS: Final = 60  # of the distribution, at most
SHARE_SHOWN: Final = 0.001  # of requests at each end that may be outside of it
PHASES: Final = 8  # colours of phases

_pages: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True,
    lstrip_blocks=True, undefined=jinja2.StrictUndefined,
)  # fmt: skip
_pages.filters |= {
    "autoscaling": words.autoscaling,
    "figure": words.figure,
    "time": words.time,
    "named": words.name,
}


def template(name: str) -> jinja2.Template:
    """Give the template of a page."""
    return _pages.get_template(name)


def render(result: Result, earlier: Result | None, changes: Sequence[Change]) -> str:
    """Write the page."""
    return template("page.html").render(
        result=result,
        summary=summary(result),
        earlier=earlier,
        changes=changes,
        different=compare.different_load(earlier, result) if earlier is not None else [],
        charts=[Markup(chart) for chart in charts(result)],  # they escape what they show
        phases=_phases(result),
        steps=any(phase.holds is not None for phase in result.phases),
    )


def summary(result: Result) -> str:
    """Say in a line what was done."""
    shape, plan = result.plan["shape"], result.plan
    rows = f"{plan['rows']} rows" if plan["rows"] > 1 else "1 row"
    what = f"{plan['format']}, {rows} a request, rows from {result.rows_from}"
    match shape["kind"]:
        case "wake":
            how = f"{shape['times']} bursts of {shape['burst']} requests for an endpoint at zero"
        case "spike":
            count = "a peak" if shape["times"] == 1 else f"{shape['times']} peaks"
            peaks = f"{count} of {shape['peak']:g}/s for {shape['duration']}"
            how = f"{shape['rate']:g}/s with {peaks}"
        case "ramp":
            how = f"from {shape['start']:g}/s to {shape['rate']:g}/s in {shape['duration']}"
        case "knee":
            how = (
                f"from {shape['start']:g}/s on, {shape['factor']:g} times that each {shape['step']}"
            )
        case _:
            how = f"{shape['rate']:g}/s for {shape['duration']}"
    return f"{how}; {what}"


def charts(result: Result) -> list[str]:
    """Draw all that there is something to draw of."""
    found = [_distribution(result)] if result.counts else []
    if result.points:
        found += [_percentiles(result), _rates(result)]
    if result.scale:
        found += [_replicas(result), _concurrency(result)]
    return found


def _span(result: Result) -> float:
    seen = max((one.at for one in result.scale), default=0.0)
    return result.totals.seconds or max(seen, 1.0)


def _distribution(result: Result) -> str:
    """Draw how many took how long; the x axis is logarithmic."""
    counts = from_pairs(result.counts)
    cumulated = np.cumsum(counts) / counts.sum()
    first = max(0, int(np.searchsorted(cumulated, SHARE_SHOWN)) - 4)
    last = min(BINS, int(np.searchsorted(cumulated, 1 - SHARE_SHOWN)) + 5)
    width = max(1, -(-(last - first) // BARS))
    last = first + width * -(-(last - first) // width)
    bars = []
    for start in range(first, last, width):
        share = float(counts[start : start + width].sum() / counts.sum())
        bars.append(
            ((start - first) / (last - first), (start + width - first) / (last - first), share)
        )
    highest = max(bar[2] for bar in bars)
    step = nice(highest / 5)
    axis = Axis("share", 0.0, step * max(1, int(np.ceil(highest * 1.02 / step))))
    quantiles = {one.name: one.seconds for one in result.totals.latencies}
    marks = []
    for name in ("p50", "p95", "p99"):
        value = quantiles[name]
        if value is not None:
            marks.append((name, f"{name} {words.time(value)}", _place(value, first, last)))
    said = ", ".join(mark[1] for mark in marks)
    return bar_chart(
        "Latency distribution", bars, axis, _log_labels(first, last), marks=marks,
        says=f"share of requests by latency; {said}",
    )  # fmt: skip


def _place(seconds: float, first: int, last: int) -> float:
    at = STEPS * np.log10(seconds / edge_s(0))
    return float(min(1.0, max(0.0, (at - first) / (last - first))))


def _log_labels(first: int, last: int) -> list[tuple[float, str]]:
    """Label 1, 2, 5 of each decade that is shown; fewer where that would be many."""
    low, high = edge_s(first), edge_s(last)
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    wide = high / low > 300
    values = [factor * 10.0**power for power in powers for factor in ((1,) if wide else (1, 2, 5))]
    return [
        (_place(value, first, last), words.time(value)) for value in values if low <= value <= high
    ]


def _percentiles(result: Result) -> str:
    lines = [
        Line(name, name, [(point.at, getattr(point, name)) for point in result.points])
        for name in ("p99", "p95", "p50")
    ]
    values = [value for line in lines for _, value in line.points if value]
    log = bool(values) and max(values) > 30 * min(values)
    asked = [one for one in result.verdicts if one.objective in ("p50", "p95", "p99")]
    limit = None
    if asked:
        limit = (f"limit of {asked[-1].objective}: {words.time(asked[-1].limit)}", asked[-1].limit)
    axis = axis_for(lines, "s", log=log)
    scale = ", logarithmic" if log else ""
    return line_chart(
        f"Latency over time{scale}", lines, axis, _span(result), limit=limit,
        says="p50, p95 and p99 of each interval, counted from when requests should have been sent",
    )  # fmt: skip


def _rates(result: Result) -> str:
    points = result.points
    lines = [
        Line("answered well", "good", [(p.at, p.good) for p in points], filled=True),
        Line("to be sent", "wanted", [(p.at, p.wanted) for p in points]),
    ]
    if any(point.bad for point in points):
        lines.append(Line("errors", "bad", [(p.at, p.bad) for p in points]))
    return line_chart(
        "Requests a second", lines, axis_for(lines, ""), _span(result),
        says=f"{result.totals.sent} requests, of which {result.totals.good} were answered well",
    )  # fmt: skip


def _replicas(result: Result) -> str:
    lines = [
        Line("ready", "ready", [(s.at, s.ready) for s in result.scale], stepped=True, filled=True),
        Line("wanted", "wanted", [(s.at, s.desired) for s in result.scale], stepped=True),
    ]
    if result.autoscaling is not None:
        decided = [(d.at, d.bounded) for d in result.autoscaling.decisions]
        lines.append(Line("recomputed from metrics", "recomputed", decided, stepped=True))
    most = max(one.ready for one in result.scale)
    axis = axis_for(lines, "")
    return line_chart(
        "Replicas", lines, axis._replace(high=max(axis.high, 1.0)), _span(result),
        says=f"replicas that are ready and wanted over time, {most} at most",
    )  # fmt: skip


def _concurrency(result: Result) -> str:
    line = Line("requests in flight", "good", [(s.at, s.concurrency) for s in result.scale])
    return line_chart(
        "Concurrency", [line], axis_for([line], ""), _span(result),
        says="requests in flight of all replicas, as the autoscaler sees them",
    )  # fmt: skip


def _phases(result: Result) -> list[dict[str, Any]]:
    """Give each start with its phases as shares of the longest start, and their colours."""
    names = list(dict.fromkeys(name for one in result.cold_starts for name in one.phases_ms))
    longest = max((sum(one.phases_ms.values()) for one in result.cold_starts), default=0.0)
    return [
        {
            "total": one.total_ms,
            "parts": [
                (name, ms, 100 * ms / longest if longest else 0.0, names.index(name) % PHASES)
                for name, ms in one.phases_ms.items()
            ],
        }
        for one in result.cold_starts
    ]
