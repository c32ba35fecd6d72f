"""Lowering of support vector machines and kernel ridge."""

# A fitted SVM keeps what predict needs in private attributes, with libsvm's own signs.
# ruff: noqa: SLF001

from typing import Any

import numpy as np
from sklearn.kernel_ridge import KernelRidge
from sklearn.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM

from controlplane.builder.lower.base import Draft, Lowering, Spec
from runtime.plan.kernels import MAX_CLASSES, MAX_DEGREE

_KERNELS = ("linear", "poly", "rbf", "sigmoid")
_MOST_CELLS = 1 << 24  # 128 MB, nearly all of them zeros where the vectors are texts


def _dense(array: Any) -> Any:
    return array.toarray() if hasattr(array, "toarray") else np.asarray(array)


def _vectors(draft: Draft, array: Any) -> Any:
    rows, columns = array.shape
    if hasattr(array, "toarray") and rows * columns > _MOST_CELLS:
        raise draft.unsupported(
            f"it holds {rows} sparse rows of {columns} columns, too many for a plan; a linear model"
            " such as LinearSVC has one"
        )
    return _dense(array)


def _kernel(draft: Draft, model: Any) -> Spec:
    if model.kernel not in _KERNELS:
        name = model.kernel if isinstance(model.kernel, str) else "a function"
        raise draft.unsupported(f"its kernel is {name}")
    if model.degree > MAX_DEGREE:
        raise draft.unsupported(f"its degree is above {MAX_DEGREE}")
    return {
        "kernel": model.kernel,
        "gamma": float(model._gamma),
        "coef0": float(model.coef0),
        "degree": int(model.degree),
        "vectors": draft.tensor(
            _vectors(draft, model.support_vectors_).reshape(-1, model.n_features_in_), "f8"
        ),
    }


def _sum(draft: Draft, model: Any) -> Spec:
    return {
        **_kernel(draft, model),
        "coefficients": draft.tensor(_dense(model._dual_coef_).ravel(), "f8"),
        "intercept": float(model._intercept_[0]),
    }


def _regressor(draft: Draft, model: Any) -> Spec:
    return {"op": "svr", **_sum(draft, model)}


def _one_class(draft: Draft, model: Any) -> Spec:
    offset = float(np.ravel(model.offset_)[0])
    return {"op": "one_class_svm", **_sum(draft, model), "offset": offset}


def _classifier(draft: Draft, model: Any) -> Spec:
    k = len(model.classes_)
    if k > MAX_CLASSES:
        raise draft.unsupported(f"more than {MAX_CLASSES} classes")
    if model.break_ties and model.decision_function_shape == "ovo":
        raise draft.unsupported("break_ties needs decision_function_shape='ovr'; predict raises")
    # scikit-learn asks the parameter and then whether fit left anything behind.
    probability = model.probability is True and np.size(model._probA) > 0
    spec = {
        "op": "svc",
        **_kernel(draft, model),
        "classes": draft.labels(model.classes_),
        "coefficients": draft.tensor(_dense(model._dual_coef_).reshape(k - 1, -1), "f8"),
        "intercept": draft.tensor(np.ravel(model._intercept_), "f8"),
        "counts": draft.tensor(model._n_support, "i8"),
        "shape": model.decision_function_shape,
        "break_ties": bool(model.break_ties),
        "probability": probability,
    }
    if probability:
        spec["platt_a"] = draft.tensor(np.ravel(model._probA), "f8")
        spec["platt_b"] = draft.tensor(np.ravel(model._probB), "f8")
    return spec


def _kernel_ridge(draft: Draft, model: Any) -> Spec:
    kernels = {"polynomial": "poly", **{name: name for name in _KERNELS}}
    if model.kernel not in kernels:
        raise draft.unsupported("its kernel is not linear, polynomial, rbf or sigmoid")
    degree = model.degree
    if kernels[model.kernel] != "poly":
        degree = 0
    if degree != int(degree) or not 0 <= degree <= MAX_DEGREE:
        raise draft.unsupported(f"its degree is not a whole number up to {MAX_DEGREE}")
    rows = _vectors(draft, model.X_fit_)
    gamma = 1.0 / rows.shape[1] if model.gamma is None else model.gamma
    dual = np.asarray(model.dual_coef_)
    return {
        "op": "kernel_ridge",
        "kernel": kernels[model.kernel],
        "gamma": float(gamma),
        "coef0": float(model.coef0),
        "degree": int(degree),
        "vectors": draft.tensor(rows, "f8"),
        "coefficients": draft.tensor(dual.reshape(rows.shape[0], -1), "f8"),
        "vector": dual.ndim == 1,
    }


LOWERINGS: dict[type, Lowering] = {
    SVC: _classifier,
    NuSVC: _classifier,
    SVR: _regressor,
    NuSVR: _regressor,
    OneClassSVM: _one_class,
    KernelRidge: _kernel_ridge,
}
