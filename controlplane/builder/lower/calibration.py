"""Lowering of calibrated classifiers and isotonic regression."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.isotonic import IsotonicRegression

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.members import names
from runtime.estimators import classifier_of


def isotonic(draft: Draft, estimator: Any) -> Spec:
    """IsotonicRegression."""
    x, y = _points(draft, estimator)
    return {
        "op": "isotonic",
        "x": draft.tensor(x),
        "y": draft.tensor(y),
        "out_of_bounds": estimator.out_of_bounds,
    }


def _points(draft: Draft, curve: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = np.asarray(curve.X_thresholds_), np.asarray(curve.y_thresholds_)
    if x.dtype != np.float64 or y.dtype != np.float64:
        # scipy then interpolates by other steps, and the input is rounded to float32 first.
        raise draft.unsupported("it was fitted on float32")
    return x, y


def calibrated(draft: Draft, estimator: Any) -> Spec:
    """CalibratedClassifierCV: the mean over its pairs of a classifier and its calibrators."""
    own = names(estimator)
    pairs = estimator.calibrated_classifiers_
    for pair in pairs:
        inner = classifier_of(pair)
        if names(inner) not in (None, own):
            raise draft.unsupported("its classifiers were fitted on columns of different names")
        if len(inner.classes_) != len(estimator.classes_):
            raise draft.unsupported("one of its classifiers has not seen every class")
    if len(estimator.classes_) < 2:
        raise draft.unsupported("it has learnt a single class")
    return {
        "op": "averaged_classifier",
        "members": [_pair(draft, pair) for pair in pairs],
        "refuses_missing": False,
        "any_unused": own is not None,
        "classes": draft.labels(estimator.classes_),
        "votes": False,
        "decides": False,
        "in_order": True,
    }


def _pair(draft: Draft, pair: Any) -> Spec:
    inner = classifier_of(pair)
    return {
        "op": "calibrated",
        "inner": draft.node(inner),
        "asks": "decision_function" if hasattr(inner, "decision_function") else "predict_proba",
        "count": len(pair.classes),
        "method": pair.method,
        **_curves(draft, pair),
    }


def _curves(draft: Draft, pair: Any) -> Spec:
    curves = pair.calibrators
    if pair.method == "temperature":
        return {"beta": float(curves[0].beta_)}
    if pair.method == "sigmoid":
        return {
            "slopes": draft.tensor([curve.a_ for curve in curves], "f8"),
            "offsets": draft.tensor([curve.b_ for curve in curves], "f8"),
        }
    points = [_points(draft, curve) for curve in curves]
    return {
        "x": draft.tensor(np.concatenate([x for x, _ in points])),
        "y": draft.tensor(np.concatenate([y for _, y in points])),
        "ends": draft.tensor(np.cumsum([len(x) for x, _ in points]), "i8"),
    }


LOWERINGS: dict[type, Lowering] = {
    CalibratedClassifierCV: calibrated,
    IsotonicRegression: isotonic,
}
