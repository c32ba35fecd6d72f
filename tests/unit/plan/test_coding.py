"""Sparse codes against scikit-learn."""

import warnings
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import DictionaryLearning, MiniBatchDictionaryLearning, SparseCoder
from sklearn.exceptions import ConvergenceWarning

from controlplane.builder.lower.base import Unsupported
from runtime.plan.coding import MAX_ATOMS
from runtime.plan.graph import build
from runtime.plan.ops import InputRefused
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of
from tests.unit.plan.twins import assert_twins, assert_within, compiled


@pytest.fixture(autouse=True)
def _premature() -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Orthogonal matching pursuit ended prematurely|\\s")
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(2, 25),
    st.integers(1, 12),
    st.integers(1, 60),
    st.integers(1, 12),
    st.booleans(),
)
def test_pursuits_are_twins(seed, columns, atoms, height, most, split):
    random = np.random.default_rng(seed)
    dictionary = random.normal(size=(atoms, columns))
    dictionary /= np.linalg.norm(dictionary, axis=1, keepdims=True)
    model = SparseCoder(
        dictionary,
        transform_algorithm="omp",
        transform_n_nonzero_coefs=min(most, atoms, columns),
        split_sign=split,
    )
    q = random.normal(size=(height, columns))
    q[0] = dictionary[0] * 2  # one atom says it all: the pursuit ends early
    node = assert_twins(model, q, 1e-10)
    assert_within(
        np.concatenate([node.transform(row[None]) for row in q]), node.transform(q), 1e-10
    )


def test_a_pursuit_that_is_told_nothing_takes_a_tenth_of_the_columns():
    random = np.random.default_rng(0)
    model = SparseCoder(random.normal(size=(40, 30)))
    assert compiled(model).most == 3
    assert_twins(model, random.normal(size=(50, 30)), 1e-10)


@pytest.mark.parametrize("most", [1, 2, 15])
def test_a_row_alone_is_as_in_a_batch(most):
    random = np.random.default_rng(2)
    dictionary = random.normal(size=(40, 30))
    dictionary[7] = 0.0  # an atom that says nothing
    model = SparseCoder(dictionary, transform_n_nonzero_coefs=most)
    q = random.normal(size=(9, 30))
    q[0], q[1] = 0.0, dictionary[3]
    node = assert_twins(model, q, 1e-10)
    alone = np.concatenate([node.transform(row[None]) for row in q])
    assert_within(alone, node.transform(q), 1e-10)
    assert_within(alone, model.transform(q), 1e-10)
    with np.errstate(all="ignore"):
        assert node.transform(np.full((1, 30), 1e308)).shape == (1, 40)


def test_an_atom_that_is_there_twice_ends_the_pursuit():
    random = np.random.default_rng(1)
    atom = random.normal(size=(1, 6))
    atom /= np.linalg.norm(atom)
    model = SparseCoder(np.vstack([atom, atom, -atom]), transform_n_nonzero_coefs=3)
    assert_twins(model, random.normal(size=(20, 6)), 1e-10)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
    st.sampled_from([None, 0.0, 0.3]),
    st.booleans(),
    st.booleans(),
)
def test_thresholds_are_twins(seed, height, alpha, positive, split):
    random = np.random.default_rng(seed)
    model = SparseCoder(
        random.normal(size=(7, 5)),
        transform_algorithm="threshold",
        transform_alpha=alpha,
        positive_code=positive,
        split_sign=split,
    )
    assert_twins(model, random.normal(size=(height, 5)))


@pytest.mark.parametrize("kind", [DictionaryLearning, MiniBatchDictionaryLearning])
@pytest.mark.parametrize("algorithm", ["omp", "threshold"])
def test_learnt_dictionaries_are_twins(kind, algorithm):
    random = np.random.default_rng(0)
    x = random.normal(size=(30, 12))
    model = kind(4, max_iter=3, transform_algorithm=algorithm, random_state=0).fit(x)
    assert_twins(model, random.normal(size=(20, 12)), 1e-10)


@pytest.mark.parametrize(
    ("settings_of", "reason"),
    [
        ({"transform_algorithm": "lasso_lars"}, "least angle regression"),
        ({"transform_algorithm": "lars"}, "least angle regression"),
        ({"transform_algorithm": "lasso_cd"}, "coordinate descent"),
        ({"positive_code": True}, "positive_code"),
    ],
    ids=str,
)
def test_what_has_no_plan_says_why(settings_of, reason):
    with pytest.raises(Unsupported, match=reason):
        plan_of(SparseCoder(np.eye(4), **settings_of))


@pytest.mark.parametrize("algorithm", ["omp", "threshold"])
def test_broken_plans_are_refused(algorithm):
    model = SparseCoder(np.eye(4)[:3], transform_algorithm=algorithm)
    assert_refuses_broken(model)
    spec, tensors = plan_of(model)
    assert_refuses(spec, {**tensors, spec["atoms"]: np.empty((0, 4))})
    if algorithm == "omp":
        assert_refuses({**spec, "most": 4}, tensors)
        assert_refuses(spec, {**tensors, spec["atoms"]: np.full((3, 4), 1e200)})
        assert_refuses(spec, {**tensors, spec["atoms"]: np.ones((MAX_ATOMS + 1, 1))})


@pytest.mark.parametrize("size", [1e-160, 1.0, 1e60, 1e150])
def test_atoms_without_a_solution_answer_or_refuse(size):
    spec, tensors = plan_of(SparseCoder(np.eye(3)))
    atoms = np.array([[size, 0.0, 0.0], [size, 1.0, 0.0], [size, 1.0, 1e-9]])
    node = build({**spec, "most": 3}, {**tensors, spec["atoms"]: atoms})
    with suppress(InputRefused):
        assert node.run("transform", np.array([[1.0, 2.0, 3.0]])).shape == (1, 3)
