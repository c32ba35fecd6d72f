"""Lowering of naive Bayes classifiers and discriminant analysis."""

from typing import Any

import numpy as np
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.matrices import right_factor


def _log_prior(draft: Draft, prior: Any) -> Any:
    prior = np.asarray(prior)
    if not (prior > 0).all():
        raise draft.unsupported("a class has a prior of zero")
    return np.log(prior)


def _gaussian(draft: Draft, model: Any) -> Spec:
    # Before scikit-learn 1.0 the variance was called sigma_.
    variance = model.var_
    if not (np.asarray(variance) > 0).all():
        raise draft.unsupported("a column has no variance within a class")
    norm = [-0.5 * np.sum(np.log(2.0 * np.pi * row)) for row in variance]
    return {
        "op": "gaussian_nb",
        "classes": draft.labels(model.classes_),
        "mean": draft.tensor(model.theta_, "f8"),
        "variance": draft.tensor(variance, "f8"),
        "prior": draft.tensor(_log_prior(draft, model.class_prior_), "f8"),
        "norm": draft.tensor(norm, "f8"),
    }


def _linear(draft: Draft, model: Any, weights: Any, offset: Any, **more: Any) -> Spec:
    if not np.isfinite(weights).all() or (offset is not None and not np.isfinite(offset).all()):
        raise draft.unsupported("a probability of zero or one has no finite logarithm (alpha=0?)")
    spec: Spec = {
        "op": "linear_nb",
        "classes": draft.labels(model.classes_),
        **right_factor(draft, "weights", weights.T),
        **more,
    }
    if offset is not None:
        spec["offset"] = draft.tensor(offset, "f8")
    return spec


def _multinomial(draft: Draft, model: Any) -> Spec:
    return _linear(draft, model, model.feature_log_prob_, model.class_log_prior_)


def _complement(draft: Draft, model: Any) -> Spec:
    offset = model.class_log_prior_ if len(model.classes_) == 1 else None
    return _linear(draft, model, model.feature_log_prob_, offset)


def _bernoulli(draft: Draft, model: Any) -> Spec:
    with np.errstate(divide="ignore"):
        absent = np.log(1 - np.exp(model.feature_log_prob_))
    if not np.isfinite(absent).all():
        raise draft.unsupported("a probability of one has no finite complement (alpha=0?)")
    threshold = {} if model.binarize is None else {"threshold": float(model.binarize)}
    return _linear(
        draft,
        model,
        model.feature_log_prob_ - absent,
        model.class_log_prior_ + absent.sum(axis=1),
        **threshold,
    )


def _categorical(draft: Draft, model: Any) -> Spec:
    tables = [np.asarray(table, np.float64) for table in model.feature_log_prob_]
    if not all(np.isfinite(table).all() for table in (*tables, model.class_log_prior_)):
        raise draft.unsupported("a probability of zero has no finite logarithm (alpha=0?)")
    return {
        "op": "categorical_nb",
        "classes": draft.labels(model.classes_),
        "tables": draft.tensor(np.concatenate([table.T for table in tables]), "f8"),
        "counts": draft.tensor([table.shape[1] for table in tables], "i8"),
        "prior": draft.tensor(model.class_log_prior_, "f8"),
    }


def _linear_discriminant(draft: Draft, model: Any) -> Spec:
    coef = np.asarray(model.coef_)
    if coef.dtype != np.float64:
        raise draft.unsupported(f"its coefficients are {coef.dtype}, not float64")
    spec: Spec = {
        "op": "lda",
        "classes": draft.labels(model.classes_),
        **right_factor(draft, "weights", coef.T),
        "intercept": draft.tensor(np.broadcast_to(model.intercept_, coef.shape[:1]), "f8"),
    }
    axes = getattr(model, "scalings_", None)
    most = model._max_components  # noqa: SLF001  (no public way to it)
    if model.solver == "lsqr" or axes is None or not min(axes.shape[1], most):
        return spec
    spec |= right_factor(draft, "axes", axes)
    spec["components"] = int(min(axes.shape[1], most))
    if model.solver == "svd":
        spec["centre"] = draft.tensor(model.xbar_, "f8")
    return spec


def _quadratic_discriminant(draft: Draft, model: Any) -> Spec:
    scalings = [np.asarray(scaling) for scaling in model.scalings_]
    if not all((scaling > 0).all() for scaling in scalings):
        raise draft.unsupported("a class has an axis without variance")
    spec: Spec = {
        "op": "qda",
        "classes": draft.labels(model.classes_),
        "mean": draft.tensor(model.means_, "f8"),
        "log_scale": draft.tensor([np.sum(np.log(scaling)) for scaling in scalings], "f8"),
        "prior": draft.tensor(_log_prior(draft, model.priors_), "f8"),
    }
    for i, (rotation, scaling) in enumerate(zip(model.rotations_, scalings, strict=True)):
        spec |= right_factor(draft, f"axes_{i}", rotation * (scaling ** (-0.5)))
    return spec


LOWERINGS: dict[type, Lowering] = {
    GaussianNB: _gaussian,
    MultinomialNB: _multinomial,
    ComplementNB: _complement,
    BernoulliNB: _bernoulli,
    CategoricalNB: _categorical,
    LinearDiscriminantAnalysis: _linear_discriminant,
    QuadraticDiscriminantAnalysis: _quadratic_discriminant,
}
