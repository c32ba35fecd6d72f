"""SimpleImputer against scikit-learn: equal to the last bit, in numbers and in strings."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.registry import new_draft
from runtime.plan.graph import build
from runtime.plan.ops import Frame, InputRefused, PlanError
from runtime.plan.plan import signature_of
from runtime.plan.signature import Kind
from tests.unit.plan.twins import assert_bitwise, compiled

STRATEGIES = ["mean", "median", "most_frequent", "constant"]


def fitted(imputer: SimpleImputer, x: np.ndarray) -> SimpleImputer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # columns without any value are part of the cases
        return imputer.fit(x)


def answer(imputer: SimpleImputer, x: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return imputer.transform(x)


def test_texts_that_are_filled_are_answered_as_scikit_learn_answers_them():
    x = np.array([["a", 1.0], ["b", 2.0], [np.nan, np.nan], ["a", 2.0]], dtype=object)
    imputer = SimpleImputer(strategy="most_frequent", add_indicator=True).fit(x)
    node = compiled(imputer)
    asked = Frame((np.array(["b", None, "c"], object), np.array([np.nan, 3.0, 1.0])))
    rows = np.array([["b", np.nan], [np.nan, 3.0], ["c", 1.0]], dtype=object)
    found = node.run("transform", asked)
    assert found.dtype == object
    assert found.tolist() == imputer.transform(rows).tolist()
    output = signature_of(node, None).output("transform")
    assert output is not None
    assert (output.datatype, output.width) == ("BYTES", 4)


@st.composite
def matrices(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Training rows and 1 to 200 questions with NaN; some columns are empty in training."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    width = draw(st.integers(1, 5))
    x = random.normal(size=(draw(st.integers(1, 40)), width)).round(draw(st.integers(0, 3)))
    q = random.normal(size=(draw(st.sampled_from([1, 2, 30, 200])), width)).round(1)
    for table in (x, q):
        table[random.random(table.shape) < draw(st.sampled_from([0.0, 0.3]))] = np.nan
    x[0] = 1.0
    x[:, random.random(width) < draw(st.sampled_from([0.0, 0.4]))] = np.nan
    x[0, 0] = 2.0
    return x, q


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    matrices(),
    st.sampled_from(STRATEGIES),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, -7.5]),
)
def test_numbers_are_filled_as_scikit_learn_fills_them(tables, strategy, indicate, keep, fill):
    x, q = tables
    imputer = SimpleImputer(
        strategy=strategy, add_indicator=indicate, keep_empty_features=keep, fill_value=fill
    )
    fitted(imputer, x)
    node = compiled(imputer)
    before = q.copy()
    ours, theirs = node.run("transform", q), answer(imputer, q)
    assert_bitwise(ours, theirs)
    assert_bitwise(node.run("transform", q[-1:]), theirs[-1:])
    np.testing.assert_array_equal(q, before)
    assert node.n_out == theirs.shape[1]
    assert node.columns_in(False) == ((Kind.NUMBER, True),) * x.shape[1]
    signature_of(node, None)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(matrices(), st.sampled_from(STRATEGIES), st.booleans())
def test_a_number_can_stand_for_missing(tables, strategy, indicate):
    x, q = (np.nan_to_num(table, nan=-1) for table in tables)
    imputer = SimpleImputer(missing_values=-1, strategy=strategy, add_indicator=indicate)
    fitted(imputer, x)
    node = compiled(imputer)
    assert_bitwise(node.run("transform", q), answer(imputer, q))
    assert node.columns_in(True) == ((Kind.NUMBER, False),) * x.shape[1]


def test_integers_are_filled_through_their_own_dtype():
    x = np.array([[1, 0], [2, 5], [2, 5]])
    imputer = SimpleImputer(missing_values=0, strategy="most_frequent").fit(x)
    q = np.array([[0.0, 0.0], [1.5, 3.0]])
    assert_bitwise(compiled(imputer).transform(q), imputer.transform(q))


def test_an_older_imputer_fills_with_its_statistics_as_they_are():
    x = np.array([[1.5, np.nan], [2.0, 5.0]])
    imputer = SimpleImputer().fit(x)
    theirs = imputer.transform(x)
    del imputer._fill_dtype  # since 1.8
    del imputer.keep_empty_features  # since 1.2
    assert_bitwise(compiled(imputer).transform(x), theirs)


def test_float32_statistics_are_those_of_float32():
    x = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)
    imputer = SimpleImputer().fit(x)
    q = np.array([[np.nan, 1.0]])
    assert_bitwise(compiled(imputer).transform(q), imputer.transform(q))


@st.composite
def texts(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, Any]:
    """Object rows of strings and numbers, and questions; missing as None or as NaN."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    missing = draw(st.sampled_from([None, np.nan]))
    makers = {
        "strings": lambda rows: random.choice(np.array(["a", "b", "Ü", ""], object), rows),
        "numbers": lambda rows: random.integers(0, 4, rows).astype(np.float64).astype(object),
    }
    # Without NaN as what is missing, a number column has nothing that scikit-learn fills.
    kinds = ["strings"] if missing is None else ["strings", "numbers"]
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4))
    tables = []
    for rows in (draw(st.integers(1, 40)), draw(st.sampled_from([1, 2, 150]))):
        table = np.column_stack([makers[kind](rows) for kind in chosen]).astype(object)
        holes = random.random(table.shape) < 0.3
        if not tables:
            holes[0] = False
        table[holes] = missing
        tables.append(table)
    return tables[0], tables[1], missing


