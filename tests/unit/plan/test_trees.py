"""Tree models against scikit-learn: equal to the last bit, alone and in any batch."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from controlplane.builder.lower import tree_layouts
from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.registry import new_draft
from runtime.plan import tree_walk
from runtime.plan.by_height import ByHeight
from runtime.plan.graph import build
from runtime.plan.ops import InputRefused, Missing
from runtime.plan.quickscorer import FEW, QuickScorer
from runtime.plan.tree_walk import TreeWalk
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled

LABELS = {
    "int": np.array([-3, 0, 7, 8]),
    "str": np.array(["no", "yes", "maybe", "Ünknown"]),
    "bool": np.array([False, True]),
    "float": np.array([-1.0, 1.0, 2.0]),
}


def walking(force: bool) -> AbstractContextManager[Any]:
    """Lay small trees out as deep ones, so that both layouts see every kind of model."""
    return patch.object(tree_layouts, "MOST_LEAVES", 0) if force else nullcontext()


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.random.Generator, np.ndarray, bool]:
    """Training rows with ties, large offsets (which float32 cannot tell apart) or tiny numbers."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = random.normal(size=(draw(st.integers(2, 120)), draw(st.integers(1, 6))))
    x = {
        "plain": lambda x: x,
        "ties": lambda x: np.round(x),
        "timestamps": lambda x: 1.7e9 + 100 * x,
        "tiny": lambda x: x * 1e-40,
        "huge": lambda x: x * 1e37,
    }[draw(st.sampled_from(["plain", "ties", "timestamps", "tiny", "huge"]))](x)
    return random, x, draw(st.booleans())


def holed(random: np.random.Generator, x: np.ndarray, share: float = 0.2) -> np.ndarray:
    """Some cells missing; not in the first rows, as a column of NaN alone cannot be binned."""
    out = x.copy()
    out[2:][random.random(x[2:].shape) < share] = np.nan
    return out


def questions(random: np.random.Generator, x: np.ndarray, missing: bool) -> np.ndarray:
    """1 to 300 rows: training rows, their midpoints (thresholds), zeros, some missing."""
    a, b = x[random.integers(0, len(x), (2, 300))]
    q = np.where(random.random(a.shape) < 0.5, a, (a + b) / 2)
    q[random.random(q.shape) < 0.1] = 0.0
    if missing:
        q[random.random(q.shape) < 0.15] = np.nan
    return np.ascontiguousarray(q[: random.integers(1, 301)])


