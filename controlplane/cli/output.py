"""What commands print: tables for people, JSON for programs, errors on standard error."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from controlplane.client import Cause, Client

_errors = Console(stderr=True, highlight=False, soft_wrap=True)


def fail(message: str, *, errors: Sequence[Mapping[str, Any]] = (), code: int) -> int:
    """Print an error for a person and give the exit code back."""
    _errors.print("[red]error:[/red]", end=" ")
    _errors.print(message, markup=False)
    for fault in errors[:20]:
        place = ", ".join(f"{k} {fault[k]}" for k in ("row", "column") if fault.get(k) is not None)
        _errors.print(
            f"  {place}: {fault.get('detail', '')}" if place else f"  {fault}", markup=False
        )
    return code


@dataclass
class Output:
    """How this call wants its output, and the address it was given."""

    as_json: bool
    url: str | None
    console: Console = field(default_factory=lambda: console_for_output())

    def client(self) -> Client:
        """Open the SDK with the address of this call."""
        return Client(url=self.url)

    def say(self, message: str) -> None:
        """Tell a person something; programs do not see it."""
        if not self.as_json:
            self.console.print(message)

    def plain(self, text: str) -> None:
        """Print text of others as it is: its brackets are no markup."""
        self.console.print(text, markup=False)

    def document(self, value: Any, *, indent: int | None = 2) -> None:
        """Print one JSON document."""
        click.echo(json.dumps(value, indent=indent, default=str))

    def table(
        self, headings: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str
    ) -> None:
        """Print a table, or what to do when there is nothing to show."""
        listed = [[cell(value) for value in row] for row in rows]
        if not listed:
            self.console.print(empty)
            return
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for heading in headings:
            table.add_column(heading, overflow="fold")
        for row in listed:
            table.add_row(*row)
        self.console.print(table)

    def cause(self, cause: Cause) -> int:
        """Print why something is as it is; gives the exit code, 1 if something is wrong."""
        if self.as_json:
            self.document(cause.raw)
            return 0 if cause.ok else 1
        colour = "green" if cause.ok else "red"
        self.console.print(f"[{colour}]{cause.reason}[/{colour}]", end=" ")
        self.plain(cause.message)
        for fact in cause.evidence:
            self.plain(f"  {fact}")
        if cause.next_step:
            self.plain(f"Next: {cause.next_step}")
        return 0 if cause.ok else 1

    def progress(self) -> Progress:
        """Make a progress bar of bytes; it stays silent for programs."""
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=self.as_json,
        )


def console_for_output() -> Console:
    """Write as wide as the terminal; into a pipe or file as wide as it takes."""
    console = Console(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=300)


def cell(value: object) -> str:
    """Write one value the way people read it."""
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.1f}"
    return str(value)


pass_output = click.make_pass_decorator(Output)


def read(file: str) -> str:
    """Give the text of a file, or of standard input for `-`."""
    return sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
