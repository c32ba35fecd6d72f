"""Nearest neighbours against scikit-learn: the same labels, values within the tolerance."""

import warnings
from copy import deepcopy

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    KNeighborsTransformer,
    LocalOutlierFactor,
)

from controlplane.builder.lower.base import Unsupported
from runtime.plan.ops import InputRefused
from runtime.plan.stored import MAX_GRAPH
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled

LABELS = {"int": [3, 7, -1], "str": ["ape", "bee", "cat"], "bool": [False, True]}


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
    st.integers(1, 6),
    st.sampled_from(["uniform", "distance"]),
    st.sampled_from(["euclidean", "manhattan", "chebyshev", "minkowski"]),
    st.sampled_from(["auto", "brute", "kd_tree", "ball_tree"]),
    st.sampled_from(sorted(LABELS)),
)
def test_neighbours_are_twins(seed, rows, columns, weights, metric, algorithm, labels):
    random = np.random.default_rng(seed)
    x = random.normal(size=(50, columns))
    settings_of = {
        "n_neighbors": int(random.integers(1, 9)),
        "weights": weights,
        "metric": metric,
        "algorithm": algorithm,
    }
    q = random.normal(size=(rows, columns))
    if algorithm != "brute":
        # On the points themselves weights by distance are infinite. scikit-learn's brute force
        # rounds that distance to 1e-8 or so, which is its own chance.
        q = np.vstack([q, x[:3]])
    else:
        # And near a point it has few digits left: x² - 2xy + y² of a hundredth is exact to 1e-12.
        nearest = np.abs(q[:, None, :] - x[None, :, :]).max(axis=2).min(axis=1)
        q = q[nearest > 0.01]
        assume(len(q))
    y = random.choice(np.array(LABELS[labels]), 50)
    classifier = KNeighborsClassifier(**settings_of).fit(x, y)
    node = compiled(classifier)
    assert_bitwise(node.run("predict", q), classifier.predict(q))
    assert_within(node.run("predict_proba", q), classifier.predict_proba(q), 1e-9)
    for targets in (x[:, 0] * 2, np.c_[x[:, 0], -x[:, 0]]):
        regressor = KNeighborsRegressor(**settings_of).fit(x, targets)
        assert_within(compiled(regressor).run("predict", q), regressor.predict(q), 1e-9)


def test_many_rows_are_answered_in_blocks_as_alone():
    random = np.random.default_rng(0)
    x = random.normal(size=(3000, 8))
    node = compiled(KNeighborsRegressor(3).fit(x, x[:, 0]))
    q = random.normal(size=(300, 8))
    assert_bitwise(node.run("predict", q), np.array([node.run("predict", r[None])[0] for r in q]))


@pytest.mark.parametrize(
    ("settings_of", "reason"),
    [
        ({"weights": lambda d: d}, "weights are a function"),
        ({"metric": lambda a, b: float(abs(a - b).sum())}, "metric is a function"),
        ({"metric": "correlation"}, "metric correlation"),
        ({"metric": "precomputed"}, "takes distances"),
        ({"metric": "minkowski", "p": 1000}, "p=1000"),
    ],
    ids=["weights", "function", "correlation", "precomputed", "p=1000"],
)
def test_what_has_no_plan_says_so(settings_of, reason):
    model = KNeighborsClassifier(**settings_of).fit(np.eye(6), [0, 1] * 3)
    with pytest.raises(Unsupported, match=reason):
        compiled(model)


METRICS = {
    "minkowski p=3": {"metric": "minkowski", "p": 3},
    "minkowski p=1.5": {"metric": "minkowski", "p": 1.5},
    "minkowski w": {"metric": "minkowski", "p": 2, "metric_params": {"w": [1.0, 2.0, 0.5]}},
    "seuclidean": {"metric": "seuclidean", "metric_params": {"V": [1.0, 2.0, 0.5]}},
    "mahalanobis": {
        "metric": "mahalanobis",
        "metric_params": {"VI": np.array([[2.0, 0.3, 0.0], [0.3, 1.0, 0.1], [0.0, 0.1, 0.5]])},
    },
    "cosine": {"metric": "cosine"},
    "canberra": {"metric": "canberra"},
    "braycurtis": {"metric": "braycurtis"},
    "hamming": {"metric": "hamming"},
    "haversine": {"metric": "haversine"},
    "euclidean": {"metric": "l2"},
    "manhattan": {"metric": "cityblock"},
    "chebyshev": {"metric": "chebyshev"},
}


