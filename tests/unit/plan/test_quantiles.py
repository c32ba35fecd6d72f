"""QuantileTransformer against scikit-learn, and the normal quantile against scipy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer

from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.registry import new_draft
from runtime.plan.ordered import FEW_ROWS
from runtime.plan.quantiles import BLOCK_CELLS, LEAST, normal_quantile
from runtime.plan.signature import Kind
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    output=st.sampled_from(["uniform", "normal"]),
    count=st.sampled_from([1, 2, 10, 50]),
    rows=st.sampled_from([1, 2, 7, 300]),
    decimals=st.integers(0, 8),
    missing=st.booleans(),
    constant=st.booleans(),
    scale=st.sampled_from([1.0, 1e-8, 1e6]),
)
def test_shares_are_those_of_scikit_learn(
    seed, output, count, rows, decimals, missing, constant, scale
):
    random = np.random.default_rng(seed)
    x = random.normal(size=(60, 3)).round(decimals) * scale
    if constant:
        x[:, 1] = 2.0
    q = np.where(random.random((rows, 3)) < 0.5, x[random.integers(0, 60, rows)], 0.0)
    q = q + np.where(random.random((rows, 3)) < 0.5, random.normal(size=(rows, 3)) * scale, 0.0)
    if missing:
        x[random.random(x.shape) < 0.2] = np.nan
        x[0] = 0.0
        q[random.random(q.shape) < 0.3] = np.nan
    model = QuantileTransformer(n_quantiles=count, output_distribution=output).fit(x)
    node = compiled(model)
    before = q.copy()
    ours, theirs = node.run("transform", q), model.transform(q)
    np.testing.assert_array_equal(q, before)
    assert node.exact == ("bitwise" if output == "uniform" else "tolerance")
    (assert_bitwise if output == "uniform" else assert_within)(ours, theirs)
    assert_bitwise(node.run("transform", q[-1:]), ours[-1:])
    assert node.columns_in(True) == ((Kind.NUMBER, True),) * 3


def test_the_normal_quantile_is_scipys():
    random = np.random.default_rng(0)
    shares = np.concatenate(
        [
            random.random(200_000),
            10.0 ** -random.uniform(0, 13.88, 100_000),
            1 - 10.0 ** -random.uniform(0, 13.88, 100_000),
            [0.5, LEAST, 1 - LEAST, np.exp(-2), 1 - np.exp(-2)],
        ]
    )
    shares = np.concatenate([shares, np.nextafter(shares, 0), np.nextafter(shares, 1)])
    shares = np.clip(shares, LEAST, 1 - LEAST)
    np.testing.assert_allclose(normal_quantile(shares), ndtri(shares), rtol=1e-15, atol=1e-16)
    assert np.isnan(normal_quantile(np.array([np.nan]))).all()
    assert normal_quantile(np.zeros(1)) == normal_quantile(np.array([LEAST]))


@pytest.mark.parametrize("output", ["uniform", "normal"])
def test_shares_feed_a_linear_model(output):
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 4))
    transformer = QuantileTransformer(n_quantiles=20, output_distribution=output)
    model = make_pipeline(transformer, Ridge()).fit(x, x[:, 0])
    node = compiled(model)
    assert_within(node.run("predict", x), model.predict(x))
    assert_within(node.run("predict", x[:1]), model.predict(x[:1]))


def test_what_comes_next_gets_the_share_it_asks_for_as_an_example():
    x = np.random.default_rng(0).normal(size=(40, 2))
    model = make_pipeline(QuantileTransformer(n_quantiles=9), FunctionTransformer(np.log))
    with np.errstate(all="ignore"):
        node = compiled(model.fit(x))
    assert np.isfinite(node.run("transform", np.array([node.example()]))).all()


def test_a_column_empty_in_training_has_no_plan():
    x = np.array([[1.0, np.nan], [2.0, np.nan]])
    with pytest.warns(RuntimeWarning):
        model = QuantileTransformer(n_quantiles=2).fit(x)
    with pytest.raises(Unsupported, match="empty"):
        new_draft().node(model)


@pytest.mark.parametrize("output", ["uniform", "normal"])
def test_malformed_quantiles_are_refused(output):
    x = np.random.default_rng(0).normal(size=(40, 2))
    model = QuantileTransformer(n_quantiles=5, output_distribution=output).fit(x)
    assert_refuses_broken(model, {"bounds"})
    spec, tensors = plan_of(model)
    for key, wrong in (
        ("quantiles", np.empty((5, 0))),
        ("quantiles", tensors[spec["quantiles"]][::-1].copy()),
        ("references", tensors[spec["references"]][::-1].copy()),
        ("references", np.zeros(4)),
    ):
        assert_refuses(spec, {**tensors, spec[key]: wrong})
    if output == "normal":
        for wrong in (np.zeros(3), np.array([np.nan, 1.0])):
            assert_refuses(spec, {**tensors, spec["bounds"]: wrong})


@pytest.mark.parametrize("output", ["uniform", "normal"])
@pytest.mark.parametrize("columns", [1, 7])
def test_blocks_of_rows_and_few_of_them_are_alike(output, columns):
    random = np.random.default_rng(0)
    x = random.normal(size=(12, columns)).round(1)
    model = QuantileTransformer(n_quantiles=9, output_distribution=output).fit(x)
    node = compiled(model)
    height = 2 * BLOCK_CELLS // columns + 1
    q = random.normal(size=(height, columns))
    q[random.random(q.shape) < 0.1] = np.nan
    q[1:3] = x[4:6]
    ours = node.run("transform", q)
    (assert_bitwise if output == "uniform" else assert_within)(ours, model.transform(q))
    for rows in (0, 1, 2, FEW_ROWS, FEW_ROWS + 1):
        assert_bitwise(node.run("transform", q[:rows]), ours[:rows])


@pytest.mark.parametrize("column", [[-1.7e308, 0.0, 1.7e308], [0.0, 5e-324, 1.0]])
def test_quantiles_at_the_ends_of_floats_have_no_plan(column):
    model = QuantileTransformer(n_quantiles=2 + (column[1] > 0)).fit(np.array(column)[:, None])
    with pytest.raises(Unsupported, match="too far apart"):
        new_draft().node(model)
