"""AdaBoost against scikit-learn: equal to the last bit over trees, else as exact as its members."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from controlplane.builder.lower.base import Unsupported
from runtime.plan.adaboost import BLOCK, AdaBoostTreeRegressor, log_votes
from runtime.plan.graph import build
from runtime.plan.ops import InputRefused
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of
from tests.unit.plan.test_ensembles import LABELS, ROWS, SEEDS, questions, table
from tests.unit.plan.test_trees import walking
from tests.unit.plan.twins import assert_bitwise, assert_serves, compiled

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

TREES = {
    "stumps": None,
    "deep": DecisionTreeClassifier(max_depth=5, max_features=2),
    "extra": ExtraTreeClassifier(max_depth=3),
}
OTHERS = {
    "bayes": GaussianNB(),
    "logistic": LogisticRegression(max_iter=20),
    "forest": RandomForestClassifier(3, max_depth=2),
}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    SEEDS,
    ROWS,
    st.sampled_from(sorted(LABELS)),
    st.sampled_from(sorted(TREES)),
    st.sampled_from([1, 5, 12]),
    st.booleans(),
)
def test_boosted_trees_are_bit_equal(seed, rows, labels, base, count, walk):
    x, y = table(seed, 100, labels)
    model = AdaBoostClassifier(TREES[base], n_estimators=count, random_state=seed % 1000).fit(x, y)
    with walking(walk):
        node = assert_serves(model, questions(seed, rows), exactly=True)
    assert node.kind == "adaboost_tree_classifier"
    assert node.exact == ("batch" if labels == "many" else "bitwise")


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    SEEDS,
    ROWS,
    st.sampled_from(sorted(LABELS)),
    st.sampled_from(sorted(OTHERS)),
    st.sampled_from([1, 4]),
)
def test_other_boosted_models_are_twins(seed, rows, labels, base, count):
    x, y = table(seed, 100, labels)
    model = AdaBoostClassifier(OTHERS[base], n_estimators=count, random_state=seed % 1000)
    node = assert_serves(model.fit(x, y), questions(seed, rows))
    assert node.kind == "adaboost_classifier"


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    SEEDS,
    ROWS,
    st.sampled_from(
        [
            None,
            DecisionTreeRegressor(max_depth=6, max_features=2),
            ExtraTreeRegressor(max_depth=2),
            LinearRegression(),
            RandomForestRegressor(3, max_depth=3),
        ]
    ),
    st.sampled_from([1, 4, 15]),
    st.sampled_from(["linear", "square", "exponential"]),
    st.booleans(),
)
def test_regressors_are_twins(seed, rows, base, count, loss, walk):
    x, _ = table(seed, 80, "two")
    model = AdaBoostRegressor(base, n_estimators=count, loss=loss, random_state=seed % 1000)
    model.fit(x, np.round(x[:, 0] * x[:, 1], 1))
    with walking(walk):
        node = assert_serves(model, questions(seed, rows))
    assert isinstance(base, LinearRegression) or node.exact == "bitwise"


def test_medians_of_many_rows_come_in_blocks():
    x, _ = table(0, 80, "two")
    model = AdaBoostRegressor(n_estimators=40, random_state=0).fit(x, x[:, 0] * x[:, 1])
    node, q = compiled(model), questions(0, 30_000)
    assert len(q) > BLOCK // node.trees.trees
    assert_bitwise(node.predict(q), model.predict(q))


def test_several_blocks_of_deep_trees_are_one_answer():
    x, _ = table(0, 80, "two")
    with walking(True):
        model = AdaBoostRegressor(n_estimators=3, random_state=0).fit(x, x[:, 0])
        node, q = compiled(model), questions(0, 5_000)
    assert isinstance(node, AdaBoostTreeRegressor)
    assert_bitwise(node.predict(q), model.predict(q))


@pytest.mark.parametrize("base", [None, GaussianNB()])
def test_a_missing_value_is_refused_by_adaboost_itself(base):
    x, y = table(0, 80, "int")
    model = AdaBoostClassifier(base, n_estimators=2).fit(x, y)
    with pytest.raises(ValueError, match="NaN"):
        model.predict(np.full((1, 4), np.nan))
    assert not any(ok for _, ok in compiled(model).columns_in(True))


def test_a_cell_too_large_for_float32_is_refused_as_a_tree_does():
    x, y = table(0, 80, "int")
    node, q = compiled(AdaBoostClassifier(n_estimators=2).fit(x, y)), questions(0, 3)
    q[1, 2] = 1e300
    with pytest.raises(InputRefused) as refused:
        node.run("predict", q)
    assert (refused.value.row, refused.value.column) == (1, 2)


def test_one_class_has_no_plan():
    x, _ = table(0, 20, "two")
    with pytest.raises(Unsupported, match="single class"):
        compiled(AdaBoostClassifier().fit(x, np.zeros(20)))


def test_log_votes_are_those_of_old_versions():
    proba = np.array([[0.2, 0.8, 0.0], [1.0, 0.0, 0.0]])
    logs = np.log(np.maximum(proba, np.finfo(float).eps))
    np.testing.assert_allclose(log_votes(proba), 2 * (logs - logs.mean(axis=1, keepdims=True)))


@pytest.mark.parametrize("base", [None, GaussianNB()])
def test_samme_r_of_old_versions_adds_up_log_votes(base):
    """There is no such version here; by hand, as its decision function was."""
    x, y = table(0, 80, "int")
    model = AdaBoostClassifier(base, n_estimators=3, random_state=0).fit(x, y)
    model.algorithm, model.estimator_weights_ = "SAMME.R", np.ones(3)
    scores = sum(log_votes(member.predict_proba(x)) for member in model.estimators_) / 3.0
    node = compiled(model)
    assert_bitwise(node.run("decision_function", x), scores)
    assert_bitwise(node.run("predict", x), model.classes_.take(scores.argmax(axis=1)))


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    x, y = table(0, 60, "int")
    trees = AdaBoostClassifier(n_estimators=3).fit(x, y)
    return {
        "trees": trees,
        "members": AdaBoostClassifier(GaussianNB(), n_estimators=3).fit(x, y),
        "tree_regressor": AdaBoostRegressor(n_estimators=3).fit(x, x[:, 0]),
        "regressor": AdaBoostRegressor(LinearRegression(), n_estimators=3).fit(x, x[:, 0]),
    }


@pytest.mark.parametrize("name", ["members", "regressor", "tree_regressor", "trees"])
def test_broken_plans_are_refused(models, name):
    # As in the trees' own tests: masks and places have ranges of their own.
    layout = {
        f"{part}threshold {how}" for part in ("", "walk_") for how in ("float32", "holds inf")
    }
    layout |= {"values holds nan", "values holds inf"}
    assert_refuses_broken(models[name], layout)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("trees", {"classes": {"dtype": "i8", "values": [1, 2, 3]}}),
        ("trees", {"norm": 0.0}),
        ("members", {"norm": -1.0}),
        ("members", {"classes": {"dtype": "i8", "values": [1]}}),
        ("members", {"real": True, "classes": {"dtype": "i8", "values": [1, 2, 3]}}),
    ],
)
def test_what_does_not_fit_together_is_refused(models, name, change):
    spec, tensors = plan_of(models[name])
    assert_refuses({**spec, **change}, tensors)


def test_members_of_the_wrong_kind_are_refused(models):
    x, y = table(0, 60, "int")
    labels, numbers = RidgeClassifier().fit(x, y), LinearRegression().fit(x, y)
    for name, member in (("regressor", labels), ("members", numbers)):
        spec, tensors = plan_of(models[name])
        other, theirs = plan_of(member)
        renamed = {f"m{key}": array for key, array in theirs.items()}
        other = {k: f"m{v}" if v in theirs else v for k, v in other.items() if k != "classes"} | (
            {"classes": other["classes"]} if "classes" in other else {}
        )
        build(other, renamed)
        assert_refuses({**spec, "members": [other] * 3}, {**tensors, **renamed})
