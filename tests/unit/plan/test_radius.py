"""Neighbours within a radius against scikit-learn: the same labels, values within 1e-12."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import (
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
    RadiusNeighborsTransformer,
)

from controlplane.builder.lower.base import Unsupported
from runtime.plan.ops import InputRefused
from runtime.plan.stored import MAX_GRAPH
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled

LABELS = {"int": [3, 7, -1], "str": ["ape", "bee", "cat"], "bool": [False, True]}
METRICS = ["euclidean", "manhattan", "chebyshev", "cosine", "canberra"]


@settings(deadline=None, max_examples=30, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
    st.integers(2, 18),
    st.sampled_from(["uniform", "distance"]),
    st.sampled_from(METRICS),
    st.sampled_from(sorted(LABELS)),
)
def test_neighbours_within_a_radius_are_twins(seed, height, columns, weights, metric, labels):
    random = np.random.default_rng(seed)
    x, q = random.normal(size=(50, columns)), random.normal(size=(height, columns))
    graph = RadiusNeighborsTransformer(radius=1e9, metric=metric).fit(x)
    radius = float(np.quantile(graph.transform(q[:1]).toarray(), 0.3))
    settings_of = {"radius": radius, "weights": weights, "metric": metric}
    y = random.choice(np.array(LABELS[labels]), 50)
    # Brute force looks up the label among the classes' numbers; trees know it.
    tree = {"algorithm": "ball_tree"} if metric != "cosine" else {"weights": "distance"}
    model = RadiusNeighborsClassifier(**{**settings_of, **tree}, outlier_label="most_frequent").fit(
        x, y
    )
    node = compiled(model)
    regressor = RadiusNeighborsRegressor(**settings_of).fit(x, np.c_[x[:, 0], -x[:, 1]])
    alone = RadiusNeighborsRegressor(**settings_of).fit(x, x[:, 0])
    for rows in (q, q[:1]):
        assert_bitwise(node.predict(rows), model.predict(rows))
        assert_within(node.predict_proba(rows), model.predict_proba(rows), 1e-9)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "One or more samples have no neighbors")
            for one in (regressor, alone):
                assert_within(compiled(one).predict(rows), one.predict(rows), 1e-9)


@pytest.mark.parametrize("mode", ["distance", "connectivity"])
@pytest.mark.parametrize("metric", METRICS)
def test_a_graph_of_those_within_is_dense(mode, metric):
    x = np.random.default_rng(0).normal(size=(30, 3))
    model = RadiusNeighborsTransformer(mode=mode, radius=0.7, metric=metric).fit(x)
    q = x[:7] + 0.1
    assert_within(compiled(model).transform(q), model.transform(q).toarray(), 1e-9)


def test_a_row_on_a_point_listens_to_such_points_alone():
    x = np.array([[0.0], [0.0], [1.0], [1.5]])
    model = RadiusNeighborsRegressor(2.0, weights="distance").fit(x, [1.0, 3.0, 9.0, 9.0])
    assert_bitwise(compiled(model).predict(x[:1]), model.predict(x[:1]))


OUTSIDE = np.array([[100.0], [0.1]])
INSIDE = np.array([[0.0], [0.2], [0.4], [0.6]])


@pytest.mark.parametrize(
    ("label", "algorithm", "y"),
    [
        (9, "kd_tree", [5, 6, 5, 6]),  # no class: no share, and still a label
        ("most_frequent", "kd_tree", [5, 6, 6, 6]),
        (1, "brute", [0, 1, 0, 1]),
        ("b", "kd_tree", ["a", "b", "a", "b"]),
    ],
)
def test_outliers_are_what_the_model_was_told(label, algorithm, y):
    model = RadiusNeighborsClassifier(1.0, outlier_label=label, algorithm=algorithm)
    model.fit(INSIDE, y)
    node = compiled(model)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Outlier label")
        assert_bitwise(node.predict(OUTSIDE), model.predict(OUTSIDE))
        assert_bitwise(node.predict_proba(OUTSIDE), model.predict_proba(OUTSIDE))


def test_an_outlier_without_a_label_is_refused_with_its_row():
    model = RadiusNeighborsClassifier(1.0).fit(INSIDE, [0, 1, 0, 1])
    with pytest.raises(ValueError, match="No neighbors found"):
        model.predict(OUTSIDE)
    with pytest.raises(InputRefused) as refused:
        compiled(model).predict(OUTSIDE[::-1])
    assert (refused.value.row, refused.value.column) == (1, None)


def test_a_label_that_brute_force_mistakes_has_no_plan():
    model = RadiusNeighborsClassifier(1.0, outlier_label=6, algorithm="brute")
    with pytest.raises(Unsupported, match="brute force"):
        compiled(model.fit(INSIDE, [5, 6, 5, 6]))


def test_whole_targets_without_neighbours_are_scikit_learns_number():
    model = RadiusNeighborsRegressor(1.0)
    model.fit(INSIDE, [5, 6, 5, 6])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = model.predict(OUTSIDE)
    assert_bitwise(compiled(model).predict(OUTSIDE), theirs)


def test_broken_plans_are_refused():
    x = np.random.default_rng(1).normal(size=(12, 3))
    y = np.arange(12) % 3
    classifier = RadiusNeighborsClassifier(1.0, outlier_label=1).fit(x, y)
    assert_refuses_broken(classifier, {"label"})
    assert_refuses_broken(RadiusNeighborsRegressor(1.0).fit(x, y), {"empty"})
    assert_refuses_broken(RadiusNeighborsTransformer(radius=1.0).fit(x))
    spec, tensors = plan_of(classifier)
    assert_refuses({**spec, "radius": -1.0}, tensors)
    assert_refuses({**spec, "outlier": 3}, tensors)
    assert_refuses({**spec, "label": {"dtype": "i8", "values": [1, 2]}}, tensors)
    spec, tensors = plan_of(RadiusNeighborsTransformer().fit(x))
    assert_refuses(spec, {**tensors, spec["points"]: np.ones((MAX_GRAPH + 1, 2))})
