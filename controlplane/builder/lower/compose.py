"""Lowering of what is made of other estimators."""

from typing import Any

import numpy as np
from sklearn import feature_selection as fs
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer

from controlplane.builder.lower.base import Draft, Lowering, Spec

FUNCTIONS = {
    np.log1p: "log1p",
    np.expm1: "expm1",
    np.log: "log",
    np.exp: "exp",
    np.sqrt: "sqrt",
    np.square: "square",
    np.abs: "abs",
}


def _pipeline(draft: Draft, model: Any) -> Spec:
    steps = [step for _, step in model.steps if step is not None and step != "passthrough"]
    if not steps:
        raise draft.unsupported("it has no steps")
    last = model.steps[-1][1]
    if last is None or last == "passthrough":
        return {"op": "pipeline", "steps": [draft.node(step) for step in steps]}
    specs = [draft.node(step) for step in steps]
    return specs[0] if len(specs) == 1 else {"op": "pipeline", "steps": specs}


def _columns(draft: Draft, model: Any) -> Spec:
    width = model.n_features_in_
    names = [str(name) for name in getattr(model, "feature_names_in_", [])]
    weights = model.transformer_weights or {}
    parts = []
    for name, transformer, chosen in model.transformers_:
        places = _places(chosen, names, width)
        if transformer == "drop" or not places:
            continue
        weight = weights.get(name)
        parts.append(
            {
                "node": _part(draft, transformer, len(places)),
                "columns": places,
                "weight": None if weight is None else float(weight),
            }
        )
    if not parts:
        raise draft.unsupported("it keeps no column")
    return {"op": "columns", "n_in": width, "parts": parts}


def _part(draft: Draft, transformer: Any, width: int) -> Spec:
    if isinstance(transformer, str) and transformer == "passthrough":
        return {"op": "identity", "n_in": width}
    if isinstance(transformer, FunctionTransformer) and transformer.func is None:
        return {"op": "identity", "n_in": width}
    return draft.node(transformer)


def _places(chosen: Any, names: list[str], width: int) -> list[int]:
    """Give the positions of columns chosen by name, position, slice or mask."""
    if isinstance(chosen, slice):
        if isinstance(chosen.start, str) or isinstance(chosen.stop, str):
            first = names.index(chosen.start) if chosen.start is not None else 0
            end = names.index(chosen.stop) + 1 if chosen.stop is not None else width
            return list(range(first, end))
        return list(range(width))[chosen]
    listed = [chosen] if isinstance(chosen, (str, int, np.integer)) else list(chosen)
    if listed and all(isinstance(c, (bool, np.bool_)) for c in listed):
        return [i for i, c in enumerate(listed) if c]
    if all(isinstance(c, str) for c in listed):
        return [names.index(str(c)) for c in listed]
    return [int(c) % width for c in listed]


def _union(draft: Draft, model: Any) -> Spec:
    weights = model.transformer_weights or {}
    width = model.n_features_in_
    parts = [
        {
            "node": _part(draft, transformer, width),
            "columns": list(range(width)),
            "weight": None if weights.get(name) is None else float(weights[name]),
        }
        for name, transformer in model.transformer_list
        if transformer not in ("drop", None)
    ]
    if not parts:
        raise draft.unsupported("it keeps nothing")
    return {"op": "columns", "n_in": width, "parts": parts}


def _function(draft: Draft, model: Any) -> Spec:
    if model.validate is False and not hasattr(model, "n_features_in_"):
        raise draft.unsupported("it was not fitted on columns")
    if model.kw_args:
        raise draft.unsupported("its function takes arguments")
    if model.func is None:
        return {"op": "identity", "n_in": model.n_features_in_}
    # By identity, never by name: a tenant's own `log1p` is another function.
    name = next((n for f, n in FUNCTIONS.items() if f is model.func), None)
    if name is None:
        raise draft.unsupported(f"its function {getattr(model.func, '__name__', '?')} is not known")
    return {"op": "function", "n_in": model.n_features_in_, "function": name}


def _select(draft: Draft, model: Any) -> Spec:
    mask = model.get_support()
    if not mask.any():
        raise draft.unsupported("it keeps no column")
    refuses = not isinstance(model, (fs.VarianceThreshold, fs.SelectFromModel, fs.RFE, fs.RFECV))
    return {
        "op": "select",
        "n_in": len(mask),
        "keep": draft.tensor(np.flatnonzero(mask), "i8"),
        "refuses_missing": refuses,
    }


def _search(draft: Draft, model: Any) -> Spec:
    if not hasattr(model, "best_estimator_"):
        raise draft.unsupported("it was not refitted (refit=False)")
    return draft.node(model.best_estimator_)


LOWERINGS: dict[type, Lowering] = {
    Pipeline: _pipeline,
    ColumnTransformer: _columns,
    FeatureUnion: _union,
    FunctionTransformer: _function,
    GridSearchCV: _search,
    RandomizedSearchCV: _search,
    fs.VarianceThreshold: _select,
    fs.SelectKBest: _select,
    fs.SelectPercentile: _select,
    fs.SelectFpr: _select,
    fs.SelectFdr: _select,
    fs.SelectFwe: _select,
    fs.GenericUnivariateSelect: _select,
    fs.SelectFromModel: _select,
    fs.RFE: _select,
    fs.SequentialFeatureSelector: _select,
}
