"""Encoders against scikit-learn: equal to the last bit for known, unknown and missing cells."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder
from sklearn.tree import DecisionTreeRegressor

from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.registry import new_draft
from runtime.plan.graph import build
from runtime.plan.ops import Frame, InputRefused, Node, PlanError
from runtime.plan.plan import signature_of
from runtime.plan.signature import Kind
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of
from tests.unit.plan.twins import assert_bitwise, compiled

WORDS = np.array(["a", "B", "", "Ünïcode", "a b", "10", "nan", "zz"], object)
NUMBERS = np.array([-3.0, -0.0, 0.5, 1.0, 2.0, 1e300, 7.0, 2.0**53])
HOLES: dict[str, Any] = {"none": None, "nan": np.nan}


@st.composite
def columns(draw: st.DrawFn, rows: int) -> pd.Series:
    """One training column: strings or numbers, perhaps with cells missing in one way."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["strings", "floats", "integers", "booleans"]))
    some = draw(st.integers(1, 6))
    holes = draw(st.sampled_from([None, "none", "nan"]))
    if kind == "integers":
        return pd.Series(random.integers(-2, some, rows))
    if kind == "booleans":
        return pd.Series(random.integers(0, 2, rows).astype(bool))
    cells = random.choice((WORDS if kind == "strings" else NUMBERS)[:some], rows)
    gaps = (random.random(rows) < 0.2) if holes else np.zeros(rows, bool)
    if kind == "floats":
        return pd.Series(np.where(gaps, np.nan, cells))
    cells = cells.astype(object)
    cells[gaps] = HOLES[holes or "none"]
    return pd.Series(cells, dtype=object)


@st.composite
def tables(draw: st.DrawFn) -> tuple[pd.DataFrame, int]:
    rows = draw(st.integers(1, 60))
    made = [draw(columns(rows)) for _ in range(draw(st.integers(1, 4)))]
    return pd.DataFrame({f"c{i}": column for i, column in enumerate(made)}), draw(
        st.integers(0, 2**32 - 1)
    )


def questions(table: pd.DataFrame, seed: int, *, unknown: bool) -> tuple[pd.DataFrame, Frame]:
    """Rows for scikit-learn, and the same as the runtime would hold them."""
    random = np.random.default_rng(seed)
    rows = int(random.choice([1, 2, 17, 200]))
    asked, cells = {}, []
    for name, column in table.items():
        picked = column.to_numpy()[random.integers(0, len(column), rows)]
        if column.dtype == object:
            missing_as = next((v for v in column if not isinstance(v, str)), None)
            if unknown:
                picked[random.random(rows) < 0.2] = "never seen"
                picked[random.random(rows) < 0.2] = missing_as
            asked[name] = pd.Series(picked, dtype=object)
            strings = picked.copy()
            strings[[not isinstance(v, str) for v in picked]] = None
            cells.append(strings)
            continue
        picked = picked.astype(np.float64)
        if unknown:
            picked[random.random(rows) < 0.2] = 0.123
            picked[random.random(rows) < 0.2] = np.nan
        asked[name] = pd.Series(picked)
        cells.append(picked)
    return pd.DataFrame(asked), Frame(tuple(cells))


def assert_twins(encoder: Any, table: pd.DataFrame, seed: int, *, unknown: bool) -> Node:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "found unknown categories": asked for
        encoder.fit(table)
        asked, frame = questions(table, seed, unknown=unknown)
        theirs = encoder.transform(asked)
    node = compiled(encoder)
    assert node.exact == "bitwise"
    assert_bitwise(node.run("transform", frame), theirs)
    last = Frame(tuple(cells[-1:] for cells in frame.columns))
    assert_bitwise(node.run("transform", last), theirs[-1:])
    assert node.n_out == theirs.shape[1]
    for column, (kind, _) in zip(frame.columns, node.columns_in(True), strict=True):
        assert kind is (Kind.STRING if column.dtype == object else Kind.NUMBER) or not any(
            isinstance(v, str) for v in column
        )
    if node.n_out:
        signature_of(node, None)
    return node


RARE = st.sampled_from([{}, {"min_frequency": 3}, {"max_categories": 2}, {"min_frequency": 0.3}])


