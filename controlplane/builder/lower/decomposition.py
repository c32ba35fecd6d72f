"""Lowering of decompositions that transform by a matrix."""

import warnings
from typing import Any, Final

import numpy as np
from scipy.linalg import LinAlgWarning
from sklearn.decomposition import (
    PCA,
    FactorAnalysis,
    FastICA,
    IncrementalPCA,
    MiniBatchSparsePCA,
    SparsePCA,
    TruncatedSVD,
)
from sklearn.linear_model import ridge_regression
from sklearn.neighbors import NeighborhoodComponentsAnalysis
from sklearn.neural_network import BernoulliRBM
from sklearn.random_projection import GaussianRandomProjection
from sklearn.utils.extmath import fast_logdet

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.matrices import right_factor

MAX_LIKELIHOOD: Final = 512  # columns; their square is kept, also where nobody asks for it


def _components(draft: Draft, model: Any) -> Any:
    components = np.asarray(model.components_)
    if components.dtype != np.float64:
        # The mean's product and the scale were then computed in float32.
        raise draft.unsupported(f"its components are {components.dtype}, not float64")
    if not components.size:
        raise draft.unsupported("it has no components")
    return components


def _likelihood(draft: Draft, model: Any) -> Spec:
    """What score_samples needs; left out where the columns are too many for their square."""
    columns = int(model.n_features_in_)
    if columns > MAX_LIKELIHOOD or not hasattr(model, "score_samples"):
        return {}
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error", LinAlgWarning)
            precision = np.asarray(model.get_precision())
    # Singular, or so near to it that the digits are noise: scikit-learn raises or warns when asked.
    except (np.linalg.LinAlgError, LinAlgWarning, ValueError):
        return {}
    constant = 0.5 * (columns * np.log(2.0 * np.pi) - fast_logdet(precision))
    if not np.isfinite(precision).all() or not np.isfinite(constant):
        return {}
    return {
        "precision": draft.tensor(precision, "f8"),
        "mean": draft.tensor(model.mean_, "f8"),
        "constant": float(constant),
    }


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
    return spec | _likelihood(draft, model)


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
        **_likelihood(draft, model),
    }


def _ica(draft: Draft, model: Any) -> Spec:
    spec: Spec = {
        "op": "projection",
        **right_factor(draft, "matrix", _components(draft, model).T),
    }
    if model.whiten:
        spec["before"] = draft.tensor(model.mean_, "f8")
    return spec


def _sparse(draft: Draft, model: Any) -> Spec:
    """SparsePCA solves a ridge regression for each row, which is one matrix for all of them."""
    components = _components(draft, model)
    with warnings.catch_warnings():
        warnings.simplefilter("error", LinAlgWarning)
        try:
            matrix = ridge_regression(
                components.T, np.eye(components.shape[1]), model.ridge_alpha, solver="cholesky"
            )
        except LinAlgWarning as error:
            raise draft.unsupported("its ridge regression is ill-conditioned") from error
    return {
        "op": "projection",
        "before": draft.tensor(model.mean_, "f8"),
        **right_factor(draft, "matrix", matrix),
    }


def _machine(draft: Draft, model: Any) -> Spec:
    weights = _components(draft, model)
    return {
        "op": "hidden_units",
        **right_factor(draft, "weights", weights.T),
        "intercept": draft.tensor(model.intercept_hidden_, "f8"),
    }


LOWERINGS: dict[type, Lowering] = {
    PCA: _pca,
    IncrementalPCA: _pca,
    TruncatedSVD: _svd,
    GaussianRandomProjection: _svd,
    FactorAnalysis: _factors,
    FastICA: _ica,
    SparsePCA: _sparse,
    MiniBatchSparsePCA: _sparse,
    NeighborhoodComponentsAnalysis: _svd,
    BernoulliRBM: _machine,
}
