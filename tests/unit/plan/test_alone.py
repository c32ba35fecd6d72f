"""A row alone among stored points: the neighbours and the distances of a batch, bit for bit."""

import numpy as np
import pytest
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    LocalOutlierFactor,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
    RadiusNeighborsTransformer,
)

from runtime.plan.alone import Alone
from runtime.plan.ops import InputRefused
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled

random = np.random.default_rng(0)
POINTS = {
    "few": random.normal(size=(7, 3)),
    "one": np.zeros((1, 2)),
    "many": random.normal(size=(1000, 20)),
    "more than are partitioned at once": random.normal(size=(9000, 5)),
    "one column": random.normal(size=(500, 1)),
    "a grid": random.integers(0, 3, (400, 4)) * 1.0,
    "timestamps": random.normal(size=(300, 2)) + 1.7e9,
    "outliers": random.normal(size=(300, 3)) * np.where(np.arange(300) % 50, 1.0, 1e8)[:, None],
}


def squares(points: np.ndarray, row: np.ndarray) -> np.ndarray:
    difference = points - row
    return np.einsum("ij,ij->i", difference, difference)


@pytest.mark.parametrize("points", POINTS.values(), ids=POINTS)
@pytest.mark.parametrize("k", [1, 5, 100])
def test_the_nearest_are_those_of_all_differences(points, k):
    alone, k = Alone(points), min(k, len(points))
    for row in (*points[:3], points.mean(axis=0), points[0] + 1e-9, points[-1] * 30.0):
        found = squares(points, row)
        places, distances = alone.nearest(row[None], k)
        nearest = np.lexsort((np.arange(len(points)), found))[:k]
        assert_bitwise(places, nearest[None])
        assert_bitwise(distances, found[nearest][None])


@pytest.mark.parametrize("points", POINTS.values(), ids=POINTS)
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 1.0])
def test_those_within_a_radius_are_those_of_all_differences(points, share):
    alone = Alone(points)
    for row in (*points[:3], points.mean(axis=0), points[-1] * 30.0):
        exact = squares(points, row)
        radius = float(np.quantile(exact, share, method="lower"))  # one lies on it
        found = alone.within(row[None], radius, far=True)
        assert_bitwise(np.where(found <= radius, found, np.inf)[0], within(exact, radius))
        place, near = alone.near(row[None], radius)
        assert_bitwise(place, np.flatnonzero(exact <= radius))
        assert_bitwise(near, exact[place])
        nearly = alone.within(row[None], radius, far=False)
        assert_bitwise(nearly <= radius, (exact <= radius)[None])


def within(exact: np.ndarray, radius: float) -> np.ndarray:
    return np.where(exact <= radius, exact, np.inf)


@pytest.mark.parametrize("cell", [1e101, 1e200, np.finfo(float).max])
def test_a_row_too_far_away_is_left_to_others(cell):
    alone = Alone(POINTS["few"])
    row = np.array([[0.0, -cell, 0.0]])
    assert alone.nearest(row, 1) is None
    assert alone.within(row, 1.0, far=True) is None
    assert alone.near(row, 1.0) is None


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_a_row_alone_is_answered_as_in_a_batch(weights):
    x, y = POINTS["many"], np.arange(1000) % 3
    models = [
        KNeighborsClassifier(weights=weights).fit(x, y),
        KNeighborsRegressor(weights=weights).fit(x, np.stack([x[:, 0], x[:, 1]], axis=1)),
        LocalOutlierFactor(novelty=True).fit(x),
        RadiusNeighborsClassifier(5.0, weights=weights, outlier_label=1).fit(x, y),
        RadiusNeighborsRegressor(5.0, weights=weights).fit(x, x[:, 0]),
        RadiusNeighborsTransformer(radius=5.0).fit(x),
    ]
    rows = np.concatenate([x[:3], x[:3] + 0.3, np.full((1, 20), 50.0), np.full((1, 20), 1e120)])
    for model in models:
        node = compiled(model)
        for method in node.methods:
            batch = node.run(method, rows)
            alone = np.concatenate([node.run(method, rows[i : i + 1]) for i in range(len(rows))])
            assert_within(alone, batch)
            assert node.run(method, rows[:0]).shape == (0, *batch.shape[1:])
        with pytest.raises(InputRefused) as refused:
            node.run(node.methods[0], np.where(np.arange(20) == 4, 1e151, x[:1]))
        assert (refused.value.row, refused.value.column) == (0, 4)


def test_a_lone_row_without_a_neighbour_is_refused_where_it_has_no_label():
    x = POINTS["many"]
    node = compiled(RadiusNeighborsClassifier(5.0).fit(x, np.arange(1000) % 3))
    for rows in (np.full((1, 20), 50.0), np.concatenate([x[:2], np.full((1, 20), 50.0)])):
        with pytest.raises(InputRefused, match="no training row") as refused:
            node.predict(rows)
        assert refused.value.row == len(rows) - 1
