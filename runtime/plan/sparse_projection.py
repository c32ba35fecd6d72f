"""SparseRandomProjection: signed sums of a few columns each."""

from functools import cached_property
from typing import Final

import numpy as np

from runtime.plan.buffers import small_buffers
from runtime.plan.ops import (
    Array,
    Fields,
    Float64Matrix,
    Inputs,
    Int64Vector,
    Missing,
    Node,
    NodeReader,
    as_matrix,
)

MAX_COLUMNS: Final = 10_000_000
BLOCK: Final = 1 << 20  # products held at once: 8 MB
# Rows from which whole columns are multiplied: 10,000 rows of 20 columns and 22 entries take 0.6
# instead of 1.3 ms. A step for each entry of the longest component is nothing beside so many.
MANY: Final = 128
MAX_LAYERS: Final = 1_000


class SparseProjection(Node):
    """A product with a sparse matrix, held as scikit-learn holds it: compressed by rows.

    starts   (components + 1,): where each component's entries begin
    columns  (entries,): the input column of each entry
    weights  (entries,): what it is multiplied by
    exact    bitwise: entries are added one after the other in the order they are stored, as scipy
             does; where a compiler has it fuse product and sum (not on x86), within 1e-12
    cost     one product for each entry and row
    source   sklearn.random_projection.SparseRandomProjection.transform, scipy's csr_matvecs
    """

    kind = "sparse_projection"
    methods = ("transform",)
    missing = Missing.REFUSES
    exact = "bitwise"

    def __init__(self, fields: Fields) -> None:
        self.n_in = fields.integer("n_in", 1, MAX_COLUMNS)
        self.weights = fields.finite("weights", None)
        entries = int(self.weights.shape[0])
        self.columns = fields.indices("columns", self.n_in, entries)
        starts = fields.indices("starts", entries + 1, None)
        self.n_out = int(starts.shape[0]) - 1
        if self.n_out < 1 or starts[0] != 0 or starts[-1] != entries:
            raise fields.fail("'starts' does not begin at 0 and end with the entries")
        widths = np.diff(starts)
        if (widths < 0).any():
            raise fields.fail("'starts' must ascend")
        self.widths = widths
        self.starts = starts[:-1]
        self.components = np.repeat(np.arange(self.n_out), widths)

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, components), column by column in memory as scipy does."""
        matrix = as_matrix(x)
        rows = matrix.shape[0]
        with np.errstate(over="ignore", invalid="ignore"):
            height = BLOCK // max(self.n_in, self.n_out)
            if min(rows, height) >= MANY and self.widths.max() <= MAX_LAYERS:
                return self._layered(matrix, height)
            out = np.empty((self.n_out, rows))
            height = max(1, BLOCK // max(1, self.weights.shape[0]))
            for first in range(0, rows, height):
                at = slice(first, first + height)
                out[:, at] = self._counted(matrix[at])
        return out.T

    def _counted(self, x: Float64Matrix) -> Float64Matrix:
        """Give (components, rows), entry by entry and row by row."""
        rows = x.shape[0]
        products = x.take(self.columns, 1)
        products *= self.weights
        places = self.components * rows + np.arange(rows)[:, None]
        sums: Array = np.bincount(places.ravel(), products.ravel(), self.n_out * rows)
        return sums.reshape(self.n_out, rows)

    def _layered(self, x: Float64Matrix, height: int) -> Float64Matrix:
        """Give (rows, components), from whole columns: all first entries, all second ones, ..."""
        order, layers = self._layers
        sums = np.zeros((self.n_out, x.shape[0]))
        with small_buffers():
            for first in range(0, x.shape[0], height):
                at = slice(first, first + height)
                columns = np.ascontiguousarray(x[at].T)
                for entry in layers:
                    products = columns.take(self.columns.take(entry), 0)
                    products *= self.weights.take(entry)[:, None]
                    sums[: entry.shape[0], at] += products
        out = np.empty_like(sums)
        out[order] = sums
        return out.T

    @cached_property
    def _layers(self) -> tuple[Int64Vector, list[Int64Vector]]:
        """Components, those of most entries first, and what entries they have first, second, ..."""
        order = np.argsort(-self.widths, kind="stable")
        starts, widths = self.starts.take(order), self.widths.take(order)
        wide = [np.count_nonzero(widths > depth) for depth in range(int(widths[0]))]
        return order, [starts[:count] + depth for depth, count in enumerate(wide)]


NODES: dict[str, NodeReader] = {SparseProjection.kind: SparseProjection}
