"""The reports of a tuning: a page that loads nothing from elsewhere, and JSON."""

from pathlib import Path
from typing import Final

from markupsafe import Markup

from loadtests.reports.charts import Line, axis_for, line_chart
from loadtests.reports.page import template
from loadtests.tuning.document import Tuned

NAMES: Final = {"html": "tune.html", "json": "tune.json"}


def write(tuned: Tuned, folder: Path) -> dict[str, str]:
    """Write both; gives their paths by kind."""
    texts = {"html": render(tuned), "json": tuned.model_dump_json(indent=1)}
    found = {}
    for kind, text in texts.items():
        path = folder / NAMES[kind]
        path.write_text(text, "utf-8")
        found[kind] = str(path)
    return found


def render(tuned: Tuned) -> str:
    """Write the page."""
    charts = [Markup(chart) for chart in _charts(tuned)]  # they escape what they show
    return template("tune.html").render(tuned=tuned, charts=charts)


def _charts(tuned: Tuned) -> list[str]:
    """Draw latency and requests in flight by rate; the x axis is the rate."""
    if len(tuned.steps) < 2:
        return []
    most = max(one.rate for one in tuned.steps)
    lines = [
        Line(name, name, [(one.rate, getattr(one, name)) for one in tuned.steps])
        for name in ("p99", "p95", "p50")
    ]
    values = [value for line in lines for _, value in line.points if value]
    log = bool(values) and max(values) > 30 * min(values)
    axis, scale = axis_for(lines, "s", log=log), ", logarithmic" if log else ""
    busy = Line("in flight", "good", [(one.rate, one.in_flight) for one in tuned.steps])
    return [
        line_chart(
            f"Latency by rate{scale}", lines, axis, most,
            says="p50, p95 and p99 of each step, by requests a second", unit="/s",
        ),
        line_chart(
            "Requests in flight by rate", [busy], axis_for([busy], ""), most,
            says="requests in flight on average in each step, by requests a second", unit="/s",
        ),
    ]  # fmt: skip