def held(x: np.ndarray, kinds: tuple[Kind, ...]) -> Frame:
    """The rows as the runtime holds them: missing is None in strings, NaN in numbers."""
    columns = []
    for column, kind in zip(x.T, kinds, strict=True):
        cells = column.copy()
        absent = np.array([cell is None or cell != cell for cell in cells])
        cells[absent] = np.nan if kind is Kind.NUMBER else None
        columns.append(cells.astype(np.float64) if kind is Kind.NUMBER else cells)
    return Frame(tuple(columns))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(texts(), st.sampled_from(["most_frequent", "constant"]), st.booleans())
def test_strings_are_filled_as_scikit_learn_fills_them(tables, strategy, indicate):
    x, q, missing = tables
    strings_only = all(isinstance(cell, str) for cell in x[0])
    if strategy == "constant" and not strings_only:
        strategy = "most_frequent"  # one constant cannot fill strings and numbers
    imputer = SimpleImputer(missing_values=missing, strategy=strategy, add_indicator=indicate)
    imputer.fit(x)
    node = compiled(imputer)
    kinds = tuple(kind for kind, _ in node.columns_in(True))
    assert kinds == tuple(Kind.STRING if isinstance(c, str) else Kind.NUMBER for c in x[0])
    filled = node.run("transform", held(q, kinds))
    assert_bitwise(filled, imputer.transform(q))
    assert filled.shape[1] == node.n_out == len(node.kinds_out)


def test_a_string_can_stand_for_missing():
    x = np.array([["?", "u"], ["a", "?"], ["a", "v"], ["b", "v"]], object)
    imputer = SimpleImputer(missing_values="?", strategy="most_frequent").fit(x)
    node = compiled(imputer)
    assert node.columns_in(True) == ((Kind.STRING, False),) * 2
    filled = node.run("transform", Frame((x[:, 0], x[:, 1])))
    assert_bitwise(filled, imputer.transform(x))


def test_a_string_column_without_any_value_is_dropped():
    x = np.array([["a", np.nan], ["b", np.nan]], object)
    imputer = fitted(SimpleImputer(strategy="most_frequent"), x)
    node = compiled(imputer)
    assert node.columns_in(True) == ((Kind.STRING, True), (Kind.ANY, True))
    one = Frame((np.array(["a", None], object), np.array([None, "q"], object)))
    assert_bitwise(node.run("transform", one), [["a"], ["a"]])


@pytest.mark.parametrize(
    ("imputer", "x"),
    [
        (SimpleImputer(strategy="constant", fill_value=np.datetime64("NaT")), [["a"], [np.nan]]),
        (SimpleImputer(), [[np.nan], [np.nan]]),
    ],
    ids=["dates", "all empty"],
)
def test_what_has_no_plan_says_so(imputer, x):
    x = np.array(x, object if isinstance(x[0][0], str) else np.float64)
    fitted(imputer, x)
    with pytest.raises(Unsupported):
        new_draft().node(imputer)


