"""`kubeserve loadtest`: a load on an endpoint, verdicts on its objectives, reports in a folder.

The generator is a program of its own (`python -m loadtests`), which gets the test as a JSON
document and tells how it goes in lines of JSON.
"""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
from rich.live import Live
from rich.table import Table

from controlplane.cli import remote_loadtest
from controlplane.cli.output import Output, fail, pass_output

INCONCLUSIVE: Final = 6
INSTALL: Final = (
    "Load tests from here need one more package: pip install 'kubeserve[loadtest]'. With --remote"
    " the installation runs them."
)
# The installation draws rows from the signature, and keeps its history itself.
HERE_ALONE: Final = ("slo", "sample", "compare")
SIGNS: Final = {
    "passed": "[green]passed[/green]",
    "failed": "[red]failed[/red]",
    "inconclusive": "[yellow]inconclusive[/yellow]",
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
OBJECTIVES: Final = (
    "p50",
    "p90",
    "p95",
    "p99",
    "error_rate",
    "throughput",
    "cold_start",
    "scale_up",
)
DURATION: Final = "50ms, 1.5s, …"


@click.command()
@click.argument("endpoint")
@click.option("--shape", type=click.Choice(list(SHAPES)), default="steady", show_default=True)
@click.option("--rate", type=float, help="Requests a second.")
@click.option("--duration", help="Of the load, of each peak or of each step: 60s, 10m, …")
@click.option("--start", type=float, help="Rate to begin with (ramp, knee).")
@click.option("--peak", type=float, help="Rate of peaks (spike), or the greatest to try (knee).")
@click.option("--rest", help="Before and between peaks (spike).")
@click.option("--burst", type=int, help="Requests at once for an endpoint at zero (wake).")
@click.option("--times", type=int, help="Number of peaks or bursts.")
@click.option("--p50", help=f"Median latency at most: {DURATION}")
@click.option("--p90", help=f"90th percentile of latency at most: {DURATION}")
@click.option("--p95", help=f"95th percentile of latency at most: {DURATION}")
@click.option("--p99", help=f"99th percentile of latency at most: {DURATION}")
@click.option("--error-rate", help="Share of errors at most: 0.1%.")
@click.option("--throughput", type=float, help="Requests a second answered well, at least.")
@click.option("--cold-start", help=f"Median first answer after zero at most (wake): {DURATION}")
@click.option("--scale-up", help=f"Median time until all replicas are there at most: {DURATION}")
@click.option("--slo", type=click.Path(path_type=Path), help="Objectives in YAML, TOML or JSON.")
@click.option("--sample", type=click.Path(path_type=Path), help="Rows: CSV, JSON, NDJSON, Parquet.")
@click.option("--format", "form", type=click.Choice(["predict", "v1", "v2", "v2-binary"]))
@click.option("--rows", type=int, help="Rows of a request.")
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
    slo: Path | None,
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
    plan = _plan(endpoint, shape, {**said, "format": form, "output": asked})
    folder = out or Path(f"loadtest-{endpoint}")
    if remote:
        files = {"slo": slo, "sample": sample, "compare": compare}
        return _follow_remote(output, plan, folder, files)
    if importlib.util.find_spec("locust") is None:
        raise click.ClickException(INSTALL)
    argv = [sys.executable, "-m", "loadtests", "run", "-", "--out", str(folder)]
    for option, file in (("--objectives", slo), ("--sample", sample), ("--compare", compare)):
        argv += [option, str(file)] if file is not None else []
    return _follow(output, argv, plan)


def _plan(endpoint: str, shape: str, said: dict[str, Any]) -> dict[str, Any]:
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
    objectives = {name: given.pop(name) for name in OBJECTIVES if name in given}
    return {"endpoint": endpoint, "shape": asked, "objectives": objectives, **given}


def _follow(output: Output, argv: list[str], plan: dict[str, Any]) -> int:
    """Run the program, show how it goes, and give its exit code."""
    env = {**os.environ, **({"KUBESERVE_URL": output.url} if output.url else {})}
    with subprocess.Popen(  # noqa: S603  (our own program)
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise AssertionError("both are pipes")
        process.stdin.write(json.dumps(plan))
        process.stdin.close()
        last = _watch(output, _events(process.stdout))
        code = _waited(process)
    return _ended(output, last, code)


def _follow_remote(
    output: Output, plan: dict[str, Any], folder: Path, files: dict[str, Path | None]
) -> int:
    """Have the installation run it, show how it goes, fetch the reports, give the exit code."""
    given = {**plan, **files}
    odd = [name for name in HERE_ALONE if given.get(name) is not None]
    if odd:
        raise click.UsageError(f"--{odd[0]} is for tests from here: leave it out, or --remote")
    with output.client() as client:
        test = client.start_loadtest(**plan)
        followed, watched = remote_loadtest.Followed(client, test.id), False
        while not watched:
            try:
                _watch(output, followed.events())
                watched = True
            except KeyboardInterrupt:  # wherever it came: the test is on another machine
                followed.cancel()
        code, last = remote_loadtest.ended(client, test.id, followed.last, folder)
    return _ended(output, last, code)


def _watch(output: Output, events: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """Show events as they come; gives the last one."""
    last: dict[str, Any] = {}
    with Live(console=output.console, auto_refresh=False, transient=True) as live:
        for event in events:
            last = event
            if output.as_json:
                click.echo(json.dumps(event))
            elif output.console.is_terminal:
                live.update(_view(event), refresh=True)
            elif event["event"] == "waiting":
                output.say(_waiting(event))
    return last


def _ended(output: Output, last: dict[str, Any], code: int) -> int:
    """Say how it ended; gives the exit code."""
    if last.get("event") == "failed":
        return code if output.as_json else fail(str(last["detail"]), code=code)
    if last.get("event") != "finished":
        return fail(f"The load generator ended with {code} and said nothing more.", code=1)
    if not output.as_json:
        _show(output, last)
    return code


def _events(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Read events until there are no more; Ctrl-C ends the test, which still says how it was."""
    while True:
        try:
            yield from map(json.loads, lines)
        except KeyboardInterrupt:
            continue  # The terminal sent it to the program too.
        return


def _waited(process: subprocess.Popen[str]) -> int:
    code = process.wait()
    return 1 if code < 0 else code


def _waiting(event: dict[str, Any]) -> str:
    if event.get("for") == "zero":
        return f"Waiting for zero, burst {event['at']} of {event['of']}"
    return f"Waiting for {event['for']} generators at {event['at']}"


def _view(event: dict[str, Any]) -> Table | str:
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
    said = ", ".join(f"{name} {_figure(latencies[name], 's')}" for name in ("p50", "p95", "p99"))
    output.say(f"{totals['sent']} requests, {totals['sent'] - totals['good']} errors; {said}")
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
    bounds = f"{_figure(one['low'], unit)} to {_figure(one['high'], unit)}"
    return (
        one["objective"],
        SIGNS[one["outcome"]],
        _figure(one["limit"], unit),
        _figure(one["measured"], unit),
        bounds,
        one["samples"],
        one["because"],
    )


def _figure(value: float | None, unit: str) -> str:
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
