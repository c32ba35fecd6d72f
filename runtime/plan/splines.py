"""SplineTransformer: each column as the values of a basis of B-splines."""

from typing import Final

import numpy as np

from runtime.plan.ops import (
    Array,
    Cell,
    Fields,
    Float64Matrix,
    InputRefused,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_matrix,
    first_cell,
    override,
)
from runtime.plan.ordered import Ordered

MAX_DEGREE: Final = 100
MAX_COLUMNS: Final = 1_000_000
BLOCK_CELLS: Final = 1 << 14  # values of one block of rows, which so stay in the L2 cache


class Splines(Node):
    """SplineTransformer.

    knots        (knots, columns), ascending in each column, `degree` of them beyond either end
    beyond       what happens outside: error, continue, periodic; or `ends`: constant and linear,
                 by the tables that follow
    first, last  where each column's ends are
    below, above (2, columns, splines): values at the end, and their slopes
    zeros        a missing cell gives zeros; without it, missing cells are refused
    exact        bitwise: sums, products and quotients in scipy's own order; where a compiler has
                 scipy fuse a product and a sum (not on x86), within 1e-12
    cost         a binary search a cell and degree² / 2 steps over all cells
    source       sklearn.preprocessing.SplineTransformer.transform, and _deBoor_D of scipy's
                 interpolate/src/__fitpack.cc
    """

    kind = "splines"
    methods = ("transform",)
    exact = "bitwise"

    def __init__(self, fields: Fields) -> None:
        self.degree = fields.integer("degree", 0, MAX_DEGREE)
        knots = fields.finite("knots", None, None)
        count, self.n_in = (int(size) for size in knots.shape)
        if count < 2 * self.degree + 2 or not 0 < self.n_in <= MAX_COLUMNS:
            raise fields.fail("'knots' are too few for the degree, or of no column")
        self.knots = np.ascontiguousarray(knots.T)
        if (np.diff(self.knots, axis=1) < 0).any():
            raise fields.fail("'knots' must ascend")
        self._ordered: Ordered | None = None  # made at first use
        self.repeated = bool((np.diff(self.knots, axis=1) == 0).any())
        # Of each column, the place of its first knot and of the last that begins a span.
        self.starts = np.arange(self.n_in) * count
        self.ends = self.starts + (count - self.degree - 2)
        self.steps = np.arange(self.degree + 1)[:, None, None]
        self.around = np.arange(1 - self.degree, self.degree + 1)[:, None, None]
        self.height = max(1, BLOCK_CELLS // (self.n_in * (self.degree + 1)))
        self.beyond = fields.choice("beyond", "error", "continue", "periodic", "ends")
        # Periodic splines that leave at the end come in again at the beginning.
        self.splines = count - self.degree - 1 - (self.degree if self.beyond == "periodic" else 0)
        if self.beyond == "periodic" and self.splines < self.degree:
            raise fields.fail("periodic splines need more knots")
        self._read_ends(fields)
        self.zeros = fields.flag("zeros")
        self.missing = Missing.FILLS if self.zeros else Missing.REFUSES
        self.by_column = fields.flag("by_column")
        width = self.splines - (0 if fields.flag("include_bias") else 1)
        if not width:
            raise fields.fail("no splines are left")
        self.n_out = self.n_in * width
        self.gives_gaps = self.beyond in ("continue", "ends")
        whole = np.arange(self.n_in * self.splines).reshape(self.n_in, self.splines)
        self.kept = None if width == self.splines else whole[:, :width].ravel()

    def _read_ends(self, fields: Fields) -> None:
        if self.beyond != "ends":
            self.first = self.knots[:, self.degree]
            self.last = self.knots[:, -self.degree - 1]
            return
        self.first, self.last = (fields.finite(key, self.n_in) for key in ("first", "last"))
        self.below, self.above = (
            fields.finite(key, 2, self.n_in, self.splines) for key in ("below", "above")
        )

    @override
    def origin(self, column: int) -> int | None:
        """Give the input column that an output column is made of."""
        return column * self.n_in // self.n_out

    @override
    def example(self) -> tuple[Cell, ...]:
        """Give a number inside each column's knots."""
        return tuple(self.first.tolist())

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, columns times splines); InputRefused beyond the knots if that is an error."""
        matrix = as_matrix(x)
        rows = matrix.shape[0]
        out = np.zeros((rows, self.n_in, self.splines))
        with np.errstate(all="ignore"):
            for first in range(0, rows, self.height):
                some = slice(first, first + self.height)
                self._write(out[some], matrix[some], first)
        flat = out.reshape(rows, self.n_in * self.splines)
        if self.by_column:
            flat = np.asfortranarray(flat)
        # Indexed like this, the memory order is that of scikit-learn's own answer.
        return flat if self.kept is None else flat[:, self.kept]

    def _write(self, out: Array, matrix: Float64Matrix, row: int) -> None:
        """Write the splines of a block of rows, the first of which is `row`, over zeros."""
        absent = np.isnan(matrix) if self.zeros else None
        if absent is not None:
            matrix = np.where(absent, self.first, matrix)
        self._fill(out, self._inside(matrix, row))
        if absent is not None:
            out[absent] = 0.0
        if self.beyond == "ends":
            self._extend(out, matrix, matrix < self.first, self.first, self.below)
            self._extend(out, matrix, matrix > self.last, self.last, self.above)

    def _inside(self, matrix: Float64Matrix, row: int) -> Float64Matrix:
        """Move cells to where the splines are evaluated."""
        if self.beyond == "continue":
            return matrix
        if self.beyond == "periodic":
            period = self.last - self.first
            moved = self.first + (matrix - self.first) % np.where(period > 0, period, 1.0)
            return np.where(period > 0, moved, 0.0)
        inside: Float64Matrix = np.minimum(np.maximum(matrix, self.first), self.last)
        if self.beyond == "error" and np.count_nonzero(inside != matrix):
            place, column = first_cell(inside != matrix)
            raise InputRefused(row + place, column, "outside the range of the training data")
        return inside

    def _fill(self, out: Array, cells: Float64Matrix) -> None:
        """Write the values of the splines that are not zero, `degree + 1` for each cell."""
        k = self.degree
        if self._ordered is None:
            self._ordered = Ordered(self.knots)
        spans = self._ordered.not_above(cells)
        spans = np.minimum(np.maximum(spans, self.starts + k, out=spans), self.ends, out=spans)
        values = self._values(cells, spans)
        spans -= self.starts + k
        flat = out.reshape(-1)
        begins = np.arange(0, flat.shape[0], self.splines).reshape(spans.shape)
        if self.beyond == "periodic":
            for step, value in enumerate(values):
                places = (spans + step) % self.splines
                places += begins
                flat[places] += value
        else:
            flat[(begins + spans) + self.steps] = values
        if self.beyond == "continue":
            self._spoil(out, spans, values)

    def _values(self, cells: Float64Matrix, spans: Array) -> Array:
        """Evaluate by de Boor's recursion: (degree + 1, rows, columns).

        spans  places in all knots of the last that is not above each cell
        """
        k = self.degree
        values = np.ones((1, *cells.shape))
        if not k:
            return values
        knots = self.knots.reshape(-1).take(spans + self.around)
        away = knots - cells
        for order in range(1, k + 1):
            high, low = slice(k, k + order), slice(k - order, k)
            width = knots[high] - knots[low]
            if self.repeated:
                width[width == 0] = np.inf
            share = np.divide(values, width, out=width)
            values = np.zeros((order + 1, *cells.shape))
            np.multiply(share, away[high], out=values[:-1])
            values[1:] -= np.multiply(share, away[low], out=share)
        return values

    def _spoil(self, out: Array, spans: Array, values: Array) -> None:
        """Where values overflow, do as scipy does: they are multiplied by other splines' zeros."""
        bad = ~np.isfinite(values).all(axis=0)
        if not bad.any():
            return
        spoilt = np.zeros((int(bad.sum()), self.splines))
        for step, value in enumerate(values):
            one = np.zeros(spoilt.shape)
            one[np.arange(one.shape[0]), spans[bad] + step] = 1.0
            spoilt += one * value[bad][:, None]
        out[bad] = spoilt

    def _extend(
        self, out: Array, matrix: Float64Matrix, where: Array, end: Array, table: Array
    ) -> None:
        rows, columns = np.nonzero(where)
        if rows.shape[0]:
            away = matrix[rows, columns] - end[columns]
            out[rows, columns] = table[0, columns] + away[:, None] * table[1, columns]


NODES: dict[str, NodeReader] = {Splines.kind: Splines}
