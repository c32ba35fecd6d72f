"""CSV to a model's input (RFC 4180, UTF-8), for the short form.

The first line is a header when all its cells are names of columns, or all names are among them.
"""

import csv
import io
import math
from typing import Final

from runtime.codecs.frames import Layout, from_columns, layout_of
from runtime.codecs.request import Body, Call, Faults, check_rows, outputs_asked, refused
from runtime.plan.signature import Column, Kind, Signature
from runtime.problems import Malformed

BLANK: Final = frozenset({"", "na", "n/a", "nan", "null", "none"})


def decode_csv(body: Body, signature: Signature, *, max_rows: int, outputs: object = None) -> Call:
    """Read a CSV body; raises Malformed, InvalidInput or TooLarge. `outputs`: names, or none."""
    asked = outputs_asked(outputs, signature)
    lines = _lines(body)
    layout = layout_of(signature)
    order = _header(lines[0], layout) if lines else None
    rows = lines[1:] if order is not None else lines
    check_rows(len(rows), max_rows)
    places = order if order is not None else list(range(layout.width))
    _check_widths(rows, len(lines[0]) if order is not None else layout.width)
    columns = [
        [None if place is None else _cell(row[place], column) for row in rows]
        for place, column in zip(places, signature.columns, strict=True)
    ]
    inputs = from_columns(columns, signature, finite=False)
    return Call(inputs, len(rows), asked, picked=outputs is not None)


def _lines(body: Body) -> list[list[str]]:
    try:
        text = io.StringIO(str(body, "utf-8-sig"), newline="")
        return [line for line in csv.reader(text, strict=True) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Malformed(f"The body is not CSV in UTF-8: {error}") from error


def _header(line: list[str], layout: Layout) -> list[int | None] | None:
    """Give each column's place (None: not there) if the line names them."""
    cells = [cell.strip() for cell in line]
    names = set(layout.index)
    if not (set(cells) <= names or names <= set(cells)):
        return None
    columns = layout.signature.columns
    faults = [
        {"column": cell, "detail": "this model has no such column"}
        for cell in cells
        if cell not in names
    ]
    faults += [
        {"column": column.name, "detail": "is not there, and this model needs it"}
        for column in columns
        if column.name not in cells and not column.missing
    ]
    if len(set(cells)) < len(cells):
        faults.append({"detail": "the header names a column twice"})
    if faults:
        raise refused(faults)
    at = {cell: i for i, cell in enumerate(cells)}
    return [at.get(column.name) for column in columns]


def _check_widths(rows: list[list[str]], width: int) -> None:
    faults = Faults()
    for i, row in enumerate(rows):
        if len(row) != width:
            faults.add(f"has {len(row)} values, not {width}", i)
    if faults.found:
        raise faults.problem()


def _cell(text: str, column: Column) -> float | str | None:
    if column.kind is Kind.STRING:
        return None if column.missing and text.strip().lower() in BLANK else text
    if text.strip().lower() in BLANK:
        return None
    if "_" in text:
        return text  # float() would read 1_000 as a number
    try:
        number = float(text)
    except ValueError:
        return text
    # A number that is infinite is a fault; in a column of anything it is a word like others.
    return text if column.kind is Kind.ANY and math.isinf(number) else number
