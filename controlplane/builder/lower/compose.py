"""Lowering of what is made of other estimators."""

# A fitted ColumnTransformer keeps its columns' positions in a private attribute.
# ruff: noqa: SLF001

from typing import Any

import numpy as np
from sklearn import feature_selection
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.kernel_approximation import AdditiveChi2Sampler
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    QuantileTransformer,
    SplineTransformer,
)
from sklearn.random_projection import SparseRandomProjection

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.scalers import LOWERINGS as SCALERS
from runtime.plan.passing import FUNCTIONS

_SELECTORS = (
    feature_selection.GenericUnivariateSelect,
    feature_selection.SelectFdr,
    feature_selection.SelectFpr,
    feature_selection.SelectFromModel,
    feature_selection.SelectFwe,
    feature_selection.SelectKBest,
    feature_selection.SelectPercentile,
    feature_selection.SequentialFeatureSelector,
    feature_selection.VarianceThreshold,
)


# Transformers that make a sparse matrix of a sparse matrix.
_KEEP_SPARSE = (
    *SCALERS,
    *_SELECTORS,
    feature_selection.RFE,
    feature_selection.RFECV,
    QuantileTransformer,
    SimpleImputer,
    AdditiveChi2Sampler,
)


def _is_passthrough(step: Any) -> bool:
    if isinstance(step, FunctionTransformer):
        return step.func is None and not step.validate
    return step is None or (isinstance(step, str) and step == "passthrough")


def _is_dropped(step: Any) -> bool:
    return isinstance(step, str) and step == "drop"


def _gives_sparse(step: Any, incoming: bool) -> bool:
    """Tell whether scikit-learn would hold this step's output in a sparse matrix."""
    if isinstance(step, (OneHotEncoder, SplineTransformer)):
        # Its name before scikit-learn 1.2 was `sparse`.
        return bool(getattr(step, "sparse_output", getattr(step, "sparse", False)))
    if isinstance(step, KBinsDiscretizer):
        return bool(step.encode == "onehot")
    if isinstance(step, MissingIndicator):
        return bool(step.sparse is True or (step.sparse == "auto" and incoming))
    if isinstance(step, ColumnTransformer):
        return bool(step.sparse_output_)
    if isinstance(step, FeatureUnion):
        return any(_gives_sparse(one, incoming) for _, one in step.transformer_list)
    if isinstance(step, SparseRandomProjection):
        return incoming and not step.dense_output
    if isinstance(step, Pipeline):
        for _, one in step.steps:
            incoming = _gives_sparse(one, incoming)
        return incoming
    return incoming and (_is_passthrough(step) or type(step) in _KEEP_SPARSE)


def pipeline(draft: Draft, estimator: Any) -> Spec:
    """Pipeline; steps that do nothing are left out."""
    steps = [step for _, step in estimator.steps if not _is_passthrough(step)]
    if not steps:
        return {"op": "identity", "n_in": _width(draft, estimator), "refuses_missing": False}
    specs = [draft.node(step) for step in steps]
    if len(specs) == 1:
        return specs[0]
    sparse, seen = False, []
    for step in steps:
        if sparse and isinstance(step, QuantileTransformer):
            raise draft.unsupported("QuantileTransformer leaves the zeros of a sparse matrix alone")
        sparse = _gives_sparse(step, sparse)
        seen.append(sparse)
    return {"op": "pipeline", "steps": specs, "shows_head": False, "sparse": any(seen[:-1])}


def _width(draft: Draft, estimator: Any) -> int:
    try:
        return int(estimator.n_features_in_)
    except AttributeError as error:
        raise draft.unsupported("it does not know how many columns it was fitted on") from error


def _part(draft: Draft, transformer: Any, places: list[int], weight: float | None) -> Spec:
    return {
        "node": (
            {"op": "identity", "n_in": len(places), "refuses_missing": False}
            if _is_passthrough(transformer)
            else draft.node(transformer)
        ),
        "columns": places,
        "weight": None if weight is None else float(weight),
    }


def columns(draft: Draft, estimator: Any) -> Spec:
    """ColumnTransformer. Trained on a frame, what it drops may have been anything."""
    weights = estimator.transformer_weights or {}
    parts = []
    for name, transformer, _ in estimator.transformers_:
        chosen = estimator._transformer_to_input_indices.get(name, [])
        places = [int(place) for place in chosen]
        if places and not _is_dropped(transformer):
            parts.append(_part(draft, transformer, places, weights.get(name)))
    return _columns(draft, estimator, parts)


def _columns(draft: Draft, estimator: Any, parts: list[Spec]) -> Spec:
    if not parts:
        raise draft.unsupported("it keeps no column")
    return {
        "op": "columns",
        "n_in": _width(draft, estimator),
        "parts": parts,
        "any_unused": hasattr(estimator, "feature_names_in_"),
    }


def union(draft: Draft, estimator: Any) -> Spec:
    """FeatureUnion: every part takes every column."""
    weights = estimator.transformer_weights or {}
    places = list(range(_width(draft, estimator)))
    parts = [
        _part(draft, transformer, places, weights.get(name))
        for name, transformer in estimator.transformer_list
        if not _is_dropped(transformer)
    ]
    return _columns(draft, estimator, parts)


def function(draft: Draft, estimator: Any) -> Spec:
    """FunctionTransformer of a known numpy function."""
    shared = {"n_in": _width(draft, estimator), "refuses_missing": bool(estimator.validate)}
    if estimator.func is None:
        return {"op": "identity", **shared}
    if estimator.kw_args:
        raise draft.unsupported("its function takes arguments")
    # By identity, never by name: a tenant's own `log1p` is another function.
    name = next((n for n, known in FUNCTIONS.items() if known is estimator.func), None)
    if name is None:
        title = getattr(estimator.func, "__name__", type(estimator.func).__name__)
        raise draft.unsupported(
            f"its function {title!r} is not one of numpy's that have a plan, such as log1p and sqrt"
        )
    return {"op": "function", "function": name, **shared}


def select(draft: Draft, estimator: Any) -> Spec:
    """Feature selection, by the mask it has settled on."""
    mask = estimator.get_support()
    if not mask.any():
        raise draft.unsupported("it keeps no column")
    return {
        "op": "select",
        "n_in": len(mask),
        "keep": draft.tensor(np.flatnonzero(mask), "i8"),
        "refuses_missing": not _takes_nan(estimator),
    }


def _takes_nan(estimator: Any) -> bool:
    if hasattr(estimator, "__sklearn_tags__"):
        return bool(estimator.__sklearn_tags__().input_tags.allow_nan)
    return bool(estimator._get_tags()["allow_nan"])


def eliminate(draft: Draft, estimator: Any) -> Spec:
    """RFE: it selects, and predicts with what it fitted on the selection."""
    steps = [select(draft, estimator), draft.node(estimator.estimator_)]
    return {"op": "pipeline", "steps": steps, "shows_head": True, "sparse": False}


def search(draft: Draft, estimator: Any) -> Spec:
    """A search over parameters is its best estimator."""
    if not hasattr(estimator, "best_estimator_"):
        raise draft.unsupported("it was not refitted (refit=False), so it cannot predict")
    return draft.node(estimator.best_estimator_)


LOWERINGS: dict[type, Lowering] = {
    Pipeline: pipeline,
    ColumnTransformer: columns,
    FeatureUnion: union,
    FunctionTransformer: function,
    GridSearchCV: search,
    RandomizedSearchCV: search,
    feature_selection.RFE: eliminate,
    feature_selection.RFECV: eliminate,
    **dict.fromkeys(_SELECTORS, select),
}
