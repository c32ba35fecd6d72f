"""`warm`: when an endpoint is kept warm ahead of the requests that are expected."""

import re
from datetime import datetime
from typing import Any, Final

import click

from controlplane.cli.output import Output, pass_output
from controlplane.client import Client

UNITS: Final = {"m": 1, "h": 60, "d": 24 * 60}


def minutes(text: str) -> int:
    """Read `90m`, `10h`, `1d`, or both: `1h30m`."""
    parts = re.findall(r"(\d+)([mhd])", text)
    if not parts or "".join(map("".join, parts)) != text:
        raise click.BadParameter(f"{text!r} is no time such as 90m, 10h or 1h30m")
    return sum(int(number) * UNITS[unit] for number, unit in parts)


@click.command()
@click.argument("endpoint")
@click.option("--cron", help="When a window begins: `0 8 * * 1-5` is 8:00, Monday to Friday.")
@click.option("--for", "lasts", metavar="10h", help="How long it lasts.")
@click.option("--zone", default="UTC", show_default=True, help="Time zone, such as Europe/Berlin.")
@click.option("--replicas", type=click.IntRange(1), default=1, show_default=True)
@click.option("--clear", is_flag=True, help="Remove all windows; with --cron, those before it.")
@pass_output
def warm(
    output: Output, /, endpoint: str, cron: str | None, lasts: str | None, clear: bool, **more: Any
) -> None:
    """Show when ENDPOINT is kept warm, or add a window.

    It opens ahead of its beginning, by twice the cold start that was measured, so that replicas are
    there when it begins.
    """
    if (cron is None) != (lasts is None):
        raise click.UsageError("A window takes both --cron and --for.")
    with output.client() as client:
        found = _changed(client, endpoint, _window(cron, lasts, more), clear)
    if output.as_json:
        output.document(found)
        return
    output.table(
        ("CRON", "LASTS", "ZONE", "REPLICAS", "NOW", "NEXT"),
        map(_row, found),
        empty=f"{endpoint} is never kept warm. Next: kubeserve warm {endpoint} --cron … --for 10h",
    )


def _window(cron: str | None, lasts: str | None, more: dict[str, Any]) -> dict[str, Any] | None:
    if cron is None or lasts is None:
        return None
    return {
        "cron": cron,
        "minutes": minutes(lasts),
        "replicas": more["replicas"],
        "time_zone": more["zone"],
    }


def _changed(
    client: Client, endpoint: str, window: dict[str, Any] | None, clear: bool
) -> list[dict[str, Any]]:
    if window is None and not clear:
        return client.warm_windows(endpoint)
    kept = [] if clear else client.warm_windows(endpoint)
    asked = ("cron", "minutes", "replicas", "time_zone")
    before = [{name: one[name] for name in asked} for one in kept]
    return client.set_warm_windows(endpoint, [*before, *([window] if window else [])])


def _row(window: dict[str, Any]) -> tuple[object, ...]:
    start = window["next_start"]
    return (
        window["cron"],
        f"{window['minutes']} min",
        window["time_zone"],
        window["replicas"],
        "open" if window["open"] else "closed",
        datetime.fromisoformat(start) if start else None,
    )
