"""Lowering of partial least squares."""

# Means and scales of the fitted rows have no public way to them.
# ruff: noqa: SLF001

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
    if not hasattr(model, "_predict_1d"):
        raise draft.unsupported("scikit-learn before 1.3 scaled its coefficients otherwise")
    coef = np.asarray(model.coef_)
    if not np.isfinite(coef).all():
        raise draft.unsupported("its coefficients are not finite")
    targets = coef.shape[0]
    return {
        **_scores(draft, model, model.x_rotations_),
        **right_factor(draft, "coefficients", coef.T),
        "intercept": draft.tensor(np.broadcast_to(model.intercept_, (targets,)), "f8"),
        "vector": bool(model._predict_1d),
    }


def _svd(draft: Draft, model: Any) -> Spec:
    return _scores(draft, model, model.x_weights_)


LOWERINGS: dict[type, Lowering] = {
    PLSRegression: _regression,
    PLSCanonical: _regression,
    CCA: _regression,
    PLSSVD: _svd,
}
