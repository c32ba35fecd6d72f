"""Load tests that the installation runs: followed from here, listed, cancelled, their reports."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from controlplane.cli.output import Output, pass_output
from controlplane.client import ApiError, Client, LoadTest, Unreachable

PASSED, FAILED, INCONCLUSIVE, INTERRUPTED = 0, 1, 6, 130
OF_VERDICTS: Final = {"passed": PASSED, "failed": FAILED, "inconclusive": INCONCLUSIVE}
FILES: Final = {
    "html": "report.html",
    "json": "report.json",
    "junit": "junit.xml",
    "csv": "locust_stats.csv",
}
AWAY_S: Final = 60.0  # a control plane that restarts is waited for
AGAIN_S: Final = 1.0


class Followed:
    """A test that is followed. `last`: the event that was given last."""

    def __init__(self, client: Client, test: str) -> None:
        self._client, self._test = client, test
        self._after = 0
        self.last: dict[str, Any] = {}

    def events(self) -> Iterator[dict[str, Any]]:
        """Give what the test tells, to its end; called again, it goes on where it was."""
        away_since = None
        while True:
            try:
                for event in self._client.loadtest_events(self._test, after=self._after):
                    self._after, away_since = event.number, None
                    if event.kind == "ended":
                        return
                    self.last = dict(event.raw)
                    yield self.last
            except Unreachable:
                away_since = away_since or time.monotonic()
                if time.monotonic() - away_since > AWAY_S:
                    raise
                time.sleep(AGAIN_S)

    def cancel(self) -> None:
        """Have it end; it still tells how it was."""
        try:
            self._client.cancel_loadtest(self._test)
        except ApiError as error:
            if error.kind != "conflict":  # it has ended meanwhile
                raise


def ended(
    client: Client, test: str, last: dict[str, Any], folder: Path
) -> tuple[int, dict[str, Any]]:
    """Fetch the reports of a test that has ended; gives its exit code and its last event."""
    found = client.loadtest(test)
    paths = {}
    for form in found.reports:
        path = folder / FILES.get(form, f"report.{form}")
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(client.loadtest_report(test, form))  # type: ignore[arg-type]  # it has it
        paths[form] = str(path)
    if found.state == "failed" or last.get("event") != "finished":
        reason = found.reason or f"The test is {found.state}."
        last = {"event": "failed", "detail": reason}
    return code_of(found), {**last, "reports": paths}


def code_of(test: LoadTest) -> int:
    """Give the exit code of a test that has ended, as a test from here has it."""
    if test.state == "interrupted":
        return INTERRUPTED
    if test.state != "finished":
        return FAILED
    if test.verdict is None:
        return INCONCLUSIVE if test.reason else PASSED
    return OF_VERDICTS[test.verdict]


@click.group(invoke_without_command=True)
@click.pass_context
def loadtests(context: click.Context) -> None:
    """List load tests that the installation ran, cancel them, get their reports."""
    if context.invoked_subcommand is None:
        context.invoke(list_loadtests)


@loadtests.command("list")
@click.argument("endpoint", required=False)
@pass_output
def list_loadtests(output: Output, endpoint: str | None) -> None:
    """List load tests, the newest first; of ENDPOINT if it is named."""
    with output.client() as client:
        found = client.loadtests(endpoint)
    if output.as_json:
        output.document([one.raw for one in found])
        return
    output.table(
        ("ID", "ENDPOINT", "SHAPE", "STATE", "VERDICT", "BY", "AT"),
        map(_row, found),
        empty="There are no load tests. Next: kubeserve loadtest ENDPOINT --rate 100 --remote",
    )


def _row(one: LoadTest) -> tuple[object, ...]:
    shape = one.raw["plan"]["shape"]["kind"]
    return one.id, one.endpoint, shape, one.state, one.verdict, one.created_by, one.created_at


@loadtests.command()
@click.argument("loadtest")
@pass_output
def cancel(output: Output, loadtest: str) -> None:
    """End LOADTEST, its id; what it measured is kept."""
    with output.client() as client:
        found = client.cancel_loadtest(loadtest)
    if output.as_json:
        output.document(found.raw)
        return
    output.say(f"{found.endpoint}'s test is being cancelled; its report follows in a moment.")


@loadtests.command()
@click.argument("loadtest")
@click.option("--format", "form", type=click.Choice(list(FILES)), default="html")
@click.option("--out", type=click.Path(path_type=Path), help="File; by default as in --format.")
@pass_output
def report(output: Output, loadtest: str, form: str, out: Path | None) -> None:
    """Write the report of LOADTEST, its id, into a file."""
    path = out or Path(FILES[form])
    with output.client() as client:
        path.write_bytes(client.loadtest_report(loadtest, form))  # type: ignore[arg-type]  # checked
    output.plain(f"Report: {path}")