@settings(max_examples=70, deadline=None, derandomize=True)
@given(
    tables(),
    st.sampled_from(["error", "ignore", "infrequent_if_exist", "warn"]),
    st.sampled_from([None, "first", "if_binary"]),
    RARE,
)
def test_one_hot_encoder_is_a_twin(case, handle_unknown, drop, rare):
    table, seed = case
    encoder = OneHotEncoder(handle_unknown=handle_unknown, drop=drop, sparse_output=False, **rare)
    assert_twins(encoder, table, seed, unknown=handle_unknown != "error")


@settings(max_examples=50, deadline=None, derandomize=True)
@given(tables(), st.sampled_from([None, -1, np.nan, 99]), st.sampled_from([np.nan, -2, 77]), RARE)
def test_ordinal_encoder_is_a_twin(case, unknown_value, missing_value, rare):
    table, seed = case
    handle = "error" if unknown_value is None else "use_encoded_value"
    encoder = OrdinalEncoder(
        handle_unknown=handle,
        unknown_value=unknown_value,
        encoded_missing_value=missing_value,
        **rare,
    )
    assert_twins(encoder, table, seed, unknown=unknown_value is not None)


@settings(max_examples=70, deadline=None, derandomize=True)
@given(
    tables(),
    st.sampled_from(["continuous", "binary", "multiclass", "words"]),
    st.sampled_from(["auto", 0.0, 10.0]),
)
def test_target_encoder_is_a_twin(case, kind, smooth):
    table, seed = case
    random = np.random.default_rng(seed)
    targets = {
        "continuous": random.normal(size=len(table)),
        "binary": np.arange(len(table)) % 2,
        "multiclass": np.arange(len(table)) % 3,
        "words": np.array(["no", "yes"])[np.arange(len(table)) % 2],
    }
    if len(table) < 4:
        return  # every kind of target needs its classes
    encoder = TargetEncoder(smooth=smooth)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        encoder.fit(table, targets[kind])
        asked, frame = questions(table, seed, unknown=True)
        theirs = encoder.transform(asked)
    node = compiled(encoder)
    assert node.exact == "bitwise"
    assert_bitwise(node.run("transform", frame), theirs)
    last = Frame(tuple(cells[-1:] for cells in frame.columns))
    assert_bitwise(node.run("transform", last), theirs[-1:])
    assert node.n_out == theirs.shape[1] == table.shape[1] * (3 if kind == "multiclass" else 1)
    assert all(allowed for _, allowed in node.columns_in(False))
    assert node.origin(node.n_out - 1) == node.n_in - 1
    signature_of(node, None)


def test_a_target_encoder_feeds_a_linear_model_and_trees():
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {"a": random.choice(WORDS, 90), "b": random.choice(WORDS, 90)}, dtype=object
    )
    y = random.integers(0, 3, 90)
    for last in (Ridge(), DecisionTreeRegressor(random_state=0)):
        model = make_pipeline(TargetEncoder(), last).fit(table, y)
        held = Frame((table["a"].to_numpy(object), table["b"].to_numpy(object)))
        assert_bitwise(compiled(model).run("predict", held), model.predict(table))


def test_malformed_target_encodings_are_refused():
    x = np.array([["x"], ["y"], ["x"], ["y"]], object)
    encoder = TargetEncoder(cv=2).fit(x, np.arange(4.0))
    assert_refuses_broken(encoder)
    spec, tensors = plan_of(encoder)
    assert_refuses(spec, {**tensors, spec["values"]: np.empty((3, 0))})
    assert_refuses(spec, {**tensors, spec["values"]: np.zeros((2, 1))})
    assert_refuses({**spec, "columns": []}, tensors)


def strings(*cells: str | None) -> np.ndarray:
    return np.array(cells, object)


def frame(*columns: np.ndarray) -> Frame:
    return Frame(columns)


def test_a_category_by_choice_is_dropped():
    x = pd.DataFrame({"a": strings("x", "y", "z", "y"), "b": [1.0, 2.0, 2.0, 5.0]})
    encoder = OneHotEncoder(drop=np.array(["y", 2.0], object), sparse_output=False).fit(x)
    node = compiled(encoder)
    assert_bitwise(
        node.transform(frame(x["a"].to_numpy(), x["b"].to_numpy())), encoder.transform(x)
    )


def test_categories_given_out_of_order_keep_their_order():
    x = np.array([[3], [1], [2]], object)
    encoder = OneHotEncoder(categories=[[3, 1, 2]], sparse_output=False).fit(x)
    node = compiled(encoder)
    assert_bitwise(node.transform(np.array([[1.0], [2.0], [3.0]])), encoder.transform(x[[1, 2, 0]]))


