"""Ensembles against scikit-learn: as exact as their members are, and to the last bit for trees."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from controlplane.builder.lower.base import Unsupported
from runtime.plan import signature_of
from runtime.plan.ops import Frame, InputRefused
from runtime.plan.signature import Kind
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of
from tests.unit.plan.twins import assert_serves, compiled

# How well a model is fitted does not matter here.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

LABELS = {
    "two": np.array([-3, 8]),
    "int": np.array([-3, 0, 7, 8]),
    "str": np.array(["no", "yes", "maybe", "Ünknown"]),
    "bool": np.array([False, True]),
    "many": np.arange(9),
}
FOREST = RandomForestClassifier(3, max_depth=3, random_state=0)
CLASSIFIERS = {
    "logistic": LogisticRegression(max_iter=20),
    "scaled": make_pipeline(StandardScaler(), LogisticRegression(max_iter=20)),
    "bayes": GaussianNB(),
    "tree": DecisionTreeClassifier(max_depth=3, random_state=0),
    "forest": FOREST,
    "boosting": HistGradientBoostingClassifier(max_iter=2, max_depth=2, min_samples_leaf=2),
}
REGRESSORS = {
    "linear": LinearRegression(),
    "scaled": make_pipeline(StandardScaler(), Ridge()),
    "tree": DecisionTreeRegressor(max_depth=3, random_state=0),
    "forest": RandomForestRegressor(3, max_depth=3, random_state=0),
    "boosting": HistGradientBoostingRegressor(max_iter=2, max_depth=2, min_samples_leaf=2),
}


def table(seed: int, rows: int, labels: str) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 4))
    known = LABELS[labels]
    y = known[np.arange(rows) % len(known)]
    x[:, 0] += np.arange(rows) % len(known)
    return x, y


def questions(seed: int, rows: int) -> np.ndarray:
    return np.random.default_rng(seed + 1).normal(size=(rows, 4)) * 2


def some_of(models: dict[str, Any], most: int = 4) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(sorted(models)), min_size=1, max_size=most)


def named(models: dict[str, Any], names: list[str]) -> list[tuple[str, Any]]:
    return [(f"{name}{i}", models[name]) for i, name in enumerate(names)]


ROWS = st.sampled_from([1, 2, 7, 150])
SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    SEEDS,
    ROWS,
    st.sampled_from(sorted(LABELS)),
    some_of(CLASSIFIERS),
    st.sampled_from(["soft", "hard"]),
    st.sampled_from([None, "int", "float"]),
    st.booleans(),
)
def test_votes_are_counted_as_in_scikit_learn(seed, rows, labels, names, voting, weights, dropped):
    x, y = table(seed, 60, labels)
    voters = named(CLASSIFIERS, names)
    if dropped:
        voters.insert(1, ("none", "drop"))
    given_weights = {
        None: None,
        "int": list(range(1, len(voters) + 1)),
        "float": [0.3 + 0.1 * i for i in range(len(voters))],
    }[weights]
    model = VotingClassifier(voters, voting=voting, weights=given_weights).fit(x, y)
    node = assert_serves(model, questions(seed, rows))
    assert node.classes.tolist() == model.classes_.tolist()
    assert ("predict_proba" in node.methods) == (voting == "soft")


@settings(max_examples=20, deadline=None, derandomize=True)
@given(SEEDS, ROWS, some_of(REGRESSORS, 10), st.booleans())
def test_regressors_vote_as_in_scikit_learn(seed, rows, names, weighted):
    x, _ = table(seed, 60, "two")
    voters = named(REGRESSORS, names)
    weights = [0.1 + i for i in range(len(voters))] if weighted else None
    model = VotingRegressor(voters, weights=weights).fit(x, x[:, 0] * x[:, 1])
    assert_serves(model, questions(seed, rows))


def test_a_soft_vote_that_gives_a_table_a_member_does_not_transform():
    x, y = table(0, 60, "int")
    model = VotingClassifier([("a", FOREST)], voting="soft", flatten_transform=False).fit(x, y)
    assert assert_serves(model, x).methods == ("predict", "predict_proba")


@pytest.mark.parametrize("weights", [[0, 0], [2, -1]])
def test_votes_that_cancel_each_other_out_have_no_plan(weights):
    x, y = table(0, 60, "int")
    model = VotingClassifier([("a", FOREST), ("b", GaussianNB())], weights=weights).fit(x, y)
    with pytest.raises(Unsupported, match="weights"):
        compiled(model)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    SEEDS,
    ROWS,
    st.sampled_from(sorted(LABELS)),
    some_of(CLASSIFIERS, 3),
    st.sampled_from(["auto", "predict", "predict_proba"]),
    st.sampled_from(sorted(CLASSIFIERS)),
    st.booleans(),
)
def test_classifiers_are_stacked_as_in_scikit_learn(
    seed, rows, labels, names, method, last, passthrough
):
    x, y = table(seed, 60, labels)
    layers = named(CLASSIFIERS, names)
    model = StackingClassifier(
        layers, CLASSIFIERS[last], cv=2, stack_method=method, passthrough=passthrough
    ).fit(x, y)
    assert_serves(model, questions(seed, rows))


@pytest.mark.parametrize("labels", ["two", "int", "str"])
@pytest.mark.parametrize("method", ["auto", "predict_proba", "predict"])
def test_models_fitted_before_are_stacked(labels, method):
    x, y = table(0, 60, labels)
    if labels == "str" and method == "predict":
        return  # scikit-learn fits no last model on strings
    layers = [("a", GaussianNB().fit(x, y)), ("b", DecisionTreeClassifier().fit(x, y))]
    model = StackingClassifier(layers, FOREST, cv="prefit", stack_method=method).fit(x, y)
    assert_serves(model, questions(0, 9))


@pytest.mark.parametrize("labels", ["two", "int"])
def test_decision_functions_are_stacked(labels):
    x, y = table(0, 60, labels)
    layers = [
        ("a", LinearSVC(random_state=0)),
        ("b", RidgeClassifier()),
        ("none", "drop"),
        ("c", Ridge()),
    ]
    if labels == "int":
        layers = layers[:2]
    model = StackingClassifier(layers, RidgeClassifier(), cv=2).fit(x, y)
    node = assert_serves(model, questions(0, 9))
    assert node.methods == ("predict", "decision_function", "transform")


@settings(max_examples=20, deadline=None, derandomize=True)
@given(SEEDS, ROWS, some_of(REGRESSORS, 3), st.sampled_from(sorted(REGRESSORS)), st.booleans())
def test_regressors_are_stacked_as_in_scikit_learn(seed, rows, names, last, passthrough):
    x, _ = table(seed, 60, "two")
    model = StackingRegressor(
        named(REGRESSORS, names), REGRESSORS[last], cv=2, passthrough=passthrough
    ).fit(x, x[:, 0] * x[:, 1])
    assert_serves(model, questions(seed, rows))


def test_a_prediction_that_became_infinite_is_refused_by_the_last_model():
    x, _ = table(0, 60, "two")
    model = StackingRegressor([("a", PoissonRegressor())], cv=2).fit(x, np.exp(x[:, 0]))
    node, q = compiled(model), questions(0, 3)
    q[1, 0] = 1e6
    with np.errstate(over="ignore"):
        with pytest.raises(ValueError, match="infinity"):
            model.predict(q)
        with pytest.raises(InputRefused, match="infinite") as refused:
            node.run("predict", q)
    assert (refused.value.row, refused.value.column) == (1, None)


def test_a_cell_passed_through_is_refused_by_its_own_column():
    x, y = table(0, 60, "two")
    model = StackingClassifier(
        [("a", LogisticRegression(max_iter=20))], FOREST, cv=2, passthrough=True
    )
    node, q = compiled(model.fit(x, y)), questions(0, 3)
    q[2, 3] = 1e300
    with pytest.raises(InputRefused, match="float32") as refused:
        node.run("predict", q)
    assert (refused.value.row, refused.value.column) == (2, 3)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    SEEDS,
    ROWS,
    st.sampled_from(sorted(LABELS)),
    st.sampled_from([*sorted(CLASSIFIERS), "svc", "ridge"]),
    st.sampled_from([0.3, 0.8, 1.0]),
    st.booleans(),
)
def test_bagged_classifiers_are_twins(seed, rows, labels, base, share, again):
    x, y = table(seed, 150, labels)
    others = {"svc": LinearSVC(random_state=0), "ridge": RidgeClassifier()}
    model = BaggingClassifier(
        {**CLASSIFIERS, **others}[base],
        n_estimators=3,
        max_samples=0.5,
        max_features=share,
        bootstrap_features=again,
        random_state=seed % 1000,
    ).fit(x, y)
    node = assert_serves(model, questions(seed, rows))
    if base == "tree":
        assert node.exact == "bitwise"
    everyone = all(len(m.classes_) == len(model.classes_) for m in model.estimators_)
    decides = hasattr(model, "decision_function") and everyone
    assert ("decision_function" in node.methods) == decides


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    SEEDS,
    ROWS,
    st.sampled_from([*sorted(REGRESSORS), "extra"]),
    st.sampled_from([0.3, 1.0]),
    st.sampled_from([1, 3]),
)
def test_bagged_regressors_are_twins(seed, rows, base, share, targets):
    x, _ = table(seed, 60, "two")
    targets = 1 if base == "boosting" else targets
    y = x[:, :targets] * x[:, 1:2]
    models = {**REGRESSORS, "extra": ExtraTreeRegressor(max_depth=4)}
    model = BaggingRegressor(
        models[base], n_estimators=4, max_features=share, random_state=seed % 1000
    ).fit(x, y[:, 0] if targets == 1 else y)
    node = assert_serves(model, questions(seed, rows))
    if base in ("tree", "extra"):
        assert node.exact == "bitwise"


def test_many_bagged_trees_are_one_forest():
    x, y = table(0, 200, "many")
    model = BaggingClassifier(n_estimators=100, max_features=0.5, random_state=0).fit(x, y)
    assert compiled(model).kind == "forest_classifier"
    assert_serves(model, questions(0, 300))


def test_bagged_trees_take_what_no_tree_looks_at():
    x, y = table(0, 60, "int")
    model = BaggingClassifier(
        ExtraTreeClassifier(splitter="best"), n_estimators=1, max_features=1, random_state=0
    ).fit(x, (y > 0).astype(int))
    column = model.estimators_features_[0][0]
    node, q = compiled(model), questions(0, 5)
    q[:, column - 1] = np.nan
    assert [ok for _, ok in node.columns_in(True)] == [i != column for i in range(4)]
    assert_serves(model, q)
    q[3, column] = 1e300
    with pytest.raises(InputRefused) as refused:
        node.run("predict", q)
    assert (refused.value.row, refused.value.column) == (3, column)


def test_a_cell_that_a_member_refuses_is_named_by_its_own_column():
    x, y = table(0, 60, "int")
    model = BaggingClassifier(FOREST, n_estimators=2, max_features=2, random_state=0).fit(x, y)
    node, q = compiled(model), questions(0, 5)
    column = model.estimators_features_[0][1]
    q[3, column] = 1e300
    with pytest.raises(InputRefused) as refused:
        node.run("predict", q)
    assert (refused.value.row, refused.value.column) == (3, column)


@pytest.mark.parametrize(
    "model",
    [BaggingClassifier(GaussianNB()), BaggingClassifier(), BaggingRegressor(Ridge())],
    ids=["bayes", "trees", "ridge"],
)
def test_threads_that_add_up_in_parts_promise_no_bits(model):
    x, _ = table(0, 60, "int")
    model.fit(x, np.arange(60) % 3)
    assert compiled(model).exact != "tolerance"
    assert compiled(model.set_params(n_jobs=-1)).exact == "tolerance"


def people(rows: int) -> pd.DataFrame:
    random = np.random.default_rng(rows)
    city = random.choice(np.array(["Rome", "Oslo", "Bonn"], object), rows)
    unused = np.array(["?"] * rows, object)
    return pd.DataFrame({"age": random.normal(40, 9, rows), "city": city, "note": unused})


def held(frame: pd.DataFrame) -> Frame:
    return Frame(tuple(frame[name].to_numpy() for name in frame))


def encoded(last: Any) -> Any:
    columns = [("age", StandardScaler(), ["age"]), ("city", OneHotEncoder(), ["city"])]
    return make_pipeline(ColumnTransformer(columns), last)


@pytest.mark.parametrize(
    "model",
    [
        VotingClassifier([("a", encoded(LogisticRegression(max_iter=20))), ("b", encoded(FOREST))]),
        StackingClassifier([("a", encoded(LogisticRegression(max_iter=20)))], FOREST),
    ],
    ids=["voting", "stacking"],
)
def test_members_may_take_strings(model):
    frame = people(60)
    node = assert_serves(model.fit(frame, np.arange(60) % 2), people(9), held(people(9)))
    assert node.columns_in(True) == (
        (Kind.NUMBER, False),
        (Kind.STRING, False),
        (Kind.ANY, True),
    )
    assert signature_of(node, list(frame)).columns[1].kind is Kind.STRING
    asked = held(people(9))
    asked.columns[1][4] = "Atlantis"
    with pytest.raises(InputRefused, match="Atlantis") as refused:
        node.run("predict", asked)
    assert (refused.value.row, refused.value.column) == (4, 1)


def test_members_fitted_on_other_columns_have_no_plan():
    frame = pd.DataFrame({"a": np.arange(20.0), "b": np.arange(20.0) % 3})
    y = np.arange(20) % 2
    one, other = LogisticRegression(max_iter=20).fit(frame, y), LogisticRegression(max_iter=20).fit(
        frame, y
    )
    model = StackingClassifier([("a", one), ("b", other)], cv="prefit").fit(frame, y)
    assert_serves(model, frame, frame.to_numpy())
    one.feature_names_in_ = one.feature_names_in_[::-1]
    with pytest.raises(Unsupported, match="different names"):
        compiled(model)


def test_a_hard_vote_hands_numbers_to_the_next_step():
    x, y = table(0, 60, "int")
    vote = VotingClassifier([("a", FOREST), ("b", GaussianNB())])
    model = make_pipeline(vote, StandardScaler(), LogisticRegression(max_iter=20)).fit(x, y)
    assert_serves(model, questions(0, 9))


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    x, y = table(0, 60, "int")
    two = [("a", GaussianNB()), ("b", FOREST)]
    lines = [("a", Ridge()), ("b", LinearRegression())]
    return {
        "voting": VotingClassifier(two, voting="soft", weights=[1, 2]).fit(x, y),
        "voting_regressor": VotingRegressor(lines, weights=[1, 2]).fit(x, x[:, 0]),
        "stacking": StackingClassifier(two, GaussianNB(), cv=2).fit(x, y),
        "bagging": BaggingClassifier(GaussianNB(), n_estimators=2).fit(x, y),
        "bagging_regressor": BaggingRegressor(Ridge(), n_estimators=2).fit(x, x[:, 0]),
    }


NAMES = ["bagging", "bagging_regressor", "stacking", "voting", "voting_regressor"]


@pytest.mark.parametrize("name", NAMES)
def test_broken_plans_are_refused(models, name):
    assert_refuses_broken(models[name], {"weights", "columns", "classes missing"})


LINE = {"op": "identity", "n_in": 4, "refuses_missing": False}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("members", [[], [LINE], [LINE] * 10_001, "members", [1]])
def test_members_that_cannot_be_asked_are_refused(models, name, members):
    spec, tensors = plan_of(models[name])
    assert_refuses({**spec, "members": members}, tensors)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("stacking", {"asks": ["predict"]}),
        ("stacking", {"asks": ["predict", "transform"]}),
        ("stacking", {"asks": ["predict", "decision_function"]}),
        ("stacking", {"widths": [4, 5]}),
        ("stacking", {"widths": [4, -1]}),
        ("stacking", {"widths": [4, True]}),
        ("stacking", {"passthrough": True}),
        ("stacking", {"classes": {"dtype": "i8", "values": [1, 2, 3]}}),
        ("stacking", {"classes": None}),
        ("voting", {"classes": {"dtype": "i8", "values": [1, 2, 3]}}),
        ("voting", {"classes": {"dtype": "i8", "values": [1, 2, 3, 4, 5]}}),
        ("bagging", {"classes": {"dtype": "i8", "values": [1, 2, 3]}}),
        ("bagging", {"decides": True}),
        ("bagging", {"n_in": 3}),
    ],
)
def test_ensembles_that_do_not_fit_together_are_refused(models, name, change):
    spec, tensors = plan_of(models[name])
    assert_refuses({**spec, **change}, tensors)


@pytest.mark.parametrize("weights", [[0.0, 0.0], [2.0, -1.0], [1.0]])
def test_weights_that_cannot_be_are_refused(models, weights):
    spec, tensors = plan_of(models["voting"])
    assert_refuses(spec, {**tensors, spec["weights"]: np.array(weights)})


def test_members_that_together_take_too_much_are_refused(models):
    spec, tensors = plan_of(models["bagging"])
    wide = np.zeros((2, 6_000_000), np.int64)
    member = {**LINE, "n_in": 6_000_000}
    assert_refuses({**spec, "members": [member] * 2}, {**tensors, spec["columns"]: wide})


def test_a_member_that_gives_another_width_than_the_plan_says_is_not_served(models):
    node = compiled(models["stacking"])
    node.widths[0] += 1
    with pytest.raises(ValueError, match="member 0 gives 4 columns"):
        node.run("predict", questions(0, 1))
