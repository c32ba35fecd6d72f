"""Nodes made of nodes: pipelines, columns sent to transformers, unions, and what passes through."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np

from runtime.plan.ops import (
    Array,
    Cells,
    Fields,
    Float64Matrix,
    Frame,
    InputRefused,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_columns,
    as_matrix,
    override,
)
from runtime.plan.signature import Kind

MAX_COLUMNS: Final = 1_000_000
MAX_STEPS: Final = 1_000
RANK: Final = {"bitwise": 0, "batch": 1, "tolerance": 2}
FUNCTIONS: Final = {
    "log1p": np.log1p,
    "expm1": np.expm1,
    "log": np.log,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "square": np.square,
    "abs": np.abs,
}


def weakest(nodes: Sequence[Node]) -> str:
    """Give the weakest promise of exactness among nodes."""
    return max((node.exact for node in nodes), key=RANK.__getitem__, default="bitwise")


class Identity(Node):
    """Columns as they are: a passthrough, or FunctionTransformer without a function."""

    kind = "identity"
    methods = ("transform",)
    missing = Missing.PASSES
    exact = "bitwise"

    def __init__(self, fields: Fields) -> None:
        self.n_in = self.n_out = fields.integer("n_in", 1, MAX_COLUMNS)

    def transform(self, x: Inputs) -> Inputs:
        """The input itself."""
        return x


class Function(Node):
    """A numpy function of each cell."""

    kind = "function"
    methods = ("transform",)
    missing = Missing.PASSES
    exact = "bitwise"

    def __init__(self, fields: Fields) -> None:
        self.n_in = self.n_out = fields.integer("n_in", 1, MAX_COLUMNS)
        self.function = FUNCTIONS[fields.choice("function", *FUNCTIONS)]

    def transform(self, x: Inputs) -> Float64Matrix:
        """The function's values; out of its range they are NaN or infinite, as in numpy."""
        with np.errstate(all="ignore"):
            values: Float64Matrix = self.function(as_matrix(x))
        return values


class Select(Node):
    """Some of the columns: feature selection."""

    kind = "select"
    methods = ("transform",)
    missing = Missing.PASSES
    exact = "bitwise"

    def __init__(self, fields: Fields) -> None:
        self.n_in = fields.integer("n_in", 1, MAX_COLUMNS)
        self.keep = fields.indices("keep", self.n_in, None)
        self.n_out = self.keep.shape[0]
        if fields.flag("refuses_missing"):
            self.missing = Missing.REFUSES

    def transform(self, x: Inputs) -> Float64Matrix:
        """The columns that are kept."""
        return as_matrix(x)[:, self.keep]


class Pipeline(Node):
    """Transformers, then a last step whose methods are the pipeline's own."""

    kind = "pipeline"

    def __init__(self, fields: Fields) -> None:
        specs = fields.items("steps", MAX_STEPS)
        if not specs:
            raise fields.fail("no steps")
        steps = [fields.node(spec, f"steps[{i}]") for i, spec in enumerate(specs)]
        self.head, self.last = steps[:-1], steps[-1]
        for i, (one, two) in enumerate(pairwise(steps)):
            if "transform" not in one.methods:
                raise fields.fail(f"step {i} cannot transform")
            if one.n_out != two.n_in:
                raise fields.fail(f"step {i} gives {one.n_out} columns, the next takes {two.n_in}")
        self.methods = self.last.methods
        self.n_in, self.n_out = steps[0].n_in, self.last.n_out
        self.classes = self.last.classes
        self.exact = weakest(steps)

    @override
    def columns_in(self, nan_ok_after: bool) -> tuple[tuple[Kind, bool], ...]:
        """Give kind and `missing allowed` of every input column, seen from the last step back."""
        steps = [*self.head, self.last]
        for step in reversed(steps[1:]):
            nan_ok_after = all(missing for _, missing in step.columns_in(nan_ok_after))
        return steps[0].columns_in(nan_ok_after)

    @override
    def example(self) -> tuple[float | str | None, ...]:
        """Give what the first step takes."""
        return (self.head[0] if self.head else self.last).example()

    @override
    def run(self, method: str, x: Inputs) -> Array:
        """Transform, then call the last step; a refused cell is told by its row alone."""
        for i, step in enumerate(self.head):
            try:
                x = step.transform(x)  # type: ignore[attr-defined]  # checked when read
            except InputRefused as error:
                raise _placed(error, first=i == 0) from error
        try:
            return self.last.run(method, x)
        except InputRefused as error:
            raise _placed(error, first=not self.head) from error

    def transform(self, x: Inputs) -> Array:
        """Transform by every step."""
        return self.run("transform", x)


