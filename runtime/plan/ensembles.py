"""Averages, votes and stacks of other models."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from runtime.plan.compose import asked, numbers, weakest, widest
from runtime.plan.members import (
    PAIRWISE,
    Group,
    all_joined,
    in_batch,
    places_in,
    require,
    rows_of,
)
from runtime.plan.ops import (
    Array,
    Fields,
    Float64Matrix,
    InputRefused,
    Node,
    NodeReader,
    Rows,
    as_matrix,
    override,
)
from runtime.plan.ops import answer as answered
from runtime.plan.passing import MAX_COLUMNS, Want
from runtime.plan.sparse import Sparse, beside

RESPONSES: Final = ("predict", "predict_proba", "decision_function")


class AveragedClassifier(Group):
    """Mean of the members' probabilities, or shares of their votes.

    Members tell classes by their places, and may know only some of them.

    source  sklearn.ensemble._bagging, `_parallel_predict_proba`; sklearn.calibration,
            `CalibratedClassifierCV.predict_proba`
    """

    kind = "averaged_classifier"

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.classes: Array = fields.labels()
        self.votes = fields.flag("votes")
        known = len(self.classes)
        self.places = []
        for i, member in enumerate(self.members):
            self.places.append(places_in(fields, member, known, f"members[{i}]"))
            require(fields, member, self.asked, f"members[{i}]")
        self.methods = ("predict", "predict_proba")
        if fields.flag("decides"):
            for i, member in enumerate(self.members):
                require(fields, member, "decision_function", f"members[{i}]")
            self.methods = (*self.methods, "decision_function")
        if not fields.flag("in_order"):
            # Threads each add up their share of the members in scikit-learn; here one adds all.
            self.exact = "tolerance"

    @property
    def asked(self) -> str:
        """The method of the members that makes the probabilities."""
        return "predict" if self.votes else "predict_proba"

    def predict_proba(self, x: Rows) -> Float64Matrix:
        """Class probabilities, (rows, classes), added member after member."""
        rows = rows_of(x)
        proba = np.zeros((rows, len(self.classes)))
        for i, places in enumerate(self.places):
            answer = self.ask(i, self.asked, x)
            if self.votes:
                proba[np.arange(rows), answer] += 1
            elif len(places) == len(self.classes):
                proba += answer
            else:
                proba[:, places] += answer
        proba /= len(self.members)
        return proba

    def decision_function(self, x: Rows) -> Array:
        """Mean of the members' scores: (rows,), or (rows, classes)."""
        return _mean(self, "decision_function", x)

    def predict(self, x: Rows) -> Array:
        """Label of the most probable class, the first of equals."""
        labels: Array = self.classes.take(self.predict_proba(x).argmax(axis=1))
        return labels


class AveragedRegressor(Group):
    """Mean of the members' predictions; source: sklearn.ensemble.BaggingRegressor.predict."""

    kind = "averaged_regressor"
    methods = ("predict",)

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        _regressors(fields, self)
        if not fields.flag("in_order"):
            self.exact = "tolerance"

    def predict(self, x: Rows) -> Array:
        """Predicted values: (rows,), or (rows, targets)."""
        return _mean(self, "predict", x)


def _mean(group: Group, method: str, x: Rows) -> Array:
    """Add one member after another to zero, as Python's `sum` does in scikit-learn."""
    total = 0 + group.ask(0, method, x)
    for i in range(1, len(group.members)):
        total = total + group.ask(i, method, x)
    mean: Array = total / len(group.members)
    return mean


def _regressors(fields: Fields, group: Group) -> None:
    for i, member in enumerate(group.members):
        require(fields, member, "predict", f"members[{i}]")
        if member.classes is not None:
            raise fields.fail(f"members[{i}] predicts labels")


class Voting(Group):
    """What voting classifiers and regressors share: weights that do not cancel each other out."""

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.weights: Array | None = None
        if fields.has("weights"):
            self.weights = fields.finite("weights", len(self.members))
            if not (self.weights >= 0).all() or not self.weights.sum() > 0:
                raise fields.fail("'weights' must not be negative, nor all zero")
            self.total = self.weights.sum()


