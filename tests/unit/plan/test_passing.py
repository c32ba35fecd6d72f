"""Feature selection and functions of each cell against scikit-learn, in matrices and tables."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import feature_selection as fs
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.registry import new_draft
from runtime.plan import signature_of
from runtime.plan.graph import build
from runtime.plan.ops import Frame, InputRefused, Inputs, PlanError
from runtime.plan.passing import FUNCTIONS
from runtime.plan.signature import Kind
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled

LASSO = LogisticRegression(C=0.05, l1_ratio=1, solver="saga", tol=0.1)
SELECTORS = {
    "k best": fs.SelectKBest(k=2),
    "all": fs.SelectKBest(k="all"),
    "mutual information": fs.SelectKBest(fs.mutual_info_classif, k=2),
    "percentile": fs.SelectPercentile(percentile=50),
    "false positives": fs.SelectFpr(alpha=0.1),
    "false discoveries": fs.SelectFdr(alpha=0.2),
    "family-wise": fs.SelectFwe(alpha=0.2),
    "generic": fs.GenericUnivariateSelect(mode="k_best", param=3),
    "variance": fs.VarianceThreshold(0.5),
    "from a lasso": fs.SelectFromModel(LASSO),
    "from a forest": fs.SelectFromModel(
        RandomForestClassifier(5, random_state=0), threshold="mean"
    ),
    "from a forest, scaled": fs.SelectFromModel(
        RandomForestClassifier(5, random_state=0), threshold="0.8*median", max_features=2
    ),
    "from a pipeline": fs.SelectFromModel(
        make_pipeline(StandardScaler(), LogisticRegression()),
        importance_getter="named_steps.logisticregression.coef_",
    ),
    "eliminating": fs.RFE(LogisticRegression(), n_features_to_select=2),
    "eliminating by validation": fs.RFECV(DecisionTreeClassifier(random_state=0), cv=2),
    "sequential": fs.SequentialFeatureSelector(LogisticRegression(), n_features_to_select=2, cv=2),
}


def labelled(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(60, 5)), random.integers(0, 2, 60)
    x[:, 1] += 3 * y
    x[:, 4] -= 2 * y
    return x, y


def assert_twins(model: Any, rows: Any, ours: Inputs) -> None:
    node = compiled(model)
    names = getattr(model, "feature_names_in_", None)
    signature = signature_of(node, None if names is None else list(names))
    assert [output.name for output in signature.outputs] == list(node.methods)
    for method in node.methods:
        theirs = getattr(model, method)(rows)
        inexact = node.exact == "tolerance" and theirs.dtype.kind == "f"
        check = assert_within if inexact else assert_bitwise
        check(node.run(method, ours), theirs)


@pytest.mark.parametrize("name", SELECTORS)
def test_selectors_keep_the_same_columns(name):
    x, y = labelled()
    selector = SELECTORS[name].fit(x, y)
    q = labelled(1)[0]
    for rows in (1, 2, 60):
        assert_twins(selector, q[:rows], q[:rows])
    last = make_pipeline(StandardScaler(), selector, LogisticRegression()).fit(x, y)
    assert_twins(last, q, q)
    node = compiled(selector)
    assert node.n_out == selector.get_support().sum()
    assert [node.origin(j) for j in range(node.n_out)] == selector.get_support(True).tolist()


@pytest.mark.parametrize(
    ("model", "methods"),
    [
        (
            fs.RFE(LogisticRegression(), n_features_to_select=2),
            {"predict", "predict_proba", "decision_function", "transform"},
        ),
        (fs.RFE(SVC(kernel="linear")), {"predict", "decision_function", "transform"}),
        (fs.RFECV(Ridge(), cv=2), {"predict", "transform"}),
        (fs.RFECV(RandomForestClassifier(3), cv=2), {"predict", "predict_proba", "transform"}),
    ],
    ids=["logistic", "kernel", "ridge", "forest"],
)
def test_elimination_predicts_by_what_it_fitted_last(model, methods):
    x, y = labelled()
    model.fit(x, np.array(["no", "yes"])[y] if not isinstance(model.estimator, Ridge) else y)
    assert set(compiled(model).methods) == methods
    for rows in (1, 60):
        assert_twins(model, x[:rows], x[:rows])


def test_a_model_fitted_before_selects():
    x, y = labelled()
    selector = fs.SelectFromModel(LASSO.fit(x, y), prefit=True, threshold=1e-3).fit(x)
    assert_twins(selector, x, x)
    assert_twins(make_pipeline(StandardScaler(), selector, Ridge()).fit(x, y), x, x)


def test_missing_cells_pass_only_those_that_let_them():
    x, y = labelled()
    x[3, 0] = np.nan
    last = HistGradientBoostingRegressor(max_iter=2)
    variance = make_pipeline(fs.VarianceThreshold(0.5), last).fit(x, y)
    assert [missing for _, missing in compiled(variance).columns_in(True)] == [True] * 5
    assert_twins(variance, x, x)
    strict = make_pipeline(fs.SelectKBest(k=2), last).fit(np.nan_to_num(x), y)
    assert [missing for _, missing in compiled(strict).columns_in(True)] == [False] * 5
    # What is dropped may be missing, whatever comes next.
    x[:, [0, 2]] = 1.0
    linear = compiled(fs.VarianceThreshold(0.5).fit(x)).wants(((Kind.NUMBER, False),) * 3)
    assert linear == (
        (Kind.ANY, True),
        (Kind.NUMBER, False),
        (Kind.ANY, True),
        (Kind.NUMBER, False),
        (Kind.NUMBER, False),
    )


def test_strings_pass_a_selection():
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "city": random.choice(np.array(["Rome", "Oslo", "Bonn"], object), 80),
            "noise": random.choice(np.array(["a", "b"], object), 80),
            "age": random.normal(40, 9, 80),
            "size": random.choice(np.array(["s", "m", "l"], object), 80),
        }
    )
    table["noise"] = "a"
    y = (table["city"] == "Rome") ^ (table["size"] == "s")
    inner = make_pipeline(
        make_column_transformer(
            (OrdinalEncoder(), ["city", "noise", "size"]), remainder="passthrough"
        ),
        DecisionTreeClassifier(random_state=0),
    )
    # Its importances are in the order of the columns behind the encoder.
    selector = fs.SelectFromModel(
        inner,
        threshold=0.01,
        importance_getter=lambda model: model[-1].feature_importances_[[0, 1, 3, 2]],
    )
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    model = make_pipeline(selector, ColumnTransformer([("strings", encoder, [0])]), Ridge()).fit(
        table, y
    )
    kept = selector.get_support().tolist()
    assert kept == [True, False, False, True]
    held = Frame(
        tuple(
            table[name].to_numpy(np.float64 if name == "age" else object) for name in table.columns
        )
    )
    assert_twins(model, table, held)
    frame = compiled(selector).transform(held)
    assert isinstance(frame, Frame)
    assert len(frame.columns) == sum(kept)


def test_numbers_selected_from_a_table_are_a_matrix():
    spec = {"op": "select", "n_in": 3, "keep": "t", "refuses_missing": False}
    node = build(spec, {"t": np.array([0, 2])})
    words = np.array(["a", None], object)
    rows = Frame((np.array([1.0, 2.0]), words, np.array([3.0, 4.0])))
    assert_bitwise(node.transform(rows), np.array([[1.0, 3.0], [2.0, 4.0]]))


def test_malformed_selections_are_refused():
    x, y = labelled()
    model = fs.SelectKBest(k=2).fit(x, y)
    assert_refuses_broken(model)
    spec, tensors = plan_of(model)
    for wrong in ([1, 1], [4, 1], [1, 5]):
        assert_refuses(spec, {**tensors, spec["keep"]: np.array(wrong)})


def test_a_selection_of_nothing_has_no_plan():
    x, y = labelled()
    with pytest.raises(Unsupported, match="keeps no column"):
        new_draft().node(fs.SelectFpr(alpha=0.0).fit(x, y))


POSITIVE = {"log", "log2", "log10", "sqrt", "log1p"}


@pytest.mark.parametrize("name", FUNCTIONS)
@given(seed=st.integers(0, 2**32 - 1), rows=st.sampled_from([1, 2, 9, 200]), missing=st.booleans())
@settings(max_examples=6, deadline=None, derandomize=True)
def test_functions_are_those_of_numpy(name, seed, rows, missing):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 3)) * 3
    x[random.random(x.shape) < 0.1] = 0.0
    if missing:
        x[random.random(x.shape) < 0.3] = np.nan
    model = FunctionTransformer(FUNCTIONS[name]).fit(x)
    node = compiled(model)
    with np.errstate(all="ignore"):
        theirs = model.transform(x)
        alone = model.transform(x[-1:])
    assert_bitwise(node.run("transform", x), theirs)
    assert_bitwise(node.run("transform", x[-1:]), alone)
    if node.exact == "bitwise":
        assert_bitwise(theirs[-1:], alone)
    assert np.isfinite(node.run("transform", np.array([node.example()]))).all()
    assert signature_of(node, None).columns[0].missing


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_feed_a_linear_model(name):
    x = np.random.default_rng(0).uniform(1.0, 2.0, size=(40, 3))
    x = x / 2.5 if name in ("arcsin", "arccos", "arctanh") else x
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make_pipeline(FunctionTransformer(FUNCTIONS[name]), Ridge()).fit(x, x[:, 0])
    assert_twins(model, x, x)


@pytest.mark.parametrize("name", ["isnan", "nan_to_num"])
def test_functions_that_leave_no_gaps_take_missing_cells_before_any_model(name):
    x = np.random.default_rng(0).normal(size=(40, 3))
    x[x > 1] = np.nan
    model = make_pipeline(FunctionTransformer(FUNCTIONS[name]), Ridge()).fit(x, np.arange(40.0))
    assert_twins(model, x, x)
    assert all(missing for _, missing in compiled(model).columns_in(False))
    strict = FunctionTransformer(FUNCTIONS[name], validate=True).fit(np.nan_to_num(x))
    assert not any(missing for _, missing in compiled(strict).columns_in(True))


def test_no_function_at_all_passes_everything():
    x = np.random.default_rng(0).normal(size=(4, 3))
    assert_twins(FunctionTransformer().fit(x), x, x)
    strict = compiled(FunctionTransformer(validate=True).fit(x))
    assert strict.columns_in(True) == ((Kind.NUMBER, False),) * 3


def test_functions_of_a_table_are_those_of_its_columns():
    table = pd.DataFrame({"a": [1.0, 4.0], "b": [9.0, 16.0]})
    model = FunctionTransformer(np.sqrt).fit(table)
    assert_bitwise(compiled(model).run("transform", table.to_numpy()), model.transform(table))


def test_what_leaves_the_range_of_a_function_is_refused_by_the_next_step():
    x = np.random.default_rng(0).uniform(0.1, 0.9, size=(20, 2))
    model = make_pipeline(FunctionTransformer(np.arcsin), Ridge()).fit(x, x[:, 0])
    with pytest.raises(InputRefused, match="NaN") as refused:
        compiled(model).run("predict", np.array([[0.5, 0.5], [0.5, 1.5]]))
    assert (refused.value.row, refused.value.column) == (1, 1)


def test_an_unknown_function_is_refused():
    spec = {"op": "function", "n_in": 1, "function": "eval", "refuses_missing": False}
    with pytest.raises(PlanError, match="function"):
        build(spec, {})
