"""Embeddings of new rows against scikit-learn."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import KernelPCA
from sklearn.manifold import Isomap, LocallyLinearEmbedding

from controlplane.builder.lower.base import Unsupported
from runtime.plan.graph import build
from runtime.plan.ops import InputRefused
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of, shrunk
from tests.unit.plan.twins import assert_twins, assert_within, compiled

KERNELS = ["linear", "poly", "rbf", "sigmoid", "cosine"]


def table(seed: int, height: int, columns: int = 4) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.normal(size=(50, columns)), random.normal(size=(height, columns)) * 1.5


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.sampled_from(KERNELS),
    st.integers(0, 2**32 - 1),
    st.integers(1, 80),
    st.integers(1, 4),
    st.sampled_from([None, 0.3]),
    st.sampled_from(["auto", "dense", "arpack"]),
)
def test_kernel_components_are_twins(kernel, seed, height, components, gamma, solver):
    x, q = table(seed, height)
    model = KernelPCA(
        components, kernel=kernel, gamma=gamma, eigen_solver=solver, random_state=0, coef0=0.1
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tanh is no kernel, and says so at times
        try:
            model.fit(x)
        except ValueError:
            return
    assert assert_twins(model, q, 1e-10).n_out == components


def test_a_kernel_of_ones_own_making_comes_as_rows():
    x, q = table(0, 7)
    model = KernelPCA(2, kernel="precomputed").fit(x @ x.T)
    node = assert_twins(model, q @ x.T, 1e-10)
    assert node.n_in == 50
    given_in = q @ x.T
    before = given_in.copy()
    node.transform(given_in)
    assert (given_in == before).all()


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
    st.integers(4, 9),
    st.sampled_from(["minkowski", "manhattan"]),
    st.booleans(),
)
def test_isomaps_are_twins(seed, height, k, metric, by_radius):
    x, q = table(seed, height, 2)
    neighbours = {"n_neighbors": None, "radius": 20.0} if by_radius else {"n_neighbors": k}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The number of connected components")
        model = Isomap(n_components=2, metric=metric, **neighbours).fit(x)
    assert_twins(model, q, 1e-9)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
    st.integers(3, 12),
    st.sampled_from([1e-3, 0.1]),
)
def test_locally_linear_embeddings_are_twins(seed, height, k, reg):
    x, q = table(seed, height)
    model = LocallyLinearEmbedding(n_neighbors=k, reg=reg, eigen_solver="dense").fit(x)
    assert_twins(model, q, 1e-9)
    node = assert_twins(model, x, 1e-9)
    # A row alone takes a way of its own.
    for row in (0, 7):
        alone = node.run("transform", x[row : row + 1])
        assert_within(alone, model.transform(x[row : row + 1]), 1e-9)


def test_a_row_far_from_all_others_is_refused_by_a_radius():
    x, _ = table(0, 1, 2)
    model = Isomap(n_neighbors=None, radius=20.0).fit(x)
    with pytest.raises(InputRefused) as refused:
        compiled(model).transform(np.array([[0.0, 0.0], [1e3, 0.0]]))
    assert refused.value.row == 1


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (KernelPCA(2, kernel=lambda a, b: float(a @ b)), "its kernel is a function"),
        (KernelPCA(2, kernel="poly", degree=2000, gamma=1e-4), "degree"),
        (Isomap(metric="precomputed"), "takes distances"),
        (LocallyLinearEmbedding(reg=0.0, n_neighbors=3), "reg=0"),
    ],
    ids=["function", "degree", "precomputed", "reg"],
)
def test_what_has_no_plan_says_why(model, reason):
    x, _ = table(0, 1)
    rows = np.abs(x[:, None] - x[None]).sum(axis=2) if "distances" in reason else x
    with pytest.raises(Unsupported, match=reason):
        plan_of(model.fit(rows))


def test_systems_without_a_solution_refuse_their_rows():
    spec, tensors = plan_of(
        LocallyLinearEmbedding(n_neighbors=5, eigen_solver="dense").fit(table(0, 1, 2)[0])
    )
    points = np.zeros((50, 2))
    node = build({**spec, "reg": 1e-320}, {**tensors, spec["points"]: points})
    for rows in (1, 3):
        with pytest.raises(InputRefused, match="no neighbours make it up"):
            node.run("transform", points[:rows] + 1.0)


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    x, _ = table(0, 1, 3)
    return {
        "kernel": KernelPCA(2, kernel="rbf").fit(x),
        "precomputed": KernelPCA(2, kernel="precomputed").fit(x @ x.T),
        "isomap": Isomap(n_neighbors=8).fit(x),
        "radius": Isomap(n_neighbors=None, radius=20.0).fit(x),
        "linear": LocallyLinearEmbedding(n_neighbors=5, eigen_solver="dense").fit(x),
    }


@pytest.mark.parametrize("name", ["kernel", "precomputed", "isomap", "radius", "linear"])
def test_broken_plans_are_refused(models, name):
    assert_refuses_broken(models[name])


@pytest.mark.parametrize(
    ("name", "key"),
    [("kernel", "points"), ("kernel", "row_means"), ("isomap", "paths"), ("linear", "embedding")],
)
def test_parts_that_do_not_fit_are_refused(models, name, key):
    spec, tensors = plan_of(models[name])
    assert_refuses(spec, shrunk(spec, tensors, key))


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [("linear", "reg", 0.0), ("kernel", "degree", -1.0), ("radius", "radius", -1.0)],
)
def test_settings_that_cannot_be_are_refused(models, name, key, value):
    spec, tensors = plan_of(models[name])
    assert_refuses({**spec, key: value}, tensors)
