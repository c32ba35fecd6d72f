"""Neighbours within a radius, by brute force in blocks.

A point as near to the radius as rounding can tell may lie on either side of it, since
scikit-learn's brute force expands the square of a distance and rounds otherwise.
"""

import numpy as np

from runtime.plan.ops import (
    Array,
    Fields,
    Float64Matrix,
    Inputs,
    NodeReader,
    as_matrix,
)
from runtime.plan.stored import Within, graph_width, no_neighbor, read_targets


class RadiusClassifier(Within):
    """RadiusNeighborsClassifier.

    outlier  what a row without neighbours is: place of its class among the classes (-1: none of
             them), and its label; without a label such a row is refused
    source   sklearn.neighbors.RadiusNeighborsClassifier
    """

    kind = "radius_classifier"
    methods = ("predict", "predict_proba")

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.read_weights(fields)
        self.classes: Array = fields.labels()
        k = len(self.classes)
        targets = fields.indices("targets", k, self.points.stored)
        fields.spend(targets.shape[0] * k)
        self.member = (targets[:, None] == np.arange(k)).astype(np.float64)
        self.outlier = -1
        self.label: Array | None = None
        if fields.has("label"):
            self.label = fields.labels("label")
            self.outlier = fields.integer("outlier", -1, k - 1)
            if self.label.shape != (1,):
                raise fields.fail("'label' must be one label")

    def predict_proba(self, x: Inputs) -> Float64Matrix:
        """Weighted shares of the neighbours' classes, (rows, classes)."""
        matrix = as_matrix(x)
        proba = np.empty((matrix.shape[0], len(self.classes)))
        for at, found in self.found(matrix, far=self.by_distance):
            np.matmul(self.weights(found), self.member, out=proba[at])
        total = proba.sum(axis=1)
        if not total.all():
            lonely = total == 0.0
            if self.label is None:
                raise no_neighbor(int(lonely.argmax()))
            if self.outlier >= 0:
                proba[lonely, self.outlier] = 1.0
            total[lonely] = 1.0
        proba /= total[:, None]
        return proba

    def predict(self, x: Inputs) -> Array:
        """Label with the largest share, the first of equals."""
        proba = self.predict_proba(x)
        labels: Array = self.classes.take(proba.argmax(axis=1))
        if self.label is not None and self.outlier < 0:
            labels[~proba.any(axis=1)] = self.label[0]
        return labels


class RadiusRegressor(Within):
    """RadiusNeighborsRegressor; a row without neighbours is NaN, or what `empty` says.

    source  sklearn.neighbors.RadiusNeighborsRegressor.predict
    """

    kind = "radius_regressor"
    methods = ("predict",)

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.read_weights(fields)
        self.targets, self.vector = read_targets(fields, self.points.stored)
        self.empty = fields.number("empty") if fields.has("empty") else np.nan

    def predict(self, x: Inputs) -> Array:
        """Weighted means of the neighbours' targets: (rows,), or (rows, targets)."""
        matrix = as_matrix(x)
        out = np.empty((matrix.shape[0], self.targets.shape[1]))
        total = np.empty((matrix.shape[0], 1))
        for at, found in self.found(matrix, far=self.by_distance):
            weights = self.weights(found)
            np.matmul(weights, self.targets, out=out[at])
            np.add.reduce(weights, 1, keepdims=True, out=total[at])
        if total.all():
            out /= total
        else:
            lonely = total[:, 0] == 0.0
            total[lonely] = 1.0
            out /= total
            out[lonely] = self.empty
        return out[:, 0] if self.vector else out


class RadiusGraph(Within):
    """RadiusNeighborsTransformer: distances to the points within the radius (or 1), 0 to others.

    source  sklearn.neighbors._base.RadiusNeighborsMixin.radius_neighbors_graph, made dense
    """

    kind = "radius_graph"
    methods = ("transform",)

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.n_out = graph_width(fields, self.points)
        self.connects = fields.flag("connectivity")
        if not self.connects:
            self.tolerance = self.tolerance_of_distances()

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, points)."""
        matrix = as_matrix(x)
        # Most cells stay zero, and the memory of those is never touched.
        out = np.zeros((matrix.shape[0], self.n_out))
        for at, place, found in self.near(matrix):
            out[at].ravel()[place] = 1.0 if self.connects else self.points.finish(found)
        return out


NODES: dict[str, NodeReader] = {
    kind.kind: kind for kind in (RadiusClassifier, RadiusRegressor, RadiusGraph)
}
