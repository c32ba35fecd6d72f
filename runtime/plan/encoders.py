"""One-hot and ordinal encoding: a dictionary for each column, from category to code.

A category is a string or a number; "missing" is a category of its own where the training data had
one. Categories are JSON: {"kind": "string" | "number", "codes": [[category, code]...],
"missing": code | null, "unknown": code | null}; a null unknown refuses what it does not know.
"""

from itertools import repeat
from typing import Any, Final

import numpy as np

from runtime.plan.ops import (
    Array,
    Cells,
    Fields,
    Float64Matrix,
    InputRefused,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_columns,
    override,
)
from runtime.plan.signature import Kind

MAX_COLUMNS: Final = 1_000_000
MAX_CATEGORIES: Final = 1_000_000
REFUSED: Final = -1


class Column:
    """One column's categories. Codes are small whole numbers, or -1: refuse."""

    def __init__(self, fields: Fields, place: int, item: Any, codes: int) -> None:
        if not isinstance(item, dict) or set(item) != {"kind", "codes", "missing", "unknown"}:
            raise fields.fail(f"column {place} must hold kind, codes, missing and unknown")
        if item["kind"] not in ("string", "number"):
            raise fields.fail(f"column {place}: kind must be string or number")
        self.kind = Kind(item["kind"])
        self.codes: dict[Any, int] = {}
        listed = item["codes"]
        if not isinstance(listed, list) or len(listed) > MAX_CATEGORIES:
            raise fields.fail(f"column {place}: 'codes' must be a list")
        for pair in listed:
            category, code = self._pair(fields, place, pair, codes)
            self.codes[category] = code
        if len(self.codes) != len(listed):
            raise fields.fail(f"column {place}: a category is there twice")
        self.unknown = self._special(fields, place, item["unknown"], codes)
        self.missing = self._special(fields, place, item["missing"], codes)
        self.takes_missing = item["missing"] is not None or item["unknown"] is not None
        if item["missing"] is None:
            self.missing = self.unknown
        if self.kind is Kind.STRING:
            self.codes[None] = self.missing
        self.refuses = REFUSED in (self.unknown, self.missing)
        self._sorted = (
            np.array(sorted(c for c in self.codes if c is not None), np.float64)
            if (self.kind is Kind.NUMBER)
            else np.empty(0)
        )
        self._codes = np.array([self.codes[c] for c in self._sorted.tolist()], np.intp)

    def _pair(self, fields: Fields, place: int, pair: Any, codes: int) -> tuple[Any, int]:
        if not isinstance(pair, list) or len(pair) != 2:
            raise fields.fail(f"column {place}: 'codes' must hold pairs")
        category, code = pair
        if self.kind is Kind.STRING:
            good = isinstance(category, str)
        else:
            good = type(category) is float and category - category == 0.0
        if not good or type(code) is not int or not 0 <= code < codes:
            raise fields.fail(f"column {place}: {category!r} has a bad code or is no category")
        return category, code

    def _special(self, fields: Fields, place: int, code: Any, codes: int) -> int:
        if code is None:
            return REFUSED
        if type(code) is not int or not 0 <= code < codes:
            raise fields.fail(f"column {place}: a bad code for missing or unknown")
        return code

    @property
    def example(self) -> float | str | None:
        """Give a category it knows."""
        return next((c for c in self.codes if c is not None), None)

    def encode(self, cells: Cells, place: int) -> Array:
        """Give the code of each cell; raises InputRefused at the first unknown one."""
        if self.kind is Kind.STRING:
            found = np.fromiter(
                map(self.codes.get, cells.tolist(), repeat(self.unknown)), np.intp, cells.shape[0]
            )
        else:
            found = self._of_numbers(cells)
        if self.refuses and found.shape[0] and found.min() == REFUSED:
            row = int(np.argmin(found))
            raise _refusal(row, place, cells.item(row))
        return found

    def code(self, cell: Any, place: int) -> int:
        """Give the code of a lone cell, at a fraction of what an array of one costs."""
        # Missing strings have a code of their own in the dictionary; NaN equals nothing there.
        code = self.codes.get(cell, self.unknown) if cell == cell else self.missing
        if code == REFUSED:
            raise _refusal(0, place, cell)
        return code

    def _of_numbers(self, cells: Cells) -> Array:
        known = self._sorted
        if not known.shape[0]:
            found = np.full(cells.shape[0], self.unknown, np.intp)
        else:
            where = np.minimum(known.searchsorted(cells), known.shape[0] - 1)
            found = np.where(known.take(where) == cells, self._codes.take(where), self.unknown)
        absent = np.isnan(cells)
        if absent.any():
            found[absent] = self.missing
        return found


