"""`kubeserve predict`: rows from the command line, a JSON file, a CSV file, or a line each."""

import json
import sys
from collections.abc import Callable, Iterator
from typing import IO, Any, Final

import click
import numpy as np

from controlplane.cli.output import Output, pass_output, read
from controlplane.client import ApiError
from runtime.codecs import short
from runtime.plan.ops import Frame
from runtime.plan.signature import Signature
from runtime.problems import Problem

LINES: Final = (".ndjson", ".jsonl")


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
@click.option("--lines", is_flag=True, help="The file has a row a line, as .ndjson and .jsonl do.")
@pass_output
def predict(
    output: Output,
    endpoint: str,
    file: str | None,
    data: str | None,
    outputs: tuple[str, ...],
    tag: str | None,
    lines: bool,
) -> None:
    """Predict rows from --data, a .json file or a .csv file (`-` for standard input).

    A .csv file may name its columns in its first line; the endpoint's columns tell what is text.

    A .ndjson file has a row of JSON a line and any number of lines; predictions come a line each.
    """
    if data is None and file is not None and (lines or file.endswith(LINES)):
        _stream(output, endpoint, file, outputs, tag)
        return
    if (file is None) == (data is None):
        raise click.UsageError("give rows either as --data or as a file, e.g. rows.csv")
    given = None if data is None else _json(data, "--data")
    with output.client() as client:
        try:
            rows = (
                given if file is None else _rows(file, lambda: client.signature(endpoint, tag=tag))
            )
            answer = client.predict(endpoint, rows, output=list(outputs) or None, tag=tag)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    output.document(_plain(answer), indent=None)


def _stream(
    output: Output, endpoint: str, file: str, outputs: tuple[str, ...], tag: str | None
) -> None:
    """Predict a line at a time; what was predicted before an error is printed before it."""
    with output.client() as client, click.open_file(file, "rb") as source:
        rows = _lines(source, file)
        try:
            for found in client.predict_stream(endpoint, rows, list(outputs) or None, tag=tag):
                sys.stdout.write(json.dumps(found) + "\n")
        except (TypeError, ValueError) as error:
            raise click.UsageError(str(error)) from error


def _lines(source: IO[bytes], file: str) -> Iterator[Any]:
    for number, text in enumerate(source, 1):
        if text.strip():
            yield _json(text, f"line {number} of {file}")


def rows_of(file: str, signature: Callable[[], Signature]) -> list[Any]:
    """Read the rows of a file: .csv, .json, or a row of JSON a line.

    signature  what the endpoint takes, asked for where cells do not tell what they are: in CSV
    """
    if file.endswith(LINES):
        with click.open_file(file, "rb") as source:
            return [*_lines(source, file)]
    rows = _rows(file, signature)
    if isinstance(rows, dict):
        rows = rows.get("instances")
    if not isinstance(rows, list):
        raise click.BadParameter(f"{file} holds no list of rows")
    return rows


def _rows(file: str, signature: Callable[[], Signature]) -> Any:
    text = read(file)
    if file.endswith(".csv") or (file == "-" and not text.lstrip().startswith(("[", "{"))):
        return _csv(text, signature())
    return _json(text, file)


def _json(text: str | bytes, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"{where} is not JSON: {error}") from error


def _csv(text: str, signature: Signature) -> list[list[Any]]:
    """Read rows as `POST /predict` reads text/csv: what a cell is, its column tells."""
    try:
        inputs = short.decode_csv(text.encode(), signature, max_rows=sys.maxsize).inputs
    except Problem as problem:
        raise ApiError(problem.body()) from problem
    if not isinstance(inputs, Frame):
        return list(inputs.tolist())
    return list(map(list, zip(*(column.tolist() for column in inputs.columns), strict=True)))


def _plain(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {name: _plain(value) for name, value in answer.items()}
    return np.asarray(answer).tolist()
