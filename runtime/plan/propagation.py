"""Labels propagated to new rows: training rows vote, weighted by a kernel or as neighbours."""

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
    override,
)
from runtime.plan.pairwise import PairwiseKernel, rows_at_once
from runtime.plan.stored import Neighbors


class Voted(Node):
    """What both kinds of votes share: shares of the classes for each training row.

    source  sklearn.semi_supervised._label_propagation.BaseLabelPropagation.predict_proba
    """

    methods = ("predict", "predict_proba")
    exact = "tolerance"
    missing = Missing.REFUSES
    classes: Array
    shares: Float64Matrix

    def read_shares(self, fields: Fields, stored: int) -> None:
        """Read (points, classes)."""
        self.classes = fields.labels()
        self.shares = fields.finite("shares", stored, len(self.classes))

    def votes(self, x: Inputs) -> Float64Matrix:
        """Give (rows, classes), not normalised."""
        raise NotImplementedError

    def predict_proba(self, x: Inputs) -> Float64Matrix:
        """Share of each class, (rows, classes); NaN where no training row has a vote."""
        proba = self.votes(x)
        with np.errstate(invalid="ignore", divide="ignore"):
            proba /= np.sum(proba, axis=1, keepdims=True)
        return proba

    def predict(self, x: Inputs) -> Array:
        """Label with the largest share, the first of equals."""
        labels: Array = self.classes.take(self.predict_proba(x).argmax(axis=1))
        return labels


class KernelVotes(Voted):
    """LabelPropagation and LabelSpreading with kernel='rbf'.

    exact   within 1e-12 of the largest vote: BLAS rounds blocks of rows differently
    """

    kind = "kernel_votes"

    def __init__(self, fields: Fields) -> None:
        points = fields.finite("points", None, None)
        stored, self.n_in = (int(length) for length in points.shape)
        if not stored or not self.n_in:
            raise fields.fail("'points' is empty")
        self.kernel = PairwiseKernel(fields, points)
        self.read_shares(fields, stored)
        self.height = rows_at_once(stored)

    @override
    def votes(self, x: Inputs) -> Float64Matrix:
        """Give (rows, classes): kernels times shares."""
        matrix = as_matrix(x)
        out = np.empty((matrix.shape[0], len(self.classes)))
        for at in range(0, matrix.shape[0], self.height):
            values = self.kernel.values(matrix[at : at + self.height])
            out[at : at + self.height] = values @ self.shares
        return out


class NeighborVotes(Voted):
    """LabelPropagation and LabelSpreading with kernel='knn'."""

    kind = "neighbor_votes"

    def __init__(self, fields: Fields) -> None:
        self.neighbors = Neighbors(fields)
        self.n_in = self.neighbors.n_in
        self.read_shares(fields, self.neighbors.points.stored)

    @override
    def votes(self, x: Inputs) -> Float64Matrix:
        """Give (rows, classes): sums over the neighbours."""
        places, _ = self.neighbors.nearest(x)
        out: Float64Matrix = np.sum(self.shares[places], axis=1)
        return out


NODES: dict[str, NodeReader] = {kind.kind: kind for kind in (KernelVotes, NeighborVotes)}
