"""Outlier detectors by a plane or an ellipse against scikit-learn."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import EllipticEnvelope
from sklearn.linear_model import SGDOneClassSVM

from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of, shrunk
from tests.unit.plan.twins import assert_twins

METHODS = ("predict", "decision_function", "score_samples")


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 9),
    st.integers(1, 100),
    st.booleans(),
    st.floats(0.1, 0.9),
)
def test_planes_are_twins(seed, columns, height, intercept, nu):
    random = np.random.default_rng(seed)
    x = random.normal(size=(50, columns)) + 1
    model = SGDOneClassSVM(nu=nu, fit_intercept=intercept, random_state=0).fit(x)
    assert assert_twins(model, random.normal(size=(height, columns)) * 3).methods == METHODS


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 100), st.booleans())
def test_envelopes_are_twins(seed, columns, height, precision):
    random = np.random.default_rng(seed)
    x = random.normal(size=(60, columns)) @ random.normal(size=(columns, columns)) + 3
    model = EllipticEnvelope(random_state=0, store_precision=precision).fit(x)
    q = x[random.integers(0, 60, height)] + random.normal(size=(height, columns))
    assert assert_twins(model, q, 1e-10).methods == METHODS


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    x = np.random.default_rng(0).normal(size=(40, 3))
    return {"plane": SGDOneClassSVM().fit(x), "envelope": EllipticEnvelope(random_state=0).fit(x)}


@pytest.mark.parametrize("name", ["plane", "envelope"])
def test_broken_plans_are_refused(models, name):
    assert_refuses_broken(models[name])
    spec, tensors = plan_of(models[name])
    empty = {"plane": "weights", "envelope": "centre"}[name]
    assert_refuses(spec, {**tensors, spec[empty]: np.empty(0)})
    if name == "envelope":
        assert_refuses(spec, shrunk(spec, tensors, "precision"))
