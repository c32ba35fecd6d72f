"""Lowering of partial least squares."""

# Means and scales of the fitted rows have no public way to them.
# ruff: noqa: SLF001

import copy
from typing import Any

import numpy as np
from sklearn.cross_decomposition import CCA, PLSSVD, PLSCanonical, PLSRegression

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.matrices import right_factor


def _scores(draft: Draft, model: Any, rotations: Any) -> Spec:
    if np.asarray(rotations).dtype != np.float64:
        raise draft.unsupported(f"its rotations are {np.asarray(rotations).dtype}, not float64")
    if not np.isfinite(rotations).all():
        raise draft.unsupported("its rotations are not finite")
    return {
        "op": "pls",
        "mean": draft.tensor(model._x_mean, "f8"),
        "scale": draft.tensor(model._x_std, "f8"),
        **right_factor(draft, "rotations", rotations),
    }


def _regression(draft: Draft, model: Any) -> Spec:
    coef = np.asarray(getattr(model, _coefficients(model)))
    if not np.isfinite(coef).all():
        raise draft.unsupported("its coefficients are not finite")
    targets = coef.shape[0]
    return {
        **_scores(draft, model, model.x_rotations_),
        **right_factor(draft, "coefficients", coef.T),
        "intercept": draft.tensor(np.broadcast_to(model.intercept_, (targets,)), "f8"),
        # Before 1.3 one target was answered with a table of one column.
        "vector": bool(getattr(model, "_predict_1d", False)),
        "standardizes": _standardizes(model),
    }


def _coefficients(model: Any) -> str:
    """Name them, (targets, columns); before 1.3 the public name was for their transpose."""
    return "_coef_" if hasattr(model, "_coef_") else "coef_"


def _standardizes(model: Any) -> bool:
    """Ask this version whether it divides the columns by their scale, as those before 1.5 did."""
    stand_in = copy.copy(model)
    stand_in._x_mean, stand_in._x_std = np.zeros(1), np.full(1, 2.0)
    stand_in.n_features_in_, stand_in.intercept_ = 1, np.zeros(1)
    setattr(stand_in, _coefficients(model), np.ones((1, 1)))
    if hasattr(stand_in, "feature_names_in_"):
        del stand_in.feature_names_in_
    return bool(np.ravel(stand_in.predict(np.full((1, 1), 2.0)))[0] == 1.0)


def _svd(draft: Draft, model: Any) -> Spec:
    return _scores(draft, model, model.x_weights_)


LOWERINGS: dict[type, Lowering] = {
    PLSRegression: _regression,
    PLSCanonical: _regression,
    CCA: _regression,
    PLSSVD: _svd,
}
