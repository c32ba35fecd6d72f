"""Calibrated classifiers and isotonic regression against scikit-learn."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from controlplane.builder.describe import Unusable
from controlplane.builder.lower.base import Unsupported
from controlplane.builder.probe import answers, probe_rows
from runtime.plan import signature_of
from runtime.plan.ops import InputRefused
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

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

CLASSIFIERS = {
    "bayes": GaussianNB(),
    "logistic": LogisticRegression(max_iter=20),
    "svc": make_pipeline(StandardScaler(), LinearSVC(random_state=0)),
    "ridge": RidgeClassifier(),
    "tree": DecisionTreeClassifier(max_depth=3, random_state=0),
    "forest": RandomForestClassifier(3, max_depth=3, random_state=0),
    "adaboost": AdaBoostClassifier(n_estimators=3, random_state=0),
}


def numbered(y: np.ndarray) -> np.ndarray:
    """Number labels that are whole numbers from zero.

    scikit-learn 1.9.1 takes them for columns when it looks for a temperature; of others it reads
    what lies beside its array, and finds a temperature in one run and none in the next.
    """
    return np.unique(y, return_inverse=True)[1] if y.dtype.kind == "i" else y


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    SEEDS,
    ROWS,
    st.sampled_from(sorted(LABELS)),
    st.sampled_from(sorted(CLASSIFIERS)),
    st.sampled_from(["sigmoid", "isotonic", "temperature"]),
    st.booleans(),
)
def test_probabilities_are_calibrated_as_in_scikit_learn(
    seed, rows, labels, base, method, ensemble
):
    x, y = table(seed, 90, labels)
    if method == "temperature":
        y = numbered(y)
    model = CalibratedClassifierCV(CLASSIFIERS[base], method=method, cv=2, ensemble=ensemble)
    try:
        model.fit(x, y)
    except RuntimeError:  # scikit-learn finds no temperature
        assume(False)
    node = assert_serves(model, questions(seed, rows))
    assert node.methods == ("predict", "predict_proba")
    assert node.classes.tolist() == model.classes_.tolist()


@pytest.mark.parametrize("base", ["logistic", "tree", "svc"])
@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_a_classifier_fitted_before_is_calibrated(base, method):
    x, y = table(0, 90, "int")
    frozen = FrozenEstimator(CLASSIFIERS[base].fit(x, y))
    model = CalibratedClassifierCV(frozen, method=method).fit(x, y)
    assert_serves(model, questions(0, 50))


def test_classes_that_every_curve_puts_at_zero_are_equally_likely():
    x, y = table(0, 90, "int")
    model = CalibratedClassifierCV(GaussianNB(), method="isotonic", cv=2, ensemble=False).fit(x, y)
    for curve in model.calibrated_classifiers_[0].calibrators:
        curve.y_thresholds_ = np.zeros_like(curve.y_thresholds_)
        curve._build_f(curve.X_thresholds_, curve.y_thresholds_)
    assert_serves(model, x)
    assert (compiled(model).run("predict_proba", x) == 0.25).all()


def test_calibrated_pipelines_may_take_strings():
    frame = people(60)
    model = CalibratedClassifierCV(encoded(LogisticRegression()), cv=2).fit(frame, frame.index % 2)
    node = assert_serves(model, people(9), held(people(9)))
    assert node.any_unused


def test_whole_rows_of_probabilities_are_told_from_scores():
    """scikit-learn looks at the numbers of a batch to see whether they are probabilities."""
    x, y = table(0, 90, "int")
    model = CalibratedClassifierCV(LinearSVC(random_state=0), method="temperature", cv=2)
    model.fit(x, numbered(y))
    for pair in model.calibrated_classifiers_:
        pair.estimator.coef_ = np.zeros((4, 4))
        pair.estimator.intercept_ = np.array([0.25, 0.25, 0.4, 0.1])
    assert_serves(model, x)


def test_classifiers_that_differ_from_the_whole_have_no_plan():
    x, y = table(0, 90, "int")
    model = CalibratedClassifierCV(GaussianNB(), cv=2).fit(x, y)
    inner = model.calibrated_classifiers_[0].estimator
    inner.classes_ = inner.classes_[:-1]
    with pytest.raises(Unsupported, match="every class"):
        compiled(model)
    frame = pd.DataFrame(x, columns=list("abcd"))
    model = CalibratedClassifierCV(GaussianNB(), cv=2).fit(frame, y)
    model.calibrated_classifiers_[1].estimator.feature_names_in_ = np.array(list("dcba"), object)
    with pytest.raises(Unsupported, match="different names"):
        compiled(model)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    SEEDS,
    ROWS,
    st.sampled_from([1, 2, 5, 80]),
    st.sampled_from([True, False, "auto"]),
    st.sampled_from(["clip", "nan"]),
    st.sampled_from([1.0, 1e-12, 1e12]),
)
@pytest.mark.filterwarnings("ignore:Confidence interval")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_isotonic_regression_is_bit_equal(seed, rows, points, increasing, beyond, size):
    random = np.random.default_rng(seed)
    x = np.round(random.normal(size=points), 1) * size
    y = x / size + random.normal(size=points)
    if points < 5 and increasing == "auto":
        increasing = True
    model = IsotonicRegression(increasing=increasing, out_of_bounds=beyond).fit(x, y)
    q = np.concatenate([x, random.normal(size=rows) * size])[-rows:]
    q[::3] = random.choice(x, len(q[::3]))
    node = assert_serves(model, q[:, None], exactly=True)
    assert node.exact == "bitwise"
    assert node.gives_gaps == (beyond == "nan")


def test_what_is_out_of_bounds_is_refused_where_scikit_learn_raises():
    x = np.linspace(2.0, 3.0, 20)
    model = IsotonicRegression(out_of_bounds="raise").fit(x, x**2)
    node = assert_serves(model, x[:, None], exactly=True)
    asked = np.array([[2.5], [1.5], [3.5]])
    with pytest.raises(ValueError, match="below"):
        model.predict(asked)
    with pytest.raises(InputRefused, match=r"not between 2\.0 and 3\.0") as refused:
        node.run("predict", asked)
    assert (refused.value.row, refused.value.column) == (1, 0)
    signature = signature_of(node, None)
    with pytest.raises(Unusable):
        answers(model, signature, probe_rows(model, signature))
    assert answers(model, signature, probe_rows(model, signature, beyond=0.0))[1]


def test_one_point_alone_has_no_bounds():
    model = IsotonicRegression(out_of_bounds="raise").fit([1.0, 1.0], [3.0, 4.0])
    assert_serves(model, np.array([[0.0], [5.0]]), exactly=True)


def test_float32_has_no_plan():
    x = np.arange(5, dtype=np.float32)
    with pytest.raises(Unsupported, match="float32"):
        compiled(IsotonicRegression().fit(x, x))


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    x, y = table(0, 60, "int")
    found = {
        method: CalibratedClassifierCV(GaussianNB(), method=method, cv=2).fit(x, numbered(y))
        for method in ("sigmoid", "isotonic", "temperature")
    }
    return {**found, "curve": IsotonicRegression().fit(x[:, 0], x[:, 0] ** 2)}


def test_broken_plans_are_refused(models):
    assert_refuses_broken(models["curve"])
    assert_refuses_broken(models["sigmoid"])


def pair_of(model: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    spec, tensors = plan_of(model)
    return spec["members"][0], tensors


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
@pytest.mark.parametrize(
    "change",
    [
        {"count": 3},
        {"count": 1},
        {"asks": "decision_function"},
        {"asks": "transform"},
        {"method": "platt"},
        {"inner": {"op": "identity", "n_in": 4, "refuses_missing": False}},
        {"surprise": 1},
    ],
    ids=str,
)
def test_pairs_that_do_not_fit_are_refused(models, method, change):
    spec, tensors = pair_of(models[method])
    assert_refuses({**spec, **change}, tensors)


@pytest.mark.parametrize("ends", [[0, 1, 2, 3], [1, 1, 2, 3], [1, 2, 3, 4], [-1, 2, 3, 4]])
def test_curves_that_are_cut_wrongly_are_refused(models, ends):
    spec, tensors = pair_of(models["isotonic"])
    assert_refuses(spec, {**tensors, spec["ends"]: np.array(ends)})


@pytest.mark.parametrize("x", [[0.0, 0.0], [1.0, 0.0], [np.nan, 1.0], []])
def test_a_curve_that_goes_back_is_refused(models, x):
    spec, tensors = plan_of(models["curve"])
    wrong = {spec["x"]: np.array(x), spec["y"]: np.zeros(len(x))}
    assert_refuses(spec, {**tensors, **wrong})
