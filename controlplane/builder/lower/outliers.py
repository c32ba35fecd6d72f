"""Lowering of outlier detectors by a plane or an ellipse."""

from typing import Any

import numpy as np
from sklearn.covariance import EllipticEnvelope
from sklearn.linear_model import SGDOneClassSVM

from controlplane.builder.lower.base import Draft, Lowering, Spec


def _plane(draft: Draft, model: Any) -> Spec:
    if not isinstance(model.coef_, np.ndarray):
        raise draft.unsupported("its weights are sparse; call densify() before saving")
    weights = np.ravel(model.coef_)
    if weights.dtype != np.float64 or not np.isfinite(weights).all():
        raise draft.unsupported("its weights are not float64, or not finite")
    return {
        "op": "plane",
        "weights": draft.tensor(weights),
        "offset": float(np.ravel(model.offset_)[0]),
    }


def _envelope(draft: Draft, model: Any) -> Spec:
    precision = np.asarray(model.get_precision())
    if not np.isfinite(precision).all():
        raise draft.unsupported("its covariance has no finite inverse")
    return {
        "op": "envelope",
        "centre": draft.tensor(model.location_, "f8"),
        "precision": draft.tensor(precision, "f8"),
        "offset": float(model.offset_),
    }


LOWERINGS: dict[type, Lowering] = {SGDOneClassSVM: _plane, EllipticEnvelope: _envelope}
