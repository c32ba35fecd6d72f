"""Squared distances for kernels, against the same in extended precision."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.plan.covariances import RATIONAL, STEEPNESS
from runtime.plan.ops import EPSILON
from runtime.plan.squares import Squares

KERNELS = {
    "rbf": lambda s: np.exp(-s / 2),
    "matern-1.5": lambda s: (1 + np.sqrt(3 * s)) * np.exp(-np.sqrt(3 * s)),
    "matern-2.5": lambda s: (1 + np.sqrt(5 * s) + 5 * s / 3) * np.exp(-np.sqrt(5 * s)),
    "rational": lambda s: 1 / np.sqrt(1 + s),
}


def precisely(x: np.ndarray, stored: np.ndarray) -> np.ndarray:
    apart = x[:, None].astype(np.longdouble) - stored.astype(np.longdouble)
    return (apart**2).sum(axis=2)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.sampled_from(sorted(KERNELS)),
    st.sampled_from([1, 2, 20, 90]),
    st.floats(-3, 3),
    st.sampled_from([0.0, 0.3, 30.0, 1e4]),
    st.floats(-16, -9),
    st.sampled_from([1, 7, 60]),
    st.integers(0, 2**32 - 1),
)
def test_a_kernel_is_off_by_no_more_than_is_allowed(
    name, columns, spread, offset, allowed, height, seed
):
    random = np.random.default_rng(seed)
    stored = random.normal(size=(50, columns)) * 10**spread + offset
    near = stored[random.integers(50, size=height)]
    x = near + random.normal(size=near.shape) * 10.0 ** random.uniform(-9, 1, (height, 1))
    kernel, steepness = KERNELS[name], STEEPNESS.get(name, RATIONAL)
    found = np.maximum(Squares(stored).of(x, 10**allowed, steepness), 0)
    exact = precisely(x, stored)
    error = np.abs(kernel(found.astype(np.longdouble)) - kernel(exact)).max()
    # What scipy's own sum of squares loses is lost where differences are taken, too.
    assert error <= max(10**allowed, 0.2 * (columns + 2) * EPSILON)


STORED = np.random.default_rng(0).normal(size=(60, 5))


@pytest.mark.parametrize(
    ("x", "allowed", "way"),
    [
        (STORED, 1e-12, "product"),
        (STORED, 1e-15, "split"),
        (STORED[:1], 1e-15, "split"),
        (STORED, 1e-17, "differences"),
        (STORED * 1e3, 1e-12, "differences"),
        (np.full((1, 5), 1e200), 1e-9, "differences"),
        (np.full((1, 5), np.inf), 1e-9, "differences"),
        (STORED[:0], 1e-12, "product"),
    ],
)
def test_the_cheapest_way_that_keeps_the_digits_is_taken(x, allowed, way, monkeypatch):
    taken = []
    for name in ("_split", "exactly"):
        called = getattr(Squares, name)
        monkeypatch.setattr(
            Squares, name, lambda self, x, n=name, c=called: (taken.append(n), c(self, x))[1]
        )
    with np.errstate(all="ignore"):
        found = Squares(STORED).of(x, allowed, 0.5)
    assert found.shape == (len(x), 60)
    assert taken == {"product": [], "split": ["_split"], "differences": ["exactly"]}[way]


@pytest.mark.parametrize("allowed", [1e-9, 1e-15, 0.0])
def test_every_way_gives_it_times_the_same(allowed):
    once, halved = Squares(STORED), Squares(STORED, -0.5)
    x = STORED[:9] + 0.1
    assert np.array_equal(-0.5 * once.of(x, allowed, 0.5), halved.of(x, allowed, 0.5))
