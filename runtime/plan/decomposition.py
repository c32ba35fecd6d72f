"""Projections: shift, multiply by one or two matrices, shift again, scale."""

import numpy as np

from runtime.plan.matrices import right_factor
from runtime.plan.ops import (
    Array,
    Fields,
    Float64Matrix,
    Inputs,
    Missing,
    Node,
    NodeReader,
    Rows,
    as_matrix,
    product,
)


class Projection(Node):
    """PCA, IncrementalPCA, TruncatedSVD, FactorAnalysis, FastICA, sparse PCA, neighbourhood
    components, random projections.

    before  subtracted from the columns (FactorAnalysis, FastICA)
    after   subtracted from the product (PCA: the projected mean)
    second  another matrix to multiply by (FactorAnalysis)
    scale   what the product is divided by (PCA with whiten)
    mean, precision, constant   of the columns, and of their log likelihood (PCA, FactorAnalysis)
    exact   bitwise at the same batch size: BLAS rounds one row and many differently; of sparse rows
            bitwise in any batch where there is no second matrix
    source  sklearn.decomposition._base._BasePCA._transform, and each class's transform
    """

    kind = "projection"
    exact = "tolerance"
    tolerance = 1e-10  # the mean is taken off after the product, and digits with it
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.methods = ("transform",)
        self.first = right_factor(fields, "matrix", None, None)
        self.n_in, self.n_out = int(self.first.shape[0]), int(self.first.shape[1])
        self.second = None
        if fields.has("second"):
            self.second = right_factor(fields, "second", self.n_out, None)
            self.n_out = int(self.second.shape[1])
        if not self.n_in or not self.n_out:
            raise fields.fail("'matrix' is empty")
        self.before = fields.finite("before", self.n_in) if fields.has("before") else None
        self.after = fields.finite("after", self.n_out) if fields.has("after") else None
        self.scale = fields.finite("scale", self.n_out) if fields.has("scale") else None
        if self.scale is not None and not (self.scale > 0).all():
            raise fields.fail("'scale' must be above zero")
        self.takes_sparse = self.before is None and not fields.has("precision")
        if fields.has("precision"):
            self.precision = fields.finite("precision", self.n_in, self.n_in)
            self.mean = fields.finite("mean", self.n_in)
            self.constant = fields.number("constant")
            self.methods = ("transform", "score_samples")

    def transform(self, x: Rows) -> Float64Matrix:
        """Give (rows, components)."""
        if self.before is not None:
            x = as_matrix(x) - self.before
        out = product(x, self.first)
        if self.second is not None:
            out = np.dot(out, self.second)
        if self.after is not None:
            out -= self.after
        if self.scale is not None:
            out /= self.scale
        return out

    def score_samples(self, x: Inputs) -> Array:
        """Log likelihood of each row, (rows,).

        source  sklearn.decomposition._pca.PCA.score_samples; FactorAnalysis.score_samples
        """
        apart = as_matrix(x) - self.mean
        with np.errstate(over="ignore", invalid="ignore"):
            out: Array = -0.5 * np.sum(apart * (apart @ self.precision), axis=1)
        out -= self.constant
        return out


class HiddenUnits(Node):
    """BernoulliRBM: probabilities of the hidden units. Its score_samples draws at random.

    exact   within 1e-12: numpy's exp is not scipy's on every processor
    source  sklearn.neural_network.BernoulliRBM._mean_hiddens
    """

    kind = "hidden_units"
    methods = ("transform",)
    exact = "tolerance"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.weights = right_factor(fields, "weights", None, None)
        self.n_in, self.n_out = (int(length) for length in self.weights.shape)
        if not self.n_in or not self.n_out:
            raise fields.fail("'weights' is empty")
        self.intercept = fields.finite("intercept", self.n_out)

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, units)."""
        out: Float64Matrix = as_matrix(x) @ self.weights
        out += self.intercept
        # Not `ops.sigmoid`, whose exponential is the C library's and takes five times as long.
        np.negative(out, out=out)
        with np.errstate(over="ignore"):
            np.exp(out, out=out)
        out += 1.0
        return np.divide(1.0, out, out=out)


NODES: dict[str, NodeReader] = {Projection.kind: Projection, HiddenUnits.kind: HiddenUnits}
