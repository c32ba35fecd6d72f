"""QuantileTransformer: the share of the training rows below each cell, uniform or made normal."""

from typing import Final

import numpy as np

from runtime.plan.ops import (
    Array,
    Cell,
    Fields,
    Float64Matrix,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_matrix,
    override,
)
from runtime.plan.ordered import Ordered

MAX_COLUMNS: Final = 10_000_000
BLOCK_CELLS: Final = 1 << 14  # of one block, with what is looked up for them in the L2 cache
BOUND: Final = 1e-7  # BOUNDS_THRESHOLD of sklearn.preprocessing._data


class Quantiles(Node):
    """QuantileTransformer.

    quantiles   (landmarks, columns), ascending in each column
    references  (landmarks,), the shares that they stand for
    bounds      lowest and highest answer when the output is normal; absent when it is uniform
    exact       uniform: bitwise, interpolation by the same function. Normal: within 1e-12, since
                the logarithm in the normal quantile is numpy's here and the C library's there
    cost        a search a cell; of more than a few rows, in a loop over columns
    source      sklearn.preprocessing.QuantileTransformer._transform_col
    """

    kind = "quantiles"
    methods = ("transform",)
    missing = Missing.PASSES
    exact = "bitwise"

    def __init__(self, fields: Fields) -> None:
        quantiles = fields.finite("quantiles", None, None)
        count, self.n_in = (int(size) for size in quantiles.shape)
        self.n_out = self.n_in
        if not count or not 0 < self.n_in <= MAX_COLUMNS:
            raise fields.fail("'quantiles' is empty, or too wide")
        self.references = fields.finite("references", count)
        self.quantiles = np.ascontiguousarray(quantiles.T)
        if (np.diff(self.references) < 0).any() or (np.diff(self.quantiles, axis=1) < 0).any():
            raise fields.fail("'quantiles' and 'references' must ascend")
        if not np.isfinite(slopes(self.quantiles, self.references)).all():
            raise fields.fail("'quantiles' are too far apart or too near")
        self.first, self.last = self.quantiles[:, 0].copy(), self.quantiles[:, -1].copy()
        self._landmarks: Landmarks | None = None  # made at first use
        self.height = max(1, BLOCK_CELLS // self.n_in)
        self.bounds: tuple[float, float] | None = None
        if fields.has("bounds"):
            low, high = fields.finite("bounds", 2).tolist()
            self.bounds = low, high
            self.exact = "tolerance"

    @override
    def origin(self, column: int) -> int | None:
        """Give the input column that an output column is made of."""
        return column

    @override
    def example_for(self, after: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """Give what has the share that whoever comes next takes, the median if that is none."""
        return tuple(
            float(
                np.interp(
                    cell if isinstance(cell, float) and 0 < cell < 1 else 0.5,
                    self.references,
                    quantiles,
                )
            )
            for cell, quantiles in zip(after, self.quantiles, strict=True)
        )

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, columns)."""
        matrix = as_matrix(x)
        if matrix.shape[0] <= self.height:
            return self._block(matrix)
        out = np.empty(matrix.shape)
        for first in range(0, matrix.shape[0], self.height):
            rows = slice(first, first + self.height)
            out[rows] = self._block(matrix[rows])
        return out

    def _block(self, matrix: Float64Matrix) -> Float64Matrix:
        if self._landmarks is None:
            self._landmarks = Landmarks(self.quantiles, self.references)
        with np.errstate(over="ignore", invalid="ignore"):
            inside = np.maximum(matrix, self.first)
            out = self._landmarks.shares(np.minimum(inside, self.last, out=inside))
            if self.bounds:
                low, high = matrix - BOUND < self.first, matrix + BOUND > self.last
            else:
                low, high = matrix == self.first, matrix == self.last
        out[matrix > self.last] = self.references[-1]
        out[matrix < self.first] = self.references[0]
        out[high] = 1.0
        out[low] = 0.0
        return out if self.bounds is None else np.clip(normal_quantile(out), *self.bounds)


class Landmarks:
    """What share of the training rows is below cells, by landmarks of each column.

    exact   bitwise, in the order of numpy.interp: the share is interpolated from the landmark below
            and from the one above, so that a value which many rows share gets their middle
    source  numpy's compiled_base.c, arr_interp; QuantileTransformer._transform_col
    """

    def __init__(self, quantiles: Float64Matrix, references: Array) -> None:
        columns, count = quantiles.shape
        # By landmark: itself, its share, and the slope from it to the next.
        table = np.zeros((columns, count, 3))
        table[:, :, 0] = quantiles
        table[:, :, 1] = references
        table[:, :-1, 2] = slopes(quantiles, references)
        self.table = table.reshape(-1, 3)
        self.ordered = Ordered(quantiles)
        # The first of landmarks that are equal.
        self.equal = self.ordered.keys.searchsorted(self.ordered.keys).astype(np.int32)

    def shares(self, cells: Float64Matrix) -> Float64Matrix:
        """Give (rows, columns); NaN of NaN. No cell is outside of its column's landmarks."""
        below = self.ordered.not_above(cells)
        start, share, slope = self.table.take(below, axis=0, mode="clip").transpose(2, 0, 1)
        above = np.where(start == cells, self.equal.take(below, mode="clip"), below + 1)
        end, share_above, _ = self.table.take(above, axis=0, mode="clip").transpose(2, 0, 1)
        out: Float64Matrix = slope * (cells - start)
        out += share
        out -= slope * (end - cells) - share_above
        out *= 0.5
        return out


def slopes(quantiles: Float64Matrix, references: Array) -> Float64Matrix:
    """Give (columns, landmarks - 1) slopes of the share, zero between equal landmarks.

    Those that are not finite, NaN for an infinite distance, come from numbers at the ends of what
    a float64 can be.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        apart = np.diff(quantiles, axis=1)
        # Zero times infinity, and not zero.
        rise = np.where(np.isinf(apart), np.nan, np.diff(references))
        out: Float64Matrix = np.divide(rise, apart, out=np.zeros(apart.shape), where=apart != 0)
    return out


# Cephes' rational approximations (ndtri.c, S. L. Moshier), highest power first.
MIDDLE: Final = (
    (
        -5.99633501014107895267e1,
        9.80010754185999661536e1,
        -5.66762857469070293439e1,
        1.39312609387279679503e1,
        -1.23916583867381258016e0,
    ),
    (
        1.0,
        1.95448858338141759834e0,
        4.67627912898881538453e0,
        8.63602421390890590575e1,
        -2.25462687854119370527e2,
        2.00260212380060660359e2,
        -8.20372256168333339912e1,
        1.59056225126211695515e1,
        -1.18331621121330003142e0,
    ),
)
TAIL: Final = (
    (
        4.05544892305962419923e0,
        3.15251094599893866154e1,
        5.71628192246421288162e1,
        4.40805073893200834700e1,
        1.46849561928858024014e1,
        2.18663306850790267539e0,
        -1.40256079171354495875e-1,
        -3.50424626827848203418e-2,
        -8.57456785154685413611e-4,
    ),
    (
        1.0,
        1.57799883256466749731e1,
        4.53907635128879210584e1,
        4.13172038254672030440e1,
        1.50425385692907503408e1,
        2.50464946208309415979e0,
        -1.42182922854787788574e-1,
        -3.80806407691578277194e-2,
        -9.33259480895457427372e-4,
    ),
)
ROOT_OF_TWO_PI: Final = 2.50662827463100050242e0
TAIL_BEGINS: Final = 0.13533528323661269189  # exp(-2)
LEAST: Final = 1.3e-14  # exp(-32), where Cephes takes a third approximation


def normal_quantile(shares: Array) -> Array:
    """Give the standard normal quantile of each share; NaN of NaN.

    Shares outside [1.3e-14, 1 - 1.3e-14] are taken as those ends.

    exact   within 1e-15, relative, of scipy.special.ndtri, and mostly equal
    source  Cephes, ndtri.c
    """
    shares = np.clip(shares, LEAST, 1 - LEAST)
    upper = shares > 1 - TAIL_BEGINS
    tail = np.where(upper, 1 - shares, shares)
    centred = tail - 0.5
    square = centred * centred
    middle = (centred + centred * (square * _ratio(MIDDLE, square))) * ROOT_OF_TWO_PI
    root = np.sqrt(-2.0 * np.log(tail))
    inverse = 1.0 / root
    outer = (root - np.log(root) / root) - inverse * _ratio(TAIL, inverse)
    return np.where(tail > TAIL_BEGINS, middle, np.where(upper, outer, -outer))


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Array) -> Array:
    above, below = (np.full_like(x, part[0]) for part in coefficients)
    for value, part in ((above, coefficients[0]), (below, coefficients[1])):
        for coefficient in part[1:]:
            value *= x
            value += coefficient
    ratio: Array = above / below
    return ratio


NODES: dict[str, NodeReader] = {Quantiles.kind: Quantiles}
