"""Kernel machines: weighted sums of kernels to stored vectors, and what libsvm makes of them."""

from collections.abc import Callable
from itertools import pairwise
from typing import Final

import numpy as np

from runtime.plan.coupling import coupled, platt
from runtime.plan.ops import (
    EPSILON,
    Array,
    Fields,
    Float64Matrix,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_matrix,
    silent,
)

MAX_CLASSES: Final = 200  # pairs grow with the square
MAX_DEGREE: Final = 1_000
FEW_CLASSES: Final = 4  # whose pairs' coefficients are quicker held for all vectors
BLOCK: Final = 1 << 18  # kernel values held at once: 2 MB
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
            moved = vectors - centre
            lengths = np.einsum("ij,ij->i", moved, moved)
            radius = float(lengths.max(initial=0.0))
            # Rows much farther out than the vectors are safe: exp(-gamma d²) shrinks faster than
            # the error of d² grows.
            error = self.gamma * 16 * EPSILON * radius * weight
            # 2 gamma xv - gamma v², to which -gamma x² is added.
            scaled, self.own = (2.0 * self.gamma) * moved, -self.gamma * lengths
        self.expands = 0.0 <= error <= EXPANSION_ERROR and bool(np.isfinite(scaled).all())
        # Moving the rows would round them, if it is not to be undone by all that it saves.
        self.vectors = scaled.T if self.expands else vectors.T

    @silent
    def values(self, x: Float64Matrix) -> Float64Matrix:
        """Give (rows, vectors). Overflow gives infinities and NaN as it does in libsvm."""
        if self.kind == "rbf":
            out = self._exponents(x)
            return np.exp(out, out=out)
        out = x @ self.vectors
        if self.kind == "linear":
            return out
        out *= self.gamma
        out += self.coef0
        return np.tanh(out, out=out) if self.kind == "sigmoid" else _power(out, self.degree)

    def _exponents(self, x: Float64Matrix) -> Float64Matrix:
        """-gamma |x - v|²; by differences where the expansion would lose too many digits."""
        if not self.expands:
            out = _differences(x, self.vectors)
            out *= -self.gamma
            return out
        x = x - self.centre
        own = np.einsum("ij,ij->i", x, x)
        own *= -self.gamma
        out = x @ self.vectors
        out += self.own
        out += own[:, None]
        np.minimum(out, 0.0, out=out)
        if not own.min(initial=0.0) > -np.inf:
            out[~np.isfinite(own)] = -self.gamma * np.inf  # of a gamma of zero no number
        return out

    @silent
    def weighted(self, x: Float64Matrix, coefficients: Array) -> Array:
        """Give the values times coefficients (vectors, ...), in blocks of rows."""
        height = self.rows_at_once()
        if x.shape[0] <= height:
            sums: Array = self.values(x) @ coefficients
            return sums
        starts = range(0, x.shape[0], height)
        return np.concatenate([self.values(x[at : at + height]) @ coefficients for at in starts])

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
        return self.kernel.weighted(as_matrix(x), self.coefficients) + self.intercept


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
        # Of what each class says against each other, (classes, classes - 1), laid out in a line.
        self.of_first = self.first * (k - 1) + self.second - 1
        self.of_second = self.second * (k - 1) + self.first
        # Of the pairs' decisions, and behind them their opposites: those of a class, as a line.
        self.own = np.zeros((k, k), np.intp)
        self.own[self.first, self.second] = np.arange(len(self.first))
        self.own[self.second, self.first] = np.arange(len(self.first)) + len(self.first)
        self.own = self.own[~np.eye(k, dtype=bool)].reshape(k, k - 1)
        weight = float(np.linalg.norm(coefficients, axis=1).max(initial=0.0))
        self.kernel = Kernel(fields, weight)
        self.n_in = self.kernel.n_in
        if self.kernel.count != coefficients.shape[1]:
            raise fields.fail("'coefficients' does not fit the vectors")
        # Infinite values, which this kernel does not have, must not meet the zeros.
        finite = k == 2 or self.kernel.kind == "rbf"
        self.dense = self._dense() if finite and k <= FEW_CLASSES else None
        self.shape = fields.choice("shape", "ovo", "ovr")
        self.break_ties = fields.flag("break_ties")
        if self.break_ties and self.shape == "ovo":
            raise fields.fail("ties are broken by ovr decisions only")
        self.methods = ("predict", "decision_function")
        if fields.flag("probability"):
            pairs = len(self.first)
            self.platt_a, self.platt_b = (fields.finite(f"platt_{c}", pairs) for c in "ab")
            self.methods = ("predict", "predict_proba", "decision_function")

    def _dense(self) -> Array:
        """Coefficients of each pair for all vectors, (vectors, pairs), zero for other classes'."""
        dense = np.zeros((self.coefficients.shape[0], len(self.first)))
        for pair, (i, j) in enumerate(zip(self.first, self.second, strict=True)):
            for group, column in ((self.groups[i], j - 1), (self.groups[j], i)):
                dense[group, pair] = self.coefficients[group, column]
        return dense

    @silent
    def _pairs(self, x: Float64Matrix) -> Float64Matrix:
        """Decision of each pair of classes, above zero for the first of the two."""
        values = self.kernel.values(x)
        if self.dense is not None:
            return values @ self.dense + self.intercept
        says = [values[:, group] @ self.coefficients[group] for group in self.groups]
        line = np.concatenate(says, axis=1)
        out: Float64Matrix = line.take(self.of_first, 1)
        out += line.take(self.of_second, 1)
        out += self.intercept
        return out

    def _each(self, x: Inputs, answer: Callable[[Float64Matrix], Array]) -> Array:
        """Answer block by block from the pairs' decisions: both they and their square are large."""
        matrix = as_matrix(x)
        height = max(1, BLOCK // max(self.kernel.count, self.k * self.k))
        if matrix.shape[0] <= height:
            return answer(self._pairs(matrix))
        starts = range(0, matrix.shape[0], height)
        return np.concatenate([answer(self._pairs(matrix[at : at + height])) for at in starts])

    def _sums(self, pairs: Array, opposites: Array) -> Array:
        """Sum what each class has of its pairs, (rows, classes)."""
        sums: Array = np.concatenate((pairs, opposites), axis=1).take(self.own, 1).sum(axis=2)
        return sums

    def _against(self, of_first: Array, of_second: Array) -> Float64Matrix:
        """Give (rows, k, k): what each class has against each other, zero against itself."""
        out = np.zeros((of_first.shape[0], self.k, self.k))
        out[:, self.first, self.second] = of_first
        out[:, self.second, self.first] = of_second
        return out

    def _ovr(self, pairs: Float64Matrix) -> Array:
        """Votes and confidence; source: sklearn.utils.multiclass._ovr_decision_function."""
        won = pairs >= 0
        trust = self._sums(pairs, -pairs)
        votes: Array = self._sums(won, ~won) + trust / (3 * (np.abs(trust) + 1))
        return votes

    def _labels(self, pairs: Float64Matrix) -> Array:
        # A decision of zero counts for the second here, and for the first in _ovr.
        won = pairs > 0
        if self.k == 2:
            which = (~won[:, 0]).view(np.int8)
        elif self.break_ties:
            which = self._ovr(pairs).argmax(axis=1)
        else:
            which = self._sums(won, ~won).argmax(axis=1)
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
        out = self.kernel.weighted(as_matrix(x), self.coefficients)
        return out[:, 0] if self.vector else out


NODES: dict[str, NodeReader] = {
    kind.kind: kind
    for kind in (SupportVectorRegressor, OneClass, SupportVectorClassifier, KernelRidge)
}
