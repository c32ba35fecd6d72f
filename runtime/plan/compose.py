"""Nodes made of nodes: pipelines, and columns sent to transformers side by side."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np

from runtime.plan.imputers import Impute
from runtime.plan.ops import (
    Array,
    Cell,
    Fields,
    Frame,
    InputRefused,
    Node,
    NodeReader,
    PlanError,
    Rows,
    alike,
    answer,
    as_columns,
    as_matrix,
    override,
)
from runtime.plan.passing import MAX_COLUMNS, Select, Want
from runtime.plan.signature import Kind
from runtime.plan.sparse import Sparse, below, beside

MAX_STEPS: Final = 1_000
RANK: Final = {"bitwise": 0, "batch": 1, "tolerance": 2}
UNUSED: Final[Want] = (Kind.ANY, True)
_BECOMES: Final = "becomes NaN or infinite inside the model"


def weakest(nodes: Sequence[Node]) -> str:
    """Give the weakest promise of exactness among nodes."""
    return max((node.exact for node in nodes), key=RANK.__getitem__, default="bitwise")


def widest(nodes: Sequence[Node]) -> float:
    """Give the largest tolerance among nodes that are within one."""
    return max((node.tolerance for node in nodes if node.exact == "tolerance"), default=1e-12)


class Pipeline(Node):
    """Transformers, then a last step whose methods are the pipeline's own.

    Where sparse rows come to a step that does not take them, it and all steps after it are run over
    dense blocks of rows, one after another, so that no matrix is larger than a block.

    shows_head  it also transforms, by all steps but the last: RFE, which selects and predicts
    sparse      scikit-learn hands a sparse matrix on where this plan has a dense one, and adds up
                in another order
    """

    kind = "pipeline"
    takes_sparse = True

    def __init__(self, fields: Fields) -> None:
        specs = fields.items("steps", MAX_STEPS)
        if not specs:
            raise fields.fail("no steps")
        steps = [fields.node(spec, f"steps[{i}]") for i, spec in enumerate(specs)]
        self.head, self.last = steps[:-1], steps[-1]
        self._columns_in: dict[bool, tuple[Want, ...]] = {}
        for i, (one, two) in enumerate(pairwise(steps)):
            if "transform" not in one.methods:
                raise fields.fail(f"step {i} cannot transform")
            if one.n_out != two.n_in:
                raise fields.fail(f"step {i} gives {one.n_out} columns, the next takes {two.n_in}")
        self.methods = self.last.methods
        self.n_in, self.n_out = steps[0].n_in, self.last.n_out
        self.classes = self.last.classes
        self.shows_head = fields.flag("shows_head")
        if self.shows_head:
            if not self.head or "transform" in self.methods:
                raise fields.fail("the head cannot be shown")
            self.methods, self.n_out = (*self.methods, "transform"), self.head[-1].n_out
        self.exact = _exactness(steps, sparse=fields.flag("sparse"))
        self.tolerance = widest(steps)
        self.any_unused = any(getattr(step, "any_unused", False) for step in steps)
        self.gives_gaps = any(step.gives_gaps for step in steps)
        self.checked = [
            _refusing(two) if any(step.gives_gaps for step in steps[: i + 1]) else None
            for i, two in enumerate(steps[1:])
        ]

    @override
    def wants(self, after: tuple[Want, ...]) -> tuple[Want, ...]:
        """Give what the first step wants, asked from the last step back."""
        # Predicting asks for no less than transforming, so it decides where both are served.
        after = self.last.wants(() if self.shows_head else after)
        for step in reversed(self.head):
            after = step.wants(after)
        return after

    @override
    def columns_in(self, nan_ok_after: bool) -> tuple[Want, ...]:
        """Give kind and `missing allowed` of every input column."""
        # Asked three times at loading; of 100,000 columns in the middle it takes 1 ms.
        if nan_ok_after not in self._columns_in:
            wants = self.wants(numbers(self.n_out, missing=nan_ok_after))
            self._columns_in[nan_ok_after] = settled(wants, any_unused=self.any_unused)
        return self._columns_in[nan_ok_after]

    @override
    def origin(self, column: int) -> int | None:
        """Give the input column that an output column is made of."""
        steps = self.head if self.shows_head else [*self.head, self.last]
        return _origin(steps, column)

    @override
    def example(self) -> tuple[Cell, ...]:
        """Give cells that every step takes."""
        return example_of(self)

    @override
    def example_for(self, after: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """Give cells that every step takes, asked from the last step back."""
        steps = [*self.head, self.last]
        # What comes after a step that takes any number does not matter, and may be very wide.
        first = max((i for i, step in enumerate(steps) if _takes_any(step)), default=len(steps) - 1)
        for step in reversed(steps[: first + 1]):
            after = step.example_for(after)
        return after

    @override
    def run(self, method: str, x: Rows) -> Array:
        """Transform, then call the last step; a refused cell gets the pipeline's own column."""
        return answer(self._from(0, method, x))

    def transform(self, x: Rows) -> Rows:
        """Transform by every step, or by all but the last where that predicts."""
        result: Rows = self._from(0, "transform", x)
        return result

    def _from(self, at: int, method: str, x: Rows) -> Any:
        """Go on at a step; `transform` may give any inputs, other methods give arrays."""
        try:
            while at < len(self.head) and _fits(x, self.head[at]):
                x = self.head[at].transform(x)  # type: ignore[attr-defined]  # checked when read
                at += 1
                refusing = self.checked[at - 1]
                if refusing is not None:
                    _refuse_gaps(x, refusing)
            if at == len(self.head):
                if self.shows_head and method == "transform":
                    return x
                if _fits(x, self.last):
                    return _called(self.last, method, x)
        except InputRefused as error:
            column = None if error.column is None else _origin(self.head[:at], error.column)
            raise InputRefused(error.row, column, error.detail) from error
        return _in_blocks(x, lambda block: self._from(at, method, block))


