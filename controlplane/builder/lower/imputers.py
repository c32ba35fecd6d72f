"""Lowering of SimpleImputer."""

from typing import Any

import numpy as np
from sklearn.impute import SimpleImputer

from controlplane.builder.lower.base import Draft, Lowering, Spec


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and np.isnan(value)


def _imputer(draft: Draft, model: Any) -> Spec:
    statistics = np.asarray(model.statistics_)
    if statistics.dtype.kind in "OU":
        return _text(draft, model, statistics)
    return _numbers(draft, model, statistics.astype(np.float64))


def _numbers(draft: Draft, model: Any, statistics: Any) -> Spec:
    marker = model.missing_values
    if not _is_nan(marker) and not isinstance(marker, (int, float)):
        raise draft.unsupported(f"missing_values={marker!r} with numbers")
    if getattr(model, "_fit_dtype", np.dtype("f8")).kind != "f":
        raise draft.unsupported("it was fitted on whole numbers or objects")
    constant = model.strategy == "constant"
    gone = np.isnan(statistics)
    keep_empty = getattr(model, "keep_empty_features", False)
    keep = np.arange(len(statistics)) if constant or keep_empty else np.flatnonzero(~gone)
    indicate = model.indicator_.features_ if model.add_indicator else np.empty(0, np.int64)
    spec: Spec = {
        "op": "impute_numbers",
        "n_in": len(statistics),
        "keep": draft.tensor(keep, "i8"),
        "statistics": draft.tensor(statistics[keep], "f8"),
        "indicate": draft.tensor(indicate, "i8"),
    }
    return spec if _is_nan(marker) else {**spec, "marker": float(marker)}


def _text(draft: Draft, model: Any, statistics: Any) -> Spec:
    marker = model.missing_values
    if model.add_indicator:
        raise draft.unsupported("add_indicator with strings")
    if not all(isinstance(value, str) for value in statistics.tolist()):
        raise draft.unsupported("its statistics are not all strings")
    spec: Spec = {"op": "impute_text", "statistics": statistics.tolist()}
    if marker is None or _is_nan(marker):
        return spec
    if not isinstance(marker, str):
        raise draft.unsupported(f"missing_values={marker!r} with strings")
    return {**spec, "marker": [marker]}


LOWERINGS: dict[type, Lowering] = {SimpleImputer: _imputer}
