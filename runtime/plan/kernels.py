"""Kernel machines: weighted sums of kernels to stored vectors, and what libsvm makes of them."""

from collections.abc import Callable
from itertools import pairwise
from typing import Final

import numpy as np

from runtime.plan.coupling import coupled, platt
from runtime.plan.ops import (
    Array,
    Fields,
    Float64Matrix,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_matrix,
)

MAX_CLASSES: Final = 200  # pairs grow with the square
MAX_DEGREE: Final = 1_000
BLOCK: Final = 1 << 18  # kernel values held at once: 2 MB
EPS: Final = float(np.finfo(np.float64).eps)
TOLERANCE: Final = 1e-10  # the contract of kernel machines; libsvm adds one term at a time
# Largest error that the expansion of squared distances may bring into a decision value.
EXPANSION_ERROR: Final = 1e-11


class Kernel:
    """k(x, v) for all rows x and all stored vectors v.

    kernel   linear: x·v; poly: (gamma x·v + coef0)^degree; rbf: exp(-gamma |x - v|²);
             sigmoid: tanh(gamma x·v + coef0)
    weight   length of the coefficients that the kernel values will be multiplied by
    source   sklearn/svm/src/libsvm/svm.cpp, Kernel::k_function
    """

    def __init__(self, fields: Fields, weight: float) -> None:
        self.kind = fields.choice("kernel", "linear", "poly", "rbf", "sigmoid")
        self.gamma = fields.number("gamma")
        self.coef0 = fields.number("coef0")
        self.degree = fields.integer("degree", 0, MAX_DEGREE)
        vectors = fields.finite("vectors", None, None)
        self.count, self.n_in = int(vectors.shape[0]), int(vectors.shape[1])
        if not self.n_in:
            raise fields.fail("no columns")
        if self.kind == "rbf":
            self._read_rbf(vectors, weight)
        else:
            self.vectors = vectors.T

    def _read_rbf(self, vectors: Float64Matrix, weight: float) -> None:
        # About their own centre, so that an offset common to all rows (a timestamp, a year) costs
        # no digits in x² - 2xv + v².
        centre = vectors.mean(axis=0) if self.count else np.zeros(self.n_in)
        if not np.isfinite(centre).all():
            centre = np.zeros(self.n_in)
        self.centre = centre
        with np.errstate(over="ignore"):
            self.vectors = (vectors - centre).T
            self.squares = np.einsum("ij,ij->j", self.vectors, self.vectors)
            radius = float(self.squares.max(initial=0.0))
            # Rows much farther out than the vectors are safe: exp(-gamma d²) shrinks faster than
            # the error of d² grows.
            error = abs(self.gamma) * 16 * EPS * radius * weight
        self.expands = bool(error <= EXPANSION_ERROR)
        if not self.expands:
            self.vectors = vectors.T  # moving the rows would round them

    def values(self, x: Float64Matrix) -> Float64Matrix:
        """Give (rows, vectors). Overflow gives infinities and NaN as it does in libsvm."""
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            if self.kind == "rbf":
                out = self._distances(x)
                out *= -self.gamma
                return np.exp(out, out=out)
            out = x @ self.vectors
            if self.kind == "linear":
                return out
            out *= self.gamma
            out += self.coef0
            return np.tanh(out, out=out) if self.kind == "sigmoid" else _power(out, self.degree)

    def _distances(self, x: Float64Matrix) -> Float64Matrix:
        """Squared distances; by differences where the expansion would lose too many digits."""
        if not self.expands:
            return _differences(x, self.vectors)
        x = x - self.centre
        squares = np.einsum("ij,ij->i", x, x)
        out: Float64Matrix = x @ self.vectors
        out *= -2.0
        out += squares[:, None]
        out += self.squares
        np.maximum(out, 0.0, out=out)
        out[~np.isfinite(squares)] = np.inf
        return out

    def rows_at_once(self) -> int:
        """Rows whose kernel values fit in one block."""
        return max(1, BLOCK // max(1, self.count))


def _differences(x: Float64Matrix, vectors: Float64Matrix) -> Float64Matrix:
    """Squared distances without cancellation, (rows, vectors); a step for each column."""
    out = np.zeros((x.shape[0], vectors.shape[1]))
    for column, cells in zip(x.T, vectors, strict=True):
        step = column[:, None] - cells
        step *= step
        out += step
    return out


def _power(base: Float64Matrix, degree: int) -> Float64Matrix:
    """base^degree by repeated squaring, in the order of libsvm's `powi`."""
    out = np.ones_like(base)
    while degree > 0:
        if degree % 2 == 1:
            out *= base
        degree //= 2
        if degree:
            base = base * base
    return out


class KernelSum(Node):
    """One weighted sum of kernels and an intercept: SVR, NuSVR, OneClassSVM.

    exact   within 1e-10 of libsvm, times the size of the coefficients: it sums one term at a time
    source  svm.cpp, svm_predict_values
    """

    exact = "tolerance"
    tolerance = TOLERANCE
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.coefficients = fields.finite("coefficients", None)
        self.intercept = fields.number("intercept")
        self.kernel = Kernel(fields, float(np.linalg.norm(self.coefficients)))
        self.n_in = self.kernel.n_in
        if self.kernel.count != self.coefficients.shape[0]:
            raise fields.fail("'coefficients' does not fit the vectors")

    def sums(self, x: Inputs) -> Array:
        """Give (rows,)."""
        matrix = as_matrix(x)
        out = np.empty(matrix.shape[0])
        height = self.kernel.rows_at_once()
        with np.errstate(over="ignore", invalid="ignore"):
            for at in range(0, matrix.shape[0], height):
                values = self.kernel.values(matrix[at : at + height])
                out[at : at + height] = values @ self.coefficients
            out += self.intercept
        return out


class SupportVectorRegressor(KernelSum):
    """SVR and NuSVR."""

    kind = "svr"
    methods = ("predict",)

    def predict(self, x: Inputs) -> Array:
        """Predicted values, (rows,)."""
        return self.sums(x)


class OneClass(KernelSum):
    """OneClassSVM: 1 inside, -1 outside."""

    kind = "one_class_svm"
    methods = ("predict", "decision_function", "score_samples")

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.offset = fields.number("offset")

    def decision_function(self, x: Inputs) -> Array:
        """Signed distance from the boundary, (rows,)."""
        return self.sums(x)

    def score_samples(self, x: Inputs) -> Array:
        """Unshifted score, (rows,)."""
        return self.sums(x) + self.offset

    def predict(self, x: Inputs) -> Array:
        """1 where the decision is above zero, else -1."""
        return np.where(self.sums(x) > 0, 1, -1)


class SupportVectorClassifier(Node):
    """SVC and NuSVC: one decision for each pair of classes, then votes.

    coefficients  (classes - 1, vectors), vectors grouped by class, `counts` of each; class i's
                  weights are in row j - 1 against class j > i, in row j against j < i
    shape         ovo: decision values of the pairs; ovr: votes, ties broken by confidence
    platt         libsvm's own probabilities (`probability=True`): a and b for each pair
    exact         within 1e-10 of libsvm, times the size of the coefficients
    source        svm.cpp, svm_predict_values; sklearn.svm._base.BaseSVC
    """

    kind = "svc"
    exact = "tolerance"
    tolerance = TOLERANCE
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.classes: Array = fields.labels()
        k = self.k = self.classes.shape[0]
        if not 2 <= k <= MAX_CLASSES:
            raise fields.fail(f"'classes' must hold 2 to {MAX_CLASSES}")
        self.first, self.second = np.triu_indices(k, 1)
        coefficients = fields.finite("coefficients", k - 1, None)
        self.intercept = fields.finite("intercept", len(self.first))
        counts = fields.indices("counts", coefficients.shape[1] + 1, k)
        if counts.sum() != coefficients.shape[1]:
            raise fields.fail("'counts' does not add up to the vectors")
        ends = np.concatenate([[0], np.cumsum(counts)]).tolist()
        self.groups = [slice(a, b) for a, b in pairwise(ends)]
        self.coefficients = coefficients.T
        weight = float(np.linalg.norm(coefficients, axis=1).max(initial=0.0))
        self.kernel = Kernel(fields, weight)
        self.n_in = self.kernel.n_in
        if self.kernel.count != coefficients.shape[1]:
            raise fields.fail("'coefficients' does not fit the vectors")
        self.shape = fields.choice("shape", "ovo", "ovr")
        self.break_ties = fields.flag("break_ties")
        if self.break_ties and self.shape == "ovo":
            raise fields.fail("ties are broken by ovr decisions only")
        self.methods = ("predict", "decision_function")
        if fields.flag("probability"):
            pairs = len(self.first)
            self.platt_a, self.platt_b = (fields.finite(f"platt_{c}", pairs) for c in "ab")
            self.methods = ("predict", "predict_proba", "decision_function")

    def _pairs(self, x: Float64Matrix) -> Float64Matrix:
        """Decision of each pair of classes, above zero for the first of the two."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self._summed(self.kernel.values(x))

    def _summed(self, values: Float64Matrix) -> Float64Matrix:
        # [:, j - 1] and [:, j]: what the vectors of one class say of it against class j.
        says = [values[:, group] @ self.coefficients[group] for group in self.groups]
        out = np.empty((values.shape[0], len(self.first)))
        at = 0
        for i in range(self.k - 1):
            others = range(i + 1, self.k)
            width = len(others)
            out[:, at : at + width] = says[i][:, i:]
            out[:, at : at + width] += np.stack([says[j][:, i] for j in others], axis=1)
            at += width
        out += self.intercept
        return out

    def _each(self, x: Inputs, answer: Callable[[Float64Matrix], Array]) -> Array:
        """Answer block by block from the pairs' decisions: both they and their square are large."""
        matrix = as_matrix(x)
        height = max(1, BLOCK // max(self.kernel.count, self.k * self.k))
        starts = range(0, max(1, matrix.shape[0]), height)
        return np.concatenate([answer(self._pairs(matrix[at : at + height])) for at in starts])

    def _against(self, of_first: Array, of_second: Array) -> Float64Matrix:
        """Give (rows, k, k): what each class has against each other, zero against itself."""
        out = np.zeros((of_first.shape[0], self.k, self.k))
        out[:, self.first, self.second] = of_first
        out[:, self.second, self.first] = of_second
        return out

    def _ovr(self, pairs: Float64Matrix) -> Array:
        """Votes and confidence; source: sklearn.utils.multiclass._ovr_decision_function."""
        won = pairs >= 0
        votes: Array = self._against(won, ~won).sum(axis=2)
        trust = self._against(pairs, -pairs).sum(axis=2)
        votes += trust / (3 * (np.abs(trust) + 1))
        return votes

    def _labels(self, pairs: Float64Matrix) -> Array:
        if self.break_ties and self.k > 2:
            which = self._ovr(pairs).argmax(axis=1)
        else:
            # A decision of zero counts for the second here, and for the first in _ovr.
            won = pairs > 0
            which = self._against(won, ~won).sum(axis=2).argmax(axis=1)
        labels: Array = self.classes.take(which)
        return labels

    def _decisions(self, pairs: Float64Matrix) -> Array:
        if self.k == 2:
            return -pairs[:, 0]
        return self._ovr(pairs) if self.shape == "ovr" else pairs

    def decision_function(self, x: Inputs) -> Array:
        """Two classes: (rows,), above 0 for the second; else (rows, pairs) or (rows, classes)."""
        return self._each(x, self._decisions)

    def predict(self, x: Inputs) -> Array:
        """Label with the most votes, the first of those that tie."""
        return self._each(x, self._labels)

    def predict_proba(self, x: Inputs) -> Array:
        """Probabilities of libsvm, (rows, classes); they need not agree with `predict`."""
        return self._each(x, self._coupled)

    def _coupled(self, pairs: Float64Matrix) -> Array:
        wins = platt(pairs, self.platt_a, self.platt_b)
        return coupled(self._against(wins, 1 - wins))


class KernelRidge(Node):
    """Kernel ridge: kernels to all training rows times the dual coefficients.

    source  sklearn.kernel_ridge.KernelRidge.predict
    """

    kind = "kernel_ridge"
    methods = ("predict",)
    exact = "tolerance"
    tolerance = TOLERANCE
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.vector = fields.flag("vector")
        self.coefficients = fields.finite("coefficients", None, 1 if self.vector else None)
        weight = float(np.linalg.norm(self.coefficients, axis=0).max(initial=0.0))
        self.kernel = Kernel(fields, weight)
        self.n_in = self.kernel.n_in
        if self.kernel.count != self.coefficients.shape[0] or not self.coefficients.shape[1]:
            raise fields.fail("'coefficients' does not fit the vectors")

    def predict(self, x: Inputs) -> Array:
        """Predicted values: (rows,), or (rows, outputs)."""
        matrix = as_matrix(x)
        out = np.empty((matrix.shape[0], self.coefficients.shape[1]))
        height = self.kernel.rows_at_once()
        with np.errstate(over="ignore", invalid="ignore"):
            for at in range(0, matrix.shape[0], height):
                values = self.kernel.values(matrix[at : at + height])
                out[at : at + height] = values @ self.coefficients
        return out[:, 0] if self.vector else out


NODES: dict[str, NodeReader] = {
    kind.kind: kind
    for kind in (SupportVectorRegressor, OneClass, SupportVectorClassifier, KernelRidge)
}
