"""Linear models: one matrix product, an intercept, and what the estimator makes of the scores."""

import numpy as np

from runtime.plan.ops import (
    Array,
    Fields,
    Float64Matrix,
    Missing,
    Node,
    NodeReader,
    Rows,
    product,
    sigmoid,
    softmax,
    two_columns,
)

MAX_COLUMNS = 10_000_000


class Linear(Node):
    """Weights (outputs, columns) and intercepts (outputs,).

    exact   bitwise at the same batch size: BLAS rounds one row and many differently; of sparse rows
            the scores are bitwise in any batch
    source  sklearn.linear_model._base, `X @ coef_.T + intercept_`
    """

    exact = "batch"
    takes_sparse = True
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        weights = fields.finite("weights", None, None)
        # The memory order is scikit-learn's: BLAS rounds a matrix and its transpose differently.
        self.weights = weights if fields.flag("transposed") else weights.T
        self.n_in, outputs = self.weights.shape
        self.intercept = fields.finite("intercept", outputs)
        if not outputs or not self.n_in:
            raise fields.fail("no weights")
        if fields.has("sparsified") and fields.flag("sparsified"):
            self.exact = "tolerance"  # scipy adds up a sparse product in another order

    def scores(self, x: Rows) -> Float64Matrix:
        """Give (rows, outputs)."""
        out = product(x, self.weights)
        out += self.intercept
        return out


class LinearRegressor(Linear):
    """Linear regressors; `link` log is the GLMs' (Poisson, Gamma, Tweedie)."""

    kind = "linear_regressor"
    methods = ("predict",)

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.link = fields.choice("link", "identity", "log")
        # scikit-learn multiplies by a vector or by a matrix, and BLAS rounds the two differently.
        self.vector = fields.flag("vector")
        if self.vector:
            if self.weights.shape[1] != 1:
                raise fields.fail("a vector has one output")
            self.weights = np.ascontiguousarray(self.weights[:, 0])
            self.intercept = self.intercept[0]

    def predict(self, x: Rows) -> Array:
        """Predicted values: (rows,), or (rows, outputs)."""
        out = self.scores(x)
        return np.exp(out) if self.link == "log" else out


class LinearClassifier(Linear):
    """Linear classifiers.

    proba  none: no predict_proba; sigmoid: two classes; softmax: multinomial; ovr: one logistic
           model a class, normalised; huber: SGDClassifier's modified_huber
    """

    kind = "linear_classifier"

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.classes: Array = fields.labels()
        self.proba = fields.choice("proba", "none", "sigmoid", "softmax", "ovr", "huber")
        self.binary = self.weights.shape[1] == 1
        if self.classes.shape[0] != (2 if self.binary else self.weights.shape[1]):
            raise fields.fail("'classes' does not fit the weights")
        if (self.proba == "sigmoid" and not self.binary) or (self.proba == "ovr" and self.binary):
            raise fields.fail(f"{self.proba} does not fit the number of classes")
        self.methods = ("predict", "decision_function")
        if self.proba != "none":
            self.methods = ("predict", "predict_proba", "decision_function")

    def decision_function(self, x: Rows) -> Array:
        """Scores: (rows,) for two classes, else (rows, classes)."""
        out = self.scores(x)
        return out[:, 0] if self.binary else out

    def predict(self, x: Rows) -> Array:
        """Label of the highest score."""
        out = self.scores(x)
        which = (out[:, 0] > 0).astype(np.intp) if self.binary else out.argmax(axis=1)
        labels: Array = self.classes.take(which)
        return labels

    def predict_proba(self, x: Rows) -> Float64Matrix:
        """Class probabilities, (rows, classes)."""
        out = self.scores(x)
        match self.proba:
            case "sigmoid":
                return two_columns(sigmoid(out[:, 0]))
            case "softmax":
                # Two classes fitted as multinomial: scikit-learn's softmax over minus and plus.
                return softmax(np.c_[-out, out] if self.binary else out)
            case "ovr":
                return normalised(sigmoid(out))
            case _:
                return self._huber(out)

    def _huber(self, out: Float64Matrix) -> Float64Matrix:
        """Source: sklearn.linear_model.SGDClassifier.predict_proba, modified_huber."""
        if self.binary:
            return two_columns((np.clip(out[:, 0], -1, 1) + 1) / 2.0)
        proba = np.clip(out, -1, 1)
        proba += 1
        proba /= 2.0
        return normalised(proba)


class LinearLabels(Linear):
    """Several labels at once, each where its score is above zero.

    source  sklearn.linear_model.RidgeClassifier.predict, with a multilabel target
    """

    kind = "linear_labels"
    methods = ("predict", "decision_function")

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.classes: Array = np.arange(self.weights.shape[1])

    def decision_function(self, x: Rows) -> Array:
        """Scores: (rows, labels), or (rows,) of one label alone."""
        out = self.scores(x)
        return out[:, 0] if out.shape[1] == 1 else out

    def predict(self, x: Rows) -> Array:
        """Zeros and ones, (rows, labels)."""
        return (self.scores(x) > 0).astype(np.int64)


def normalised(proba: Float64Matrix) -> Float64Matrix:
    """Divide each row by its sum; source: LinearClassifierMixin._predict_proba_lr.

    scikit-learn before 1.9 gave NaN for a row of zeros.
    """
    total = proba.sum(axis=1)
    empty = total == 0
    if empty.any():
        # No evidence for any class, so all are equally likely.
        proba[empty, :] = 1
        total[empty] = proba.shape[1]
    proba /= total.reshape((proba.shape[0], -1))
    return proba


NODES: dict[str, NodeReader] = {
    LinearLabels.kind: LinearLabels,
    LinearRegressor.kind: LinearRegressor,
    LinearClassifier.kind: LinearClassifier,
}
