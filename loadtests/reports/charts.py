"""Charts as HTML and SVG: shapes in SVG that stretches with the page, words in HTML that does not.

Colours are classes of the page's style sheet, so that light and dark are its business. Pure.
"""

import math
from collections.abc import Sequence
from html import escape
from typing import Final, NamedTuple

from loadtests.reports.words import figure

WIDTH, HEIGHT = 1000.0, 300.0  # of the drawing's own units; the page stretches them
TICKS: Final = 5
ROOM: Final = 1.05  # above the highest value


class Line(NamedTuple):
    """A series: (x, y) in order, y None where there is nothing. `kind`: a class of the style sheet.

    stepped  holds a value until the next; filled  down to the axis
    """

    name: str
    kind: str
    points: Sequence[tuple[float, float | None]]
    stepped: bool = False
    filled: bool = False


class Axis(NamedTuple):
    """The y axis. `unit`: of `words.figure`, or empty for plain numbers; `log`: to base ten."""

    unit: str
    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        """Give where a value lies, 0 at the bottom and 1 at the top."""
        if self.log:
            value = max(value, self.low)
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Give the values that are labelled."""
        if self.log:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            return [10.0**power for power in range(first, last + 1)]
        step = nice((self.high - self.low) / TICKS)
        count = math.floor((self.high - self.low) / step + 1e-9)
        return [self.low + step * i for i in range(count + 1)]

    def label(self, value: float) -> str:
        """Write a value."""
        if self.unit:
            return figure(value, self.unit)
        return f"{value:g}"


def nice(step: float) -> float:
    """Give the next larger of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= step * 0.999)


def axis_for(lines: Sequence[Line], unit: str, *, log: bool = False) -> Axis:
    """Give an axis on which all values of some lines have room."""
    values = [y for line in lines for _, y in line.points if y is not None]
    if log:
        positive = [value for value in values if value > 0] or [1e-3]
        low = 10.0 ** math.floor(math.log10(min(positive)))
        high = 10.0 ** math.ceil(math.log10(max(positive) * ROOM))
        return Axis(unit, low, max(high, low * 10), log=True)
    highest = max(values, default=0.0) or 1.0
    step = nice(highest / TICKS)
    return Axis(unit, 0.0, step * math.ceil(highest * ROOM / step))


def line_chart(
    title: str,
    lines: Sequence[Line],
    axis: Axis,
    span: float,
    *,
    says: str,
    limit: tuple[str, float] | None = None,
    unit: str = " s",
) -> str:
    """Draw lines over the seconds of a test, or over what else has a unit.

    span   that the x axis has, in that unit
    says   what one sees, for who does not see it
    limit  a name and a value: a dashed line across
    """
    drawn = [_grid(axis)]
    drawn += [_path(line, axis, span) for line in lines]
    legend = [(line.kind, line.name) for line in lines]
    if limit is not None and axis.low < limit[1] <= axis.high:
        y = HEIGHT * (1 - axis.share(limit[1]))
        drawn.append(f'<line class="limit" x1="0" x2="{WIDTH:g}" y1="{y:.2f}" y2="{y:.2f}"/>')
        legend.append(("limit", limit[0]))
    step = nice(span / TICKS)
    labels = [
        (step * i / span, f"{step * i:g}{unit}") for i in range(math.floor(span / step + 1e-9) + 1)
    ]
    return _figure(title, "".join(drawn), axis, labels, legend, says)


def _path(line: Line, axis: Axis, span: float) -> str:
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in line.points:
        if y is None:
            runs.append([])
            continue
        at = (WIDTH * min(max(x / span, 0.0), 1.0), HEIGHT * (1 - min(axis.share(y), 1.0)))
        if line.stepped and runs[-1]:
            runs[-1].append((at[0], runs[-1][-1][1]))
        runs[-1].append(at)
    drawn = []
    for run in runs:
        if not run:
            continue
        if len(run) == 1:
            run = [(run[0][0] - 2, run[0][1]), (run[0][0] + 2, run[0][1])]
        text = "M" + " L".join(f"{x:.2f} {y:.2f}" for x, y in run)
        if line.filled:
            area = f"{text} L{run[-1][0]:.2f} {HEIGHT:g} L{run[0][0]:.2f} {HEIGHT:g} Z"
            drawn.append(f'<path class="area {line.kind}" d="{area}"/>')
        drawn.append(f'<path class="line {line.kind}" d="{text}"/>')
    return "".join(drawn)


def _grid(axis: Axis) -> str:
    places = (HEIGHT * (1 - axis.share(tick)) for tick in axis.ticks())
    return "".join(
        f'<line class="grid" x1="0" x2="{WIDTH:g}" y1="{y:.2f}" y2="{y:.2f}"/>' for y in places
    )


def bar_chart(
    title: str,
    bars: Sequence[tuple[float, float, float]],
    axis: Axis,
    labels: Sequence[tuple[float, str]],
    *,
    says: str,
    marks: Sequence[tuple[str, str, float]] = (),
) -> str:
    """Draw bars, (left, right, value) with left and right as shares of the width.

    labels  (share of the width, text) of the x axis
    marks   (class, name, share of the width): a line from top to bottom
    """
    drawn = [_grid(axis)]
    for left, right, value in bars:
        height = HEIGHT * axis.share(value)
        drawn.append(
            f'<rect class="bar" x="{WIDTH * left:.2f}" width="{WIDTH * (right - left):.2f}"'
            f' y="{HEIGHT - height:.2f}" height="{height:.2f}"/>'
        )
    for kind, _, at in marks:
        x = f"{WIDTH * at:.2f}"
        drawn.append(f'<line class="mark {kind}" x1="{x}" x2="{x}" y1="0" y2="{HEIGHT:g}"/>')
    legend = [(kind, name) for kind, name, _ in marks]
    return _figure(title, "".join(drawn), axis, labels, legend, says)


def _figure(
    title: str,
    drawn: str,
    axis: Axis,
    labels: Sequence[tuple[float, str]],
    legend: Sequence[tuple[str, str]],
    says: str,
) -> str:
    left = "".join(
        f'<span style="bottom:{100 * axis.share(tick):.2f}%">{escape(axis.label(tick))}</span>'
        for tick in axis.ticks()
    )
    below = "".join(
        f'<span style="left:{100 * share:.2f}%">{escape(text)}</span>' for share, text in labels
    )
    keys = "".join(f'<li class="{kind}">{escape(name)}</li>' for kind, name in legend)
    return (
        f'<figure class="chart"><figcaption>{escape(title)}</figcaption>'
        f'<ul class="legend" aria-hidden="true">{keys}</ul>'
        f'<div class="plot"><div class="y" aria-hidden="true">{left}</div>'
        f'<svg role="img" aria-label="{escape(f"{title}: {says}")}"'
        f' viewBox="0 0 {WIDTH:g} {HEIGHT:g}" preserveAspectRatio="none">{drawn}</svg>'
        f'<div class="x" aria-hidden="true">{below}</div></div></figure>'
    )
