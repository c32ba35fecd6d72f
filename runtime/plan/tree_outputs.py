"""What trees give besides one prediction: several labels at once, and the leaves themselves."""

from typing import Final

import numpy as np

from runtime.plan.ops import Array, Fields, Float64Matrix, Inputs, NodeReader
from runtime.plan.passing import MAX_COLUMNS
from runtime.plan.tree_inputs import single
from runtime.plan.trees import Ensemble, Forest

MAX_OUTPUTS: Final = 10_000


class LabelsForest(Forest):
    """A tree or forest that classifies several outputs at once; a leaf holds all probabilities.

    source  sklearn.ensemble._forest.ForestClassifier, with `n_outputs_` above one
    """

    kind = "labels_forest"
    methods = ("predict", "predict_proba")

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        count = fields.integer("outputs", 1, MAX_OUTPUTS)
        self.labels: list[Array] = [fields.labels(f"classes{i}") for i in range(count)]
        ends = np.cumsum([len(labels) for labels in self.labels])
        if self.width != ends[-1]:
            raise fields.fail("the leaves do not hold one probability a class")
        if len({labels.dtype for labels in self.labels}) > 1:
            raise fields.fail("the outputs have labels of different types")
        self.pieces = [
            slice(int(end) - len(labels), int(end))
            for labels, end in zip(self.labels, ends, strict=True)
        ]

    def predict_proba(self, x: Inputs) -> Float64Matrix:
        """Probabilities of every output's classes side by side, (rows, classes)."""
        proba = self.sums(single(x, self.missing, infinite=False))
        proba /= self.trees.trees
        return proba

    def predict(self, x: Inputs) -> Array:
        """Label of the most probable class of every output, (rows, outputs)."""
        proba = self.predict_proba(x)
        found = np.empty((len(proba), len(self.labels)), self.labels[0].dtype)
        for i, (labels, piece) in enumerate(zip(self.labels, self.pieces, strict=True)):
            found[:, i] = labels.take(proba[:, piece].argmax(axis=1))
        return found


class TreeEmbedding(Ensemble):
    """Which leaf of every tree a row reaches, one column a leaf.

    A leaf's value is the number of its column.

    source  sklearn.ensemble.RandomTreesEmbedding.transform
    """

    kind = "tree_embedding"
    methods = ("transform",)

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.n_out = fields.integer("n_out", 1, MAX_COLUMNS)
        values = self.trees.values
        places = values.astype(np.int64, copy=True) if _whole(values, self.n_out) else None
        if places is None or self.width != 1:
            raise fields.fail("the leaves do not hold one column each")
        self.places: Array = places[:, 0]

    def transform(self, x: Inputs) -> Float64Matrix:
        """One for every leaf that is reached, else zero: (rows, leaves of all trees)."""
        narrow = single(x, self.missing, infinite=False)
        out = np.zeros((len(narrow), self.n_out))
        for rows, index in self.trees.leaves(narrow, 1):
            columns = self.places.take(index, mode="clip")
            out[np.arange(rows.start, rows.start + index.shape[1]), columns] = 1.0
        return out


def _whole(values: Float64Matrix, below: int) -> bool:
    good = (values >= 0) & (values < below) & (values == np.floor(values))
    return bool(good.all())


NODES: dict[str, NodeReader] = {kind.kind: kind for kind in (LabelsForest, TreeEmbedding)}
