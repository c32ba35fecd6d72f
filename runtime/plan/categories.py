"""Categories of one column: a dictionary from category to code.

A category is a string or a number; "missing" is a category of its own where the training data had
one. Categories are JSON: {"kind": "string" | "number", "codes": [[category, code]...],
"missing": code | null, "unknown": code | null}; a null unknown refuses what it does not know.
"""

from itertools import repeat
from typing import Any, Final

import numpy as np

from runtime.plan.ops import Array, Cells, Fields, InputRefused
from runtime.plan.signature import Kind

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
