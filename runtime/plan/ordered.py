"""Where cells fall among ascending numbers of their columns."""

from typing import Final

import numpy as np

from runtime.plan.ops import Array, Float64Matrix

FEW_ROWS: Final = 10  # whose columns are searched in one call, at 0.2 us a cell


class Ordered:
    """Ascending numbers of each column, as many for each.

    lines  (columns, count), C order
    cost   memory: twice that of the lines
    """

    def __init__(self, lines: Float64Matrix) -> None:
        self.lines = lines
        columns, self.count = lines.shape
        # Complex numbers are ordered by their first part, then by the second.
        pairs = np.empty((columns, self.count, 2))
        pairs[:, :, 0] = np.arange(columns)[:, None]
        pairs[:, :, 1] = lines
        self.numbers, self.keys = pairs[:, 0, 0].copy(), _complex(pairs).reshape(-1)

    def not_above(self, cells: Float64Matrix) -> Array:
        """Give the place in all lines of the last number that is not above each cell.

        One less than its column's first place where all are above; of NaN any place.
        """
        if cells.shape[0] <= FEW_ROWS:
            pairs = np.empty((*cells.shape, 2))
            pairs[:, :, 0] = self.numbers
            pairs[:, :, 1] = cells
            return self.keys.searchsorted(_complex(pairs), side="right") - 1
        out = np.empty(cells.shape, np.intp)
        for place, line in enumerate(self.lines):
            out[:, place] = line.searchsorted(cells[:, place], side="right")
        out += np.arange(-1, self.lines.size - 1, self.count)
        return out


def _complex(pairs: Array) -> Array:
    """Give pairs of numbers as complex ones."""
    found: Array = pairs.view(np.complex128)[..., 0]
    return found
