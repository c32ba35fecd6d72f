"""Kernel approximations: features whose plain products come near a kernel; and KernelCenterer."""

from typing import Any, Final

import numpy as np

from runtime.plan.matrices import right_factor
from runtime.plan.ops import (
    Array,
    Cell,
    Fields,
    Float64Matrix,
    InputRefused,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_matrix,
    first_cell,
    override,
)
from runtime.plan.pairwise import PairwiseKernel, refuse_negative

MAX_STEPS: Final = 10_000
MAX_DEGREE: Final = 1_000
MAX_SPECTRA: Final = 1 << 22  # numbers that one row is transformed to, at all degrees
MAX_COLUMNS: Final = 100_000  # that one row may become, however little the plan holds
BLOCK_CELLS: Final = 1 << 14  # of one block of rows, which so stay in the L2 cache
TOLD: Final = not np.__version__.startswith("1.")
ROUNDING: Final = 1e-15  # a few units in the last place of one kernel value


class Approximation(Node):
    """What all of them share: numbers in, numbers out, no missing cells."""

    methods = ("transform",)
    missing = Missing.REFUSES
    exact = "batch"


class Nystroem(Approximation):
    """Kernels to stored rows, times a matrix that makes their products approximate the kernel.

    exact   bitwise at the same batch size; where the matrix has very large numbers, because stored
            rows are nearly alike, they enlarge the rounding of the kernel, so within `tolerance`
    source  sklearn.kernel_approximation.Nystroem.transform
    """

    kind = "nystroem"

    def __init__(self, fields: Fields) -> None:
        stored = right_factor(fields, "stored", None, None).T
        count, self.n_in = (int(size) for size in stored.shape)
        if not count or not self.n_in:
            raise fields.fail("'stored' is empty")
        self.kernel = PairwiseKernel(fields, stored)
        self.matrix: Array = right_factor(fields, "matrix", count, None)
        self.n_out = int(self.matrix.shape[1])
        if not self.n_out:
            raise fields.fail("'matrix' is empty")
        with np.errstate(over="ignore"):
            enlarged = ROUNDING * float(np.abs(self.matrix).sum(axis=0).max())
        if enlarged > 1e-12:
            self.exact, self.tolerance = "tolerance", min(enlarged, 1e-6)
        self.gives_gaps = self.kernel.kind in ("linear", "poly", "additive_chi2")

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, stored rows)."""
        with np.errstate(over="ignore", invalid="ignore"):
            out: Float64Matrix = self.kernel.values(as_matrix(x)) @ self.matrix
        return out


class RandomFourier(Approximation):
    """Cosines of random projections: RBFSampler, and SkewedChi2Sampler of logarithms.

    skewedness  what is added to the numbers before their logarithm is taken
    source      sklearn.kernel_approximation.RBFSampler.transform, SkewedChi2Sampler.transform
    """

    kind = "random_fourier"

    def __init__(self, fields: Fields) -> None:
        self.weights: Array = right_factor(fields, "weights", None, None)
        self.n_in, self.n_out = (int(size) for size in self.weights.shape)
        if not self.n_in or not self.n_out:
            raise fields.fail("'weights' is empty")
        self.offset = fields.finite("offset", self.n_out)
        self.factor = fields.number("factor")
        self.skewedness = fields.number("skewedness") if fields.has("skewedness") else None
        # So large a projection would have no digits left for its cosine; infinities have none.
        self.gives_gaps = True

    @override
    def example(self) -> tuple[Cell, ...]:
        """Give numbers whose logarithm is taken without complaint."""
        return (max(1.0, 1.0 - (self.skewedness or 0.0)),) * self.n_in

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, components)."""
        matrix = as_matrix(x)
        if self.skewedness is not None:
            matrix = self._logarithms(matrix, self.skewedness)
        with np.errstate(over="ignore", invalid="ignore"):
            out: Float64Matrix = matrix @ self.weights
            out += self.offset
            np.cos(out, out=out)
        out *= self.factor
        return out

    def _logarithms(self, matrix: Float64Matrix, skewedness: float) -> Float64Matrix:
        low = matrix <= -skewedness
        if low.any():
            row, column = first_cell(low)
            raise InputRefused(row, column, f"not above {-skewedness}, the negated skewedness")
        matrix = matrix + skewedness
        return np.log(matrix, out=matrix)


