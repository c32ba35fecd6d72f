"""Pipelines and columns against scikit-learn: any nesting of strings, numbers and missing cells."""

import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import feature_selection as fs
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.random_projection import SparseRandomProjection
from sklearn.tree import DecisionTreeRegressor

from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.registry import new_draft
from runtime.plan import format as plan_format
from runtime.plan import load, signature_of
from runtime.plan.graph import build
from runtime.plan.ops import Frame, InputRefused, Inputs, Node, PlanError
from runtime.plan.signature import Kind
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled

CITIES = np.array(["Rome", "Oslo", "Bonn", "Ulm"], object)


def people(seed: int, rows: int) -> pd.DataFrame:
    """Numbers and strings, both with missing cells, and columns that models leave out."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "note": np.array([f"n{i}" for i in range(rows)], object),
            "age": random.normal(40, 9, rows),
            "city": random.choice(CITIES, rows),
            "income": np.exp(random.normal(size=rows)),
            "size": random.choice(np.array(["s", "m", "l"], object), rows),
            "rooms": random.integers(1, 5, rows).astype(np.float64),
            "unused": random.normal(size=rows),
        }
    )
    table.loc[2:, "age"] = table["age"][2:].mask(random.random(rows - 2) < 0.2)
    table.loc[2:, "city"] = table["city"][2:].mask(random.random(rows - 2) < 0.2, np.nan)
    table["city"] = table["city"].astype(object)
    return table


def held(table: pd.DataFrame) -> Frame:
    """The rows as the runtime holds them."""
    return Frame(
        tuple(
            (
                table[name].to_numpy(np.float64)
                if pd.api.types.is_numeric_dtype(table[name])
                else np.array([c if isinstance(c, str) else None for c in table[name]], object)
            )
            for name in table
        )
    )


def assert_same(node: Node, ours: Any, theirs: Any) -> None:
    theirs = theirs.toarray() if hasattr(theirs, "toarray") else np.asarray(theirs)
    if node.exact == "tolerance" and theirs.dtype.kind == "f":
        assert_within(ours, theirs)
    else:
        assert_bitwise(ours, theirs)


def assert_twins(model: Any, rows: Any, ours: Inputs) -> Node:
    node = compiled(model)
    names = getattr(model, "feature_names_in_", None)
    signature = signature_of(node, None if names is None else list(names))
    assert [output.name for output in signature.outputs] == list(node.methods)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for method in node.methods:
            assert_same(node, node.run(method, ours), getattr(model, method)(rows))
    return node


CATEGORIES = {
    "one-hot": OneHotEncoder(handle_unknown="ignore"),
    "dense": OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    "rare": OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=0.2, drop="first"),
    "ordinal": OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
    ),
    "target": TargetEncoder(cv=2),
    "filled": make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    ),
    "constant": make_pipeline(
        SimpleImputer(strategy="constant", fill_value="?", add_indicator=True),
        OneHotEncoder(handle_unknown="ignore"),
    ),
}
NUMBERS = {
    "scaled": make_pipeline(SimpleImputer(), StandardScaler()),
    "indicated": make_pipeline(StandardScaler(), SimpleImputer(add_indicator=True)),
    "polynomial": make_pipeline(SimpleImputer(), PolynomialFeatures(2), Normalizer()),
    "union": make_pipeline(
        SimpleImputer(),
        FeatureUnion(
            [("a", MinMaxScaler()), ("b", "passthrough"), ("c", "drop")],
            transformer_weights={"a": 3},
        ),
    ),
    "binned": make_pipeline(SimpleImputer(), KBinsDiscretizer(3)),
    "shares": make_pipeline(QuantileTransformer(n_quantiles=20), SimpleImputer()),
    "powers": make_pipeline(SimpleImputer(), PowerTransformer()),
    "splines": SplineTransformer(3, handle_missing="zeros", extrapolation="linear"),
    "neighbours": KNNImputer(),
    "chained": IterativeImputer(max_iter=2, tol=10.0, random_state=0),
    "waves": make_pipeline(SimpleImputer(), RBFSampler(n_components=5, random_state=0)),
    "left": "passthrough",
}
LAST = {
    "logistic": LogisticRegression(),
    "forest": RandomForestClassifier(3, random_state=0),
    "boosting": HistGradientBoostingClassifier(max_iter=2),
    "nothing": "passthrough",
}
CHOICES = {
    "names": (["age", "income", "rooms"], ["city", "size"]),
    "positions": ([1, 3, -2], [2, 4]),
    "selector": (["age", "rooms"], make_column_selector(pattern="city|size")),
    "masks": ([i in (1, 5) for i in range(7)], [i in (2, 4) for i in range(7)]),
    "slices": (slice("age", "age"), slice(2, 3)),
}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.sampled_from([1, 2, 40, 200]),
    categories=st.sampled_from(sorted(CATEGORIES)),
    numbers=st.sampled_from(sorted(NUMBERS)),
    last=st.sampled_from(sorted(LAST)),
    choice=st.sampled_from(sorted(CHOICES)),
    weighted=st.booleans(),
)
def test_tables_go_through_any_columns_as_in_scikit_learn(
    seed, rows, categories, numbers, last, choice, weighted
):
    table = people(seed, 80)
    some, others = CHOICES[choice]
    if last in ("logistic", "forest") and numbers == "left":
        some = ["income"]  # neither a linear model nor a tree over a sparse matrix takes NaN
        others = ["city", "size"]
    columns = ColumnTransformer(
        [
            ("numbers", NUMBERS[numbers], some),
            ("categories", CATEGORIES[categories], others),
            ("none", "drop", ["note"]),
            ("empty", StandardScaler(), []),
        ],
        transformer_weights={"numbers": 0.5} if weighted else None,
        sparse_threshold=1.0 if last in ("logistic", "forest") else 0.0,
    )
    y = np.random.default_rng(seed).integers(0, 2, len(table))
    model = Pipeline([("columns", columns), ("last", LAST[last])])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(table, y)
    asked = people(seed + 1, max(rows, 3))[:rows].reset_index(drop=True)
    asked.loc[asked.index[:1], "size"] = "unheard of"
    assert_twins(model, asked, held(asked))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.sampled_from([1, 3, 200]),
    remainder=st.sampled_from(["drop", "passthrough", StandardScaler()]),
    scaler=st.sampled_from([StandardScaler(), Normalizer(), FunctionTransformer(np.log1p), None]),
    selector=st.sampled_from([fs.SelectKBest(k=2), fs.VarianceThreshold(0.01), "passthrough"]),
)
def test_matrices_stay_matrices(seed, rows, remainder, scaler, selector):
    random = np.random.default_rng(seed)
    x, q = np.exp(random.normal(size=(60, 5))), np.exp(random.normal(size=(rows, 5)))
    model = make_pipeline(
        ColumnTransformer([("a", scaler or "passthrough", [3, 0, 2])], remainder=remainder),
        "passthrough",
        selector,
        LogisticRegression(),
    ).fit(x, random.integers(0, 3, 60))
    node = assert_twins(model, q, q)
    assert all(kind is Kind.NUMBER for kind, _ in node.columns_in(True))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), rows=st.sampled_from([1, 2, 50]))
def test_scaler_and_linear_model_are_equal_to_the_last_bit(seed, rows):
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(50, 6)), random.integers(0, 2, 50)
    model = make_pipeline(StandardScaler(), PolynomialFeatures(2), LogisticRegression()).fit(x, y)
    node = assert_twins(model, x[:rows], x[:rows])
    assert node.exact == "batch"
    np.testing.assert_array_equal(node.classes, [0, 1])


@pytest.mark.parametrize("last", [Ridge(), DecisionTreeRegressor(max_depth=4, random_state=0)])
def test_a_union_of_preprocessing_stands_side_by_side(last):
    x = np.random.default_rng(0).normal(size=(90, 4))
    union = FeatureUnion(
        [
            ("bins", KBinsDiscretizer(3, encode="onehot-dense")),
            ("shares", QuantileTransformer(n_quantiles=10)),
            ("splines", SplineTransformer(3, include_bias=False)),
            ("some", fs.SelectKBest(fs.f_regression, k=2)),
            ("few", SparseRandomProjection(2, random_state=0)),
            ("powers", PowerTransformer()),
        ],
        transformer_weights={"shares": 2.0},
    )
    model = make_pipeline(StandardScaler(), union, last).fit(x, x[:, 0] ** 2)
    for rows in (1, 2, 90):
        assert_twins(model, x[:rows], x[:rows])


def test_strings_pass_one_column_transformer_to_be_encoded_by_the_next():
    table = people(0, 50)[["age", "city", "size"]]
    first = ColumnTransformer(
        [("city", SimpleImputer(strategy="most_frequent"), ["city"])], remainder="passthrough"
    )
    second = ColumnTransformer(
        [("strings", OneHotEncoder(), [0, 2]), ("age", SimpleImputer(), [1])], sparse_threshold=0
    )
    model = make_pipeline(first, second, LogisticRegression())
    model.fit(table, np.arange(50) % 2)
    node = assert_twins(model, table[:7], held(table[:7]))
    assert node.columns_in(True) == (
        (Kind.NUMBER, True),
        (Kind.STRING, True),
        (Kind.STRING, False),
    )
    asked = held(table[:7])
    asked.columns[2][4] = "xxl"
    with pytest.raises(InputRefused, match="xxl") as refused:
        node.run("predict", asked)
    assert (refused.value.row, refused.value.column) == (4, 2)


def test_a_refused_cell_is_named_by_the_outermost_column():
    table = people(0, 50)
    inner = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())
    columns = ColumnTransformer([("n", SimpleImputer(), ["age"]), ("c", inner, ["size", "city"])])
    node = compiled(make_pipeline(columns, Ridge()).fit(table, np.arange(50.0)))
    asked = held(table[:3])
    asked.columns[2][1] = "Atlantis"
    with pytest.raises(InputRefused, match="Atlantis") as refused:
        node.run("predict", asked)
    assert (refused.value.row, refused.value.column) == (1, 2)


def test_columns_left_out_may_hold_anything_in_a_table_and_are_numbers_in_a_matrix():
    table = people(0, 50)
    numeric = ColumnTransformer([("n", SimpleImputer(), ["age"])])
    node = compiled(numeric.fit(table))
    assert node.columns_in(True)[:2] == ((Kind.ANY, True), (Kind.NUMBER, True))
    assert_bitwise(node.run("transform", held(table)), numeric.transform(table))
    x = table[["age", "income", "rooms"]].to_numpy()
    node = compiled(ColumnTransformer([("n", SimpleImputer(), [0])]).fit(x))
    assert node.columns_in(True) == ((Kind.NUMBER, True),) * 3


def test_a_missing_cell_is_allowed_as_far_as_each_column_is_followed():
    x = np.random.default_rng(0).normal(size=(20, 3))
    columns = ColumnTransformer(
        [("a", make_pipeline(StandardScaler(), SimpleImputer()), [0]), ("b", StandardScaler(), [1])]
    )
    node = compiled(make_pipeline(columns, LinearRegression()).fit(x, x[:, 2]))
    assert [ok for _, ok in node.columns_in(True)] == [True, False, True]


@pytest.mark.parametrize("scale", [True, False])
def test_what_a_function_makes_of_a_number_is_refused_where_scikit_learn_refuses_it(scale):
    x = np.exp(np.random.default_rng(0).normal(size=(20, 2)))
    steps = [StandardScaler()] if scale else []
    model = make_pipeline(FunctionTransformer(np.log), *steps, LinearRegression()).fit(x, x[:, 0])
    node = assert_twins(model, x, x)
    q = x.copy()
    q[3, 1] = -1.0
    with pytest.raises(ValueError, match="NaN"), np.errstate(all="ignore"):
        model.predict(q)
    with pytest.raises(InputRefused, match="NaN") as refused:
        node.run("predict", q)
    assert (refused.value.row, refused.value.column) == (3, 1)


def test_an_unknown_category_that_becomes_nan_is_refused_by_a_linear_model():
    x = np.array(["a", "b"] * 5, object).reshape(-1, 1)
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    node = compiled(make_pipeline(encoder, LinearRegression()).fit(x, np.arange(10.0)))
    with pytest.raises(InputRefused) as refused:
        node.run("predict", Frame((np.array(["a", "c"], object),)))
    assert (refused.value.row, refused.value.column) == (1, 0)


def test_a_search_is_its_best_estimator():
    x = np.random.default_rng(0).normal(size=(40, 3))
    search = GridSearchCV(make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [1.0, 10.0]})
    assert_twins(search.fit(x, x[:, 0]), x, x)


def own(x: np.ndarray) -> np.ndarray:
    return np.log1p(x)


own.__name__ = "log1p"


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (FunctionTransformer(own), "'log1p' is not one of"),
        (FunctionTransformer(np.clip, kw_args={"a_min": 0, "a_max": 1}), "arguments"),
        (ColumnTransformer([("a", "drop", [0])]), "keeps no column"),
        (
            make_pipeline(StandardScaler(), FunctionTransformer(own)),
            "^Pipeline > FunctionTransformer",
        ),
        (
            make_pipeline(
                OneHotEncoder(handle_unknown="ignore"), QuantileTransformer(n_quantiles=3)
            ),
            "zeros of a sparse",
        ),
        (GridSearchCV(Ridge(), {"alpha": [1.0]}, refit=False), "not refitted"),
    ],
)
def test_what_has_no_plan_says_where_and_why(model, words):
    x = np.random.default_rng(0).normal(size=(20, 2)) ** 2
    model.fit(x, x[:, 0])
    with pytest.raises(Unsupported, match=words):
        new_draft().node(model)


def test_strings_as_the_outcome_have_no_plan():
    x = np.array([["a"], ["b"], [np.nan]], object)
    model = make_pipeline("passthrough", SimpleImputer(strategy="most_frequent"), "passthrough")
    columns = ColumnTransformer([("a", model, [0])]).fit(x)
    with pytest.raises(PlanError, match="string"):
        signature_of(compiled(columns), None)


def test_a_whole_model_survives_its_file(tmp_path: Path):
    table = people(3, 60)
    columns = ColumnTransformer(
        [
            ("n", make_pipeline(SimpleImputer(), StandardScaler()), ["age", "income"]),
            ("c", OneHotEncoder(handle_unknown="ignore"), ["city", "size"]),
        ]
    )
    model = make_pipeline(columns, LogisticRegression()).fit(table, np.arange(60) % 2)
    draft = new_draft()
    spec = draft.node(model)
    signature = signature_of(build(spec, draft.tensors), list(model.feature_names_in_))
    content = io.BytesIO()
    plan_format.write(
        content,
        graph=json.loads(json.dumps(spec)),
        tensors=draft.tensors,
        signature=signature.to_json(),
        cost={"c0_us": 1.0, "c1_us": 0.1},
        provenance={},
    )
    path = tmp_path / "plan"
    path.write_bytes(content.getvalue())
    plan = load(path)
    assert plan.signature == signature
    assert [column.name for column in plan.signature.columns] == list(table.columns)
    assert_within(plan.run("predict_proba", held(table)), model.predict_proba(table))


LINE = {"op": "identity", "n_in": 2, "refuses_missing": False}
PIPELINE = {"op": "pipeline", "steps": [LINE, LINE], "shows_head": False, "sparse": False}
PART = {"node": LINE, "columns": [1, 0], "weight": None}
COLUMNS = {"op": "columns", "n_in": 2, "any_unused": False, "parts": [PART]}


@pytest.mark.parametrize(
    "spec",
    [
        {**PIPELINE, "steps": []},
        {**PIPELINE, "steps": [LINE, {**LINE, "n_in": 3}]},
        {**PIPELINE, "steps": LINE},
        {**PIPELINE, "shows_head": True},
        {**COLUMNS, "parts": []},
        {**COLUMNS, "parts": [LINE]},
        {**COLUMNS, "parts": [{**PART, "columns": [0]}]},
        {**COLUMNS, "parts": [{**PART, "columns": [0, 2]}]},
        {**COLUMNS, "parts": [{**PART, "columns": [0, True]}]},
        {**COLUMNS, "parts": [{**PART, "columns": 2}]},
        {**COLUMNS, "parts": [{**PART, "weight": 1}]},
        {**COLUMNS, "parts": [{**PART, "weight": float("inf")}]},
    ],
)
def test_malformed_graphs_are_refused(spec):
    build(PIPELINE, {})
    build(COLUMNS, {})
    with pytest.raises(PlanError, match="graph"):
        build(spec, {})


@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler((1, 2)), MinMaxScaler((-1, 1))])
@pytest.mark.parametrize("first", [True, False])
def test_a_logarithm_after_a_scaler_has_an_example_that_it_takes(scaler, first):
    x = np.exp(np.random.default_rng(0).normal(size=(20, 2))) * [3.0, 1e-3]
    log = FunctionTransformer(np.log)
    with np.errstate(all="ignore"):
        model = make_pipeline(*((log, scaler) if first else (scaler, log))).fit(x)
        node = assert_twins(model, x, x)
    assert np.isfinite(node.run("transform", np.array([node.example()]))).all()
