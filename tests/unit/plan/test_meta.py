"""Models around one model against scikit-learn: searches, thresholds, targets, frozen ones."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import model_selection
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
)
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import LinearSVC

from controlplane.builder.lower.base import Unsupported
from runtime.plan.ops import InputRefused
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of
from tests.unit.plan.test_ensembles import (
    ROWS,
    SEEDS,
    encoded,
    held,
    people,
    questions,
    table,
)
from tests.unit.plan.twins import assert_serves, compiled

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PAIRS = {
    "int": np.array([0, 1]),
    "signs": np.array([-1, 1]),
    "str": np.array(["no", "yes"]),
    "bool": np.array([False, True]),
}
FOREST = RandomForestClassifier(4, max_depth=3, random_state=0)


@pytest.mark.parametrize(
    "search",
    [
        model_selection.GridSearchCV,
        model_selection.RandomizedSearchCV,
        model_selection.HalvingGridSearchCV,
        model_selection.HalvingRandomSearchCV,
    ],
)
def test_a_search_is_its_best_estimator(search):
    x, y = table(0, 100, "two")
    options = {
        model_selection.RandomizedSearchCV: {"n_iter": 2},
        # Few rows drawn by chance may all be of one class.
        model_selection.HalvingGridSearchCV: {"min_resources": 60},
        model_selection.HalvingRandomSearchCV: {"min_resources": 60, "n_candidates": 2},
    }.get(search, {})
    model = search(LogisticRegression(max_iter=20), {"C": [0.1, 1.0]}, cv=2, **options).fit(x, y)
    assert assert_serves(model, questions(0, 9)).kind == "linear_classifier"


def test_a_search_without_a_model_has_no_plan():
    x, y = table(0, 60, "two")
    search = model_selection.GridSearchCV(GaussianNB(), {"priors": [None]}, refit=False, cv=2)
    with pytest.raises(Unsupported, match="not refitted"):
        compiled(search.fit(x, y))


def test_a_frozen_estimator_is_what_it_holds():
    x, y = table(0, 60, "int")
    frozen = FrozenEstimator(FrozenEstimator(LogisticRegression(max_iter=20).fit(x, y)))
    assert_serves(frozen, questions(0, 9))
    words = np.array([["a"], ["b"], ["a"], ["c"]], object)
    encoder = FrozenEstimator(OneHotEncoder(handle_unknown="ignore").fit(words))
    model = make_pipeline(encoder, LogisticRegression(max_iter=20)).fit(words, [0, 1, 1, 0])
    plain = make_pipeline(encoder.estimator, model[-1])
    assert compiled(model).exact == compiled(plain).exact


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    SEEDS,
    ROWS,
    st.sampled_from(sorted(PAIRS)),
    st.sampled_from(["forest", "logistic", "svc"]),
    st.sampled_from(["auto", "predict_proba", "decision_function"]),
    st.sampled_from(["auto", 0.3, -0.2]),
    st.sampled_from([None, 0, 1]),
)
def test_a_fixed_threshold_is_a_twin(seed, rows, labels, base, response, threshold, positive):
    x, y = table(seed, 60, "two")
    known = PAIRS[labels]
    y = known[(y > 0).astype(int)]
    if positive is None and labels == "str":
        positive = 1  # scikit-learn asks for one
    inner = {
        "forest": FOREST,
        "logistic": LogisticRegression(max_iter=20),
        "svc": LinearSVC(random_state=0),
    }[base]
    if response != "auto" and not hasattr(inner, response):
        response = "auto"
    model = FixedThresholdClassifier(
        inner,
        threshold=threshold,
        pos_label=None if positive is None else known.tolist()[positive],
        response_method=response,
    ).fit(x, y)
    assert_serves(model, questions(seed, rows))


def test_a_threshold_around_a_fitted_model_needs_no_fit():
    x, y = table(0, 60, "two")
    model = FixedThresholdClassifier(FOREST.fit(x, (y > 0).astype(int)), threshold=0.4)
    assert_serves(model, questions(0, 9), exactly=True)


@pytest.mark.parametrize("labels", sorted(PAIRS))
@pytest.mark.parametrize("inner", [GaussianNB(), LinearSVC(random_state=0), encoded(FOREST)])
def test_a_tuned_threshold_is_a_twin(labels, inner):
    frame = people(80)
    y = PAIRS[labels][(frame["age"] + frame.index % 5 > 42).astype(int)]
    scoring = "balanced_accuracy"
    model = TunedThresholdClassifierCV(inner, scoring=scoring, cv=2, thresholds=20)
    if isinstance(inner, (GaussianNB, LinearSVC)):
        x = frame[["age"]].to_numpy()
        assert_serves(model.fit(x, y), x)
    else:
        assert_serves(model.fit(frame, y), people(9), held(people(9)))


@pytest.mark.parametrize(
    "inner",
    [
        LogisticRegression(max_iter=20),
        FOREST,
        VotingClassifier([("a", GaussianNB()), ("b", FOREST)], voting="soft"),
    ],
    ids=lambda inner: type(inner).__name__,
)
def test_self_training_shows_what_scikit_learn_shows(inner):
    x, y = table(0, 80, "int")
    y[::3] = -1
    model = SelfTrainingClassifier(inner, max_iter=2).fit(x, y)
    node = assert_serves(model, questions(0, 9))
    assert "transform" not in node.methods


TARGETS = {
    "none": {},
    "log1p": {"func": np.log1p, "inverse_func": np.expm1},
    "log": {"func": np.log, "inverse_func": np.exp},
    "sqrt": {"func": np.sqrt, "inverse_func": np.square},
    "arcsinh": {"func": np.arcsinh, "inverse_func": np.sinh},
    "log2": {"func": np.log2, "inverse_func": np.exp2},
    "inverse": {"func": np.reciprocal, "inverse_func": np.reciprocal},
    "standard": {"transformer": StandardScaler()},
    "centred": {"transformer": StandardScaler(with_std=False)},
    "robust": {"transformer": RobustScaler()},
    "min_max": {"transformer": MinMaxScaler((1, 3))},
    "max_abs": {"transformer": MaxAbsScaler()},
    "yeo-johnson": {"transformer": PowerTransformer()},
    "box-cox": {"transformer": PowerTransformer("box-cox", standardize=False)},
    "quantiles": {"transformer": QuantileTransformer(n_quantiles=20)},
    "normal": {"transformer": QuantileTransformer(n_quantiles=20, output_distribution="normal")},
    "function": {"transformer": FunctionTransformer(np.log, inverse_func=np.exp)},
    "steps": {
        "transformer": make_pipeline(
            FunctionTransformer(np.log, inverse_func=np.exp), "passthrough", StandardScaler()
        )
    },
}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    SEEDS,
    ROWS,
    st.sampled_from(sorted(TARGETS)),
    st.sampled_from(["forest", "linear", "scaled"]),
    st.sampled_from([1, 2]),
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_transformed_targets_come_back(seed, rows, target, base, outputs):
    x, _ = table(seed, 60, "two")
    y = np.exp(0.3 * x[:, :outputs]) + 1.0
    regressor = {
        "forest": RandomForestRegressor(3, max_depth=3, random_state=0),
        "linear": LinearRegression(),
        "scaled": make_pipeline(StandardScaler(), Ridge()),
    }[base]
    model = TransformedTargetRegressor(regressor, **TARGETS[target])
    model.fit(x, y[:, 0] if outputs == 1 else y)
    node = assert_serves(model, 0.5 * questions(seed, rows))
    if base == "forest" and target in (
        "none",
        "sqrt",
        "standard",
        "robust",
        "min_max",
        "max_abs",
        "quantiles",
    ):
        assert node.exact == "bitwise"


@pytest.mark.parametrize("power", [0.0, 0.5, 2.0, 3.0, -1.5])
def test_powers_are_undone_on_both_sides_of_zero(power):
    x, _ = table(0, 60, "two")
    transformer = PowerTransformer(standardize=False)
    model = TransformedTargetRegressor(LinearRegression(), transformer=transformer).fit(x, x[:, 0])
    model.transformer_.lambdas_ = np.array([power])
    assert_serves(model, 0.1 * x)


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_quantiles_are_undone_at_and_beyond_their_ends(distribution):
    x = np.linspace(0.0, 1.0, 50)[:, None]
    transformer = QuantileTransformer(n_quantiles=9, output_distribution=distribution)
    model = TransformedTargetRegressor(LinearRegression(), transformer=transformer)
    model.fit(x, np.round(10 * x[:, 0] ** 2))
    model.regressor_.coef_, model.regressor_.intercept_ = np.ones(1), 0.0
    asked = np.array([-9.0, -5.5, -5.2, -1.0, 0.0, 1e-9, 0.3, 1.0, 1.5, 5.2, 5.5, 9.0])
    assert_serves(model, asked[:, None])


def test_a_prediction_that_became_infinite_is_refused_on_its_way_back():
    x, _ = table(0, 60, "two")
    model = TransformedTargetRegressor(PoissonRegressor(), func=np.sqrt, inverse_func=np.square)
    node, q = compiled(model.fit(x, np.exp(x[:, 0]))), questions(0, 3)
    q[2, 0] = 1e6
    with np.errstate(over="ignore"):
        with pytest.raises(ValueError, match="infinity"):
            model.predict(q)
        with pytest.raises(InputRefused, match="infinite") as refused:
            node.run("predict", q)
    assert (refused.value.row, refused.value.column) == (2, None)


def own(y: np.ndarray) -> np.ndarray:
    return np.expm1(y)


own.__name__ = "expm1"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"func": np.log1p, "inverse_func": own}, "inverse 'expm1' is not one of"),
        (
            {"transformer": SplineTransformer(), "check_inverse": False},
            "SplineTransformer has no way back",
        ),
        (
            {
                "transformer": FunctionTransformer(
                    np.log1p, inverse_func=np.expm1, inv_kw_args={"dtype": np.float64}
                )
            },
            "takes arguments",
        ),
    ],
)
def test_ways_back_that_are_not_known_have_no_plan(options, words):
    x, _ = table(0, 60, "two")
    model = TransformedTargetRegressor(LinearRegression(), **options).fit(x, np.exp(x[:, 0]))
    with pytest.raises(Unsupported, match=words):
        compiled(model)


def test_strings_go_through_every_wrapper():
    frame = people(60)
    y = frame.index % 2
    for model in (
        FixedThresholdClassifier(encoded(LogisticRegression(max_iter=20))).fit(frame, y),
        TransformedTargetRegressor(encoded(Ridge()), func=np.sqrt, inverse_func=np.square).fit(
            frame, y
        ),
        FrozenEstimator(encoded(FOREST).fit(frame, y)),
    ):
        assert assert_serves(model, people(9), held(people(9))).any_unused


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    x, y = table(0, 60, "two")
    y = (y > 0).astype(int)
    vote = VotingClassifier([("a", GaussianNB())], voting="soft")
    target = TransformedTargetRegressor(LinearRegression(), transformer=MinMaxScaler())
    power = TransformedTargetRegressor(LinearRegression(), transformer=PowerTransformer())
    quantiles = TransformedTargetRegressor(
        LinearRegression(), transformer=QuantileTransformer(n_quantiles=5)
    )
    return {
        "threshold": FixedThresholdClassifier(FOREST).fit(x, y),
        "restricted": SelfTrainingClassifier(vote, max_iter=1).fit(x, np.where(x[:, 1] > 1, -1, y)),
        "target": target.fit(x, x[:, 0]),
        "power": power.fit(x, x[:, 0]),
        "quantiles": quantiles.fit(x, x[:, 0]),
    }


@pytest.mark.parametrize("name", ["threshold", "restricted", "target", "power", "quantiles"])
def test_broken_plans_are_refused(models, name):
    assert_refuses_broken(models[name], {"back missing"})


LINE = {"op": "identity", "n_in": 4, "refuses_missing": False}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("threshold", {"inner": LINE}),
        ("threshold", {"column": 2}),
        ("threshold", {"asks": "decision_function"}),
        ("restricted", {"inner": LINE}),
        ("target", {"inner": LINE}),
        ("target", {"back": [LINE]}),
        ("target", {"back": []}),
        ("target", {"back": [1]}),
        ("target", {"back": [{"op": "identity", "n_in": 1, "refuses_missing": False}, LINE]}),
    ],
)
def test_what_does_not_fit_together_is_refused(models, name, change):
    spec, tensors = plan_of(models[name])
    assert_refuses({**spec, **change}, tensors)


def test_a_threshold_wants_two_classes(models):
    x, y = table(0, 60, "int")
    spec, tensors = plan_of(models["threshold"])
    inner, theirs = plan_of(RandomForestClassifier(2, max_depth=2).fit(x, y))
    assert_refuses({**spec, "inner": inner}, {**theirs, spec["turns"]: tensors[spec["turns"]]})


def test_a_model_that_predicts_another_number_of_targets_is_not_served(models):
    x, _ = table(0, 60, "two")
    node = compiled(models["target"])
    node.inner = compiled(LinearRegression().fit(x, x[:, :2]))
    with pytest.raises(ValueError, match="predicts 2 numbers"):
        node.run("predict", x)


@pytest.mark.parametrize("name", ["target", "power", "quantiles"])
def test_ways_back_are_checked_themselves(models, name):
    spec, tensors = plan_of(models[name])
    for inner in spec["back"]:
        for value in inner.values():
            if isinstance(value, str) and value in tensors:
                assert_refuses(inner, {**tensors, value: np.full(1, np.nan)})
        assert_refuses({**inner, "surprise": 1}, tensors)
        if "n_in" in inner:
            assert_refuses({**inner, "n_in": 2}, tensors)


def test_frames_keep_their_names():
    frame = pd.DataFrame({"a": np.arange(20.0), "b": np.arange(20.0) % 3})
    model = model_selection.GridSearchCV(Ridge(), {"alpha": [1.0]}, cv=2).fit(frame, frame["a"])
    assert list(model.feature_names_in_) == ["a", "b"]
    assert_serves(model, frame, frame.to_numpy())
