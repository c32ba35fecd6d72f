"""K-means against scikit-learn: labels equal, distances bitwise at the same batch size."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import BisectingKMeans, KMeans, MiniBatchKMeans

from controlplane.builder.lower.base import Unsupported
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of, shrunk
from tests.unit.plan.twins import assert_bitwise, compiled

KINDS = [KMeans, MiniBatchKMeans, BisectingKMeans]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.sampled_from(KINDS),
    st.integers(0, 2**32 - 1),
    st.integers(10, 60),
    st.integers(1, 9),
    st.integers(1, 8),
    st.integers(1, 600),
    st.sampled_from([0.0, 100.0]),
)
def test_clusters_are_twins(kind, seed, rows, columns, clusters, height, offset):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, columns)) + offset
    q = random.normal(size=(height, columns)) * 2 + offset
    estimator = kind(clusters, random_state=0, n_init=1).fit(x)
    node = compiled(estimator)
    assert (node.n_in, node.n_out) == (columns, clusters)
    for batch in (q, q[:1], x):
        for method in ("predict", "transform"):
            assert_bitwise(node.run(method, batch), getattr(estimator, method)(batch))


@pytest.mark.parametrize("strategy", ["biggest_inertia", "largest_cluster"])
def test_a_deep_bisection_is_a_twin(strategy):
    x = 2.0 ** np.arange(20)[:, None] @ np.ones((1, 2))
    estimator = BisectingKMeans(15, random_state=0, bisecting_strategy=strategy).fit(x)
    node = compiled(estimator)
    assert node.depth > 3
    assert_bitwise(node.predict(x * 1.01), estimator.predict(x * 1.01))


def test_the_first_of_equally_near_centres_wins():
    estimator = KMeans(2, n_init=1, init=np.array([[0.0], [2.0]]), max_iter=1)
    estimator.fit(np.array([[0.0], [2.0]]))
    q = np.array([[1.0], [1.0 + 2**-40], [1.0 - 2**-40]])
    assert compiled(estimator).predict(q).tolist() == [0, 1, 0]
    assert_bitwise(compiled(estimator).predict(q), estimator.predict(q))


def test_float32_centres_have_no_plan():
    with pytest.raises(Unsupported, match="float32"):
        plan_of(KMeans(2, n_init=1).fit(np.arange(8, dtype=np.float32)[:, None]))


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    x = np.random.default_rng(0).normal(size=(60, 3))
    return {"k-means": KMeans(4, n_init=1).fit(x), "bisected": BisectingKMeans(4).fit(x)}


@pytest.mark.parametrize("name", ["k-means", "bisected"])
def test_broken_plans_are_refused(models, name):
    assert_refuses_broken(models[name], {"left holds -1"})


@pytest.mark.parametrize("key", ["tree", "left", "label"])
def test_bisections_that_do_not_fit_are_refused(models, key):
    spec, tensors = plan_of(models["bisected"])
    assert_refuses(spec, shrunk(spec, tensors, key))


@pytest.mark.parametrize("target", [0, 6, 10**9])
def test_a_walk_that_would_not_end_or_leaves_the_tree_is_refused(models, target):
    spec, tensors = plan_of(models["bisected"])
    left = tensors[spec["left"]].copy()
    left[np.flatnonzero(left >= 0)[-1]] = target
    assert_refuses(spec, {**tensors, spec["left"]: left})


@pytest.mark.parametrize("shape", [(0, 3), (4, 0)])
def test_no_centres_are_refused(models, shape):
    spec, tensors = plan_of(models["k-means"])
    assert_refuses(spec, {**tensors, spec["centres"]: np.zeros(shape)})
