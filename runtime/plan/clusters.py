"""Clusters by their centres: the nearest one, and the distances to all."""

from collections.abc import Callable
from functools import cached_property
from typing import Final

import numpy as np

from runtime.plan.distances import expanded, lengths, squares_factor, with_ones
from runtime.plan.ops import (
    Array,
    Fields,
    Float64Matrix,
    InputRefused,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_matrix,
    first_cell,
)
from runtime.plan.pairwise import rows_at_once

MAX_DEPTH: Final = 1_000
POOLINGS: Final[dict[str, Callable[..., Array]]] = {
    "max": np.max,
    "min": np.min,
    "median": np.median,
}


class Centres(Node):
    """KMeans and MiniBatchKMeans.

    single  fitted on float32, where scikit-learn takes no other rows: cells are rounded first
    exact   distances bitwise at the same batch size; labels too, but for rows as near to two
            as rounding can tell, because scikit-learn multiplies in chunks of 256 rows
    source  sklearn.cluster._k_means_lloyd._update_chunk_dense; euclidean_distances
    """

    kind = "centres"
    methods = ("predict", "transform")
    exact = "batch"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.centres = fields.finite("centres", None, None)
        self.n_out, self.n_in = int(self.centres.shape[0]), int(self.centres.shape[1])
        if not self.n_in or not self.n_out:
            raise fields.fail("'centres' is empty")
        self.single = fields.has("single") and fields.flag("single")
        self.squares = lengths(self.centres)
        # Labels are found in the precision of the centres, distances in double precision.
        self.own: Array = self.centres.astype(np.float32) if self.single else self.centres
        self.own_squares = lengths(self.own)

    def predict(self, x: Inputs) -> Array:
        """Number of the nearest centre, int32, the first of those that tie."""
        nearest: Array = _scores(self._rows(x), self.own, self.own_squares).argmin(axis=1)
        return nearest.astype(np.int32)

    def transform(self, x: Inputs) -> Array:
        """Euclidean distance to each centre, (rows, centres); float32 of single precision."""
        rows = self._rows(x)
        squares = expanded(rows.astype(np.float64, copy=False), self.centres, self.squares)
        distances: Array = np.sqrt(squares.astype(rows.dtype, copy=False))
        return distances

    def _rows(self, x: Inputs) -> Array:
        matrix = as_matrix(x)
        if not self.single:
            return matrix
        with np.errstate(over="ignore"):
            rows: Array = matrix.astype(np.float32)
        far = np.isinf(rows)
        if far.any():
            raise InputRefused(*first_cell(far), "too large for float32, in which this model is")
        return rows


def _scores(x: Array, centres: Array, squares: Array) -> Array:
    """Squared distances less the row's own square, which all centres share."""
    with np.errstate(over="ignore", invalid="ignore"):
        out: Array = x @ centres.T
        out *= -2.0
        out += squares
    return out


class Bisected(Node):
    """BisectingKMeans: from the root down to the nearer of two centres, to a leaf's cluster.

    left     number of the left child, the right one is the next; -1 at a leaf
    centres  (nodes, columns); a child lies after its parent, so that every walk ends
    label    cluster of a leaf
    source   sklearn.cluster._bisect_k_means.BisectingKMeans._predict_recursive
    """

    kind = "bisected"
    methods = ("predict", "transform")
    exact = "batch"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.centres = fields.finite("tree", None, None)
        nodes, self.n_in = int(self.centres.shape[0]), int(self.centres.shape[1])
        if not nodes or not self.n_in:
            raise fields.fail("'tree' is empty")
        left = fields.tensor("left", "i8", nodes)
        self.inner = left >= 0
        after = left[self.inner] > np.flatnonzero(self.inner)
        if not after.all() or left.max() >= nodes - 1:
            raise fields.fail("'left' must point at later nodes")
        self.left = np.where(self.inner, left, np.arange(nodes))
        self.depth = fields.integer("depth", 0, MAX_DEPTH)
        leaves = fields.finite("centres", None, self.n_in)
        self.n_out = int(leaves.shape[0])
        if not self.n_out:
            raise fields.fail("'centres' is empty")
        self.label = fields.indices("label", self.n_out, nodes).astype(np.int32)
        self.leaves = leaves
        with np.errstate(over="ignore"):
            self.squares = np.einsum("ij,ij->i", self.centres, self.centres)
            self.leaf_squares = np.einsum("ij,ij->i", leaves, leaves)

    def predict(self, x: Inputs) -> Array:
        """Cluster of the leaf that each row reaches, int32."""
        matrix = as_matrix(x)
        at = np.zeros(matrix.shape[0], np.int64)
        scores = _scores(matrix, self.centres, self.squares)
        rows = np.arange(matrix.shape[0])
        for _ in range(self.depth):
            left = self.left[at]
            right = np.minimum(left + 1, len(self.left) - 1)
            nearer = self.inner[at] & (scores[rows, right] < scores[rows, left])
            at = left + nearer
        labels: Array = self.label[at]
        return labels

    def transform(self, x: Inputs) -> Float64Matrix:
        """Euclidean distance to each cluster's centre, (rows, clusters)."""
        return np.sqrt(expanded(as_matrix(x), self.leaves, self.leaf_squares))


