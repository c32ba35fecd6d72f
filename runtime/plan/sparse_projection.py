"""SparseRandomProjection: signed sums of a few columns each."""

from typing import Final

import numpy as np

from runtime.plan.ops import Fields, Float64Matrix, Inputs, Missing, Node, NodeReader, as_matrix

MAX_COLUMNS: Final = 10_000_000
BLOCK: Final = 1 << 20  # products held at once: 8 MB


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
        self.components = np.repeat(np.arange(self.n_out), widths)

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, components), column by column in memory as scipy does."""
        matrix = as_matrix(x)
        rows = matrix.shape[0]
        out = np.empty((self.n_out, rows))
        step = max(1, BLOCK // max(1, self.weights.shape[0]))
        with np.errstate(over="ignore", invalid="ignore"):
            for first in range(0, rows, step):
                products = matrix[first : first + step].take(self.columns, 1)
                products *= self.weights
                height = products.shape[0]
                places = self.components * height + np.arange(height)[:, None]
                sums = np.bincount(places.ravel(), products.ravel(), self.n_out * height)
                out[:, first : first + height] = sums.reshape(self.n_out, height)
        return out.T


NODES: dict[str, NodeReader] = {SparseProjection.kind: SparseProjection}