def _takes_any(step: Node) -> bool:
    return type(step).example_for is Node.example_for


def _called(node: Node, method: str, x: Rows) -> Any:
    if method == "transform":
        return node.transform(x)  # type: ignore[attr-defined]  # checked when read
    return node.run(method, x)


def _fits(x: Rows, node: Node) -> bool:
    return node.takes_sparse or not isinstance(x, Sparse)


def asked(node: Node, method: str, x: Rows) -> Array:
    """Call a method that gives an array, over dense blocks where a node takes no sparse rows."""
    if _fits(x, node):
        return node.run(method, x)
    found: Array = _in_blocks(x, lambda block: node.run(method, block))
    return found


def _in_blocks(x: Rows, call: Callable[[Rows], Any]) -> Any:
    """Call with dense blocks of sparse rows, and put what it gives below each other."""
    if not isinstance(x, Sparse):
        raise TypeError("only sparse rows are taken in blocks")
    outs = []
    for start, block in x.blocks():
        try:
            outs.append(call(block))
        except InputRefused as error:
            row = None if error.row is None else start + error.row
            raise InputRefused(row, error.column, error.detail) from error
    if len(outs) == 1:
        return outs[0]
    if all(isinstance(out, Sparse) for out in outs):
        return below(outs)
    return np.concatenate(outs)


def numbers(count: int, *, missing: bool = True) -> tuple[Want, ...]:
    """Want so many columns of numbers."""
    return ((Kind.NUMBER, missing),) * count


def _exactness(steps: Sequence[Node], *, sparse: bool) -> str:
    exact = weakest(steps)
    # What takes columns apart leaves them in another memory order than scikit-learn, where
    # products and sums over a row are rounded otherwise.
    if exact == "batch" and any(_moves(step) for step in steps[:-1]):
        return "tolerance"
    # A tree compares the same numbers; all others add in another order, or multiply by 1 / scale.
    same = exact == "bitwise" and len(steps) == 2 and "transform" not in steps[-1].methods
    return exact if same or not sparse else "tolerance"


def _moves(step: Node) -> bool:
    return isinstance(step, (Columns, Select)) or (
        isinstance(step, Impute) and step.kept is not None
    )


def settled(wants: tuple[Want, ...], *, any_unused: bool) -> tuple[Want, ...]:
    """Make columns that nobody uses numbers where the rest are numbers, unless they may be other.

    The input stays one matrix so.
    """
    if any_unused or any(kind is Kind.STRING for kind, _ in wants):
        return wants
    return tuple((Kind.NUMBER, missing) for _, missing in wants)


