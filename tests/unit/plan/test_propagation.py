"""Propagated labels against scikit-learn."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from sklearn.semi_supervised import LabelPropagation, LabelSpreading

from controlplane.builder.lower.base import Unsupported
from tests.unit.plan.malformed import assert_refuses, assert_refuses_broken, plan_of, shrunk
from tests.unit.plan.twins import assert_twins

# scikit-learn marks rows without a label by -1, so that texts cannot be labels here.
LABELS = np.array([0, 3, 7])


def fitted(model: Any, x: np.ndarray, y: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "invalid value encountered")
        return model.fit(x, y)


def table(seed: int, height: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.normal(size=(60, 3)) + (np.arange(60) % 3)[:, None] * 2
    y = np.where(np.arange(60) % 4 == 0, -1, LABELS[np.arange(60) % 3])
    return x, y, random.normal(size=(height, 3)) + 2


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([LabelPropagation, LabelSpreading]),
    st.sampled_from([{"kernel": "rbf", "gamma": 0.5}, {"kernel": "knn", "n_neighbors": 9}]),
    st.integers(1, 80),
)
def test_propagated_labels_are_twins(seed, kind, kernel, height):
    x, y, q = table(seed, height)
    assert_twins(fitted(kind(max_iter=200, **kernel), x, y), q, 1e-10)


def test_a_kernel_of_ones_own_has_no_plan():
    x, y, _ = table(0, 1)
    model = fitted(LabelSpreading(kernel=lambda a, b: np.exp(-np.abs(a @ b.T))), x, y)
    with pytest.raises(Unsupported, match="its kernel is a function"):
        plan_of(model)


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    x, y, _ = table(0, 1)
    return {
        "kernel": fitted(LabelSpreading(gamma=0.5), x, y),
        "neighbours": fitted(LabelSpreading(kernel="knn", n_neighbors=9), x, y),
    }


@pytest.mark.parametrize("name", ["kernel", "neighbours"])
def test_broken_plans_are_refused(models, name):
    assert_refuses_broken(models[name])
    spec, tensors = plan_of(models[name])
    for key in ("points", "shares"):
        assert_refuses(spec, shrunk(spec, tensors, key))
    assert_refuses(spec, {**tensors, spec["points"]: np.empty((0, 3))})
