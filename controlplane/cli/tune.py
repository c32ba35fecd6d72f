"""`kubeserve tune`: settings for an endpoint, measured, tested and, where asked for, applied."""

import json
from pathlib import Path
from typing import Any, Final

import click
from rich.live import Live

from controlplane.cli import program
from controlplane.cli.loadtest import SIGNS, bounds, figure, said_its_end, view
from controlplane.cli.numbers import NUMBER
from controlplane.cli.objectives import objectives_options, put
from controlplane.cli.output import Output, pass_output

STEPS: Final = ("RATE", "ANSWERED", "IN FLIGHT", "P50", "P95", "P99", "HOLDS")


@click.command()
@click.argument("endpoint")
@objectives_options
@click.option(
    "--slo",
    metavar="endpoint|FILE",
    help="What the endpoint promises (by default, where nothing else is asked), or a file.",
)
@click.option("--rate", type=NUMBER, help="The greatest rate to try; 5000 requests a second.")
@click.option("--start", type=NUMBER, help="Rate to begin with; 50.")
@click.option("--duration", help="Of each step of the search: 10s.")
@click.option("--metric", type=click.Choice(["concurrency", "rps"]), help="To scale by.")
@click.option("--sample", type=click.Path(path_type=Path), help="Rows: CSV, JSON, NDJSON, Parquet.")
@click.option("--format", "form", type=click.Choice(["predict", "v1", "v2", "v2-binary"]))
@click.option("--rows", type=int, help="Rows of a request.")
@click.option("--output", "asked", help="What to ask for: predict, predict_proba, …")
@click.option("--processes", type=int, help="Generators, each with a core at best.")
@click.option("--connections", type=int, help="Connections at most.")
@click.option("--timeout", help="A request counts as not answered after: 10s.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the reports.")
@click.option("--apply", is_flag=True, help="Make a release of it, if it passes its test.")
@pass_output
def tune(
    output: Output,
    /,
    endpoint: str,
    slo: str | None,
    sample: Path | None,
    out: Path | None,
    **said: Any,
) -> int:
    """Measure what a replica of ENDPOINT takes, and propose how it should scale.

    A copy of it is measured, so callers meet no load: its cold starts, latency by rate up to where
    the objectives do not hold any more, and the proposal, tested again. Takes five minutes or so.
    Ends with 0 if the proposal passed, 1 if not, 6 where the tests cannot tell.
    """
    folder = out or Path(f"tune-{endpoint}")
    argv = [*program.command("tune"), "--out", str(folder)]
    argv += ["--sample", str(sample)] if sample is not None else []
    with program.started(argv, _document(endpoint, slo, said), output.url) as running:
        last = _watch(output, running)
        code = running.wait()
    return said_its_end(output, last, code, _show)


def _document(endpoint: str, slo: str | None, said: dict[str, Any]) -> dict[str, Any]:
    given = {**said, "format": said["form"], "output": said["asked"]}
    given = {
        name: value
        for name, value in given.items()
        if value is not None and name not in ("form", "asked")
    }
    put(given, slo)
    return {"endpoint": endpoint, **given}


def _watch(output: Output, running: program.Running) -> dict[str, Any]:
    """Show events as they come; gives the last one."""
    last: dict[str, Any] = {}
    with Live(console=output.console, auto_refresh=False, transient=True) as live:
        for event in running.events():
            last = event
            if output.as_json:
                click.echo(json.dumps(event))
            elif event["event"] == "stage":
                output.plain(f"{event['says']} of {event['copy']}")
            elif output.console.is_terminal:
                live.update(view(event), refresh=True)
    return last


def _show(output: Output, done: dict[str, Any]) -> None:
    output.table(STEPS, map(_step, done["steps"]), empty="Nothing was measured.")
    if done["proposal"]:
        output.plain("")
        output.table(
            ("SETTING", "NOW", "PROPOSED", "BECAUSE"),
            (
                (one["setting"], one["now"], one["proposed"], one["because"])
                for one in done["proposal"]["changes"]
            ),
            empty="",
        )
        output.plain("")
        output.table(
            ("OBJECTIVE", "VERDICT", "LIMIT", "MEASURED", "95 % CONFIDENCE", "SAMPLES"),
            (
                (
                    one["objective"],
                    SIGNS[one["outcome"]],
                    figure(one["limit"], one["unit"]),
                    figure(one["measured"], one["unit"]),
                    bounds(one),
                    one["samples"],
                )
                for one in done["proof"]
            ),
            empty="",
        )
    output.plain("The proposal ", SIGNS[done["verdict"]], f": {done['because']}.")
    for note in done["notes"]:
        output.plain(f"Note: {note}")
    output.plain(_applied(done))
    output.plain(f"Report: {done['reports']['html']}")


def _applied(done: dict[str, Any]) -> str:
    if done["release"] is not None:
        return f"Applied as release {done['release']}: kubeserve rollback {done['endpoint']}"
    if done["refused"] is not None:
        return f"Not applied: {done['refused']}."
    if done["verdict"] == "passed":
        return f"Nothing was changed. Next: kubeserve tune {done['endpoint']} … --apply"
    return "Nothing was changed."


def _step(step: dict[str, Any]) -> tuple[object, ...]:
    return (
        figure(step["rate"], "1/s"),
        figure(step["throughput"], "1/s"),
        f"{step['in_flight']:.3g}",
        *(figure(step[name], "s") for name in ("p50", "p95", "p99")),
        "yes" if step["holds"] else step["because"],
    )


COMMANDS = (tune,)
