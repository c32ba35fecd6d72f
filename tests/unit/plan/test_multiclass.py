"""Classifiers of many classes made of classifiers of two, against scikit-learn."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from controlplane.builder.lower.base import Unsupported
from runtime.plan import signature_of
from runtime.plan.graph import build
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of
from tests.unit.plan.test_ensembles import (
    LABELS,
    ROWS,
    SEEDS,
    encoded,
    held,
    people,
    questions,
    table,
)
from tests.unit.plan.twins import assert_serves, compiled

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Label"),
]

MEMBERS = {
    "logistic": LogisticRegression(max_iter=20),
    "scaled": make_pipeline(StandardScaler(), LogisticRegression(max_iter=20)),
    "svc": LinearSVC(random_state=0),
    "bayes": GaussianNB(),
    "tree": DecisionTreeClassifier(max_depth=3, random_state=0),
    "forest": RandomForestClassifier(3, max_depth=3, random_state=0),
    "boosting": HistGradientBoostingClassifier(max_iter=2, max_depth=2),
    "ridge": Ridge(),
}


@settings(max_examples=50, deadline=None, derandomize=True)
@given(SEEDS, ROWS, st.sampled_from(sorted(LABELS)), st.sampled_from(sorted(MEMBERS)))
def test_one_against_the_rest_is_a_twin(seed, rows, labels, base):
    x, y = table(seed, 60, labels)
    node = assert_serves(OneVsRestClassifier(MEMBERS[base]).fit(x, y), questions(seed, rows))
    if base in ("tree", "forest"):
        assert node.exact == ("batch" if labels == "many" else "bitwise")


@settings(max_examples=30, deadline=None, derandomize=True)
@given(SEEDS, ROWS, st.sampled_from([1, 3, 9]), st.sampled_from(sorted(MEMBERS)), st.booleans())
def test_several_labels_at_once_are_twins(seed, rows, labels, base, constant):
    x, _ = table(seed, 60, "two")
    y = (np.random.default_rng(seed).normal(size=(60, labels)) + x[:, :1] > 0).astype(int)
    if constant:
        y[:, 0] = seed % 2
    model = OneVsRestClassifier(MEMBERS[base]).fit(x, y)
    assert_serves(model, questions(seed, rows))


def test_several_labels_have_a_column_each():
    x, _ = table(0, 60, "two")
    model = OneVsRestClassifier(GaussianNB()).fit(x, (x[:, :3] > 0).astype(int))
    outputs = {output.name: output for output in signature_of(compiled(model), None).outputs}
    assert (outputs["predict"].width, outputs["predict_proba"].width) == (3, 3)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(SEEDS, ROWS, st.sampled_from(sorted(LABELS)), st.sampled_from([*sorted(MEMBERS), "line"]))
def test_one_against_one_is_a_twin(seed, rows, labels, base):
    x, y = table(seed, 60, labels)
    members = {**MEMBERS, "line": LinearRegression()}
    assert_serves(OneVsOneClassifier(members[base]).fit(x, y), questions(seed, rows))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    SEEDS,
    ROWS,
    st.sampled_from(sorted(LABELS)),
    st.sampled_from(["logistic", "svc", "bayes", "tree", "scaled"]),
    st.sampled_from([0.5, 1.0, 3.0]),
)
def test_codes_are_read_as_in_scikit_learn(seed, rows, labels, base, size):
    x, y = table(seed, 60, labels)
    model = OutputCodeClassifier(MEMBERS[base], code_size=size, random_state=seed % 1000)
    assert_serves(model.fit(x, y), questions(seed, rows))


@pytest.mark.parametrize("model", [OneVsRestClassifier, OneVsOneClassifier])
def test_a_row_of_zeros_is_left_as_it_is(model):
    x, y = table(0, 60, "int")
    tree = DecisionTreeClassifier(max_depth=1, random_state=0)
    assert_serves(model(tree).fit(x, y), np.concatenate([x, 9 * x, -9 * x]), exactly=True)


def test_of_equal_scores_the_first_class_wins_and_in_old_versions_the_last():
    x, y = table(0, 60, "int")
    model = OneVsRestClassifier(DecisionTreeClassifier(max_depth=1)).fit(x, y)
    for member in model.estimators_:
        member.tree_.value[:] = 0.5
    spec, tensors = plan_of(model)
    assert_serves(model, x)
    assert set(build(spec, tensors).run("predict", x)) == {-3}
    assert set(build({**spec, "last_wins": True}, tensors).run("predict", x)) == {8}


def test_where_no_class_is_probable_old_versions_say_nan():
    x, y = table(0, 60, "int")
    model = OneVsRestClassifier(DecisionTreeClassifier(max_depth=1)).fit(x, y)
    for member in model.estimators_:
        member.tree_.value[:] = [[1.0, 0.0]]
    spec, tensors = plan_of(model)
    assert not spec["none_is_nan"]
    assert_serves(model, x)
    for height in (0, 1, 60):
        old = build({**spec, "none_is_nan": True}, tensors).run("predict_proba", x[:height])
        assert old.shape == (height, len(model.classes_))
        assert np.isnan(old).all()
    for member in model.estimators_:
        member.tree_.value[:] = [[0.75, 0.25]]
    spec, tensors = plan_of(model)
    for flag in (False, True):
        node = build({**spec, "none_is_nan": flag}, tensors)
        np.testing.assert_array_equal(node.run("predict_proba", x), model.predict_proba(x))


def test_missing_values_go_to_the_members():
    x, y = table(0, 60, "int")
    for model in (OneVsRestClassifier, OneVsOneClassifier):
        q = questions(0, 9)
        q[::2, 1] = np.nan
        node = assert_serves(model(MEMBERS["boosting"]).fit(x, y), q)
        assert all(ok for _, ok in node.columns_in(True))
        assert not any(
            ok for _, ok in compiled(model(LinearSVC(random_state=0)).fit(x, y)).columns_in(True)
        )


def test_members_may_take_strings():
    frame = people(60)
    model = OneVsRestClassifier(encoded(LogisticRegression(max_iter=20)))
    assert_serves(model.fit(frame, frame.index % 3), people(9), held(people(9)))


def test_a_matrix_of_similarities_has_no_plan():
    x, y = table(0, 30, "int")
    model = OneVsOneClassifier(SVC(kernel="precomputed")).fit(x @ x.T, y)
    with pytest.raises(Unsupported, match="similarities"):
        compiled(model)


def test_one_class_has_no_plan():
    x, _ = table(0, 30, "int")
    with pytest.raises(Unsupported, match="single class"):
        compiled(OneVsRestClassifier(GaussianNB()).fit(x, np.ones(30, int)))


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    x, y = table(0, 60, "int")
    return {
        "rest": OneVsRestClassifier(GaussianNB()).fit(x, y),
        "binary": OneVsRestClassifier(LinearSVC(random_state=0)).fit(x, y > 0),
        "one": OneVsOneClassifier(LinearSVC(random_state=0)).fit(x, y),
        "code": OutputCodeClassifier(LinearSVC(random_state=0), random_state=0).fit(x, y),
    }


NAMES = ["binary", "code", "one", "rest"]


@pytest.mark.parametrize("name", NAMES)
def test_broken_plans_are_refused(models, name):
    assert_refuses_broken(models[name], {"none_is_nan"})


LINE = {"op": "identity", "n_in": 4, "refuses_missing": False}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "change",
    [
        {"members": [LINE]},
        {"members": []},
        {"classes": {"dtype": "i8", "values": [1, 2, 3]}},
        {"asks": []},
        {"asks": ["decision_function"]},
    ],
    ids=str,
)
def test_members_that_do_not_fit_are_refused(models, name, change):
    spec, tensors = plan_of(models[name])
    if name == "binary" and change.get("asks"):
        change = {"asks": ["predict_proba"]}
    assert_refuses({**spec, **change}, tensors)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("rest", {"asks": ["transform"] * 4}),
        ("rest", {"asks": ["predict"] * 4}),
        ("rest", {"decides": True}),
        ("rest", {"kind_of": "binary"}),
        ("rest", {"kind_of": "ternary"}),
        ("binary", {"has_proba": True}),
        ("binary", {"kind_of": "multiclass"}),
    ],
)
def test_what_members_cannot_do_is_refused(models, name, change):
    spec, tensors = plan_of(models[name])
    assert_refuses({**spec, **change}, tensors)


def test_a_member_of_three_classes_has_no_second_probability(models):
    x, y = table(0, 60, "int")
    spec, _ = plan_of(models["rest"])
    inner, tensors = plan_of(GaussianNB().fit(x, y))
    assert_refuses({**spec, "members": [inner] * 4}, tensors)
