"""Lowering of Gaussian processes and their kernels."""

# The scale of the targets has no public way to it.
# ruff: noqa: SLF001

import sys
from typing import Any, Final

import numpy as np
from scipy.linalg import solve_triangular
from sklearn.gaussian_process import (
    GaussianProcessClassifier,
    GaussianProcessRegressor,
    kernels,
)

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.pairwise import pairwise
from runtime.plan.covariances import MAX_STEPS
from runtime.plan.pairwise import CHI2
from runtime.plan.processes import MAX_CLASSES, MOST_ROUNDING

MAX_CELLS: Final = 20_000_000
LOOKED_AT: Final = 64  # training rows, of whose answers the rounding is estimated
ROUNDINGS: Final = 16  # both sides' kernel values, and their sums
MATERN: Final = {0.5: "matern-0.5", 1.5: "matern-1.5", 2.5: "matern-2.5", np.inf: "matern-inf"}


def _lengths(kernel: Any) -> Any:
    scale = np.squeeze(np.asarray(kernel.length_scale, np.float64))
    return scale.tolist()


def _covariance(draft: Draft, kernel: Any, columns: int) -> Spec:
    steps: list[Any] = []
    pairs: list[Spec] = []
    _steps(draft, kernel, columns, steps, pairs)
    if len(steps) > MAX_STEPS:
        raise draft.unsupported(f"its kernel has more than {MAX_STEPS} parts")
    if any(pair != pairs[0] for pair in pairs):
        raise draft.unsupported("its kernel has several PairwiseKernels")
    return {"kernel_steps": steps, **(pairs[0] if pairs else {})}


def _steps(draft: Draft, kernel: Any, columns: int, steps: list[Any], pairs: list[Spec]) -> None:
    """Write an expression in postfix order. Subclasses are refused: their code may differ."""
    kind = type(kernel)
    if kind is kernels.Product and _is_one(kernel.k1):  # scikit-learn's own default
        _steps(draft, kernel.k2, columns, steps, pairs)
    elif kind in (kernels.Sum, kernels.Product):
        _steps(draft, kernel.k1, columns, steps, pairs)
        _steps(draft, kernel.k2, columns, steps, pairs)
        steps.append(["sum" if kind is kernels.Sum else "product"])
    elif kind is kernels.Exponentiation:
        _steps(draft, kernel.kernel, columns, steps, pairs)
        steps.append(["power", float(kernel.exponent)])
    elif kind is kernels.PairwiseKernel:
        if kernel.metric in CHI2:
            raise draft.unsupported(f"its kernel {kernel.metric} has no plan")
        more = kernel.pairwise_kernels_kwargs or {}
        pairs.append(pairwise(draft, kernel.metric, columns, gamma=kernel.gamma, **more))
        steps.append(["pairwise"])
    else:
        steps.append(_leaf(draft, kernel))


def _is_one(kernel: Any) -> bool:
    return type(kernel) is kernels.ConstantKernel and kernel.constant_value == 1.0


def _leaf(draft: Draft, kernel: Any) -> list[Any]:
    kind = type(kernel)
    if kind is kernels.ConstantKernel:
        return ["constant", float(kernel.constant_value)]
    if kind is kernels.WhiteKernel:
        return ["white", float(kernel.noise_level)]
    if kind is kernels.RBF:
        return ["rbf", _lengths(kernel)]
    if kind is kernels.Matern:
        if kernel.nu not in MATERN:
            raise draft.unsupported(
                f"its Matern kernel has nu={kernel.nu}, which needs a Bessel function;"
                " 0.5, 1.5, 2.5 and inf have a plan"
            )
        return [MATERN[kernel.nu], _lengths(kernel)]
    if kind is kernels.RationalQuadratic:
        return ["rational", float(kernel.alpha), float(np.squeeze(kernel.length_scale))]
    if kind is kernels.ExpSineSquared:
        return ["periodic", float(kernel.length_scale), float(kernel.periodicity)]
    if kind is kernels.DotProduct:
        return ["dot", float(kernel.sigma_0)]
    raise draft.unsupported(f"its kernel {kind.__name__} has no plan")


