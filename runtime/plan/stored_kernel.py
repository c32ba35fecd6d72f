"""Kernels between rows and stored rows, computed as sklearn.metrics.pairwise does."""

from typing import Final

import numpy as np

from runtime.plan.matrices import right_factor
from runtime.plan.ops import Array, Fields, Float64Matrix, InputRefused

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
TINY: Final = 10 * float(np.finfo(np.float64).eps)


class PairwiseKernel:
    """k(x, v) for all rows x and all stored rows v.

    kernel  linear: x·v; poly: (gamma x·v + coef0)^degree; sigmoid: tanh(gamma x·v + coef0);
            rbf: exp(-gamma |x - v|²); laplacian: exp(-gamma |x - v|₁); cosine: x·v / |x||v|;
            additive_chi2: -Σ (x - v)² / (x + v); chi2: exp(gamma additive_chi2)
    exact   bitwise at the same batch size: products are BLAS's, and squared distances expanded,
            as in scikit-learn; laplacian and additive_chi2 add column by column, as it does
    cost    rows x stored x columns; a matrix product, or for laplacian and chi2 a step a column
    source  sklearn.metrics.pairwise.pairwise_kernels
    """

    def __init__(self, fields: Fields) -> None:
        self.kind = fields.choice("kernel", *KERNELS)
        self.gamma, self.coef0, self.degree = (
            fields.number(key) for key in ("gamma", "coef0", "degree")
        )
        self.stored: Array = right_factor(fields, "stored", None, None)  # (columns, stored)
        self.n_in, self.count = (int(size) for size in self.stored.shape)
        if not self.n_in or not self.count:
            raise fields.fail("'stored' is empty")
        self.squares: Array = np.empty(0)
        if self.kind == "rbf":
            rows = np.ascontiguousarray(self.stored.T)
            with np.errstate(over="ignore"):
                self.squares = np.einsum("ij,ij->i", rows, rows)
        if self.kind == "cosine":
            self.stored = _directions(self.stored.T).T
        if self.kind in ("chi2", "additive_chi2") and (self.stored < 0).any():
            raise fields.fail("'stored' must not be below zero for chi2")

    def values(self, x: Float64Matrix) -> Float64Matrix:
        """Give (rows, stored). Overflow gives infinities and NaN as in scikit-learn."""
        with np.errstate(all="ignore"):
            match self.kind:
                case "rbf":
                    out = self._squared_distances(x)
                    out *= -self.gamma
                    return np.exp(out, out=out)
                case "laplacian":
                    out = self._manhattan(x)
                    out *= -self.gamma
                    return np.exp(out, out=out)
                case "chi2" | "additive_chi2":
                    out = self._chi2(x)
                    if self.kind == "additive_chi2":
                        return out
                    out *= self.gamma
                    return np.exp(out, out=out)
                case "cosine":
                    product: Float64Matrix = _directions(x) @ self.stored
                    return product
                case _:
                    return self._of_products(x)

    def _of_products(self, x: Float64Matrix) -> Float64Matrix:
        out: Float64Matrix = x @ self.stored
        if self.kind == "linear":
            return out
        out *= self.gamma
        out += self.coef0
        if self.kind == "sigmoid":
            return np.tanh(out, out=out)
        out **= self.degree
        return out

    def _squared_distances(self, x: Float64Matrix) -> Float64Matrix:
        out: Float64Matrix = -2 * (x @ self.stored)
        out += np.einsum("ij,ij->i", x, x)[:, None]
        out += self.squares
        return np.maximum(out, 0.0, out=out)

    def _manhattan(self, x: Float64Matrix) -> Float64Matrix:
        out = np.zeros((x.shape[0], self.count))
        for column, cells in zip(x.T, self.stored, strict=True):
            step = column[:, None] - cells
            out += np.abs(step, out=step)
        return out

    def _chi2(self, x: Float64Matrix) -> Float64Matrix:
        refuse_negative(x)
        out = np.zeros((x.shape[0], self.count))
        for column, cells in zip(x.T, self.stored, strict=True):
            step = column[:, None] - cells
            total = column[:, None] + cells
            step *= step
            out += np.divide(step, total, out=np.zeros_like(step), where=total != 0)
        return np.negative(out, out=out)


def refuse_negative(x: Float64Matrix) -> None:
    """Refuse numbers below zero, as scikit-learn's chi2 kernels do."""
    if x.min(initial=0.0) < 0:
        row, column = (int(i) for i in np.argwhere(x < 0)[0])
        raise InputRefused(row, column, "below zero, where only zero and more are allowed")


def _directions(x: Array) -> Array:
    """Divide rows by their length, but those of (nearly) zeros; sklearn.preprocessing.normalize."""
    norms = np.sqrt(np.einsum("ij,ij->i", x, x))
    norms[norms < TINY] = 1.0
    out: Array = x / norms[:, None]
    return out
