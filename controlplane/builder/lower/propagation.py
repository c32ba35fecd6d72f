"""Lowering of labels propagated to new rows."""

from typing import Any

import numpy as np
from sklearn.semi_supervised import LabelPropagation, LabelSpreading

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.pairwise import pairwise
from controlplane.builder.lower.stored import MAX_CELLS, points


def _propagated(draft: Draft, model: Any) -> Spec:
    voted = {
        "classes": draft.labels(model.classes_),
        "shares": draft.tensor(model.label_distributions_, "f8"),
    }
    if callable(model.kernel):
        raise draft.unsupported("its kernel is a function")
    if model.kernel == "knn":
        neighbors = {**points(draft, model.nn_fit), "k": int(model.nn_fit.n_neighbors)}
        return {"op": "neighbor_votes", **neighbors, **voted}
    rows = model.X_
    if not isinstance(rows, np.ndarray) or rows.dtype != np.float64:
        raise draft.unsupported("its training rows are sparse or not float64")
    if rows.size > MAX_CELLS:
        raise draft.unsupported(f"it stores {rows.shape[0]} rows of {rows.shape[1]} columns")
    return {
        "op": "kernel_votes",
        "points": draft.tensor(rows),
        **pairwise(draft, model.kernel, rows.shape[1], gamma=model.gamma),
        **voted,
    }


LOWERINGS: dict[type, Lowering] = {LabelPropagation: _propagated, LabelSpreading: _propagated}
