"""Models that answer every row alike, against scikit-learn: to the last bit."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import VotingClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from controlplane.builder.lower.base import Unsupported
from runtime.plan import signature_of
from runtime.plan.ops import Frame
from runtime.plan.signature import Kind
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of
from tests.unit.plan.twins import assert_serves, compiled

X = np.array([[0.0, np.nan], [np.nan, 1.0], [2.0, 3.0], [1.0, 0.0], [5.0, 5.0]])
LABELS = {
    "int": np.array([3, 1, 3, 2, 1]),
    "str": np.array(["b", "a", "b", "ccc", "a"]),
    "bool": np.array([True, False, True, True, False]),
    "float": np.array([1.0, 0.0, 1.0, 1.0, 0.0]),
}


@pytest.mark.parametrize("labels", sorted(LABELS))
@pytest.mark.parametrize("strategy", ["prior", "most_frequent", "constant"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_dummies_are_twins(labels, strategy, outputs):
    y = LABELS[labels]
    constant = [y[1]] if outputs == 1 else [y[1], y[0]]
    if outputs == 2:
        y = np.stack([y, y[::-1]], axis=1)
    model = DummyClassifier(
        strategy=strategy, constant=constant if strategy == "constant" else None
    ).fit(X, y)
    node = assert_serves(model, X, exactly=True)
    assert node.exact == "bitwise"
    assert node.columns_in(True) == ((Kind.NUMBER, True),) * 2


@pytest.mark.parametrize(
    "model",
    [
        DummyRegressor(),
        DummyRegressor(strategy="median"),
        DummyRegressor(strategy="quantile", quantile=0.8),
        DummyRegressor(strategy="constant", constant=2.5),
    ],
    ids=lambda model: model.strategy,
)
@pytest.mark.parametrize("outputs", [1, 3])
def test_dummy_regressors_are_twins(model, outputs):
    y = np.random.default_rng(0).normal(size=(5, outputs))
    if model.strategy == "constant":
        model.set_params(constant=2.5 if outputs == 1 else [2.5, 1.0, -1.0])
    assert_serves(model.fit(X, y[:, 0] if outputs == 1 else y), X, exactly=True)


def test_a_dummy_takes_any_column_of_a_table():
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": pd.Series(["x", None, "y"], dtype=object)})
    model = DummyClassifier().fit(frame, [0, 1, 1])
    held = Frame((frame["a"].to_numpy(), frame["b"].to_numpy()))
    node = assert_serves(model, frame, held)
    signature = signature_of(node, ["a", "b"])
    assert [column.kind for column in signature.columns] == [Kind.ANY, Kind.ANY]


def test_a_dummy_is_a_step_or_a_member_like_others():
    y = LABELS["int"]
    node = assert_serves(make_pipeline(StandardScaler(), DummyClassifier()).fit(X, y), X)
    assert node.columns_in(True) == ((Kind.NUMBER, True),) * 2
    vote = VotingClassifier([("a", DummyClassifier()), ("b", GaussianNB())], voting="soft")
    node = assert_serves(vote.fit(X[2:], [0, 1, 1]), X[2:])
    assert node.columns_in(True) == ((Kind.NUMBER, False),) * 2


@pytest.mark.parametrize("strategy", ["uniform", "stratified"])
def test_answers_drawn_at_random_have_no_plan(strategy):
    with pytest.raises(Unsupported, match="at random"):
        compiled(DummyClassifier(strategy=strategy).fit(X, LABELS["int"]))


@pytest.fixture(scope="module")
def model() -> Any:
    return DummyClassifier().fit(X, LABELS["int"])


def test_broken_plans_are_refused(model):
    assert_refuses_broken(model, {"proba", "classes", "proba missing", "classes missing"})
    assert_refuses_broken(DummyRegressor().fit(X, np.arange(5.0)))


@pytest.mark.parametrize(
    "change",
    [
        {"values": {"dtype": "i8", "values": [1, 2]}},
        {"values": {"dtype": "i8", "values": []}},
        {"classes": {"dtype": "i8", "values": [1, 2]}},
        {"n_in": 0},
        {"proba": "values"},
    ],
    ids=str,
)
def test_what_does_not_fit_together_is_refused(model, change):
    spec, tensors = plan_of(model)
    assert_refuses({**spec, **change}, tensors)
