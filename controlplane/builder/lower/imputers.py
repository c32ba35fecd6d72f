"""Lowering of SimpleImputer and MissingIndicator."""

# A fitted imputer keeps the dtype it was fitted on in private attributes.
# ruff: noqa: SLF001

import math
from typing import Any

import numpy as np
from sklearn.impute import MissingIndicator, SimpleImputer

from controlplane.builder.lower.base import Draft, Lowering, Spec


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def missing_value(draft: Draft, value: Any, *, numeric: bool) -> str | float | None:
    """Give what stands for missing; None is what the runtime holds so, NaN or None."""
    if value is None or _is_nan(value) or type(value).__name__ == "NAType":
        return None
    if isinstance(value, str) and not numeric:
        return str(value)
    if isinstance(value, (int, float, np.number)) and math.isfinite(value):
        return float(value)
    raise draft.unsupported(f"missing_values={value!r} has no plan yet")


def simple(draft: Draft, estimator: Any) -> Spec:
    """SimpleImputer, fitted on numbers or on an object array."""
    numeric = estimator._fit_dtype.kind != "O"
    statistics = np.asarray(estimator.statistics_)
    dropped = np.zeros(len(statistics), np.bool_)
    # Before 1.2 a column that was empty in training was always dropped.
    if not getattr(estimator, "keep_empty_features", False):
        dropped = np.array([_is_nan(value) for value in statistics.tolist()], np.bool_)
    if dropped.all():
        raise draft.unsupported("every column was empty in training")
    value = missing_value(draft, estimator.missing_values, numeric=numeric)
    if value is None and draft.none and not numeric and estimator.missing_values is not None:
        return _untouched(draft, estimator, statistics, dropped)
    shared: Spec = {
        "missing_value": value if value is None or numeric else [value],
        "indicated": (
            draft.tensor(estimator.indicator_.features_, "i8") if estimator.add_indicator else None
        ),
    }
    if numeric:
        return {"op": "impute", **shared, **_numbers(draft, estimator, statistics, dropped)}
    columns = [
        {"kind": "any", "fill": None} if gone else _text(draft, fill)
        for fill, gone in zip(statistics.tolist(), dropped, strict=True)
    ]
    return {"op": "impute_text", **shared, "columns": columns}


def _untouched(draft: Draft, estimator: Any, statistics: Any, dropped: Any) -> Spec:
    """Pass texts on as they are: to scikit-learn None is not NaN, and so is not filled."""
    texts = all(value is None or isinstance(value, str) for value in statistics.tolist())
    if not texts or dropped.any() or estimator.add_indicator:
        raise draft.unsupported(
            "it fills NaN but was fitted on None, which it leaves in its columns of texts"
        )
    return {"op": "identity", "n_in": len(statistics), "refuses_missing": False}


def _numbers(draft: Draft, estimator: Any, statistics: Any, dropped: Any) -> Spec:
    # Through the dtype of training, as scikit-learn does since 1.8: it may round.
    dtype = getattr(estimator, "_fill_dtype", np.float64)
    fill = statistics[~dropped].astype(dtype).astype(np.float64)
    return {
        "n_in": len(statistics),
        "kept": draft.tensor(np.flatnonzero(~dropped), "i8") if dropped.any() else None,
        "fill": draft.tensor(fill, "f8"),
    }


def _text(draft: Draft, fill: Any) -> Spec:
    """What a column is filled with says what it holds."""
    if isinstance(fill, str):
        return {"kind": "string", "fill": str(fill)}
    if isinstance(fill, (bool, int, float)) and math.isfinite(fill):
        return {"kind": "number", "fill": float(fill)}
    raise draft.unsupported(f"it fills with {fill!r}, neither a string nor a number")


def indicate(draft: Draft, estimator: Any) -> Spec:
    """MissingIndicator; it keeps no trace of what its columns held."""
    if not len(estimator.features_):
        raise draft.unsupported("it shows no column")
    value = missing_value(draft, estimator.missing_values, numeric=False)
    strict = estimator.features == "missing-only" and estimator.error_on_new
    return {
        "op": "indicate",
        "n_in": int(estimator.n_features_in_),
        "shown": draft.tensor(estimator.features_, "i8"),
        "missing_value": None if value is None else [value],
        "strict": bool(strict),
    }


LOWERINGS: dict[type, Lowering] = {SimpleImputer: simple, MissingIndicator: indicate}
