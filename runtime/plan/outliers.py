"""Outlier detectors by a plane or an ellipse: a score, an offset, and which side of it."""

import numpy as np

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


class Plane(Node):
    """SGDOneClassSVM: 1 above the plane or on it, -1 below.

    exact   bitwise at the same batch size: BLAS rounds one row and many differently
    source  sklearn.linear_model.SGDOneClassSVM
    """

    kind = "plane"
    methods = ("predict", "decision_function", "score_samples")
    exact = "batch"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.weights = fields.finite("weights", None)
        self.n_in = int(self.weights.shape[0])
        self.offset = fields.number("offset")
        if not self.n_in:
            raise fields.fail("'weights' is empty")

    def decision_function(self, x: Inputs) -> Array:
        """Distance from the plane, times the length of the weights, (rows,)."""
        with np.errstate(over="ignore", invalid="ignore"):
            product: Float64Matrix = as_matrix(x) @ self.weights[:, None]
            out: Array = (product - self.offset).ravel()
        return out

    def score_samples(self, x: Inputs) -> Array:
        """Score without the offset, (rows,)."""
        return self.decision_function(x) + self.offset

    def predict(self, x: Inputs) -> Array:
        """1 inside, -1 outside, int32."""
        return np.where(self.decision_function(x) >= 0, np.int32(1), np.int32(-1))


class Envelope(Node):
    """EllipticEnvelope: squared Mahalanobis distances from the centre.

    precision  (columns, columns): inverse of the covariance
    exact      within 1e-12 times the condition of `precision`: scipy adds one term at a time
    source     sklearn.covariance.EllipticEnvelope; EmpiricalCovariance.mahalanobis
    """

    kind = "envelope"
    methods = ("predict", "decision_function", "score_samples")
    exact = "tolerance"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.centre = fields.finite("centre", None)
        self.n_in = int(self.centre.shape[0])
        if not self.n_in:
            raise fields.fail("'centre' is empty")
        self.precision = fields.finite("precision", self.n_in, self.n_in)
        self.offset = fields.number("offset")

    def score_samples(self, x: Inputs) -> Array:
        """Squared distance from the centre, below zero, (rows,)."""
        with np.errstate(over="ignore", invalid="ignore"):
            apart = as_matrix(x) - self.centre
            squares = np.einsum("ij,ij->i", apart @ self.precision, apart)
            out: Array = -(np.sqrt(squares) ** 2)
        return out

    def decision_function(self, x: Inputs) -> Array:
        """Score less the offset: below zero for outliers."""
        return self.score_samples(x) - self.offset

    def predict(self, x: Inputs) -> Array:
        """1 inside, -1 outside."""
        return np.where(self.decision_function(x) >= 0, 1, -1)


NODES: dict[str, NodeReader] = {kind.kind: kind for kind in (Plane, Envelope)}
