"""KBinsDiscretizer against scikit-learn: equal to the last bit, on the edges and beside them."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.registry import new_draft
from runtime.plan import signature_of
from runtime.plan.signature import Kind
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled

ENCODINGS = ["ordinal", "onehot", "onehot-dense"]


def dense(answer):
    return answer.toarray() if hasattr(answer, "toarray") else answer


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    width=st.integers(1, 5),
    bins=st.integers(2, 9),
    each=st.booleans(),
    rows=st.sampled_from([1, 2, 30, 300]),
    decimals=st.integers(0, 3),
    encode=st.sampled_from(ENCODINGS),
    strategy=st.sampled_from(["uniform", "quantile", "kmeans"]),
    constant=st.booleans(),
    single=st.booleans(),
)
def test_cells_fall_into_the_same_bins(
    seed, width, bins, each, rows, decimals, encode, strategy, constant, single
):
    random = np.random.default_rng(seed)
    x = random.normal(size=(40, width)).round(decimals)
    if constant:
        x[:, 0] = 3.0
    if single:
        x = x.astype(np.float32)
    n_bins = [int(n) for n in random.integers(2, bins + 1, width)] if each else bins
    model = KBinsDiscretizer(n_bins, encode=encode, strategy=strategy, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # bins too narrow to keep are part of the cases
        model.fit(x)
    edges = np.concatenate([np.ravel(edges) for edges in model.bin_edges_])
    edges = np.concatenate([edges[np.isfinite(edges)], [-1e300, 1e300, 0.0]])
    q = random.choice(edges, (rows, width)).astype(np.float64)
    q = np.where(random.random(q.shape) < 0.4, np.nextafter(q, random.choice([-9.0, 9.0])), q)
    node = compiled(model)
    before = q.copy()
    theirs = dense(model.transform(q))
    ours = node.run("transform", q)
    assert_bitwise(ours, theirs)
    assert_bitwise(node.run("transform", q[-1:]), theirs[-1:])
    np.testing.assert_array_equal(q, before)
    assert node.n_out == theirs.shape[1]
    assert node.columns_in(True) == ((Kind.NUMBER, False),) * width


@pytest.mark.parametrize("encode", ENCODINGS)
def test_bins_feed_trees_and_linear_models(encode):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(80, 3)), random.integers(0, 3, 80)
    for last in (DecisionTreeClassifier(random_state=0), LogisticRegression()):
        model = make_pipeline(StandardScaler(), KBinsDiscretizer(4, encode=encode), last).fit(x, y)
        node = compiled(model)
        for rows in (1, 7, 80):
            check = assert_within if node.exact == "tolerance" else assert_bitwise
            check(node.run("predict_proba", x[:rows]), model.predict_proba(x[:rows]))


def test_each_output_column_names_the_input_column_it_is_made_of():
    x = np.random.default_rng(0).normal(size=(50, 2))
    node = compiled(KBinsDiscretizer([2, 3], encode="onehot").fit(x))
    assert [node.origin(column) for column in range(5)] == [0, 0, 1, 1, 1]


def test_what_comes_next_gets_the_bin_it_asks_for_as_an_example():
    x = np.random.default_rng(0).normal(size=(50, 2))
    model = make_pipeline(KBinsDiscretizer(5, encode="ordinal"), FunctionTransformer(np.log))
    with np.errstate(all="ignore"):
        node = compiled(model.fit(x))
    assert np.isfinite(node.run("transform", np.array([node.example()]))).all()
    signature_of(node, None)


def test_cells_rounded_before_they_are_compared_have_no_plan():
    model = KBinsDiscretizer(2, dtype=np.float32).fit(np.arange(8.0)[:, None])
    with pytest.raises(Unsupported, match="float32"):
        new_draft().node(model)


def test_malformed_bins_are_refused():
    model = KBinsDiscretizer(4).fit(np.random.default_rng(0).normal(size=(60, 2)))
    assert_refuses_broken(model)
    spec, tensors = plan_of(model)
    counts, edges = tensors[spec["counts"]], tensors[spec["edges"]]
    for wrong in (counts - 1, counts + np.array([1, -2]), np.append(counts, 1), counts[:0]):
        assert_refuses(spec, {**tensors, spec["counts"]: wrong})
    assert_refuses(spec, {**tensors, spec["edges"]: edges[::-1].copy()})
