"""Histogram boosting with categories: numbers, strings, missing, never seen."""

from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from controlplane.builder.lower import tree_layouts
from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.registry import new_draft
from runtime.plan.ops import Frame, InputRefused
from runtime.plan.signature import Kind
from runtime.plan.tree_walk import TreeWalk
from tests.unit.plan.twins import assert_bitwise, compiled

COLORS = np.array(["red", "green", "blue", "ünknown", ""], object)


def frame_of(table: pd.DataFrame) -> Frame:
    """The runtime's form of a table: float64, or object columns of str and None."""
    columns = []
    for name in table:
        column = table[name].astype(object)
        if name == "color":
            columns.append(column.where(column.notna(), None).to_numpy(object))
        else:
            columns.append(pd.to_numeric(column).to_numpy(np.float64))
    return Frame(tuple(columns))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(10, 150),
    st.integers(1, 40),
    st.booleans(),
    st.booleans(),
)
def test_numeric_categories_are_twins(seed, rows, cardinality, missing, walk):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 4))
    x[:, 1] = random.integers(-3, cardinality, rows)
    x[:, 3] = random.integers(0, cardinality, rows) * 0.5
    if missing:
        x[random.random(x.shape) < 0.2] = np.nan
    estimator = HistGradientBoostingRegressor(
        max_iter=4, min_samples_leaf=2, categorical_features=[1, 3], random_state=0
    )
    estimator.fit(x, random.normal(size=rows) + np.nan_to_num(x[:, 1]) % 3)
    with patch.object(tree_layouts, "MOST_LEAVES", 0 if walk else 64):
        node = compiled(estimator)
    q = random.normal(size=(200, 4))
    q[:, 1] = random.integers(-6, cardinality + 5, 200)
    q[:, 3] = random.integers(-2, cardinality + 5, 200) * 0.5 + (random.random(200) < 0.1) * 0.1
    q[random.random(q.shape) < 0.15] = np.nan
    q[random.random(200) < 0.03, 0] = np.inf
    whole = node.predict(q)
    assert_bitwise(whole, estimator.predict(q))
    assert_bitwise(node.predict(q[:1]), whole[:1])
    assert_bitwise(node.predict(Frame(tuple(q.T))), whole)
    assert isinstance(node.trees, TreeWalk) or not walk


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["category", "str", "object"]),
    st.booleans(),
    st.booleans(),
)
def test_strings_in_a_table_are_twins(seed, dtype, missing, walk):
    random = np.random.default_rng(seed)

    def table(rows: int, kinds: int, holes: bool) -> pd.DataFrame:
        color = COLORS[random.integers(0, kinds, rows)]
        if holes:
            color[random.random(rows) < 0.2] = np.nan
        return pd.DataFrame(
            {
                "size": random.normal(size=rows),
                "color": pd.Series(color).astype(dtype),
                "shop": pd.Series(random.integers(1, 9, rows)).astype("category"),
            }
        )

    trained = table(120, 3, missing)
    y = np.where(trained["color"] == "red", trained["size"] > 0, trained["shop"].astype(int) > 4)
    options: dict[str, Any] = {} if dtype == "category" else {"categorical_features": ["color"]}
    if options:
        trained["shop"] = trained["shop"].astype(int)
    estimator = HistGradientBoostingClassifier(
        max_iter=4, min_samples_leaf=2, random_state=0, **options
    ).fit(trained, np.where(y, "buys", "leaves"))
    with patch.object(tree_layouts, "MOST_LEAVES", 0 if walk else 64):
        node = compiled(estimator)
    asked = table(80, 5, holes=True)
    if options:
        asked["shop"] = asked["shop"].astype(int)
    frame = frame_of(asked)
    for method in node.methods:
        assert_bitwise(node.run(method, frame), getattr(estimator, method)(asked))
    assert node.columns_in(nan_ok_after=True) == (
        (Kind.NUMBER, True),
        (Kind.STRING, True),
        (Kind.NUMBER, True),
    )


def test_an_infinite_category_is_refused_with_its_place():
    x = np.tile(np.arange(6.0), (2, 10)).T
    estimator = HistGradientBoostingRegressor(max_iter=1, categorical_features=[1]).fit(x, x[:, 0])
    q = np.zeros((3, 2))
    q[2, 1] = -np.inf
    with pytest.raises(ValueError, match="infinity"):
        estimator.predict(q)
    with pytest.raises(InputRefused) as refused:
        compiled(estimator).predict(q)
    assert (refused.value.row, refused.value.column) == (2, 1)


def test_none_can_be_a_category_of_its_own():
    random = np.random.default_rng(0)
    cells = np.array(["a", "b", None], object)[random.integers(0, 3, 90)]
    x = np.empty((90, 2), object)
    x[:, 0], x[:, 1] = random.normal(size=90), cells
    estimator = HistGradientBoostingRegressor(
        max_iter=3, min_samples_leaf=2, categorical_features=[1]
    ).fit(x, [{"a": 1.0, "b": 2.0, None: 7.0}[cell] for cell in cells])
    frame = Frame((x[:, 0].astype(np.float64), cells))
    assert_bitwise(compiled(estimator).predict(frame), estimator.predict(x))


def test_mixed_categories_have_no_plan():
    x = pd.DataFrame({"c": pd.Categorical(["a", "b"] * 30), "n": np.arange(60.0)})
    estimator = HistGradientBoostingRegressor(max_iter=1).fit(x, np.arange(60.0))
    encoder = estimator._preprocessor.named_transformers_["encoder"]
    encoder.categories_ = [np.array([1, "a"], object)]
    with pytest.raises(Unsupported, match="mix strings"):
        new_draft().node(estimator)


def test_every_number_of_categories_up_to_the_limit_fits():
    random = np.random.default_rng(0)
    x = np.c_[np.tile(np.arange(255.0), 6), random.normal(size=255 * 6)]
    estimator = HistGradientBoostingRegressor(
        max_iter=3, min_samples_leaf=2, categorical_features=[0]
    ).fit(x, random.permutation(255)[x[:, 0].astype(int)].astype(float))
    q = np.c_[np.arange(-3.0, 300.0), np.zeros(303)]
    assert_bitwise(compiled(estimator).predict(q), estimator.predict(q))
