"""K-means against scikit-learn: labels equal, distances bitwise at the same batch size."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import (
    AffinityPropagation,
    Birch,
    BisectingKMeans,
    FeatureAgglomeration,
    KMeans,
    MeanShift,
    MiniBatchKMeans,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from controlplane.builder.lower.base import Unsupported
from runtime.plan import pairwise
from runtime.plan.ops import InputRefused
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of, shrunk
from tests.unit.plan.twins import assert_bitwise, assert_twins, compiled

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


def test_the_nearest_centres_are_found_in_blocks_and_for_rows_without_end(monkeypatch):
    random = np.random.default_rng(0)
    model = Birch(n_clusters=None, threshold=0.5).fit(random.normal(size=(60, 2)))
    q = random.normal(size=(100, 2))
    monkeypatch.setattr(pairwise, "BLOCK", 7 * len(model.subcluster_centers_))
    node = compiled(model)
    for rows in (q, q[:7], q[:8], q[:1]):
        assert_bitwise(node.predict(rows), model.predict(rows))
    assert node.predict(q[:0]).shape == (0,)
    assert node.predict(q * 1e200).shape == (100,)
    assert node.predict(np.full((2, 2), 1e308)).shape == (2,)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(
        [
            lambda: Birch(n_clusters=3, threshold=0.8),
            lambda: Birch(n_clusters=None, threshold=1.5),
            lambda: MeanShift(bandwidth=1.5),
            lambda: AffinityPropagation(random_state=0, max_iter=500),
        ]
    ),
    st.integers(1, 6),
    st.integers(1, 400),
)
def test_clusters_by_the_nearest_centre_are_twins(seed, make, columns, height):
    random = np.random.default_rng(seed)
    x = random.normal(size=(40, columns)) + random.integers(0, 3, (40, 1)) * 5
    q = random.normal(size=(height, columns)) * 5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = make().fit(x)
    if isinstance(model, AffinityPropagation) and not len(model.cluster_centers_):
        with pytest.raises(Unsupported, match="no cluster"):
            plan_of(model)
    else:
        node = assert_twins(model, q)
        assert ("transform" in node.methods) == isinstance(model, Birch)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([np.mean, np.max, np.min, np.median]),
    st.integers(2, 12),
    st.integers(1, 100),
)
def test_agglomerated_columns_are_twins(seed, pooling, columns, height):
    random = np.random.default_rng(seed)
    x = random.normal(size=(30, columns))
    clusters = int(random.integers(1, columns + 1))
    model = FeatureAgglomeration(clusters, pooling_func=pooling).fit(x)
    node = assert_twins(model, random.normal(size=(height, columns)) * 3)
    assert node.n_out == clusters


def test_what_cannot_be_pooled_or_predicted_says_why():
    x = np.random.default_rng(0).normal(size=(20, 4))
    with pytest.raises(Unsupported, match="its pooling sum"):
        plan_of(FeatureAgglomeration(2, pooling_func=np.sum).fit(x))
    similar = AffinityPropagation(affinity="precomputed", random_state=0).fit(x @ x.T)
    with pytest.raises(Unsupported, match="cannot predict"):
        plan_of(similar)


@pytest.mark.parametrize("kind", [KMeans, MiniBatchKMeans])
def test_k_means_of_float32_rounds_rows_as_scikit_learn_wants_them(kind):
    random = np.random.default_rng(3)
    x, q = random.normal(size=(80, 4)), random.normal(size=(300, 4)) * 2
    estimator = kind(5, random_state=0, n_init=1).fit(x.astype(np.float32))
    node = compiled(estimator)
    for rows in (q, q[:1], np.asfortranarray(q)):
        for method in ("predict", "transform"):
            expected = getattr(estimator, method)(rows.astype(np.float32))
            assert_bitwise(node.run(method, rows), expected)
    q[2, 1] = 1e39
    with pytest.raises(InputRefused, match="too large for float32") as refused:
        node.predict(q)
    assert (refused.value.row, refused.value.column) == (2, 1)


def test_k_means_of_float32_behind_others_has_no_plan():
    x = np.random.default_rng(3).normal(size=(80, 4)).astype(np.float32)
    with pytest.raises(Unsupported, match="float32"):
        plan_of(make_pipeline(StandardScaler(), KMeans(2, n_init=1)).fit(x))
    with pytest.raises(Unsupported, match="float32"):
        plan_of(BisectingKMeans(2).fit(x))


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    x = np.random.default_rng(0).normal(size=(60, 3))
    return {
        "k-means": KMeans(4, n_init=1).fit(x),
        "bisected": BisectingKMeans(4).fit(x),
        "birch": Birch(n_clusters=2).fit(x),
        "pooled": FeatureAgglomeration(2).fit(x),
    }


@pytest.mark.parametrize("name", ["k-means", "bisected", "birch", "pooled"])
def test_broken_plans_are_refused(models, name):
    # A cluster may have any number.
    anything = {"label missing", *(f"label holds {n}" for n in (-1, 2**62, 2**62 - 1))}
    assert_refuses_broken(
        models[name], {"left holds -1"} | (anything if name == "birch" else set())
    )


def test_groups_that_do_not_fit_are_refused(models):
    spec, tensors = plan_of(models["pooled"])
    for group in ([0, 2, 2], [], [0, 3, 1]):
        assert_refuses(spec, {**tensors, spec["group"]: np.array(group, np.int64)})
    spec, tensors = plan_of(models["birch"])
    assert_refuses(spec, shrunk(spec, tensors, "label"))
    assert_refuses(spec, {**tensors, spec["centres"]: np.empty((0, 3))})


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
