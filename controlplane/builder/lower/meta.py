"""Lowering of models around one model: searches, frozen ones, thresholds, transformed targets."""

# A threshold classifier keeps its scorer, and others their method, in private attributes.
# ruff: noqa: SLF001

from typing import Any

import numpy as np
from sklearn import model_selection
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import _search_successive_halving as halving
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.semi_supervised import SelfTrainingClassifier

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.members import FROZEN, unfrozen
from runtime.plan.passing import FUNCTIONS


def search(draft: Draft, estimator: Any) -> Spec:
    """A search over parameters is its best estimator."""
    if not hasattr(estimator, "best_estimator_"):
        raise draft.unsupported("it was not refitted (refit=False), so it cannot predict")
    return draft.node(estimator.best_estimator_)


def frozen(draft: Draft, estimator: Any) -> Spec:
    """A frozen estimator is what it holds."""
    return draft.node(unfrozen(estimator))


def self_training(draft: Draft, estimator: Any) -> Spec:
    """SelfTrainingClassifier answers as what it has fitted, but for a `transform`."""
    inner = getattr(estimator, "estimator_", None) or estimator.base_estimator_
    if hasattr(inner, "transform") or hasattr(inner, "score_samples"):
        return {"op": "restricted", "inner": draft.node(inner)}
    return draft.node(inner)


def fixed_threshold(draft: Draft, estimator: Any) -> Spec:
    """FixedThresholdClassifier, also one that was given a fitted classifier."""
    inner = getattr(estimator, "estimator_", estimator.estimator)
    asks = _asked(draft, estimator, inner)
    threshold = estimator.threshold
    if threshold == "auto":
        threshold = 0.5 if asks == "predict_proba" else 0.0
    return _threshold(draft, inner, asks, threshold, estimator.pos_label)


def tuned_threshold(draft: Draft, estimator: Any) -> Spec:
    """TunedThresholdClassifierCV."""
    inner = estimator.estimator_
    label = estimator._curve_scorer._get_pos_label()
    asks = _asked(draft, estimator, inner)
    return _threshold(draft, inner, asks, estimator.best_threshold_, label)


def _asked(draft: Draft, estimator: Any, inner: Any) -> str:
    methods = ["predict_proba", "decision_function"]
    if estimator.response_method != "auto":
        methods = [estimator.response_method]
    for method in methods:
        if hasattr(inner, method):
            return method
    raise draft.unsupported(f"its classifier has no {' or '.join(methods)}")


def _threshold(draft: Draft, inner: Any, asks: str, threshold: float, label: Any) -> Spec:
    classes = np.asarray(inner.classes_)
    if len(classes) != 2:
        raise draft.unsupported("its classifier does not know two classes")
    if not np.isfinite(threshold):
        raise draft.unsupported("its threshold is infinite")
    positive = 1 if label is None else int(np.flatnonzero(classes == label)[0])
    return {
        "op": "threshold_classifier",
        "inner": draft.node(inner),
        "asks": asks,
        "column": positive,
        "negated": asks == "decision_function" and positive == 0,
        "threshold": float(threshold),
        "turns": draft.tensor([1 - positive, positive], "i8"),
    }


def transformed_target(draft: Draft, estimator: Any) -> Spec:
    """TransformedTargetRegressor; at prediction only the way back matters."""
    back = _back(draft, estimator.transformer_, estimator._training_dim == 1)
    return {
        "op": "transformed_target",
        "inner": draft.node(estimator.regressor_),
        "back": back or None,
        "vector": estimator._training_dim == 1,
    }


