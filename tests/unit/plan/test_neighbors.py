"""Nearest neighbours against scikit-learn: the same labels, values within the tolerance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from controlplane.builder.lower.base import Unsupported
from runtime.plan.ops import InputRefused
from tests.unit.plan.malformed import assert_refuses_broken
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled

LABELS = {"int": [3, 7, -1], "str": ["ape", "bee", "cat"], "bool": [False, True]}


@settings(deadline=None, max_examples=60)
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
    "settings_of",
    [{"weights": lambda d: d}, {"metric": "cosine"}, {"metric": "minkowski", "p": 3}],
    ids=["function", "cosine", "p=3"],
)
def test_what_has_no_plan_says_so(settings_of):
    model = KNeighborsClassifier(**settings_of).fit(np.eye(6), [0, 1] * 3)
    with pytest.raises(Unsupported):
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
    assert_refuses_broken(KNeighborsClassifier(3).fit(np.eye(6), [0, 1] * 3))
    assert_refuses_broken(KNeighborsRegressor(3).fit(np.eye(6), np.arange(6.0)))
