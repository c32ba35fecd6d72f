"""Kernels between rows and stored rows, as sklearn.metrics.pairwise computes them.

libsvm's kernels are another arithmetic and live with the support vector machines.
"""

from typing import Final

import numpy as np

from runtime.plan.distances import expanded, lengths, unit_rows
from runtime.plan.ops import (
    Array,
    Fields,
    Float64Matrix,
    InputRefused,
    first_cell,
)

KERNELS: Final = (
    "linear",
    "poly",
    "sigmoid",
    "rbf",
    "laplacian",
    "cosine",
    "chi2",
    "additive_chi2",
)
CHI2: Final = ("chi2", "additive_chi2")
# A power multiplies the rounding of what is raised, which differs between one row and many, by its
# degree: beyond this to more than 1e-12.
MAX_DEGREE: Final = 1_000.0
BLOCK: Final = 1 << 18  # kernel values held at once: 2 MiB


class PairwiseKernel:
    """k(x, v) for all rows x and all stored rows v.

    stored  (stored, columns) in the memory order that scikit-learn holds them in
    kernel  linear: x·v; poly: (gamma x·v + coef0)^degree; sigmoid: tanh(gamma x·v + coef0);
            rbf: exp(-gamma |x - v|²); laplacian: exp(-gamma |x - v|₁); cosine: x·v / |x||v|;
            additive_chi2: -Σ (x - v)² / (x + v); chi2: exp(gamma additive_chi2)
    exact   bitwise at the same batch size: products are BLAS's, and squared distances expanded,
            as in scikit-learn; laplacian and additive_chi2 add column by column, as it does
    cost    rows x stored x columns; a matrix product, or for laplacian and chi2 a step a column
    source  sklearn.metrics.pairwise.pairwise_kernels
    """

    def __init__(self, fields: Fields, stored: Float64Matrix) -> None:
        self.kind = fields.choice("kernel", *KERNELS)
        self.gamma, self.coef0, self.degree = (
            fields.number(key) for key in ("gamma", "coef0", "degree")
        )
        if not 0 <= self.degree <= MAX_DEGREE:
            raise fields.fail(f"'degree' must be from 0 to {MAX_DEGREE}")
        self.stored = unit_rows(stored) if self.kind == "cosine" else stored
        self.squares = lengths(np.ascontiguousarray(stored)) if self.kind == "rbf" else None
        if self.kind in CHI2 and (stored < 0).any():
            raise fields.fail("the stored rows must not be below zero for chi2")

    def values(self, x: Float64Matrix) -> Float64Matrix:
        """Give (rows, stored). Overflow gives infinities and NaN, as in scikit-learn."""
        with np.errstate(all="ignore"):
            match self.kind:
                case "linear":
                    return x @ self.stored.T
                case "cosine":
                    return unit_rows(x) @ self.stored.T
                case "poly" | "sigmoid":
                    return self._of_products(x @ self.stored.T)
                case "additive_chi2":
                    return self._chi2(x)
                case "chi2":
                    return self._exponential(self._chi2(x), self.gamma)
                case _:
                    return self._exponential(self._distances(x), -self.gamma)

    def _exponential(self, out: Float64Matrix, factor: float) -> Float64Matrix:
        out *= factor
        return np.exp(out, out=out)

    def _of_products(self, out: Float64Matrix) -> Float64Matrix:
        out *= self.gamma
        out += self.coef0
        if self.kind == "sigmoid":
            return np.tanh(out, out=out)
        out **= self.degree
        return out

    def _distances(self, x: Float64Matrix) -> Float64Matrix:
        if self.squares is not None:
            return expanded(x, self.stored, self.squares)
        out = np.zeros((x.shape[0], self.stored.shape[0]))
        for column, cells in zip(x.T, self.stored.T, strict=True):
            step = column[:, None] - cells
            out += np.abs(step, out=step)
        return out

    def _chi2(self, x: Float64Matrix) -> Float64Matrix:
        refuse_negative(x)
        out = np.zeros((x.shape[0], self.stored.shape[0]))
        for column, cells in zip(x.T, self.stored.T, strict=True):
            step = column[:, None] - cells
            total = column[:, None] + cells
            step *= step
            out += np.divide(step, total, out=np.zeros_like(step), where=total != 0)
        return np.negative(out, out=out)

    def diagonal(self, x: Float64Matrix) -> Array:
        """Give k(x, x) for each row, (rows,); not of chi2."""
        with np.errstate(all="ignore"):
            if self.kind in ("rbf", "laplacian"):
                return np.ones(x.shape[0])
            rows = unit_rows(x) if self.kind == "cosine" else x
            out: Array = np.einsum("ij,ij->i", rows, rows)
            return out if self.kind in ("linear", "cosine") else self._of_products(out)


def refuse_negative(x: Float64Matrix) -> None:
    """Refuse numbers below zero, as scikit-learn's chi2 kernels do."""
    if x.min(initial=0.0) < 0:
        row, column = first_cell(x < 0)
        raise InputRefused(row, column, "below zero, where only zero and more are allowed")


def rows_at_once(stored: int) -> int:
    """Rows whose kernel values fit in one block."""
    return max(1, BLOCK // max(1, stored))
