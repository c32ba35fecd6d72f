"""`admin`: what the operator of an installation asks."""

import click

from controlplane.cli.output import Output, pass_output

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.group()
def admin() -> None:
    """For operators: what the installation stands on."""


@admin.command()
@pass_output
def preflight(output: Output) -> int:
    """Check database, store, sandbox and cluster, and say what to change; 1 if something fails."""
    with output.client() as client:
        found = client.preflight()
    failed = any(one.verdict == "fail" for one in found)
    if output.as_json:
        output.document([one.raw for one in found])
        return int(failed)
    for one in found:
        colour = COLOURS.get(one.verdict, "red")
        output.console.print(f"[{colour}]{one.verdict:<4}[/{colour}]", end="  ")
        output.plain(f"{one.name:<22} {one.message}")
        if one.advice:
            output.plain(f"      → {one.advice}")
    return int(failed)
