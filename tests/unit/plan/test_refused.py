"""What is known and has no plan: it says why, and the reason is true."""

from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import NMF, MiniBatchNMF
from sklearn.neighbors import KernelDensity

from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.refused import REASONS
from tests.unit.plan.malformed import plan_of

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).random((300, 4))


@pytest.mark.parametrize("kind", REASONS, ids=lambda kind: kind.__name__)
def test_it_says_why(kind: Any) -> None:
    with pytest.raises(Unsupported) as refused:
        plan_of(kind().fit(X))
    assert refused.value.reason == REASONS[kind]


@pytest.mark.parametrize("kind", [NMF, MiniBatchNMF])
def test_a_row_is_factorised_otherwise_beside_other_rows(kind: Any) -> None:
    model = kind(3, random_state=0).fit(X)
    alone = np.concatenate([model.transform(row[None]) for row in X[:20]])
    assert np.abs(alone - model.transform(X)[:20]).max() > 1e-9


def test_a_density_far_out_has_no_digits() -> None:
    width = 0.7
    x = np.random.default_rng(0).normal(size=(300, 4))
    model = KernelDensity(bandwidth=width).fit(x)
    rows = np.linspace(4.0, 7.0, 30)[:, None] * np.ones((1, 4))
    squares = ((rows[:, None] - x) ** 2).sum(axis=2) / (2 * width**2)
    nearest = squares.min(axis=1)
    density = np.exp(nearest[:, None] - squares).mean(axis=1)
    right = np.log(density) - nearest - 2 * np.log(2 * np.pi * width**2)
    assert np.abs(model.score_samples(rows) - right).max() > 0.1
