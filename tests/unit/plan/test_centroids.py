"""Nearest centroids against scikit-learn."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestCentroid

from controlplane.builder.lower.base import Unsupported
from runtime.plan.graph import build
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of, shrunk
from tests.unit.plan.twins import assert_twins, assert_within, compiled

LABELS = {
    "int": np.array([-3, 0, 7]),
    "str": np.array(["no", "yes", "maybe"]),
    "bool": np.array([False, True]),
}


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["euclidean", "manhattan"]),
    st.sampled_from(["uniform", "empirical"]),
    st.sampled_from(sorted(LABELS)),
    st.sampled_from([None, 0.3]),
    st.integers(2, 9),
    st.integers(1, 400),
)
def test_nearest_centroids_are_twins(seed, metric, priors, labels, shrink, columns, height):
    random = np.random.default_rng(seed)
    names = LABELS[labels]
    y = names[random.permutation(np.arange(50) ** 2 % 7 % len(names))]
    x = random.normal(size=(50, columns))
    model = NearestCentroid(metric=metric, priors=priors, shrink_threshold=shrink).fit(x, y)
    q = random.normal(size=(height, columns)) * 2
    node = assert_twins(model, q, None if metric == "euclidean" else 1e-12)
    if metric == "euclidean":
        assert_within(node.predict_proba(q).sum(axis=1), np.ones(height), 1e-12)


def test_a_column_without_deviation_is_left_as_it_is():
    x = np.array([[0.0, 1.0], [0.0, 2.0], [1.0, 5.0], [1.0, 7.0]])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "self.within_class_std_dev_")
        model = NearestCentroid(priors=[0.3, 0.7]).fit(x, [0, 0, 1, 1])
    assert_twins(model, x + 0.1)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
@pytest.mark.parametrize("height", [0, 1, 7, 64])
def test_without_priors_the_nearest_one_decides(metric, height):
    random = np.random.default_rng(height)
    x, q = random.normal(size=(30, 3)), random.normal(size=(height, 3)) * 2
    model = NearestCentroid(metric=metric).fit(x, np.arange(30) % 3)
    spec, tensors = plan_of(model)
    old = {key: spec[key] for key in ("op", "classes", "points", "metric")}
    node = build(old, tensors)
    assert node.methods == ("predict",)
    assert node.run("predict", q).tolist() == compiled(model).run("predict", q).tolist()
    assert_refuses({**old, "even": True}, tensors)


@pytest.fixture(scope="module")
def model() -> Any:
    x = np.random.default_rng(0).normal(size=(20, 3))
    return NearestCentroid().fit(x, np.arange(20) % 3)


def test_a_class_that_never_was_has_no_plan(model):
    model = NearestCentroid(priors=[0.0, 1.0]).fit(np.eye(4), [0, 0, 1, 1])
    with pytest.raises(Unsupported, match="prior of zero"):
        compiled(model)


def test_broken_plans_are_refused(model):
    assert_refuses_broken(model, {"prior"})
    spec, tensors = plan_of(model)
    for key in ("points", "scale", "prior"):
        assert_refuses(spec, shrunk(spec, tensors, key))
    assert_refuses({**spec, "metric": "cosine"}, tensors)
    assert_refuses(spec, {**tensors, spec["scale"]: np.zeros(3)})