def assert_twins(estimator: Any, q: np.ndarray, walk: bool = False) -> None:
    """Every method, the whole batch and three rows alone."""
    with walking(walk):
        node = compiled(estimator)
    assert node.n_in == estimator.n_features_in_
    assert isinstance(node.trees, TreeWalk) or not walk
    for method in node.methods:
        whole = node.run(method, q)
        assert_bitwise(whole, getattr(estimator, method)(q))
        if node.exact == "bitwise":
            for row in {0, len(q) // 2, len(q) - 1}:
                assert_bitwise(node.run(method, q[row : row + 1]), whole[row : row + 1])


def labels_for(random: np.random.Generator, rows: int, kind: str) -> np.ndarray:
    y = LABELS[kind][random.integers(0, len(LABELS[kind]), rows)]
    y[:2] = LABELS[kind][:2]  # boosting wants two classes
    return y


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    tables(),
    st.sampled_from(
        [
            DecisionTreeClassifier,
            ExtraTreeClassifier,
            RandomForestClassifier,
            ExtraTreesClassifier,
        ]
    ),
    st.sampled_from(sorted(LABELS)),
    st.sampled_from([None, 2, 5]),
    st.booleans(),
)
def test_classifying_trees_and_forests_are_twins(table, kind, labels, depth, walk):
    random, x, missing = table
    estimator = kind(max_depth=depth, random_state=0)
    if "n_estimators" in estimator.get_params():
        estimator.set_params(n_estimators=4)
    y = labels_for(random, len(x), labels)
    estimator.fit(holed(random, x) if missing else x, y)
    assert_twins(estimator, questions(random, x, missing=True), walk)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    tables(),
    st.sampled_from(
        [DecisionTreeRegressor, ExtraTreeRegressor, RandomForestRegressor, ExtraTreesRegressor]
    ),
    st.sampled_from([1, 3]),
    st.sampled_from([None, 3]),
    st.booleans(),
)
def test_regressing_trees_and_forests_are_twins(table, kind, targets, depth, walk):
    random, x, missing = table
    estimator = kind(max_depth=depth, random_state=0)
    if "n_estimators" in estimator.get_params():
        estimator.set_params(n_estimators=4)
    y = random.normal(size=(len(x), targets))
    estimator.fit(holed(random, x) if missing else x, y[:, 0] if targets == 1 else y)
    assert_twins(estimator, questions(random, x, missing=True), walk)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    tables(),
    st.sampled_from(["int", "str", "bool"]),
    st.sampled_from(["log_loss", "exponential"]),
    st.sampled_from([None, "zero", DummyClassifier(strategy="most_frequent")]),
    st.booleans(),
)
def test_gradient_boosting_classifier_is_a_twin(table, labels, loss, init, walk):
    random, x, _ = table
    y = labels_for(random, len(x), labels)
    if loss == "exponential":
        y = np.where(y == y[0], y[0], y[1])
    estimator = GradientBoostingClassifier(n_estimators=4, loss=loss, init=init, random_state=0)
    estimator.fit(x, y)
    assert_twins(estimator, questions(random, x, missing=False), walk)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    tables(),
    st.sampled_from(["squared_error", "absolute_error", "huber", "quantile"]),
    st.sampled_from(
        [
            None,
            "zero",
            DummyRegressor(strategy="median"),
            DecisionTreeRegressor(max_depth=2, random_state=0),
            GradientBoostingRegressor(n_estimators=2, random_state=0),
        ]
    ),
    st.booleans(),
)
def test_gradient_boosting_regressor_is_a_twin(table, loss, init, walk):
    random, x, _ = table
    estimator = GradientBoostingRegressor(n_estimators=4, loss=loss, init=init, random_state=0)
    estimator.fit(x, random.normal(size=len(x)))
    assert_twins(estimator, questions(random, x, missing=False), walk)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    tables(),
    st.sampled_from(sorted(LABELS)),
    st.sampled_from([{}, {"max_leaf_nodes": None, "min_samples_leaf": 1}, {"max_depth": 2}]),
    st.booleans(),
)
def test_histogram_classifier_is_a_twin(table, labels, options, walk):
    random, x, missing = table
    estimator = HistGradientBoostingClassifier(
        max_iter=3, **({"min_samples_leaf": 3} | options), random_state=0
    )
    y = labels_for(random, len(x), labels)
    estimator.fit(holed(random, x) if missing else x, y)
    assert_twins(estimator, questions(random, x, missing=True), walk)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    tables(),
    st.sampled_from(["squared_error", "absolute_error", "gamma", "poisson", "quantile"]),
    st.booleans(),
)
def test_histogram_regressor_is_a_twin(table, loss, walk):
    random, x, missing = table
    quantile = 0.3 if loss == "quantile" else None
    estimator = HistGradientBoostingRegressor(
        max_iter=3, loss=loss, quantile=quantile, min_samples_leaf=3, random_state=0
    )
    estimator.fit(holed(random, x) if missing else x, np.exp(random.normal(size=len(x))))
    q = questions(random, x, missing=True)
    q[random.random(q.shape) < 0.05] = np.inf
    assert_twins(estimator, q, walk)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(tables(), st.sampled_from([1.0, 0.5]), st.sampled_from(["auto", 0.2]), st.booleans())
def test_isolation_forest_is_a_twin(table, max_features, contamination, walk):
    random, x, missing = table
    estimator = IsolationForest(
        n_estimators=5, max_features=max_features, contamination=contamination, random_state=0
    )
    estimator.fit(holed(random, x) if missing else x)
    q = questions(random, x, missing=True)
    q[random.random(q.shape) < 0.05] = -np.inf
    assert_twins(estimator, q, walk)


def test_isolation_forest_of_one_row_says_what_scikit_learn_says():
    estimator = IsolationForest(n_estimators=2, random_state=0).fit(np.ones((1, 2)))
    assert_twins(estimator, np.array([[1.0, 2.0], [3.0, 4.0]]))


@pytest.mark.parametrize("kind", [GradientBoostingClassifier, HistGradientBoostingClassifier])
def test_ten_classes_round_their_softmax_as_scikit_learn_at_each_batch_size(kind):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(200, 4)), random.integers(0, 10, 200)
    size = {"n_estimators": 3} if kind is GradientBoostingClassifier else {"max_iter": 3}
    estimator = kind(**size, random_state=0).fit(x, y)
    node = compiled(estimator)
    for rows in (1, 2, 7, 200):
        assert_bitwise(node.predict_proba(x[:rows]), estimator.predict_proba(x[:rows]))


