"""Nearest neighbours by brute force, in blocks.

Distances are sums of squared differences, as scikit-learn's trees compute them; its brute force
expands the square and rounds otherwise, so two neighbours as near as rounding may change places.
Points exactly as far as the k-th tie: here the one stored first counts, in scikit-learn whichever
its search meets first, so labels of data on a grid can differ. The build compares probe rows, and a
model on which they differ is served by scikit-learn.
"""

from typing import Final

import numpy as np

from runtime.plan.ops import (
    Array,
    Fields,
    Float64Matrix,
    InputRefused,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_matrix,
)

MAX_POINTS: Final = 1_000_000
MOST: Final = 1e150  # its square is still finite
BLOCK_CELLS: Final = 1 << 21  # differences held at once: 16 MiB


class Neighbors(Node):
    """Stored points and the k nearest of them to each row.

    metric   euclidean (also minkowski p=2), manhattan or chebyshev
    weights  uniform, or distance: the inverse of it; rows on a point listen to such points alone
    source   sklearn.neighbors._base.KNeighborsMixin.kneighbors, _get_weights
    """

    exact = "tolerance"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.points = fields.finite("points", None, None)
        stored, self.n_in = self.points.shape
        if not 0 < stored <= MAX_POINTS or not self.n_in:
            raise fields.fail("there are no points, or too many")
        self.k = fields.integer("k", 1, stored)
        self.metric = fields.choice("metric", "euclidean", "manhattan", "chebyshev")
        self.by_distance = fields.choice("weights", "uniform", "distance") == "distance"

    def nearest(self, x: Inputs) -> tuple[Array, Float64Matrix]:
        """Give (rows, k) places of the nearest points, nearest first, and their distances."""
        matrix = as_matrix(x)
        rows = matrix.shape[0]
        far = np.abs(matrix) > MOST
        if far.any():
            row, column = (int(i) for i in np.argwhere(far)[0])
            raise InputRefused(row, column, "too large: its distance to any point is infinite")
        places = np.empty((rows, self.k), np.intp)
        distances = np.empty((rows, self.k))
        step = max(1, BLOCK_CELLS // self.points.size)
        for first in range(0, rows, step):
            found = self._distances(matrix[first : first + step])
            # Stable, so that of points equally far the one stored first counts, as in a tree walk
            # of sorted leaves; a partition would choose among them by chance.
            order = found.argsort(axis=1, kind="stable")[:, : self.k]
            places[first : first + step] = order
            distances[first : first + step] = np.take_along_axis(found, order, axis=1)
        return places, np.sqrt(distances) if self.metric == "euclidean" else distances

    def _distances(self, block: Float64Matrix) -> Float64Matrix:
        difference = block[:, None, :] - self.points[None, :, :]
        if self.metric == "euclidean":
            squares: Float64Matrix = np.einsum("ijk,ijk->ij", difference, difference)
            return squares
        np.abs(difference, out=difference)
        axis_sum = difference.sum if self.metric == "manhattan" else difference.max
        gathered: Float64Matrix = axis_sum(axis=2)
        return gathered

    def weights(self, distances: Float64Matrix) -> Float64Matrix:
        """Give each neighbour's weight, (rows, k)."""
        if not self.by_distance:
            return np.ones_like(distances)
        with np.errstate(divide="ignore"):
            weights: Float64Matrix = 1.0 / distances
        infinite = np.isinf(weights)
        on_a_point = infinite.any(axis=1)
        weights[on_a_point] = infinite[on_a_point]
        return weights


class NeighborsClassifier(Neighbors):
    """Source: sklearn.neighbors.KNeighborsClassifier."""

    kind = "neighbors_classifier"
    methods = ("predict", "predict_proba")

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.classes: Array = fields.labels()
        self.targets = fields.indices("targets", len(self.classes), self.points.shape[0])

    def predict_proba(self, x: Inputs) -> Float64Matrix:
        """Weighted shares of the neighbours' classes, (rows, classes)."""
        places, distances = self.nearest(x)
        weights = self.weights(distances)
        rows, classes = places.shape[0], len(self.classes)
        cells = self.targets[places] + np.arange(0, rows * classes, classes)[:, None]
        shares = np.bincount(cells.ravel(), weights.ravel(), minlength=rows * classes)
        proba: Float64Matrix = shares.reshape(rows, classes).astype(np.float64, copy=False)
        proba /= proba.sum(axis=1, keepdims=True)
        return proba

    def predict(self, x: Inputs) -> Array:
        """Label with the largest share, the first of equals."""
        labels: Array = self.classes.take(self.predict_proba(x).argmax(axis=1))
        return labels


class NeighborsRegressor(Neighbors):
    """Source: sklearn.neighbors.KNeighborsRegressor."""

    kind = "neighbors_regressor"
    methods = ("predict",)

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.targets = fields.finite("targets", self.points.shape[0], None)
        self.vector = fields.flag("vector")
        if not self.targets.shape[1] or (self.vector and self.targets.shape[1] != 1):
            raise fields.fail("'targets' has no or too many columns")

    def predict(self, x: Inputs) -> Array:
        """Weighted means of the neighbours' targets: (rows,), or (rows, targets)."""
        places, distances = self.nearest(x)
        found = self.targets[places]
        if self.by_distance:
            weights = self.weights(distances)[:, :, None]
            mean: Array = (found * weights).sum(axis=1) / weights.sum(axis=1)
        else:
            mean = found.mean(axis=1)
        return mean[:, 0] if self.vector else mean


def _classifier(fields: Fields) -> Node:
    node = NeighborsClassifier(fields)
    fields.done()
    return node


def _regressor(fields: Fields) -> Node:
    node = NeighborsRegressor(fields)
    fields.done()
    return node


NODES: dict[str, NodeReader] = {
    NeighborsClassifier.kind: _classifier,
    NeighborsRegressor.kind: _regressor,
}
