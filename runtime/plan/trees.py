"""Decision trees, forests, gradient boosting and isolation forests."""

from functools import cached_property
from typing import Any, Final

import numpy as np

from runtime.plan.by_height import ByHeight
from runtime.plan.ops import (
    Array,
    Fields,
    Float64Matrix,
    Float64Vector,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_matrix,
    override,
    sigmoid,
    softmax,
    two_columns,
)
from runtime.plan.quickscorer import QuickScorer
from runtime.plan.signature import Kind
from runtime.plan.tree_inputs import MAX_COLUMNS, Categories, single
from runtime.plan.tree_walk import TreeWalk

Layout = TreeWalk | QuickScorer | ByHeight

# Numbers of leaves held at once, 32 MiB: a leaf may hold one for each of many outputs.
BLOCK_CELLS: Final = 1 << 22
MAX_ADDED: Final = 1 << 27  # numbers of all leaves that a row reaches: some 0.3 s


def add_in_order(total: Float64Matrix, values: Array) -> Float64Matrix:
    """Add values (trees, ...) to total (...) one tree after another, as scikit-learn does.

    `np.add.reduce` over the first of several axes is sequential; over a lone column it is pairwise,
    which rounds differently, hence `accumulate` there.
    """
    if total.size == 1:
        line = np.concatenate((total.reshape(1), values.reshape(-1)))
        return np.add.accumulate(line)[-1:].reshape(total.shape)
    np.add(total, values[0], out=values[0])
    summed: Float64Matrix = np.add.reduce(values, axis=0)
    return summed


def _layout(fields: Fields, n_in: int, code: str) -> Layout:
    if fields.choice("layout", "walk", "quickscorer") == "walk":
        return TreeWalk(fields, n_in, code)
    table = QuickScorer(fields, n_in, code)
    return ByHeight(fields, n_in, table, code) if fields.has("walked_from") else table


