"""Classifiers from class-conditional densities: naive Bayes and discriminant analysis."""

from typing import Final

import numpy as np

from runtime.plan.matrices import is_short, right_factor, stacked
from runtime.plan.ops import (
    Array,
    Fields,
    Float64Matrix,
    InputRefused,
    Missing,
    Node,
    NodeReader,
    Rows,
    above,
    as_matrix,
    first_cell,
    override,
    product,
    sigmoid,
    silent,
    softmax,
)
from runtime.plan.special import shares

BLOCK_CELLS: Final = 1 << 14  # held at once for rows, classes and columns: they stay in the cache
SHORT: Final = 16  # rows of which numpy adds all columns at once; of more, one after another


class NaiveBayes(Node):
    """What all naive Bayes classifiers make of the joint log likelihood.

    source  sklearn.naive_bayes._BaseNB
    """

    methods = ("predict", "predict_proba")
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.classes: Array = fields.labels()

    def joint(self, x: Rows) -> Float64Matrix:
        """Give the log of class prior times likelihood, (rows, classes)."""
        raise NotImplementedError

    def predict(self, x: Rows) -> Array:
        """Label of the highest likelihood, the first of those that tie."""
        labels: Array = self.classes.take(self.joint(x).argmax(axis=1))
        return labels

    def predict_proba(self, x: Rows) -> Float64Matrix:
        """Class probabilities, (rows, classes)."""
        return shares(self.joint(x))


class GaussianBayes(NaiveBayes):
    """GaussianNB.

    prior   (classes,): log of the class prior
    norm    (classes,): -1/2 sum of log(2 pi variance)
    exact   bitwise at the same batch size: numpy sums one row and many differently
    source  sklearn.naive_bayes.GaussianNB._joint_log_likelihood
    """

    kind = "gaussian_nb"
    exact = "batch"

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        k = len(self.classes)
        self.mean = fields.finite("mean", k, None)
        self.n_in = int(self.mean.shape[1])
        self.variance = fields.finite("variance", k, self.n_in)
        self.prior = fields.finite("prior", k)
        self.norm = fields.finite("norm", k)
        if not self.n_in or not (self.variance > 0).all():
            raise fields.fail("'variance' must be above zero")

    @override
    @silent
    def joint(self, x: Rows) -> Float64Matrix:
        """Log of class prior times likelihood, (rows, classes)."""
        matrix = as_matrix(x)
        # Laid out class by class, as scikit-learn's stack is, which decides how sums over it round.
        out: Float64Matrix = np.empty((len(self.classes), matrix.shape[0])).T
        if self.mean.size > BLOCK_CELLS or not matrix.flags.c_contiguous:
            for i, (mean, variance) in enumerate(zip(self.mean, self.variance, strict=True)):
                squares = matrix - mean
                squares *= squares
                squares /= variance
                np.add.reduce(squares, 1, out=out[:, i])
        else:
            step = BLOCK_CELLS // self.mean.size
            for at in range(0, matrix.shape[0], step):
                squares = matrix[at : at + step, None] - self.mean
                squares *= squares
                squares /= self.variance
                np.add.reduce(squares, 2, out=out[at : at + step])
        out *= 0.5
        np.subtract(self.norm, out, out=out)
        out += self.prior
        return out


class LinearBayes(NaiveBayes):
    """MultinomialNB, ComplementNB and BernoulliNB: one matrix product.

    threshold  BernoulliNB: cells become 1 above it and 0 elsewhere
    exact      bitwise at the same batch size: BLAS rounds one row and many differently; of sparse
               rows the likelihoods are bitwise in any batch
    source     _joint_log_likelihood of each
    """

    kind = "linear_nb"
    exact = "batch"

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        k = len(self.classes)
        self.weights = right_factor(fields, "weights", None, k)
        self.n_in = int(self.weights.shape[0])
        if not self.n_in:
            raise fields.fail("'weights' is empty")
        self.offset = fields.finite("offset", k) if fields.has("offset") else None
        self.threshold = fields.number("threshold") if fields.has("threshold") else None
        # Below zero the cells that are not held become ones too.
        self.takes_sparse = self.threshold is None or self.threshold >= 0

    @override
    def joint(self, x: Rows) -> Float64Matrix:
        """Log of class prior times likelihood, (rows, classes)."""
        if self.threshold is not None:
            x = above(x, self.threshold)
        out = product(x, self.weights)
        if self.offset is not None:
            out += self.offset
        return out


class CategoricalBayes(NaiveBayes):
    """CategoricalNB: a table of log probabilities for each column.

    tables  (categories of all columns, classes), one column's after another
    counts  (columns,): categories of each column
    exact   bitwise in any batch but for `predict_proba`, which numpy sums by its height
    source  sklearn.naive_bayes.CategoricalNB._joint_log_likelihood
    """

    kind = "categorical_nb"
    exact = "batch"

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        k = len(self.classes)
        self.tables = fields.finite("tables", None, k)
        self.counts = fields.indices("counts", self.tables.shape[0] + 1, None)
        self.n_in = int(self.counts.shape[0])
        self.prior = fields.finite("prior", k)
        if not self.n_in or not self.counts.all() or self.counts.sum() != len(self.tables):
            raise fields.fail("'counts' does not add up to the tables")
        self.first = np.cumsum(self.counts) - self.counts

    @override
    @silent
    def joint(self, x: Rows) -> Float64Matrix:
        """Log of class prior times likelihood, (rows, classes); a step for each column."""
        matrix = as_matrix(x)
        # scikit-learn casts to whole numbers, which drops what is after the point. What no whole
        # number holds becomes the lowest, and what is below zero is above all counts unsigned.
        number = matrix.astype(np.int64)
        odd = number.view(np.uint64) >= self.counts.view(np.uint64)
        if np.count_nonzero(odd):
            row, column = first_cell(odd)
            raise InputRefused(row, column, f"not a category from 0 to {self.counts[column] - 1}")
        number += self.first
        k, cells = len(self.classes), number.size * len(self.classes)
        if number.shape[0] <= SHORT and k > 1 and cells <= BLOCK_CELLS:
            # Numbers that lie beside others are added one after another, and not pairwise.
            out: Float64Matrix = np.add.reduce(self.tables.take(number, 0), 1)
        else:
            out = np.zeros((number.shape[0], k))
            for places in np.ascontiguousarray(number.T):
                out += self.tables.take(places, 0, mode="clip")  # which is quicker than "raise"
        out += self.prior
        return out


