"""One row's euclidean distances to stored points, where numpy's calls cost more than numbers."""

import math
from typing import Final

import numpy as np

from runtime.plan.ops import (
    EPSILON,
    Array,
    Float64Matrix,
    Float64Vector,
    silent,
)

FARTHEST: Final = 1e100  # its square, and sums of many, are finite
GROUPS: Final = 64
LINES: Final = 32  # of groups' numbers beside each other; of fewer all are partitioned as soon


class Alone:
    """Stored points about their own centre, so that an offset common to all costs no digits.

    One product gives every squared distance roughly; those of the points that may matter are taken
    again between differences, as for many rows.
    """

    def __init__(self, points: Float64Matrix) -> None:
        self.points = points
        with np.errstate(over="ignore", invalid="ignore"):
            self.centre = points.mean(axis=0)
            moved = points - self.centre
            self.squares = np.einsum("ij,ij->i", moved, moved)
            self.factor = np.ascontiguousarray(-2.0 * moved.T)
            self.longest = math.sqrt(self.squares.max())
            self.offset = 2.0 * float(np.abs(self.centre).max())

    @silent
    def nearest(self, x: Float64Matrix, k: int) -> tuple[Array, Float64Matrix] | None:
        """Give (1, k) places of the nearest points, nearest first, and their squared distances.

        Of points equally far the one stored first counts; None for a row that is too far away.
        """
        rough = self._rough(x[0])
        if rough is None:
            return None
        squares, _, slack = rough
        bound = _least(squares, k) + 2.0 * slack
        place = (squares <= bound).nonzero()[0]
        exact = self._exact(x, place)
        order = exact.argsort(kind="stable")[:k]
        return place[order][None], exact[order][None]

    @silent
    def near(self, x: Float64Matrix, radius: float) -> tuple[Array, Float64Vector] | None:
        """Give places within a radius, in order, and their squared distances; None as in `nearest`.

        radius  squared
        """
        rough = self._rough(x[0])
        if rough is None:
            return None
        squares, own, slack = rough
        # Twice, since the row's own length was rounded too.
        place = (squares <= radius - own + 2.0 * slack).nonzero()[0]
        exact = self._exact(x, place)
        kept = exact <= radius
        return place[kept], exact[kept]

    @silent
    def within(self, x: Float64Matrix, radius: float, *, far: bool) -> Float64Matrix | None:
        """Give (1, points) squared distances, infinite beyond a radius; None as in `nearest`.

        radius  squared
        far     how far a point within is matters; if not, 0 stands for what is surely within
        """
        rough = self._rough(x[0])
        if rough is None:
            return None
        squares, own, slack = rough
        # Twice, since the row's own length was rounded too.
        low, high = radius - own - 2.0 * slack, radius - own + 2.0 * slack
        found = np.full(squares.shape[0], np.inf)
        if far:
            place = (squares <= high).nonzero()[0]
        else:
            sure = squares < low
            found[sure] = 0.0
            place = ((squares <= high) > sure).nonzero()[0]
        if place.shape[0]:
            found[place] = self._exact(x, place)
        return found[None]

    def _rough(self, row: Float64Vector) -> tuple[Float64Vector, float, float] | None:
        """Squared distances less the row's own, (points,), its own, and how far off they may be."""
        moved = row - self.centre
        own = float(moved @ moved)
        length = math.sqrt(own) + self.longest
        # Not `>=`: no number is no short way either.
        if not length + self.offset < FARTHEST:
            return None
        squares = moved @ self.factor
        squares += self.squares
        # Each product and sum is off by half an epsilon of the sizes at most; doubled for their
        # own rounding. And by what moving both to the centre rounded away.
        columns = row.shape[0]
        slack = 4.0 * (columns + 4) * length + 8.0 * columns * (length + self.offset)
        return squares, own, EPSILON * length * slack

    def _exact(self, x: Float64Matrix, place: Array) -> Array:
        difference = self.points.take(place, 0) - x
        exact: Array = np.einsum("ij,ij->i", difference, difference)
        return exact


def _least(values: Float64Vector, k: int) -> float:
    """Give a number that k of the values do not exceed: of each group the least, and of these."""
    groups = max(GROUPS, 4 * k)
    lines = values.shape[0] // groups
    if lines >= LINES:
        values = np.minimum.reduce(values[: lines * groups].reshape(lines, groups), 0)
    return float(np.partition(values, k - 1)[k - 1])