def _back(draft: Draft, transformer: Any, single: bool) -> list[Spec]:
    """Nodes that undo a transformer, in the order in which they are run."""
    if type(transformer) is Pipeline:
        steps = [
            step for _, step in reversed(transformer.steps) if step not in (None, "passthrough")
        ]
        return [spec for step in steps for spec in _back(draft, step, single)]
    if type(transformer) is FunctionTransformer:
        return _function_back(draft, transformer, single)
    n_in = 1 if single else int(transformer.n_features_in_)
    if type(transformer) is StandardScaler:
        center = transformer.mean_ if transformer.with_mean else None
        return [_rescale(draft, n_in, transformer.scale_, center)]
    if type(transformer) is RobustScaler:
        scale = transformer.scale_ if transformer.with_scaling else None
        center = transformer.center_ if transformer.with_centering else None
        return [_rescale(draft, n_in, scale, center)]
    if type(transformer) is MaxAbsScaler:
        return [_rescale(draft, n_in, transformer.scale_, None)]
    if type(transformer) is MinMaxScaler:
        center, scale = transformer.min_, transformer.scale_
        tensors = {"center": draft.tensor(center, "f8"), "scale": draft.tensor(scale, "f8")}
        return [{"op": "standardize", "n_in": n_in, "clip": False, **tensors}]
    if type(transformer) is PowerTransformer:
        own = {
            "op": "unpower",
            "n_in": n_in,
            "method": transformer.method,
            "lambdas": draft.tensor(transformer.lambdas_, "f8"),
        }
        scaled = _back(draft, transformer._scaler, single) if transformer.standardize else []
        return [*scaled, own]
    if type(transformer) is QuantileTransformer:
        return [_quantiles_back(draft, transformer)]
    raise draft.unsupported(f"the target's {type(transformer).__name__} has no way back in a plan")


def _rescale(draft: Draft, n_in: int, scale: Any, center: Any) -> Spec:
    return {
        "op": "rescale",
        "n_in": n_in,
        "scale": None if scale is None else draft.tensor(scale, "f8"),
        "center": None if center is None else draft.tensor(center, "f8"),
    }


def _quantiles_back(draft: Draft, transformer: Any) -> Spec:
    quantiles = np.asarray(transformer.quantiles_, np.float64)
    if not np.isfinite(quantiles).all():
        raise draft.unsupported("a target was empty in training, so it has no quantiles")
    return {
        "op": "unquantiles",
        "quantiles": draft.tensor(quantiles),
        "references": draft.tensor(transformer.references_, "f8"),
        "normal": transformer.output_distribution == "normal",
    }


def _function_back(draft: Draft, transformer: Any, single: bool) -> list[Spec]:
    back = transformer.inverse_func
    if back is None:
        return []
    if transformer.inv_kw_args:
        raise draft.unsupported("its inverse function takes arguments")
    # By identity, never by name: a tenant's own `expm1` is another function.
    name = next((name for name, known in FUNCTIONS.items() if known is back), None)
    if name is None:
        title = getattr(back, "__name__", type(back).__name__)
        raise draft.unsupported(
            f"the inverse {title!r} is not one of numpy's that have a plan, such as expm1 and exp"
        )
    n_in = 1 if single else int(transformer.n_features_in_)
    return [{"op": "function", "function": name, "n_in": n_in, "refuses_missing": False}]


def _newer(names: dict[str, Lowering]) -> dict[type, Lowering]:
    """Some came with later versions of scikit-learn."""
    found = {getattr(model_selection, name, None): lower for name, lower in names.items()}
    return {kind: lower for kind, lower in found.items() if kind is not None}


LOWERINGS: dict[type, Lowering] = {
    model_selection.GridSearchCV: search,
    model_selection.RandomizedSearchCV: search,
    halving.HalvingGridSearchCV: search,
    halving.HalvingRandomSearchCV: search,
    SelfTrainingClassifier: self_training,
    TransformedTargetRegressor: transformed_target,
    **_newer(
        {
            "FixedThresholdClassifier": fixed_threshold,
            "TunedThresholdClassifierCV": tuned_threshold,
        }
    ),
    **({} if FROZEN is None else {FROZEN: frozen}),
}
