"""Kernels between rows and stored rows, as scikit-learn's own functions compute them.

libsvm's kernels are another arithmetic and live with the support vector machines.
"""

from typing import Final

import numpy as np

from runtime.plan.distances import expanded, lengths, unit_rows
from runtime.plan.ops import Array, Fields, Float64Matrix

KERNELS: Final = ("linear", "poly", "rbf", "sigmoid", "laplacian", "cosine")
MAX_DEGREE: Final = 1_000.0
BLOCK: Final = 1 << 18  # kernel values held at once: 2 MiB


class PairwiseKernel:
    """k(x, y) for all rows x and all stored rows y.

    kernel   linear: x·y; poly: (gamma x·y + coef0)^degree; rbf: exp(-gamma |x - y|²); sigmoid:
             tanh(gamma x·y + coef0); laplacian: exp(-gamma |x - y|₁); cosine: x·y of unit rows
    exact    bitwise at the same batch size where BLAS multiplies, which rounds one row and many
             differently
    source   sklearn.metrics.pairwise.pairwise_kernels
    """

    def __init__(self, fields: Fields, stored: Float64Matrix) -> None:
        self.kind = fields.choice("kernel", *KERNELS)
        self.gamma = fields.number("gamma")
        self.coef0 = fields.number("coef0")
        self.degree = fields.number("degree")
        if not 0 <= self.degree <= MAX_DEGREE:
            raise fields.fail(f"'degree' must be from 0 to {MAX_DEGREE}")
        self.stored = unit_rows(stored) if self.kind == "cosine" else stored
        self.squares = lengths(stored) if self.kind == "rbf" else None

    def values(self, x: Float64Matrix) -> Float64Matrix:
        """Give (rows, stored). Overflow gives infinities and NaN, as in scikit-learn."""
        with np.errstate(all="ignore"):
            match self.kind:
                case "rbf" | "laplacian":
                    out = self._distances(x)
                    out *= -self.gamma
                    return np.exp(out, out=out)
                case "linear":
                    return x @ self.stored.T
                case "cosine":
                    return unit_rows(x) @ self.stored.T
                case _:
                    return self._of_products(x @ self.stored.T)

    def _distances(self, x: Float64Matrix) -> Float64Matrix:
        if self.squares is not None:
            return expanded(x, self.stored, self.squares)
        out = np.zeros((x.shape[0], self.stored.shape[0]))
        for column, cells in zip(x.T, self.stored.T, strict=True):
            out += np.abs(column[:, None] - cells)
        return out

    def _of_products(self, out: Float64Matrix) -> Float64Matrix:
        out *= self.gamma
        out += self.coef0
        if self.kind == "sigmoid":
            return np.tanh(out, out=out)
        out **= self.degree
        return out

    def diagonal(self, x: Float64Matrix) -> Array:
        """Give k(x, x) for each row, (rows,)."""
        with np.errstate(all="ignore"):
            if self.kind in ("rbf", "laplacian"):
                return np.ones(x.shape[0])
            rows = unit_rows(x) if self.kind == "cosine" else x
            out: Array = np.einsum("ij,ij->i", rows, rows)
            return out if self.kind in ("linear", "cosine") else self._of_products(out)


def rows_at_once(stored: int) -> int:
    """Rows whose kernel values fit in one block."""
    return max(1, BLOCK // max(1, stored))
