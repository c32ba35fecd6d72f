"""Gaussian mixtures: the log density of each component, and what is made of them."""

import math
from typing import Final

import numpy as np

from runtime.plan.matrices import is_short, right_factor
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
)
from runtime.plan.special import log_sum_exp, shares

MAX_TERMS: Final = 8
LOG_OF_CIRCLE: Final = math.log(2 * math.pi)


class Mixture(Node):
    """GaussianMixture and BayesianGaussianMixture.

    precisions  Cholesky factors of the precision matrices: full (components, columns, columns),
                tied (columns, columns), diag (components, columns), spherical (components,)
    log_det     (components,): log determinant of each factor
    terms       (terms, components): added to the log density one after the other, as scikit-learn
                does: the log weights, and before them what the Bayesian mixture adds
    exact       bitwise at the same batch size: BLAS rounds one row and many differently
    cost        full and tied: a product with a square matrix for each component
    source      sklearn.mixture._gaussian_mixture._estimate_log_gaussian_prob;
                sklearn.mixture._base.BaseMixture
    """

    kind = "mixture"
    methods = ("predict", "predict_proba", "score_samples")
    exact = "batch"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.means = fields.finite("means", None, None)
        self.k, self.n_in = (int(length) for length in self.means.shape)
        if not self.k or not self.n_in:
            raise fields.fail("'means' is empty")
        self.covariance = fields.choice("covariance", "full", "tied", "diag", "spherical")
        self.log_det = fields.finite("log_det", self.k)
        self.terms = fields.finite("terms", None, self.k)
        if len(self.terms) > MAX_TERMS:
            raise fields.fail(f"more than {MAX_TERMS} 'terms'")
        with np.errstate(over="ignore", invalid="ignore"):
            match self.covariance:
                case "full":
                    self._read_full(fields)
                case "tied":
                    self._read_tied(fields)
                case "diag":
                    self._read_diagonal(fields)
                case _:
                    self._read_spherical(fields)

    def _read_full(self, fields: Fields) -> None:
        self.factors = fields.finite("precisions", self.k, self.n_in, self.n_in)
        self.shifts = np.array(
            [m @ factor for m, factor in zip(self.means, self.factors, strict=True)]
        )

    def _read_tied(self, fields: Fields) -> None:
        self.factor = right_factor(fields, "precisions", self.n_in, self.n_in)
        self.shifts = np.array([mean @ self.factor for mean in self.means])

    def _read_diagonal(self, fields: Fields) -> None:
        precisions = fields.finite("precisions", self.k, self.n_in) ** 2
        self.constant = np.sum(self.means**2 * precisions, axis=1)
        self.linear = (self.means * precisions).T
        self.squared = precisions.T

    def _read_spherical(self, fields: Fields) -> None:
        self.precision = fields.finite("precisions", self.k) ** 2
        self.constant = np.sum(self.means**2, axis=1) * self.precision
        self.linear = right_factor(fields, "turned_means", self.n_in, self.k)

    def _distances(self, x: Float64Matrix) -> Float64Matrix:
        """Squared Mahalanobis distances, (rows, components)."""
        if self.covariance == "diag":
            diagonal: Float64Matrix = (
                self.constant - 2.0 * (x @ self.linear) + (x**2 @ self.squared)
            )
            return diagonal
        if self.covariance == "spherical":
            norms = np.einsum("ij,ij->i", x, x)
            round_: Float64Matrix = (
                self.constant
                - 2 * (x @ self.linear * self.precision)
                + np.outer(norms, self.precision)
            )
            return round_
        if self.covariance == "full" and is_short(x, self.factors):
            moved = x @ self.factors
            moved -= self.shifts[:, None]
            moved *= moved
            short: Float64Matrix = np.add.reduce(moved, 2).T.copy()
            return short
        out = np.empty((x.shape[0], self.k))
        tied = x @ self.factor if self.covariance == "tied" else None
        for i, shift in enumerate(self.shifts):
            moved = (x @ self.factors[i] if tied is None else tied) - shift
            moved *= moved
            np.add.reduce(moved, 1, out=out[:, i])
        return out

    @silent
    def _joint(self, x: Inputs) -> Float64Matrix:
        """Log of density times weight, (rows, components)."""
        squares = self._distances(as_matrix(x))
        squares += self.n_in * LOG_OF_CIRCLE
        squares *= -0.5
        squares += self.log_det
        for term in self.terms:
            squares += term
        return squares

    def predict(self, x: Inputs) -> Array:
        """Number of the likeliest component, int64, the first of those that tie."""
        likeliest: Array = self._joint(x).argmax(axis=1)
        return likeliest

    def predict_proba(self, x: Inputs) -> Float64Matrix:
        """Share of each component in the density, (rows, components)."""
        return shares(self._joint(x))

    def score_samples(self, x: Inputs) -> Array:
        """Log density, (rows,)."""
        return log_sum_exp(self._joint(x))


NODES: dict[str, NodeReader] = {Mixture.kind: Mixture}
