"""Classifiers of many classes made of classifiers of two."""

from typing import Final

import numpy as np

from runtime.plan.members import PAIRWISE, Group, in_batch, require, rows_of
from runtime.plan.ops import Array, Fields, Float64Matrix, NodeReader, Rows

SCORES: Final = ("decision_function", "predict_proba", "predict")


class Binaries(Group):
    """What all share: members that each give one score.

    asks    method that gives each member's score; of probabilities it is the second class's
    source  sklearn.multiclass._predict_binary
    """

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.classes: Array = fields.labels()
        self.asks = fields.items("asks")
        if len(self.asks) != len(self.members):
            raise fields.fail("'asks' must have one entry a member")
        for i, (member, method) in enumerate(zip(self.members, self.asks, strict=True)):
            if method not in SCORES:
                raise fields.fail(f"'asks'[{i}] must be one of {', '.join(SCORES)}")
            require(fields, member, method, f"members[{i}]")
            if method == "predict_proba":
                if member.classes is not None and len(member.classes) != 2:
                    raise fields.fail(f"members[{i}] does not know two classes")
            elif method == "predict" and member.classes is not None:
                raise fields.fail(f"members[{i}] predicts labels")

    def score(self, place: int, x: Rows) -> Array:
        """One member's scores, (rows,)."""
        answer = self.ask(place, self.asks[place], x)
        return answer[:, 1] if self.asks[place] == "predict_proba" else answer.ravel()

    def scores(self, x: Rows) -> Float64Matrix:
        """Every member's scores, (members, rows)."""
        out = np.empty((len(self.members), rows_of(x)))
        for i in range(len(self.members)):
            out[i] = self.score(i, x)
        return out


class OneVsRest(Binaries):
    """One member a class; the highest score wins, or several labels are above a threshold.

    kind_of      binary: one member alone; multiclass; multilabel
    threshold    of binary and multilabel scores
    last_wins    of equal scores the last class is taken, as old versions of scikit-learn did
    none_is_nan  where no class has a probability the answer is NaN, as there, instead of zero
    source       sklearn.multiclass.OneVsRestClassifier
    """

    kind = "one_vs_rest"

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.kind_of = fields.choice("kind_of", "binary", "multiclass", "multilabel")
        self.threshold = fields.number("threshold")
        self.last_wins = fields.flag("last_wins")
        self.none_is_nan = fields.has("none_is_nan") and fields.flag("none_is_nan")
        count = len(self.members)
        if self.kind_of == "binary" and (count != 1 or len(self.classes) != 2):
            raise fields.fail("two classes have one member")
        if self.kind_of != "binary" and len(self.classes) != count:
            raise fields.fail("there must be one member a class")
        self.methods = ("predict",)
        for flag, method in (("has_proba", "predict_proba"), ("decides", "decision_function")):
            if fields.flag(flag):
                for i, member in enumerate(self.members):
                    require(fields, member, method, f"members[{i}]")
                self.methods = (*self.methods, method)
        if count >= PAIRWISE:
            # One row's probabilities are a line in memory, which numpy adds pairwise.
            self.exact = in_batch(self.exact)

    def predict(self, x: Rows) -> Array:
        """Label of the highest score; several labels: (rows, classes) of zeros and ones."""
        if self.kind_of == "binary":
            which = (self.score(0, x) > self.threshold).astype(np.intp)
            lone: Array = self.classes.take(which)
            return lone
        scores = self.scores(x)
        if self.kind_of == "multilabel":
            several: Array = (scores > self.threshold).astype(np.int64).T
            return several
        which = scores.argmax(axis=0)
        if self.last_wins:
            which = len(scores) - 1 - scores[::-1].argmax(axis=0)
        found: Array = self.classes.take(which)
        return found

    def predict_proba(self, x: Rows) -> Float64Matrix:
        """Probabilities, (rows, classes); of several labels each for itself."""
        columns = [self.ask(i, "predict_proba", x)[:, 1] for i in range(len(self.members))]
        proba: Float64Matrix = np.array(columns).T
        if len(self.members) == 1:
            proba = np.concatenate((1 - proba, proba), axis=1)
        if self.kind_of != "multilabel":
            total = proba.sum(axis=1)[:, np.newaxis]
            if self.none_is_nan:
                with np.errstate(invalid="ignore"):
                    proba /= total
            else:
                np.divide(proba, total, out=proba, where=total != 0)
        return proba

    def decision_function(self, x: Rows) -> Array:
        """Scores: (rows,) of one member alone, else (rows, classes)."""
        if len(self.members) == 1:
            return self.ask(0, "decision_function", x)
        return np.array(
            [self.ask(i, "decision_function", x).ravel() for i in range(len(self.members))]
        ).T


class OneVsOne(Binaries):
    """One member for each pair of classes; most votes win, and confidences break ties.

    source  sklearn.multiclass.OneVsOneClassifier; sklearn.utils.multiclass._ovr_decision_function
    """

    kind = "one_vs_one"
    methods = ("predict", "decision_function")
    calls = 2  # a score and a label

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.threshold = fields.number("threshold")
        count = len(self.classes)
        if count < 2 or len(self.members) != count * (count - 1) // 2:
            raise fields.fail("there must be one member for each pair of classes")
        for i, member in enumerate(self.members):
            require(fields, member, "predict", f"members[{i}]")

    def _table(self, x: Rows) -> Float64Matrix:
        count, rows = len(self.classes), rows_of(x)
        votes, sums = np.zeros((2, rows, count))
        place = 0
        for i in range(count):
            for j in range(i + 1, count):
                score, label = self.score(place, x), self.ask(place, "predict", x)
                sums[:, i] -= score
                sums[:, j] += score
                votes[label == 0, i] += 1
                votes[label == 1, j] += 1
                place += 1
        found: Float64Matrix = votes + sums / (3 * (np.abs(sums) + 1))
        return found

    def decision_function(self, x: Rows) -> Array:
        """Scores: (rows,) for two classes, else (rows, classes)."""
        table = self._table(x)
        return table[:, 1] if len(self.classes) == 2 else table

    def predict(self, x: Rows) -> Array:
        """Label with the most votes."""
        table = self._table(x)
        if len(self.classes) == 2:
            which = (table[:, 1] > self.threshold).astype(np.intp)
        else:
            which = table.argmax(axis=1)
        found: Array = self.classes.take(which)
        return found


class OutputCode(Binaries):
    """One member a bit; the class whose code is nearest to the scores wins.

    code    (classes, members)
    exact   labels equal unless two codes are as near as rounding: distances are expanded squares,
            added by BLAS in an order of its own
    source  sklearn.multiclass.OutputCodeClassifier.predict
    """

    kind = "output_code"
    methods = ("predict",)

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.code = fields.finite("code", len(self.classes), len(self.members))
        self.sizes = (self.code**2).sum(axis=1)
        self.exact = "tolerance"

    def predict(self, x: Rows) -> Array:
        """Label of the nearest code, the first of equals."""
        distances = self.sizes - 2.0 * (self.scores(x).T @ self.code.T)
        found: Array = self.classes.take(distances.argmin(axis=1))
        return found


NODES: dict[str, NodeReader] = {kind.kind: kind for kind in (OneVsRest, OneVsOne, OutputCode)}
