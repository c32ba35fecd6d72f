"""Kernels of sklearn.metrics.pairwise: the writing side of `runtime.plan.stored_kernel`."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from controlplane.builder.lower.base import Draft, Spec
from controlplane.builder.lower.matrices import right_factor
from runtime.plan.stored_kernel import KERNELS

_ALIASES = {"polynomial": "poly"}
# Where a parameter is not given: gamma's None is one over the columns.
_DEFAULTS: dict[str, dict[str, float | None]] = {
    "poly": {"gamma": None, "coef0": 1.0, "degree": 3.0},
    "sigmoid": {"gamma": None, "coef0": 1.0},
    "rbf": {"gamma": None},
    "laplacian": {"gamma": None},
    "chi2": {"gamma": 1.0},
}


def pairwise_kernel(draft: Draft, kernel: Any, given: Mapping[str, Any], stored: Any) -> Spec:
    """Write a kernel by its name in scikit-learn, with what was given of its parameters.

    stored  (rows, columns) to which the kernel is taken
    """
    name = _ALIASES.get(kernel, kernel) if isinstance(kernel, str) else None
    if name == "precomputed":
        raise draft.unsupported("its kernel is computed beforehand by the caller")
    if name not in KERNELS:
        raise draft.unsupported("its kernel is a function of one's own")
    rows = stored.toarray() if hasattr(stored, "toarray") else np.asarray(stored)
    chosen = {
        key: given[key] if given.get(key) is not None else default
        for key, default in _DEFAULTS.get(name, {}).items()
    }
    gamma = chosen.get("gamma", 1.0)
    return {
        "kernel": name,
        "gamma": float(1.0 / rows.shape[1] if gamma is None else gamma),
        "coef0": float(chosen.get("coef0") or 0.0),
        "degree": float(chosen.get("degree") or 0.0),
        **right_factor(draft, "stored", rows.T),
    }