@pytest.fixture(scope="module")
def boosted() -> HistGradientBoostingRegressor:
    random = np.random.default_rng(1)
    x = random.normal(size=(2000, 8))
    return HistGradientBoostingRegressor(max_iter=20).fit(x, x[:, 0] * x[:, 1])


@pytest.fixture(scope="module")
def deep() -> RandomForestClassifier:
    random = np.random.default_rng(1)
    x = random.normal(size=(1500, 5))
    return RandomForestClassifier(20, random_state=0).fit(x, random.integers(0, 3, 1500))


def test_small_trees_are_scored_by_table_and_deep_ones_walked(boosted, deep):
    assert isinstance(compiled(boosted).trees, QuickScorer)
    assert isinstance(compiled(deep).trees, TreeWalk)


def test_a_small_tree_alone_answers_few_rows_and_many_alike():
    x = np.random.default_rng(5).normal(size=(90, 3))
    for estimator in (
        DecisionTreeClassifier(max_depth=2, random_state=0),
        DecisionTreeRegressor(max_depth=2, random_state=0),
    ):
        node = compiled(estimator.fit(x, np.arange(90) % 3))
        assert isinstance(node.trees, ByHeight)
        for rows in (x, x[:1], x[:30], np.tile(x, (300, 1))):
            assert_bitwise(node.predict(rows), estimator.predict(rows))
            if hasattr(node, "predict_proba"):
                assert_bitwise(node.predict_proba(rows), estimator.predict_proba(rows))
        assert node.predict(x[:0]).shape == (0,)


@pytest.fixture(scope="module")
def few() -> RandomForestRegressor:
    random = np.random.default_rng(1)
    x = random.normal(size=(400, 20))
    x[random.random(x.shape) < 0.05] = np.nan
    return RandomForestRegressor(6, max_depth=5, random_state=0).fit(x, random.normal(size=400))


@pytest.mark.parametrize("rows", [0, 1, 2, 7, 40, 41, 63, 64, 3000])
def test_few_small_trees_take_a_table_or_a_walk_by_the_height_of_the_batch(few, rows):
    random = np.random.default_rng(rows)
    node = compiled(few)
    assert isinstance(node.trees, ByHeight)
    assert 2 < node.trees.walked_from < 64
    q = random.normal(size=(rows, 20))
    q[random.random(q.shape) < 0.1] = np.nan
    expected = few.predict(q) if rows else np.empty(0)
    assert_bitwise(node.predict(q), expected)
    narrow = q.astype(np.float32)
    for layout in (node.trees.table, node.trees.walk):
        reached = np.zeros((6, rows))
        for at, index in layout.leaves(narrow, 6):
            reached[:, at] = node.trees.values[index, 0]
        for tree, values in zip(few.estimators_, reached, strict=True):
            assert not rows or values.tolist() == tree.predict(q).tolist()


def test_categories_are_walked_as_the_table_has_them():
    random = np.random.default_rng(2)
    x = np.c_[random.normal(size=(300, 3)), random.integers(0, 9, 300)]
    estimator = HistGradientBoostingRegressor(max_iter=3, categorical_features=[3])
    estimator.fit(x, x[:, 3] % 3 + x[:, 0])
    with patch.object(tree_layouts, "walked_from", lambda *_: 5):
        node = compiled(estimator)
    assert node.trees.walk.routes is not None
    x[::7, 3] = np.nan
    for rows in (x[:4], x[:5], x):
        assert_bitwise(node.predict(rows), estimator.predict(rows))


def test_a_table_that_would_be_too_large_becomes_a_walk(boosted):
    with patch.object(tree_layouts, "MAX_TABLE", 1000):
        node = compiled(boosted)
    assert isinstance(node.trees, TreeWalk)
    q = np.random.default_rng(2).normal(size=(50, 8))
    assert_bitwise(node.predict(q), boosted.predict(q))


@pytest.mark.parametrize("model", ["boosted", "deep"])
def test_batches_of_several_blocks_equal_their_rows(model, request):
    estimator = request.getfixturevalue(model)
    node = compiled(estimator)
    q = np.random.default_rng(3).normal(size=(5000, estimator.n_features_in_))
    q[::7, 1] = np.nan
    if isinstance(node.trees, QuickScorer):
        assert len(q) * len(node.trees.threshold) > FEW
    for method in node.methods:
        whole = node.run(method, q)
        assert_bitwise(whole, getattr(estimator, method)(q))
        for rows in (1, 3, 64, 700):
            assert_bitwise(node.run(method, q[-rows:]), whole[-rows:])


