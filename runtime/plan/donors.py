"""KNNImputer: missing cells from the rows of training that are nearest in what is there."""

from typing import Final

import numpy as np

from runtime.plan.ops import (
    Array,
    Cell,
    Fields,
    Float64Matrix,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_matrix,
    example_kept,
    override,
)

MAX_POINTS: Final = 1_000_000
BLOCK: Final = 1 << 21  # distances held at once: 16 MB, a few times over
TINY: Final = float(np.finfo(np.float64).tiny)


class Donors(Node):
    """KNNImputer with its own metric, nan_euclidean.

    points         rows of training, NaN where they miss a cell
    k              donors asked for each cell; a column with fewer asks all it has
    strangers      donors without a cell in common with a row count as much as the others
    means          of each column, for rows that have no cell in common with any donor
    keeps_empty    columns empty in training stay, as zeros; else they are dropped
    indicated      columns that get an indicator (1: was missing) behind the imputed ones
    missing_value  the number that stands for missing; without one it is NaN
    exact          within 1e-12: distances are expanded squares as in scikit-learn, but taken in
                   other blocks, so donors as far as rounding may change places
    cost           rows with a missing cell x rows of training x columns, and one partition for
                   each column in which they miss one
    source         sklearn.impute.KNNImputer.transform, sklearn.metrics.nan_euclidean_distances
    """

    kind = "donors"
    methods = ("transform",)
    exact = "tolerance"

    def __init__(self, fields: Fields) -> None:
        points = fields.tensor("points", "f8", None, None)
        stored, self.n_in = (int(size) for size in points.shape)
        if not 0 < stored <= MAX_POINTS or not self.n_in or np.isinf(points).any():
            raise fields.fail("'points' is empty or infinite, or there are too many")
        absent = np.isnan(points)
        self.valid = ~absent.all(axis=0)
        self.points = np.where(absent, 0.0, points)
        self.absent = absent.astype(np.float64)
        self.present = 1.0 - self.absent
        with np.errstate(over="ignore"):
            self.norms = np.einsum("ij,ij->i", self.points, self.points)
            self.squares = self.points * self.points
        self.donors = [np.flatnonzero(~column) for column in absent.T]
        self.k = fields.integer("k", 1, MAX_POINTS)
        self.by_distance = fields.choice("weights", "uniform", "distance") == "distance"
        self.strangers = fields.flag("strangers")
        self.means = fields.finite("means", self.n_in)
        self.keeps_empty = fields.flag("keeps_empty")
        self.indicated = (
            fields.indices("indicated", self.n_in, None) if fields.has("indicated") else None
        )
        has_value = fields.has("missing_value")
        self.missing_value = fields.number("missing_value") if has_value else None
        self.missing = Missing.REFUSES if has_value else Missing.FILLS
        self.kept = np.arange(self.n_in) if self.keeps_empty else np.flatnonzero(self.valid)
        self.n_out = len(self.kept) + (0 if self.indicated is None else len(self.indicated))
        if not self.n_out:
            raise fields.fail("every column was empty in training")

    @override
    def origin(self, column: int) -> int | None:
        """Give the input column that an output column is made of; indicators have none."""
        return int(self.kept[column]) if column < len(self.kept) else None

    @override
    def example_for(self, after: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """Give what whoever comes next takes of the columns that are kept."""
        return example_kept(self, after)

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, kept + indicated)."""
        matrix = as_matrix(x)
        mask = np.isnan(matrix) if self.missing_value is None else matrix == self.missing_value
        out = matrix.copy()
        rows = np.flatnonzero(mask[:, self.valid].any(axis=1))
        step = max(1, BLOCK // self.points.shape[0])
        with np.errstate(all="ignore"):
            for first in range(0, rows.shape[0], step):
                some = rows[first : first + step]
                self._fill(out, some, mask, self._distances(matrix[some], mask[some]))
        if self.keeps_empty:
            out[:, ~self.valid] = 0.0
        else:
            # A mask, so that the memory order is that of scikit-learn's own answer.
            out = out[:, self.valid]
        if self.indicated is None:
            return out
        return np.hstack((out, mask[:, self.indicated]))

    def _distances(self, x: Float64Matrix, mask: Array) -> Float64Matrix:
        """Give (rows, points), NaN where no column is present in both."""
        x = np.where(mask, 0.0, x)
        absent = mask.astype(np.float64)
        out: Float64Matrix = -2 * (x @ self.points.T)
        out += np.einsum("ij,ij->i", x, x)[:, None]
        out += self.norms
        np.maximum(out, 0.0, out=out)
        out -= np.dot(x * x, self.absent.T)
        out -= np.dot(absent, self.squares.T)
        np.maximum(out, 0.0, out=out)
        shared = np.dot(1.0 - absent, self.present.T)
        # Nothing shared is divided by itself.
        out[shared == 0] = 0.0
        out /= shared
        out *= self.n_in
        return np.sqrt(out, out=out)

    def _fill(self, out: Array, rows: Array, mask: Array, distances: Float64Matrix) -> None:
        """Fill the missing cells of these rows, a column at a time."""
        if rows.shape[0] == 1:
            self._fill_one(out[rows[0]], mask[rows[0]], distances[0])
            return
        missing = mask[rows]
        for column in np.flatnonzero(self.valid & missing.any(axis=0)).tolist():
            donors = self.donors[column]
            asking = np.flatnonzero(missing[:, column])
            near = distances[asking].take(donors, axis=1)
            alone = np.isnan(near).all(axis=1)
            out[rows[asking[alone]], column] = self.means[column]
            if not alone.all():
                near = near[~alone]
                # The same partition as scikit-learn's, so that of donors equally far the same are
                # taken.
                k = min(self.k, near.shape[1])
                places = np.argpartition(near, k - 1, axis=1)[:, :k]
                given = self.points[donors.take(places), column]
                near = np.take_along_axis(near, places, axis=1)
                out[rows[asking[~alone]], column] = self._averages(near, given)

    def _fill_one(self, out: Array, missing: Array, distances: Array) -> None:
        # By number of donors, nearly always the same, so that averages are taken at once.
        asked: dict[int, list[tuple[int, Array, Array]]] = {}
        for column in (self.valid & missing).nonzero()[0].tolist():
            donors = self.donors[column]
            near = distances.take(donors)
            k = min(self.k, near.shape[0])
            places = np.argpartition(near, k - 1)[:k]
            near = near.take(places)
            if np.count_nonzero(np.isnan(near)) == k:
                # NaN comes last: there is nothing else.
                out[column] = self.means[column]
            else:
                given = self.points[donors.take(places), column]
                asked.setdefault(k, []).append((column, near, given))
        for found in asked.values():
            columns, distances_of, given_of = zip(*found, strict=True)
            out[list(columns)] = self._averages(np.array(distances_of), np.array(given_of))

    def _averages(self, distances: Float64Matrix, given: Float64Matrix) -> Array:
        """Give (rows,) averages of what (rows, k) donors give, by their distances."""
        weights = self._weights(distances)
        total = (given * weights).sum(axis=1)
        weight = weights.sum(axis=1)
        # numpy's masked division leaves what it will not divide.
        undivided = np.abs(total) * TINY >= np.abs(weight)
        averages: Array = np.where(undivided, total, total / weight)
        return averages

    def _weights(self, distances: Float64Matrix) -> Float64Matrix:
        if not self.by_distance:
            if self.strangers:
                return np.ones(distances.shape)
            return (~np.isnan(distances)).astype(np.float64)
        weights: Float64Matrix = 1.0 / distances
        infinite = np.isinf(weights)
        on_a_point = infinite.any(axis=1)
        weights[on_a_point] = infinite[on_a_point]
        return np.where(np.isnan(weights), 0.0, weights)


NODES: dict[str, NodeReader] = {Donors.kind: Donors}
