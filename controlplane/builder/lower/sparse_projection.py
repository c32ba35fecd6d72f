"""Lowering of SparseRandomProjection: its matrix, compressed by rows."""

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.random_projection import SparseRandomProjection

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.matrices import right_factor


def _sparse_projection(draft: Draft, model: Any) -> Spec:
    components = model.components_
    if not issparse(components):  # density=1 leaves no zeros
        return {"op": "projection", **right_factor(draft, "matrix", np.asarray(components).T)}
    return {
        "op": "sparse_projection",
        "n_in": int(components.shape[1]),
        "starts": draft.tensor(components.indptr, "i8"),
        "columns": draft.tensor(components.indices, "i8"),
        "weights": draft.tensor(components.data, "f8"),
    }


LOWERINGS: dict[type, Lowering] = {SparseRandomProjection: _sparse_projection}
