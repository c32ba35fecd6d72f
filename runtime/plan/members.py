"""Nodes that ask several others about the same rows: what ensembles and meta-estimators share."""

from typing import ClassVar, Final

import numpy as np

from runtime.plan.compose import (
    UNUSED,
    asked,
    example_of,
    joined,
    merge,
    numbers,
    settled,
    weakest,
    widest,
)
from runtime.plan.ops import (
    Array,
    Cell,
    Fields,
    Frame,
    InputRefused,
    Node,
    PlanError,
    Rows,
    alike,
    override,
)
from runtime.plan.passing import MAX_COLUMNS, Want
from runtime.plan.signature import Kind
from runtime.plan.sparse import Sparse

MAX_MEMBERS: Final = 10_000
MAX_PICKED: Final = 10_000_000
PAIRWISE: Final = 8  # numbers from which numpy adds a line pairwise and not one after another


class Group(Node):
    """Several nodes over the same rows; how their answers become one is the subclass's part.

    members  in scikit-learn's order
    calls    of one member in one call, at most
    picked   (members, k) input columns of each; None: every member takes all of them
    strict   scikit-learn refuses NaN in the whole table before any member sees it
    """

    calls: ClassVar[int] = 1

    def __init__(self, fields: Fields) -> None:
        self.members = read_members(fields, "members", self.calls)
        self.picked: Array | None = None
        wide = self.n_in = self.members[0].n_in
        if fields.has("columns"):
            self.n_in = fields.integer("n_in", 1, MAX_COLUMNS)
            self.picked = fields.indices("columns", self.n_in, len(self.members), None)
            wide = self.picked.shape[1]
        if any(member.n_in != wide for member in self.members):
            raise fields.fail(f"a member does not take {wide} columns")
        if self.picked is not None and self.picked.size > MAX_PICKED:
            raise fields.fail("the members take too many columns together")
        self.strict = fields.flag("refuses_missing")
        self.exact, self.tolerance = weakest(self.members), widest(self.members)
        self.any_unused = fields.flag("any_unused") or any(map(leaves_columns, self.members))
        # Each member that does not take them is given blocks of its own; a column that is picked
        # twice cannot be held twice.
        self.takes_sparse = any(member.takes_sparse for member in self.members) and (
            self.picked is None or all(len(set(row)) == wide for row in self.picked.tolist())
        )

    def ask(self, place: int, method: str, x: Rows) -> Array:
        """Give one member's answer; a cell it refuses gets the column's number in the whole."""
        member = self.members[place]
        if self.picked is None:
            return asked(member, method, x)
        columns = self.picked[place]
        try:
            # The copy lies column by column, as in scikit-learn: BLAS would round another one
            # differently, so even a member that takes all columns in order gets one.
            return asked(member, method, _pick(x, columns))
        except InputRefused as error:
            column = None if error.column is None else int(columns[error.column])
            raise InputRefused(error.row, column, error.detail) from error

    @override
    def wants(self, after: tuple[Want, ...]) -> tuple[Want, ...]:
        """Join what the members want; raises PlanError when two want different kinds of a column.

        The members predict, so what whoever comes next wants says nothing about their input.
        """
        if any(kind is Kind.STRING for kind, _ in after):
            raise PlanError(f"{self.kind} gives a number where a string is wanted")
        found: tuple[Want, ...] = (UNUSED,) * self.n_in
        last: tuple[Want, ...] = ()
        for place, member in enumerate(self.members):
            wanted = member.wants(())
            if self.picked is not None:
                columns = list(found)
                for column, want in zip(self.picked[place].tolist(), wanted, strict=True):
                    columns[column] = joined(columns[column], want)
                found = tuple(columns)
            elif wanted != last:
                found = all_joined(found, wanted)
            last = wanted
        return all_joined(found, ((Kind.ANY, False),) * self.n_in) if self.strict else found

    @override
    def columns_in(self, nan_ok_after: bool) -> tuple[Want, ...]:
        """Give kind and `missing allowed` of every input column."""
        wants = self.wants(numbers(self.n_out, missing=nan_ok_after))
        return settled(wants, any_unused=self.any_unused)

    @override
    def example(self) -> tuple[Cell, ...]:
        """Give cells that every member takes."""
        return example_of(self)

    @override
    def example_for(self, after: tuple[Cell, ...]) -> tuple[Cell, ...]:  # noqa: ARG002
        """Join what the members take."""
        cells: list[Cell] = [None] * self.n_in
        last: tuple[Cell, ...] = ()
        for place, member in enumerate(self.members):
            taken = member.example_for(())
            if self.picked is not None:
                merge(cells, self.picked[place].tolist(), taken)
            elif taken != last:
                merge(cells, range(self.n_in), taken)
            last = taken
        return tuple(cells)


