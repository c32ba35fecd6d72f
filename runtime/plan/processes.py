"""Gaussian processes: means of a posterior, and the probabilities of the Laplace approximation."""

from collections.abc import Callable
from itertools import combinations
from typing import Final

import numpy as np

from runtime.plan.covariances import Covariance
from runtime.plan.ops import (
    Array,
    Fields,
    Float64Matrix,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_matrix,
    silent,
    two_columns,
)
from runtime.plan.pairwise import rows_at_once
from runtime.plan.special import erf

MAX_CLASSES: Final = 100
MOST_TOLERANCE: Final = 1e-9
MOST_ROUNDING: Final = 1e-6

# The logistic curve as a sum of five error functions (Williams and Barber); sklearn's _gpc.py.
LAMBDAS: Final = np.array([0.41, 0.4, 0.37, 0.44, 0.39])[:, np.newaxis]
COEFS: Final = np.array([-1854.8214151, 3516.89893646, 221.29346712, 128.12323805, -2010.49422654])[
    :, np.newaxis
]


class Process(Node):
    """Stored rows and a covariance with them.

    exact   within 1e-12 of scikit-learn, times the sum of the weights' sizes, and 1e-9 at most,
            or what rounding does to a regressor: one that interpolates has weights of a million
            and more, whose last digits are rounding in both
    """

    exact = "tolerance"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        points = fields.finite("points", None, None)
        self.stored, self.n_in = (int(length) for length in points.shape)
        if not self.stored or not self.n_in:
            raise fields.fail("'points' is empty")
        self.covariance = Covariance(fields, points)
        self.height = rows_at_once(self.stored)

    def _promise(self, weights: Array, rounding: float = 0.0) -> None:
        """Tell what answers are within, and have the covariance keep it.

        rounding  that no sum is surer than
        """
        size = max(1.0, float(np.abs(weights).sum(axis=0).max(initial=0.0)))
        wanted = size * self.tolerance
        self.tolerance = min(wanted, MOST_TOLERANCE)
        self.covariance.allowed *= self.tolerance / wanted
        self.tolerance = max(self.tolerance, rounding)

    def by_blocks(self, found: Callable[[Float64Matrix], Array], x: Inputs) -> Array:
        """Join what is found for blocks of rows, whose kernel values are held at once."""
        matrix = as_matrix(x)
        if matrix.shape[0] <= self.height:
            return found(matrix)
        starts = range(0, matrix.shape[0], self.height)
        return np.concatenate([found(matrix[at : at + self.height]) for at in starts])


class ProcessRegressor(Process):
    """GaussianProcessRegressor.

    weights  (points, targets): scikit-learn's alpha_
    scale    (targets,), shift (targets,): undo normalize_y
    rounding  by which rounding alone may change answers; not there in older plans
    source   sklearn.gaussian_process.GaussianProcessRegressor.predict
    """

    kind = "process_regressor"
    methods = ("predict",)

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.weights = fields.finite("weights", self.stored, None)
        targets = int(self.weights.shape[1])
        self.vector = fields.flag("vector")
        if not targets or (self.vector and targets != 1):
            raise fields.fail("'weights' has no or too many columns")
        rounding = fields.number("rounding") if fields.has("rounding") else 0.0
        if not 0 <= rounding <= MOST_ROUNDING:
            raise fields.fail(f"'rounding' must be from 0 to {MOST_ROUNDING}")
        self._promise(self.weights, rounding)
        self.weights = self.weights * fields.finite("scale", targets)
        self.shift = fields.finite("shift", targets)
        if self.vector:
            self.weights = np.ascontiguousarray(self.weights[:, 0])

    @silent
    def predict(self, x: Inputs) -> Array:
        """Mean of the posterior: (rows,), or (rows, targets)."""
        out = self.by_blocks(lambda block: self.covariance.values(block).dot(self.weights), x)
        out += self.shift
        return out


class BinaryProcess(Process):
    """One latent function between two classes, by the Laplace approximation.

    weights  (points,): y_train_ - pi_
    roots    (points,): W_sr_
    inverse  (points, points): of the lower Cholesky factor L_ of B = I + W½ K W½. B's eigenvalues
             are one or more, so that multiplying by the inverse loses no digit that solving keeps
    source   sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace
    """

    kind = "binary_process"
    methods = ("predict", "predict_proba")
    tolerance = 1e-11  # the five error functions cancel from thousands to one

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.weights = fields.finite("weights", self.stored)
        self._promise(self.weights)
        self.roots = fields.finite("roots", self.stored)
        self.inverse = fields.finite("inverse", self.stored, self.stored)

    @silent
    def predict(self, x: Inputs) -> Array:
        """1 where the latent function is above zero, else 0."""
        latent = self.by_blocks(lambda block: self.covariance.values(block) @ self.weights, x)
        return (latent > 0).astype(np.int64)

    @silent
    def predict_proba(self, x: Inputs) -> Float64Matrix:
        """Probability of each of the two classes, (rows, 2)."""
        return two_columns(self.by_blocks(self._positive, x))

    def _positive(self, x: Float64Matrix) -> Array:
        values = self.covariance.values(x)
        mean = values @ self.weights
        v = self.inverse @ (self.roots * values).T
        variance = self.covariance.diagonal(x) - np.einsum("ij,ij->j", v, v)
        return _averaged(mean, variance)


