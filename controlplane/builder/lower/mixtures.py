"""Lowering of Gaussian mixtures."""

# The log weights and determinants have no public way to them.
# ruff: noqa: SLF001

from typing import Any

import numpy as np
from scipy.special import digamma
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.matrices import right_factor


def _log_determinants(factors: Any, covariance: str, columns: int) -> Any:
    """Source: sklearn.mixture._gaussian_mixture._compute_log_det_cholesky."""
    match covariance:
        case "full":
            diagonals = factors.reshape(len(factors), -1)[:, :: columns + 1]
            return np.sum(np.log(diagonals), axis=1)
        case "tied":
            return np.sum(np.log(np.diagonal(factors)))
        case "diag":
            return np.sum(np.log(factors), axis=1)
        case _:
            return columns * np.log(factors)


def _mixture(draft: Draft, model: Any, terms: list[Any]) -> Spec:
    means, factors = np.asarray(model.means_), np.asarray(model.precisions_cholesky_)
    if means.dtype != np.float64 or factors.dtype != np.float64:
        raise draft.unsupported(f"its components are {means.dtype}, not float64")
    k, columns = means.shape
    log_det = _log_determinants(factors, model.covariance_type, columns)
    rows = [np.broadcast_to(term, (k,)) for term in terms]
    if not all(np.isfinite(row).all() for row in (log_det, *rows)):
        raise draft.unsupported("a component has no weight or no variance")
    spec: Spec = {
        "op": "mixture",
        "covariance": model.covariance_type,
        "means": draft.tensor(means, "f8"),
        "log_det": draft.tensor(np.broadcast_to(log_det, (k,)), "f8"),
        "terms": draft.tensor(np.stack(rows), "f8"),
    }
    if model.covariance_type == "tied":
        return {**spec, **right_factor(draft, "precisions", factors)}
    spec["precisions"] = draft.tensor(factors, "f8")
    if model.covariance_type == "spherical":
        spec |= right_factor(draft, "turned_means", means.T)
    return spec


def _plain(draft: Draft, model: Any) -> Spec:
    with np.errstate(divide="ignore"):
        return _mixture(draft, model, [model._estimate_log_weights()])


def _bayesian(draft: Draft, model: Any) -> Spec:
    """Source: sklearn.mixture.BayesianGaussianMixture._estimate_log_prob."""
    columns = model.means_.shape[1]
    freedom = model.degrees_of_freedom_
    log_lambda = columns * np.log(2.0) + np.sum(
        digamma(0.5 * (freedom - np.arange(0, columns)[:, np.newaxis])), 0
    )
    terms = [
        -(0.5 * columns * np.log(freedom)),
        0.5 * (log_lambda - columns / model.mean_precision_),
        model._estimate_log_weights(),
    ]
    return _mixture(draft, model, terms)


LOWERINGS: dict[type, Lowering] = {
    GaussianMixture: _plain,
    BayesianGaussianMixture: _bayesian,
}
