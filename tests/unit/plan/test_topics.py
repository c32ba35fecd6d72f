"""Topics of documents against scikit-learn: within 1e-10."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import LatentDirichletAllocation

from controlplane.builder.lower.base import Unsupported
from runtime.plan.ops import InputRefused
from runtime.plan.topics import BLOCK_CELLS
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
    model.fit(counts(0, 20, 9000))
    q = counts(1, BLOCK_CELLS // 9000 + 5, 9000)
    node = compiled(model)
    assert_within(node.transform(q)[-5:], model.transform(q[-5:]), 1e-10)


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