class NearestCentre(Node):
    """Birch, MeanShift and AffinityPropagation: the cluster of the nearest centre.

    label    (centres,): cluster of each centre, where several make one (Birch)
    squares  lengths of the centres, as Birch keeps them
    exact    distances bitwise at the same batch size; labels too, but for rows as near to two
             as rounding can tell, because scikit-learn multiplies in chunks of 256 rows
    source   sklearn.metrics.pairwise_distances_argmin; Birch.predict and transform
    """

    kind = "nearest_centre"
    exact = "batch"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.centres = fields.finite("centres", None, None)
        count, self.n_in = (int(length) for length in self.centres.shape)
        if not count or not self.n_in:
            raise fields.fail("'centres' is empty")
        self.squares = lengths(self.centres)
        self.label = fields.tensor("label", "i8", count) if fields.has("label") else None
        self.methods = ("predict",)
        if fields.flag("transforms"):
            self.methods = ("predict", "transform")
            self.n_out = count

    @cached_property
    def _factor(self) -> Float64Matrix:
        return squares_factor(self.centres, self.squares)

    def predict(self, x: Inputs) -> Array:
        """Cluster of each row, int64, of the first of centres that tie."""
        matrix = as_matrix(x)
        nearest = np.empty(matrix.shape[0], np.int64)
        height = rows_at_once(self.centres.shape[0])
        with np.errstate(over="ignore", invalid="ignore"):
            for at in range(0, matrix.shape[0], height):
                block = slice(at, at + height)
                # Less the row's own length, which all centres have in common.
                (with_ones(matrix[block]) @ self._factor).argmin(axis=1, out=nearest[block])
        return nearest if self.label is None else self.label[nearest]

    def transform(self, x: Inputs) -> Float64Matrix:
        """Euclidean distance to each centre, (rows, centres)."""
        return np.sqrt(expanded(as_matrix(x), self.centres, self.squares))


class Pooled(Node):
    """FeatureAgglomeration: columns of one cluster become one.

    group   (columns,): cluster of each column; none of them is empty
    exact   bitwise in any batch; medians of two take their mean as numpy does
    source  sklearn.cluster._feature_agglomeration.AgglomerationTransform.transform
    """

    kind = "pooled"
    methods = ("transform",)
    exact = "bitwise"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.pooling = fields.choice("pooling", "mean", *POOLINGS)
        group = fields.tensor("group", "i8", None)
        self.n_in = int(group.shape[0])
        if not self.n_in:
            raise fields.fail("'group' is empty")
        self.group = fields.indices("group", self.n_in, self.n_in)
        self.sizes = np.bincount(self.group)
        self.n_out = len(self.sizes)
        if not self.sizes.all():
            raise fields.fail("a cluster has no column")

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, clusters); a step for each cluster, but one for all means."""
        matrix = as_matrix(x)
        rows = matrix.shape[0]
        if self.pooling == "mean":
            cells = self.group + np.arange(0, rows * self.n_out, self.n_out)[:, None]
            sums = np.bincount(cells.ravel(), matrix.ravel(), minlength=rows * self.n_out)
            means: Float64Matrix = sums.reshape(rows, self.n_out) / self.sizes
            return means
        out = np.empty((rows, self.n_out))
        for cluster in range(self.n_out):
            out[:, cluster] = POOLINGS[self.pooling](matrix[:, self.group == cluster], axis=1)
        return out


NODES: dict[str, NodeReader] = {
    Centres.kind: Centres,
    Bisected.kind: Bisected,
    NearestCentre.kind: NearestCentre,
    Pooled.kind: Pooled,
}
