"""`payloads`, `drift`: what callers sent, as Parquet, and how far it is from the training data."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from controlplane.cli.models import size
from controlplane.cli.moments import MOMENT, check_order
from controlplane.cli.numbers import Range
from controlplane.cli.output import Output, pass_output, read, styled
from controlplane.cli.training import columns_of
from controlplane.client import PayloadFile

MARKS: Final = {"major": "red", "moderate": "yellow", "stable": "green", "inconclusive": "dim"}


@click.group()
def payloads() -> None:
    """Log a share of an endpoint's requests, without what is personal, and take it away."""


@payloads.command()
@click.argument("endpoint")
@click.option("--sample", type=Range(0, 1, min_open=True), required=True, help="Share.")
@click.option("--redact", multiple=True, metavar="COLUMN", help="Never logged; may be repeated.")
@click.option("--hash", "hashed", multiple=True, metavar="COLUMN", help="Logged as a keyed hash.")
@click.option("--no-predictions", is_flag=True, help="Do not log what was answered.")
@click.option("--keep", "retention_days", type=click.IntRange(1), default=30, show_default=True,
              metavar="DAYS")  # fmt: skip
@click.option("--max-mb-per-day", type=click.IntRange(1), default=1024, show_default=True)
@pass_output
def on(
    output: Output,
    /,
    endpoint: str,
    sample: float,
    redact: tuple[str, ...],
    hashed: tuple[str, ...],
    **more: Any,
) -> None:
    """Log requests of ENDPOINT from now on, in place of what was said."""
    with output.client() as client:
        found = client.set_payload_log(
            endpoint,
            sample,
            redact=redact,
            hash=hashed,
            predictions=not more["no_predictions"],
            retention_days=more["retention_days"],
            max_bytes_per_day=more["max_mb_per_day"] << 20,
        )
    if output.as_json:
        output.document(found)
        return
    left_out = f", without {', '.join(redact)}" if redact else ""
    part = "All" if sample == 1 else f"{100 * sample:.4g} %"
    output.plain(f"{part} of {endpoint}'s requests are logged{left_out}.")
    output.say(f"Next: kubeserve payloads list {endpoint}")


@payloads.command()
@click.argument("endpoint")
@pass_output
def off(output: Output, endpoint: str) -> None:
    """Log nothing of ENDPOINT any more; files stay until they expire, or are deleted."""
    with output.client() as client:
        client.stop_payload_log(endpoint)
    output.say(f"Nothing of {endpoint} is logged any more.")


@payloads.command()
@click.argument("endpoint")
@pass_output
def show(output: Output, endpoint: str) -> None:
    """Tell what of ENDPOINT is logged, and what was logged and dropped by day."""
    with output.client() as client:
        found = client.payload_log(endpoint)
    if output.as_json:
        output.document(found)
        return
    settings = found["settings"]
    if settings is None:
        output.plain(f"Off. Next: kubeserve payloads on {endpoint} --sample 0.1")
    else:
        output.plain(", ".join(f"{name} {value}" for name, value in settings.items()))
    reasons = ("buffer_full", "too_large", "lost", "over_limit")
    output.table(
        ("DAY", "REQUESTS", "CHOSEN", "LOGGED", "SIZE", "FULL", "TOO LARGE", "LOST", "OVER LIMIT"),
        (
            (day["day"], day["seen"], day["sampled"], day["logged"], size(day["size_bytes"]),
             *(day["dropped"][reason] for reason in reasons))
            for day in found["days"]
        ),
        empty="Nothing was logged in the last 30 days.",
    )  # fmt: skip


@payloads.command("list")
@click.argument("endpoint")
@click.option("--since", type=MOMENT, help="Requests from this time on: 2026-11-30, or 1d ago.")
@click.option("--until", type=MOMENT, help="Requests before this time.")
@pass_output
def list_files(
    output: Output, endpoint: str, since: datetime | None, until: datetime | None
) -> None:
    """List files of logged requests, the newest first."""
    check_order(since, until)
    with output.client() as client:
        found = client.payloads(endpoint, since=since, until=until)
    if output.as_json:
        output.document([one.raw for one in found])
        return
    output.table(
        ("FILE", "FROM", "TO", "REVISION", "REQUESTS", "ROWS", "SIZE"),
        map(_row, found),
        empty="No files yet. One is made within a minute or two of a logged request.",
    )


