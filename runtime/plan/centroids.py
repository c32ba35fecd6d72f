"""Nearest centroids: a class for each centre, the nearest one, perhaps weighed by its prior."""

import numpy as np

from runtime.plan.distances import Points, expanded, lengths
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


class NearestCentroid(Node):
    """NearestCentroid.

    points   one centroid a class, in the metric euclidean or manhattan
    scale    (columns,): deviations within the classes, 1 where there are none
    prior    (classes,): twice the log of the class priors; without them (scikit-learn before 1.6)
             there is neither scale nor even, and no probabilities
    even     the priors are equal, and the nearest centroid alone decides
    exact    bitwise at the same batch size (euclidean); a label may differ where two centroids are
             as near as rounding can tell, because scikit-learn multiplies in chunks of 256 rows
    source   sklearn.neighbors.NearestCentroid.predict and _decision_function;
             sklearn.discriminant_analysis.DiscriminantAnalysisPredictionMixin
    """

    kind = "nearest_centroid"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.classes: Array = fields.labels()
        self.points = Points(fields)
        self.n_in = self.points.columns
        k = len(self.classes)
        if self.points.metric not in ("euclidean", "manhattan") or self.points.stored != k or k < 2:
            raise fields.fail("one centroid a class, euclidean or manhattan, is wanted")
        self.squares = lengths(self.points.points)
        self.methods = ("predict",)
        euclidean = self.points.metric == "euclidean"
        self.exact = "batch" if euclidean else "tolerance"
        self.even = True
        if not fields.has("prior"):
            return
        self.scale = fields.finite("scale", self.n_in)
        if (self.scale == 0).any():
            raise fields.fail("'scale' must not hold zero")
        self.prior = fields.finite("prior", k)
        self.even = fields.flag("even")
        self.scaled = self.points.points / self.scale
        if euclidean:
            self.methods = ("predict", "predict_proba", "decision_function")

    def _scores(self, x: Float64Matrix) -> Float64Matrix:
        """Log posteriors but for a constant, (rows, classes); a step for each class."""
        x = x / self.scale
        out = np.empty((x.shape[0], len(self.classes)))
        with np.errstate(over="ignore", invalid="ignore"):
            for i, centroid in enumerate(self.scaled):
                if self.points.metric == "euclidean":
                    far = np.sqrt(expanded(x, centroid[None], lengths(centroid[None])))[:, 0]
                else:
                    far = np.abs(x - centroid).sum(axis=1)
                far **= 2
                out[:, i] = -far + self.prior[i]
        return out

    def predict(self, x: Inputs) -> Array:
        """Label of the nearest centroid or, with priors, of the highest posterior."""
        matrix = as_matrix(x)
        if not self.even:
            which = self._scores(matrix).argmax(axis=1)
        elif self.points.metric == "euclidean":
            which = expanded(matrix, self.points.points, self.squares).argmin(axis=1)
        else:
            found = [far.argmin(axis=1) for _, far in self.points.blocks(matrix)]
            which = np.concatenate(found) if found else np.empty(0, np.intp)
        labels: Array = self.classes.take(which)
        return labels

    def decision_function(self, x: Inputs) -> Array:
        """Log posteriors: (rows,) second less first for two classes, else (rows, classes)."""
        out = self._scores(as_matrix(x))
        return out[:, 1] - out[:, 0] if len(self.classes) == 2 else out

    def predict_proba(self, x: Inputs) -> Float64Matrix:
        """Class probabilities, (rows, classes)."""
        out = self._scores(as_matrix(x))
        with np.errstate(under="ignore", invalid="ignore"):
            out = out - out.max(axis=1)[:, None]
            out = out - np.log(np.exp(out).sum(axis=1)[:, None])
            proba: Float64Matrix = np.exp(out)
        return proba


NODES: dict[str, NodeReader] = {NearestCentroid.kind: NearestCentroid}
