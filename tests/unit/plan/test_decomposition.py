"""Decompositions against scikit-learn, within the tolerance of a matrix product."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import (
    PCA,
    FactorAnalysis,
    FastICA,
    IncrementalPCA,
    MiniBatchSparsePCA,
    SparsePCA,
    TruncatedSVD,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import NeighborhoodComponentsAnalysis
from sklearn.neural_network import BernoulliRBM
from sklearn.random_projection import GaussianRandomProjection

from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.decomposition import MAX_LIKELIHOOD
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of, shrunk
from tests.unit.plan.twins import assert_within, compiled


def fitted(estimator: Any, x: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(x)


def assert_twins(estimator: Any, q: np.ndarray, *, singular: bool = False) -> None:
    node = compiled(estimator)
    assert node.n_in == estimator.n_features_in_
    scored = hasattr(estimator, "score_samples") and not singular
    assert node.methods == (("transform", "score_samples") if scored else ("transform",))
    for rows in (q, q[:1]):
        if scored:
            ours, theirs = node.score_samples(rows), estimator.score_samples(rows)
            scale = max(1.0, float(np.abs(theirs).max()))
            assert_within(ours / scale, theirs / scale, 1e-9)
        ours = node.transform(rows)
        assert ours.shape[1] == node.n_out
        # Rows far from the mean lose digits where the mean is taken off, in both alike.
        assert_within(ours, estimator.transform(rows), 1e-10)


def fitted_to(estimator: Any, x: np.ndarray, y: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(x, y)


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    """Training rows, questions and a number of components that fits them."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    columns = draw(st.integers(2, 15))
    x = random.normal(size=(draw(st.integers(20, 80)), columns)) @ random.normal(
        size=(columns, columns)
    )
    x += draw(st.sampled_from([0.0, 1e3]))
    q = x[random.integers(0, len(x), draw(st.integers(1, 300)))] + random.normal(size=columns)
    return x, q, draw(st.integers(1, columns - 1))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    tables(),
    st.sampled_from(["full", "covariance_eigh", "arpack", "randomized"]),
    st.booleans(),
)
def test_pca_is_a_twin(table, solver, whiten):
    x, q, n = table
    estimator = PCA(n, svd_solver=solver, whiten=whiten, random_state=0)
    assert_twins(estimator.fit(x), q)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    tables(),
    st.sampled_from(
        [
            lambda n: IncrementalPCA(n),
            lambda n: IncrementalPCA(n, whiten=True, batch_size=20),
            lambda n: TruncatedSVD(n, random_state=0),
            lambda n: TruncatedSVD(n, algorithm="arpack", random_state=0),
            lambda n: FactorAnalysis(n, random_state=0),
            lambda n: FastICA(n, random_state=0, max_iter=20),
            lambda n: FastICA(whiten=False, random_state=0, max_iter=20),
            lambda n: GaussianRandomProjection(n, random_state=0),
        ]
    ),
)
def test_other_projections_are_twins(table, make):
    x, q, n = table
    assert_twins(fitted(make(n), x), q)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(tables(), st.sampled_from([SparsePCA, MiniBatchSparsePCA]), st.sampled_from([0.01, 1.0]))
def test_sparse_components_are_twins(table, kind, ridge):
    x, q, n = table
    model = fitted(kind(n, max_iter=3, ridge_alpha=ridge, random_state=0), x)
    ours = compiled(model).transform(q)
    theirs = model.transform(q).reshape(ours.shape)  # of one row it makes a vector
    assert ours.shape == (len(q), n)
    scale = max(1.0, float(np.abs(theirs).max()))
    assert_within(ours / scale, theirs / scale, 1e-10)


def test_more_sparse_components_than_columns_are_twins():
    x = np.random.default_rng(0).normal(size=(30, 3))
    model = SparsePCA(5, max_iter=3, random_state=0).fit(x)
    assert_within(compiled(model).transform(x), model.transform(x), 1e-10)


def test_components_of_neighbourhoods_are_twins():
    x = np.random.default_rng(0).normal(size=(40, 5))
    model = NeighborhoodComponentsAnalysis(2, max_iter=3, random_state=0)
    assert_twins(fitted_to(model, x, np.arange(40) % 3), x * 2)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 6), st.integers(1, 50))
def test_hidden_units_are_twins(seed, columns, units, height):
    random = np.random.default_rng(seed)
    model = BernoulliRBM(units, n_iter=2, random_state=0).fit(random.random((30, columns)))
    q = random.random((height, columns)) * 50
    node = compiled(model)
    assert (node.methods, node.n_out) == (("transform",), units)
    for rows in (q, q[:1]):
        assert_within(node.transform(rows), model.transform(rows), 1e-12)


def test_a_likelihood_over_many_columns_is_left_out():
    x = np.random.default_rng(0).normal(size=(20, MAX_LIKELIHOOD + 1))
    assert compiled(PCA(2, svd_solver="randomized").fit(x)).methods == ("transform",)


def test_a_component_without_variance_is_whitened_as_scikit_learn_does():
    x = np.random.default_rng(0).normal(size=(30, 2)) @ np.ones((2, 4))
    assert_twins(PCA(3, whiten=True, svd_solver="covariance_eigh").fit(x), x, singular=True)


def test_float32_components_have_no_plan():
    x = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    with pytest.raises(Unsupported, match="float32"):
        plan_of(PCA(2).fit(x))


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    x = np.random.default_rng(6).normal(size=(60, 4))
    return {
        "whitened": PCA(2, whiten=True).fit(x),
        "factors": FactorAnalysis(2).fit(x),
        "machine": BernoulliRBM(2, n_iter=1, random_state=0).fit(np.abs(x) / np.abs(x).max()),
    }


@pytest.mark.parametrize("name", ["whitened", "factors", "machine"])
def test_broken_plans_are_refused(models, name):
    optional = {
        "whitened": {"after", "scale"},
        "factors": {"before", "second", "second_turned"},
        "machine": set(),
    }
    assert_refuses_broken(models[name], optional[name])


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("whitened", "precision"),
        ("whitened", "mean"),
        ("machine", "intercept"),
        ("whitened", "after"),
        ("whitened", "scale"),
        ("factors", "before"),
        ("factors", "second"),
    ],
)
def test_parts_that_do_not_fit_are_refused(models, name, key):
    spec, tensors = plan_of(models[name])
    if tensors[spec[key]].ndim == 1:
        assert_refuses(spec, shrunk(spec, tensors, key))
    else:
        axis = 1 if spec.get(f"{key}_turned") else 0
        assert_refuses(spec, shrunk(spec, tensors, key, axis))


def test_a_scale_of_zero_is_refused(models):
    spec, tensors = plan_of(models["whitened"])
    assert_refuses(spec, {**tensors, spec["scale"]: np.array([1.0, 0.0])})
