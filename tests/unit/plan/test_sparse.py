"""Sparse rows against scipy's CSR matrices: equal to the last bit, alone and in any batch."""

from unittest import mock

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import normalize

from runtime.plan import sparse
from runtime.plan.sparse import Sparse, below, beside, floating, normalized


@st.composite
def matrices(draw: st.DrawFn) -> sp.csr_array:
    """Rows with few cells and with many, empty ones too, in one of the dtypes held."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, width = draw(st.integers(0, 30)), draw(st.integers(1, 400))
    density = draw(st.sampled_from([0.0, 0.02, 0.5]))
    values = random.normal(size=(rows, width)) * 10.0 ** random.integers(-8, 8, (rows, width))
    values[random.random((rows, width)) >= density] = 0
    dtype = draw(st.sampled_from([np.float64, np.float32, np.int64, np.int32]))
    if np.issubdtype(dtype, np.integer):
        values = np.clip(np.rint(values), -100, 100)
    return sp.csr_array(values.astype(dtype))


def held(matrix: sp.csr_array) -> Sparse:
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return Sparse(rows, matrix.indices.astype(np.intp), matrix.data.copy(), *matrix.shape)


def assert_equal(ours: Sparse, theirs: sp.csr_array) -> None:
    assert (ours.rows, ours.width) == theirs.shape
    np.testing.assert_array_equal(ours.at, np.repeat(np.arange(ours.rows), np.diff(theirs.indptr)))
    np.testing.assert_array_equal(ours.columns, theirs.indices)
    np.testing.assert_array_equal(ours.values, theirs.data)
    assert ours.values.dtype == theirs.data.dtype


@settings(max_examples=60, deadline=None, derandomize=True)
@given(matrices(), st.sampled_from([0, 1, 2, 3, 20]), st.booleans())
def test_products_are_scipys(matrix, outputs, small):
    random = np.random.default_rng(0)
    shape = (matrix.shape[1], outputs) if outputs else matrix.shape[1]
    weights = random.normal(size=shape)
    blocks = {"BLOCK_BYTES": 500, "BLOCK_PRODUCTS": 40 if small else 1 << 16}
    with mock.patch.multiple(sparse, **blocks):
        ours = held(matrix)
        assert ours.times(weights).dtype == np.float64
        np.testing.assert_array_equal(ours.times(weights), matrix @ weights)
        np.testing.assert_array_equal(ours.times(np.asfortranarray(weights)), matrix @ weights)
        for row in range(min(ours.rows, 4)):
            alone = ours.part(row, row + 1).times(weights)
            np.testing.assert_array_equal(alone, (matrix @ weights)[row : row + 1])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(matrices(), st.sampled_from(["l1", "l2", "max"]))
def test_norms_are_scikit_learns(matrix, norm):
    ours = held(matrix)
    wanted = (
        normalize(matrix, norm) if matrix.shape[0] else matrix.astype(floating(ours.values).dtype)
    )
    assert_equal(normalized(ours.with_values(floating(ours.values)), norm), wanted)
    assert_equal(ours, matrix)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(matrices(), matrices())
def test_parts_are_put_together_as_scipy_does(one, other):
    rows = min(one.shape[0], other.shape[0])
    parts = [one[:rows], other[:rows]]
    if rows:
        assert_equal(beside([held(part) for part in parts]), sp.hstack(parts).tocsr())
    narrow = one[:, : other.shape[1]]
    assert_equal(below([held(one), held(one)]), sp.vstack([one, one]).tocsr())
    assert_equal(Sparse.of(one.toarray()), one)
    keep = np.arange(0, one.shape[1], 3)
    place = np.full(one.shape[1], -1)
    place[keep] = np.arange(keep.size)
    assert_equal(held(one).take(place, keep.size), one[:, keep])
    np.testing.assert_array_equal(held(narrow).dense(), narrow.toarray())


@pytest.mark.parametrize(("most", "count"), [(1 << 25, 1), (8 * 50 * 3, 4), (1, 10)])
def test_dense_blocks_are_bounded(most, count):
    matrix = sp.random_array((10, 50), density=0.3, format="csr", rng=np.random.default_rng(0))
    with mock.patch.object(sparse, "BLOCK_BYTES", most):
        blocks = list(held(matrix).blocks())
    assert len(blocks) == count
    assert all(block.nbytes <= most or len(block) == 1 for _, block in blocks)
    np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), matrix.toarray())
    assert [start for start, _ in blocks] == np.cumsum([0, *map(len, dict(blocks).values())])[
        :-1
    ].tolist()


def test_no_row_is_one_empty_block():
    empty = Sparse.of(np.empty((0, 5)))
    assert [block.shape for _, block in empty.blocks()] == [(0, 5)]
