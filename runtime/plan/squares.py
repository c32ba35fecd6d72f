"""Squared distances of rows from stored rows, no less exact than is asked for."""

import math
from functools import cached_property
from typing import Final

import numpy as np

from runtime.plan.distances import lengths
from runtime.plan.ops import EPSILON, Array, Float64Matrix

# Rows with a stored row at most so many times as far away as stored rows are from their centre
# share their grid.
REACH: Final = 4.0
GRID_BITS: Final = 26  # squares of numbers with as many, and sums of them, are exact in float64


class Squares:
    """Squared distances of rows from stored rows, (rows, stored), for kernels that fall with them.

    What may be lost is said of a kernel's values. A distance d, of which s is the square, counts
    there by how fast the kernel k falls: for all kernels here |dk/ds| is `steepness` c at most,
    d |dk/ds| at most sqrt(2c) / 3, and s |dk/ds| at most 0.4.

    times  what is given instead of once the square: a power of two, perhaps below zero
    cost   one matrix product where it is exact enough, else three times as much (`_split`); where
           rows lie so far out that this is not enough either, a step for each column
    """

    def __init__(self, stored: Float64Matrix, times: float = 1.0) -> None:
        self.stored = stored
        self.times = times

    @cached_property
    def _centred(self) -> tuple[Array, Float64Matrix, float]:
        """Centre of the stored rows, they less the centre, and the greatest distance from it."""
        with np.errstate(all="ignore"):
            centre = self.stored.mean(axis=0)
            points = self.stored - centre
            return centre, points, math.sqrt(lengths(points).max())

    @cached_property
    def _factor(self) -> Float64Matrix:
        points = self._centred[1]
        with np.errstate(all="ignore"):
            return self._right(points, lengths(points))

    @cached_property
    def _grid(self) -> float:
        """Distance of neighbours on the grid that `_split` rounds to, a power of two."""
        return math.ldexp(1.0, math.frexp(REACH * self._centred[2])[1] - GRID_BITS)

    @cached_property
    def _factors(self) -> tuple[Float64Matrix, Float64Matrix]:
        points = self._centred[1]
        high, low, squares, rest = self._parts(points)
        return self._right(high, squares), self._right(np.hstack((low, points)), rest)

    def _right(self, points: Float64Matrix, squares: Array) -> Float64Matrix:
        """Give what `_left` is multiplied by for x² - 2xp + p²."""
        return self.times * np.vstack((-2.0 * points.T, np.ones(points.shape[0]), squares))

    def of(self, x: Float64Matrix, allowed: float, steepness: float) -> Float64Matrix:
        """Give squared distances of which a kernel value is off by no more than is allowed.

        exact  a sum of n products is off by n half epsilons of the sizes at most, and so are the
               lengths; `_split` by what rounding to the centre did to a row, by what scipy's own
               sum of squares loses, and by the sums of what is beside the grid
        """
        centre, _, longest = self._centred
        rows, columns = x.shape
        left = np.empty((rows, columns + 2))
        moved, own = left[:, :-2], left[:, -2]
        np.subtract(x, centre, out=moved)
        if rows == 1:  # alone: einsum, and a product of matrices below, are 3 us more
            own[0] = most = float(moved[0].dot(moved[0]))
        else:
            np.einsum("ij,ij->i", moved, moved, out=own)
            most = own.max(initial=0.0)
        left[:, -1] = 1.0
        length = math.sqrt(most) + longest
        # Neither is `>`: where it is no number the differences are taken, which give what cdist
        # gives.
        if 0.5 * EPSILON * (columns + 6) * length * length * steepness <= allowed:
            factor = self._factor
            product: Float64Matrix = left[0].dot(factor)[None] if rows == 1 else left.dot(factor)
            return product
        beside = 4.0 * steepness * (columns + 3) * math.sqrt(columns) * self._grid * length
        lost = 0.2 * (columns + 2) + math.sqrt(2.0 * steepness) * length / 3 + beside
        if length <= REACH * longest and EPSILON * lost <= allowed:
            return self._split(moved)
        return self.exactly(x)

    def _split(self, moved: Float64Matrix) -> Float64Matrix:
        """Expand the square of rows in two parts: on a grid, where sums are exact, and beside it.

        Distances of the parts on the grid are whole multiples of its square below 2⁵³, so that no
        order of adding rounds them; what is added to them is smaller by the grid.
        """
        high, low, squares, rest = self._parts(moved)
        on_grid, beside = self._factors
        out: Float64Matrix = _left(high, squares) @ on_grid
        out += _left(np.hstack((high, low)), rest) @ beside
        return out

    def _parts(self, moved: Float64Matrix) -> tuple[Float64Matrix, Float64Matrix, Array, Array]:
        """Cut rows into two parts, and their squared lengths into the first's and what is left."""
        high: Float64Matrix = np.rint(moved / self._grid) * self._grid
        low = moved - high
        return high, low, lengths(high), np.einsum("ij,ij->i", low, high + moved)

    def exactly(self, x: Float64Matrix) -> Float64Matrix:
        """Sum column by column as scipy's cdist does."""
        out = np.zeros((x.shape[0], self.stored.shape[0]))
        for column, cells in zip(x.T, self.stored.T, strict=True):
            step = column[:, None] - cells
            step *= step
            out += step
        out *= self.times
        return out


def _left(rows: Float64Matrix, squares: Array) -> Float64Matrix:
    return np.column_stack((rows, squares, np.ones(rows.shape[0])))
