"""Models that predict several labels at once in one product, against scikit-learn."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import RidgeClassifier, RidgeClassifierCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from runtime.plan import signature_of
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of
from tests.unit.plan.test_ensembles import ROWS, SEEDS, questions, table
from tests.unit.plan.twins import assert_serves, compiled

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

MODELS = {
    "ridge": RidgeClassifier(),
    "ridge_cv": RidgeClassifierCV(),
    "scaled": make_pipeline(StandardScaler(), RidgeClassifier()),
    "perceptron": MLPClassifier((4,), max_iter=5, random_state=0),
    "deep": MLPClassifier((3, 3), max_iter=3, random_state=0, activation="tanh"),
}


def labelled(seed: int, labels: int) -> tuple[np.ndarray, np.ndarray]:
    x, _ = table(seed, 60, "two")
    noise = np.random.default_rng(seed).normal(size=(60, labels))
    return x, (noise + x[:, :1] > 0).astype(int)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(SEEDS, ROWS, st.sampled_from(sorted(MODELS)), st.sampled_from([2, 5]))
def test_several_labels_are_twins(seed, rows, name, labels):
    x, y = labelled(seed, labels)
    node = assert_serves(MODELS[name].fit(x, y), questions(seed, rows))
    widths = {output.width for output in signature_of(node, None).outputs}
    assert widths == {labels}
    assert compiled(MODELS[name]).run("predict", x).dtype == np.int64


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    SEEDS,
    ROWS,
    st.sampled_from(["int", "str", "bool"]),
    st.sampled_from(["uniform", "distance"]),
    st.sampled_from(["brute", "kd_tree"]),
    st.sampled_from([2, 3]),
)
def test_neighbours_of_several_outputs_are_twins(seed, rows, kind, weights, way, count):
    x, _ = table(seed, 60, "two")
    known = {"int": [-3, 0, 7], "str": ["no", "yes", "perhaps"], "bool": [False, True]}[kind]
    y = np.random.default_rng(seed).choice(known, (60, count))
    model = KNeighborsClassifier(7, weights=weights, algorithm=way).fit(x, y)
    node = assert_serves(model, questions(seed, rows))
    widths = {output.name: output.width for output in signature_of(node, None).outputs}
    assert widths == {"predict": count, "predict_proba": sum(map(len, model.classes_))}


@pytest.fixture(scope="module", params=["ridge", "perceptron"])
def model(request) -> Any:
    return MODELS[request.param].fit(*labelled(0, 3))


def test_broken_plans_are_refused(model):
    assert_refuses_broken(model)


def test_broken_neighbours_are_refused():
    x, y = labelled(0, 2)
    model = KNeighborsClassifier(3).fit(x, y)
    assert_refuses_broken(model)
    spec, tensors = plan_of(model)
    for change in (
        {"outputs": 1, "classes1": None},
        {"outputs": 3},
        {"classes1": {"dtype": "i8", "values": [1]}},
        {"classes1": {"dtype": "str", "values": ["a", "b"]}},
    ):
        assert_refuses({**spec, **change}, tensors)
