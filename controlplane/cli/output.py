"""What commands print: tables for people, JSON for programs, errors on standard error."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from controlplane.client import Cause, Client

# What tells a terminal to do something, instead of being shown by it.
CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
FAULTS: Final = 20  # of a refusal that are told


def _console(**more: Any) -> Console:
    """Give a console that takes text as it is: its brackets and colons mean nothing."""
    return Console(highlight=False, soft_wrap=True, markup=False, emoji=False, **more)


_errors = _console(stderr=True)


def styled(words: str, style: str) -> Text:
    """Give text as it is, from wherever it comes, in a style."""
    return Text(CONTROLS.sub(_visible, words), style)


def text(*parts: str | Text) -> Text:
    """Give text as it is, from wherever it comes; parts may be `styled`."""
    return Text.assemble(*(styled(part, "") if isinstance(part, str) else part for part in parts))


def _visible(command: re.Match[str]) -> str:
    return f"\\x{ord(command[0]):02x}"


def fail(message: str, *, errors: Sequence[Mapping[str, Any]] = (), code: int) -> int:
    """Print an error for a person and give the exit code back."""
    _errors.print(text(styled("error:", "red"), f" {message}"))
    for fault in errors[:FAULTS]:
        if not message.startswith(told := sentence(fault)):
            _errors.print(text(f"  {told}"))
    if len(errors) > FAULTS:
        _errors.print(text(f"  and {len(errors) - FAULTS} more"))
    return code


def sentence(fault: Mapping[str, Any]) -> str:
    """Say one fault of a refusal, and where it is."""
    place = [] if fault.get("row") is None else [f"row {fault['row']}"]
    place += [] if fault.get("column") is None else [f'column "{fault["column"]}"']
    place += [] if not fault.get("field") else [str(fault["field"])]
    return ": ".join(filter(None, (", ".join(place), str(fault.get("detail") or ""))))


@dataclass
class Output:
    """How this call wants its output, and the address it was given."""

    as_json: bool
    url: str | None
    console: Console = field(default_factory=lambda: console_for_output())

    def client(self) -> Client:
        """Open the SDK with the address of this call."""
        return Client(url=self.url)

    def say(self, *parts: str | Text) -> None:
        """Tell a person something; programs do not see it."""
        if not self.as_json:
            self.plain(*parts)

    def plain(self, *parts: str | Text) -> None:
        """Print text as it is; parts may be `styled`."""
        self.console.print(text(*parts))

    @contextmanager
    def waiting(self, message: str) -> Iterator[Callable[[str], None]]:
        """Show that something is waited for; gives what changes the message."""
        with self.console.status(text(message)) as status:
            yield lambda now: status.update(text(now))

    def document(self, value: Any, *, indent: int | None = 2) -> None:
        """Print one JSON document."""
        click.echo(json.dumps(value, indent=indent, default=str))

    def table(
        self, headings: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str
    ) -> None:
        """Print a table, or what to do when there is nothing to show."""
        listed = [[cell(value) for value in row] for row in rows]
        if not listed:
            self.plain(empty)
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
        self.plain(styled(cause.reason, colour), f" {cause.message}")
        for fact in cause.evidence:
            self.plain(f"  {fact}")
        if cause.next_step:
            self.plain(f"Next: {cause.next_step}")
        return 0 if cause.ok else 1

    def progress(self) -> Progress:
        """Make a progress bar of bytes; it stays silent for programs."""
        return Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=_console(stderr=True),
            transient=True,
            disable=self.as_json,
        )


def console_for_output() -> Console:
    """Write as wide as the terminal; into a pipe or file as wide as it takes."""
    console = _console()
    return console if console.is_terminal else _console(width=300)


def cell(value: object) -> Text:
    """Write one value the way people read it."""
    if isinstance(value, Text):
        return value
    if isinstance(value, datetime):
        return text(value.astimezone().strftime("%Y-%m-%d %H:%M:%S"))
    if value is None:
        return text("-")
    return text(f"{value:.1f}" if isinstance(value, float) else str(value))


pass_output = click.make_pass_decorator(Output)


def read(file: str) -> str:
    """Give the text of a file, or of standard input for `-`; raises click.UsageError."""
    with click.open_file(file, encoding="utf-8-sig") as source:
        try:
            return str(source.read())
        except UnicodeDecodeError as error:
            raise click.UsageError(
                f"{file} is no text in UTF-8. Save it as UTF-8, or name another file."
            ) from error
