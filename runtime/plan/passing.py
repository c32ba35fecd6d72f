"""Nodes that take each column for itself: what passes through, functions, feature selection."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Final

import numpy as np

from runtime.plan.ops import (
    Array,
    Cell,
    Fields,
    Frame,
    Int64Vector,
    Missing,
    Node,
    NodeReader,
    Rows,
    as_matrix,
    override,
    silent,
)
from runtime.plan.signature import Kind
from runtime.plan.sparse import Sparse

MAX_COLUMNS: Final = 1 << 22
FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
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
    "tan": np.tan,
    "cosh": np.cosh,
    "arcsin": np.arcsin,
    "arccos": np.arccos,
    "arctan": np.arctan,
    "arccosh": np.arccosh,
    "arctanh": np.arctanh,
    "fabs": np.fabs,
    "trunc": np.trunc,
    "round": np.round,
    "positive": np.positive,
    "degrees": np.degrees,
    "radians": np.radians,
    "rad2deg": np.rad2deg,
    "deg2rad": np.deg2rad,
    "isnan": np.isnan,
    "nan_to_num": np.nan_to_num,
}
# The others round their last digit, perhaps one way in a vector and another way alone.
ROUNDED_ONE_WAY: Final = {
    "sqrt",
    "square",
    "abs",
    "sign",
    "rint",
    "floor",
    "ceil",
    "negative",
    "reciprocal",
    "fabs",
    "trunc",
    "round",
    "positive",
    "isnan",
    "nan_to_num",
}
FILLS: Final = {"isnan", "nan_to_num"}
# Of the others, every one takes 2.
TAKES_LESS: Final = {"arcsin", "arccos", "arctanh"}
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
        self.function: Callable[[Array], Array] = silent(FUNCTIONS[name])
        self.exact = "bitwise" if name in ROUNDED_ONE_WAY else "batch"
        self.taken = 0.5 if name in TAKES_LESS else 2.0
        if name in FILLS:
            self.gives_gaps = False
            if self.missing is Missing.PASSES:
                self.missing = Missing.FILLS

    @override
    def example(self) -> tuple[Cell, ...]:
        """Give a number that the function takes."""
        return (self.taken,) * self.n_in

    def transform(self, x: Rows) -> Array:
        """Give the function's values; out of its range they are NaN or infinite, as in numpy."""
        return self.function(as_matrix(x))

    @override
    def run(self, method: str, x: Rows) -> Array:  # noqa: ARG002
        """Transform, and nothing beside: the function takes less time than what is around it."""
        return self.function(as_matrix(x))


class Select(Plain):
    """Some of the columns, strings as well as numbers: feature selection."""

    kind = "select"
    takes_sparse = True

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.keep = fields.indices("keep", self.n_in, None)
        if (np.diff(self.keep) <= 0).any():
            raise fields.fail("'keep' must ascend")
        self.n_out = self.keep.shape[0]

    @cached_property
    def _place(self) -> Int64Vector:
        """Where each column goes; -1: nowhere."""
        place = np.full(self.n_in, -1)
        place[self.keep] = np.arange(self.n_out)
        return place

    @override
    def wants(self, after: tuple[Want, ...]) -> tuple[Want, ...]:
        """Give what whoever comes next wants; columns that are dropped may be anything."""
        passes = self.missing is Missing.PASSES
        found: list[Want] = [(Kind.ANY, passes)] * self.n_in
        for place, (kind, missing) in zip(self.keep.tolist(), after, strict=True):
            found[place] = (kind, missing and passes)
        return tuple(found)

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

    def transform(self, x: Rows) -> Rows:
        """Give the columns that are kept: a frame if there are strings among them."""
        if isinstance(x, Sparse):
            return x.take(self._place, self.n_out)
        if isinstance(x, Frame):
            kept = Frame(tuple(x.columns[place] for place in self.keep.tolist()))
            return kept if any(cells.dtype == object for cells in kept.columns) else as_matrix(kept)
        return x[:, self.keep]


NODES: dict[str, NodeReader] = {kind.kind: kind for kind in (Identity, Dense, Function, Select)}