class LinearDiscriminant(Node):
    """LinearDiscriminantAnalysis: a linear classifier that can also project.

    exact   bitwise at the same batch size: BLAS rounds one row and many differently
    source  sklearn.discriminant_analysis.LinearDiscriminantAnalysis
    """

    kind = "lda"
    exact = "batch"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.classes: Array = fields.labels()
        k = len(self.classes)
        self.binary = k == 2
        outputs = 1 if self.binary else k
        self.weights = right_factor(fields, "weights", None, outputs)
        self.intercept = fields.finite("intercept", outputs)
        self.n_in = int(self.weights.shape[0])
        if not self.n_in or k < 2:
            raise fields.fail("two classes and a column are the least")
        self.methods = ("predict", "predict_proba", "decision_function")
        self.centre = fields.finite("centre", self.n_in) if fields.has("centre") else None
        if fields.has("axes"):
            self.axes = right_factor(fields, "axes", self.n_in, None)
            self.n_out = fields.integer("components", 1, max(1, int(self.axes.shape[1])))
            self.methods += ("transform",)

    def decision_function(self, x: Rows) -> Array:
        """Scores: (rows,) for two classes, else (rows, classes)."""
        out: Float64Matrix = as_matrix(x) @ self.weights + self.intercept
        return out.reshape(-1) if self.binary else out

    def predict(self, x: Rows) -> Array:
        """Label of the highest score."""
        out = self.decision_function(x)
        which = (out > 0).astype(np.intp) if self.binary else out.argmax(axis=1)
        labels: Array = self.classes.take(which)
        return labels

    def predict_proba(self, x: Rows) -> Float64Matrix:
        """Class probabilities, (rows, classes)."""
        out = self.decision_function(x)
        if not self.binary:
            return softmax(out)
        positive = sigmoid(out)
        return np.stack([1 - positive, positive], axis=1)

    def transform(self, x: Rows) -> Float64Matrix:
        """Give (rows, components)."""
        matrix = as_matrix(x)
        if self.centre is not None:
            matrix = matrix - self.centre
        out: Float64Matrix = (matrix @ self.axes)[:, : self.n_out]
        return out


class QuadraticDiscriminant(Node):
    """QuadraticDiscriminantAnalysis: a Gaussian of its own for each class.

    axes    one matrix (columns, axes of the class) for each class, scaled by its deviations
    exact   bitwise at the same batch size: BLAS rounds one row and many differently
    source  sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis._decision_function
    """

    kind = "qda"
    methods = ("predict", "predict_proba", "decision_function")
    exact = "batch"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.classes: Array = fields.labels()
        k = len(self.classes)
        self.mean = fields.finite("mean", k, None)
        self.n_in = int(self.mean.shape[1])
        if not self.n_in or k < 2:
            raise fields.fail("two classes and a column are the least")
        self.axes = [right_factor(fields, f"axes_{i}", self.n_in, None) for i in range(k)]
        self.stack = stacked(self.axes)
        self.log_scale = fields.finite("log_scale", k)
        self.prior = fields.finite("prior", k)

    @silent
    def _scores(self, x: Rows) -> Float64Matrix:
        matrix = as_matrix(x)
        # Laid out class by class, as scikit-learn's list is.
        out: Float64Matrix = np.empty((len(self.classes), matrix.shape[0])).T
        if self.stack is not None and is_short(matrix, self.stack):
            squares = (matrix - self.mean[:, None]) @ self.stack
            squares *= squares
            np.add.reduce(squares, 2, out=out.T)
        else:
            for i, (mean, axes) in enumerate(zip(self.mean, self.axes, strict=True)):
                squares = np.dot(matrix - mean, axes)
                squares *= squares
                np.add.reduce(squares, 1, out=out[:, i])
        out += self.log_scale
        out *= -0.5
        out += self.prior
        return out

    def decision_function(self, x: Rows) -> Array:
        """Log posteriors: (rows,) second less first for two classes, else (rows, classes)."""
        out = self._scores(x)
        return out[:, 1] - out[:, 0] if len(self.classes) == 2 else out

    def predict(self, x: Rows) -> Array:
        """Label of the highest posterior."""
        labels: Array = self.classes.take(self._scores(x).argmax(axis=1))
        return labels

    @silent
    def predict_proba(self, x: Rows) -> Float64Matrix:
        """Class probabilities, (rows, classes)."""
        out = self._scores(x)
        out = out - out.max(axis=1)[:, None]
        out = out - np.log(np.exp(out).sum(axis=1)[:, None])
        proba: Float64Matrix = np.exp(out)
        return proba


NODES: dict[str, NodeReader] = {
    kind.kind: kind
    for kind in (
        GaussianBayes,
        LinearBayes,
        CategoricalBayes,
        LinearDiscriminant,
        QuadraticDiscriminant,
    )
}
