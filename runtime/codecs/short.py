"""The short form, `POST /predict`: rows in, predictions out.

Rows come as a list of lists, a list of objects, one object, or under "rows", "instances", "data" or
"inputs" of an object; with "columns" beside it, "data" is pandas' split form. CSV is read too.
"""

import csv
import io
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from runtime.codecs.answers import dump, values
from runtime.codecs.frames import from_columns, from_rows
from runtime.codecs.request import Call, ModelInfo, check_rows, outputs_asked, parse
from runtime.plan.ops import Array
from runtime.plan.signature import Kind, Signature
from runtime.problems import InvalidInput, Malformed

ROW_KEYS: Final = ("rows", "instances", "data", "inputs")
BLANK: Final = frozenset({"", "na", "nan", "null", "none"})


def decode(body: bytes, signature: Signature, *, max_rows: int) -> Call:
    """Read a JSON body; raises Malformed, InvalidInput or TooLarge."""
    document = parse(body)
    asked = None
    if isinstance(document, dict):
        rows, asked = _of_object(document)
    elif isinstance(document, list):
        rows = document
    else:
        raise Malformed("The body must be a list of rows or an object.")
    check_rows(len(rows), max_rows)
    outputs = outputs_asked(asked, signature)
    return Call(from_rows(rows, signature), len(rows), outputs, picked=asked is not None)


def _of_object(document: dict[str, Any]) -> tuple[list[Any], Any]:
    key = next((key for key in ROW_KEYS if isinstance(document.get(key), list)), None)
    if key is None:
        return [document], None  # one row by column names
    rows, columns = document[key], document.get("columns")
    if columns is None:
        return rows, document.get("outputs")
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise InvalidInput('"columns" must be a list of names.')
    for i, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(columns):
            raise InvalidInput(
                f"row {i}: must be a list of {len(columns)} values, one for each of columns",
                errors=[{"row": i, "detail": f"must be a list of {len(columns)} values"}],
            )
    return [dict(zip(columns, row, strict=True)) for row in rows], document.get("outputs")


def decode_csv(body: bytes, signature: Signature, *, max_rows: int) -> Call:
    """Read CSV (RFC 4180, UTF-8); a first line with the columns' names is recognised."""
    try:
        lines = [line for line in csv.reader(io.StringIO(body.decode("utf-8-sig"))) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Malformed(f"The body is not CSV in UTF-8: {error}") from error
    names = [column.name for column in signature.columns]
    order = _header(lines[0], names) if lines else None
    rows = lines[1:] if order is not None else lines
    check_rows(len(rows), max_rows)
    width = len(lines[0]) if lines else 0
    for i, row in enumerate(rows):
        if len(row) != (width if order is not None else len(names)):
            detail = f"has {len(row)} values, this model takes {len(names)}"
            raise InvalidInput(f"row {i}: {detail}", errors=[{"row": i, "detail": detail}])
    places = order if order is not None else list(range(len(names)))
    columns = [
        [_cell(row[place], column.kind) for row in rows]
        for place, column in zip(places, signature.columns, strict=True)
    ]
    return Call(from_columns(columns, signature), len(rows), outputs_asked(None, signature))


def _header(line: list[str], names: list[str]) -> list[int] | None:
    """Give each column's place if the line names them all; extra columns are refused."""
    cleaned = [cell.strip() for cell in line]
    if not set(names) <= set(cleaned):
        return None
    extra = [cell for cell in cleaned if cell not in names]
    if extra:
        raise InvalidInput(
            f"This model has no column {extra[0]!r}.",
            errors=[{"column": extra[0], "detail": "this model has no such column"}],
        )
    return [cleaned.index(name) for name in names]


def _cell(text: str, kind: Kind) -> Any:
    if text.strip().lower() in BLANK:
        return None
    if kind is Kind.STRING:
        return text
    try:
        return float(text)
    except ValueError:
        return text


def encode_answer(call: Call, results: Mapping[str, Array], model: ModelInfo) -> bytes:
    """Write the answer, with who gave it."""
    who = {"model": model.model, "version": model.version, "revision": model.revision}
    if len(call.outputs) == 1:
        return dump({"predictions": values(results[call.outputs[0]]), **who})
    return dump({"outputs": {name: values(results[name]) for name in call.outputs}, **who})


def encode_call(rows: Any, outputs: tuple[str, ...] | None = None) -> bytes:
    """Write a request: rows are lists, an array, or objects by column name."""
    document: dict[str, Any] = {"rows": rows}
    if outputs is not None:
        document["outputs"] = list(outputs)
    return dump(document)


def decode_answer(body: bytes, outputs: tuple[str, ...] | None = None) -> Array | dict[str, Array]:
    """Read an answer: one array, or one for each of several outputs."""
    document = parse(body)
    if outputs is None or len(outputs) == 1:
        return np.array(document["predictions"])
    return {name: np.array(document["outputs"][name]) for name in outputs}
