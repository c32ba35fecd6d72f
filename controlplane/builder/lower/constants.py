"""Lowering of models that answer every row alike."""

# ruff: noqa: SLF001  (what a dummy has settled on is private)

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.multiclass import _ConstantPredictor

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.members import width


def _constant(draft: Draft, estimator: Any, values: Any, *, vector: bool) -> Spec:
    return {
        "op": "constant",
        "n_in": width(draft, estimator),
        "values": draft.labels(np.atleast_1d(values)),
        "vector": bool(vector),
        "scores": False,
        "any_unused": hasattr(estimator, "feature_names_in_"),
    }


def dummy_classifier(draft: Draft, estimator: Any) -> Spec:
    """DummyClassifier, unless it draws its answers."""
    strategy = estimator._strategy
    if strategy in ("uniform", "stratified"):
        raise draft.unsupported(f"it draws its answers at random (strategy {strategy!r})")
    if estimator.sparse_output_:
        raise draft.unsupported("it answers with a sparse matrix")
    several = estimator.n_outputs_ > 1
    classes = estimator.classes_ if several else [estimator.classes_]
    priors = estimator.class_prior_ if several else [estimator.class_prior_]
    constants = np.ravel(estimator.constant) if strategy == "constant" else [None] * len(classes)
    pairs = [
        _settled(known, prior, constant)
        for known, prior, constant in zip(classes, priors, constants, strict=True)
    ]
    proba = [prior for _, prior in pairs] if strategy != "prior" else priors
    values = np.array([value for value, _ in pairs])
    return {
        **_constant(draft, estimator, values, vector=not several),
        "proba": draft.tensor(np.concatenate(proba), "f8"),
        **({} if several else {"classes": draft.labels(classes[0])}),
    }


def _settled(
    known: NDArray[Any], prior: NDArray[np.float64], constant: Any
) -> tuple[Any, NDArray[np.float64]]:
    """Give the label always predicted, and a probability of one for it."""
    value = known[np.argmax(prior)] if constant is None else constant
    return value, (known == value).astype(np.float64)


def dummy_regressor(draft: Draft, estimator: Any) -> Spec:
    """DummyRegressor."""
    values = np.asarray(estimator.constant_)[0]
    if not np.isfinite(values).all():
        raise draft.unsupported("its constant is not finite")
    return _constant(draft, estimator, values, vector=estimator.n_outputs_ == 1)


def only_class(draft: Draft, estimator: Any) -> Spec:
    """What OneVsRestClassifier puts where a class was in every row, or in none."""
    chance = float(estimator.y_[0])
    return {
        **_constant(draft, estimator, estimator.y_, vector=True),
        "proba": draft.tensor([1 - chance, chance], "f8"),
        "scores": True,
    }


LOWERINGS: dict[type, Lowering] = {
    DummyClassifier: dummy_classifier,
    DummyRegressor: dummy_regressor,
    _ConstantPredictor: only_class,
}
