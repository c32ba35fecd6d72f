"""Lowering of scalers and polynomial features."""

# PolynomialFeatures keeps its degrees in private attributes.
# ruff: noqa: SLF001

from typing import Any

import numpy as np
from sklearn.preprocessing import (
    Binarizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)

from controlplane.builder.lower.base import Draft, Lowering, Spec


def _finite(draft: Draft, values: Any) -> str:
    array = np.asarray(values, np.float64)
    if not np.isfinite(array).all():
        raise draft.unsupported("a column was empty in training, so its scale is not a number")
    return draft.tensor(array, "f8")


def _standardize(draft: Draft, estimator: Any, center: Any, scale: Any, *, clip: bool) -> Spec:
    return {
        "op": "standardize",
        "n_in": int(estimator.n_features_in_),
        "center": None if center is None else _finite(draft, center),
        "scale": None if scale is None else _finite(draft, scale),
        "clip": bool(clip),
    }


def standard(draft: Draft, estimator: Any) -> Spec:
    """StandardScaler."""
    center = estimator.mean_ if estimator.with_mean else None
    scale = estimator.scale_ if estimator.with_std else None
    return _standardize(draft, estimator, center, scale, clip=False)


def robust(draft: Draft, estimator: Any) -> Spec:
    """RobustScaler."""
    center = estimator.center_ if estimator.with_centering else None
    scale = estimator.scale_ if estimator.with_scaling else None
    return _standardize(draft, estimator, center, scale, clip=False)


def max_abs(draft: Draft, estimator: Any) -> Spec:
    """MaxAbsScaler; it clips since scikit-learn 1.8."""
    clip = getattr(estimator, "clip", False)
    return _standardize(draft, estimator, None, estimator.scale_, clip=clip)


def min_max(draft: Draft, estimator: Any) -> Spec:
    """MinMaxScaler."""
    low, high = estimator.feature_range
    return {
        "op": "min_max",
        "n_in": int(estimator.n_features_in_),
        "scale": _finite(draft, estimator.scale_),
        "offset": _finite(draft, estimator.min_),
        "clip": bool(estimator.clip),
        "low": float(low),
        "high": float(high),
    }


def normalize(_: Draft, estimator: Any) -> Spec:
    """Normalizer."""
    return {"op": "normalize", "n_in": int(estimator.n_features_in_), "norm": estimator.norm}


def binarize(_: Draft, estimator: Any) -> Spec:
    """Binarizer."""
    return {
        "op": "binarize",
        "n_in": int(estimator.n_features_in_),
        "threshold": float(estimator.threshold),
    }


def polynomial(draft: Draft, estimator: Any) -> Spec:
    """PolynomialFeatures; `degree` is the highest or a pair."""
    if estimator._n_out_full > 1_000_000:
        raise draft.unsupported("it makes more than a million terms")
    return {
        "op": "polynomial",
        "n_in": int(estimator.n_features_in_),
        "min_degree": int(estimator._min_degree),
        "max_degree": int(estimator._max_degree),
        "interaction_only": bool(estimator.interaction_only),
        "by_column": estimator.order == "F",
        "include_bias": bool(estimator.include_bias),
    }


LOWERINGS: dict[type, Lowering] = {
    StandardScaler: standard,
    RobustScaler: robust,
    MaxAbsScaler: max_abs,
    MinMaxScaler: min_max,
    Normalizer: normalize,
    Binarizer: binarize,
    PolynomialFeatures: polynomial,
}
