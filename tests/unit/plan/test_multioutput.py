"""One model an output, side by side or chained, against scikit-learn."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from controlplane.builder.lower.base import Unsupported
from runtime.plan import signature_of
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

CLASSIFIERS = {
    "logistic": LogisticRegression(max_iter=20),
    "scaled": make_pipeline(StandardScaler(), LogisticRegression(max_iter=20)),
    "ridge": RidgeClassifier(),
    "bayes": GaussianNB(),
    "forest": RandomForestClassifier(3, max_depth=3, random_state=0),
    "boosting": HistGradientBoostingClassifier(max_iter=2, max_depth=2),
}
REGRESSORS = {
    "ridge": Ridge(),
    "scaled": make_pipeline(StandardScaler(), Ridge()),
    "forest": RandomForestRegressor(3, max_depth=3, random_state=0),
    "boosting": GradientBoostingRegressor(n_estimators=3),
}
LABELS = {
    "int": [np.array([-3, 0, 7]), np.array([4, 9])],
    "str": [np.array(["no", "yes", "perhaps"]), np.array(["a", "b"])],
    "bool": [np.array([False, True]), np.array([True, False])],
}


def outputs(seed: int, labels: str, count: int) -> np.ndarray:
    known = LABELS[labels]
    random = np.random.default_rng(seed)
    return np.stack([random.choice(known[i % 2], 60) for i in range(count)], axis=1)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    SEEDS,
    ROWS,
    st.sampled_from(sorted(LABELS)),
    st.sampled_from(sorted(CLASSIFIERS)),
    st.sampled_from([1, 2, 4]),
)
def test_classifiers_side_by_side_are_twins(seed, rows, labels, base, count):
    x, _ = table(seed, 60, "two")
    model = MultiOutputClassifier(CLASSIFIERS[base]).fit(x, outputs(seed, labels, count))
    node = assert_serves(model, questions(seed, rows))
    widths = {output.name: output.width for output in signature_of(node, None).outputs}
    assert widths["predict"] == count
    assert ("predict_proba" in widths) == (base != "ridge")


@settings(max_examples=25, deadline=None, derandomize=True)
@given(SEEDS, ROWS, st.sampled_from(sorted(REGRESSORS)), st.sampled_from([1, 3]))
def test_regressors_side_by_side_are_twins(seed, rows, base, count):
    x, _ = table(seed, 60, "two")
    model = MultiOutputRegressor(REGRESSORS[base]).fit(x, x[:, :count] ** 2)
    assert_serves(model, questions(seed, rows))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    SEEDS,
    ROWS,
    st.sampled_from(sorted(CLASSIFIERS)),
    st.sampled_from([1, 2, 4]),
    st.sampled_from(["predict", "predict_proba", "decision_function"]),
    st.booleans(),
    st.sampled_from([None, 2]),
)
def test_chained_classifiers_are_twins(seed, rows, base, count, method, shuffled, cv):
    x, _ = table(seed, 60, "two")
    y = np.random.default_rng(seed).integers(0, 2, (60, count))
    if not hasattr(CLASSIFIERS[base], method):
        method = "predict"
    order = "random" if shuffled else None
    model = ClassifierChain(
        CLASSIFIERS[base], order=order, chain_method=method, cv=cv, random_state=seed % 1000
    ).fit(x, y)
    node = assert_serves(model, questions(seed, rows))
    for name in ("predict_proba", "decision_function"):
        assert (name in node.methods) == hasattr(CLASSIFIERS[base], name)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(SEEDS, ROWS, st.sampled_from(sorted(REGRESSORS)), st.sampled_from([1, 3]), st.booleans())
def test_chained_regressors_are_twins(seed, rows, base, count, shuffled):
    x, _ = table(seed, 60, "two")
    order = [2, 0, 1] if shuffled and count == 3 else None
    model = RegressorChain(REGRESSORS[base], order=order).fit(x, x[:, :count] ** 2)
    assert_serves(model, questions(seed, rows))


def test_a_chain_of_more_than_two_classes_only_predicts():
    x, _ = table(0, 60, "two")
    model = ClassifierChain(GaussianNB()).fit(x, outputs(0, "int", 3))
    assert assert_serves(model, questions(0, 9)).methods == ("predict",)


def test_a_chain_fed_with_logarithms_has_no_plan():
    x, _ = table(0, 60, "two")
    model = ClassifierChain(GaussianNB(), chain_method="predict_log_proba")
    with pytest.raises(Unsupported, match="logarithms"):
        compiled(model.fit(x, (x[:, :2] > 0).astype(int)))


def test_a_chain_refuses_missing_values_and_names_its_own_columns():
    x, _ = table(0, 60, "two")
    y = (x[:, :2] > 0).astype(int)
    node = compiled(ClassifierChain(CLASSIFIERS["boosting"]).fit(x, y))
    assert not any(ok for _, ok in node.columns_in(True))
    node, q = compiled(ClassifierChain(DecisionTreeClassifier()).fit(x, y)), questions(0, 4)
    q[1, 3] = 1e300
    with pytest.raises(InputRefused) as refused:
        node.run("predict", q)
    assert (refused.value.row, refused.value.column) == (1, 3)


def test_what_a_chain_feeds_itself_is_refused_without_a_column():
    x, _ = table(0, 60, "two")
    model = RegressorChain(Ridge()).fit(x, x[:, :2])
    model.estimators_[0].coef_ *= 1e38
    model.estimators_[1] = RandomForestRegressor(2).fit(np.c_[x, x[:, 0]], x[:, 1])
    node, q = compiled(model), questions(0, 4)
    q[2, 0] = 1e3
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="float32"):
        model.predict(q)
    with pytest.raises(InputRefused, match="float32") as refused:
        node.run("predict", q)
    assert refused.value.column is None


def test_members_may_take_strings():
    frame = people(60)
    y = np.stack([frame.index % 2, frame.index % 3], axis=1)
    model = MultiOutputClassifier(encoded(LogisticRegression(max_iter=20))).fit(frame, y)
    assert_serves(model, people(9), held(people(9)))


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    x, _ = table(0, 60, "two")
    y = (x[:, :2] > 0).astype(int)
    return {
        "beside": MultiOutputClassifier(GaussianNB()).fit(x, y),
        "chain": ClassifierChain(GaussianNB(), chain_method="predict_proba").fit(x, y),
        "values": RegressorChain(Ridge()).fit(x, x[:, :2]),
    }


@pytest.mark.parametrize("name", ["beside", "chain", "values"])
def test_broken_plans_are_refused(models, name):
    assert_refuses_broken(models[name])


LINE = {"op": "identity", "n_in": 4, "refuses_missing": False}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("beside", {"members": []}),
        ("beside", {"members": [LINE]}),
        ("chain", {"members": []}),
        ("chain", {"members": [LINE]}),
        ("chain", {"feeds": "transform"}),
        ("chain", {"feeds": "decision_function"}),
        ("chain", {"has_decision_function": True}),
        ("values", {"feeds": "predict_proba"}),
        ("values", {"has_predict_proba": True}),
    ],
)
def test_what_does_not_fit_together_is_refused(models, name, change):
    spec, tensors = plan_of(models[name])
    assert_refuses({**spec, **change}, tensors)


@pytest.mark.parametrize("order", [[0, 0], [0, 2], [-1, 0]])
def test_an_order_that_leaves_an_output_out_is_refused(models, order):
    spec, tensors = plan_of(models["chain"])
    assert_refuses(spec, {**tensors, spec["order"]: np.array(order)})


def test_a_chain_out_of_step_is_refused(models):
    spec, tensors = plan_of(models["chain"])
    assert_refuses({**spec, "members": spec["members"][::-1]}, tensors)


def test_members_that_predict_strings_are_not_chained(models):
    x, _ = table(0, 60, "two")
    spec, _ = plan_of(models["chain"])
    inner, theirs = plan_of(GaussianNB().fit(x, np.where(x[:, 0] > 0, "a", "b")))
    assert_refuses({**spec, "members": [inner], "order": "o"}, {**theirs, "o": np.zeros(1, int)})
