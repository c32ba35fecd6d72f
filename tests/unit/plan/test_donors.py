"""KNNImputer against scikit-learn: the same donors, and the same averages of them."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.impute import KNNImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.registry import new_draft
from runtime.plan import donors, signature_of
from runtime.plan.signature import Kind
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled


def holed(random, rows: int, width: int, share: float) -> np.ndarray:
    x = random.normal(size=(rows, width)) * 10.0 ** random.integers(-2, 3, width)
    x[random.random(x.shape) < share] = np.nan
    return x


@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.sampled_from([1, 2, 7, 200]),
    width=st.integers(1, 6),
    stored=st.integers(1, 60),
    share=st.sampled_from([0.0, 0.2, 0.8]),
    k=st.sampled_from([1, 3, 5, 200]),
    weights=st.sampled_from(["uniform", "distance"]),
    indicate=st.booleans(),
    keep=st.booleans(),
    empty=st.booleans(),
    single=st.booleans(),
)
@settings(max_examples=120, deadline=None, derandomize=True)
def test_cells_are_filled_as_scikit_learn_fills_them(
    seed, rows, width, stored, share, k, weights, indicate, keep, empty, single
):
    random = np.random.default_rng(seed)
    x, q = holed(random, stored, width, share), holed(random, rows, width, 0.4)
    x[0] = 1.0
    q[0] = x[-1]  # on a donor, perhaps
    if empty:
        x[:, 0] = np.nan
    if single:
        x = x.astype(np.float32)
    model = KNNImputer(
        n_neighbors=k, weights=weights, add_indicator=indicate, keep_empty_features=keep
    ).fit(x)
    if empty and width == 1 and not keep:
        with pytest.raises(Unsupported, match="empty"):
            new_draft().node(model)
        return
    node = compiled(model)
    before = q.copy()
    ours, theirs = node.run("transform", q), model.transform(q.copy())
    np.testing.assert_array_equal(q, before)
    assert_within(ours, theirs)
    if weights == "uniform":
        assert_bitwise(ours, theirs)
    assert_within(node.run("transform", q[-1:]), theirs[-1:])
    assert node.n_out == theirs.shape[1]
    assert node.columns_in(False) == ((Kind.NUMBER, True),) * width
    signature_of(node, None)


@given(seed=st.integers(0, 2**32 - 1), rows=st.sampled_from([1, 2, 50]), indicate=st.booleans())
@settings(max_examples=20, deadline=None, derandomize=True)
def test_a_number_can_stand_for_missing(seed, rows, indicate):
    random = np.random.default_rng(seed)
    x, q = (np.nan_to_num(holed(random, n, 3, 0.3), nan=-1) for n in (30, rows))
    model = KNNImputer(missing_values=-1, n_neighbors=2, add_indicator=indicate).fit(x)
    node = compiled(model)
    assert_bitwise(node.run("transform", q), model.transform(q))
    assert node.columns_in(True) == ((Kind.NUMBER, False),) * 3
    signature_of(node, None)


def test_blocks_of_rows_change_nothing(monkeypatch):
    random = np.random.default_rng(0)
    x, q = holed(random, 40, 4, 0.3), holed(random, 90, 4, 0.3)
    model = KNNImputer().fit(x)
    monkeypatch.setattr(donors, "BLOCK", 1000)
    assert_within(compiled(model).run("transform", q), model.transform(q))


def test_a_filled_row_feeds_a_linear_model():
    random = np.random.default_rng(0)
    x = holed(random, 60, 4, 0.2)
    model = make_pipeline(StandardScaler(), KNNImputer(), Ridge()).fit(x, np.arange(60.0))
    node = compiled(model)
    for rows in (1, 7, 60):
        assert_within(node.run("predict", x[:rows]), model.predict(x[:rows]))


def test_kept_columns_know_where_they_come_from():
    x = holed(np.random.default_rng(0), 20, 3, 0.3)
    x[:, 1] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        node = compiled(KNNImputer(add_indicator=True).fit(x))
    assert [node.origin(column) for column in range(node.n_out)] == [0, 2, None, None, None]
    assert node.example_for((5.0, 7.0, 0.0, 0.0, 0.0)) == (5.0, 0.0, 7.0)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (KNNImputer(weights=lambda d: d), "weights"),
        (KNNImputer(metric=lambda a, b, missing_values: 1.0), "metric"),
    ],
)
def test_what_has_no_plan_says_why(model, words):
    with pytest.raises(Unsupported, match=words):
        new_draft().node(model.fit(np.ones((3, 2))))


def test_donors_without_a_cell_in_common_counted_once(monkeypatch):
    x = np.array([[0.0, np.nan, 1.0], [np.nan, 5.0, 7.0]])
    q = np.array([[0.0, np.nan, np.nan]])
    model = KNNImputer(n_neighbors=2).fit(x)
    assert_bitwise(compiled(model).run("transform", q), model.transform(q))
    assert compiled(model).run("transform", q)[0, 2] == 1.0
    # As before scikit-learn 1.4.
    monkeypatch.setattr(KNNImputer, "_calc_impute", lambda *_: np.array([1.0]))
    assert compiled(model).run("transform", q)[0, 2] == 4.0


def test_too_many_stored_rows_have_no_plan():
    model = KNNImputer().fit(np.ones((2, 2)))
    model._fit_X = np.broadcast_to(1.0, (1_000_001, 2))
    with pytest.raises(Unsupported, match="stores"):
        new_draft().node(model)


def test_malformed_donors_are_refused():
    x = holed(np.random.default_rng(0), 20, 3, 0.3)
    model = KNNImputer(add_indicator=True).fit(x)
    # A gap in the stored rows is no fault.
    assert_refuses_broken(model, {"indicated", "points holds nan"})
    spec, tensors = plan_of(model)
    assert_refuses({**spec, "k": 0}, tensors)
    for key, wrong in (
        ("points", np.empty((0, 3))),
        ("points", np.full((2, 3), np.inf)),
        ("means", np.zeros(2)),
        ("indicated", np.array([3])),
    ):
        assert_refuses(spec, {**tensors, spec[key]: wrong})
    none = {**spec, "indicated": None}
    assert_refuses(none, {**tensors, spec["points"]: np.full((2, 3), np.nan)})
