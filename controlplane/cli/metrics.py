"""`metrics`: what an endpoint did in the last hour, as lines of small bars."""

from collections.abc import Callable, Sequence
from typing import Final

import click

from controlplane.cli.output import Output, pass_output
from controlplane.client import Series

BARS: Final = "▁▂▃▄▅▆▇█"
NOTHING: Final = "·"  # not known, or nothing to measure
WIDTH: Final = 60
Values = Sequence[float | None]


@click.command()
@click.argument("endpoint")
@click.option("--minutes", type=click.IntRange(1, 60), default=60, show_default=True)
@pass_output
def metrics(output: Output, endpoint: str, minutes: int) -> None:
    """Show rate, errors, latency, replicas and cold starts of an endpoint's last minutes."""
    with output.client() as client:
        found = client.series(endpoint, minutes)
    if output.as_json:
        output.document(found.raw)
        return
    if all(value is None for each in found.values.values() for value in each):
        output.say(f"Nothing was measured of {endpoint} yet; ask again in {found.every_s} s.")
        return
    output.table(
        ("", f"LAST {minutes} MIN", "NEWEST", "MOST"),
        (_row(found, name, said, show, join) for name, said, show, join in ROWS),
        empty="",
    )


def _row(
    found: Series,
    name: str,
    said: str,
    show: Callable[[float], str],
    join: Callable[[Sequence[float]], float],
) -> tuple[object, ...]:
    values = found.values.get(name, ())
    known = [value for value in values if value is not None]
    newest = values[-1] if values else None
    return (
        said,
        bars(joined(values, WIDTH, join)),
        None if newest is None else show(newest),
        show(max(known)) if known else None,
    )


def joined(values: Values, width: int, join: Callable[[Sequence[float]], float]) -> Values:
    """Put neighbours together until there are `width` at most."""
    size = -(-len(values) // width) or 1
    parts = [values[at : at + size] for at in range(0, len(values), size)]
    known = [[value for value in part if value is not None] for part in parts]
    return [join(part) if part else None for part in known]


def bars(values: Values) -> str:
    """Draw one bar for each value, from zero to the greatest."""
    most = max((value for value in values if value is not None), default=0.0) or 1.0
    return "".join(
        NOTHING if value is None else BARS[min(len(BARS) - 1, int(value / most * len(BARS)))]
        for value in values
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _a_second(value: float) -> str:
    return f"{value:.3g}/s"


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _number(value: float) -> str:
    return f"{value:.3g}"


ROWS: Final = (
    ("rate", "requests", _a_second, _mean),
    ("errors", "errors (5xx)", _a_second, _mean),
    ("refusals", "refused (4xx)", _a_second, _mean),
    ("rows", "rows", _a_second, _mean),
    ("p50", "p50", _time, max),
    ("p95", "p95", _time, max),
    ("p99", "p99", _time, max),
    ("replicas_desired", "replicas wanted", _number, max),
    ("replicas_ready", "replicas ready", _number, max),
    ("concurrency", "in flight", _number, _mean),
    ("cold_starts", "cold starts", _number, sum),
    ("cold_start_s", "cold start", _time, max),
)