class VotingClassifier(Voting):
    """Mean of probabilities (soft) or most votes (hard); members tell classes by their places.

    flat    `transform` gives the members' probabilities side by side; without it a soft vote does
            not transform, as it would give a table a member
    source  sklearn.ensemble.VotingClassifier
    """

    kind = "voting_classifier"

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.classes: Array = fields.labels()
        self.soft = fields.choice("voting", "soft", "hard") == "soft"
        known, count = len(self.classes), len(self.members)
        for i, member in enumerate(self.members):
            if len(places_in(fields, member, known, f"members[{i}]")) != known:
                raise fields.fail(f"members[{i}] does not know every class")
            require(fields, member, "predict_proba" if self.soft else "predict", f"members[{i}]")
        if self.soft:
            self.methods = ("predict", "predict_proba")
        else:
            self.methods = ("predict",)
        if fields.flag("flat") or not self.soft:
            self.methods = (*self.methods, "transform")
            self.n_out = count * known if self.soft else count

    def predict_proba(self, x: Rows) -> Float64Matrix:
        """Weighted mean of the probabilities, (rows, classes).

        Added member after member, as np.average does over the first of several axes.
        """
        weights = self.weights
        if weights is None:
            total = _added(self.ask(i, "predict_proba", x) for i in range(len(self.members)))
            total /= len(self.members)
            return total
        total = _added(self.ask(i, "predict_proba", x) * w for i, w in enumerate(weights))
        total /= self.total
        return total

    def transform(self, x: Rows) -> Array:
        """Members' probabilities side by side, or their votes as places, (rows, members)."""
        if self.soft:
            probas = [self.ask(i, "predict_proba", x) for i in range(len(self.members))]
            return np.concatenate(probas, axis=1)
        return self._votes(x)

    def _votes(self, x: Rows) -> Array:
        answers = [self.ask(i, "predict", x) for i in range(len(self.members))]
        return np.asarray(answers).T

    def predict(self, x: Rows) -> Array:
        """Label of the highest mean probability or of the most votes, the first of equals."""
        if self.soft:
            soft: Array = self.classes.take(self.predict_proba(x).argmax(axis=1))
            return soft
        votes = self._votes(x)
        rows, known = votes.shape[0], len(self.classes)
        cells = votes + np.arange(0, rows * known, known)[:, None]
        weights = None
        if self.weights is not None:
            weights = np.broadcast_to(self.weights, votes.shape).ravel()
        counts = np.bincount(cells.ravel(), weights, minlength=rows * known)
        labels: Array = self.classes.take(counts.reshape(rows, known).argmax(axis=1))
        return labels


class VotingRegressor(Voting):
    """Weighted mean of the predictions; source: sklearn.ensemble.VotingRegressor."""

    kind = "voting_regressor"
    methods = ("predict", "transform")

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        _regressors(fields, self)
        self.n_out = len(self.members)
        if len(self.members) >= PAIRWISE:
            # numpy adds one row's line pairwise, and many rows' member after member.
            self.exact = in_batch(self.exact)

    def transform(self, x: Rows) -> Float64Matrix:
        """Every member's prediction, (rows, members)."""
        answers = [self.ask(i, "predict", x) for i in range(len(self.members))]
        return np.asarray(answers).T

    def predict(self, x: Rows) -> Array:
        """Predicted values, (rows,)."""
        table = self.transform(x)
        if self.weights is None:
            mean: Array = np.add.reduce(table, 1, np.float64) / len(self.members)
        else:
            mean = np.add.reduce(table * self.weights, 1) / self.total
        return mean


