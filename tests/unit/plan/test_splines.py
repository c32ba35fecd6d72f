"""SplineTransformer against scikit-learn: equal to the last bit, inside and beyond the knots."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer

from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.registry import new_draft
from runtime.plan.ops import InputRefused
from runtime.plan.ordered import FEW_ROWS
from runtime.plan.signature import Kind
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled

BEYOND = ["error", "constant", "linear", "continue", "periodic"]


def dense(answer):
    return answer.toarray() if hasattr(answer, "toarray") else answer


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    width=st.integers(1, 4),
    degree=st.integers(0, 5),
    count=st.integers(2, 8),
    knots=st.sampled_from(["uniform", "quantile", "own"]),
    beyond=st.sampled_from(BEYOND),
    bias=st.booleans(),
    missing=st.booleans(),
    order=st.sampled_from(["C", "F"]),
    sparse=st.booleans(),
    rows=st.sampled_from([1, 2, 7, 100]),
    decimals=st.integers(0, 3),
)
def test_splines_are_those_of_scikit_learn(
    seed, width, degree, count, knots, beyond, bias, missing, order, sparse, rows, decimals
):
    random = np.random.default_rng(seed)
    x = random.normal(size=(40, width)).round(decimals)
    count = max(count, degree + 1) if beyond == "periodic" else count
    model = SplineTransformer(
        n_knots=count,
        degree=degree,
        knots=np.sort(random.normal(size=(count, width)), axis=0) if knots == "own" else knots,
        extrapolation=beyond,
        include_bias=bias,
        order=order,
        sparse_output=sparse,
        handle_missing="zeros" if missing else "error",
    ).fit(x)
    try:
        node = compiled(model)
    except Unsupported:
        # What for, the tests below tell; there must be no other reason.
        steps = degree == 0 and (beyond == "constant" or (beyond == "periodic" and sparse))
        mixed = sparse and missing and beyond in ("error", "continue", "periodic") and width > 1
        assert steps or mixed or not model.n_features_out_
        return
    first, last = node.first, node.last
    spread = 0.0 if beyond == "error" else 2.0
    q = first + (last - first) * random.uniform(-spread, 1 + spread, (rows, width))
    q = np.where(random.random(q.shape) < 0.3, random.choice(node.knots, axis=1), q)
    q = np.clip(q, first, last) if beyond == "error" else q
    if missing:
        q[random.random(q.shape) < 0.3] = np.nan
        q[0] = np.where(np.isnan(q).all(axis=0), first, q[0])
    before = q.copy()
    theirs, ours = dense(model.transform(q)), node.run("transform", q)
    assert_bitwise(ours, theirs)
    if not sparse:
        assert ours.flags.c_contiguous == theirs.flags.c_contiguous
        assert ours.flags.f_contiguous == theirs.flags.f_contiguous
    assert_bitwise(node.run("transform", q[-1:]), theirs[-1:])
    np.testing.assert_array_equal(q, before)
    assert node.n_out == theirs.shape[1]
    assert node.columns_in(False) == ((Kind.NUMBER, missing),) * width


def table(seed: int = 0, width: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(60, width))


def test_numbers_beyond_the_knots_are_refused_where_scikit_learn_raises():
    x = table()
    model = make_pipeline(SplineTransformer(extrapolation="error"), Ridge()).fit(x, x[:, 0])
    node = compiled(model)
    assert_within(node.run("predict", x), model.predict(x))
    q = x.copy()
    q[5, 1] = x[:, 1].max() + 1
    with pytest.raises(ValueError, match="beyond the limits"):
        model.predict(q)
    with pytest.raises(InputRefused, match="outside") as refused:
        node.run("predict", q)
    assert (refused.value.row, refused.value.column) == (5, 1)


@pytest.mark.parametrize("beyond", ["constant", "linear", "continue"])
def test_numbers_too_far_out_become_what_they_become_in_scipy(beyond):
    x = table()
    model = SplineTransformer(extrapolation=beyond).fit(x)
    q = np.array([[1e200, 0.0], [-1e100, 1e308], [0.0, -1e150]])
    with np.errstate(all="ignore"):
        theirs = model.transform(q)
    assert_bitwise(compiled(model).run("transform", q), theirs)


@pytest.mark.parametrize("bias", [True, False])
def test_each_output_column_names_the_input_column_it_is_made_of(bias):
    node = compiled(SplineTransformer(3, degree=2, include_bias=bias).fit(table()))
    half = node.n_out // 2
    assert [node.origin(column) for column in range(node.n_out)] == [0] * half + [1] * half


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (SplineTransformer(degree=0, extrapolation="constant"), "degree=0"),
        (SplineTransformer(degree=0, extrapolation="periodic", sparse_output=True), "degree=0"),
        (SplineTransformer(2, degree=0, include_bias=False, extrapolation="linear"), "no columns"),
        (SplineTransformer(degree=101), "above 100"),
        (
            SplineTransformer(handle_missing="zeros", sparse_output=True, extrapolation="continue"),
            "other rows",
        ),
    ],
)
def test_what_has_no_plan_says_why(model, words):
    with pytest.raises(Unsupported, match=words):
        new_draft().node(model.fit(table()))


@pytest.mark.parametrize("beyond", ["linear", "periodic"])
def test_malformed_splines_are_refused(beyond):
    model = SplineTransformer(4, degree=2, extrapolation=beyond).fit(table())
    assert_refuses_broken(model)
    spec, tensors = plan_of(model)
    knots = tensors[spec["knots"]]
    for wrong in (knots[::-1].copy(), knots[:5], np.empty((9, 0))):
        assert_refuses(spec, {**tensors, spec["knots"]: wrong})
    narrow = knots[:, :1] if beyond == "linear" else knots[:6]
    assert_refuses(spec, {**tensors, spec["knots"]: narrow})
    one = SplineTransformer(2, degree=0, extrapolation="linear").fit(table())
    spec, tensors = plan_of(one)
    assert_refuses({**spec, "include_bias": False}, tensors)


@pytest.mark.parametrize("beyond", ["continue", "periodic", "constant", "linear"])
@pytest.mark.parametrize("knots", ["uniform", "quantile"])
def test_blocks_of_rows_and_few_of_them_are_alike(beyond, knots):
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 4)).round(1)
    x[:40, 2] = 1.0  # so that knots repeat
    model = SplineTransformer(n_knots=6, knots=knots, extrapolation=beyond).fit(x)
    node = compiled(model)
    q = random.normal(scale=2.0, size=(3 * FEW_ROWS, 4))
    q[: len(q) // 2] = x[: len(q) // 2]
    wanted = model.transform(q)
    for height in (node.height, FEW_ROWS + 1, 4, 1):
        node.height = height
        assert_bitwise(node.run("transform", q), wanted)
    for rows in (0, 1, FEW_ROWS, FEW_ROWS + 1):
        assert_bitwise(node.run("transform", q[:rows]), wanted[:rows])


def test_the_row_beyond_the_knots_is_told_of_any_block():
    x = np.random.default_rng(0).normal(size=(60, 4))
    node = compiled(SplineTransformer(extrapolation="error").fit(x))
    q = np.repeat(x[:1], 30, axis=0)
    q[17, 2] = 99.0
    for height in (100, 4):
        node.height = height
        with pytest.raises(InputRefused) as refused:
            node.run("transform", q)
        assert (refused.value.row, refused.value.column) == (17, 2)
