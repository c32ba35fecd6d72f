"""Embeddings of new rows beside the training rows: kernel PCA, Isomap, locally linear."""

from typing import Final

import numpy as np

from runtime.plan.buffers import small_buffers
from runtime.plan.matrices import right_factor
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
)
from runtime.plan.pairwise import PairwiseKernel, rows_at_once
from runtime.plan.stored import Neighbors, Within

MAX_SYSTEM: Final = 1_000  # neighbours whose weights are solved for, row by row
GRAPH_CELLS: Final = 1 << 16  # paths held at once: they and their lengths stay in the L2 cache
SYSTEM_CELLS: Final = 1 << 20  # numbers of systems held at once: 8 MiB


class Centred:
    """Centres rows of kernel values and multiplies them by scaled eigenvectors.

    row_means  (stored,): means of the training kernel's columns
    mean       of all of the training kernel
    source     sklearn.preprocessing.KernelCenterer.transform; KernelPCA.transform
    """

    def __init__(self, fields: Fields, stored: int) -> None:
        self.stored = stored
        self.row_means = fields.finite("row_means", stored)
        self.mean = fields.number("mean")
        self.axes = right_factor(fields, "axes", stored, None)
        self.width = int(self.axes.shape[1])
        if not self.width:
            raise fields.fail("'axes' is empty")

    def project(self, kernel: Float64Matrix) -> Float64Matrix:
        """Give (rows, components); the kernel values are used up."""
        own = (np.sum(kernel, axis=1) / self.stored)[:, None]
        kernel -= self.row_means
        kernel -= own
        kernel += self.mean
        out: Float64Matrix = kernel @ self.axes
        return out


