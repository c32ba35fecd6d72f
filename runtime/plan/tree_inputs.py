"""What a tree model does with its input before it compares: casts, refuses, encodes categories."""

from itertools import repeat
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from runtime.plan.ops import (
    Array,
    Cells,
    Fields,
    Float32Matrix,
    Float64Matrix,
    Float64Vector,
    InputRefused,
    Inputs,
    Missing,
    as_columns,
    as_matrix,
    first_cell,
    silent,
)
from runtime.plan.signature import Kind

MAX_COLUMNS: Final = 1_000_000
MAX_CATEGORIES: Final = 255  # HistGradientBoosting has 255 bins


@silent
def single(x: Inputs, missing: Missing, infinite: bool) -> Float32Matrix:
    """Cast to float32 as the classic trees do; source: sklearn.utils.check_array(dtype=float32).

    infinite  IsolationForest alone takes infinities
    raises    InputRefused at the first cell that scikit-learn would refuse
    """
    wide = as_matrix(x)
    narrow = wide.astype(np.float32)
    if not infinite or missing is Missing.REFUSES:
        finite = np.isfinite(narrow)
        if np.count_nonzero(finite) < finite.size:  # of one row a third of the time of `all`
            _refuse(narrow, finite, missing, infinite)
    return narrow


def _refuse(x: Float32Matrix, finite: NDArray[np.bool_], missing: Missing, infinite: bool) -> None:
    bad = ~finite
    if missing is not Missing.REFUSES:
        bad &= ~np.isnan(x)
    if infinite:
        bad &= ~np.isinf(x)
    if bad.any():
        row, column = first_cell(bad)
        nan = bool(np.isnan(x[row, column]))
        detail = (
            "a missing value, which this model does not take" if nan else "too large for float32"
        )
        raise InputRefused(row, column, detail)


class Categories:
    """The encoder inside HistGradientBoosting: categories to codes, these columns put first.

    An unknown category is missing, as in scikit-learn (OrdinalEncoder with unknown_value=NaN).
    """

    def __init__(self, fields: Fields, n_in: int) -> None:
        self.columns: dict[int, Float64Vector | dict[Any, float]] = {}
        self.kinds = [Kind.NUMBER] * n_in
        for i, item in enumerate(fields.items("categories", n_in)):
            place = f"'categories'[{i}]"
            if not isinstance(item, dict) or set(item) != {"column", "kind", "values"}:
                raise fields.fail(f"{place} must hold column, kind and values")
            column, values = item["column"], item["values"]
            after = max(self.columns, default=-1)
            if type(column) is not int or not after < column < n_in:
                raise fields.fail(f"{place}: columns must be increasing and below {n_in}")
            if not isinstance(values, list) or len(values) > MAX_CATEGORIES + 1:
                raise fields.fail(f"{place} must list at most {MAX_CATEGORIES} categories")
            if item["kind"] == "string":
                self.kinds[column] = Kind.STRING
                self.columns[column] = _strings(fields, place, values)
            elif item["kind"] == "number":
                self.columns[column] = _numbers(fields, place, values)
            else:
                raise fields.fail(f"{place}: kind must be string or number")
        self.order = [*self.columns, *(j for j in range(n_in) if j not in self.columns)]

    def encode(self, x: Inputs) -> Float64Matrix:
        """Give (rows, columns) float64: codes of the categorical columns, then the numbers.

        raises  InputRefused for an infinite category
        """
        cells = as_columns(x)
        out = np.empty((cells[0].shape[0], len(self.order)))
        for place, column in enumerate(self.order):
            known = self.columns.get(column)
            if known is None:
                out[:, place] = cells[column]
            elif isinstance(known, dict):
                out[:, place] = _codes_of_strings(known, cells[column])
            else:
                out[:, place] = _codes_of_numbers(known, cells[column], column)
        return out


def _codes_of_strings(known: dict[Any, float], cells: Cells) -> Array:
    looked_up = map(known.get, cells.tolist(), repeat(np.nan))
    return np.fromiter(looked_up, np.float64, cells.shape[0])


def _codes_of_numbers(known: Float64Vector, cells: Cells, column: int) -> Array:
    infinite = np.isinf(cells)
    if infinite.any():
        # Unlike its numeric columns: the encoder checks what the model itself does not.
        raise InputRefused(int(infinite.argmax()), column, "a category must be finite")
    if not known.shape[0]:
        return np.full(cells.shape[0], np.nan)
    place = np.minimum(known.searchsorted(cells), known.shape[0] - 1)
    return np.where(known.take(place) == cells, place, np.nan)


def _strings(fields: Fields, place: str, values: list[Any]) -> dict[Any, float]:
    """A null stands for None where the training data had None as a category of its own."""
    proper = all(v is None or isinstance(v, str) for v in values)
    known = {value: float(code) for code, value in enumerate(values)} if proper else {}
    if not proper or len(known) != len(values):
        raise fields.fail(f"{place} must hold different strings")
    return known


def _numbers(fields: Fields, place: str, values: list[Any]) -> Float64Vector:
    if not all(type(v) in (int, float) and abs(v) <= MAX_EXACT for v in values):
        raise fields.fail(f"{place} must hold numbers that float64 holds")
    known = np.asarray(values, np.float64)
    if not (known[1:] > known[:-1]).all() or not np.isfinite(known).all():
        raise fields.fail(f"{place} must hold finite, increasing numbers")
    return known


MAX_EXACT: Final = float(np.finfo(np.float64).max)
