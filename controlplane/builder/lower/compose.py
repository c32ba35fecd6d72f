"""Lowering of what is made of other estimators."""

# A fitted ColumnTransformer keeps its columns' positions in a private attribute.
# ruff: noqa: SLF001

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import feature_selection
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomTreesEmbedding, StackingClassifier, StackingRegressor
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.kernel_approximation import AdditiveChi2Sampler
from sklearn.neighbors import KNeighborsTransformer, RadiusNeighborsTransformer
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
from controlplane.builder.lower.members import unfrozen
from controlplane.builder.lower.scalers import LOWERINGS as SCALERS
from controlplane.builder.lower.text import VECTORIZERS
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


def _said_sparse(step: Any, _: bool) -> bool:
    # Its name before scikit-learn 1.2 was `sparse`.
    return bool(getattr(step, "sparse_output", getattr(step, "sparse", False)))


def _sparse_after_all(step: Any, incoming: bool) -> bool:
    for _, one in step.steps:
        incoming = _gives_sparse(one, incoming)
    return incoming


# By type: whether it makes a sparse matrix, of a sparse one (True) or of an array.
_MAKES_SPARSE: dict[type, Callable[[Any, bool], bool]] = {
    **dict.fromkeys((*VECTORIZERS, TfidfTransformer), lambda _, __: True),
    KNeighborsTransformer: lambda _, __: True,
    RadiusNeighborsTransformer: lambda _, __: True,
    OneHotEncoder: _said_sparse,
    RandomTreesEmbedding: _said_sparse,
    SplineTransformer: _said_sparse,
    KBinsDiscretizer: lambda step, _: bool(step.encode == "onehot"),
    MissingIndicator: lambda step, incoming: (
        step.sparse is True or (step.sparse == "auto" and incoming)
    ),
    ColumnTransformer: lambda step, _: bool(step.sparse_output_),
    FeatureUnion: lambda step, incoming: any(
        _gives_sparse(one, incoming) for _, one in step.transformer_list
    ),
    SparseRandomProjection: lambda step, incoming: incoming and not step.dense_output,
    Pipeline: _sparse_after_all,
    StackingClassifier: lambda step, incoming: bool(incoming and step.passthrough),
    StackingRegressor: lambda step, incoming: bool(incoming and step.passthrough),
    **dict.fromkeys(_KEEP_SPARSE, lambda _, incoming: incoming),
}


def _gives_sparse(step: Any, incoming: bool) -> bool:
    """Tell whether scikit-learn would hold this step's output in a sparse matrix."""
    step = unfrozen(step)
    makes = _MAKES_SPARSE.get(type(step))
    return (incoming and _is_passthrough(step)) if makes is None else makes(step, incoming)


def _holds_sparse(spec: Spec, incoming: bool) -> bool:
    """Tell whether a node's `transform` gives sparse rows in the plan."""
    match spec["op"]:
        case "count" | "hashing" | "tfidf":
            return True
        case "pipeline":
            for step in spec["steps"][:-1] if spec["shows_head"] else spec["steps"]:
                incoming = _holds_sparse(step, incoming)
            return incoming
        case "columns":
            return any(_holds_sparse(part["node"], incoming) for part in spec["parts"])
        case "standardize":
            return incoming and spec["center"] is None
        case "binarize":
            return incoming and spec["threshold"] >= 0
        case "stacking":
            return bool(incoming and spec["passthrough"])
        case "identity" | "select" | "normalize":
            return incoming
        case _:
            return False


def _is_vectorizer(step: Any) -> bool:
    """Tell whether an estimator takes a list of texts instead of a table."""
    if isinstance(step, Pipeline):
        steps = [one for _, one in step.steps if not _is_passthrough(one)]
        return bool(steps) and _is_vectorizer(steps[0])
    if isinstance(step, FeatureUnion):
        parts = [one for _, one in step.transformer_list if not _is_dropped(one)]
        return bool(parts) and _is_vectorizer(parts[0])
    return isinstance(step, VECTORIZERS)


def pipeline(draft: Draft, estimator: Any) -> Spec:
    """Pipeline; steps that do nothing are left out."""
    steps = [step for _, step in estimator.steps if not _is_passthrough(step)]
    if not steps:
        return {"op": "identity", "n_in": _width(draft, estimator), "refuses_missing": False}
    given = theirs = draft.sparse
    specs, differs = [], []
    for step in steps:
        if theirs and isinstance(step, QuantileTransformer):
            raise draft.unsupported("QuantileTransformer leaves the zeros of a sparse matrix alone")
        specs.append(draft.node(step))
        theirs = _gives_sparse(step, theirs)
        draft.sparse = _holds_sparse(specs[-1], draft.sparse)
        differs.append(theirs and not draft.sparse)
    draft.sparse = given
    if len(specs) == 1:
        return specs[0]
    return {"op": "pipeline", "steps": specs, "shows_head": False, "sparse": any(differs[:-1])}


def _width(draft: Draft, estimator: Any) -> int:
    if _is_vectorizer(estimator):
        return 1
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
    for name, transformer, asked in estimator.transformers_:
        chosen = estimator._transformer_to_input_indices.get(name, [])
        places = [int(place) for place in chosen]
        if places and not _is_dropped(transformer):
            if _is_vectorizer(transformer) and not isinstance(asked, (str, int, np.integer)):
                raise draft.unsupported(
                    f"its part {name!r} gets a table where it needs texts: give its column as a"
                    " name, not as a list"
                )
            parts.append(_part(draft, transformer, places, weights.get(name)))
    spec = _columns(draft, estimator, parts)
    if not _holds_sparse(spec, draft.sparse) or estimator.sparse_output_:
        return spec
    # It found its columns too full for a sparse matrix.
    width = max(places.stop for places in estimator.output_indices_.values())
    steps = [spec, {"op": "dense", "n_in": width, "refuses_missing": False}]
    return {"op": "pipeline", "steps": steps, "shows_head": False, "sparse": False}


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


LOWERINGS: dict[type, Lowering] = {
    Pipeline: pipeline,
    ColumnTransformer: columns,
    FeatureUnion: union,
    FunctionTransformer: function,
    feature_selection.RFE: eliminate,
    feature_selection.RFECV: eliminate,
    **dict.fromkeys(_SELECTORS, select),
}