def _placed(error: InputRefused, *, first: bool) -> InputRefused:
    """Keep the column only where it is one of the pipeline's own input."""
    return error if first else InputRefused(error.row, None, error.detail)


class Columns(Node):
    """ColumnTransformer and FeatureUnion: parts of the input through nodes, side by side.

    source  sklearn.compose.ColumnTransformer; outputs in the order of the parts
    """

    kind = "columns"
    methods = ("transform",)

    def __init__(self, fields: Fields) -> None:
        self.n_in = fields.integer("n_in", 1, MAX_COLUMNS)
        self.parts: list[tuple[Node, list[int], float | None]] = []
        for i, part in enumerate(fields.items("parts", MAX_STEPS)):
            self.parts.append(self._part(fields, i, part))
        self.n_out = sum(node.n_out for node, _, _ in self.parts)
        self.exact = weakest([node for node, _, _ in self.parts])
        self._whole = [places == list(range(self.n_in)) for _, places, _ in self.parts]
        self._places = [np.array(places, np.intp) for _, places, _ in self.parts]

    def _part(self, fields: Fields, i: int, part: Any) -> tuple[Node, list[int], float | None]:
        if not isinstance(part, dict) or set(part) != {"node", "columns", "weight"}:
            raise fields.fail(f"parts[{i}] must hold node, columns and weight")
        node, places, weight = (
            fields.node(part["node"], f"parts[{i}]"),
            part["columns"],
            part["weight"],
        )
        good = isinstance(places, list) and all(
            type(p) is int and 0 <= p < self.n_in for p in places
        )
        if not good or len(places) != node.n_in or "transform" not in node.methods:
            raise fields.fail(f"parts[{i}] does not fit its columns")
        if weight is not None and (type(weight) is not float or not np.isfinite(weight)):
            raise fields.fail(f"parts[{i}] has a bad weight")
        return node, places, weight

    @override
    def columns_in(self, nan_ok_after: bool) -> tuple[tuple[Kind, bool], ...]:
        """Join what the parts say; a column nobody uses may hold anything."""
        found: list[tuple[Kind, bool] | None] = [None] * self.n_in
        for node, places, _ in self.parts:
            for place, (kind, missing) in zip(places, node.columns_in(nan_ok_after), strict=True):
                before = found[place]
                found[place] = (kind, missing and (before is None or before[1]))
        numeric = all(one is None or one[0] is Kind.NUMBER for one in found)
        unused = (Kind.NUMBER if numeric else Kind.ANY, True)
        return tuple(one or unused for one in found)

    @override
    def example(self) -> tuple[float | str | None, ...]:
        """Join what the parts take."""
        cells: list[float | str | None] = [
            0.0 if kind is Kind.NUMBER else None for kind, _ in self.columns_in(nan_ok_after=True)
        ]
        for node, places, _ in self.parts:
            for place, cell in zip(places, node.example(), strict=True):
                cells[place] = cell
        return tuple(cells)

    def transform(self, x: Inputs) -> Inputs:
        """Outputs side by side: a matrix, or a frame if a part gives strings."""
        outs: list[Inputs] = []
        for (node, places, weight), whole, index in zip(
            self.parts, self._whole, self._places, strict=True
        ):
            try:
                out = node.transform(x if whole else _take(x, places, index))  # type: ignore[attr-defined]
            except InputRefused as error:
                column = None if error.column is None else places[error.column]
                raise InputRefused(error.row, column, error.detail) from error
            outs.append(out if weight is None else as_matrix(out) * weight)
        if len(outs) == 1:
            return outs[0]
        if any(isinstance(out, Frame) for out in outs):
            return Frame(tuple(cells for out in outs for cells in as_columns(out)))
        return np.concatenate([as_matrix(out) for out in outs], axis=1)


def _take(x: Inputs, places: list[int], index: Array) -> Inputs:
    if not isinstance(x, Frame):
        return x[:, index]
    picked: tuple[Cells, ...] = tuple(x.columns[place] for place in places)
    return Frame(picked)


def _reader(kind: type[Identity | Function | Select | Pipeline | Columns]) -> NodeReader:
    def read(fields: Fields) -> Node:
        node = kind(fields)
        fields.done()
        return node

    return read


NODES: dict[str, NodeReader] = {
    kind.kind: _reader(kind) for kind in (Identity, Function, Select, Pipeline, Columns)
}
