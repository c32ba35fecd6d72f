"""Perceptrons against scikit-learn: bitwise at the same batch size."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from controlplane.builder.lower.base import Unsupported
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of, shrunk
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled

ACTIVATIONS = ["identity", "logistic", "tanh", "relu"]
LABELS = {
    "int": np.array([-3, 0, 7, 8]),
    "str": np.array(["no", "yes", "maybe", "Ünknown"]),
    "bool": np.array([False, True]),
}


def fitted(estimator: Any, x: np.ndarray, y: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.set_params(max_iter=3, random_state=0).fit(x, y)


def assert_twins(estimator: Any, q: np.ndarray) -> None:
    node = compiled(estimator)
    assert node.n_in == estimator.n_features_in_
    for rows in (q, q[:1]):
        for method in node.methods:
            ours, theirs = node.run(method, rows), getattr(estimator, method)(rows)
            logistic = "logistic" in (estimator.activation, estimator.out_activation_)
            if logistic and theirs.dtype.kind == "f":
                # scipy's exp and numpy's may differ in the last bit on other processors.
                assert_within(ours, theirs)
            else:
                assert_bitwise(ours, theirs)


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.random.Generator, np.ndarray, np.ndarray, tuple[int, ...]]:
    """Training rows, questions (some far out, to saturate) and hidden layers."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    columns = draw(st.integers(1, 12))
    x = random.normal(size=(draw(st.integers(12, 50)), columns))
    q = random.normal(size=(draw(st.integers(1, 300)), columns)) * draw(st.sampled_from([1, 1e4]))
    layers = tuple(draw(st.lists(st.integers(1, 20), max_size=3)))
    return random, x, q, layers


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    tables(),
    st.sampled_from(ACTIVATIONS),
    st.sampled_from(sorted(LABELS)),
    st.integers(2, 4),
    st.sampled_from(["adam", "lbfgs"]),
)
def test_classifiers_are_twins(table, activation, labels, k, solver):
    random, x, q, layers = table
    names = LABELS[labels][:k]
    y = random.permutation(names[np.arange(len(x)) % len(names)])
    estimator = MLPClassifier(layers, activation=activation, solver=solver)
    assert_twins(fitted(estimator, x, y), q)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(tables(), st.sampled_from(ACTIVATIONS), st.sampled_from([0, 1, 3]))
def test_regressors_are_twins(table, activation, targets):
    random, x, q, layers = table
    y = random.normal(size=(len(x), targets) if targets > 1 else len(x))
    assert_twins(fitted(MLPRegressor(hidden_layer_sizes=layers, activation=activation), x, y), q)


def test_counts_are_predicted_through_exp():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(40, 3)), random.poisson(2.0, 40).astype(float)
    estimator = fitted(MLPRegressor(hidden_layer_sizes=(5,), loss="poisson"), x, y)
    assert estimator.out_activation_ == "exp"
    assert_twins(estimator, x)


def test_weights_fitted_on_float32_meet_float64_rows():
    random = np.random.default_rng(0)
    x = random.normal(size=(40, 3))
    estimator = fitted(
        MLPRegressor(hidden_layer_sizes=(5,)), x.astype(np.float32), x[:, 0].astype(np.float32)
    )
    assert estimator.coefs_[0].dtype == np.float32
    assert_twins(estimator, x)


def test_one_class_has_no_plan():
    x = np.random.default_rng(0).normal(size=(20, 3))
    with pytest.raises(Unsupported, match="one class"):
        plan_of(fitted(MLPClassifier((3,)), x, np.zeros(20, int)))


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    random = np.random.default_rng(6)
    x, y = random.normal(size=(60, 3)), np.arange(60) % 3
    return {
        "classifier": fitted(MLPClassifier((4, 5)), x, y),
        "regressor": fitted(MLPRegressor(hidden_layer_sizes=(4,)), x, x),
    }


@pytest.mark.parametrize("name", ["classifier", "regressor"])
def test_broken_plans_are_refused(models, name):
    assert_refuses_broken(models[name])


@pytest.mark.parametrize("key", ["weights_1", "bias_0", "bias_2"])
def test_layers_that_do_not_fit_are_refused(models, key):
    spec, tensors = plan_of(models["classifier"])
    axis = 1 if spec.get(f"{key}_turned") else 0
    assert_refuses(spec, shrunk(spec, tensors, key, axis))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("depth", 0),
        ("depth", 2),  # a layer is left over
        ("depth", 10**9),
        ("hidden", "softmax"),
        ("output", "tanh"),
        ("classes", {"dtype": "i8", "values": [1, 2]}),
    ],
    ids=str,
)
def test_settings_that_cannot_be_are_refused(models, key, value):
    spec, tensors = plan_of(models["classifier"])
    assert_refuses({**spec, key: value}, tensors)
