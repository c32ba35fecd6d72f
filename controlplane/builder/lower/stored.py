"""Training rows that a model keeps, with the metric it compares them in."""

# ruff: noqa: SLF001  (no public way to the stored points)

from typing import Any, Final

import numpy as np

from controlplane.builder.lower.base import Draft, Spec
from runtime.plan.distances import MAX_POWER, METRICS

MAX_CELLS: Final = 20_000_000  # a row is compared with every point; above this sklearn's trees win
ALIASES: Final = {
    "l2": "euclidean",
    "cityblock": "manhattan",
    "l1": "manhattan",
    "infinity": "chebyshev",
}


def points(draft: Draft, model: Any) -> Spec:
    """Write the points of a fitted neighbours model, and their metric."""
    metric = model.effective_metric_
    if not isinstance(metric, str):
        raise draft.unsupported("its metric is a function")
    parameters = dict(model.effective_metric_params_ or {})
    if metric == "minkowski":
        parameters.setdefault("p", model.p)
    return {
        "points": _stored(draft, model._fit_X),
        **_metric(draft, ALIASES.get(metric, metric), parameters),
    }


def _stored(draft: Draft, rows: Any) -> str:
    if not isinstance(rows, np.ndarray) or rows.dtype != np.float64:
        raise draft.unsupported("its points are sparse or not float64")
    if rows.size > MAX_CELLS:
        raise draft.unsupported(f"it stores {rows.shape[0]} points of {rows.shape[1]} columns")
    if not np.isfinite(rows).all():
        raise draft.unsupported("a value is missing in its points")
    return draft.tensor(rows)


def _metric(draft: Draft, metric: str, parameters: dict[str, Any]) -> Spec:
    if metric == "precomputed":
        raise draft.unsupported("it takes distances, not rows (metric='precomputed')")
    if metric not in METRICS:
        raise draft.unsupported(f"metric {metric} has no plan")
    match metric:
        case "minkowski":
            return _minkowski(draft, parameters)
        case "seuclidean" if parameters.get("V") is not None:
            return {"metric": metric, "variances": draft.tensor(parameters["V"], "f8")}
        case "mahalanobis" if parameters.get("VI") is not None:
            inverse = draft.tensor(parameters["VI"], "f8")
            return {"metric": metric, "inverse_covariance": inverse}
        case "seuclidean" | "mahalanobis":
            raise draft.unsupported(f"metric {metric} without its parameters depends on the rows")
        case _:
            return {"metric": metric}


def _minkowski(draft: Draft, parameters: dict[str, Any]) -> Spec:
    power, by_column = parameters["p"], parameters.get("w")
    plain = {1: "manhattan", 2: "euclidean", np.inf: "chebyshev"}
    if by_column is None and power in plain:
        return {"metric": plain[power]}
    if power > MAX_POWER:
        raise draft.unsupported(f"metric minkowski with p={power}")
    spec: Spec = {"metric": "minkowski", "power": float(power)}
    if by_column is not None:
        spec["feature_weights"] = draft.tensor(by_column, "f8")
    return spec


def weights(draft: Draft, model: Any) -> Spec:
    """Write how much each neighbour counts."""
    if model.weights not in (None, "uniform", "distance"):
        raise draft.unsupported("its weights are a function")
    return {"weights": model.weights or "uniform"}


def targets(draft: Draft, model: Any) -> Spec:
    """Write the values that the stored points stand for."""
    values = np.asarray(model._y, np.float64)
    return {"targets": draft.tensor(values.reshape(len(values), -1)), "vector": values.ndim == 1}