class ChiSquared(Approximation):
    """AdditiveChi2Sampler: each number's root, and cosines and sines of its logarithm.

    steps     of the sampled spectrum; each but the first gives two columns for each input column
    interval  between them
    source    sklearn.kernel_approximation.AdditiveChi2Sampler._transform_dense
    """

    kind = "chi_squared"

    def __init__(self, fields: Fields) -> None:
        self.n_in = fields.integer("n_in", 1, MAX_COLUMNS)
        self.steps = fields.integer("steps", 1, MAX_STEPS)
        self.interval = fields.number("interval")
        if not self.interval > 0:
            raise fields.fail("'interval' must be above zero")
        self.n_out = self.n_in * (2 * self.steps - 1)
        if self.n_out > MAX_COLUMNS:
            raise fields.fail(f"more than {MAX_COLUMNS} columns")
        self.height = max(1, BLOCK_CELLS // self.n_in)
        # Made at first use: a file of a few kilobytes may have thousands of such nodes.
        self._sizes: list[np.float64] | None = None

    @override
    def origin(self, column: int) -> int | None:
        """Give the input column that an output column is made of."""
        return column % self.n_in

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, columns times 2 steps - 1); InputRefused below zero."""
        matrix = as_matrix(x)
        rows = matrix.shape[0]
        positive = np.count_nonzero(matrix > 0) == matrix.size
        if not positive:
            refuse_negative(matrix)
        out = np.empty((rows, 2 * self.steps - 1, self.n_in))
        with np.errstate(over="ignore", under="ignore"):
            for first in range(0, rows, self.height):
                some = slice(first, first + self.height)
                self._write(out[some], matrix[some], positive)
        return out.reshape(rows, self.n_out)

    def _write(self, out: Array, cells: Float64Matrix, positive: bool) -> None:
        np.sqrt(cells * self.interval, out=out[:, 0])
        # Of zeros there is no logarithm, and the root that it is multiplied by is zero.
        logs = np.log(cells if positive else np.where(cells > 0, cells, 1.0))
        logs *= self.interval
        doubled = 2 * cells
        doubled *= self.interval
        if self._sizes is None:
            self._sizes = [np.cosh(np.pi * j * self.interval) for j in range(1, self.steps)]
        for step, size in enumerate(self._sizes, 1):
            factor = np.sqrt(doubled / size)
            angle = step * logs if step > 1 else logs
            np.multiply(factor, np.cos(angle), out=out[:, 2 * step - 1])
            np.multiply(factor, np.sin(angle), out=out[:, 2 * step])


class CountSketch(Approximation):
    """PolynomialCountSketch: signed sums into hashed places, multiplied as spectra.

    places, signs  (degree, columns): where each column goes, and with which sign; one column more
                   than the input stands for `constant`, if there is one
    cost           degree Fourier transforms of the output's width a row
    source         sklearn.kernel_approximation.PolynomialCountSketch.transform
    """

    kind = "count_sketch"

    def __init__(self, fields: Fields) -> None:
        self.n_out = fields.integer("n_out", 1, MAX_COLUMNS)
        places = fields.indices("places", self.n_out, None, None)
        degree, width = (int(size) for size in places.shape)
        self.signs = fields.finite("signs", degree, width)
        if not 0 < degree <= MAX_DEGREE or not (np.abs(self.signs) == 1).all():
            raise fields.fail("'signs' must be 1 and -1, for a degree that can be served")
        if degree * self.n_out > MAX_SPECTRA:
            raise fields.fail(f"its spectra have more than {MAX_SPECTRA} numbers a row")
        self.height = max(1, BLOCK_CELLS // (degree * max(self.n_out, width)))
        # Among the sums of all degrees, one after another.
        self.places = (places + np.arange(0, degree * self.n_out, self.n_out)[:, None]).ravel()
        self.root = fields.number("root")
        self.constant = fields.number("constant") if fields.has("constant") else None
        self.n_in = width - (self.constant is not None)
        if self.n_in < 1:
            raise fields.fail("no columns")
        self.gives_gaps = True

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, components)."""
        matrix = self.root * as_matrix(x)
        rows = matrix.shape[0]
        if self.constant is not None:
            matrix = np.hstack((matrix, np.full((rows, 1), self.constant)))
        with np.errstate(over="ignore", invalid="ignore"):
            if rows <= self.height:
                return self._sketched(matrix)
            out = np.empty((rows, self.n_out))
            for first in range(0, rows, self.height):
                some = slice(first, first + self.height)
                out[some] = self._sketched(matrix[some])
        return out

    def _sketched(self, matrix: Float64Matrix) -> Float64Matrix:
        rows = matrix.shape[0]
        degrees, width = self.signs.shape
        size = degrees * self.n_out
        places = self.places
        if rows != 1:
            places = (np.arange(0, rows * size, size)[:, None] + places).ravel()
        signed = self.signs * matrix.reshape(rows, 1, width)
        sums = np.bincount(places, signed.ravel(), rows * size).reshape(rows, degrees, self.n_out)
        halves = np.fft.rfft(sums, **_into(rows, degrees, self.n_out // 2 + 1))
        # In the order of numpy.prod.
        half = halves[:, 0]
        for degree in range(1, degrees):
            half *= halves[:, degree]
        # Of real numbers one half of the spectrum mirrors the other; scipy computes one, too.
        whole = np.empty((rows, self.n_out), np.complex128)
        whole[:, : half.shape[1]] = half
        np.conjugate(half[:, (self.n_out - 1) // 2 : 0 : -1], out=whole[:, half.shape[1] :])
        return np.ascontiguousarray(np.fft.ifft(whole, **_into(*whole.shape)).real)


def _into(*shape: int) -> dict[str, Any]:
    """Say where a transform goes: numpy takes 3 us to make that place, and from 2.0 on is told."""
    return {"out": np.empty(shape, np.complex128)} if TOLD else {}


class KernelCenter(Approximation):
    """KernelCenterer: takes a kernel's means off the kernel to the rows of training.

    source  sklearn.preprocessing.KernelCenterer.transform
    """

    kind = "kernel_center"

    def __init__(self, fields: Fields) -> None:
        self.means = fields.finite("means", None)
        self.mean = fields.number("mean")
        self.n_in = self.n_out = int(self.means.shape[0])
        if not self.n_in:
            raise fields.fail("'means' is empty")

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, rows of training)."""
        kernel = as_matrix(x)
        own: Array = (kernel.sum(axis=1) / self.n_in)[:, None]
        out: Float64Matrix = kernel - self.means
        out -= own
        out += self.mean
        return out


NODES: dict[str, NodeReader] = {
    kind.kind: kind for kind in (Nystroem, RandomFourier, ChiSquared, CountSketch, KernelCenter)
}
