"""Gaussian mixtures against scikit-learn: bitwise at the same batch size."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture

from controlplane.builder.lower.base import Unsupported
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of, shrunk
from tests.unit.plan.twins import assert_twins, assert_twins_in_any_layout, assert_within, compiled

COVARIANCES = ["full", "tied", "diag", "spherical"]


def fitted(estimator: Any, x: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(x)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([GaussianMixture, BayesianGaussianMixture]),
    st.sampled_from(COVARIANCES),
    st.sampled_from(["dirichlet_process", "dirichlet_distribution"]),
    st.integers(1, 5),
    st.integers(1, 7),
    st.integers(1, 200),
    st.sampled_from([0.0, 50.0]),
)
def test_mixtures_are_twins(seed, kind, covariance, prior, k, columns, height, offset):
    random = np.random.default_rng(seed)
    x = random.normal(size=(60, columns)) + random.integers(0, 3, (60, 1)) * 4 + offset
    q = random.normal(size=(height, columns)) * 4 + offset
    parameters = {"covariance_type": covariance, "max_iter": 5, "random_state": 0}
    if kind is BayesianGaussianMixture:
        parameters["weight_concentration_prior_type"] = prior
    node = assert_twins(fitted(kind(n_components=k, **parameters), x), q)
    assert_within(node.predict_proba(q).sum(axis=1), np.ones(height), 1e-12)


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize(("k", "columns"), [(1, 1), (3, 20), (9, 40)])
def test_every_height_and_layout_is_a_twin(covariance, k, columns):
    x = np.random.default_rng(0).normal(size=(300, columns))
    mixture = GaussianMixture(k, covariance_type=covariance, random_state=0, max_iter=3)
    assert_twins_in_any_layout(fitted(mixture, x), x)


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_rows_that_are_far_away_answer_as_in_scikit_learn(covariance):
    x = np.random.default_rng(0).normal(size=(50, 3))
    estimator = fitted(
        GaussianMixture(n_components=2, covariance_type=covariance, random_state=0), x
    )
    q = np.array([[1e6, -1e6, 0.0], [1e100, 1e100, 1e100]])
    assert_twins(estimator, q)
    with np.errstate(all="ignore"):
        over = np.full((1, 3), 1e200)
        assert compiled(estimator).predict(over) == estimator.predict(over)


def test_float32_mixtures_have_no_plan():
    x = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    model = fitted(GaussianMixture(n_components=2, random_state=0), x)
    if model.means_.dtype == np.float64:
        assert_twins(model, x.astype(np.float64))
    else:
        with pytest.raises(Unsupported, match="float32"):
            plan_of(model)


def test_a_component_without_weight_has_no_plan():
    model = fitted(GaussianMixture(n_components=2, random_state=0), np.arange(20.0)[:, None])
    model.weights_ = np.array([1.0, 0.0])
    with pytest.raises(Unsupported, match="no weight"):
        plan_of(model)


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_broken_plans_are_refused(covariance):
    x = np.random.default_rng(6).normal(size=(60, 4))
    model = fitted(
        BayesianGaussianMixture(n_components=2, covariance_type=covariance, random_state=0), x
    )
    assert_refuses_broken(model)
    spec, tensors = plan_of(model)
    for key in ("means", "log_det", "precisions"):
        if tensors[spec[key]].ndim < 3:
            assert_refuses(spec, shrunk(spec, tensors, key))
    assert_refuses(spec, {**tensors, spec["means"]: np.empty((0, 4))})
    assert_refuses(spec, {**tensors, spec["terms"]: np.zeros((9, 2))})
    assert_refuses({**spec, "covariance": "round"}, tensors)
