"""Gaussian processes against scikit-learn: equal labels, values within 1e-10 of their weights."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    RBF,
    CompoundKernel,
    ConstantKernel,
    DotProduct,
    ExpSineSquared,
    Matern,
    PairwiseKernel,
    RationalQuadratic,
    WhiteKernel,
)

from controlplane.builder.lower.base import Unsupported
from runtime.plan.pairwise import BLOCK
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of, shrunk
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled

KERNELS = {
    "none": None,
    "rbf": 1.5 * RBF(0.8),
    "anisotropic": RBF([0.5, 1.0, 2.0]) + 0.1,
    "rough": Matern(0.9, nu=0.5),
    "matern 1.5": Matern([1.0, 0.7, 3.0], nu=1.5) * ConstantKernel(2.0),
    "matern 2.5": Matern(nu=2.5),
    "smooth": Matern(0.6, nu=np.inf),
    "rational": RationalQuadratic(0.7, alpha=0.4) * 1.1,
    "periodic": ExpSineSquared(1.1, 2.5),
    "dot": DotProduct(0.5) ** 2 + WhiteKernel(0.1),
    "sum": RBF(2.0) + Matern(nu=1.5) * DotProduct(0.1) + WhiteKernel(0.2),
    "pairwise": PairwiseKernel(gamma=0.3, metric="rbf") + PairwiseKernel(gamma=0.3, metric="rbf"),
    "laplacian": PairwiseKernel(gamma=0.3, metric="laplacian") ** 1.5,
    "polynomial": PairwiseKernel(
        gamma=0.3, metric="polynomial", pairwise_kernels_kwargs={"degree": 2, "coef0": 0.5}
    ),
}
LABELS = {
    "int": np.array([-3, 0, 7]),
    "str": np.array(["no", "yes", "maybe"]),
    "bool": np.array([False, True]),
}


def fitted(model: Any, x: np.ndarray, y: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(x, y)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.sampled_from(sorted(KERNELS)),
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
    st.sampled_from([0, 1, 3]),
    st.booleans(),
)
def test_regressors_are_twins(name, seed, height, targets, normalize):
    random = np.random.default_rng(seed)
    x, q = random.normal(size=(40, 3)), random.normal(size=(height, 3)) * 2
    y = random.normal(size=(40, targets) if targets else 40) * 3 + 5
    model = GaussianProcessRegressor(
        KERNELS[name], alpha=0.05, normalize_y=normalize, optimizer=None
    )
    model.fit(x, y)
    node = compiled(model)
    for rows in (q, q[:1], x):
        assert_within(node.predict(rows), model.predict(rows), 1e-10)


@pytest.mark.parametrize("metric", ["chi2", "additive_chi2"])
def test_a_process_of_chi2_has_no_plan(metric):
    x = np.random.default_rng(0).random((9, 2))
    kernel = PairwiseKernel(metric=metric, gamma=1.0, gamma_bounds="fixed") + WhiteKernel(2.0)
    model = GaussianProcessRegressor(kernel, alpha=9.0, optimizer=None).fit(x, x[:, 0])
    with pytest.raises(Unsupported, match="chi2 has no plan"):
        plan_of(model)
    kernel.k1.metric = "rbf"
    spec, tensors = plan_of(GaussianProcessRegressor(kernel, optimizer=None).fit(x, x[:, 0]))
    assert_refuses({**spec, "kernel": metric}, tensors)


def test_an_optimised_process_that_interpolates_is_a_twin_within_its_weights():
    x = np.linspace(0, 5, 25)[:, None]
    model = fitted(GaussianProcessRegressor(1.0 * RBF(1.0)), x, np.sin(x[:, 0]))
    error = np.abs(compiled(model).predict(x + 0.05) - model.predict(x + 0.05)).max()
    assert error <= 1e-14 * np.abs(model.alpha_).sum()


def test_a_process_promises_no_more_digits_than_rounding_leaves():
    x = np.linspace(0, 5, 25)[:, None]
    y = np.random.default_rng(0).random(25)
    promised = []
    for noise in (1e-2, 1e-8):
        model = GaussianProcessRegressor(RationalQuadratic(), alpha=noise, optimizer=None).fit(x, y)
        promised.append(compiled(model).tolerance)
        # The same numbers summed the other way round are as good an answer.
        ours = model.kernel_(x + 0.05, x)[:, ::-1] @ model.alpha_[::-1]
        assert np.abs(ours - model.predict(x + 0.05)).max() <= promised[-1]
    assert promised[0] <= 1e-9 < promised[1]
    x = np.linspace(0, 5, 60)[:, None]
    model = GaussianProcessRegressor(RationalQuadratic(), optimizer=None)
    with pytest.raises(Unsupported, match="fitted with more noise"):
        plan_of(model.fit(x, np.random.default_rng(0).random(60)))


@pytest.mark.parametrize("name", ["rbf", "matern 1.5", "matern 2.5", "smooth", "rational"])
@pytest.mark.parametrize("scale", [1.0, 1e2, 1e9])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_rows_far_from_the_others_keep_the_digits(name, scale, offset):
    random = np.random.default_rng(3)
    x = random.normal(size=(60, 3)) * scale + offset
    y = (x[:, 0] - offset) / scale
    model = GaussianProcessRegressor(KERNELS[name], alpha=0.05, optimizer=None).fit(x, y)
    node = compiled(model)
    q = np.vstack((x, x + 1e-4, random.normal(size=(40, 3)) * scale + offset))
    for rows in (q, q[:1], q[:0]):
        expected = model.predict(rows) if len(rows) else np.empty(0)
        assert_within(node.predict(rows), expected, 1e-12 * np.abs(model.alpha_).sum())


def test_blocks_join_to_the_whole():
    random = np.random.default_rng(5)
    x = random.normal(size=(300, 3))
    model = GaussianProcessRegressor(RBF(), alpha=0.1, optimizer=None).fit(x, x[:, 0])
    q = random.normal(size=(2 * (BLOCK // 300) + 3, 3))
    assert_within(compiled(model).predict(q), model.predict(q), 1e-10)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    # Of three columns a periodic kernel is no covariance: variances below zero.
    st.sampled_from(sorted(set(KERNELS) - {"periodic"})),
    st.sampled_from(sorted(LABELS)),
    st.integers(2, 3),
    st.sampled_from(["one_vs_rest", "one_vs_one"]),
    st.integers(0, 2**32 - 1),
    st.integers(1, 40),
)
def test_classifiers_are_twins(name, labels, k, way, seed, height):
    random = np.random.default_rng(seed)
    x, q = random.normal(size=(36, 3)), random.normal(size=(height, 3)) * 2
    names = LABELS[labels][:k]
    y = names[np.arange(36) % len(names)]
    x[:, 0] += np.arange(36) % len(names)
    model = GaussianProcessClassifier(KERNELS[name], optimizer=None, multi_class=way)
    fitted(model, x, y)
    node = compiled(model)
    pairs = way == "one_vs_one" and len(names) > 2
    assert node.methods == (("predict",) if pairs else ("predict", "predict_proba"))
    for rows in (q, q[:1]):
        assert_bitwise(node.predict(rows), model.predict(rows))
        if not pairs:
            assert_within(node.predict_proba(rows), model.predict_proba(rows), 1e-10)


class Own(RBF):
    """A kernel with code of its own."""


@pytest.mark.parametrize(
    ("kernel", "reason"),
    [
        (Matern(nu=2.0), "nu=2.0, which needs a Bessel function"),
        (PairwiseKernel(metric="chi2"), "kernel chi2"),
        (PairwiseKernel(gamma=1.0) + PairwiseKernel(gamma=2.0), "several PairwiseKernels"),
        (Own(), "its kernel Own"),
        (sum([RBF()] * 120, start=RBF()), "more than 200 parts"),
    ],
    ids=["bessel", "chi2", "several", "subclass", "long"],
)
def test_what_has_no_plan_says_why(kernel, reason):
    x = np.random.default_rng(0).random((10, 2))
    model = GaussianProcessRegressor(kernel, alpha=1.0, optimizer=None).fit(x, x[:, 0])
    with pytest.raises(Unsupported, match=reason):
        plan_of(model)


def test_a_compound_kernel_is_of_the_classifiers_own_making():
    x = np.random.default_rng(0).random((12, 2))
    model = GaussianProcessClassifier(optimizer=None).fit(x, np.arange(12) % 3)
    assert isinstance(model.kernel_, CompoundKernel)
    assert len(compiled(model).members) == 3


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    x = np.random.default_rng(0).random((12, 2))
    return {
        "regressor": GaussianProcessRegressor(KERNELS["sum"], optimizer=None).fit(x, x[:, 0]),
        "pairwise": GaussianProcessRegressor(PairwiseKernel(), optimizer=None).fit(x, x[:, 0]),
        "classifier": GaussianProcessClassifier(optimizer=None).fit(x, np.arange(12) % 3),
    }


@pytest.mark.parametrize("name", ["regressor", "pairwise", "classifier"])
def test_broken_plans_are_refused(models, name):
    assert_refuses_broken(models[name], {"rounding"})


@pytest.mark.parametrize("key", ["points", "weights", "roots", "inverse"])
def test_members_that_do_not_fit_are_refused(models, key):
    spec, tensors = plan_of(models["classifier"])
    assert_refuses(spec, shrunk(spec["members"][0], tensors, key))
    for name, bad in (("few", spec["members"][:2]), ("odd", [{"op": "identity"}] * 3)):
        assert_refuses({**spec, "members": bad}, tensors), name
    assert_refuses({**spec, "way": "binary"}, tensors)


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [["rbf", 1.0], ["rbf", 1.0]],
        [["sum"]],
        [["rbf", 1.0], ["sum"]],
        [["rbf", 0.0]],
        [["rbf", [1.0]]],
        [["rbf", [1.0, "a"]]],
        [["rbf", float("nan")]],
        [["dot", [1.0, 1.0]]],
        [["dot"]],
        [["dot", 10**400]],
        [["bessel", 1.0]],
        [[]],
        ["rbf"],
        [[["rbf"], 1.0]],
        [["white", 1.0]] * 17 + [["sum"]] * 16,
        [["rbf", 1.0]] + [["power", 2.0]] * 200,
    ],
    ids=str,
)
def test_kernels_that_cannot_be_are_refused(models, steps):
    spec, tensors = plan_of(models["regressor"])
    assert_refuses({**spec, "kernel_steps": steps}, tensors)
