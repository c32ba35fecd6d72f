"""Multilayer perceptrons: matrix products with a function between them."""

from typing import Final

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
    as_matrix,
    sigmoid,
    silent,
    softmax,
)

MAX_LAYERS: Final = 1_000


def _activate(name: str, x: Float64Matrix) -> Float64Matrix:
    """Apply an activation; source: sklearn.neural_network._base.ACTIVATIONS."""
    match name:
        case "relu":
            return np.maximum(x, 0, out=x)
        case "tanh":
            return np.tanh(x, out=x)
        case "logistic":
            return sigmoid(x)
        case "softmax":
            return softmax(x)
        case "exp":
            return np.exp(x, out=x)
        case _:
            return x


class Perceptron(Node):
    """Layers of weights (columns, units) and biases; hidden activation, output activation.

    exact   bitwise at the same batch size: BLAS rounds one row and many differently
    source  sklearn.neural_network._multilayer_perceptron._forward_pass_fast
    """

    exact = "batch"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        depth = fields.integer("depth", 1, MAX_LAYERS)
        hidden = fields.choice("hidden", "identity", "logistic", "tanh", "relu")
        output = fields.choice("output", "identity", "logistic", "softmax", "exp")
        self.layers: list[tuple[Array, Array, str]] = []
        width: int | None = None
        for layer in range(depth):
            weights = right_factor(fields, f"weights_{layer}", width, None)
            rows, width = int(weights.shape[0]), int(weights.shape[1])
            if not rows or not width:
                raise fields.fail(f"layer {layer} is empty")
            bias = fields.finite(f"bias_{layer}", width)
            self.layers.append((weights, bias, hidden if layer < depth - 1 else output))
        self.n_in = int(self.layers[0][0].shape[0])
        self.outputs = int(self.layers[-1][0].shape[1])

    @silent
    def forward(self, x: Inputs) -> Float64Matrix:
        """Give (rows, outputs) after the output activation."""
        out = as_matrix(x)
        for weights, bias, activation in self.layers:
            out = out @ weights
            out += bias
            out = _activate(activation, out)
        return out


class PerceptronRegressor(Perceptron):
    """MLPRegressor, one output or several."""

    kind = "mlp_regressor"
    methods = ("predict",)

    def predict(self, x: Inputs) -> Array:
        """Predicted values: (rows,), or (rows, outputs)."""
        out = self.forward(x)
        return out.ravel() if self.outputs == 1 else out


class PerceptronClassifier(Perceptron):
    """MLPClassifier: one logistic output for two classes, else softmax over all."""

    kind = "mlp_classifier"
    methods = ("predict", "predict_proba")

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.classes: Array = fields.labels()
        self.binary = self.outputs == 1
        if self.classes.shape[0] != (2 if self.binary else self.outputs):
            raise fields.fail("'classes' does not fit the last layer")

    def predict(self, x: Inputs) -> Array:
        """Label above one half, or of the highest output."""
        out = self.forward(x)
        which = (out.ravel() > 0.5).astype(np.intp) if self.binary else out.argmax(axis=1)
        labels: Array = self.classes.take(which)
        return labels

    def predict_proba(self, x: Inputs) -> Float64Matrix:
        """Class probabilities, (rows, classes)."""
        out = self.forward(x)
        if not self.binary:
            return out
        positive = out.ravel()
        return np.vstack([1 - positive, positive]).T


class PerceptronLabels(Perceptron):
    """MLPClassifier over several labels at once, each a logistic output above one half."""

    kind = "mlp_labels"
    methods = ("predict", "predict_proba")

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.classes: Array = np.arange(self.outputs)

    def predict(self, x: Inputs) -> Array:
        """Zeros and ones, (rows, labels)."""
        return (self.forward(x) > 0.5).astype(np.int64)

    def predict_proba(self, x: Inputs) -> Float64Matrix:
        """Probability of each label for itself, (rows, labels)."""
        return self.forward(x)


NODES: dict[str, NodeReader] = {
    PerceptronLabels.kind: PerceptronLabels,
    PerceptronRegressor.kind: PerceptronRegressor,
    PerceptronClassifier.kind: PerceptronClassifier,
}
