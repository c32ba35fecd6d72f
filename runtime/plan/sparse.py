"""Rows of many columns that are nearly all zero: what nodes of text give to each other.

A text has some hundred words out of a hundred thousand, so a matrix of float64 would be thousands
of times larger than what it says. Only the cells that are not zero are held, row by row.

Sums over a row are made in the order in which its cells are held, one after another, as compiled
code over scipy's CSR matrices does (csr_matvec, csr_matvecs); so they are equal to its to the last
bit, and the same alone and in any batch.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

BLOCK_BYTES: Final = 32 << 20  # of one dense block
# Products summed in one call: a megabyte, with their places; 32 take six times as long.
BLOCK_PRODUCTS: Final = 1 << 16
ROW_PRODUCTS: Final = 1_000


class Sparse(NamedTuple):
    """Cells that are held, each with its row and its column; no cell twice.

    at       (cells,) intp: the row of each cell, ascending. scipy's `indptr` is its cumulated
             count; `np.bincount`, which sums one after another, wants the rows themselves
    columns  (cells,) intp: from 0 to width - 1, within a row as scikit-learn holds them
    values   (cells,): float64, or the dtype that a vectorizer was told to count in; zeros may be
             among them
    """

    at: Array
    columns: Array
    values: Array
    rows: int
    width: int

    @classmethod
    def of(cls, matrix: Array) -> Self:
        """Hold what is not zero of a matrix."""
        at, columns = np.nonzero(matrix)
        return cls(at, columns, matrix[at, columns], *matrix.shape)

    def with_values(self, values: Array) -> "Sparse":
        """Give the same cells with other values."""
        return Sparse(self.at, self.columns, values, self.rows, self.width)

    def dense(self) -> Array:
        """Give (rows, width), in the dtype of the values."""
        out = np.zeros((self.rows, self.width), self.values.dtype)
        out[self.at, self.columns] = self.values
        return out

    def part(self, start: int, end: int) -> "Sparse":
        """Give the rows from start to end - 1."""
        first, last = np.searchsorted(self.at, (start, end))
        return Sparse(
            self.at[first:last] - start,
            self.columns[first:last],
            self.values[first:last],
            end - start,
            self.width,
        )

    def blocks(self) -> Iterator[tuple[int, Array]]:
        """Give all rows as float64 matrices of at most BLOCK_BYTES or one row, with their first."""
        step = max(1, BLOCK_BYTES // (8 * max(1, self.width)))
        for start in range(0, max(1, self.rows), step):
            part = self.part(start, min(start + step, self.rows))
            yield start, part.dense().astype(np.float64, copy=False)

    def take(self, place: Array, width: int) -> "Sparse":
        """Give some of the columns: `place[column]` is where one goes, below 0 where it is left."""
        found = place[self.columns]
        kept = found >= 0
        return Sparse(self.at[kept], found[kept], self.values[kept], self.rows, width)

    def sums(self, values: Array) -> Array:
        """Sum a value of each cell over its row: (rows,) float64, one after another."""
        # Without any cell they would be whole numbers.
        out: Array = np.bincount(self.at, weights=values, minlength=self.rows).astype(
            np.float64, copy=False
        )
        return out

    def times(self, weights: Array) -> Array:
        """Multiply by weights (width,) or (width, outputs): float64 (rows,) or (rows, outputs).

        cost    some 5 ns for each cell and output, in few calls; where a row has more than a
                thousand of these, 1 ns each and 4 us a row (its text took 20 us to cut). A gather
                of one row of weights a cell, so they had better lie row by row
        source  scipy.sparse: csr_matvec, csr_matvecs
        """
        if weights.ndim == 1:
            return self.sums(self.values * weights[self.columns])
        outputs = weights.shape[1]
        if outputs == 1:
            return self.sums(self.values * weights[:, 0][self.columns])[:, None]
        if self.rows == 1:
            return self.times_alone(weights)
        out = np.empty((self.rows, outputs))
        long = self.at.shape[0] * outputs > ROW_PRODUCTS * self.rows
        for start, end in self._spans(1 if long else max(1, BLOCK_PRODUCTS // outputs)):
            part = self.part(start, end)
            out[start:end] = part.times_alone(weights) if part.rows == 1 else part.summed(weights)
        return out

    def times_alone(self, weights: Array) -> Array:
        """Multiply a lone row; numpy sums rows of two and more numbers one after another."""
        out = np.zeros((1, weights.shape[1]))
        step = max(1, BLOCK_BYTES // (8 * weights.shape[1]))
        for start in range(0, self.columns.shape[0], step):
            products = weights[self.columns[start : start + step]]
            products *= self.values[start : start + step, None]
            products[0] += out[0]
            np.add.reduce(products, axis=0, out=out[0])
        return out

    def summed(self, weights: Array) -> Array:
        """Multiply rows that are short."""
        outputs = weights.shape[1]
        products = weights[self.columns]
        products *= self.values[:, None]
        places = (self.at * outputs)[:, None] + np.arange(outputs)
        flat = np.bincount(
            places.reshape(-1), weights=products.reshape(-1), minlength=self.rows * outputs
        )
        summed: Array = flat.reshape(self.rows, outputs)
        return summed

    def _spans(self, cells: int) -> Iterator[tuple[int, int]]:
        """Cut the rows so that each span has at most so many cells, or is one row."""
        ends = np.searchsorted(self.at, np.arange(self.rows), side="right")
        start = 0
        while start < self.rows:
            before = int(ends[start - 1]) if start else 0
            end = max(start + 1, int(np.searchsorted(ends, before + cells, side="right")))
            yield start, end
            start = end


def beside(parts: Sequence[Sparse]) -> Sparse:
    """Put columns side by side; source: scipy.sparse.hstack of CSR matrices."""
    if len(parts) == 1:
        return parts[0]
    starts = np.cumsum([0, *(part.width for part in parts)])
    at = np.concatenate([part.at for part in parts])
    columns = np.concatenate(
        [part.columns + start for part, start in zip(parts, starts[:-1].tolist(), strict=True)]
    )
    values = np.concatenate([part.values for part in parts])
    rows, width = parts[0].rows, int(starts[-1])
    if rows > 1:
        order = np.argsort(at, kind="stable")
        at, columns, values = at[order], columns[order], values[order]
    return Sparse(at, columns, values, rows, width)


def below(parts: Sequence[Sparse]) -> Sparse:
    """Put rows below each other."""
    starts = np.cumsum([0, *(part.rows for part in parts)]).tolist()
    return Sparse(
        np.concatenate([part.at + start for part, start in zip(parts, starts, strict=False)]),
        np.concatenate([part.columns for part in parts]),
        np.concatenate([part.values for part in parts]),
        starts[-1],
        parts[0].width,
    )


def floating(values: Array) -> Array:
    """Copy values as scikit-learn does before it scales them: whole numbers become float64."""
    return values.astype(values.dtype if values.dtype.kind == "f" else np.float64)


def normalized(x: Sparse, norm: str) -> Sparse:
    """Divide the rows by their norm, l1, l2 or max, in place; rows of zeros stay as they are.

    exact   bitwise: sums of float64 one after another, also over values of float32
    source  sklearn.utils.sparsefuncs_fast: inplace_csr_row_normalize_l1 and _l2;
            sklearn.preprocessing.normalize, max
    """
    match norm:
        case "l1":
            norms = x.sums(np.abs(x.values))
        case "l2":
            norms = np.sqrt(x.sums(x.values * x.values))
        case _:
            norms = np.zeros(x.rows, x.values.dtype)
            np.maximum.at(norms, x.at, np.abs(x.values))
    norms[norms == 0] = 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        of_cell = norms if x.rows == 1 else norms[x.at]
        np.divide(x.values, of_cell, out=x.values, casting="same_kind")
    return x