class KernelComponents(Node):
    """KernelPCA.

    precomputed  the rows are kernel values with the training rows, and there is no kernel
    exact        within 1e-12 times the size of the eigenvectors
    """

    kind = "kernel_pca"
    methods = ("transform",)
    exact = "tolerance"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.kernel = None
        if fields.flag("precomputed"):
            stored = self.n_in = fields.integer("stored", 1, 1_000_000)
        else:
            points = fields.finite("points", None, None)
            stored, self.n_in = (int(length) for length in points.shape)
            if not stored or not self.n_in:
                raise fields.fail("'points' is empty")
            self.kernel = PairwiseKernel(fields, points)
        self.centred = Centred(fields, stored)
        self.n_out = self.centred.width
        self.height = rows_at_once(stored)

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, components)."""
        matrix = as_matrix(x)
        out = np.empty((matrix.shape[0], self.n_out))
        with np.errstate(over="ignore", invalid="ignore"):
            for at in range(0, matrix.shape[0], self.height):
                block = matrix[at : at + self.height]
                values = block.copy() if self.kernel is None else self.kernel.values(block)
                out[at : at + self.height] = self.centred.project(values)
        return out


class Geodesic:
    """Shortest paths from new rows to all training rows through their neighbours."""

    def __init__(self, fields: Fields, stored: int) -> None:
        self.paths = fields.finite("paths", stored, stored)
        self.centred = Centred(fields, stored)

    def project(self, lengths: Float64Matrix) -> Float64Matrix:
        """Give (rows, components) from the lengths of the shortest paths, which are used up."""
        lengths **= 2
        lengths *= -0.5
        return self.centred.project(lengths)


class NearestIsomap(Neighbors):
    """Isomap by its nearest neighbours.

    paths   (points, points): lengths of the shortest paths between training rows
    cost    k x points a row
    source  sklearn.manifold.Isomap.transform
    """

    kind = "isomap"
    methods = ("transform",)

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.tolerance = self.tolerance_of_distances()
        self.geodesic = Geodesic(fields, self.points.stored)
        self.n_out = self.geodesic.centred.width

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, components)."""
        places, distances = self.nearest(x)
        out = np.empty((places.shape[0], self.n_out))
        height = max(1, GRAPH_CELLS // self.points.stored)
        for at in range(0, places.shape[0], height):
            block = slice(at, at + height)
            lengths = self._shortest(places[block].T, distances[block].T)
            out[block] = self.geodesic.project(lengths)
        return out

    def _shortest(self, places: Array, distances: Float64Matrix) -> Float64Matrix:
        """Lengths of the shortest paths to all points, (rows, points), by (k, rows) neighbours."""
        lengths = np.full((places.shape[1], self.points.stored), np.inf)
        # One neighbour after the other: all k at once would be k times the memory.
        with small_buffers():
            for place, distance in zip(places, distances, strict=True):
                through = self.geodesic.paths.take(place, axis=0)
                through += distance[:, None]
                np.minimum(lengths, through, out=lengths)
        return lengths


class RadiusIsomap(Within):
    """Isomap by the neighbours within a radius; a row without any is refused by scikit-learn.

    cost    points² a row: a step for each training row
    source  sklearn.manifold.Isomap.transform
    """

    kind = "radius_isomap"
    methods = ("transform",)

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.tolerance = self.tolerance_of_distances()
        self.geodesic = Geodesic(fields, self.points.stored)
        self.n_out = self.geodesic.centred.width

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, components)."""
        matrix = self.rows(x)
        out = np.empty((matrix.shape[0], self.n_out))
        for at, found in self.points.blocks(matrix):
            self.refuse_lonely(found, at.start)
            near = np.where(found <= self.radius, self.points.finish(found), np.inf)
            lengths = np.full(near.shape, np.inf)
            for distance, paths in zip(near.T, self.geodesic.paths, strict=True):
                np.minimum(lengths, paths + distance[:, None], out=lengths)
            out[at] = self.geodesic.project(lengths)
        return out


class LocallyLinear(Neighbors):
    """LocallyLinearEmbedding: rows as mixtures of their neighbours.

    embedding  (points, components)
    reg        keeps the systems of k equations regular, which k above the columns needs
    exact      within 1e-12 divided by `reg`, which bounds how ill-conditioned the systems are
    cost       a system of k equations a row
    source     sklearn.manifold._locally_linear.barycenter_weights; LocallyLinearEmbedding.transform
    """

    kind = "locally_linear"
    methods = ("transform",)

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.embedding = fields.finite("embedding", self.points.stored, None)
        self.n_out = int(self.embedding.shape[1])
        self.reg = fields.number("reg")
        if not self.n_out or not self.reg > 0:
            raise fields.fail("'embedding' is empty, or 'reg' not above zero")
        if self.k > MAX_SYSTEM:
            raise fields.fail(f"a row's weights are of more than {MAX_SYSTEM} neighbours")
        self._ones = np.ones(self.k)

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, components)."""
        matrix = as_matrix(x)
        places, _ = self._nearest(matrix)
        if matrix.shape[0] == 1:
            return self._of_one(matrix[0], places[0])
        out = np.empty((places.shape[0], self.n_out))
        height = max(1, SYSTEM_CELLS // (self.k * max(self.k, self.n_in)))
        for at in range(0, places.shape[0], height):
            block = slice(at, at + height)
            weights = self._weights(matrix[block], places[block])
            out[block] = (weights[:, None] @ self.embedding[places[block]])[:, 0]
        return out

    def _weights(self, x: Float64Matrix, places: Array) -> Float64Matrix:
        """Weights of the neighbours that best make up each row, (rows, k), summing to one."""
        apart = self.points.points[places] - x[:, None, :]
        gram = apart @ apart.transpose(0, 2, 1)
        diagonals = gram.reshape(places.shape[0], -1)[:, :: self.k + 1]
        trace = diagonals.sum(axis=1, keepdims=True)
        diagonals += np.where(trace > 0, self.reg * trace, self.reg)
        solved = _solved(gram, np.ones((*places.shape, 1)))[:, :, 0]
        weights: Float64Matrix = solved / solved.sum(axis=1, keepdims=True)
        return weights

    def _of_one(self, row: Array, places: Array) -> Float64Matrix:
        """Give (1, components) by the same steps, in half of the time."""
        apart = self.points.points.take(places, 0)
        apart -= row
        gram = apart @ apart.T
        diagonal = gram.reshape(-1)[:: self.k + 1]
        trace = np.add.reduce(diagonal)
        diagonal += self.reg * trace if trace > 0 else self.reg
        solved = _solved(gram, self._ones)
        solved /= np.add.reduce(solved)
        out: Float64Matrix = (solved @ self.embedding.take(places, 0))[None]
        return out


def _solved(systems: Array, right: Array) -> Array:
    try:
        out: Array = np.linalg.solve(systems, right)
    except np.linalg.LinAlgError as error:
        raise InputRefused(None, None, f"no neighbours make it up: {error}") from error
    return out


NODES: dict[str, NodeReader] = {
    kind.kind: kind for kind in (KernelComponents, NearestIsomap, RadiusIsomap, LocallyLinear)
}
