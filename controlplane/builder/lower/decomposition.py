"""Lowering of decompositions that transform by a matrix."""

from typing import Any

import numpy as np
from sklearn.decomposition import PCA, FactorAnalysis, FastICA, IncrementalPCA, TruncatedSVD
from sklearn.random_projection import GaussianRandomProjection

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.matrices import right_factor


def _components(draft: Draft, model: Any) -> Any:
    components = np.asarray(model.components_)
    if components.dtype != np.float64:
        # The mean's product and the scale were then computed in float32.
        raise draft.unsupported(f"its components are {components.dtype}, not float64")
    if not components.size:
        raise draft.unsupported("it has no components")
    return components


def _pca(draft: Draft, model: Any) -> Spec:
    components = _components(draft, model)
    spec: Spec = {"op": "projection", **right_factor(draft, "matrix", components.T)}
    # Before 1.5 scikit-learn centred first, which rounds otherwise.
    if hasattr(model, "_transform"):
        projected = np.reshape(model.mean_, (1, -1)) @ components.T
        spec["after"] = draft.tensor(projected.ravel(), "f8")
    elif model.mean_ is not None:
        spec["before"] = draft.tensor(model.mean_, "f8")
    if model.whiten:
        scale = np.sqrt(model.explained_variance_)
        least = np.finfo(scale.dtype).eps
        if not hasattr(model, "_transform") and (scale < least).any():
            raise draft.unsupported("it whitens a component without variance")
        scale[scale < least] = least
        spec["scale"] = draft.tensor(scale, "f8")
    return spec


def _svd(draft: Draft, model: Any) -> Spec:
    return {"op": "projection", **right_factor(draft, "matrix", _components(draft, model).T)}


def _factors(draft: Draft, model: Any) -> Spec:
    components = _components(draft, model)
    weighted = components / model.noise_variance_
    covariance = np.linalg.inv(np.eye(len(components)) + np.dot(weighted, components.T))
    return {
        "op": "projection",
        "before": draft.tensor(model.mean_, "f8"),
        **right_factor(draft, "matrix", weighted.T),
        **right_factor(draft, "second", covariance),
    }


def _ica(draft: Draft, model: Any) -> Spec:
    spec: Spec = {
        "op": "projection",
        **right_factor(draft, "matrix", _components(draft, model).T),
    }
    if model.whiten:
        spec["before"] = draft.tensor(model.mean_, "f8")
    return spec


LOWERINGS: dict[type, Lowering] = {
    PCA: _pca,
    IncrementalPCA: _pca,
    TruncatedSVD: _svd,
    GaussianRandomProjection: _svd,
    FactorAnalysis: _factors,
    FastICA: _ica,
}
