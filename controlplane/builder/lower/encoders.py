"""Lowering of OneHotEncoder and OrdinalEncoder: every rule of theirs becomes a table of codes."""

from typing import Any

import numpy as np
from sklearn import preprocessing as pp

from controlplane.builder.lower.base import Draft, Lowering, Spec


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _kind(draft: Draft, categories: Any) -> str:
    """Tell whether a column holds strings or numbers."""
    present = [c for c in categories.tolist() if not _is_missing(c)]
    if sum(_is_missing(c) for c in categories.tolist()) > 1:
        raise draft.unsupported("a column has both None and NaN as categories")
    if present and all(isinstance(c, str) for c in present):
        return "string"
    if categories.dtype.kind in "iuf" and (
        categories.dtype.kind == "f" or not present or max(map(abs, present)) < 2**53
    ):
        return "number"
    if categories.dtype.kind == "O" and not present:
        return "string"
    raise draft.unsupported("a column's categories are neither all strings nor all numbers")


def _groups(model: Any, column: int, count: int) -> tuple[list[int], int | None]:
    """Give each category's group (infrequent ones share the last) and the infrequent group."""
    enabled = getattr(model, "_infrequent_enabled", False)
    mapping = model._default_to_infrequent_mappings[column] if enabled else None  # noqa: SLF001
    if mapping is None:
        return list(range(count)), None
    return mapping.tolist(), int(mapping.max())


def _column(
    categories: Any, kind: str, codes: list[int | None], nowhere: int, unknown: int | None
) -> Spec:
    """Write one column; a category whose code is None is one that was dropped."""
    pairs, missing = [], None
    for category, code in zip(categories.tolist(), codes, strict=True):
        place = nowhere if code is None else code
        if _is_missing(category):
            missing = place
        else:
            pairs.append([category, place])
    return {"kind": kind, "codes": pairs, "missing": missing, "unknown": unknown}


def _one_hot(draft: Draft, model: Any) -> Spec:
    if np.dtype(model.dtype) != np.float64:
        raise draft.unsupported(f"dtype={model.dtype}")
    total = sum(int(n) for n in model._n_features_outs)  # noqa: SLF001  (its own count)
    dropped = model.drop_idx_
    columns, start = [], 0
    for i, categories in enumerate(model.categories_):
        groups, infrequent = _groups(model, i, len(categories))
        drop = dropped[i] if dropped is not None else None
        if drop is not None and infrequent is not None:
            drop = groups[int(drop)]
        codes = [_place(group, drop, start) for group in groups]
        unknown = None if model.handle_unknown == "error" else total
        if model.handle_unknown in ("infrequent_if_exist", "warn") and infrequent is not None:
            place = _place(infrequent, drop, start)
            unknown = total if place is None else place
        kind = _kind(draft, categories)
        columns.append(_column(categories, kind, codes, total, unknown))
        start += int(model._n_features_outs[i])  # noqa: SLF001
    return {"op": "one_hot", "n_out": total, "columns": columns}


def _place(group: int, drop: int | None, start: int) -> int | None:
    """Give the place of a group's one in the output; None for the dropped group."""
    if drop is None:
        return start + group
    if group == int(drop):
        return None
    return start + group - (group > int(drop))


def _ordinal(draft: Draft, model: Any) -> Spec:
    if np.dtype(model.dtype) != np.float64:
        raise draft.unsupported(f"dtype={model.dtype}")
    most = max(len(categories) for categories in model.categories_)
    values = [float(code) for code in range(most)]
    columns = []
    unknown = None
    if model.handle_unknown == "use_encoded_value":
        values.append(float(model.unknown_value))
        unknown = len(values) - 1
    values.append(float(model.encoded_missing_value))
    missing = len(values) - 1
    for i, categories in enumerate(model.categories_):
        groups, _ = _groups(model, i, len(categories))
        codes: list[int | None] = [
            missing if isinstance(c, float) and np.isnan(c) else g
            for c, g in zip(categories.tolist(), groups, strict=True)
        ]
        kind = _kind(draft, categories)
        columns.append(_column(categories, kind, codes, 0, unknown))
    gives_nan = bool(np.isnan(values).any())
    return {
        "op": "ordinal",
        "values": draft.tensor(np.array(values)),
        "columns": columns,
        "gives_nan": gives_nan,
    }


LOWERINGS: dict[type, Lowering] = {pp.OneHotEncoder: _one_hot, pp.OrdinalEncoder: _ordinal}
