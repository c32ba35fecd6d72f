"""Partial least squares against scikit-learn: bitwise at the same batch size."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cross_decomposition import CCA, PLSSVD, PLSCanonical, PLSRegression
from sklearn.exceptions import ConvergenceWarning

from controlplane.builder.lower.base import Unsupported
from runtime.plan.graph import build
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of, shrunk
from tests.unit.plan.twins import assert_twins


def fitted(estimator: Any, x: np.ndarray, y: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(x, y)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([PLSRegression, PLSCanonical, CCA, PLSSVD]),
    st.integers(2, 9),
    st.integers(0, 4),
    st.booleans(),
    st.integers(1, 100),
)
def test_partial_least_squares_are_twins(seed, kind, columns, targets, scale, height):
    random = np.random.default_rng(seed)
    x = random.normal(size=(40, columns)) * 3 + 7
    y = x @ random.normal(size=(columns, targets or 1)) + random.normal(size=(40, targets or 1))
    components = min(columns, targets or 1, 2)
    estimator = kind(components, scale=scale)
    q = random.normal(size=(height, columns)) * 3 + 7
    fitted(estimator, x, y if targets else y[:, 0])
    node = assert_twins(estimator, q)
    assert node.n_out == components
    assert node.methods == (("transform",) if kind is PLSSVD else ("predict", "transform"))


def test_float32_is_as_scikit_learn_keeps_it():
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    model = PLSRegression(2).fit(x, x[:, 0])
    if model.x_rotations_.dtype == np.float64:
        assert_twins(model, x.astype(np.float64))
    else:
        with pytest.raises(Unsupported, match="float32"):
            plan_of(model)


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    x = np.random.default_rng(6).normal(size=(60, 4))
    return {"regression": PLSRegression(2).fit(x, x[:, 0] + x[:, 1]), "svd": PLSSVD(2).fit(x, x)}


@pytest.mark.parametrize("name", ["regression", "svd"])
def test_broken_plans_are_refused(models, name):
    assert_refuses_broken(models[name], {"coefficients", "standardizes"})
    spec, tensors = plan_of(models[name])
    for key in ("mean", "scale"):
        assert_refuses(spec, shrunk(spec, tensors, key))
    assert_refuses(spec, {**tensors, spec["scale"]: np.array([1.0, 0.0, 1.0, 1.0])})


@pytest.mark.parametrize("height", [0, 1, 7, 64])
def test_the_columns_are_divided_by_their_scale_where_the_coefficients_are_not(models, height):
    model, q = models["regression"], np.random.default_rng(height).normal(size=(height, 4))
    spec, tensors = plan_of(model)
    old = build({**spec, "standardizes": True}, tensors)
    expected = (q - model._x_mean) / model._x_std @ model.coef_.T + model.intercept_
    np.testing.assert_array_equal(old.run("predict", q), expected.ravel())
    assert not spec["standardizes"]
    without = {key: value for key, value in spec.items() if key != "standardizes"}
    np.testing.assert_array_equal(
        build(without, tensors).run("predict", q), build(spec, tensors).run("predict", q)
    )
    assert_refuses({**spec, "standardizes": 1}, tensors)


def test_coefficients_that_do_not_fit_are_refused(models):
    spec, tensors = plan_of(models["regression"])
    assert_refuses(spec, shrunk(spec, tensors, "intercept"))
    double = np.ones((4, 2))
    turned = {**spec, "coefficients_turned": False}
    both = {**tensors, spec["coefficients"]: double, spec["intercept"]: np.zeros(2)}
    assert_refuses(turned, both)
