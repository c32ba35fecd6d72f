"""`kubeserve loadtest`: a load on an endpoint, verdicts on its objectives, reports in a folder.

The generator is a program of its own (`python -m loadtests`), which gets the test as a JSON
document and tells how it goes in lines of JSON.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import click
from rich.live import Live
from rich.table import Table

from controlplane.cli import program, remote_loadtest
from controlplane.cli.numbers import NUMBER
from controlplane.cli.objectives import objectives_options, put
from controlplane.cli.output import Output, fail, pass_output, styled

INCONCLUSIVE: Final = 6
SIGNS: Final = {
    "passed": styled("passed", "green"),
    "failed": styled("failed", "red"),
    "inconclusive": styled("inconclusive", "yellow"),
}
# What of each shape the options are called in a plan.
SHAPES: Final = {
    "steady": {"rate": "rate", "duration": "duration"},
    "soak": {"rate": "rate", "duration": "duration"},
    "ramp": {"start": "start", "rate": "rate", "duration": "duration"},
    "spike": {
        "rate": "rate",
        "peak": "peak",
        "duration": "duration",
        "times": "times",
        "rest": "rest",
    },
    "knee": {"start": "start", "peak": "most", "duration": "step"},
    "wake": {"burst": "burst", "times": "times"},
}


@click.command()
@click.argument("endpoint")
@click.option("--shape", type=click.Choice(list(SHAPES)), default="steady", show_default=True)
@click.option("--rate", type=NUMBER, help="Requests a second.")
@click.option("--duration", help="Of the load, of each peak or of each step: 60s, 10m, …")
@click.option("--start", type=NUMBER, help="Rate to begin with (ramp, knee).")
@click.option("--peak", type=NUMBER, help="Rate of peaks (spike), or the greatest to try (knee).")
@click.option("--rest", help="Before and between peaks (spike).")
@click.option("--burst", type=int, help="Requests at once for an endpoint at zero (wake).")
@click.option("--times", type=int, help="Number of peaks or bursts.")
@objectives_options
@click.option(
    "--slo",
    metavar="endpoint|FILE",
    help="What the endpoint promises (by default, where nothing else is asked), or a file: YAML, "
    "TOML or JSON.",
)
@click.option("--sample", type=click.Path(path_type=Path), help="Rows: CSV, JSON, NDJSON, Parquet.")
@click.option("--format", "form", type=click.Choice(["predict", "v1", "v2", "v2-binary"]))
@click.option("--rows", type=int, help="Rows of a request.")
@click.option("--tag", help="Test the revision of this tag only; see `kubeserve traffic`.")
@click.option("--output", "asked", help="What to ask for: predict, predict_proba, …")
@click.option("--arrivals", type=click.Choice(["poisson", "constant"]))
@click.option("--processes", type=int, help="Generators, each with a core at best.")
@click.option("--connections", type=int, help="Connections at most.")
@click.option("--timeout", help="A request counts as not answered after: 10s.")
@click.option("--compare", type=click.Path(path_type=Path), help="report.json of an earlier test.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the reports.")
@click.option("--remote", is_flag=True, help="The installation runs the test, and keeps it.")
@pass_output
def loadtest(  # noqa: PLR0913  (each is an option)
    output: Output,
    /,
    endpoint: str,
    shape: str,
    slo: str | None,
    sample: Path | None,
    form: str | None,
    asked: str | None,
    compare: Path | None,
    out: Path | None,
    remote: bool,
    **said: Any,
) -> int:
    """Send a load to an endpoint and judge its latency, errors and starts.

    Requests are sent when they are due, whether or not those before are answered, and latency
    counts from then. Ends with 0 if all objectives were met, 1 if one was not, 6 where the test
    cannot tell.
    """
    plan = _plan(endpoint, shape, {**said, "format": form, "output": asked}, slo)
    folder = out or Path(f"loadtest-{endpoint}")
    if remote:
        return _follow_remote(output, plan, folder, sample, compare)
    argv = [*program.command("run"), "--out", str(folder)]
    for option, file in (("--sample", sample), ("--compare", compare)):
        argv += [option, str(file)] if file is not None else []
    return _follow(output, argv, plan)


def _plan(endpoint: str, shape: str, said: dict[str, Any], slo: str | None) -> dict[str, Any]:
    """Write the plan; what was not said is left to the program."""
    given = {name: value for name, value in said.items() if value is not None}
    known = SHAPES[shape]
    of_shapes = {option for names in SHAPES.values() for option in names}
    odd = sorted((of_shapes - set(known)) & set(given))
    if odd:
        raise click.UsageError(f"--{odd[0]} is nothing of the shape {shape}")
    if "rate" in known and "rate" not in given:
        raise click.UsageError("say how many requests a second: --rate 100")
    if shape == "spike" and "peak" not in given:
        raise click.UsageError("say the rate of the peaks: --peak 1000")
    asked = {"kind": shape, **{known[name]: given.pop(name) for name in known if name in given}}
    put(given, slo)
    return {"endpoint": endpoint, "shape": asked, **given}


def _follow(output: Output, argv: list[str], plan: dict[str, Any]) -> int:
    """Run the program, show how it goes, and give its exit code."""
    with program.started(argv, plan, output.url) as running:
        last = _watch(output, running.events())
        code = running.wait()
    return said_its_end(output, last, code, _show)


def _follow_remote(
    output: Output, plan: dict[str, Any], folder: Path, sample: Path | None, compare: Path | None
) -> int:
    """Have the installation run it, show how it goes, fetch the reports, give the exit code."""
    with output.client() as client:
        try:
            test = client.start_loadtest(**plan, sample=sample, compare=compare)
        except (OSError, ValueError) as error:
            raise click.UsageError(str(error)) from error
        followed, watched = remote_loadtest.Followed(client, test.id), False
        while not watched:
            try:
                _watch(output, followed.events())
                watched = True
            except KeyboardInterrupt:  # wherever it came: the test is on another machine
                followed.cancel()
        code, last = remote_loadtest.ended(client, test.id, followed.last, folder)
    return said_its_end(output, last, code, _show)


def _watch(output: Output, events: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """Show events as they come; gives the last one."""
    last: dict[str, Any] = {}
    with Live(console=output.console, auto_refresh=False, transient=True) as live:
        for event in events:
            last = event
            if output.as_json:
                click.echo(json.dumps(event))
            elif output.console.is_terminal:
                live.update(view(event), refresh=True)
            elif event["event"] == "waiting":
                output.say(_waiting(event))
    return last


def said_its_end(
    output: Output, last: dict[str, Any], code: int, show: Callable[[Output, dict[str, Any]], None]
) -> int:
    """Say how a program ended by its last event, which `show` shows; gives the exit code."""
    if last.get("event") == "failed":
        return code if output.as_json else fail(str(last["detail"]), code=code)
    if last.get("event") != "finished":
        return fail(program.silent(code), code=code)
    if not output.as_json:
        show(output, last)
    return code


def _waiting(event: dict[str, Any]) -> str:
    if event.get("for") == "zero":
        return f"Waiting for zero, burst {event['at']} of {event['of']}"
    return f"Waiting for {event['for']} generators at {event['at']}"


def view(event: dict[str, Any]) -> Table | str:
    """Give one line of how it goes."""
    match event["event"]:
        case "started":
            return f"Testing {event['endpoint']} at {event['url']}"
        case "queued":
            return "Waiting for the tests before it"
        case "waiting":
            return _waiting(event)
        case "progress":
            return _progress(event)
        case _:
            return ""


def _progress(event: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    of = f" of {event['of_s']:g} s" if event["of_s"] else " s"
    shown = {
        "AT": f"{event['at_s']:.0f}{of}",
        "PHASE": event["phase"],
        "REQUESTS": event["sent"],
        "RATE": f"{event['rate']:.0f}/s" if "rate" in event else "-",
        **{name.upper(): _ms(event.get(f"{name}_ms")) for name in ("p50", "p95", "p99")},
        "ERRORS": event["errors"],
        "REPLICAS": "-" if event["replicas"] is None else f"{event['replicas']}/{event['desired']}",
    }
    for heading in shown:
        table.add_column(heading)
    table.add_row(*map(str, shown.values()))
    return table


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g} ms"


def _show(output: Output, done: dict[str, Any]) -> None:
    """Print verdicts and where the reports are."""
    totals = done["totals"]
    latencies = {one["name"]: one["seconds"] for one in totals["latencies"]}
    said = ", ".join(f"{name} {figure(latencies[name], 's')}" for name in ("p50", "p95", "p99"))
    took = figure(totals["seconds"], "s")
    output.say(
        f"{totals['sent']} requests in {took}, {totals['sent'] - totals['good']} errors; {said}"
    )
    if done["knee"]:
        output.say(f"The greatest rate that held: {done['knee']:.0f}/s")
    if done["verdicts"]:
        output.table(
            ("OBJECTIVE", "VERDICT", "LIMIT", "MEASURED", "95 % CONFIDENCE", "SAMPLES", "BECAUSE"),
            map(_row, done["verdicts"]),
            empty="",
        )
    for kind, count in list(totals["errors"].items())[:10]:
        output.plain(f"  {count} times {kind}")
    if done["cut"]:
        output.plain(f"The test ended early: {done['cut']}")
    for note in done["notes"]:
        output.plain(f"Note: {note}")
    output.plain(f"Report: {done['reports']['html']}")


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    unit = one["unit"]
    return (
        one["objective"],
        SIGNS[one["outcome"]],
        figure(one["limit"], unit),
        figure(one["measured"], unit),
        bounds(one),
        one["samples"],
        one["because"],
    )


def bounds(one: dict[str, Any]) -> str:
    """Write the confidence interval of a verdict."""
    return f"{figure(one['low'], one['unit'])} to {figure(one['high'], one['unit'])}"


def figure(value: float | None, unit: str) -> str:
    """Write a figure of a unit: s, share or 1/s."""
    if value is None:
        return "-"
    match unit:
        case "s":
            return f"{value:.3g} s" if value >= 1 else f"{1e3 * value:.3g} ms"
        case "share":
            return f"{100 * value:.3g} %"
        case _:
            return f"{value:,.1f}/s"


COMMANDS = (loadtest, remote_loadtest.loadtests)