def table(name: str, seed: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and questions that suit a metric: zeros for shares, whole numbers for hamming."""
    random = np.random.default_rng(seed)
    x, q = random.normal(size=(60, 3)), random.normal(size=(height, 3))
    for rows in (x, q) if name in ("canberra", "braycurtis") else ():
        rows[random.random(rows.shape) < 0.1] = 0.0
    if name == "hamming":
        # All distances apart, or the order among ties is anybody's.
        return np.tril(np.ones((4, 3)), -1), np.zeros((height, 3))
    return (x[:, :2], q[:, :2]) if name == "haversine" else (x, q)


@settings(deadline=None, max_examples=30, derandomize=True)
@given(
    st.sampled_from(sorted(METRICS)),
    st.integers(0, 2**32 - 1),
    st.integers(1, 40),
    st.sampled_from(["uniform", "distance"]),
)
def test_every_metric_measures_as_scikit_learn_does(name, seed, height, weights):
    x, q = table(name, seed, height)
    graph = KNeighborsTransformer(n_neighbors=3, **deepcopy(METRICS[name])).fit(x)
    theirs = graph.transform(q).toarray()
    assert_within(compiled(graph).transform(q), theirs, 1e-7 if name == "euclidean" else 1e-12)
    y = np.arange(len(x)) % 3
    if name != "hamming":
        model = KNeighborsClassifier(3, weights=weights, **deepcopy(METRICS[name])).fit(x, y)
        assert_bitwise(compiled(model).predict(q), model.predict(q))
        assert_within(compiled(model).predict_proba(q), model.predict_proba(q), 1e-9)


@settings(deadline=None, max_examples=15, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 40),
    st.integers(1, 20),
    st.sampled_from(["euclidean", "manhattan", "cosine"]),
    st.sampled_from(["auto", "brute"]),
    st.sampled_from(["auto", 0.1]),
)
def test_outlier_factors_are_twins(seed, height, columns, metric, algorithm, share):
    random = np.random.default_rng(seed)
    x = random.normal(size=(60, columns)) + 2
    q = random.normal(size=(height, columns)) * random.choice([1, 5], (height, 1)) + 2
    model = LocalOutlierFactor(
        int(random.integers(1, 80)),
        novelty=True,
        metric=metric,
        algorithm=algorithm if metric != "cosine" else "brute",
        contamination=share,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "n_neighbors .* is greater than")
        model.fit(x)
    node = compiled(model)
    assert node.methods == ("predict", "decision_function", "score_samples")
    for rows in (q, q[:1]):
        assert_bitwise(node.predict(rows), model.predict(rows))
        for method in node.methods[1:]:
            assert_within(node.run(method, rows), getattr(model, method)(rows), 1e-9)


@pytest.mark.parametrize("mode", ["distance", "connectivity"])
def test_a_graph_of_neighbours_is_dense(mode):
    x = np.random.default_rng(0).normal(size=(30, 3))
    model = KNeighborsTransformer(mode=mode, n_neighbors=4).fit(x)
    node = compiled(model)
    assert node.n_out == 30
    assert_within(node.transform(x[:7] + 0.1), model.transform(x[:7] + 0.1).toarray(), 1e-12)


def test_a_lone_factor_without_novelty_has_no_plan():
    model = LocalOutlierFactor(3).fit(np.random.default_rng(0).normal(size=(20, 2)))
    with pytest.raises(Unsupported, match="novelty"):
        compiled(model)


def test_a_row_too_far_for_a_distance_is_refused_with_its_place():
    node = compiled(KNeighborsClassifier(2, weights="distance").fit(np.eye(4), [0, 1] * 2))
    with pytest.raises(InputRefused) as refused:
        node.run("predict", np.array([[0.0] * 4, [0.0, 1e200, 0.0, 0.0]]))
    assert (refused.value.row, refused.value.column) == (1, 1)


def test_more_neighbours_than_points_have_no_plan():
    model = KNeighborsClassifier(9).fit(np.eye(4), [0, 1] * 2)
    with pytest.raises(Unsupported):
        compiled(model)


def test_broken_plans_are_refused():
    x = np.random.default_rng(1).normal(size=(12, 3))
    assert_refuses_broken(KNeighborsClassifier(3).fit(np.eye(6), [0, 1] * 3))
    assert_refuses_broken(KNeighborsRegressor(3).fit(np.eye(6), np.arange(6.0)))
    assert_refuses_broken(KNeighborsTransformer(n_neighbors=3).fit(x))
    assert_refuses_broken(LocalOutlierFactor(3, novelty=True).fit(x))
    for name in ("minkowski w", "seuclidean", "mahalanobis"):
        model = KNeighborsTransformer(n_neighbors=3, **deepcopy(METRICS[name])).fit(x)
        assert_refuses_broken(model, {"feature_weights"})


@pytest.mark.parametrize("power", [0.0, -1.0, 1000.0])
def test_a_power_out_of_range_is_refused(power):
    x = np.random.default_rng(1).normal(size=(12, 3))
    spec, tensors = plan_of(KNeighborsTransformer(n_neighbors=3, p=3).fit(x))
    assert_refuses({**spec, "power": power}, tensors)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("minkowski w", "feature_weights", -1.0),
        ("seuclidean", "variances", 0.0),
        ("haversine", "points", None),
    ],
)
def test_parameters_that_measure_nothing_are_refused(name, key, value):
    x = np.random.default_rng(1).normal(size=(12, 2 if name == "haversine" else 3))
    spec, tensors = plan_of(KNeighborsTransformer(n_neighbors=3, **deepcopy(METRICS[name])).fit(x))
    wrong = np.ones((12, 3)) if value is None else np.full(3, value)
    assert_refuses(spec, {**tensors, spec[key]: wrong})


def test_a_graph_too_wide_is_refused():
    spec, tensors = plan_of(KNeighborsTransformer(n_neighbors=3).fit(np.eye(6)))
    assert_refuses(spec, {**tensors, spec["points"]: np.ones((MAX_GRAPH + 1, 2))})
    with pytest.raises(Unsupported, match="wider than"):
        compiled(KNeighborsTransformer(n_neighbors=3).fit(np.ones((MAX_GRAPH + 1, 1))))