def _refusing(node: Node) -> Sequence[int] | None:
    """Give the columns in which a node refuses NaN; None for no column."""
    wants = node.wants(numbers(node.n_out))
    if wants[:1] == ((Kind.NUMBER, False),) and alike(wants):
        return range(len(wants))
    places = tuple(j for j, (kind, ok) in enumerate(wants) if kind is Kind.NUMBER and not ok)
    return places or None


def _origin(steps: Sequence[Node], column: int) -> int | None:
    place: int | None = column
    for step in reversed(steps):
        if place is None:
            return None
        place = step.origin(place)
    return place


def _refuse_gaps(x: Rows, places: Sequence[int]) -> None:
    """Refuse what became NaN or infinite on the way, as scikit-learn's next step does."""
    if isinstance(x, Sparse):
        bad = np.flatnonzero(~np.isfinite(x.values))
        bad = bad[np.isin(x.columns[bad], places)] if bad.shape[0] else bad
        if bad.shape[0]:
            row, place = int(x.at[bad[0]]), int(x.columns[bad[0]])
            raise InputRefused(row, place, _BECOMES)
        return
    columns = as_columns(x)
    for place in places:
        good = np.isfinite(columns[place])
        if not good.all():
            row = int(np.argmin(good))
            raise InputRefused(row, place, _BECOMES)


