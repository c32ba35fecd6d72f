"""Lowering of PowerTransformer: one exponent a column."""

# The scaler of a fitted PowerTransformer is a private attribute.
# ruff: noqa: SLF001

from typing import Any

import numpy as np
from sklearn.preprocessing import PowerTransformer

from controlplane.builder.lower.base import Draft, Lowering, Spec


def _power(draft: Draft, estimator: Any) -> Spec:
    method = estimator.method
    if method == "yeo-johnson" and hasattr(estimator, "_yeo_johnson_transform"):
        method = "yeo-johnson-plain"  # scikit-learn's own formula, before it took scipy's
    center = estimator._scaler.mean_ if estimator.standardize else None
    scale = estimator._scaler.scale_ if estimator.standardize else None
    return {
        "op": "power",
        "method": method,
        "lambdas": _finite(draft, estimator.lambdas_),
        "center": None if center is None else _finite(draft, center),
        "scale": None if scale is None else _finite(draft, scale),
    }


def _finite(draft: Draft, values: Any) -> str:
    array = np.asarray(values, np.float64)
    if not np.isfinite(array).all():
        raise draft.unsupported("a column was empty or too large in training")
    return draft.tensor(array, "f8")


LOWERINGS: dict[type, Lowering] = {PowerTransformer: _power}
