"""Lowering of kernels between rows, by the names of `sklearn.metrics.pairwise`."""

from typing import Any, Final

from controlplane.builder.lower.base import Draft, Spec
from runtime.plan.pairwise import KERNELS, MAX_DEGREE

_NAMES: Final = {**{name: name for name in KERNELS}, "polynomial": "poly"}


def pairwise(draft: Draft, kernel: Any, columns: int, **given: Any) -> Spec:
    """Write a kernel; what is not given, or None, is scikit-learn's default."""
    if not isinstance(kernel, str):
        raise draft.unsupported("its kernel is a function of one's own")
    if kernel == "precomputed":
        raise draft.unsupported("its kernel is computed beforehand by the caller")
    if kernel not in _NAMES:
        raise draft.unsupported(f"its kernel {kernel} has no plan")
    gamma, coef0, degree = (given.get(name) for name in ("gamma", "coef0", "degree"))
    degree = 3.0 if degree is None else float(degree)
    if _NAMES[kernel] != "poly":
        degree = 0.0
    if not 0 <= degree <= MAX_DEGREE:
        raise draft.unsupported(f"its degree is not from 0 to {MAX_DEGREE}")
    usual = 1.0 if kernel == "chi2" else 1.0 / columns
    return {
        "kernel": _NAMES[kernel],
        "gamma": usual if gamma is None else float(gamma),
        "coef0": 1.0 if coef0 is None else float(coef0),
        "degree": degree,
    }