def _averaged(mean: Array, variance: Array) -> Array:
    """Mean of the logistic curve under a normal distribution, (rows,).

    source  _BinaryGaussianProcessClassifierLaplace.predict_proba
    """
    alpha = 1 / (2 * variance)
    gamma = LAMBDAS * mean
    integrals = (
        np.sqrt(np.pi / alpha)
        * erf(gamma * np.sqrt(alpha / (alpha + LAMBDAS**2)))
        / (2 * np.sqrt(variance * 2 * np.pi))
    )
    out: Array = (COEFS * integrals).sum(axis=0) + 0.5 * COEFS.sum()
    return out


class ProcessClassifier(Node):
    """GaussianProcessClassifier: one binary process, one a class, or one a pair of classes.

    exact   labels as scikit-learn's, probabilities within what its members are
    source  sklearn.gaussian_process.GaussianProcessClassifier; OneVsRestClassifier.predict and
            predict_proba; OneVsOneClassifier.predict
    """

    kind = "process_classifier"
    exact = "tolerance"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.classes: Array = fields.labels()
        k = len(self.classes)
        if not 2 <= k <= MAX_CLASSES:
            raise fields.fail(f"'classes' must hold 2 to {MAX_CLASSES}")
        self.way = fields.choice("way", "binary", "rest", "pairs")
        self.methods = ("predict",) if self.way == "pairs" else ("predict", "predict_proba")
        if (self.way == "binary") != (k == 2):
            raise fields.fail(f"{self.way} does not fit {k} classes")
        specs = fields.items("members", MAX_CLASSES**2)
        self.pairs = list(combinations(range(k), 2))
        wanted = {"binary": 1, "rest": k, "pairs": len(self.pairs)}[self.way]
        if len(specs) != wanted:
            raise fields.fail(f"{len(specs)} members, not {wanted}")
        self.members: list[BinaryProcess] = []
        for i, spec in enumerate(specs):
            member = fields.node(spec, f"members[{i}]")
            if not isinstance(member, BinaryProcess):
                raise fields.fail("its members must be binary processes")
            self.members.append(member)
        self.tolerance = max(member.tolerance for member in self.members)
        self.n_in = self.members[0].n_in
        if any(member.n_in != self.n_in for member in self.members):
            raise fields.fail("its members take different columns")

    def _positives(self, x: Inputs) -> Float64Matrix:
        """Probability of the second class of each member, (rows, members)."""
        return np.stack([member.predict_proba(x)[:, 1] for member in self.members], axis=1)

    def predict(self, x: Inputs) -> Array:
        """Label of the likeliest class; of one against the rest the last of those that tie."""
        match self.way:
            case "binary":
                which: Array = self.members[0].predict(x)
            case "rest":
                which = len(self.classes) - 1 - self._positives(x)[:, ::-1].argmax(axis=1)
            case _:
                which = self._votes(x).argmax(axis=1)
        labels: Array = self.classes.take(which)
        return labels

    def _votes(self, x: Inputs) -> Float64Matrix:
        """Votes and confidence; source: sklearn.utils.multiclass._ovr_decision_function."""
        trust = self._positives(x)
        votes = np.zeros((trust.shape[0], len(self.classes)))
        sums = np.zeros_like(votes)
        for place, (i, j) in enumerate(self.pairs):
            sums[:, i] -= trust[:, place]
            sums[:, j] += trust[:, place]
            won = self.members[place].predict(x)
            votes[:, i] += won == 0
            votes[:, j] += won == 1
        votes += sums / (3 * (np.abs(sums) + 1))
        return votes

    def predict_proba(self, x: Inputs) -> Float64Matrix:
        """Probability of each class, (rows, classes)."""
        if self.way == "binary":
            return self.members[0].predict_proba(x)
        proba = self._positives(x)
        total = proba.sum(axis=1, keepdims=True)
        total[total == 0] = 1.0
        proba /= total
        return proba


NODES: dict[str, NodeReader] = {
    kind.kind: kind for kind in (ProcessRegressor, BinaryProcess, ProcessClassifier)
}