def _points(draft: Draft, rows: Any, square: bool) -> Spec:
    rows = np.asarray(rows)
    if rows.ndim != 2 or rows.dtype.kind not in "fiu" or rows.dtype == np.float32:
        raise draft.unsupported("its training rows are not float64")
    if rows.size > MAX_CELLS or (square and len(rows) ** 2 > MAX_CELLS):
        raise draft.unsupported(f"it stores {rows.shape[0]} rows of {rows.shape[1]} columns")
    return {"points": draft.tensor(rows, "f8")}


def _rounding(draft: Draft, model: Any, weights: Any) -> float:
    """Give by how much rounding alone may change answers, relative to the largest.

    A process without noise has weights that cancel, of 1e11 at times for answers of 1: no sum of
    them is surer than this, scikit-learn's own neither, which changes with the processor.
    """
    every = max(1, len(model.X_train_) // LOOKED_AT)
    values = model.kernel_(model.X_train_[::every], model.X_train_)
    largest = max(1.0, float(np.abs(values @ weights).max()))
    summed = float((np.abs(values) @ np.abs(weights)).max())
    rounding = ROUNDINGS * sys.float_info.epsilon * summed / largest
    if not rounding <= MOST_ROUNDING:
        raise draft.unsupported(
            "its weights cancel, so that rounding alone changes its answers by more than"
            f" {MOST_ROUNDING:.0e}; fitted with more noise (a larger alpha, or a WhiteKernel) it"
            " has a plan"
        )
    return rounding


def _regressor(draft: Draft, model: Any) -> Spec:
    weights = np.asarray(model.alpha_)
    columns = weights.reshape(len(weights), -1)
    targets = columns.shape[1]
    scale = np.broadcast_to(np.ravel(model._y_train_std), (targets,))
    shift = np.broadcast_to(np.ravel(model._y_train_mean), (targets,))
    points = _points(draft, model.X_train_, square=False)
    covariance = _covariance(draft, model.kernel_, model.X_train_.shape[1])
    rounding = _rounding(draft, model, columns)
    return {
        "op": "process_regressor",
        **points,
        **covariance,
        "weights": draft.tensor(columns, "f8"),
        "scale": draft.tensor(scale, "f8"),
        "shift": draft.tensor(shift, "f8"),
        "vector": targets == 1,
        "rounding": rounding,
    }


def _binary(draft: Draft, member: Any) -> Spec:
    spec = {
        "op": "binary_process",
        **_points(draft, member.X_train_, square=True),
        **_covariance(draft, member.kernel_, member.X_train_.shape[1]),
    }
    inverse = solve_triangular(member.L_, np.eye(len(member.L_)), lower=True)
    return {
        **spec,
        "weights": draft.tensor(member.y_train_ - member.pi_, "f8"),
        "roots": draft.tensor(member.W_sr_, "f8"),
        "inverse": draft.tensor(inverse, "f8"),
    }


def _classifier(draft: Draft, model: Any) -> Spec:
    k = len(model.classes_)
    if not 2 <= k <= MAX_CLASSES:
        raise draft.unsupported(f"it has {k} classes, more than {MAX_CLASSES}")
    base = model.base_estimator_
    members = [base] if k == 2 else list(base.estimators_)
    if sum(len(member.X_train_) ** 2 for member in members) > MAX_CELLS:
        raise draft.unsupported("its matrices of training rows by training rows are too large")
    way = "binary" if k == 2 else {"one_vs_rest": "rest"}.get(model.multi_class, "pairs")
    return {
        "op": "process_classifier",
        "classes": draft.labels(model.classes_),
        "way": way,
        "members": [_binary(draft, member) for member in members],
    }


LOWERINGS: dict[type, Lowering] = {
    GaussianProcessRegressor: _regressor,
    GaussianProcessClassifier: _classifier,
}
