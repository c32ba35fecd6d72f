"""Scalers and polynomial features: arithmetic on each cell or row, in scikit-learn's order."""

from itertools import pairwise
from typing import Literal

import numpy as np

from runtime.plan.ops import (
    Array,
    Cell,
    Fields,
    Float64Matrix,
    Missing,
    Node,
    NodeReader,
    Rows,
    above,
    as_matrix,
    override,
)
from runtime.plan.sparse import Sparse, floating, normalized

MAX_COLUMNS = 10_000_000
MAX_PRODUCTS = 1_000_000


def _numbers(cells: tuple[Cell, ...]) -> Float64Matrix:
    return np.array([cell if isinstance(cell, float) else 0.0 for cell in cells])


class Scaler(Node):
    """What all scalers share: as many columns out as in."""

    methods = ("transform",)
    missing = Missing.PASSES
    exact = "bitwise"

    def __init__(self, fields: Fields) -> None:
        self.n_in = self.n_out = fields.integer("n_in", 1, MAX_COLUMNS)

    @override
    def origin(self, column: int) -> int | None:
        """Give the input column that an output column is made of."""
        return column


class Standardize(Scaler):
    """StandardScaler, RobustScaler, MaxAbsScaler: minus a centre, divided by a scale, clipped.

    Sparse rows are multiplied by one over the scale instead, as in scikit-learn.
    """

    kind = "standardize"

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.center = fields.finite("center", self.n_in) if fields.has("center") else None
        self.scale = fields.finite("scale", self.n_in) if fields.has("scale") else None
        self.clip = fields.flag("clip")
        self.takes_sparse = self.center is None

    @override
    def example_for(self, after: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """Give what becomes what whoever comes next takes; a logarithm does not take any number."""
        values = _numbers(after)
        if self.scale is not None:
            values = values * self.scale
        return tuple((values if self.center is None else values + self.center).tolist())

    def transform(self, x: Rows) -> Float64Matrix | Sparse:
        """Standardize (rows, columns)."""
        if isinstance(x, Sparse):
            return self._sparse(x)
        x = as_matrix(x)
        if self.center is None:
            out = x if self.scale is None else x / self.scale
        else:
            out = x - self.center
            if self.scale is not None:
                out /= self.scale
        return np.clip(out, -1.0, 1.0) if self.clip else out

    def _sparse(self, x: Sparse) -> Sparse:
        """Source: sklearn.utils.sparsefuncs.inplace_csr_column_scale."""
        values = floating(x.values)
        if self.scale is not None:
            with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
                values *= (1.0 / self.scale)[x.columns]
        return x.with_values(np.clip(values, -1.0, 1.0) if self.clip else values)


class MinMax(Scaler):
    """MinMaxScaler: times a scale, plus an offset, clipped."""

    kind = "min_max"

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.scale = fields.finite("scale", self.n_in)
        self.offset = fields.finite("offset", self.n_in)
        self.clip = fields.flag("clip")
        self.low, self.high = fields.number("low"), fields.number("high")

    @override
    def example_for(self, after: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """Give what becomes what whoever comes next takes."""
        scale = np.where(self.scale, self.scale, 1.0)
        return tuple(((_numbers(after) - self.offset) / scale).tolist())

    def transform(self, x: Rows) -> Float64Matrix:
        """Scale (rows, columns) into the feature range."""
        out: Float64Matrix = as_matrix(x) * self.scale
        out += self.offset
        return np.clip(out, self.low, self.high, out=out) if self.clip else out


class Normalize(Scaler):
    """Normalizer: each row divided by its norm."""

    kind = "normalize"
    missing = Missing.REFUSES
    exact = "batch"
    takes_sparse = True

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.norm = fields.choice("norm", "l1", "l2", "max")

    def transform(self, x: Rows) -> Float64Matrix | Sparse:
        """Give (rows, columns) with norm 1; rows of (nearly) zeros stay as they are."""
        if isinstance(x, Sparse):
            return normalized(x.with_values(floating(x.values)), self.norm)
        x = as_matrix(x)
        match self.norm:
            case "l1":
                norms = np.abs(x).sum(axis=1)
            case "l2":
                norms = np.sqrt(np.einsum("ij,ij->i", x, x))
            case _:
                norms = np.abs(x).max(axis=1)
        # Source: sklearn.preprocessing._data._handle_zeros_in_scale.
        norms[norms < 10 * np.finfo(np.float64).eps] = 1.0
        out: Float64Matrix = x / norms[:, None]
        return out


class Binarize(Scaler):
    """Binarizer: 1 above the threshold, else 0."""

    kind = "binarize"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.threshold = fields.number("threshold")
        # scikit-learn refuses sparse rows where cells that are not held would become ones.
        self.takes_sparse = self.threshold >= 0

    def transform(self, x: Rows) -> Float64Matrix | Sparse:
        """Give zeros and ones, (rows, columns)."""
        return above(x, self.threshold)


class Polynomial(Node):
    """PolynomialFeatures.

    A term of degree d is a term of degree d - 1 times a feature; so each degree is one gather and
    one product over all of its terms.

    source  sklearn.preprocessing.PolynomialFeatures.transform
    """

    kind = "polynomial"
    methods = ("transform",)
    missing = Missing.REFUSES
    exact = "bitwise"

    def __init__(self, fields: Fields) -> None:
        self.n_in = fields.integer("n_in", 1, 100_000)
        low, high = fields.integer("min_degree", 0, 50), fields.integer("max_degree", 0, 50)
        alone = fields.flag("interaction_only")
        self.order: Literal["C", "F"] = "F" if fields.flag("by_column") else "C"
        self.bias = int(fields.flag("include_bias"))
        if low > high:
            raise fields.fail("'min_degree' is above 'max_degree'")
        self.stages: list[tuple[int, int, Array, Array]] = []
        ends = self._lay_out(fields, high, alone)
        self.n_full = ends[high]
        self.first = self.bias if low <= 1 else ends[low - 1]
        self.n_out = self.bias + self.n_full - self.first
        if not self.n_out:
            raise fields.fail("no terms")

    def _lay_out(self, fields: Fields, high: int, alone: bool) -> list[int]:
        """Find which products make which column; gives the end of each degree's terms."""
        if not high:
            return [self.bias]
        # Columns of the previous degree from `starts[f]` on exclude features before f.
        starts = list(range(self.bias, self.bias + self.n_in + 1))
        ends = [self.bias, starts[-1]]
        for _ in range(2, high + 1):
            at = starts[-1]
            terms: list[Array] = []
            following: list[int] = []
            for start, after in pairwise(starts):
                following.append(at)
                begin = after if alone else start
                terms.append(np.arange(begin, max(begin, starts[-1])))
                at += terms[-1].size
                if at > MAX_PRODUCTS:
                    raise fields.fail(f"more than {MAX_PRODUCTS} terms")
            # They are laid out, and made for every row, also where a higher degree alone is given.
            fields.spend(at - starts[-1])
            following.append(at)
            factors = np.repeat(np.arange(len(terms)), [term.size for term in terms])
            self.stages.append((starts[-1], at, np.concatenate(terms), factors))
            starts = following
            ends.append(at)
        return ends

    def transform(self, x: Rows) -> Float64Matrix:
        """Give (rows, terms)."""
        x = as_matrix(x)
        out = np.empty((x.shape[0], self.n_full), order=self.order)
        if self.bias:
            out[:, 0] = 1
        if self.n_full > self.bias:
            out[:, self.bias : self.bias + self.n_in] = x
        for start, end, terms, factors in self.stages:
            np.multiply(out.take(terms, 1), x.take(factors, 1), out=out[:, start:end])
        if self.first == self.bias:
            return out
        kept = out[:, self.first - self.bias :].copy(order="K")
        if self.bias:
            kept[:, 0] = 1
        return kept


NODES: dict[str, NodeReader] = {
    kind.kind: kind for kind in (Standardize, MinMax, Normalize, Binarize, Polynomial)
}
