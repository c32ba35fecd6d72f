"""Clusters by their centres: the nearest one, and the distances to all."""

from typing import Final

import numpy as np

from runtime.plan.ops import (
    Array,
    Fields,
    Float64Matrix,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_matrix,
)

MAX_DEPTH: Final = 1_000


class Centres(Node):
    """KMeans and MiniBatchKMeans.

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
        with np.errstate(over="ignore"):
            self.squares = np.einsum("ij,ij->i", self.centres, self.centres)

    def predict(self, x: Inputs) -> Array:
        """Number of the nearest centre, int32, the first of those that tie."""
        nearest: Array = _scores(as_matrix(x), self.centres, self.squares).argmin(axis=1)
        return nearest.astype(np.int32)

    def transform(self, x: Inputs) -> Float64Matrix:
        """Euclidean distance to each centre, (rows, centres)."""
        return _distances(as_matrix(x), self.centres, self.squares)


def _distances(x: Float64Matrix, centres: Float64Matrix, squares: Array) -> Float64Matrix:
    """Source: sklearn.metrics.pairwise._euclidean_distances."""
    with np.errstate(over="ignore", invalid="ignore"):
        out: Float64Matrix = -2 * (x @ centres.T)
        out += np.einsum("ij,ij->i", x, x)[:, None]
        out += squares
        np.maximum(out, 0, out=out)
        return np.sqrt(out, out=out)


def _scores(x: Float64Matrix, centres: Float64Matrix, squares: Array) -> Float64Matrix:
    """Squared distances less the row's own square, which all centres share."""
    with np.errstate(over="ignore", invalid="ignore"):
        out: Float64Matrix = x @ centres.T
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
        return _distances(as_matrix(x), self.leaves, self.leaf_squares)


def _centres(fields: Fields) -> Node:
    node = Centres(fields)
    fields.done()
    return node


def _bisected(fields: Fields) -> Node:
    node = Bisected(fields)
    fields.done()
    return node


NODES: dict[str, NodeReader] = {Centres.kind: _centres, Bisected.kind: _bisected}
