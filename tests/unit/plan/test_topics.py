"""Topics of documents against scikit-learn: within 1e-10."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.decomposition._online_lda_fast import _dirichlet_expectation_2d

from controlplane.builder.lower.base import Unsupported
from runtime.plan.ops import InputRefused
from runtime.plan.special import exp_digamma, fast_digamma_of
from runtime.plan.topics import BLOCK_CELLS, FEW, NARROW
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of
from tests.unit.plan.twins import assert_twins, assert_within, compiled


def counts(seed: int, rows: int, columns: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.poisson(random.gamma(0.5, 2.0, (1, columns)), (rows, columns)).astype(float)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 6),
    st.integers(1, 30),
    st.integers(1, 60),
    st.sampled_from([None, 0.05, 0.9]),
    st.sampled_from([1, 3, 100]),
)
def test_topics_are_twins(seed, topics, columns, height, prior, rounds):
    model = LatentDirichletAllocation(
        topics, max_iter=3, doc_topic_prior=prior, max_doc_update_iter=rounds, random_state=0
    ).fit(counts(seed, 30, columns))
    q = counts(seed + 1, height, columns)
    q[0] = 0.0  # a document without a word
    node = assert_twins(model, q, 1e-10)
    # In a batch as alone: each row stops by its own change.
    alone = np.concatenate([node.transform(row[None]) for row in q])
    assert_within(alone, node.transform(q), 1e-12)


def test_blocks_join_to_the_whole():
    model = LatentDirichletAllocation(2, max_iter=1, max_doc_update_iter=5, random_state=0)
    model.fit(counts(0, 20, NARROW // 2))
    q = counts(1, 3 * BLOCK_CELLS // NARROW, NARROW // 2)
    node = compiled(model)
    assert len(list(node._blocks(q))) > 1
    assert_within(node.transform(q), model.transform(q), 1e-12)


@pytest.mark.parametrize("topics", [1, 3, FEW + 1])
@pytest.mark.parametrize("columns", [40, NARROW + 1])
def test_few_documents_and_many_of_few_words_and_many(topics, columns):
    model = LatentDirichletAllocation(topics, max_iter=1, random_state=0)
    model.fit(counts(0, 20, columns))
    q = counts(1, 30, columns) * (np.random.default_rng(2).random((30, columns)) < 0.1)
    node = assert_twins(model, q, 1e-12)
    assert node.transform(q[:0]).shape == (0, topics)
    if topics <= FEW:
        assert_within(node.transform(q[:1]), model.transform(q[:1]), 1e-15)
    for height in (1, 2, 14, 29):
        assert_within(node.transform(q[:height]), node.transform(q)[:height], 1e-12)


def test_a_prior_of_nearly_nothing():
    model = LatentDirichletAllocation(4, max_iter=2, doc_topic_prior=1e-9, random_state=0)
    model.fit(counts(0, 30, 12))
    assert_twins(model, counts(1, 20, 12), 1e-10)


@pytest.mark.parametrize("rows", [1, 30])
def test_counts_without_a_sum_are_no_error(rows):
    model = LatentDirichletAllocation(3, max_iter=1, random_state=0).fit(counts(0, 20, 5))
    q = np.full((rows, 5), 1.7e308)
    with np.errstate(all="ignore"):
        assert_within(compiled(model).transform(q), model.transform(q))


def test_digamma_of_one_number_and_of_many_is_scikit_learns():
    x = np.concatenate((np.geomspace(1e-9, 1e9, 5000), np.arange(1.0, 9.0), [1e-6, 2 - 1e-15]))
    theirs = np.array([_dirichlet_expectation_2d(np.array([[v, 5.0]]))[0] for v in x])
    # The second number of each row says what was taken off both.
    alone = np.array([fast_digamma_of(v) for v in x.tolist()])
    assert_within(alone - (fast_digamma_of(5.0) - theirs[:, 1]), theirs[:, 0], 1e-13)
    many = exp_digamma(x.reshape(2, -1)).reshape(-1)
    # What is left of the smallest numbers is below the smallest float.
    # A last bit of digamma(0.01), about -100, is 1.4e-14 of its exponential.
    np.testing.assert_allclose(many[x > 0.01], np.exp(alone[x > 0.01]), rtol=1e-13)
    assert_within(many[x < 0.01], np.exp(alone[x < 0.01]), 1e-40)


@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_digamma_of_what_is_no_number():
    assert np.isnan(exp_digamma(np.array([[np.nan]]))).all()
    assert np.isnan(fast_digamma_of(float("nan")))
    assert exp_digamma(np.array([[5e-324]])) == 0.0
    assert fast_digamma_of(float("inf")) == np.inf


def test_counts_below_zero_are_refused_as_by_scikit_learn():
    model = LatentDirichletAllocation(2, max_iter=1, random_state=0).fit(counts(0, 20, 3))
    with pytest.raises(InputRefused) as refused:
        compiled(model).transform(np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -0.5]]))
    assert (refused.value.row, refused.value.column) == (1, 2)


def test_float32_topics_have_no_plan():
    model = LatentDirichletAllocation(2, max_iter=1).fit(counts(0, 20, 3).astype(np.float32))
    with pytest.raises(Unsupported, match="float32"):
        plan_of(model)


def test_broken_plans_are_refused():
    model = LatentDirichletAllocation(2, max_iter=1, random_state=0).fit(counts(0, 20, 3))
    assert_refuses_broken(model)
    spec, tensors = plan_of(model)
    assert_refuses(spec, {**tensors, spec["words"]: -np.ones((2, 3))})
    assert_refuses(spec, {**tensors, spec["words"]: np.empty((0, 3))})
    assert_refuses({**spec, "prior": 0.0}, tensors)
    assert_refuses({**spec, "rounds": 10**6}, tensors)
