"""`kubeserve predict`: rows from the command line, a JSON file or a CSV file."""

import csv
import io
import json
from typing import Any

import click
import numpy as np

from controlplane.cli.output import Output, pass_output, read


@click.command()
@click.argument("endpoint")
@click.argument(
    "file",
    required=False,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=str),
)
@click.option("--data", help='Rows as JSON: [[5.1, 3.5], ...] or [{"age": 41}, ...].')
@click.option("--output", "outputs", multiple=True, help="predict, predict_proba, ...; repeatable.")
@click.option("--tag", help="Ask the revision of this tag only; see `kubeserve traffic`.")
@pass_output
def predict(
    output: Output,
    endpoint: str,
    file: str | None,
    data: str | None,
    outputs: tuple[str, ...],
    tag: str | None,
) -> None:
    """Predict rows from --data, a .json file or a .csv file (`-` for standard input)."""
    rows = _rows(file, data)
    with output.client() as client:
        try:
            answer = client.predict(endpoint, rows, output=list(outputs) or None, tag=tag)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    output.document(_plain(answer), indent=None)


def _rows(file: str | None, data: str | None) -> Any:
    if (file is None) == (data is None):
        raise click.UsageError("give rows either as --data or as a file, e.g. rows.csv")
    if data is not None or file is None:
        return _json(data or "", "--data")
    text = read(file)
    if file.endswith(".csv") or (file == "-" and not text.lstrip().startswith(("[", "{"))):
        return _csv(text)
    return _json(text, file)


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"{where} is not JSON: {error}") from error


def _csv(text: str) -> list[Any]:
    """Read rows; a first line that is not numbers holds the column names."""
    lines = [line for line in csv.reader(io.StringIO(text)) if line]
    if not lines:
        return []
    if all(isinstance(_cell(cell), float) for cell in lines[0]):
        return [[_cell(cell) for cell in line] for line in lines]
    names = lines[0]
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(names):
            raise click.ClickException(
                f"line {number} has {len(line)} values, the header names {len(names)}"
            )
    return [dict(zip(names, map(_cell, line), strict=True)) for line in lines[1:]]


def _cell(text: str) -> float | str | None:
    if text.strip().lower() in ("", "na", "nan", "null"):
        return None
    try:
        return float(text)
    except ValueError:
        return text


def _plain(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {name: _plain(value) for name, value in answer.items()}
    return np.asarray(answer).tolist()
