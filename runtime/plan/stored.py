"""Nodes that keep their training rows: what neighbours, nearest or within a radius, share."""

from collections.abc import Iterator
from functools import cached_property
from typing import Final

import numpy as np

from runtime.plan.alone import Alone
from runtime.plan.distances import Points, lengths
from runtime.plan.ops import (
    EPSILON,
    Array,
    Cell,
    Fields,
    Float64Matrix,
    InputRefused,
    Inputs,
    Missing,
    Node,
    as_matrix,
    override,
    silent,
)

MAX_GRAPH: Final = 10_000  # columns of a graph's dense answer
ALONE_CELLS: Final = 1 << 16  # of stored points that a row alone takes a way of its own to
# Distances of which scikit-learn keeps fewer digits than six are served by itself.
MOST_LOST: Final = 1e-6


class Stored(Node):
    """Points to compare with; see `Points`."""

    exact = "tolerance"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.points = Points(fields)
        self.n_in = self.points.columns

    def tolerance_of_distances(self) -> float:
        """Give how far scikit-learn's brute force may be from a euclidean distance near zero.

        It expands the square, whose terms cancel: what rounding leaves of two squared lengths is
        squared, so half of the digits of a length are lost. Differences, taken here, keep them.
        """
        if self.points.metric != "euclidean":
            return self.tolerance
        longest = float(np.sqrt(lengths(self.points.points).max()))
        return float(np.clip(np.sqrt(8 * EPSILON) * longest, self.tolerance, MOST_LOST))

    @cached_property
    def _alone(self) -> Alone | None:
        points = self.points
        few = points.metric == "euclidean" and points.points.size <= ALONE_CELLS
        return Alone(points.points) if few else None

    def rows(self, x: Inputs) -> Float64Matrix:
        """Give the rows, all of them near enough for a distance."""
        matrix = as_matrix(x)
        self.points.refuse_far(matrix)
        return matrix


class Neighbors(Stored):
    """Stored points and the k nearest of them to each row.

    weights  uniform, or distance: the inverse of it; rows on a point listen to such points alone
    source   sklearn.neighbors._base.KNeighborsMixin.kneighbors, _get_weights
    """

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.k = fields.integer("k", 1, self.points.stored)
        self.by_distance = False

    def read_weights(self, fields: Fields) -> None:
        """Read how much each neighbour counts."""
        self.by_distance = fields.choice("weights", "uniform", "distance") == "distance"

    def nearest(self, x: Inputs) -> tuple[Array, Float64Matrix]:
        """Give (rows, k) places of the nearest points, nearest first, and their distances."""
        places, reduced = self._nearest(x)
        return places, self.points.finish(reduced)

    def weighted(self, x: Inputs) -> tuple[Array, Float64Matrix | None]:
        """Give (rows, k) places of the nearest points and their weights; None: all weigh one."""
        places, reduced = self._nearest(x)
        return places, self._inverse(reduced) if self.by_distance else None

    def _nearest(self, x: Inputs) -> tuple[Array, Float64Matrix]:
        matrix = as_matrix(x)
        if matrix.shape[0] == 1 and self._alone is not None:
            found = self._alone.nearest(matrix, self.k)
            if found is not None:
                return found
        return self.points.nearest(self.rows(matrix), self.k)

    @silent
    def _inverse(self, reduced: Float64Matrix) -> Float64Matrix:
        weights: Float64Matrix = 1.0 / self.points.finish(reduced)
        infinite = np.isinf(weights)
        if infinite.any():
            on_a_point = infinite.any(axis=1)
            weights[on_a_point] = infinite[on_a_point]
        return weights


class Within(Stored):
    """Stored points and those of them within a radius of each row.

    source  sklearn.neighbors._base.RadiusNeighborsMixin.radius_neighbors
    """

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        radius = fields.number("radius")
        if radius < 0:
            raise fields.fail("'radius' must not be below zero")
        self.radius = self.points.reduce(radius)
        self.by_distance = False

    @override
    def example(self) -> tuple[Cell, ...]:
        """Give a row that has a neighbour: a stored one."""
        return tuple(self.points.points[0].tolist())

    @override
    def example_for(self, after: tuple[Cell, ...]) -> tuple[Cell, ...]:  # noqa: ARG002
        """Give `example`: what comes next does not choose the neighbours."""
        return self.example()

    def read_weights(self, fields: Fields) -> None:
        """Read how much each neighbour counts."""
        self.by_distance = fields.choice("weights", "uniform", "distance") == "distance"

    def found(self, x: Inputs, *, far: bool) -> Iterator[tuple[slice, Float64Matrix]]:
        """Give what `Points.within` does for the own radius."""
        matrix = as_matrix(x)
        if matrix.shape[0] == 1 and self._alone is not None:
            found = self._alone.within(matrix, self.radius, far=far)
            if found is not None:
                yield slice(0, 1), found
                return
        yield from self.points.within(self.rows(matrix), self.radius, far=far)

    def near(self, x: Inputs) -> Iterator[tuple[slice, Array, Array]]:
        """Give what `Points.near` does for the own radius."""
        matrix = as_matrix(x)
        if matrix.shape[0] == 1 and self._alone is not None:
            found = self._alone.near(matrix, self.radius)
            if found is not None:
                yield slice(0, 1), *found
                return
        yield from self.points.near(self.rows(matrix), self.radius)

    def refuse_lonely(self, found: Float64Matrix, first: int) -> None:
        """Raise InputRefused for a row without neighbours; `first` is the block's first row."""
        lonely = np.flatnonzero(~(found <= self.radius).any(axis=1))
        if lonely.size:
            raise no_neighbor(first + int(lonely[0]))

    @silent
    def weights(self, found: Float64Matrix) -> Float64Matrix:
        """Give the weight of every point for each row, zero for those too far."""
        within = found <= self.radius
        if not self.by_distance:
            return within.astype(np.float64)
        distances = self.points.finish(found)
        inverse = np.where(within, 1.0 / distances, 0.0)
        on_a_point = within & (distances == 0)
        alone = on_a_point.any(axis=1)
        inverse[alone] = on_a_point[alone]
        return inverse


def read_targets(fields: Fields, stored: int) -> tuple[Array, bool]:
    """Read (points, targets), and whether scikit-learn gives one of them as a vector."""
    targets, vector = fields.finite("targets", stored, None), fields.flag("vector")
    if not targets.shape[1] or (vector and targets.shape[1] != 1):
        raise fields.fail("'targets' has no or too many columns")
    return targets, vector


def no_neighbor(row: int) -> InputRefused:
    """Make the error for a row without neighbours."""
    return InputRefused(row, None, "no training row lies within the radius")


def graph_width(fields: Fields, points: Points) -> int:
    """Give the columns of a graph's answer: one a point."""
    if points.stored > MAX_GRAPH:
        raise fields.fail(f"its answer has more than {MAX_GRAPH} columns")
    return points.stored
