"""Models around one model: targets transformed, thresholds moved, methods left out."""

from typing import Final

import numpy as np

from runtime.plan.compose import weakest, widest
from runtime.plan.members import Wrapped, read_members, require
from runtime.plan.ops import (
    Array,
    Fields,
    Float64Matrix,
    InputRefused,
    NodeReader,
    Rows,
    as_matrix,
    override,
)

PASSED: Final = ("predict", "predict_proba", "decision_function")


class Restricted(Wrapped):
    """A model of which only some methods are shown, as scikit-learn's wrapper around it does."""

    kind = "restricted"

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        require(fields, self.inner, "predict", "the model inside")
        self.classes = self.inner.classes
        self.methods = tuple(method for method in PASSED if method in self.inner.methods)

    @override
    def run(self, method: str, x: Rows) -> Array:
        """Call the model inside."""
        return self.inner.run(method, x)


class Threshold(Restricted):
    """A classifier of two classes whose label turns at a score of one's own choosing.

    asks     method that gives the score
    column   of the probabilities that is the score
    negated  the score is of the other class
    turns    places of the classes predicted below the threshold, and from it on
    source   sklearn.model_selection._classification_threshold
    """

    kind = "threshold_classifier"

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        if self.classes is None or len(self.classes) != 2:
            raise fields.fail("the model inside does not know two classes")
        self.labels: Array = self.classes
        self.asks = fields.choice("asks", "predict_proba", "decision_function")
        require(fields, self.inner, self.asks, "the model inside")
        self.column = fields.integer("column", 0, 1)
        self.negated = fields.flag("negated")
        self.threshold = fields.number("threshold")
        self.turns = fields.indices("turns", 2, 2)

    @override
    def run(self, method: str, x: Rows) -> Array:
        """Call the model inside, but for its labels."""
        return self.predict(x) if method == "predict" else self.inner.run(method, x)

    def predict(self, x: Rows) -> Array:
        """Label on the one or the other side of the threshold."""
        scores = self.inner.run(self.asks, x)
        if scores.ndim == 2:
            scores = scores[:, self.column]
        if self.negated:
            scores = -1 * scores
        labels: Array = self.labels.take(self.turns[(scores >= self.threshold).astype(np.intp)])
        return labels


class TransformedTarget(Wrapped):
    """A regressor that was taught transformed targets; what it predicts is transformed back.

    back    transformers, one after another, each a node
    vector  predictions have shape (rows,)
    source  sklearn.compose.TransformedTargetRegressor.predict
    """

    kind = "transformed_target"
    methods = ("predict",)

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        require(fields, self.inner, "predict", "the model inside")
        if self.inner.classes is not None:
            raise fields.fail("the model inside predicts labels")
        self.back = read_members(fields, "back") if fields.has("back") else []
        for i, node in enumerate(self.back):
            require(fields, node, "transform", f"back[{i}]")
            if node.n_in != self.back[0].n_in or node.n_out != node.n_in:
                raise fields.fail(f"back[{i}] does not give as many numbers as it takes")
        self.vector = fields.flag("vector")
        if self.vector and self.back and self.back[0].n_in != 1:
            raise fields.fail("a vector is transformed number by number")
        self.exact = weakest([self.inner, *self.back])
        self.tolerance = widest([self.inner, *self.back])

    def predict(self, x: Rows) -> Array:
        """Predicted values: (rows,), or (rows, targets)."""
        found = self.inner.run("predict", x)
        table: Float64Matrix = found.reshape(len(found), -1)
        good = np.isfinite(table).all(axis=1)
        if not good.all():
            detail = "becomes NaN or infinite inside the model"
            raise InputRefused(int(np.argmin(good)), None, detail)
        if self.back and table.shape[1] != self.back[0].n_in:
            raise ValueError(f"the model inside predicts {table.shape[1]} numbers a row")
        for node in self.back:
            table = as_matrix(node.transform(table))  # type: ignore[attr-defined]  # checked
        return table[:, 0] if self.vector else table


NODES: dict[str, NodeReader] = {
    kind.kind: kind for kind in (Restricted, Threshold, TransformedTarget)
}