class Wrapped(Node):
    """A node around one other, which says what it takes."""

    def __init__(self, fields: Fields) -> None:
        self.inner = fields.child("inner")
        self.n_in = self.inner.n_in
        self.exact, self.tolerance = self.inner.exact, self.inner.tolerance
        self.takes_sparse = self.inner.takes_sparse
        self.any_unused = leaves_columns(self.inner)

    @override
    def wants(self, after: tuple[Want, ...]) -> tuple[Want, ...]:  # noqa: ARG002
        """Want what the node inside wants to predict."""
        return self.inner.wants(())

    @override
    def columns_in(self, nan_ok_after: bool) -> tuple[Want, ...]:  # noqa: ARG002
        """Give kind and `missing allowed` of every input column."""
        return self.inner.columns_in(nan_ok_after=True)

    @override
    def example(self) -> tuple[Cell, ...]:
        """Give cells that the node inside takes."""
        return self.inner.example()


def read_members(fields: Fields, key: str, calls: int = 1) -> list[Node]:
    """Read a list of nodes that is not empty; `calls` of one in one call of theirs, at most."""
    specs = fields.items(key, MAX_MEMBERS)
    if not specs:
        raise fields.fail(f"{key!r} is empty")
    return [fields.node(spec, f"{key}[{i}]", calls) for i, spec in enumerate(specs)]


def leaves_columns(node: Node) -> bool:
    """True when a node was made with a frame and may leave columns of any kind unused."""
    return bool(getattr(node, "any_unused", False))


def all_joined(some: tuple[Want, ...], others: tuple[Want, ...]) -> tuple[Want, ...]:
    """Join what two nodes want of the same columns; of very many that are alike at once."""
    if alike(some) and alike(others):
        return (joined(some[0], others[0]),) * len(some)
    return tuple(map(joined, some, others))


def require(fields: Fields, node: Node, method: str, where: str) -> None:
    """Refuse a node that does not serve a method."""
    if method not in node.methods:
        raise fields.fail(f"{where} has no {method}")


def places_in(fields: Fields, node: Node, count: int, where: str) -> Array:
    """Give a classifier's labels, which must be places among `count` classes, in order."""
    labels = node.classes
    if labels is None or labels.dtype.kind not in "iu":
        raise fields.fail(f"{where} does not tell classes by their places")
    places: Array = labels.astype(np.int64)
    if places[0] < 0 or places[-1] >= count or (np.diff(places) <= 0).any():
        raise fields.fail(f"{where} has classes that are not places from 0 to {count - 1}")
    return places


def in_batch(exact: str) -> str:
    """Weaken a promise to the same batch size: sums over a row are rounded by its layout."""
    return "batch" if exact == "bitwise" else exact


def rows_of(x: Rows) -> int:
    """Count the rows, however they are held."""
    return x.shape[0] if isinstance(x, np.ndarray) else x.rows


def _pick(x: Rows, columns: Array) -> Rows:
    if isinstance(x, Sparse):
        place = np.full(x.width, -1)
        place[columns] = np.arange(len(columns))
        return x.take(place, len(columns))
    if isinstance(x, Frame):
        return Frame(tuple([x.columns[column] for column in columns.tolist()]))
    return x[:, columns]