class Ensemble(Node):
    """What all tree models share: their layout, their input, the sums over trees."""

    exact = "bitwise"

    def __init__(self, fields: Fields, group: int = 1) -> None:
        self.n_in = fields.integer("n_in", 1, MAX_COLUMNS)
        self.missing = Missing(fields.choice("missing", Missing.REFUSES, Missing.PASSES))
        # The classic trees compare float32 with thresholds rounded down to float32, which decides
        # as scikit-learn's float32 against float64 does; HistGradientBoosting compares float64.
        self.narrow = fields.choice("compares", "f4", "f8") == "f4"
        code = "f4" if self.narrow else "f8"
        self.trees = _layout(fields, self.n_in, code)
        self.width = self.trees.values.shape[1]
        self.group = group
        if self.trees.trees * self.width > MAX_ADDED:
            raise fields.fail(f"one row adds up more than {MAX_ADDED} numbers")
        if self.trees.trees % group or (group > 1 and self.width != 1):
            raise fields.fail(f"the trees do not come in groups of {group}")

    def sums(self, x: Array) -> Float64Matrix:
        """Sum of the leaf values over all trees, from zero: (rows, width)."""
        total = np.zeros((x.shape[0], self.width))
        for rows, index in self.trees.leaves(x, 1):
            step = max(1, BLOCK_CELLS // (self.width * index.shape[1]))
            for first in range(0, index.shape[0], step):
                picked = self.trees.values.take(index[first : first + step], 0, mode="clip")
                total[rows] = add_in_order(total[rows], picked)
        return total

    def of_one(self, table: Array, x: Array) -> Array:
        """Entry of a table, with one for every row of the values, that a tree alone leads to."""
        parts: list[Array] = [
            table.take(index[0], mode="clip") for _, index in self.trees.leaves(x, 1)
        ]
        if len(parts) == 1:
            return parts[0]
        found: Array = np.concatenate(parts) if parts else table[:0]
        return found

    def stages(self, x: Array, start: Float64Matrix) -> Float64Matrix:
        """Start (group, rows) plus the leaf values; tree t belongs to output t modulo group."""
        values = self.trees.values[:, 0]
        for rows, index in self.trees.leaves(x, self.group):
            picked = values.take(index, mode="clip")
            picked = picked.reshape(-1, self.group, picked.shape[1])
            start[:, rows] = add_in_order(start[:, rows], picked)
        return start


class Forest(Ensemble):
    """What a forest's classifier and regressor share."""

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        # With several threads scikit-learn adds the trees as they finish, and so rounds differently
        # from call to call; the plan always adds them in order.
        self.exact = "bitwise" if fields.flag("in_order") else "tolerance"


class ForestClassifier(Forest):
    """One tree or the mean of many; source: sklearn.ensemble._forest.ForestClassifier."""

    kind = "forest_classifier"
    methods = ("predict", "predict_proba")

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.classes: Array = fields.labels()
        if self.width != self.classes.shape[0]:
            raise fields.fail("the leaves do not hold one probability a class")

    def predict_proba(self, x: Inputs) -> Float64Matrix:
        """Class probabilities, (rows, classes)."""
        proba = self.sums(single(x, self.missing, infinite=False))
        proba /= self.trees.trees
        return proba

    def predict(self, x: Inputs) -> Array:
        """Label of the most probable class, the first of equals."""
        if self.trees.trees == 1:
            return self.of_one(self._labels, single(x, self.missing, infinite=False))
        labels: Array = self.classes.take(self.predict_proba(x).argmax(axis=1))
        return labels

    @cached_property
    def _labels(self) -> Array:
        """Label of every row of the values: what a tree alone predicts there."""
        labels: Array = self.classes.take(self.trees.values.argmax(axis=1))
        return labels


class ForestRegressor(Forest):
    """One tree or the mean of many; source: sklearn.ensemble._forest.ForestRegressor."""

    kind = "forest_regressor"
    methods = ("predict",)

    def predict(self, x: Inputs) -> Float64Matrix | Float64Vector:
        """Mean of the trees: (rows,), or (rows, targets) where there are several."""
        if self.trees.trees == 1 and self.width == 1:
            # As from a sum that begins at zero, which is never -0.0.
            return 0.0 + self.of_one(
                self.trees.values[:, 0], single(x, self.missing, infinite=False)
            )
        mean = self.sums(single(x, self.missing, infinite=False))
        mean /= self.trees.trees
        return mean[:, 0] if self.width == 1 else mean


class IsolationForest(Ensemble):
    """Source: sklearn.ensemble._iforest.IsolationForest._compute_score_samples."""

    kind = "isolation_forest"
    methods = ("predict", "decision_function", "score_samples")

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.denominator = fields.number("denominator")
        self.offset = fields.number("offset")
        if self.width != 1:
            raise fields.fail("the leaves do not hold one depth")

    def score_samples(self, x: Inputs) -> Float64Vector:
        """Minus the anomaly score: nearer to -1 is stranger."""
        depths = self.sums(single(x, self.missing, infinite=True))[:, 0]
        # One training row has depth 0 and denominator 0; scikit-learn says 1 then.
        mean = depths / self.denominator if self.denominator else np.ones_like(depths)
        scores: Float64Vector = -(2**-mean)
        return scores

    def decision_function(self, x: Inputs) -> Float64Vector:
        """Score above the threshold of an outlier."""
        return self.score_samples(x) - self.offset

    def predict(self, x: Inputs) -> Array:
        """1 for an inlier, -1 for an outlier."""
        return np.where(self.decision_function(x) < 0, -1, 1)


class Boosted(Ensemble):
    """Trees added up on top of a start value, for GradientBoosting and HistGradientBoosting."""

    def __init__(self, fields: Fields) -> None:
        self.start: Float64Vector = fields.finite("start", None)
        super().__init__(fields, max(1, self.start.shape[0]))
        self.link = fields.choice("link", *self.links)
        self.categories = None
        if fields.has("categories"):
            self.categories = Categories(fields, self.n_in)
        if self.width != 1 or not self.start.shape[0]:
            raise fields.fail("boosting needs one value a leaf and a start for each output")
        if self.categories is not None and self.narrow:
            raise fields.fail("categories need float64 comparisons")

    links: tuple[str, ...] = ()

    @override
    def columns_in(self, nan_ok_after: bool) -> tuple[tuple[Kind, bool], ...]:
        """Give kind and `missing allowed` of every input column."""
        columns = super().columns_in(nan_ok_after)
        if self.categories is None:
            return columns
        return tuple((k, ok) for k, (_, ok) in zip(self.categories.kinds, columns, strict=True))

    def prepared(self, x: Inputs) -> Array:
        """Give the matrix that the trees compare."""
        if self.narrow:
            return single(x, self.missing, infinite=False)
        if self.categories is not None:
            return self.categories.encode(x)
        return np.ascontiguousarray(as_matrix(x))

    def started(self, x: Inputs) -> Float64Matrix:
        """Start value of every output and row: (outputs, rows)."""
        rows = x.shape[0] if isinstance(x, np.ndarray) else x.rows
        out = np.empty((self.start.shape[0], rows))
        out[:] = self.start[:, None]
        return out

    def raw(self, x: Inputs) -> Float64Matrix:
        """Raw predictions, (rows, outputs), in the memory order of scikit-learn's own.

        The order decides how a softmax over eight classes or more is rounded: HistGradientBoosting
        sums over a Fortran array (sequentially), GradientBoosting over a C array (pairwise).
        """
        raw = self.stages(self.prepared(x), self.started(x)).T
        return np.ascontiguousarray(raw) if self.narrow else raw


class BoostedClassifier(Boosted):
    """Source: sklearn.ensemble._gb and _hist_gradient_boosting, `predict_proba` of their losses."""

    kind = "boosted_classifier"
    methods = ("predict", "predict_proba", "decision_function")
    links = ("logit", "half_logit", "softmax")

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.classes: Array = fields.labels()
        # Raw 0 is the second class for GradientBoosting, the first for HistGradientBoosting.
        self.tie_is_second = fields.flag("tie_is_second")
        outputs = self.start.shape[0]
        if (self.link == "softmax") != (outputs > 1):
            raise fields.fail("softmax goes with several outputs, the others with one")
        if self.classes.shape[0] != (outputs if outputs > 1 else 2):
            raise fields.fail("'classes' does not fit the outputs")
        if outputs >= 8 and not self.narrow:
            # A Fortran array of one row is also a C array, so scikit-learn rounds a lone row's
            # softmax pairwise and a batch's sequentially.
            self.exact = "batch"

    def decision_function(self, x: Inputs) -> Float64Matrix | Float64Vector:
        """Raw predictions: (rows,) for two classes, else (rows, classes)."""
        raw = self.raw(x)
        return raw[:, 0] if raw.shape[1] == 1 else raw

    def predict_proba(self, x: Inputs) -> Float64Matrix:
        """Class probabilities, (rows, classes)."""
        raw = self.raw(x)
        if self.link == "softmax":
            return softmax(raw)
        line = raw[:, 0]
        return two_columns(sigmoid(2 * line if self.link == "half_logit" else line))

    def predict(self, x: Inputs) -> Array:
        """Label of the largest raw prediction, the first of equals."""
        raw = self.raw(x)
        if raw.shape[1] > 1:
            which = raw.argmax(axis=1)
        else:
            which = (raw[:, 0] >= 0 if self.tie_is_second else raw[:, 0] > 0).astype(np.intp)
        labels: Array = self.classes.take(which)
        return labels


class BoostedRegressor(Boosted):
    """Source: sklearn.ensemble._gb and _hist_gradient_boosting. An `init` predicts the start."""

    kind = "boosted_regressor"
    methods = ("predict",)
    links = ("identity", "log")

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.init: Any = fields.child("init") if fields.has("init") else None
        if self.start.shape[0] != 1:
            raise fields.fail("a regressor has one output")
        if self.init is not None and not isinstance(self.init, INITS):
            raise fields.fail("'init' must be a tree model that predicts numbers")
        if self.init is not None and (self.init.n_in != self.n_in or self.init.width != 1):
            raise fields.fail("'init' must take the same columns and predict one number")

    @override
    def started(self, x: Inputs) -> Float64Matrix:
        """Start value of every row: (1, rows)."""
        if self.init is None:
            return super().started(x)
        # scikit-learn hands its float32 copy to the init estimator.
        narrow: Float64Matrix = single(x, self.missing, infinite=False).astype(np.float64)
        start: Float64Matrix = self.init.predict(narrow).reshape(1, -1)
        return start

    def predict(self, x: Inputs) -> Float64Vector:
        """Predicted values, (rows,)."""
        raw = self.raw(x)[:, 0]
        return np.exp(raw) if self.link == "log" else raw


INITS = (ForestRegressor, BoostedRegressor)


NODES: dict[str, NodeReader] = {
    kind.kind: kind
    for kind in (
        ForestClassifier,
        ForestRegressor,
        IsolationForest,
        BoostedClassifier,
        BoostedRegressor,
    )
}
