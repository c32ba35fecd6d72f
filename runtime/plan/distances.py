"""Distances between rows and stored points, in scikit-learn's metrics."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtime.plan.buffers import small_buffers
from runtime.plan.ops import (
    EPSILON,
    Array,
    Fields,
    Float64Matrix,
    InputRefused,
    first_cell,
    silent,
)

MAX_POINTS: Final = 1_000_000
MOST: Final = 1e150  # its square is still finite
MAX_POWER: Final = 100.0
BLOCK_CELLS: Final = 1 << 21  # differences held at once: 16 MiB
ROUGH_CELLS: Final = 1 << 18  # expanded squares held at once: they stay in the L2 cache
GROUPS: Final = 128
WIDE: Final = 4  # as many cells as candidates may be left empty to sort row by row
NEARLY_ZERO: Final = 10 * EPSILON  # a length that scikit-learn does not divide by
EPSILON_SINGLE: Final = float(np.finfo(np.float32).eps)
# Lengths whose squares, and sums of them, are neither infinite nor zero in single precision.
SMALLEST: Final = 1e-12
LARGEST_LENGTH: Final = 1e17
# Lengths beyond so many times the usual one have single precision tell too few points apart.
USUAL: Final = 8.0
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
        # Made at first use.
        self._centred: tuple[Array, Array, Array, float, float] | None = None
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
            row, column = first_cell(far)
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
            for at, block in self._rough_blocks(x):
                rough, slack, _ = self._rough(block)
                row, place = _candidates(rough, slack, k)
                exact = _squares(block.take(row, 0) - self.points.take(place, 0))
                places[at], distances[at] = _first(row, place, exact, k)
            return places, distances
        for at, found in self.blocks(x):
            row, place = _candidates(found, 0.0, k)
            places[at], distances[at] = _first(row, place, found[row, place], k)
        return places, distances

    def within(
        self, x: Float64Matrix, radius: float, *, far: bool
    ) -> Iterator[tuple[slice, Float64Matrix]]:
        """Give slices of the rows with (rows, points) reduced distances; infinite beyond a radius.

        radius  reduced as well
        far     how far a point within is matters; if not, 0 stands for what is surely within
        cost    euclidean: a matrix product, and differences of those that it cannot tell or that
                matter; other metrics, and where half of all points matter, as `blocks`
        """
        if self.metric != "euclidean":
            yield from self.blocks(x)
            return
        for at, block in self._rough_blocks(x):
            ask, rough, bound, slack = self._asked(block, radius)
            found = np.full(rough.shape, np.inf)
            if not far:
                sure = rough < -_not_less(2.0 * slack - bound, rough)
                found[sure] = 0.0
                ask &= ~sure
            place = np.flatnonzero(ask)
            if 2 * place.shape[0] > ask.size:
                found = np.concatenate([part for _, part in self.blocks(block)])
            else:
                found.ravel()[place] = self._squares_of(block, place)
            yield at, found

    def near(self, x: Float64Matrix, radius: float) -> Iterator[tuple[slice, Array, Array]]:
        """Give slices of the rows with the cells of (rows, points) within a radius, in order.

        radius  reduced, and so are the distances that come with the cells
        cost    euclidean: a matrix product, and differences of those that it cannot rule out;
                other metrics, and where half of all points are near, as `blocks`
        """
        for at, block in self._rough_blocks(x) if self.metric == "euclidean" else ():
            place = np.flatnonzero(self._asked(block, radius)[0])
            if 2 * place.shape[0] > block.shape[0] * self.stored:
                yield from _within(self.blocks(block), radius, at.start)
            else:
                found = self._squares_of(block, place)
                kept = found <= radius
                yield at, place[kept], found[kept]
        if self.metric != "euclidean":
            yield from _within(self.blocks(x), radius, 0)

    def _asked(
        self, x: Float64Matrix, radius: float
    ) -> tuple[NDArray[np.bool_], Array, Float64Matrix, Float64Matrix]:
        """Which points may be within a radius, and `_rough` with the bound it is held against."""
        rough, slack, own = self._rough(x)
        # Twice, since the row's own length was rounded too.
        bound = radius - own
        # Not `<=`: where the bound is no number everything is looked at.
        with small_buffers():
            beyond = rough > _not_less(bound + 2.0 * slack, rough)
        return np.logical_not(beyond, out=beyond), rough, bound, slack

    def _squares_of(self, x: Float64Matrix, place: Array) -> Array:
        """Squared distances between differences, of cells of (rows, points)."""
        row, column = np.divmod(place, self.stored)
        return _squares(x.take(row, 0) - self.points.take(column, 0))

    def _rough_blocks(self, x: Float64Matrix) -> Iterator[tuple[slice, Float64Matrix]]:
        step = max(1, ROUGH_CELLS // self.stored)
        for first in range(0, x.shape[0], step):
            at = slice(first, first + step)
            yield at, x[at]

    def _rough(self, x: Float64Matrix) -> tuple[Array, Float64Matrix, Float64Matrix]:
        """Squared distances less a row's own, how far off they may be, (rows, 1), and the row's.

        Taken about the points' own centre, so that an offset common to all costs no digits; in
        single precision where nothing overflows or vanishes in it, at half the cost.
        """
        if self._centred is None:
            centre = self.points.mean(axis=0)
            points = self.points - centre
            squares = _squares(points)
            factor: Array = squares_factor(points, squares)
            with np.errstate(over="ignore", under="ignore"):
                narrow = factor.astype(np.float32)
            longest, usual = float(np.sqrt(squares.max())), float(np.sqrt(squares.mean()))
            self._centred = centre, factor, narrow, longest, min(USUAL * usual, LARGEST_LENGTH)
        centre, factor, narrow, longest, most = self._centred
        moved = x - centre
        own = _squares(moved)
        length = np.sqrt(own) + longest
        ends: Array = with_ones(moved)
        epsilon = EPSILON
        if length.min(initial=1.0) > SMALLEST and length.max(initial=0.0) < most:
            ends, factor, epsilon = ends.astype(np.float32), narrow, EPSILON_SINGLE
        rough = ends @ factor
        # Each product and sum is off by half an epsilon of the sizes at most; doubled for the
        # centre's own rounding.
        slack = (4.0 * (self.columns + 4) * epsilon) * length * length
        # And by what moving both to the centre rounded away.
        size = np.abs(x).max(axis=1, initial=0.0) + float(np.abs(centre).max(initial=0.0)) + longest
        slack += (8.0 * self.columns * EPSILON) * size * length
        return rough, slack[:, None], own[:, None]

    @silent
    def finish(self, reduced: Array) -> Array:
        """Give distances from reduced ones, which compare alike and are cheaper."""
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
    with small_buffers():
        beyond = np.greater(rough, _not_less(bound, rough))
    row, place = np.divmod(np.flatnonzero(np.logical_not(beyond, out=beyond)), stored)
    return row, place


def _within(
    blocks: Iterator[tuple[slice, Float64Matrix]], radius: float, first: int
) -> Iterator[tuple[slice, Array, Array]]:
    """Give what `Points.near` does, from all distances; `first` is the blocks' first row."""
    for at, found in blocks:
        place = np.flatnonzero(found <= radius)
        yield slice(first + at.start, first + at.stop), place, found.ravel().take(place)