class Columns(Node):
    """ColumnTransformer and FeatureUnion: parts of the input through nodes, side by side.

    any_unused  columns that no part takes may hold anything; if not, they are numbers like the rest
    source      sklearn.compose.ColumnTransformer; outputs in the order of the parts
    """

    kind = "columns"
    methods = ("transform",)
    takes_sparse = True

    def __init__(self, fields: Fields) -> None:
        self.n_in = fields.integer("n_in", 1, MAX_COLUMNS)
        self.parts: list[tuple[Node, list[int], float | None]] = []
        for i, part in enumerate(fields.items("parts", MAX_STEPS)):
            self.parts.append(self._part(fields, i, part))
        if not self.parts:
            raise fields.fail("no parts")
        self.n_out = sum(node.n_out for node, _, _ in self.parts)
        nodes = [node for node, _, _ in self.parts]
        self.gives_gaps = any(node.gives_gaps for node in nodes)
        self.any_unused = fields.flag("any_unused") or any(
            getattr(node, "any_unused", False) for node in nodes
        )
        self._whole = [places == list(range(self.n_in)) for _, places, _ in self.parts]
        self.exact, self.tolerance = weakest(nodes), widest(nodes)
        if self.exact == "batch" and not all(self._whole):
            self.exact = "tolerance"
        self._places = [np.array(places, np.intp) for _, places, _ in self.parts]

    def _part(self, fields: Fields, i: int, part: Any) -> tuple[Node, list[int], float | None]:
        if not isinstance(part, dict) or set(part) != {"node", "columns", "weight"}:
            raise fields.fail(f"parts[{i}] must hold node, columns and weight")
        node = fields.node(part["node"], f"parts[{i}]")
        places, weight = part["columns"], part["weight"]
        good = isinstance(places, list) and all(
            type(p) is int and 0 <= p < self.n_in for p in places
        )
        if not good or len(places) != node.n_in or "transform" not in node.methods:
            raise fields.fail(f"parts[{i}] does not fit its columns")
        if weight is not None and (type(weight) is not float or not np.isfinite(weight)):
            raise fields.fail(f"parts[{i}] has a bad weight")
        return node, places, weight

    @override
    def wants(self, after: tuple[Want, ...]) -> tuple[Want, ...]:
        """Join what the parts want; raises PlanError when two want different kinds of a column."""
        found: list[Want] = [UNUSED] * self.n_in
        start = 0
        for node, places, weight in self.parts:
            wanted = after[start : start + node.n_out]
            if weight is not None:
                wanted = tuple((Kind.NUMBER, missing) for _, missing in wanted)
            for place, want in zip(places, node.wants(wanted), strict=True):
                found[place] = joined(found[place], want)
            start += node.n_out
        return tuple(found)

    @override
    def columns_in(self, nan_ok_after: bool) -> tuple[Want, ...]:
        """Give kind and `missing allowed` of every input column."""
        wants = self.wants(numbers(self.n_out, missing=nan_ok_after))
        return settled(wants, any_unused=self.any_unused)

    @override
    def origin(self, column: int) -> int | None:
        """Give the input column that an output column is made of."""
        for node, places, _ in self.parts:
            if column < node.n_out:
                inner = node.origin(column)
                return None if inner is None else places[inner]
            column -= node.n_out
        return None

    @override
    def example(self) -> tuple[Cell, ...]:
        """Give cells that every part takes."""
        return example_of(self)

    @override
    def example_for(self, after: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """Join what the parts take."""
        cells: list[Cell] = [None] * self.n_in
        start = 0
        for node, places, _ in self.parts:
            merge(cells, places, node.example_for(after[start : start + node.n_out]))
            start += node.n_out
        return tuple(cells)

    def transform(self, x: Rows) -> Rows:
        """Outputs side by side: a matrix, a frame if a part gives strings, or sparse rows."""
        outs: list[Rows] = []
        for (node, places, weight), whole, index in zip(
            self.parts, self._whole, self._places, strict=True
        ):
            try:
                out = _transformed(node, x if whole else _take(x, places, index))
            except InputRefused as error:
                column = None if error.column is None else places[error.column]
                raise InputRefused(error.row, column, error.detail) from error
            outs.append(out if weight is None else _weighted(out, weight))
        if any(isinstance(out, Sparse) for out in outs):
            # As scipy's stack of sparse and dense parts: what is zero is not held.
            held = [x if isinstance(x, Sparse) else Sparse.of(as_matrix(x)) for x in outs]
            return beside(held)
        if any(isinstance(out, Frame) and _holds_text(out) for out in outs):
            return Frame(tuple(cells for out in outs for cells in as_columns(out)))
        # Numbers that came in a frame go on as the matrix that predictors expect.
        matrices = [as_matrix(out) for out in outs]
        return matrices[0] if len(matrices) == 1 else np.concatenate(matrices, axis=1)


def joined(one: Want, other: Want) -> Want:
    """Give what serves both of two that take a column; PlanError where one wants strings alone."""
    kinds = {one[0], other[0]} - {Kind.ANY}
    if len(kinds) > 1:
        raise PlanError("two parts take a column, one as numbers, the other as strings")
    return (kinds.pop() if kinds else Kind.ANY), one[1] and other[1]


def merge(cells: list[Cell], places: Sequence[int], asked: Sequence[Cell]) -> None:
    """Put the cells that one node asks for into an example that others have begun."""
    for place, cell in zip(places, asked, strict=True):
        # 0.0 is what nodes say that take any number.
        if cells[place] in (None, 0.0):
            cells[place] = cell


def example_of(node: Node) -> tuple[Cell, ...]:
    """Give cells that a node takes, asked for whatever it hands them on to."""
    cells = node.example_for((0.0,) * node.n_out)
    wants = node.columns_in(nan_ok_after=True)
    return tuple(
        0.0 if kind is Kind.NUMBER and cell is None else cell
        for (kind, _), cell in zip(wants, cells, strict=True)
    )


def _transformed(node: Node, x: Rows) -> Rows:
    if not _fits(x, node):
        out: Rows = _in_blocks(x, node.transform)  # type: ignore[attr-defined]
        return out
    return node.transform(x)  # type: ignore[attr-defined,no-any-return]  # checked when read


def _weighted(x: Rows, weight: float) -> Rows:
    return x.with_values(x.values * weight) if isinstance(x, Sparse) else as_matrix(x) * weight


def _take(x: Rows, places: list[int], index: Array) -> Rows:
    if isinstance(x, Sparse):
        place = np.full(x.width, -1)
        place[index] = np.arange(len(places))
        return x.take(place, len(places))
    if isinstance(x, Frame):
        columns = x.columns
        return Frame(tuple([columns[place] for place in places]))
    return x[:, index]


def _holds_text(frame: Frame) -> bool:
    return any(cells.dtype == object for cells in frame.columns)


NODES: dict[str, NodeReader] = {kind.kind: kind for kind in (Pipeline, Columns)}
