"""Lowering of nearest centroids."""

from typing import Any

import numpy as np
from sklearn.neighbors import NearestCentroid

from controlplane.builder.lower.base import Draft, Lowering, Spec


def _nearest_centroid(draft: Draft, model: Any) -> Spec:
    if model.metric not in ("euclidean", "manhattan"):
        raise draft.unsupported(f"metric {model.metric} has no plan")
    own: Spec = {
        "op": "nearest_centroid",
        "classes": draft.labels(model.classes_),
        "points": draft.tensor(model.centroids_, "f8"),
        "metric": model.metric,
    }
    # Before scikit-learn 1.6 there were no priors, and the nearest centroid alone decided.
    return own if not hasattr(model, "class_prior_") else own | _priors(draft, model)


def _priors(draft: Draft, model: Any) -> Spec:
    prior, scale = np.asarray(model.class_prior_), np.array(model.within_class_std_dev_, float)
    if not (prior > 0).all():
        raise draft.unsupported("a class has a prior of zero")
    scale[scale == 0] = 1.0
    return {
        "scale": draft.tensor(scale),
        "prior": draft.tensor(2.0 * np.log(prior), "f8"),
        "even": bool(np.isclose(prior, 1 / len(prior)).all()),
    }


LOWERINGS: dict[type, Lowering] = {NearestCentroid: _nearest_centroid}
