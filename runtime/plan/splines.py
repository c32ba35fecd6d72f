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
    override,
)

MAX_DEGREE: Final = 100
MAX_COLUMNS: Final = 1_000_000


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
        absent = np.isnan(matrix)
        out = np.zeros((rows, self.n_in, self.splines))
        with np.errstate(all="ignore"):
            self._fill(out, self._inside(np.where(absent, self.first, matrix)))
            out[absent] = 0.0
            if self.beyond == "ends":
                self._extend(out, matrix, matrix < self.first, self.first, self.below)
                self._extend(out, matrix, matrix > self.last, self.last, self.above)
        flat = out.reshape(rows, self.n_in * self.splines)
        if self.by_column:
            flat = np.asfortranarray(flat)
        # Indexed like this, the memory order is that of scikit-learn's own answer.
        return flat if self.kept is None else flat[:, self.kept]

    def _inside(self, matrix: Float64Matrix) -> Float64Matrix:
        """Move cells to where the splines are evaluated."""
        if self.beyond == "continue":
            return matrix
        if self.beyond == "periodic":
            period = self.last - self.first
            moved = self.first + (matrix - self.first) % np.where(period > 0, period, 1.0)
            return np.where(period > 0, moved, 0.0)
        outside = (matrix < self.first) | (matrix > self.last)
        if self.beyond == "error" and outside.any():
            row, column = (int(i) for i in np.argwhere(outside)[0])
            raise InputRefused(row, column, "outside the range of the training data")
        return np.where(outside, self.first, matrix)

    def _fill(self, out: Array, cells: Float64Matrix) -> None:
        """Write the values of the splines that are not zero, `degree + 1` for each cell."""
        k = self.degree
        last = self.knots.shape[1] - k - 2
        spans = np.empty(cells.shape, np.intp)
        for place, knots in enumerate(self.knots):
            spans[:, place] = knots.searchsorted(cells[:, place], side="right") - 1
        np.clip(spans, k, last, out=spans)
        values = self._values(cells, spans)
        spans -= k
        flat = out.reshape(-1)
        begins = np.arange(0, flat.shape[0], self.splines).reshape(spans.shape)
        for step, value in enumerate(values):
            places = (spans + step) % self.splines
            places += begins
            flat[places] += value
        if self.beyond == "continue":
            self._spoil(out, spans, values)

    def _values(self, cells: Float64Matrix, spans: Array) -> list[Array]:
        """Evaluate by de Boor's recursion: `degree + 1` arrays like `cells`."""
        flat = self.knots.reshape(-1)
        spans = spans + np.arange(0, flat.shape[0], self.knots.shape[1])
        values = [np.ones(cells.shape)]
        for order in range(1, self.degree + 1):
            previous, values = values, [np.zeros(cells.shape)]
            for n in range(1, order + 1):
                high, low = flat.take(spans + n), flat.take(spans + (n - order))
                width = high - low
                share = np.divide(
                    previous[n - 1], width, out=np.zeros(cells.shape), where=width != 0
                )
                values[n - 1] += share * (high - cells)
                values.append(share * (cells - low))
        return values

    def _spoil(self, out: Array, spans: Array, values: list[Array]) -> None:
        """Where values overflow, do as scipy does: they are multiplied by other splines' zeros."""
        bad = ~np.isfinite(np.stack(values)).all(axis=0)
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
