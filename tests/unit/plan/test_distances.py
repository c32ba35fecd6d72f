"""The quick ways to the nearest points find what comparing with every point finds, to the bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.manifold import Isomap
from sklearn.neighbors import KNeighborsTransformer, RadiusNeighborsTransformer

from runtime.plan import distances
from runtime.plan.distances import Points
from runtime.plan.neighbors import NeighborsGraph
from runtime.plan.stored import MOST_LOST
from tests.unit.plan.twins import assert_within, compiled


def points_of(x: np.ndarray, metric: str = "euclidean") -> Points:
    model = KNeighborsTransformer(n_neighbors=1, algorithm="brute", metric=metric)
    node = compiled(model.fit(x))
    assert isinstance(node, NeighborsGraph)
    return node.points


def every(x: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Squared distances, (rows, points), by the differences that the plan takes too."""
    return np.stack([np.einsum("ij,ij->i", points - row, points - row) for row in x])


def layout(kind: str, seed: int, stored: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and rows to ask about: some are points, so that there are distances of zero."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(stored, columns))
    q = np.vstack((random.normal(size=(40, columns)), x[:5]))
    match kind:
        case "an offset":
            return x + 1e6, q + 1e6
        case "a far point":
            x[0] *= 1e7
        case "far rows":
            q[::3] *= 1e9
        case "tiny":
            return x * 1e-18, q * 1e-18
        case "huge":
            return x * 1e30, q * 1e30
        case "on a grid":
            return np.floor(2 * x), np.floor(2 * q)
        case _:
            pass
    return x, q


KINDS = ["plain", "an offset", "a far point", "far rows", "tiny", "huge", "on a grid"]


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=12, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    stored=st.integers(8, 400),
    columns=st.integers(1, 20),
    k=st.integers(1, 8),
    height=st.sampled_from([1, 2, 45]),
)
def test_the_nearest_are_those_of_all_comparisons(kind, seed, stored, columns, k, height):
    x, q = layout(kind, seed, stored, columns)
    rows = q[-height:]
    places, distances = points_of(x).nearest(rows, k)
    found = every(rows, x)
    order = found.argsort(axis=1, kind="stable")[:, :k]
    assert places.tolist() == order.tolist()
    assert distances.tobytes() == np.take_along_axis(found, order, axis=1).tobytes()


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=12, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    stored=st.integers(8, 400),
    columns=st.integers(1, 20),
    share=st.floats(0.0, 1.0),
    far=st.booleans(),
)
def test_those_within_are_those_of_all_comparisons(kind, seed, stored, columns, share, far):
    x, q = layout(kind, seed, stored, columns)
    found = every(q, x)
    radius = float(np.quantile(found, share))
    inside = found <= radius
    parts = [part for _, part in points_of(x).within(q, radius, far=far)]
    answered = np.concatenate(parts)
    assert (answered <= radius).tolist() == inside.tolist()
    if far:
        # A row's sum may be added up in another order where most points are compared.
        assert np.allclose(answered[inside], found[inside], rtol=1e-14, atol=0)
    cells = []
    for at, place, near in points_of(x).near(q, radius):
        cells.append(place + at.start * len(x))
        assert np.allclose(near, found[at].ravel()[place], rtol=1e-14, atol=0)
    assert np.concatenate(cells).tolist() == np.flatnonzero(inside).tolist()


def test_those_within_are_found_in_blocks(monkeypatch):
    x, q = layout("plain", 3, 40, 3)
    q = np.tile(q, (5, 1))
    inside = every(q, x) <= 1.0
    for metric in ("euclidean", "manhattan"):
        monkeypatch.setattr(distances, "ROUGH_CELLS", 40 * 7)
        monkeypatch.setattr(distances, "BLOCK_CELLS", 40 * 3 * 4)
        cells = [at.start * 40 + place for at, place, _ in points_of(x, metric).near(q, 1.0)]
        if metric == "manhattan":
            inside = np.abs(q[:, None] - x).sum(axis=2) <= 1.0
        assert len(cells) > 1
        assert np.concatenate(cells).tolist() == np.flatnonzero(inside).tolist()


@pytest.mark.parametrize(
    "model",
    [
        KNeighborsTransformer(n_neighbors=4, algorithm="brute"),
        RadiusNeighborsTransformer(radius=4.0, algorithm="brute"),
        Isomap(n_neighbors=6, neighbors_algorithm="brute"),
    ],
    ids=lambda model: type(model).__name__,
)
def test_distances_of_nearly_nothing_are_promised_within_what_scikit_learn_keeps(model):
    random = np.random.default_rng(1)
    x = random.normal(size=(150, 20))
    q = np.vstack((x, x + 1e-9, random.normal(size=(50, 20))))
    node, fitted = compiled(model.fit(x)), model.transform(q)
    theirs = fitted.toarray() if hasattr(fitted, "toarray") else fitted
    assert 1e-12 < node.tolerance <= MOST_LOST
    assert_within(node.transform(q), theirs, node.tolerance)


def test_distances_of_which_no_digits_are_left_are_not_promised():
    graph = KNeighborsTransformer(n_neighbors=4, algorithm="brute")
    x = np.random.default_rng(1).normal(size=(50, 3))
    assert compiled(graph.fit(x + 1e9)).tolerance == MOST_LOST
    assert compiled(graph.set_params(metric="manhattan").fit(x + 1e9)).tolerance == 1e-12