class Stacking(Group):
    """The members' answers side by side are the columns of a last model.

    asks         method of every member
    widths       columns that every member's answer becomes
    binary       two classes: the first column of probabilities is left out
    passthrough  the last model also takes the input columns
    source       sklearn.ensemble._stacking, `_concatenate_predictions`
    """

    kind = "stacking"

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.asks = fields.items("asks")
        widths = fields.items("widths")
        if len(self.asks) != len(self.members) or len(widths) != len(self.members):
            raise fields.fail("'asks' and 'widths' must have one entry a member")
        for i, (member, method, width) in enumerate(
            zip(self.members, self.asks, widths, strict=True)
        ):
            if method not in RESPONSES or type(width) is not int or not 1 <= width <= MAX_COLUMNS:
                raise fields.fail(f"members[{i}] has no proper method or width")
            require(fields, member, method, f"members[{i}]")
            if method == "predict" and _is_text(member):
                raise fields.fail(f"members[{i}] predicts strings")
        self.widths: list[int] = list(widths)
        self.binary = fields.flag("binary")
        self.passthrough = fields.flag("passthrough")
        self.last = fields.child("last")
        self.n_out = sum(widths) + (self.n_in if self.passthrough else 0)
        if self.last.n_in != self.n_out:
            raise fields.fail(f"the last model does not take {self.n_out} columns")
        self.methods = tuple(m for m in RESPONSES if m in self.last.methods)
        if "predict" not in self.methods:
            raise fields.fail("the last model does not predict")
        self.methods = (*self.methods, "transform")
        if fields.has("classes"):
            self.classes = fields.labels()
            known = len(self.classes)
            if len(places_in(fields, self.last, known, "the last model")) != known:
                raise fields.fail("the last model does not know every class")
        elif self.last.classes is not None:
            raise fields.fail("the last model predicts labels")
        self.exact = weakest([*self.members, self.last])
        self.tolerance = widest([*self.members, self.last])
        self.refuses_gaps = not all(ok for _, ok in self.last.wants(())[: sum(widths)])

    @override
    def wants(self, after: tuple[Want, ...]) -> tuple[Want, ...]:
        """Join what the members want with what the last model wants of columns passed through."""
        found = super().wants(after)
        if not self.passthrough:
            return found
        # Side by side with predictions they are numbers, whatever becomes of them.
        passed = all_joined(self.last.wants(())[-self.n_in :], numbers(self.n_in))
        return all_joined(found, passed)

    def transform(self, x: Rows) -> Array | Sparse:
        """Columns of the last model: (rows, n_out), integers where every member gives labels."""
        columns = []
        for i, method in enumerate(self.asks):
            answer = self.ask(i, method, x)
            if answer.ndim == 1:
                answer = answer.reshape(-1, 1)
            elif method == "predict_proba" and self.binary:
                answer = answer[:, 1:]
            if answer.shape[1] != self.widths[i]:
                raise ValueError(f"member {i} gives {answer.shape[1]} columns")
            columns.append(answer)
        if self.passthrough and isinstance(x, Sparse):
            return beside([Sparse.of(np.concatenate(columns, axis=1).astype(np.float64)), x])
        if self.passthrough:
            columns.append(as_matrix(x))
        return np.concatenate(columns, axis=1)

    @override
    def run(self, method: str, x: Rows) -> Array:
        """Call a method of the last model on the members' answers."""
        columns = self.transform(x)
        if method == "transform":
            return answered(columns)
        own = sum(self.widths)
        table: Rows = columns
        if isinstance(columns, np.ndarray):
            table = columns.astype(np.float64, copy=False)
        if self.refuses_gaps:
            _refuse_gaps(columns, own)
        try:
            answer = asked(self.last, method, table)
        except InputRefused as error:
            passed = error.column is not None and error.column >= own
            column = error.column - own if passed and error.column is not None else None
            raise InputRefused(error.row, column, error.detail) from error
        if method != "predict" or self.classes is None:
            return answer
        labels: Array = self.classes.take(answer)
        return labels


def _refuse_gaps(x: Array | Sparse, own: int) -> None:
    """Refuse a row in which one of the first columns, a member's answer, is no number."""
    if isinstance(x, Sparse):
        bad = x.at[~np.isfinite(x.values) & (x.columns < own)]
    else:
        good = np.isfinite(x[:, :own])
        if good.all():
            return
        bad = np.flatnonzero(~good.all(axis=1))
    if bad.size:
        detail = "becomes NaN or infinite inside the model"
        raise InputRefused(int(bad[0]), None, detail)


def _is_text(node: Node) -> bool:
    return node.classes is not None and node.classes.dtype.kind not in "iufb"


def _added(answers: Iterable[Array]) -> Float64Matrix:
    """Add arrays one after another, from the first on."""
    total: Float64Matrix | None = None
    for answer in answers:
        total = np.array(answer) if total is None else total + answer
    if total is None:
        raise ValueError("nothing to add")
    return total


NODES: dict[str, NodeReader] = {
    kind.kind: kind
    for kind in (
        AveragedClassifier,
        AveragedRegressor,
        VotingClassifier,
        VotingRegressor,
        Stacking,
    )
}
