"""Kernel machines against scikit-learn: equal labels, values within 1e-10."""

import warnings
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from sklearn.kernel_ridge import KernelRidge
from sklearn.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM

from controlplane.builder.lower.base import Unsupported
from runtime.plan.kernels import BLOCK
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of, shrunk
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled

KERNELS = ["linear", "poly", "rbf", "sigmoid"]
LABELS = {
    "int": np.array([-3, 0, 7, 8, 9]),
    "str": np.array(["no", "yes", "maybe", "Ünknown", ""]),
    "bool": np.array([False, True]),
}


def fitted(estimator: Any, x: np.ndarray, y: np.ndarray | None = None) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", FutureWarning)  # probability=True
        warnings.filterwarnings("ignore", "Singular matrix")
        return estimator.fit(x, y)


def assert_twins(estimator: Any, q: np.ndarray) -> None:
    """Every method, for the batch and for one row; values to 1e-10 of their own size."""
    node = compiled(estimator)
    assert node.n_in == estimator.n_features_in_
    for rows in (q, q[:1]):
        for method in node.methods:
            ours, theirs = node.run(method, rows), getattr(estimator, method)(rows)
            if theirs.dtype.kind == "f" and not (method == "predict" and node.classes is not None):
                scale = max(1.0, float(np.abs(theirs).max()))
                assert_within(ours / scale, theirs / scale, 1e-10)
            else:
                assert_bitwise(ours, theirs)


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.random.Generator, np.ndarray, np.ndarray]:
    """Training rows and questions; some repeated, some at an offset shared by all."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    columns = draw(st.integers(1, 12))
    x = random.normal(size=(draw(st.integers(20, 90)), columns))
    q = random.normal(size=(draw(st.integers(1, 70)), columns)) * draw(st.sampled_from([1, 3]))
    q[0] = x[0]
    return random, x, q


def labels_for(random: np.random.Generator, rows: int, kind: str, k: int) -> np.ndarray:
    names = LABELS[kind][:k]
    y = names[np.arange(rows) % len(names)]
    return random.permutation(y)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    tables(),
    st.sampled_from([SVC, NuSVC]),
    st.sampled_from(KERNELS),
    st.sampled_from(sorted(LABELS)),
    st.integers(2, 5),
    st.sampled_from(["scale", "auto", 0.3]),
    st.sampled_from([("ovr", False), ("ovr", True), ("ovo", False)]),
)
def test_classifiers_are_twins(table, kind, kernel, labels, k, gamma, shape):
    random, x, q = table
    estimator = kind(kernel=kernel, gamma=gamma, max_iter=2000, coef0=0.5)
    estimator.set_params(decision_function_shape=shape[0], break_ties=shape[1])
    if kind is NuSVC:
        estimator.set_params(nu=0.2)
    assert_twins(fitted(estimator, x, labels_for(random, len(x), labels, k)), q)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(tables(), st.sampled_from([SVC, NuSVC]), st.integers(2, 5), st.sampled_from([0.1, 1, 100]))
def test_probabilities_are_libsvms(table, kind, k, spread):
    random, x, q = table
    y = labels_for(random, len(x), "str", k)
    x[:, 0] += np.unique(y, return_inverse=True)[1] * spread
    estimator = kind(probability=True, random_state=0, max_iter=2000)
    if kind is NuSVC:
        estimator.set_params(nu=0.2)
    estimator = fitted(estimator, x, y)
    node = compiled(estimator)
    assert node.methods == ("predict", "predict_proba", "decision_function")
    assert_twins(estimator, q)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(tables(), st.sampled_from([SVR, NuSVR, OneClassSVM]), st.sampled_from(KERNELS))
def test_regressors_and_one_class_are_twins(table, kind, kernel):
    random, x, q = table
    estimator = kind(kernel=kernel, degree=2, max_iter=2000)
    assert_twins(fitted(estimator, x, random.normal(size=len(x))), q)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    tables(),
    st.sampled_from(["linear", "poly", "polynomial", "rbf", "sigmoid"]),
    st.sampled_from([None, 0.2]),
    st.sampled_from([0, 1, 3]),
)
def test_kernel_ridge_is_a_twin(table, kernel, gamma, targets):
    random, x, q = table
    y = random.normal(size=(len(x), targets) if targets else len(x))
    assert_twins(fitted(KernelRidge(kernel=kernel, gamma=gamma, alpha=0.5), x, y), q)


@pytest.mark.parametrize("offset", [0.0, 1e5, 1e7])
@pytest.mark.parametrize("penalty", [1.0, 1e6])
def test_offsets_and_large_coefficients_cost_no_digits(offset, penalty):
    random = np.random.default_rng(1)
    x = random.normal(size=(150, 4)) + offset
    estimator = SVC(C=penalty, gamma=0.5, max_iter=3000)
    assert_twins(fitted(estimator, x, random.integers(0, 3, 150)), x + 0.01)


def test_far_clusters_are_told_apart_by_differences():
    random = np.random.default_rng(2)
    x = random.normal(size=(80, 3)) * 1e-3
    x[::2] += 1e6
    estimator = fitted(SVC(gamma=1e5), x, np.arange(80) // 2 % 2)
    assert not compiled(estimator).kernel.expands
    assert_twins(estimator, x)


@pytest.mark.parametrize("kernel", KERNELS)
def test_huge_rows_answer_as_libsvm_does(kernel):
    random = np.random.default_rng(3)
    x, y = random.normal(size=(40, 2)), np.arange(40) % 3
    estimator = SVC(kernel=kernel, gamma=0.5).fit(x, y)
    q = np.array([[1e160, -1e160], [1e308, 1e308], [-1e200, 0.0]])
    ours = compiled(estimator).predict(q)
    if kernel in ("rbf", "sigmoid"):  # the others overflow to sums of infinities of both signs
        assert_bitwise(ours, estimator.predict(q))
    assert set(ours) <= {0, 1, 2}


def test_no_support_vectors_leave_the_intercept():
    x = np.arange(10.0)[:, None]
    estimator = SVR(epsilon=100).fit(x, x[:, 0])
    assert len(estimator.support_vectors_) == 0
    assert_bitwise(compiled(estimator).predict(x), estimator.predict(x))


def test_sparse_training_rows_are_made_dense():
    random = np.random.default_rng(4)
    x = random.normal(size=(50, 6)) * (random.random((50, 6)) < 0.4)
    sparse = SVC().fit(scipy.sparse.csr_array(x), np.arange(50) % 3)
    assert_twins(sparse, x)


def test_blocks_join_to_the_whole():
    random = np.random.default_rng(5)
    x = random.normal(size=(400, 3))
    estimator = SVC(C=1.0).fit(x, random.integers(0, 2, 400))
    rows = BLOCK // len(estimator.support_vectors_) * 2 + 3
    assert_twins(estimator, random.normal(size=(rows, 3)))


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [
        (SVC(kernel=lambda a, b: a @ b.T), "its kernel is a function"),
        (SVC(kernel="precomputed"), "its kernel is precomputed"),
        (SVC(break_ties=True, decision_function_shape="ovo"), "break_ties"),
        (KernelRidge(kernel="laplacian"), "its kernel is not"),
        (KernelRidge(kernel="poly", degree=1.5), "whole number"),
    ],
)
def test_what_has_no_plan_says_why(estimator, reason):
    x = np.eye(6) + np.arange(6)
    with pytest.raises(Unsupported, match=reason):
        plan_of(estimator.fit(x @ x.T, np.arange(6) % 2))


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    random = np.random.default_rng(6)
    x, y = random.normal(size=(60, 3)), np.arange(60) % 3
    return {
        "svc": fitted(SVC(probability=True, random_state=0), x, y),
        "svr": SVR().fit(x, y),
        "one class": OneClassSVM().fit(x),
        "ridge": KernelRidge(kernel="rbf").fit(x, x),
    }


@pytest.mark.parametrize("name", ["svc", "svr", "one class", "ridge"])
def test_broken_plans_are_refused(models, name):
    assert_refuses_broken(models[name])


@pytest.mark.parametrize("key", ["vectors", "coefficients", "intercept", "counts", "platt_a"])
def test_svc_tensors_that_do_not_fit_are_refused(models, key):
    spec, tensors = plan_of(models["svc"])
    assert_refuses(spec, shrunk(spec, tensors, key))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kernel", "precomputed"),
        ("degree", -1),
        ("gamma", float("inf")),
        ("shape", "ovo"),  # with break_ties
        ("classes", {"dtype": "i8", "values": [1, 2]}),
        ("classes", {"dtype": "i8", "values": list(range(1000))}),
    ],
    ids=str,
)
def test_svc_settings_that_cannot_be_are_refused(models, key, value):
    spec, tensors = plan_of(models["svc"])
    assert_refuses({**spec, "break_ties": True, key: value}, tensors)


@pytest.mark.parametrize("name", ["svr", "one class", "ridge"])
@pytest.mark.parametrize("key", ["vectors", "coefficients"])
def test_sums_that_do_not_fit_their_vectors_are_refused(models, name, key):
    spec, tensors = plan_of(models[name])
    assert_refuses(spec, shrunk(spec, tensors, key))


@pytest.mark.parametrize("model", [SVC(), SVC(kernel="linear"), SVR(), KernelRidge(kernel="rbf")])
def test_no_rows_have_no_answers(model):
    x = np.random.default_rng(7).normal(size=(40, 3))
    node = compiled(model.fit(x, np.arange(40) % 5))
    for method in node.methods:
        assert node.run(method, x[:0]).shape == (0, *node.run(method, x).shape[1:])
