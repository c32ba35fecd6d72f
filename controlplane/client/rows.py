"""What people hold in their hands to rows that can be sent.

Taken: lists of rows, objects by column name (one, or a list of them), columns by name, numpy
arrays, data frames. pandas is never imported: whoever passes a frame has it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from runtime.plan.ops import Array

Cell = float | str | None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows to predict: by position (`names` is None) or by column name."""

    names: tuple[str, ...] | None
    rows: Any  # a float64 matrix, or a list of lists

    @property
    def numbers(self) -> bool:
        """True when every cell is a number or missing."""
        return isinstance(self.rows, np.ndarray)


def table(data: Any) -> Table:
    """Read what was given to `predict`; raises TypeError or ValueError that say what to pass."""
    if hasattr(data, "columns") and hasattr(data, "to_dict"):
        return _frame(data)
    if isinstance(data, Mapping):
        return _mapping(data)
    if hasattr(data, "__array__"):
        return _array(np.asarray(data))
    if isinstance(data, str | bytes) or not isinstance(data, Sequence):
        raise TypeError(
            f"predict takes rows (a list of lists or of objects, an array, a data frame), "
            f"not {type(data).__name__}"
        )
    rows = list(data)
    if any(isinstance(row, Mapping) for row in rows):
        return _records(rows)
    if rows and not all(hasattr(row, "__len__") and not isinstance(row, str) for row in rows):
        raise ValueError("predict takes a list of rows; for one row write [[1.0, 2.0, ...]]")
    return _positional([[_cell(cell) for cell in row] for row in rows])


def _array(array: Array) -> Table:
    if array.ndim != 2:
        raise ValueError(
            f"predict takes an array of shape (rows, columns), not {array.shape}; "
            "for one row write x.reshape(1, -1)"
        )
    if array.dtype.kind in "fiub":
        return Table(None, _finite(np.ascontiguousarray(array, np.float64)))
    return _positional([[_cell(cell) for cell in row] for row in array.tolist()])


def _positional(rows: list[list[Cell]]) -> Table:
    return Table(None, _matrix(rows) if rows else rows)


def _matrix(rows: list[list[Cell]]) -> Any:
    """Give a matrix where it can be one without a change: a ragged row is the server's to name."""
    width = len(rows[0])
    if any(len(row) != width or any(isinstance(cell, str) for cell in row) for row in rows):
        return rows
    try:
        return np.array(rows, np.float64)
    except OverflowError as error:
        raise ValueError(f"a number is too large for float64: {error}") from error


def _finite(matrix: Array) -> Array:
    """Refuse infinities: JSON has none, and null would make them missing values."""
    places = np.argwhere(np.isinf(matrix))
    if len(places):
        row, column = places[0].tolist()
        raise ValueError(f"row {row}, column {column}: infinity cannot be sent")
    return matrix


def _mapping(data: Mapping[Any, Any]) -> Table:
    if data and all(_is_column(value) for value in data.values()):
        columns = [[_cell(cell) for cell in value] for value in data.values()]
        if len({len(column) for column in columns}) > 1:
            lengths = {str(name): len(value) for name, value in data.items()}
            raise ValueError(f"the columns differ in length: {lengths}")
        return Table(tuple(map(str, data)), [list(row) for row in zip(*columns, strict=True)])
    return _records([data])


def _is_column(value: Any) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str | bytes | Mapping)


def _records(rows: list[Any]) -> Table:
    odd = next((i for i, row in enumerate(rows) if not isinstance(row, Mapping)), None)
    if odd is not None:
        raise ValueError(f"row {odd} is not an object, but other rows are")
    texts = [{str(name): cell for name, cell in row.items()} for row in rows]
    names = tuple(dict.fromkeys(name for row in texts for name in row))
    return Table(names, [[_cell(row.get(name)) for name in names] for row in texts])


def _frame(frame: Any) -> Table:
    names = list(frame.columns)
    columns = [_series(frame[name]) for name in names]
    rows = [list(row) for row in zip(*columns, strict=True)]
    # A frame made without names counts its columns: 0, 1, 2, …
    if all(isinstance(name, int | np.integer) for name in names):
        return _positional(rows)
    return Table(tuple(map(str, names)), rows)


def _series(series: Any) -> list[Cell]:
    missing = series.isna().tolist()
    return [
        None if gone else _cell(cell) for cell, gone in zip(series.tolist(), missing, strict=True)
    ]


def _cell(cell: Any) -> Cell:
    """Give a JSON value: numpy's scalars as Python's, true as 1 (as scikit-learn reads it)."""
    value = cell.item() if isinstance(cell, np.generic) else cell
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and math.isinf(value):
        raise ValueError("infinity cannot be sent: JSON has none")
    if value is None or isinstance(value, int | float | str):
        return value
    raise TypeError(f"a cell must be a number, a string or None, not {type(value).__name__}")
