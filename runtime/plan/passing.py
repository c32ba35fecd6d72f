"""Nodes that take each column for itself: what passes through, functions, feature selection."""

from functools import cached_property
from typing import Final

import numpy as np

from runtime.plan.ops import (
    Cell,
    Fields,
    Float64Matrix,
    Int64Vector,
    Missing,
    Node,
    NodeReader,
    Rows,
    as_matrix,
    override,
)
from runtime.plan.signature import Kind
from runtime.plan.sparse import Sparse

MAX_COLUMNS: Final = 1 << 22
FUNCTIONS: Final = {
    "log1p": np.log1p,
    "expm1": np.expm1,
    "log": np.log,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "square": np.square,
    "abs": np.abs,
    "log2": np.log2,
    "log10": np.log10,
    "cbrt": np.cbrt,
    "sign": np.sign,
    "rint": np.rint,
    "floor": np.floor,
    "ceil": np.ceil,
    "negative": np.negative,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "arcsinh": np.arcsinh,
    "sinh": np.sinh,
    "exp2": np.exp2,
    "reciprocal": np.reciprocal,
}
# The others round their last digit, perhaps one way in a vector and another way alone.
ROUNDED_ONE_WAY: Final = {"sqrt", "square", "abs", "sign", "rint", "floor", "ceil", "negative"}
Want = tuple[Kind, bool]


class Plain(Node):
    """What all nodes share that take each column for itself: NaN stays where it is."""

    methods = ("transform",)
    missing = Missing.PASSES
    exact = "bitwise"

    def __init__(self, fields: Fields) -> None:
        self.n_in = self.n_out = fields.integer("n_in", 1, MAX_COLUMNS)
        if fields.flag("refuses_missing"):
            self.missing = Missing.REFUSES

    @override
    def origin(self, column: int) -> int | None:
        """Give the input column that an output column is made of."""
        return column


class Identity(Plain):
    """Columns as they are: a passthrough, or FunctionTransformer without a function."""

    kind = "identity"
    takes_sparse = True

    @override
    def wants(self, after: tuple[Want, ...]) -> tuple[Want, ...]:
        """Give what whoever comes next wants."""
        if self.missing is Missing.REFUSES:
            return tuple((kind, False) for kind, _ in after)
        return after

    @override
    def example_for(self, after: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """Give what whoever comes next takes."""
        return after

    def transform(self, x: Rows) -> Rows:
        """Give the input itself."""
        return x


class Dense(Identity):
    """Columns as they are, where scikit-learn makes a matrix of sparse rows."""

    kind = "dense"
    takes_sparse = False


class Function(Plain):
    """A numpy function of each cell."""

    kind = "function"
    gives_gaps = True

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        name = fields.choice("function", *FUNCTIONS)
        self.function = FUNCTIONS[name]
        self.exact = "bitwise" if name in ROUNDED_ONE_WAY else "batch"

    @override
    def example(self) -> tuple[Cell, ...]:
        """Give a number that every one of the functions takes."""
        return (2.0,) * self.n_in

    def transform(self, x: Rows) -> Float64Matrix:
        """Give the function's values; out of its range they are NaN or infinite, as in numpy."""
        with np.errstate(all="ignore"):
            values: Float64Matrix = self.function(as_matrix(x))
        return values


class Select(Plain):
    """Some of the columns: feature selection."""

    kind = "select"
    takes_sparse = True

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.keep = fields.indices("keep", self.n_in, None)
        self.n_out = self.keep.shape[0]

    @cached_property
    def _place(self) -> Int64Vector:
        """Where each column goes; -1: nowhere."""
        place = np.full(self.n_in, -1)
        place[self.keep] = np.arange(self.n_out)
        return place

    @override
    def origin(self, column: int) -> int | None:
        """Give the input column that an output column is made of."""
        return int(self.keep[column])

    @override
    def example_for(self, after: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """Give what whoever comes next takes."""
        cells: list[Cell] = [None] * self.n_in
        for place, cell in zip(self.keep.tolist(), after, strict=True):
            cells[place] = cell
        return tuple(cells)

    def transform(self, x: Rows) -> Float64Matrix | Sparse:
        """Give the columns that are kept."""
        if isinstance(x, Sparse):
            return x.take(self._place, self.n_out)
        return as_matrix(x)[:, self.keep]


def _reader(kind: type[Plain]) -> NodeReader:
    def read(fields: Fields) -> Node:
        node = kind(fields)
        fields.done()
        return node

    return read


NODES: dict[str, NodeReader] = {
    kind.kind: _reader(kind) for kind in (Identity, Dense, Function, Select)
}