@pytest.mark.parametrize(
    "columns",
    [
        [],
        ["x"],
        [{"kind": "string"}],
        [{"kind": "string", "fill": 1.0}],
        [{"kind": "number", "fill": "a"}],
        [{"kind": "number", "fill": 10**400}],
        [{"kind": "number", "fill": True}],
        [{"kind": "any", "fill": "a"}],
        [{"kind": {}, "fill": None}],
    ],
    ids=str,
)
def test_malformed_columns_are_refused(columns):
    good = {"op": "impute_text", "columns": [{"kind": "string", "fill": "a"}]}
    build(good, {})
    with pytest.raises(PlanError, match="graph"):
        build({**good, "columns": columns}, {})
    with pytest.raises(PlanError, match="missing_value"):
        build({**good, "missing_value": []}, {})


@settings(max_examples=40, deadline=None, derandomize=True)
@given(matrices(), st.sampled_from(["missing-only", "all"]), st.sampled_from([np.nan, 1.0]))
def test_indicators_of_numbers_are_twins(tables, features, value):
    x, q = tables
    if value == 1.0:
        x, q = np.nan_to_num(x, nan=1.0), np.nan_to_num(q, nan=1.0)
    indicator = MissingIndicator(features=features, missing_values=value, error_on_new=False).fit(x)
    if not len(indicator.features_):
        with pytest.raises(Unsupported, match="no column"):
            new_draft().node(indicator)
        return
    node = compiled(indicator)
    assert_bitwise(node.run("transform", q), indicator.transform(q))
    assert signature_of(node, None).outputs[0].datatype == "BOOL"
    assert {missing for _, missing in node.columns_in(True)} == {value != 1.0}


def test_a_strict_indicator_refuses_what_was_never_missing():
    x = np.array([[1.0, np.nan], [2.0, 3.0]])
    node = compiled(MissingIndicator().fit(x))
    assert node.columns_in(True) == ((Kind.NUMBER, False), (Kind.NUMBER, True))


def test_indicators_of_strings_stand_beside_what_encodes_them():
    x = np.array([["a", "x"], [None, "y"], ["b", "y"], ["a", "x"]], object)
    union = FeatureUnion(
        [
            (
                "filled",
                make_pipeline(
                    SimpleImputer(missing_values=None, strategy="most_frequent"),
                    OneHotEncoder(sparse_output=False),
                ),
            ),
            ("gaps", MissingIndicator(missing_values=None)),
        ]
    )
    model = make_pipeline(union, LinearRegression()).fit(x, [1.0, 2.0, 3.0, 4.0])
    node = compiled(model)
    assert [kind for kind, _ in node.columns_in(True)] == [Kind.STRING] * 2
    for rows in (1, 4):
        q = Frame(tuple(x[:rows].T.copy()))
        assert_bitwise(node.run("predict", q), model.predict(x[:rows]))
        assert_bitwise(compiled(union).run("transform", q), union.transform(x[:rows]))


@pytest.mark.parametrize("value", [-1.0, "?"])
def test_a_strict_indicator_refuses_a_value_that_was_never_there(value):
    x = np.array([["a", "b"], ["c", "?"]], object) if value == "?" else np.eye(2) * [[1], [-1]]
    indicator = MissingIndicator(missing_values=value).fit(x)
    node = compiled(indicator)
    rows = Frame(tuple(x.T)) if value == "?" else x
    assert_bitwise(node.run("transform", rows), indicator.transform(x))
    bad = x.copy()
    bad[1, 0] = value
    with pytest.raises(ValueError, match=r"not have missing values at fit|features"):
        indicator.transform(bad)
    with pytest.raises(InputRefused, match="not in this column") as refused:
        node.run("transform", Frame(tuple(bad.T)) if value == "?" else bad)
    assert (refused.value.row, refused.value.column) == (1, 0)


def test_sparse_indicators_come_out_dense():
    x = np.array([[1.0, np.nan], [3.0, 1.0]])
    indicator = MissingIndicator(sparse=True).fit(x)
    assert_bitwise(compiled(indicator).run("transform", x), indicator.transform(x).toarray())
    model = make_pipeline(MissingIndicator(sparse=True), LinearRegression()).fit(x, [1.0, 2.0])
    node = compiled(model)
    assert node.exact == "tolerance"
    np.testing.assert_allclose(node.run("predict", x), model.predict(x), rtol=1e-12)
