"""Nearest neighbours by brute force, in blocks.

Two neighbours as near as rounding may change places, since scikit-learn's brute force expands the
square of a distance and rounds otherwise. Points exactly as far as the k-th tie: here the one
stored first counts, in scikit-learn whichever its search meets first, so labels of data on a grid
can differ. The build compares probe rows, and a model on which they differ is served by
scikit-learn.
"""

from typing import Final

import numpy as np

from runtime.plan.ops import Array, Fields, Float64Matrix, Inputs, NodeReader
from runtime.plan.stored import Neighbors, graph_width, read_targets

MAX_OUTPUTS: Final = 10_000


class NeighborsClassifier(Neighbors):
    """Source: sklearn.neighbors.KNeighborsClassifier."""

    kind = "neighbors_classifier"
    methods = ("predict", "predict_proba")

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.read_weights(fields)
        self.classes: Array = fields.labels()
        self.targets = fields.indices("targets", len(self.classes), self.points.stored)

    def predict_proba(self, x: Inputs) -> Float64Matrix:
        """Weighted shares of the neighbours' classes, (rows, classes)."""
        places, weights = self.weighted(x)
        return _shares(self.targets.take(places), weights, len(self.classes))

    def predict(self, x: Inputs) -> Array:
        """Label with the largest share, the first of equals."""
        labels: Array = self.classes.take(self.predict_proba(x).argmax(axis=1))
        return labels


def _shares(found: Array, weights: Float64Matrix | None, classes: int) -> Float64Matrix:
    """Weighted shares of the neighbours' classes, (rows, classes), of their places, (rows, k)."""
    rows, k = found.shape
    cells = (found + np.arange(0, rows * classes, classes)[:, None]).ravel()
    counts = np.bincount(cells, None if weights is None else weights.ravel(), rows * classes)
    sums: Array = counts.reshape(rows, classes)
    proba: Float64Matrix = sums / (k if weights is None else sums.sum(axis=1, keepdims=True))
    return proba


class NeighborsLabels(Neighbors):
    """Several outputs at once; source: sklearn.neighbors.KNeighborsClassifier, `outputs_2d_`."""

    kind = "neighbors_labels"
    methods = ("predict", "predict_proba")

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.read_weights(fields)
        count = fields.integer("outputs", 1, MAX_OUTPUTS)
        self.labels = [fields.labels(f"classes{i}") for i in range(count)]
        if len({labels.dtype for labels in self.labels}) > 1:
            raise fields.fail("the outputs have labels of different types")
        targets = fields.tensor("targets", "i8", self.points.stored, count)
        sizes = np.array([len(labels) for labels in self.labels])
        if (targets < 0).any() or (targets >= sizes).any():
            raise fields.fail("'targets' must be places of classes")
        self.targets = targets

    def _parts(self, x: Inputs) -> list[Float64Matrix]:
        places, weights = self.weighted(x)
        return [
            _shares(self.targets[:, i][places], weights, len(labels))
            for i, labels in enumerate(self.labels)
        ]

    def predict_proba(self, x: Inputs) -> Float64Matrix:
        """Shares of every output's classes side by side, (rows, classes)."""
        return np.hstack(self._parts(x))

    def predict(self, x: Inputs) -> Array:
        """Label with the largest share of every output, (rows, outputs)."""
        parts = zip(self._parts(x), self.labels, strict=True)
        return np.stack([labels.take(part.argmax(axis=1)) for part, labels in parts], axis=1)


class NeighborsRegressor(Neighbors):
    """Source: sklearn.neighbors.KNeighborsRegressor."""

    kind = "neighbors_regressor"
    methods = ("predict",)

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.read_weights(fields)
        self.targets, self.vector = read_targets(fields, self.points.stored)

    def predict(self, x: Inputs) -> Array:
        """Weighted means of the neighbours' targets: (rows,), or (rows, targets)."""
        places, weights = self.weighted(x)
        found = self.targets.take(places, 0)
        if weights is None:
            mean: Array = np.add.reduce(found, 1) / self.k
        else:
            mean = (found * weights[:, :, None]).sum(axis=1) / weights.sum(axis=1, keepdims=True)
        return mean[:, 0] if self.vector else mean


class NeighborsGraph(Neighbors):
    """KNeighborsTransformer: distances to the nearest points (or 1), 0 to all others.

    source  sklearn.neighbors._base.KNeighborsMixin.kneighbors_graph, made dense
    """

    kind = "neighbors_graph"
    methods = ("transform",)

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.n_out = graph_width(fields, self.points)
        self.connects = fields.flag("connectivity")
        if not self.connects:
            self.tolerance = self.tolerance_of_distances()

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, points)."""
        places, distances = self.nearest(x)
        rows = places.shape[0]
        out = np.zeros((rows, self.n_out))
        at = places + np.arange(0, rows * self.n_out, self.n_out)[:, None]
        out.ravel()[at] = 1.0 if self.connects else distances
        return out


class OutlierFactor(Neighbors):
    """LocalOutlierFactor with novelty=True: how much thinner rows lie than their neighbours.

    density    (points,): local reachability density of each stored point
    reach      (points,): distance of each stored point to its k-th neighbour
    source     sklearn.neighbors.LocalOutlierFactor.score_samples
    """

    kind = "outlier_factor"
    methods = ("predict", "decision_function", "score_samples")

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.density = fields.finite("density", self.points.stored)
        self.reach = fields.finite("reach", self.points.stored)
        self.offset = fields.number("offset")

    def score_samples(self, x: Inputs) -> Array:
        """Opposite of the local outlier factor, (rows,)."""
        places, distances = self.nearest(x)
        reach = np.maximum(distances, self.reach.take(places))
        own = 1.0 / (reach.sum(axis=1, keepdims=True) / self.k + 1e-10)
        score: Array = -((self.density.take(places) / own).sum(axis=1) / self.k)
        return score

    def decision_function(self, x: Inputs) -> Array:
        """Score less the offset: below zero for outliers."""
        return self.score_samples(x) - self.offset

    def predict(self, x: Inputs) -> Array:
        """-1 for outliers, 1 for all others."""
        return np.where(self.decision_function(x) < 0, -1, 1)


NODES: dict[str, NodeReader] = {
    kind.kind: kind
    for kind in (
        NeighborsClassifier,
        NeighborsLabels,
        NeighborsRegressor,
        NeighborsGraph,
        OutlierFactor,
    )
}
