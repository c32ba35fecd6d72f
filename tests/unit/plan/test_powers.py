"""PowerTransformer against scikit-learn, with every kind of exponent."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PowerTransformer

from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.registry import LOWERINGS, new_draft
from runtime.plan.graph import build
from runtime.plan.ops import InputRefused
from runtime.plan.signature import Kind
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled

LAMBDAS = [0.0, 2.0, 1.0, -1.5, 3.7, 1e-20, 1e-17, 2 + 1e-16, 0.5, -40.0]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    method=st.sampled_from(["yeo-johnson", "box-cox"]),
    standardize=st.booleans(),
    lambdas=st.none() | st.lists(st.sampled_from(LAMBDAS), min_size=3, max_size=3),
    rows=st.sampled_from([1, 2, 7, 300]),
    missing=st.booleans(),
)
def test_powers_are_those_of_scikit_learn(seed, method, standardize, lambdas, rows, missing):
    random = np.random.default_rng(seed)
    x = np.exp(random.normal(size=(50, 3)))
    q = np.exp(random.normal(size=(rows, 3)) * 2)
    if method == "yeo-johnson":
        x, q = x - 1, q * random.choice([-1.0, 1.0, 0.0], q.shape)
    if missing:
        q[random.random(q.shape) < 0.3] = np.nan
    model = PowerTransformer(method, standardize=standardize).fit(x)
    if lambdas is not None:
        model.lambdas_ = np.array(lambdas)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = model.transform(q)
    node = compiled(model)
    before = q.copy()
    ours = node.run("transform", q)
    np.testing.assert_array_equal(q, before)
    if method == "yeo-johnson":
        assert node.exact == "batch"
        assert_bitwise(ours, theirs)
    assert_within(ours, theirs)
    assert_within(node.run("transform", q[-1:]), theirs[-1:])
    assert node.columns_in(True) == ((Kind.NUMBER, True),) * 3
    assert node.columns_in(False) == ((Kind.NUMBER, False),) * 3


def test_box_cox_far_out_does_not_overflow_before_its_answer_does():
    x = np.array([[1.0], [2.0], [3.0]])
    model = PowerTransformer("box-cox", standardize=False).fit(x)
    for exponent in (150.0, -150.0, 1e-19, 1e-18):
        model.lambdas_ = np.array([exponent])
        q = np.array([[110.0], [113.5], [115.0], [1e300], [1e-300]])
        with np.errstate(all="ignore"):
            theirs = model.transform(q)
        assert_within(compiled(model).run("transform", q), theirs)


def test_what_scikit_learn_computed_by_powers_is_served_by_powers():
    class Older(PowerTransformer):
        def _yeo_johnson_transform(self, x, lmbda):
            raise NotImplementedError

    x = np.random.default_rng(0).normal(size=(50, 2))
    model = PowerTransformer(standardize=False).fit(x)
    spec, tensors = plan_of(model)
    node = build({**spec, "method": "yeo-johnson-plain"}, tensors)
    low, high = x < 0, x >= 0
    answer = node.run("transform", x)
    exponents = np.broadcast_to(model.lambdas_, x.shape)
    up = (np.power(x[high] + 1, exponents[high]) - 1) / exponents[high]
    rest = 2 - exponents[low]
    assert_bitwise(answer[high], up)
    assert_bitwise(answer[low], -(np.power(-x[low] + 1, rest) - 1) / rest)
    model.__class__ = Older
    assert LOWERINGS[PowerTransformer](new_draft(), model)["method"] == "yeo-johnson-plain"


def test_numbers_below_zero_are_refused_by_box_cox_as_in_scikit_learn():
    x = np.exp(np.random.default_rng(0).normal(size=(20, 2)))
    node = compiled(make_pipeline(PowerTransformer("box-cox"), LinearRegression()).fit(x, x[:, 0]))
    q = x.copy()
    q[3, 1] = 0.0
    with pytest.raises(InputRefused, match="above zero") as refused:
        node.run("predict", q)
    assert (refused.value.row, refused.value.column) == (3, 1)


@pytest.mark.parametrize("method", ["yeo-johnson", "box-cox"])
@pytest.mark.parametrize("standardize", [True, False])
def test_what_comes_next_gets_the_number_it_asks_for_as_an_example(method, standardize):
    x = np.exp(np.random.default_rng(0).normal(size=(40, 2)))
    power = PowerTransformer(method, standardize=standardize)
    with np.errstate(all="ignore"):
        model = make_pipeline(power, FunctionTransformer(np.log)).fit(x)
    node = compiled(model)
    assert np.isfinite(node.run("transform", np.array([node.example()]))).all()


def test_an_answer_too_large_is_refused_by_what_comes_next():
    x = np.random.default_rng(0).normal(size=(40, 2))
    model = make_pipeline(PowerTransformer(standardize=False), LinearRegression()).fit(x, x[:, 0])
    model[0].lambdas_ = np.array([4.0, 1.0])
    with pytest.raises(InputRefused, match="infinite") as refused:
        compiled(model).run("predict", np.array([[0.0, 0.0], [1e200, 1.0]]))
    assert (refused.value.row, refused.value.column) == (1, 0)


def test_a_column_empty_in_training_has_no_plan():
    model = PowerTransformer().fit(np.random.default_rng(0).normal(size=(40, 2)))
    model.lambdas_[1] = np.nan
    with pytest.raises(Unsupported, match="empty"):
        new_draft().node(model)


def test_malformed_powers_are_refused():
    x = np.exp(np.random.default_rng(0).normal(size=(40, 2)))
    model = PowerTransformer().fit(x)
    assert_refuses_broken(model)
    spec, tensors = plan_of(model)
    assert_refuses({**spec, "center": None}, tensors)
    assert_refuses(spec, {**tensors, spec["lambdas"]: np.empty(0)})
    assert_refuses(spec, {**tensors, spec["scale"]: np.ones(3)})
