"""Lowering of kernel approximations and KernelCenterer."""

from typing import Any

import numpy as np
from sklearn.kernel_approximation import (
    AdditiveChi2Sampler,
    Nystroem,
    PolynomialCountSketch,
    RBFSampler,
    SkewedChi2Sampler,
)
from sklearn.preprocessing import KernelCenterer

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.matrices import right_factor
from controlplane.builder.lower.pairwise import pairwise
from runtime.plan.approximation import MAX_COLUMNS, MAX_DEGREE, MAX_STEPS

_INTERVALS = {1: 0.8, 2: 0.5, 3: 0.4}


def _nystroem(draft: Draft, estimator: Any) -> Spec:
    names = ("gamma", "coef0", "degree")
    own = {name: getattr(estimator, name) for name in names}
    given = {**(estimator.kernel_params or {}), **{k: v for k, v in own.items() if v is not None}}
    stored = estimator.components_
    stored = stored.toarray() if hasattr(stored, "toarray") else np.asarray(stored)
    return {
        "op": "nystroem",
        **pairwise(draft, estimator.kernel, stored.shape[1], **given),
        **right_factor(draft, "stored", stored.T),
        **right_factor(draft, "matrix", estimator.normalization_.T),
    }


def _fourier(draft: Draft, estimator: Any, factor: float, skewedness: float | None) -> Spec:
    return {
        "op": "random_fourier",
        **right_factor(draft, "weights", estimator.random_weights_),
        "offset": draft.tensor(estimator.random_offset_, "f8"),
        "factor": float(factor),
        "skewedness": skewedness,
    }


def _rbf(draft: Draft, estimator: Any) -> Spec:
    return _fourier(draft, estimator, (2.0 / estimator.n_components) ** 0.5, None)


def _skewed(draft: Draft, estimator: Any) -> Spec:
    if not np.isfinite(estimator.random_weights_).all():
        raise draft.unsupported("a random weight is infinite")
    factor = np.sqrt(2.0) / np.sqrt(estimator.n_components)
    return _fourier(draft, estimator, factor, float(estimator.skewedness))


def _additive(draft: Draft, estimator: Any) -> Spec:
    interval = estimator.sample_interval
    if interval is None:
        interval = _INTERVALS[estimator.sample_steps]
    steps, width = int(estimator.sample_steps), int(estimator.n_features_in_)
    if steps > MAX_STEPS or width * (2 * steps - 1) > MAX_COLUMNS:
        raise draft.unsupported(f"it makes more than {MAX_COLUMNS} columns or {MAX_STEPS} steps")
    if interval <= 0:
        raise draft.unsupported("its sample_interval is not above zero")
    return {
        "op": "chi_squared",
        "n_in": width,
        "steps": steps,
        "interval": float(interval),
    }


def _sketch(draft: Draft, estimator: Any) -> Spec:
    if estimator.degree > MAX_DEGREE or estimator.n_components > MAX_COLUMNS:
        raise draft.unsupported(f"its degree is above {MAX_DEGREE}, or it makes too many columns")
    if estimator.gamma < 0 or estimator.coef0 < 0:
        raise draft.unsupported("gamma or coef0 below zero have no root")
    constant = float(np.sqrt(estimator.coef0)) if estimator.coef0 != 0 else None
    return {
        "op": "count_sketch",
        "n_out": int(estimator.n_components),
        "places": draft.tensor(estimator.indexHash_, "i8"),
        "signs": draft.tensor(estimator.bitHash_, "f8"),
        "root": float(np.sqrt(estimator.gamma)),
        "constant": constant,
    }


def _center(draft: Draft, estimator: Any) -> Spec:
    return {
        "op": "kernel_center",
        "means": draft.tensor(estimator.K_fit_rows_, "f8"),
        "mean": float(estimator.K_fit_all_),
    }


LOWERINGS: dict[type, Lowering] = {
    Nystroem: _nystroem,
    RBFSampler: _rbf,
    SkewedChi2Sampler: _skewed,
    AdditiveChi2Sampler: _additive,
    PolynomialCountSketch: _sketch,
    KernelCenterer: _center,
}