def _not_less(bound: Array, like: Array) -> Array:
    """Give bounds that are not less in the dtype of what is held against them."""
    if like.dtype == bound.dtype:
        return bound
    above: Array = np.nextafter(bound.astype(like.dtype), like.dtype.type(np.inf))
    return above


def _first(row: Array, place: Array, distance: Array, k: int) -> tuple[Array, Float64Matrix]:
    """Give the k nearest of each row's candidates: (rows, k) places and distances.

    row, place  in order
    """
    counts = np.bincount(row)
    starts = np.cumsum(counts) - counts
    most = int(counts.max(initial=0))
    if most * counts.shape[0] <= WIDE * row.shape[0]:
        # Beside each other, so that each row sorts its own few; stable, so the first stored counts.
        line = np.full((counts.shape[0], most), np.inf)
        line[row, np.arange(row.shape[0]) - starts[row]] = distance
        picked = starts[:, None] + line.argsort(axis=1, kind="stable")[:, :k]
    else:
        order = np.lexsort((place, distance, row))
        picked = order[starts[:, None] + np.arange(k)]
    return place[picked], distance[picked]


def _squares(x: Float64Matrix) -> Array:
    """Squared length of each row."""
    squares: Array = np.einsum("ij,ij->i", x, x)
    return squares


def unit_rows(x: Float64Matrix) -> Float64Matrix:
    """Rows of length one; rows of (nearly) zeros stay. Source: sklearn.preprocessing.normalize."""
    with np.errstate(over="ignore"):
        norms = np.sqrt(_squares(x))
    norms[norms < NEARLY_ZERO] = 1.0
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
        out += _squares(x)[:, None]
        out += squares
        return np.maximum(out, 0, out=out)


def squares_factor(points: Float64Matrix, squares: Array) -> Float64Matrix:
    """Give what `with_ones(x)` is multiplied by for p² - 2xp, (columns + 1, points)."""
    return np.vstack((-2.0 * points.T, squares))


def with_ones(x: Float64Matrix) -> Float64Matrix:
    """Give the rows with a last column of ones."""
    out: Float64Matrix = np.empty((x.shape[0], x.shape[1] + 1))
    out[:, :-1] = x
    out[:, -1] = 1.0
    return out


def lengths(points: Float64Matrix) -> Array:
    """Squared lengths, (points,)."""
    with np.errstate(over="ignore"):
        return _squares(points)
