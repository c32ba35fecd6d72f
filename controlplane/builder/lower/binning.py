"""Lowering of KBinsDiscretizer: its inner bin edges."""

from typing import Any

import numpy as np
from sklearn.preprocessing import KBinsDiscretizer

from controlplane.builder.lower.base import Draft, Lowering, Spec


def _bins(draft: Draft, estimator: Any) -> Spec:
    if estimator.dtype is not None and np.dtype(estimator.dtype) != np.float64:
        raise draft.unsupported("with dtype=float32 it compares cells that are rounded first")
    inner = [np.asarray(edges[1:-1], np.float64) for edges in estimator.bin_edges_]
    return {
        "op": "bins",
        "edges": draft.tensor(np.concatenate(inner), "f8"),
        "counts": draft.tensor([len(edges) for edges in inner], "i8"),
        "one_hot": estimator.encode != "ordinal",
    }


LOWERINGS: dict[type, Lowering] = {KBinsDiscretizer: _bins}