def _row(one: PayloadFile) -> tuple[object, ...]:
    return (
        one.id,
        one.first_at,
        one.last_at,
        one.revision,
        one.requests,
        one.rows,
        size(one.size_bytes),
    )


@payloads.command()
@click.argument("endpoint")
@click.option("--since", type=MOMENT, help="Requests from this time on: 2026-11-30, or 1d ago.")
@click.option("--until", type=MOMENT, help="Requests before this time.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("payloads"),
              show_default=True)  # fmt: skip
@pass_output
def get(
    output: Output, endpoint: str, since: datetime | None, until: datetime | None, out: Path
) -> None:
    """Download files into folders; `pandas.read_parquet` reads one at once.

    A version has one, and another one for what was left out or hashed otherwise: only files of the
    same columns can be read as one.
    """
    check_order(since, until)
    with output.client() as client:
        found = client.payloads(endpoint, since=since, until=until)
        written = []
        for one in found:
            place = out / endpoint / one.folder / f"date={one.day}" / f"{one.id}.parquet"
            place.parent.mkdir(parents=True, exist_ok=True)
            part = place.with_suffix(".part")
            part.write_bytes(client.payload_file(endpoint, one.id))
            part.rename(place)
            written.append(str(place))
    if output.as_json:
        output.document(written)
        return
    output.plain(f"{len(written)} files, {sum(one.rows for one in found)} rows, in {out}.")
    for folder in dict.fromkeys(one.folder for one in found):
        output.say(f'Next: pandas.read_parquet("{out / endpoint / folder}")')


@payloads.command()
@click.argument("endpoint")
@click.option("--before", type=MOMENT, help="Only files whose requests all came before this time.")
@click.confirmation_option("--yes", prompt="Delete what was logged?")
@pass_output
def delete(output: Output, endpoint: str, before: datetime | None) -> None:
    """Delete files of logged requests for good."""
    with output.client() as client:
        many = client.delete_payloads(endpoint, before=before)
    if output.as_json:
        output.document({"files": many})
        return
    output.say(f"{many} files are deleted.")


@click.command()
@click.argument("endpoint")
@click.option("--hours", type=click.IntRange(1, 720), default=24, show_default=True)
@click.option("--against", type=MOMENT, help="Compare with a window from this time on ...")
@click.option("--until", type=MOMENT, help="... to this one, from now on; without it, to now.")
@click.option("--no-window", is_flag=True, help="Compare with training data, or the first rows.")
@pass_output
def drift(
    output: Output,
    endpoint: str,
    hours: int,
    against: datetime | None,
    until: datetime | None,
    no_window: bool,
) -> None:
    """Show how far ENDPOINT's requests are from its reference, the worst column first."""
    with output.client() as client:
        if no_window:
            client.forget_drift_window(endpoint)
        if against is not None:
            client.set_drift_window(endpoint, against, until)
        found = client.drift(endpoint, hours=hours)
    if output.as_json:
        output.document(found)
        return
    output.plain(found["message"])
    if found["columns"]:
        output.table(
            ("COLUMN", "", "LEVEL", "PSI", "MISSING", "REFERENCE", "WHY"),
            map(_drifted, found["columns"]),
            empty="",
        )


def _drifted(column: dict[str, Any]) -> tuple[object, ...]:
    mark = MARKS.get(column["level"], "bold")
    psi = column["psi"]
    return (
        column["name"],
        column["role"],
        styled(column["level"], mark),
        None if psi is None else f"{psi:.3f}",
        f"{column['missing_reference']:.1%} → {column['missing']:.1%}",
        column["reference"],
        column["evidence"],
    )


@click.command("drift-reference")
@click.argument("version", metavar="MODEL:VERSION")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@pass_output
def drift_reference(output: Output, version: str, file: str) -> None:
    """Tell what MODEL:VERSION was trained on, from a CSV file with a line of names.

    Shares of bins and common values are sent, no rows; columns that are not the model's, as the
    target, are left out.
    """
    data = columns_of(read(file))
    with output.client() as client:
        try:
            found = client.set_reference(version, data)
        except ValueError as error:
            raise click.UsageError(f"{file}: {error}") from error
    if output.as_json:
        output.document(found)
        return
    output.plain(f"Drift of {version} is measured against {found['rows']} rows from now on.")


COMMANDS = (payloads, drift, drift_reference)
