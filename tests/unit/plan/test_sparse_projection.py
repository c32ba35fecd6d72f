"""SparseRandomProjection against scikit-learn: equal to the last bit, alone and in any batch."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.random_projection import SparseRandomProjection

from runtime.plan import signature_of, sparse_projection
from runtime.plan.signature import Kind
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled


def fitted(x, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # more components than columns are part of the cases
        return SparseRandomProjection(random_state=0, **options).fit(x)


@given(
    seed=st.integers(0, 2**32 - 1),
    width=st.integers(1, 60),
    count=st.integers(1, 30),
    density=st.sampled_from(["auto", 0.01, 0.3, 1.0]),
    rows=st.sampled_from([1, 2, 7, 300]),
    sparse=st.booleans(),
    dense_output=st.booleans(),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_projections_are_those_of_scikit_learn(
    seed, width, count, density, rows, sparse, dense_output
):
    random = np.random.default_rng(seed)
    x, q = random.normal(size=(5, width)), random.normal(size=(rows, width)) * 1e3
    model = fitted(
        csr_matrix(x) if sparse else x,
        n_components=count,
        density=density,
        dense_output=dense_output,
    )
    node = compiled(model)
    before = q.copy()
    ours, theirs = node.run("transform", q), model.transform(q)
    np.testing.assert_array_equal(q, before)
    if node.kind == "sparse_projection":
        assert_bitwise(ours, theirs)
        assert ours.flags.f_contiguous == theirs.flags.f_contiguous
        assert_bitwise(node.run("transform", q[-1:]), theirs[-1:])
    else:
        assert model.density_ == 1.0
        assert_within(ours, theirs, 1e-10)
    assert node.n_out == theirs.shape[1] == count
    assert node.columns_in(True) == ((Kind.NUMBER, False),) * width
    signature_of(node, None)


def test_blocks_of_rows_change_nothing(monkeypatch):
    random = np.random.default_rng(0)
    x = random.normal(size=(50, 20))
    model = fitted(x, n_components=6, density=0.5)
    monkeypatch.setattr(sparse_projection, "BLOCK", 150)
    assert_bitwise(compiled(model).run("transform", x), model.transform(x))


@pytest.mark.parametrize(("block", "layers"), [(320, 20), (1 << 20, 20), (1 << 20, 1)])
def test_whole_columns_add_up_as_entries_do(monkeypatch, block, layers):
    random = np.random.default_rng(0)
    x = random.normal(size=(50, 20))
    x[random.random(x.shape) < 0.2] = -0.0
    model = fitted(x, n_components=9, density=0.2)
    monkeypatch.setattr(sparse_projection, "BLOCK", block)
    monkeypatch.setattr(sparse_projection, "MANY", 8)
    monkeypatch.setattr(sparse_projection, "MAX_LAYERS", layers)
    node = compiled(model)
    assert len(set(node.widths.tolist())) > 2
    for rows in (x, x[:9], x[:0]):
        ours = node.run("transform", rows)
        assert_bitwise(ours, model.transform(rows) if len(rows) else np.empty((0, 9)))


def test_projections_feed_a_linear_model():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(80, 40)), random.integers(0, 3, 80)
    model = make_pipeline(
        SparseRandomProjection(6, random_state=0), LogisticRegression(max_iter=1000)
    ).fit(x, y)
    node = compiled(model)
    for rows in (1, 9, 80):
        assert_bitwise(node.run("predict_proba", x[:rows]), model.predict_proba(x[:rows]))


def test_malformed_projections_are_refused():
    model = fitted(np.ones((4, 9)), n_components=3, density=0.5)
    assert_refuses_broken(model)
    spec, tensors = plan_of(model)
    starts = tensors[spec["starts"]]
    for wrong in (starts[1:], starts[:-1], starts[:1], starts[[0, 2, 1, 3]], starts + 1):
        assert_refuses(spec, {**tensors, spec["starts"]: wrong})
    assert_refuses({**spec, "n_in": 2}, tensors)
    assert_refuses(spec, {**tensors, spec["columns"]: tensors[spec["columns"]][1:]})


@pytest.mark.parametrize("rows", [1, 3])
def test_a_component_without_entries_is_zero(rows):
    model = fitted(np.ones((4, 5)), n_components=8, density=0.01)
    assert model.components_.nnz < 8
    q = np.arange(5.0 * rows).reshape(rows, 5)
    assert_bitwise(compiled(model).run("transform", q), model.transform(q))
