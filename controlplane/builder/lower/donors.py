"""Lowering of KNNImputer: the rows of training, with their gaps."""

# A fitted KNNImputer keeps its rows in private attributes.
# ruff: noqa: SLF001

from typing import Any

import numpy as np
from sklearn.impute import KNNImputer

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.imputers import missing_value
from runtime.plan.donors import MAX_POINTS

MAX_CELLS = 20_000_000  # a row is compared with every row of training


def _donors(draft: Draft, estimator: Any) -> Spec:
    points, absent = estimator._fit_X, estimator._mask_fit_X
    if estimator.metric != "nan_euclidean":
        raise draft.unsupported("its metric is a function of one's own")
    if estimator.weights not in ("uniform", "distance"):
        raise draft.unsupported("its weights are a function of one's own")
    if points.size > MAX_CELLS or points.shape[0] > MAX_POINTS:
        raise draft.unsupported(f"it stores {points.shape[0]} rows of {points.shape[1]} columns")
    keeps = bool(getattr(estimator, "keep_empty_features", False))
    if not keeps and absent.all(axis=0).all():
        raise draft.unsupported("every column was empty in training")
    return {
        "op": "donors",
        "points": draft.tensor(np.where(absent, np.nan, points), "f8"),
        "k": min(int(estimator.n_neighbors), MAX_POINTS),
        "weights": estimator.weights,
        "strangers": _counts_strangers(estimator),
        "means": draft.tensor(_means(points, absent), "f8"),
        "keeps_empty": keeps,
        "indicated": (
            draft.tensor(estimator.indicator_.features_, "i8") if estimator.add_indicator else None
        ),
        "missing_value": missing_value(draft, estimator.missing_values, numeric=True),
    }


def _counts_strangers(estimator: Any) -> bool:
    """Tell whether donors count that have no cell in common with a row; it asks the estimator.

    Before scikit-learn 1.4 they counted as much as the others unless weighed by distance.
    """
    distances, values = np.array([[1.0, np.nan]]), np.array([0.0, 2.0])
    found = type(estimator)(weights=estimator.weights)._calc_impute(
        distances, 2, values, np.zeros(2, np.bool_)
    )
    return bool(found[0] != 0.0)


def _means(points: Any, absent: Any) -> list[float]:
    """Average each column by itself and in the dtype of training, as scikit-learn does."""
    return [
        0.0 if gone.all() else float(np.ma.array(column, mask=gone).mean())
        for column, gone in zip(points.T, absent.T, strict=True)
    ]


LOWERINGS: dict[type, Lowering] = {KNNImputer: _donors}
