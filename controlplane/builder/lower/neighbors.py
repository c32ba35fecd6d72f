"""Lowering of nearest neighbours: the stored points and what they stand for."""

from typing import Any

import numpy as np
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from controlplane.builder.lower.base import Draft, Lowering, Spec

MAX_CELLS = 20_000_000  # a row is compared with every point; above this scikit-learn's trees win
METRICS = {
    "euclidean": "euclidean",
    "l2": "euclidean",
    "manhattan": "manhattan",
    "cityblock": "manhattan",
    "l1": "manhattan",
    "chebyshev": "chebyshev",
    "infinity": "chebyshev",
}


def _metric(draft: Draft, model: Any) -> str:
    name = model.effective_metric_
    if not isinstance(name, str):
        raise draft.unsupported("its metric is a function")
    if name == "minkowski":
        power = model.effective_metric_params_.get("p", model.p)
        name = {1: "manhattan", 2: "euclidean", np.inf: "chebyshev"}.get(
            power, f"minkowski {power}"
        )
    if model.effective_metric_params_.get("w") is not None or name not in METRICS:
        raise draft.unsupported(f"metric {name}")
    return METRICS[name]


def _common(draft: Draft, model: Any) -> Spec:
    points = model._fit_X  # noqa: SLF001  (no public way to the stored points)
    if not isinstance(points, np.ndarray) or points.dtype != np.float64:
        raise draft.unsupported("its points are sparse or not float64")
    if points.size > MAX_CELLS:
        raise draft.unsupported(f"it stores {points.shape[0]} points of {points.shape[1]} columns")
    if not 1 <= model.n_neighbors <= len(points):
        raise draft.unsupported(f"it wants {model.n_neighbors} of {len(points)} points")
    if model.weights not in (None, "uniform", "distance"):
        raise draft.unsupported("its weights are a function")
    return {
        "points": draft.tensor(points),
        "k": int(model.n_neighbors),
        "metric": _metric(draft, model),
        "weights": model.weights or "uniform",
    }


def _classifier(draft: Draft, model: Any) -> Spec:
    if model.outputs_2d_:
        raise draft.unsupported("it predicts several outputs")
    return {
        "op": "neighbors_classifier",
        **_common(draft, model),
        "classes": draft.labels(model.classes_),
        "targets": draft.tensor(model._y, "i8"),  # noqa: SLF001  (places in classes_)
    }


def _regressor(draft: Draft, model: Any) -> Spec:
    targets = np.asarray(model._y, np.float64)  # noqa: SLF001  (no public way)
    return {
        "op": "neighbors_regressor",
        **_common(draft, model),
        "targets": draft.tensor(targets.reshape(len(targets), -1)),
        "vector": targets.ndim == 1,
    }


LOWERINGS: dict[type, Lowering] = {
    KNeighborsClassifier: _classifier,
    KNeighborsRegressor: _regressor,
}