def _refusal(row: int, place: int, cell: Any) -> InputRefused:
    what = "a missing value" if cell is None or cell != cell else repr(cell)
    return InputRefused(row, place, f"{what} is not one of the categories it was trained on")


class Encoder(Node):
    """What both encoders share: their columns."""

    methods = ("transform",)
    exact = "bitwise"

    def __init__(self, fields: Fields, codes: int) -> None:
        items = fields.items("columns", MAX_COLUMNS)
        self.columns = [Column(fields, i, item, codes) for i, item in enumerate(items)]
        self.n_in = len(self.columns)
        self.missing = Missing.FILLS
        if not self.columns:
            raise fields.fail("no columns")

    @override
    def columns_in(self, nan_ok_after: bool) -> tuple[tuple[Kind, bool], ...]:  # noqa: ARG002
        """Give kind and `missing allowed` of every input column."""
        return tuple((column.kind, column.takes_missing) for column in self.columns)

    @override
    def example(self) -> tuple[float | str | None, ...]:
        """Give a known category for each column."""
        return tuple(column.example for column in self.columns)


class OneHot(Encoder):
    """Zeros and ones; a code is the place of the one in the whole output, `n_out` means nowhere.

    source  sklearn.preprocessing.OneHotEncoder.transform, dense
    """

    kind = "one_hot"

    def __init__(self, fields: Fields) -> None:
        self.n_out = fields.integer("n_out", 0, 10_000_000)
        super().__init__(fields, self.n_out + 1)

    def transform(self, x: Inputs) -> Float64Matrix:
        """(rows, categories of all columns)."""
        cells = as_columns(x)
        rows = cells[0].shape[0]
        # One column more than the output takes the ones that belong nowhere.
        wide = np.zeros((rows, self.n_out + 1))
        flat = wide.reshape(-1)
        if rows == 1:
            for place, (column, values) in enumerate(zip(self.columns, cells, strict=True)):
                flat[column.code(values.item(), place)] = 1.0
            return wide[:, : self.n_out]
        first = np.arange(0, rows * (self.n_out + 1), self.n_out + 1)
        for place, (column, values) in enumerate(zip(self.columns, cells, strict=True)):
            flat[first + column.encode(values, place)] = 1.0
        return wide[:, : self.n_out]


class Ordinal(Encoder):
    """Codes as numbers; `values` maps a code to what scikit-learn puts out (NaN is allowed).

    source  sklearn.preprocessing.OrdinalEncoder.transform
    """

    kind = "ordinal"

    def __init__(self, fields: Fields) -> None:
        self.values = fields.tensor("values", "f8", None)
        super().__init__(fields, self.values.shape[0])
        self.n_out = self.n_in
        # Where unknown becomes NaN, a string that nobody foresaw would pass as a missing value.
        self.gives_gaps = any(self._is_gap(column.unknown) for column in self.columns)

    def _is_gap(self, code: int) -> bool:
        return code != REFUSED and bool(np.isnan(self.values[code]))

    @override
    def origin(self, column: int) -> int | None:
        """Give the input column that an output column is made of."""
        return column

    @override
    def columns_in(self, nan_ok_after: bool) -> tuple[tuple[Kind, bool], ...]:
        """Give kind and `missing allowed`; where missing becomes NaN, whoever follows decides."""
        columns = super().columns_in(nan_ok_after)
        return tuple(
            (kind, takes and (nan_ok_after or not self._is_gap(column.missing)))
            for column, (kind, takes) in zip(self.columns, columns, strict=True)
        )

    def transform(self, x: Inputs) -> Float64Matrix:
        """(rows, columns)."""
        cells = as_columns(x)
        if cells[0].shape[0] == 1:
            pairs = enumerate(zip(self.columns, cells, strict=True))
            codes = [column.code(values.item(), place) for place, (column, values) in pairs]
            return self.values.take([codes])
        out = np.empty((cells[0].shape[0], self.n_in))
        for place, (column, values) in enumerate(zip(self.columns, cells, strict=True)):
            out[:, place] = self.values.take(column.encode(values, place))
        return out


def _one_hot(fields: Fields) -> Node:
    node = OneHot(fields)
    fields.done()
    return node


def _ordinal(fields: Fields) -> Node:
    node = Ordinal(fields)
    fields.done()
    return node


NODES: dict[str, NodeReader] = {OneHot.kind: _one_hot, Ordinal.kind: _ordinal}
