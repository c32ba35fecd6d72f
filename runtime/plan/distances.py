"""Distances between rows and stored points, in scikit-learn's metrics."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from runtime.plan.ops import Array, Fields, Float64Matrix, InputRefused

MAX_POINTS: Final = 1_000_000
MOST: Final = 1e150  # its square is still finite
MAX_POWER: Final = 100.0
BLOCK_CELLS: Final = 1 << 21  # differences held at once: 16 MiB
ROUGH_CELLS: Final = 1 << 18  # expanded squares held at once: they stay in the L2 cache
GROUPS: Final = 128
EPSILON: Final = float(np.finfo(np.float64).eps)
METRICS: Final = (
    "euclidean",
    "manhattan",
    "chebyshev",
    "minkowski",
    "seuclidean",
    "mahalanobis",
    "cosine",
    "canberra",
    "braycurtis",
    "hamming",
    "haversine",
)


class Points:
    """Stored points, and how far rows are from them.

    Distances are taken between differences, as scikit-learn's trees do; its brute force expands
    the square of the euclidean one and rounds otherwise.

    metric   one of METRICS; minkowski has `power` and perhaps `feature_weights`, seuclidean
             `variances`, mahalanobis `inverse_covariance`
    exact    within 1e-12: a sum over columns is added up in another order
    cost     rows x points x columns, in blocks of BLOCK_CELLS
    source   sklearn.metrics._dist_metrics; cosine: sklearn.metrics.pairwise.cosine_distances
    """

    def __init__(self, fields: Fields) -> None:
        self.points = fields.finite("points", None, None)
        self.stored, self.columns = (int(length) for length in self.points.shape)
        if not 0 < self.stored <= MAX_POINTS or not self.columns:
            raise fields.fail("there are no points, or too many")
        self.metric = fields.choice("metric", *METRICS)
        self.most = MOST
        self._centred: tuple[Array, Array, float] | None = None  # made at first use
        match self.metric:
            case "minkowski":
                self._read_power(fields)
            case "seuclidean":
                self.variances = fields.finite("variances", self.columns)
                if not (self.variances > 0).all():
                    raise fields.fail("'variances' must be above zero")
            case "mahalanobis":
                self.inverse = fields.finite("inverse_covariance", self.columns, self.columns)
            case "cosine":
                self.directions = unit_rows(self.points)
            case "haversine":
                if self.columns != 2:
                    raise fields.fail("haversine takes two columns")
            case _:
                pass

    def _read_power(self, fields: Fields) -> None:
        self.power = fields.number("power")
        if not 0 < self.power <= MAX_POWER:
            raise fields.fail(f"'power' must be above zero, to {MAX_POWER}")
        self.most = 10.0 ** (300.0 / max(2.0, self.power))
        self.feature_weights = None
        if fields.has("feature_weights"):
            self.feature_weights = fields.finite("feature_weights", self.columns)
            if (self.feature_weights < 0).any():
                raise fields.fail("'feature_weights' must not be below zero")

    def refuse_far(self, x: Float64Matrix) -> None:
        """Raise InputRefused for a cell so large that its distance to any point is infinite."""
        far = np.abs(x) > self.most
        if far.any():
            row, column = (int(i) for i in np.argwhere(far)[0])
            raise InputRefused(row, column, "too large: its distance to any point is infinite")

    def blocks(self, x: Float64Matrix) -> Iterator[tuple[slice, Float64Matrix]]:
        """Give slices of the rows with (rows, points) reduced distances; see `finish`."""
        step = max(1, BLOCK_CELLS // self.points.size)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            for first in range(0, x.shape[0], step):
                block = x[first : first + step]
                yield slice(first, first + step), self._reduced(block)

    def nearest(self, x: Float64Matrix, k: int) -> tuple[Array, Float64Matrix]:
        """Give (rows, k) places of the nearest points and their reduced distances, nearest first.

        Of points equally far the one stored first counts.

        cost  euclidean: a matrix product finds the few points that may be among the nearest, and
              only theirs are taken between differences; other metrics as `blocks`
        """
        places = np.empty((x.shape[0], k), np.intp)
        distances = np.empty((x.shape[0], k))
        if self.metric == "euclidean":
            step = max(1, ROUGH_CELLS // self.stored)
            for first in range(0, x.shape[0], step):
                block = x[first : first + step]
                rough, slack = self._rough(block)
                row, place = _candidates(rough, slack, k)
                difference = block[row] - self.points[place]
                exact = np.einsum("ij,ij->i", difference, difference)
                at = slice(first, first + step)
                places[at], distances[at] = _first(row, place, exact, k)
            return places, distances
        for at, found in self.blocks(x):
            row, place = _candidates(found, 0.0, k)
            places[at], distances[at] = _first(row, place, found[row, place], k)
        return places, distances

    def _rough(self, x: Float64Matrix) -> tuple[Float64Matrix, Float64Matrix]:
        """Squared distances less a constant for each row, and how far off they may be, (rows, 1).

        Taken about the points' own centre, so that an offset common to all costs no digits.
        """
        if self._centred is None:
            centre = self.points.mean(axis=0)
            points = self.points - centre
            squares = np.einsum("ij,ij->i", points, points)
            # With a column of ones at the rows, one product gives p² - 2xp.
            factor = np.vstack((-2.0 * points.T, squares))
            self._centred = centre, factor, float(np.sqrt(squares.max()))
        centre, factor, longest = self._centred
        moved = x - centre
        rough = np.hstack((moved, np.ones((x.shape[0], 1)))) @ factor
        length = np.sqrt(np.einsum("ij,ij->i", moved, moved)) + longest
        # Each product and sum is off by half an epsilon of the sizes at most; doubled for the
        # centre's own rounding.
        slack = (4.0 * (self.columns + 4) * EPSILON) * length * length
        # And by what moving both to the centre rounded away.
        size = np.abs(x).max(axis=1, initial=0.0) + float(np.abs(centre).max(initial=0.0)) + longest
        slack += (8.0 * self.columns * EPSILON) * size * length
        return rough, slack[:, None]

    def finish(self, reduced: Array) -> Array:
        """Give distances from reduced ones, which compare alike and are cheaper."""
        with np.errstate(invalid="ignore"):
            match self.metric:
                case "euclidean" | "seuclidean" | "mahalanobis":
                    return np.sqrt(reduced)
                case "minkowski":
                    powered: Array = reduced ** (1.0 / self.power)
                    return powered
                case "haversine":
                    angle: Array = 2 * np.arcsin(np.sqrt(reduced))
                    return angle
                case _:
                    return reduced

    def reduce(self, distance: float) -> float:
        """Give the reduced distance of a distance; the reverse of `finish`."""
        match self.metric:
            case "euclidean" | "seuclidean" | "mahalanobis":
                return distance * distance
            case "minkowski":
                return float(np.power(distance, self.power))
            case "haversine":
                return float(np.sin(0.5 * distance) ** 2)
            case _:
                return distance

    def _reduced(self, x: Float64Matrix) -> Float64Matrix:
        if self.metric == "cosine":
            out: Float64Matrix = unit_rows(x) @ self.directions.T
            out *= -1
            out += 1
            return np.clip(out, 0, 2, out=out)
        if self.metric == "haversine":
            return self._great_circle(x)
        if self.metric in ("canberra", "braycurtis"):
            return self._relative(x)
        if self.metric == "hamming":
            unequal: Float64Matrix = (x[:, None, :] != self.points[None, :, :]).mean(axis=2)
            return unequal
        return self._of_differences(x[:, None, :] - self.points[None, :, :])

    def _of_differences(self, difference: Array) -> Float64Matrix:
        """Reduce (rows, points, columns) to (rows, points); the differences are used up."""
        out: Float64Matrix
        match self.metric:
            case "euclidean":
                out = np.einsum("ijk,ijk->ij", difference, difference)
            case "seuclidean":
                difference *= difference
                difference /= self.variances
                out = difference.sum(axis=2)
            case "mahalanobis":
                out = np.einsum("ijk,ijk->ij", difference @ self.inverse, difference)
            case "manhattan":
                out = np.abs(difference, out=difference).sum(axis=2)
            case "chebyshev":
                out = np.abs(difference, out=difference).max(axis=2)
            case _:
                np.abs(difference, out=difference)
                difference **= self.power
                if self.feature_weights is not None:
                    difference *= self.feature_weights
                out = difference.sum(axis=2)
        return out

    def _relative(self, x: Float64Matrix) -> Float64Matrix:
        """Differences relative to sizes: cell by cell, or of whole rows; 0/0 counts as 0."""
        difference = np.abs(x[:, None, :] - self.points[None, :, :])
        size = np.abs(x)[:, None, :] + np.abs(self.points)[None, :, :]
        if self.metric == "braycurtis":
            total, of = difference.sum(axis=2), size.sum(axis=2)
            ratio: Float64Matrix = np.divide(total, of, out=np.zeros_like(total), where=of > 0)
            return ratio
        share = np.divide(difference, size, out=np.zeros_like(difference), where=size > 0)
        shares: Float64Matrix = share.sum(axis=2)
        return shares

    def _great_circle(self, x: Float64Matrix) -> Float64Matrix:
        """Latitude and longitude in radians."""
        across = np.sin(0.5 * (x[:, None, 0] - self.points[None, :, 0]))
        along = np.sin(0.5 * (x[:, None, 1] - self.points[None, :, 1]))
        shrink = np.cos(x[:, None, 0]) * np.cos(self.points[None, :, 0])
        out: Float64Matrix = across * across + shrink * along * along
        return out


def _candidates(rough: Float64Matrix, slack: Array | float, k: int) -> tuple[Array, Array]:
    """Give (row, place) of all points that may be among the k nearest, at least k a row.

    slack  how far off `rough` may be. The k-th smallest of disjoint groups' minima has k points
           below it, so nothing above it by twice the slack is among the k nearest
    """
    rows, stored = rough.shape
    groups = min(stored, max(GROUPS, 4 * k))
    whole = stored // groups * groups
    least = rough[:, :whole].reshape(rows, -1, groups).min(axis=1)
    if whole < stored:
        np.minimum(least[:, : stored - whole], rough[:, whole:], out=least[:, : stored - whole])
    bound = np.partition(least, k - 1, axis=1)[:, k - 1 : k] + 2.0 * slack
    # Not `<=`: a bound that is no number has everything looked at.
    near = np.greater(rough, bound)
    row, place = np.divmod(np.flatnonzero(np.logical_not(near, out=near)), stored)
    return row, place


def _first(row: Array, place: Array, distance: Array, k: int) -> tuple[Array, Float64Matrix]:
    """Give the k nearest of each row's candidates: (rows, k) places and distances."""
    order = np.lexsort((place, distance, row))
    counts = np.bincount(row)
    starts = np.cumsum(counts) - counts
    picked = order[starts[:, None] + np.arange(k)]
    return place[picked], distance[picked]


def unit_rows(x: Float64Matrix) -> Float64Matrix:
    """Rows of length one; a row of zeros stays. Source: sklearn.preprocessing.normalize."""
    with np.errstate(over="ignore"):
        norms = np.sqrt(np.einsum("ij,ij->i", x, x))
    norms[norms == 0] = 1.0
    out: Float64Matrix = x / norms[:, None]
    return out


def expanded(x: Float64Matrix, points: Float64Matrix, squares: Array) -> Float64Matrix:
    """Squared euclidean distances as x² - 2xy + y², (rows, points).

    squares  of the points' lengths
    exact    bitwise at the same batch size: BLAS rounds one row and many differently
    source   sklearn.metrics.pairwise._euclidean_distances
    """
    with np.errstate(over="ignore", invalid="ignore"):
        out: Float64Matrix = -2 * (x @ points.T)
        out += np.einsum("ij,ij->i", x, x)[:, None]
        out += squares
        return np.maximum(out, 0, out=out)


def lengths(points: Float64Matrix) -> Array:
    """Squared lengths, (points,)."""
    with np.errstate(over="ignore"):
        squares: Array = np.einsum("ij,ij->i", points, points)
    return squares
