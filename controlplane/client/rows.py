"""What people hold in their hands to rows that can be sent.

Taken: lists of rows, objects by column name (one, or a list of them), columns by name, numpy
arrays, data frames. pandas is never imported: whoever passes a frame has it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from runtime.plan.ops import Array

Cell = float | str | None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows to predict: by position (`names` is None) or by column name.

    rows     a float64 matrix, or a list of lists
    numbers  where there are names and nothing but numbers: the columns, and no rows
    """

    names: tuple[str, ...] | None
    rows: Any = None
    numbers: tuple[Array, ...] | None = None

    @property
    def numeric(self) -> bool:
        """True when every cell is known to be a number or missing."""
        return self.numbers is not None or isinstance(self.rows, np.ndarray)

    @property
    def cells(self) -> int:
        """Give how many there are of a numeric table."""
        columns = (self.rows,) if self.numbers is None else self.numbers
        return sum(column.size for column in columns)

    def lists(self) -> Any:
        """Give the rows: a matrix as it is, else lists."""
        if self.numbers is None:
            return self.rows
        return list(map(list, zip(*(c.tolist() for c in self.numbers), strict=True)))


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
        numbers = _plain_numbers(list(data.values()))
        if numbers is not None and len(set(map(len, numbers))) == 1:
            return Table(tuple(map(str, data)), numbers=numbers)
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
    counted = all(isinstance(name, int | np.integer) for name in names)
    numbers = _plain_numbers([frame[name] for name in names])
    if numbers is not None:
        # A frame made without names counts its columns: 0, 1, 2, …
        if counted:
            return Table(None, np.column_stack([n.astype(np.float64) for n in numbers]))
        return Table(tuple(map(str, names)), numbers=numbers)
    columns = [_series(frame[name]) for name in names]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return _positional(rows) if counted else Table(tuple(map(str, names)), rows)


def _plain_numbers(columns: Sequence[Any]) -> tuple[Array, ...] | None:
    """Give columns that numpy holds as numbers, whole ones apart; None where one is not."""
    found = []
    for column in columns:
        dtype = getattr(column, "dtype", None)
        if not isinstance(dtype, np.dtype) or dtype.kind not in "fiub":
            return None
        array = np.asarray(column)
        if array.ndim != 1:
            return None
        if array.dtype.kind == "f":
            found.append(_finite(array.astype(np.float64).reshape(-1, 1)).reshape(-1))
        else:
            found.append(array.astype(np.float64 if array.dtype == np.uint64 else np.int64))
    return tuple(found) or None


def one_by_one(rows: Iterable[Any]) -> Iterable[Any]:
    """Give what rows come from one after the other; raises TypeError where they do not."""
    if hasattr(rows, "itertuples") and hasattr(rows, "columns"):
        names = list(map(str, rows.columns))
        tuples = rows.itertuples(index=False, name=None)
        return (dict(zip(names, row, strict=True)) for row in tuples)
    if isinstance(rows, str | bytes | Mapping) or not isinstance(rows, Iterable):
        raise TypeError(f"predict_stream takes rows one after the other, not {type(rows).__name__}")
    return rows


def line(row: Any) -> Any:
    """Give one row as it can be sent."""
    if isinstance(row, Mapping):
        return {str(name): _cell(cell) for name, cell in row.items()}
    if isinstance(row, str | bytes) or not isinstance(row, Iterable):
        return [_cell(row)]  # of a single column
    return [_cell(cell) for cell in row]


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
