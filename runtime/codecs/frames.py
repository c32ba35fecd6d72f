"""Rows and columns of JSON values to a model's input, with every fault named by row and column.

Numeric models take the fast way: one call of numpy over the parsed lists. Only when that does not
give what the signature wants does the slow way look at each cell and say what is wrong.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from runtime.codecs.request import Faults
from runtime.plan.ops import Array, Float64Matrix, Frame, Inputs
from runtime.plan.signature import Column, Kind, Signature

NUMBERS = frozenset({float, int})
NUMBERS_OR_NULL = NUMBERS | {type(None)}


def from_rows(rows: list[Any], signature: Signature) -> Inputs:
    """Read rows: lists by position, or objects by column name."""
    if signature.numeric and rows and type(rows[0]) is list:
        matrix = _matrix(rows, signature)
        if matrix is not None:
            return matrix
    if not rows:
        return _empty(signature)
    return _slow(rows, signature)


def from_columns(columns: Sequence[Sequence[Any]], signature: Signature) -> Inputs:
    """Read columns in the signature's order, each a sequence of cells of the same length."""
    faults = Faults()
    arrays = tuple(
        _column(cells, column, faults)
        for cells, column in zip(columns, signature.columns, strict=True)
    )
    if faults.found:
        raise faults.problem()
    return _assemble(arrays, signature)


def _matrix(rows: list[Any], signature: Signature) -> Float64Matrix | None:
    """Give the matrix if every cell is a plain number of the right kind; None: look closer."""
    width = len(signature.columns)
    missing = all(column.missing for column in signature.columns)
    allowed = NUMBERS_OR_NULL if missing else NUMBERS
    # Type checks first: numpy would take true for 1.0 and "3" for 3.0 without a word.
    for row in rows:
        if type(row) is not list or len(row) != width or not allowed.issuperset(map(type, row)):
            return None
    try:
        matrix: Float64Matrix = np.array(rows, np.float64)
    except (OverflowError, ValueError):
        return None
    # Infinities come from 1e400.
    good = ~np.isinf(matrix) if missing else np.isfinite(matrix)
    return matrix if good.all() else None


def _empty(signature: Signature) -> Inputs:
    if signature.numeric:
        return np.empty((0, len(signature.columns)))
    return Frame(
        tuple(
            np.empty(0, np.float64 if column.kind is Kind.NUMBER else object)
            for column in signature.columns
        )
    )


def _slow(rows: list[Any], signature: Signature) -> Inputs:
    faults = Faults()
    names = [column.name for column in signature.columns]
    cells: list[list[Any]] = [[] for _ in names]
    for i, row in enumerate(rows):
        if faults.full:
            break
        values = _cells(i, row, signature, names, faults)
        for column, value in zip(cells, values, strict=True):
            column.append(value)
    arrays = tuple(
        _column(column, spec, faults) for column, spec in zip(cells, signature.columns, strict=True)
    )
    if faults.found:
        raise faults.problem()
    return _assemble(arrays, signature)


MISSING = object()


def _cells(
    i: int, row: Any, signature: Signature, names: list[str], faults: Faults
) -> Sequence[Any]:
    """Give a row's cells in the signature's order; faults of its shape are noted."""
    blank = [MISSING] * len(names)
    if isinstance(row, dict):
        for name in row:
            if name not in names:
                faults.add("this model has no such column", i, str(name))
        for column in signature.columns:
            if column.name not in row and not column.missing:
                faults.add("is not there, and this model needs it", i, column.name)
        return [
            row.get(column.name, None if column.missing else MISSING)
            for column in signature.columns
        ]
    if not isinstance(row, list):
        if len(names) == 1:
            return [row]
        faults.add(f"must be a list of {len(names)} values or an object, is {_say(row)}", i)
        return blank
    if len(row) != len(names):
        faults.add(f"has {len(row)} values, this model takes {len(names)}", i)
        return blank
    return row


def _column(cells: Sequence[Any], column: Column, faults: Faults) -> Array:
    """Read one column's cells: float64, or object of str and None."""
    if column.kind is Kind.NUMBER:
        return _numbers(cells, column, faults)
    array = np.empty(len(cells), object)
    for i, cell in enumerate(cells):
        array[i] = _text(i, cell, column, faults)
    return array


def _numbers(cells: Sequence[Any], column: Column, faults: Faults) -> Array:
    array = np.zeros(len(cells))
    for i, cell in enumerate(cells):
        if type(cell) in NUMBERS:
            array[i] = _finite(i, cell, column, faults)
        elif cell is None:
            if not column.missing:
                faults.add(
                    "is missing, and this model does not take missing values", i, column.name
                )
            array[i] = np.nan
        elif cell is not MISSING:
            faults.add(f"{_say(cell)} is not a number", i, column.name)
    return array


def _finite(i: int, cell: float, column: Column, faults: Faults) -> float:
    try:
        value = float(cell)
    except OverflowError:
        value = math.inf
    if math.isnan(value) and column.missing:
        return value
    if not math.isfinite(value):
        faults.add(f"{_say(cell)} is not a finite number", i, column.name)
    return value


def _text(i: int, cell: Any, column: Column, faults: Faults) -> str | float | None:
    if isinstance(cell, str) or cell is MISSING:
        return cell if isinstance(cell, str) else None
    if cell is None:
        if not column.missing:
            faults.add("is missing, and this model does not take missing values", i, column.name)
        return None
    if column.kind is Kind.ANY and type(cell) in NUMBERS | {bool}:
        return cell  # type: ignore[no-any-return]  # one of the three types named above
    faults.add(f"{_say(cell)} is not a string", i, column.name)
    return None


def _assemble(arrays: tuple[Array, ...], signature: Signature) -> Inputs:
    if signature.numeric:
        return np.ascontiguousarray(np.column_stack(arrays))
    return Frame(arrays)


def _say(cell: Any) -> str:
    """Name a cell in a sentence, cut short."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if cell is None:
        return "null"
    if isinstance(cell, list):
        return "a list"
    if isinstance(cell, dict):
        return "an object"
    text = f'"{cell}"' if isinstance(cell, str) else str(cell)
    return text if len(text) <= 60 else text[:57] + "..."
