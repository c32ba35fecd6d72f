"""Calibrated classifiers: one classifier's scores, made into probabilities by curves."""

from collections.abc import Callable
from typing import Final

import numpy as np

from runtime.plan.isotonic import Curve
from runtime.plan.members import PAIRWISE, Wrapped, in_batch, require
from runtime.plan.ops import (
    Array,
    Fields,
    Float64Matrix,
    Float64Vector,
    InputRefused,
    NodeReader,
    Rows,
    sigmoid,
    softmax,
)

MAX_CLASSES: Final = 1_000_000
EPSILON: Final = 1e-12  # what scikit-learn adds before a logarithm
OnCurve = Callable[[Array], Float64Vector]


class Calibrated(Wrapped):
    """One pair of `CalibratedClassifierCV.calibrated_classifiers_`; they are averaged above it.

    classes  places from 0 to the number of classes - 1
    asks     the classifier's method that gives the scores
    source   sklearn.calibration._CalibratedClassifier.predict_proba
    """

    kind = "calibrated"
    methods = ("predict_proba",)

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        count = fields.integer("count", 2, MAX_CLASSES)
        self.classes: Array = np.arange(count)
        if self.inner.classes is None or len(self.inner.classes) != count:
            raise fields.fail("the classifier does not know every class")
        self.asks = fields.choice("asks", "decision_function", "predict_proba")
        require(fields, self.inner, self.asks, "the classifier")
        self.method = fields.choice("method", "sigmoid", "isotonic", "temperature")
        self.curves: list[OnCurve] = []
        if self.method == "temperature":
            self.beta = fields.number("beta")
            if count > 2:
                # Whether a batch holds probabilities is told by all of its rows together.
                self.exact = in_batch(self.exact)
            return
        curves = 1 if count == 2 else count
        read = _logistic if self.method == "sigmoid" else _isotonic
        self.curves = read(fields, curves)
        if count >= PAIRWISE:
            self.exact = in_batch(self.exact)

    def predict_proba(self, x: Rows) -> Float64Matrix:
        """Class probabilities, (rows, classes)."""
        scores = self.inner.run(self.asks, x)
        if len(self.classes) == 2 and scores.ndim == 2:
            scores = scores[:, 1]
        if self.method == "temperature":
            proba: Float64Matrix = softmax(self.beta * self._logits(scores))
        else:
            if self.method == "isotonic":
                _refuse_gaps(scores)
            proba = self._from_curves(scores)
        proba[(proba > 1.0) & (proba <= 1.0 + 1e-5)] = 1.0
        return proba

    def _from_curves(self, scores: Array) -> Float64Matrix:
        if scores.ndim == 1:
            proba = np.zeros((scores.shape[0], 2))
            proba[:, 1] = self.curves[0](scores)
            proba[:, 0] = 1.0 - proba[:, 1]
            return proba
        proba = np.zeros(scores.shape)
        for place, curve in enumerate(self.curves):
            proba[:, place] = curve(scores[:, place])
        total = proba.sum(axis=1)[:, np.newaxis]
        even: Float64Matrix = np.full_like(proba, 1 / len(self.classes))
        np.divide(proba, total, out=even, where=total != 0)
        return even

    def _logits(self, scores: Array) -> Array:
        """Source: sklearn.calibration._convert_to_logits."""
        if scores.ndim == 1:
            # One score is the second class's; of a probability scikit-learn makes both first.
            if self.asks == "decision_function":
                return np.stack([-scores, scores], axis=1)
            scores = np.stack([1 - scores, scores], axis=1)
        whole = np.abs(scores.sum(axis=1) - 1.0) <= 1e-8 + 1e-5
        if ((scores >= 0) & (scores <= 1)).all() and whole.all():
            return np.log(scores + EPSILON)
        return scores


def _logistic(fields: Fields, curves: int) -> list[OnCurve]:
    slopes, offsets = fields.finite("slopes", curves), fields.finite("offsets", curves)

    def curve(a: float, b: float) -> OnCurve:
        return lambda scores: sigmoid(-(a * scores + b))

    return [curve(a, b) for a, b in zip(slopes.tolist(), offsets.tolist(), strict=True)]


def _isotonic(fields: Fields, curves: int) -> list[OnCurve]:
    x = fields.finite("x", None)
    y = fields.finite("y", x.shape[0])
    ends = fields.indices("ends", x.shape[0] + 1, curves)
    if ends[-1] != x.shape[0] or (np.diff(ends) <= 0).any() or ends[0] == 0:
        raise fields.fail("'ends' must cut the points into curves")
    starts = [0, *ends[:-1].tolist()]
    pieces = [slice(start, end) for start, end in zip(starts, ends.tolist(), strict=True)]
    return [Curve(fields, x[piece], y[piece]).clipped for piece in pieces]


def _refuse_gaps(scores: Array) -> None:
    good = np.isfinite(scores).reshape(len(scores), -1).all(axis=1)
    if not good.all():
        detail = "becomes NaN or infinite inside the model"
        raise InputRefused(int(np.argmin(good)), None, detail)


NODES: dict[str, NodeReader] = {Calibrated.kind: Calibrated}
