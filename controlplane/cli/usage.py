"""`usage` and `quota`: what endpoints used and cost, and what the tenant may have."""

from datetime import datetime

import click

from controlplane.cli.moments import MOMENT
from controlplane.cli.output import Output, pass_output
from controlplane.client import Cost, Limit, Usage

LIMITS = (
    "models", "storage_bytes", "endpoints", "builds", "replicas", "cpu_millis", "memory_mib",
    "requests_per_s", "loadtests", "loadtest_rate", "loadtest_s", "webhooks",
)  # fmt: skip
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


@click.command()
@click.argument("endpoint", required=False)
@click.option("--from", "start", type=MOMENT, help="Begin, e.g. 2026-11-01; 30 days ago if none.")
@click.option("--to", "end", type=MOMENT, help="End; now if none.")
@click.option(
    "--by", type=click.Choice(["total", "day", "hour"]), default="total", show_default=True
)
@pass_output
def usage(
    output: Output,
    endpoint: str | None,
    start: datetime | None,
    end: datetime | None,
    by: str,
) -> None:
    """Show what endpoints used, and what one replica kept warm would have cost instead."""
    with output.client() as client:
        found = client.usage(start, end, endpoint=endpoint, interval=by)  # type: ignore[arg-type]  # click checked it
    if output.as_json:
        output.document([one.raw for one in found])
        return
    dated = () if by == "total" else ("FROM",)
    output.table(
        (*dated, "ENDPOINT", "REQUESTS", "ROWS", "WAKES", "BUSY", "IDLE", "STARTING", "USED",
         "KEPT WARM"),
        ((*((one.start,) if dated else ()), *_row(one)) for one in found),
        empty="Nothing was used in this time. Usage is noted every 15 seconds.",
    )  # fmt: skip


def _row(one: Usage) -> tuple[object, ...]:
    return (
        one.endpoint,
        one.requests,
        one.rows,
        one.wakes,
        _seconds(one.busy_s),
        _seconds(one.idle_s),
        _seconds(one.starting_s),
        _cost(one.used),
        _cost(one.kept_warm),
    )


def _seconds(value: float | None) -> str | None:
    if value is None:
        return None
    return f"{value:.1f} s" if value >= 10 else f"{value:.3f} s"  # a start takes milliseconds


def _cost(cost: Cost) -> str:
    text = f"{cost.cpu_s:.1f} CPU s, {cost.memory_gib_s:.1f} GiB s"
    if cost.money is None:
        return text
    return f"{cost.money:.2f} ({text})" if cost.money >= 1 else f"{cost.money:.6f} ({text})"


@click.command()
@click.option("--tenant", help="Of another tenant; for administrators of the installation.")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="NAME=NUMBER",
    help="Set limits of --tenant; `default` instead of a number: as the installation.",
)
@pass_output
def quota(output: Output, tenant: str | None, changes: tuple[str, ...]) -> None:
    """Show what the tenant may have and what it has of it."""
    if changes and tenant is None:
        raise click.UsageError("say whose limits to set: --tenant NAME")
    with output.client() as client:
        found = client.quota(tenant)
        if tenant is not None and changes:
            own = {name: one.limit for name, one in found.limits.items() if one.own}
            found = client.set_quota(tenant, {**own, **dict(map(_change, changes))})
    if output.as_json:
        output.document(found.raw)
        return
    output.table(
        ("LIMIT", "USED", "OF", ""),
        (_limit(name, one) for name, one in found.limits.items()),
        empty="There are no limits.",
    )


def _change(text: str) -> tuple[str, int | None]:
    name, _, value = text.partition("=")
    name = name.strip().replace("-", "_")
    if name not in LIMITS:
        raise click.BadParameter(f"there is no limit {name!r}; there are {', '.join(LIMITS)}")
    if value == "default":
        return name, None
    if not value.isdecimal():
        raise click.BadParameter(f"{text!r} is not NAME=NUMBER or NAME=default")
    return name, int(value)


def _limit(name: str, one: Limit) -> tuple[object, ...]:
    show = _bytes if name == "storage_bytes" else str
    used = None if one.used is None else show(one.used)
    return name, used, show(one.limit), "set for this tenant" if one.own else ""


def _bytes(count: int) -> str:
    size, unit = float(count), 0
    while size >= 1024 and unit < len(UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.1f} {UNITS[unit]}" if unit else f"{count} B"


COMMANDS = (usage, quota)