@settings(deadline=None, max_examples=30, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), trees=st.integers(1, 12), rows=st.integers(1, 4))
def test_few_rows_one_by_one_reach_the_leaves_that_they_reach_together(seed, trees, rows):
    random = np.random.default_rng(seed)
    x = random.normal(size=(120, 3))
    x[random.random(x.shape) < 0.1] = np.nan
    x[:, 2] = random.integers(0, 9, 120)
    deep = HistGradientBoostingRegressor(
        max_iter=trees, max_leaf_nodes=None, min_samples_leaf=1, categorical_features=[2]
    )
    with walking(force=True):
        node = compiled(deep.fit(x, random.normal(size=120)))
    q = random.normal(size=(rows, 3)) * 3
    q[random.random(q.shape) < 0.3] = np.nan
    q[:, 2] = random.integers(-1, 11, rows)
    alone = node.predict(q)
    with patch.object(tree_walk, "FEW", 0):
        assert_bitwise(alone, node.predict(q))


def test_one_row_goes_down_tables_that_are_not_aligned(deep):
    draft, x = new_draft(), np.zeros((1, 5))
    graph = draft.node(deep)
    shifted = {}
    for name, tensor in draft.tensors.items():
        raw = np.frombuffer(b"." + tensor.tobytes(), np.uint8)[1:]
        shifted[name] = raw.view(tensor.dtype).reshape(tensor.shape)
    alone = build(graph, shifted).run("predict_proba", x)
    assert_bitwise(alone, compiled(deep).predict_proba(x))


def test_no_rows_give_no_answers(boosted, deep):
    assert compiled(boosted).predict(np.empty((0, 8))).shape == (0,)
    assert compiled(deep).predict_proba(np.empty((0, 5))).shape == (0, 3)


def test_a_constant_target_gives_trees_that_are_bare_leaves():
    x = np.arange(10.0)[:, None]
    for estimator in (DecisionTreeRegressor(), HistGradientBoostingRegressor(max_iter=2)):
        assert_twins(estimator.fit(x, np.full(10, 3.0)), x)
        assert_twins(estimator, x, walk=True)


def test_the_input_stays_as_it_was(deep):
    q = np.random.default_rng(4).normal(size=(9, 5))
    before = q.copy()
    compiled(deep).predict(q)
    np.testing.assert_array_equal(q, before)


@pytest.mark.parametrize("value", [1e39, -1e300, np.inf])
def test_what_float32_cannot_hold_is_refused_with_its_place(deep, value):
    q = np.zeros((3, 5))
    q[2, 4] = value
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="too large"):
        deep.predict(q)
    with pytest.raises(InputRefused) as refused:
        compiled(deep).predict(q)
    assert (refused.value.row, refused.value.column) == (2, 4)


def test_missing_values_are_refused_where_scikit_learn_refuses_them():
    estimator = GradientBoostingRegressor(n_estimators=2).fit(np.eye(4), np.arange(4.0))
    q = np.zeros((2, 4))
    q[1, 3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        estimator.predict(q)
    node = compiled(estimator)
    assert node.missing is Missing.REFUSES
    with pytest.raises(InputRefused) as refused:
        node.predict(q)
    assert (refused.value.row, refused.value.column) == (1, 3)


def test_missing_values_pass_where_scikit_learn_takes_them(boosted, deep):
    assert compiled(boosted).missing is Missing.PASSES
    assert compiled(deep).missing is Missing.PASSES


def test_a_forest_of_several_threads_is_promised_within_tolerance_only():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(200, 3)), random.normal(size=200)
    estimator = RandomForestRegressor(5, n_jobs=2, random_state=0).fit(x, y)
    node = compiled(estimator)
    assert node.exact == "tolerance"
    assert_within(node.predict(x), estimator.predict(x))
    estimator.set_params(n_jobs=None)
    assert_bitwise(node.predict(x), estimator.predict(x))


def test_boosting_a_single_class_has_no_plan():
    estimator = HistGradientBoostingClassifier(max_iter=1).fit(np.eye(4), np.zeros(4))
    with pytest.raises(Unsupported, match="single class"):
        new_draft().node(estimator)


@pytest.mark.parametrize(
    "estimator",
    [
        GradientBoostingRegressor(init=LinearRegression(), n_estimators=2),
        GradientBoostingClassifier(init=DecisionTreeClassifier(), n_estimators=2),
        GradientBoostingClassifier(init=DummyClassifier(strategy="uniform"), n_estimators=2),
    ],
    ids=["linear", "classifier", "random"],
)
def test_an_init_that_cannot_be_exact_has_no_plan(estimator):
    estimator.fit(np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2)
    with pytest.raises(Unsupported, match="init"):
        new_draft().node(estimator)
