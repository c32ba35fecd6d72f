"""Lowering of sparse codes."""

from typing import Any, Final

import numpy as np
from sklearn.decomposition import (
    DictionaryLearning,
    MiniBatchDictionaryLearning,
    SparseCoder,
)

from controlplane.builder.lower.base import Draft, Lowering, Spec
from runtime.plan.coding import MAX_ATOMS

ITERATIVE: Final = {
    "lars": "least angle regression",
    "lasso_lars": "least angle regression",
    "lasso_cd": "coordinate descent",
}


def _learnt(draft: Draft, model: Any) -> Spec:
    return _code(draft, model, model.components_)


def _given(draft: Draft, model: Any) -> Spec:
    return _code(draft, model, model.dictionary)


def _code(draft: Draft, model: Any, dictionary: Any) -> Spec:
    """Source: sklearn.decomposition._dict_learning._sparse_encode."""
    atoms = np.asarray(dictionary)
    if atoms.dtype != np.float64:
        raise draft.unsupported(f"its dictionary is {atoms.dtype}, not float64")
    algorithm = model.transform_algorithm
    if algorithm in ITERATIVE:
        raise draft.unsupported(
            f"its codes are solved for by {ITERATIVE[algorithm]} row by row"
            f" (transform_algorithm={algorithm!r}); 'omp' and 'threshold' have a plan"
        )
    spec: Spec = {
        "op": "sparse_code",
        "atoms": draft.tensor(atoms),
        "split": bool(model.split_sign),
        "positive": bool(model.positive_code),
    }
    alpha = model.transform_alpha
    alpha = getattr(model, "alpha", None) if alpha is None else alpha
    if algorithm == "threshold":
        return {**spec, "algorithm": "threshold", "alpha": float(1.0 if alpha is None else alpha)}
    if model.positive_code:
        raise draft.unsupported("positive_code does not go with 'omp'; transform raises")
    if len(atoms) > MAX_ATOMS:
        raise draft.unsupported(f"it has more than {MAX_ATOMS} atoms")
    wanted = model.transform_n_nonzero_coefs
    if wanted is None:
        wanted = min(max(atoms.shape[1] / 10, 1), len(atoms))
    if not 1 <= int(wanted) <= len(atoms):
        raise draft.unsupported(f"it wants {wanted} of {len(atoms)} atoms")
    return {**spec, "algorithm": "pursuit", "most": int(wanted)}


LOWERINGS: dict[type, Lowering] = {
    DictionaryLearning: _learnt,
    MiniBatchDictionaryLearning: _learnt,
    SparseCoder: _given,
}