def test_sparse_output_comes_out_dense():
    x = strings("x", "y", "z").reshape(-1, 1)
    node = compiled(OneHotEncoder().fit(x))
    assert_bitwise(node.transform(frame(x[:, 0])), np.eye(3))


def test_none_and_nan_both_as_categories_take_a_missing_cell_for_none():
    x = strings("x", None, "y").reshape(-1, 1)
    x = np.vstack([x, [[np.nan]]])
    encoder = OneHotEncoder(sparse_output=False).fit(x)
    node = compiled(encoder)
    assert_bitwise(node.transform(frame(strings(None, "x"))), encoder.transform(x[[1, 0]]))


@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize("encoder", [OneHotEncoder(), OrdinalEncoder()], ids=["one-hot", "ordinal"])
def test_an_unknown_category_is_refused_with_its_place(encoder, rows):
    x = pd.DataFrame({"a": strings("x", "y"), "b": [1.0, 2.0]})
    node = compiled(encoder.fit(x))
    words, floats = strings(*["x"] * rows), np.ones(rows)
    words[-1] = "q"
    with pytest.raises(InputRefused, match="'q' is not one of the categories") as refused:
        node.transform(frame(words, floats))
    assert (refused.value.row, refused.value.column) == (rows - 1, 0)
    words[-1], floats[-1] = "x", 3.5
    with pytest.raises(InputRefused, match=r"3\.5 is not one of the categories") as refused:
        node.transform(frame(words, floats))
    assert (refused.value.row, refused.value.column) == (rows - 1, 1)


def test_a_missing_cell_is_refused_where_training_had_none():
    x = pd.DataFrame({"a": strings("x", "y"), "b": [1.0, np.nan]})
    node = compiled(OneHotEncoder().fit(x))
    assert node.columns_in(True) == ((Kind.STRING, False), (Kind.NUMBER, True))
    with pytest.raises(InputRefused, match="a missing value") as refused:
        node.transform(frame(strings(None), np.ones(1)))
    assert refused.value.column == 0


def test_missing_becomes_nan_only_where_the_next_step_takes_it():
    x = pd.DataFrame({"a": strings("x", np.nan), "b": strings("x", "y")})
    node = compiled(OrdinalEncoder().fit(x))
    assert [ok for _, ok in node.columns_in(True)] == [True, False]
    assert [ok for _, ok in node.columns_in(False)] == [False, False]
    filled = compiled(OrdinalEncoder(encoded_missing_value=-1).fit(x))
    assert [ok for _, ok in filled.columns_in(False)] == [True, False]


@pytest.mark.parametrize(
    ("encoder", "x"),
    [
        (OneHotEncoder(dtype=np.float32), strings("x", "y")),
        (OrdinalEncoder(dtype=np.int64), strings("x", "y")),
        (OneHotEncoder(), np.array([2**60 + 1, 3])),
        (OneHotEncoder(), np.array(["2020-01-01", "2021-01-01"], "M8[D]")),
    ],
    ids=["float32", "int64", "beyond float64", "dates"],
)
def test_what_cannot_be_exact_has_no_plan(encoder, x):
    encoder.fit(x.reshape(-1, 1))
    with pytest.raises(Unsupported):
        new_draft().node(encoder)


COLUMN = {"kind": "string", "codes": [["x", 0]], "missing": None, "unknown": 1}


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "any"},
        {"kind": []},
        {"codes": {}},
        {"codes": [["x"]]},
        {"codes": [["x", 2]]},
        {"codes": [["x", -1]]},
        {"codes": [["x", True]]},
        {"codes": [[1.0, 0]]},
        {"codes": [[None, 0]]},
        {"codes": [[["x"], 0]]},
        {"codes": [["x", 0], ["x", 1]]},
        {"kind": "number"},
        {"kind": "number", "codes": [[10**400, 0]]},
        {"kind": "number", "codes": [[True, 0]]},
        {"missing": 2},
        {"missing": "x"},
        {"unknown": -2},
        {"extra": 1},
    ],
    ids=str,
)
def test_a_malformed_column_is_refused(change):
    build({"op": "one_hot", "n_out": 1, "columns": [COLUMN]}, {})
    with pytest.raises(PlanError, match="graph"):
        build({"op": "one_hot", "n_out": 1, "columns": [{**COLUMN, **change}]}, {})
