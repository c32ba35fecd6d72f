"""KBinsDiscretizer: the place of each cell among a column's bin edges, as a number or one-hot."""

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

MAX_COLUMNS = 1_000_000


class Bins(Node):
    """KBinsDiscretizer with whatever strategy: only the edges differ.

    edges    the inner edges of all columns, one column's after the other's, each column's sorted
    counts   how many inner edges each column has; one bin more than that
    one_hot  each bin is a column of zeros and ones, instead of each column a bin's number
    exact    bitwise: comparisons only
    cost     one binary search a cell
    source   sklearn.preprocessing.KBinsDiscretizer.transform
    """

    kind = "bins"
    methods = ("transform",)
    missing = Missing.REFUSES
    exact = "bitwise"

    def __init__(self, fields: Fields) -> None:
        edges = fields.finite("edges", None)
        counts = fields.indices("counts", edges.shape[0] + 1, None)
        self.n_in = int(counts.shape[0])
        if not 0 < self.n_in <= MAX_COLUMNS or counts.sum() != edges.shape[0]:
            raise fields.fail("'counts' does not add up to the edges")
        self.edges = np.split(edges, np.cumsum(counts)[:-1])
        if any((np.diff(column) < 0).any() for column in self.edges):
            raise fields.fail("'edges' must ascend within each column")
        self.one_hot = fields.flag("one_hot")
        self.starts = np.concatenate([[0], np.cumsum(counts + 1)[:-1]])
        self.n_out = int((counts + 1).sum()) if self.one_hot else self.n_in

    @override
    def origin(self, column: int) -> int | None:
        """Give the input column that an output column is made of."""
        if not self.one_hot:
            return column
        return int(self.starts.searchsorted(column, side="right")) - 1

    @override
    def example_for(self, after: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """Give what falls into the bin that whoever comes next takes, if it names one."""
        if self.one_hot:
            return self.example()
        return tuple(
            0.0 if isinstance(bin_, str) or bin_ is None else _cell_of(edges, bin_)
            for edges, bin_ in zip(self.edges, after, strict=True)
        )

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, columns), or (rows, bins of all columns)."""
        matrix = as_matrix(x)
        if self.one_hot:
            return self._ones(matrix)
        out = np.empty(matrix.shape)
        for place, edges in enumerate(self.edges):
            out[:, place] = edges.searchsorted(matrix[:, place], side="right")
        return out

    def _ones(self, matrix: Float64Matrix) -> Float64Matrix:
        rows = matrix.shape[0]
        out = np.zeros((rows, self.n_out))
        flat = out.reshape(-1)
        first = np.arange(0, rows * self.n_out, self.n_out)
        for place, (start, edges) in enumerate(zip(self.starts.tolist(), self.edges, strict=True)):
            flat[first + edges.searchsorted(matrix[:, place], side="right") + start] = 1.0
        return out


def _cell_of(edges: Array, bin_: float) -> float:
    """Give a number of the bin nearest to the one asked for."""
    if not edges.shape[0]:
        return 0.0
    nearest = int(np.clip(np.rint(bin_), 0, edges.shape[0]))
    return float(edges[nearest - 1]) if nearest else float(edges[0]) - 1.0


NODES: dict[str, NodeReader] = {Bins.kind: Bins}
