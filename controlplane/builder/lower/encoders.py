"""Lowering of encoders: every rule of theirs becomes a table of codes."""

# Fitted encoders keep the grouping of infrequent categories in private attributes.
# ruff: noqa: SLF001

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import preprocessing
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from controlplane.builder.lower.base import Draft, Lowering, Spec

NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _is_float64(value: Any) -> bool:
    return math.isfinite(value) and float(value) == value


def _is_missing(value: object) -> bool:
    return value is None or _is_nan(value)


def _kind(draft: Draft, categories: NDArray[Any]) -> str:
    """Tell whether a column holds strings or numbers."""
    present = [c for c in categories.tolist() if not _is_missing(c)]
    if not present:
        return "string" if categories.dtype == object else "number"
    if all(isinstance(c, str) for c in present):
        return "string"
    if all(isinstance(c, NUMBERS) and _is_float64(c) for c in present):
        return "number"
    raise draft.unsupported("a column's categories are neither all strings nor all numbers")


def _groups(estimator: Any, column: int, count: int) -> tuple[list[int], int | None]:
    """Give each category's group (infrequent ones share the last) and the infrequent group.

    OrdinalEncoder leaves NaN, its last category, out of the grouping.
    """
    enabled = getattr(estimator, "_infrequent_enabled", False)
    mapping = estimator._default_to_infrequent_mappings[column] if enabled else None
    if mapping is None:
        return list(range(count)), None
    groups = [int(group) for group in mapping]
    return groups + list(range(len(groups), count)), max(groups)


def _column(draft: Draft, categories: NDArray[Any], codes: list[int], unknown: int | None) -> Spec:
    pairs: list[list[Any]] = []
    missing: dict[str, int] = {}
    kind = _kind(draft, categories)
    for category, code in zip(categories.tolist(), codes, strict=True):
        if _is_missing(category):
            missing["nan" if category is not None else "none"] = code
        else:
            pairs.append([category if kind == "string" else float(category), code])
    # A request cannot tell None from NaN; where both are categories, scikit-learn would be given
    # None in a column of strings, NaN in one of numbers.
    first, second = ("none", "nan") if kind == "string" else ("nan", "none")
    return {
        "kind": kind,
        "codes": pairs,
        "missing": missing.get(first, missing.get(second)),
        "unknown": unknown,
    }


def _columns(draft: Draft, estimator: Any, coded: list[tuple[list[int], int | None]]) -> list[Spec]:
    return [
        _column(draft, categories, codes, unknown)
        for categories, (codes, unknown) in zip(estimator.categories_, coded, strict=True)
    ]


def one_hot(draft: Draft, estimator: Any) -> Spec:
    """A code is the place of the one in the whole output; the place behind the last is nowhere."""
    if np.dtype(estimator.dtype) != np.float64:
        raise draft.unsupported(f"dtype={estimator.dtype} has no plan yet")
    widths = [int(width) for width in estimator._n_features_outs]
    nowhere, start = sum(widths), 0
    coded: list[tuple[list[int], int | None]] = []
    for i, categories in enumerate(estimator.categories_):
        groups, infrequent = _groups(estimator, i, len(categories))
        drop = None if estimator.drop_idx_ is None else estimator.drop_idx_[i]
        dropped = None if drop is None else groups[int(drop)]
        codes = [_place(group, dropped, start, nowhere) for group in groups]
        unknown = None if estimator.handle_unknown == "error" else nowhere
        if estimator.handle_unknown in ("infrequent_if_exist", "warn") and infrequent is not None:
            unknown = _place(infrequent, dropped, start, nowhere)
        coded.append((codes, unknown))
        start += widths[i]
    return {"op": "one_hot", "n_out": nowhere, "columns": _columns(draft, estimator, coded)}


def _place(group: int, dropped: int | None, start: int, nowhere: int) -> int:
    """Give the place of a group's one in the output."""
    if group == dropped:
        return nowhere
    return start + group - (dropped is not None and group > dropped)


def ordinal(draft: Draft, estimator: Any) -> Spec:
    """A code is a place in `values`: the codes themselves, then what unknown and NaN become."""
    if np.dtype(estimator.dtype) != np.float64:
        raise draft.unsupported(f"dtype={estimator.dtype} has no plan yet")
    most = max(len(categories) for categories in estimator.categories_)
    values = [float(code) for code in range(most)]
    unknown = None
    if estimator.handle_unknown == "use_encoded_value":
        unknown = len(values)
        values.append(float(estimator.unknown_value))
    missing = len(values)
    values.append(float(getattr(estimator, "encoded_missing_value", np.nan)))
    coded = []
    for i, categories in enumerate(estimator.categories_):
        groups, _ = _groups(estimator, i, len(categories))
        cells = zip(categories.tolist(), groups, strict=True)
        coded.append(([missing if _is_nan(cell) else group for cell, group in cells], unknown))
    return {
        "op": "ordinal",
        "values": draft.tensor(values, "f8"),
        "columns": _columns(draft, estimator, coded),
    }


def target(draft: Draft, estimator: Any) -> Spec:
    """TargetEncoder: a code is a row of `values`; the last row is for what is unknown."""
    means = np.atleast_1d(np.asarray(estimator.target_mean_, np.float64))
    width = len(means)
    if len(estimator.encodings_) != width * len(estimator.categories_):
        raise draft.unsupported("its averages do not fit the classes of the target")
    rows = [
        np.column_stack(estimator.encodings_[i * width : (i + 1) * width])
        for i in range(len(estimator.categories_))
    ]
    values = np.concatenate([*rows, means[None, :]])
    if not np.isfinite(values).all():
        raise draft.unsupported("an average of the target is not a finite number")
    coded: list[tuple[list[int], int | None]] = []
    start = 0
    for table in rows:
        coded.append((list(range(start, start + len(table))), len(values) - 1))
        start += len(table)
    return {
        "op": "target",
        "values": draft.tensor(values, "f8"),
        "columns": _columns(draft, estimator, coded),
    }


LOWERINGS: dict[type, Lowering] = {OneHotEncoder: one_hot, OrdinalEncoder: ordinal}
if hasattr(preprocessing, "TargetEncoder"):  # since scikit-learn 1.3
    LOWERINGS[preprocessing.TargetEncoder] = target
