"""AdaBoost: votes that weigh what their voter has earned, over any members or over trees alone."""

from typing import Final

import numpy as np

from runtime.plan.members import PAIRWISE, Group, in_batch, require, rows_of
from runtime.plan.ops import (
    Array,
    Fields,
    Float64Matrix,
    Float64Vector,
    Node,
    NodeReader,
    Rows,
    as_matrix,
    override,
    softmax,
)
from runtime.plan.tree_inputs import single
from runtime.plan.trees import Ensemble

BLOCK: Final = 1 << 20  # predictions held at once by a weighted median


class Scored(Node):
    """What AdaBoost classifiers make of the sums of votes.

    norm    sum of all weights
    source  sklearn.ensemble.AdaBoostClassifier.decision_function, `_compute_proba_from_decision`
    """

    methods = ("predict", "predict_proba", "decision_function")
    labels: Array
    norm: float

    def read(self, fields: Fields) -> None:
        """Read what is said of the classes."""
        self.classes = self.labels = fields.labels()
        self.norm = fields.number("norm")
        if len(self.labels) < 2 or not self.norm > 0:
            raise fields.fail("it needs two classes and weights")
        if len(self.labels) >= PAIRWISE:
            # Column by column in memory, but one row alone is a line: its softmax adds pairwise.
            self.exact = in_batch(self.exact)

    def totals(self, x: Rows) -> Float64Matrix:
        """Add up the votes, (rows, classes), voter after voter."""
        raise NotImplementedError

    def decision_function(self, x: Rows) -> Array:
        """Scores: (rows,) for two classes, else (rows, classes)."""
        # The order in memory is scikit-learn's, and decides how a softmax is rounded.
        scores: Float64Matrix = np.asfortranarray(self.totals(x))
        scores /= self.norm
        if len(self.labels) > 2:
            return scores
        scores[:, 0] *= -1
        line: Float64Vector = scores.sum(axis=1)
        return line

    def predict(self, x: Rows) -> Array:
        """Label of the highest score."""
        scores = self.decision_function(x)
        which = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        found: Array = self.labels.take(which)
        return found

    def predict_proba(self, x: Rows) -> Float64Matrix:
        """Class probabilities, (rows, classes)."""
        scores = self.decision_function(x)
        if scores.ndim == 1:
            return softmax(np.vstack([-scores, scores]).T / 2)
        return softmax(scores / (len(self.labels) - 1))


class AdaBoostClassifier(Group, Scored):
    """Members of any kind.

    real    SAMME.R, which scikit-learn had before 1.6: members vote with log-probabilities
    right   what a member adds to the class that it predicts, and
    wrong   to every other class
    """

    kind = "adaboost_classifier"

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.read(fields)
        self.real = fields.flag("real")
        for i, member in enumerate(self.members):
            require(fields, member, "predict_proba" if self.real else "predict", f"members[{i}]")
            if member.classes is None or (self.real and len(member.classes) != len(self.labels)):
                raise fields.fail(f"members[{i}] does not predict the classes")
        count = len(self.members)
        if not self.real:
            self.right = fields.finite("right", count)
            self.wrong = fields.finite("wrong", count)

    @override
    def totals(self, x: Rows) -> Float64Matrix:
        """Add up the votes, (rows, classes), member after member."""
        total = np.zeros((rows_of(x), len(self.labels)))
        for i in range(len(self.members)):
            if self.real:
                total += log_votes(self.ask(i, "predict_proba", x))
            else:
                hits = self.ask(i, "predict", x)[:, None] == self.labels
                total += np.where(hits, self.right[i], self.wrong[i])
        return total


def log_votes(proba: Float64Matrix) -> Float64Matrix:
    """Votes of SAMME.R; source: sklearn.ensemble._weight_boosting._samme_proba, before 1.6."""
    classes = proba.shape[1]
    logs: Float64Matrix = np.log(np.clip(proba, np.finfo(np.float64).eps, None))
    share = (1.0 / classes) * logs.sum(axis=1)[:, np.newaxis]
    votes: Float64Matrix = (classes - 1) * (logs - share)
    return votes


class AdaBoostTreeClassifier(Ensemble, Scored):
    """Single trees: a leaf holds what it adds to every class.

    exact  bit-equal, in any batch if there are fewer than eight classes
    """

    kind = "adaboost_tree_classifier"

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.read(fields)
        if self.width != len(self.labels):
            raise fields.fail("the leaves do not hold one vote a class")

    @override
    def totals(self, x: Rows) -> Float64Matrix:
        """Add up the votes, (rows, classes), tree after tree."""
        return self.sums(single(as_matrix(x), self.missing, infinite=False))


def weighted_median(predictions: Array, weights: Float64Vector) -> Float64Vector:
    """Give for each row the first prediction at which half of the weight is reached.

    predictions  (rows, members)
    source       sklearn.ensemble.AdaBoostRegressor._get_median_predict
    """
    order = predictions.argsort(axis=1)
    reached = np.cumsum(weights[order], axis=1)
    middle = (reached >= 0.5 * reached[:, -1][:, np.newaxis]).argmax(axis=1)
    rows = np.arange(len(predictions))
    median: Float64Vector = predictions[rows, order[rows, middle]]
    return median


class AdaBoostRegressor(Group):
    """Weighted median of members of any kind."""

    kind = "adaboost_regressor"
    methods = ("predict",)

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.weights = fields.finite("weights", len(self.members))
        for i, member in enumerate(self.members):
            require(fields, member, "predict", f"members[{i}]")
            if member.classes is not None:
                raise fields.fail(f"members[{i}] predicts labels")

    def predict(self, x: Rows) -> Float64Vector:
        """Predicted values, (rows,)."""
        answers = [self.ask(i, "predict", x) for i in range(len(self.members))]
        return weighted_median(np.array(answers).T, self.weights)


class AdaBoostTreeRegressor(Ensemble):
    """Weighted median of single trees.

    exact  bit-equal, in any batch
    cost   one sort of the trees' values a row
    """

    kind = "adaboost_tree_regressor"
    methods = ("predict",)

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.weights = fields.finite("weights", self.trees.trees)
        if self.width != 1:
            raise fields.fail("the leaves do not hold one value")

    def predict(self, x: Rows) -> Float64Vector:
        """Predicted values, (rows,)."""
        narrow = single(as_matrix(x), self.missing, infinite=False)
        values = self.trees.values[:, 0]
        out = np.empty(len(narrow))
        step = max(1, BLOCK // self.trees.trees)
        for first in range(0, len(narrow), step):
            # No block of all trees is cut in two, so that each holds a row's every prediction.
            for rows, index in self.trees.leaves(narrow[first : first + step], self.trees.trees):
                predictions = values.take(index, mode="clip").T
                place = slice(first + rows.start, first + rows.start + len(predictions))
                out[place] = weighted_median(predictions, self.weights)
        return out


NODES: dict[str, NodeReader] = {
    kind.kind: kind
    for kind in (
        AdaBoostClassifier,
        AdaBoostRegressor,
        AdaBoostTreeClassifier,
        AdaBoostTreeRegressor,
    )
}
