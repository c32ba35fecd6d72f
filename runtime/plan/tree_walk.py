"""Ensembles of deep trees: all trees and rows go down together, one level a step."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtime.plan.ops import Array, Fields, Float64Matrix, Int64Vector

Leaves = Iterator[tuple[slice, NDArray[np.intp]]]

MAX_TREES: Final = 1_000_000
MAX_STEPS: Final = 1024  # levels of the deepest tree; bounds the time of a call
CATEGORIES: Final = 256  # scikit-learn holds at most 255 categories of a feature
# Measured on rf100 (20 features): blocks of 16k (tree, row) pairs keep the buffers in the L2 cache.
BLOCK: Final = 16_384
ROWS: Final = 2_048
# Trees are twice as deep as most of their leaves. Every so many steps those that have arrived are
# put aside: rf100 of 22 to 35 steps, 4096 rows: 83 ms without, 45 ms with.
LOOK: Final = 4
SPARSE: Final = 0.8
# Pairs; of fewer a step costs no less for half as many: one tree and 1000 rows take 175 us, and 190
# where they are looked at.
LEAST: Final = 1_024
# (tree, row) pairs up to which each goes down by itself. A step of all together is ten calls of
# numpy, 9 us, and there are as many as the deepest has; one by itself takes 0.3 us and stops at its
# leaf: one tree of 12 levels and one row take 4 us instead of 100.
FEW: Final = 48
CELLS: Final = 4_096  # up to which rows are made Python's own numbers, 15 ns each


class TreeWalk:
    """Trees of any depth, breadth-first, siblings adjacent: the right child is left + 1.

    A leaf points at itself with threshold +inf, so surplus steps stay put.
    """

    def __init__(
        self,
        fields: Fields,
        n_in: int,
        code: str,
        *,
        prefix: str = "",
        values: Float64Matrix | None = None,
    ) -> None:
        """Read the tables, each under its name behind a prefix; given values are not read."""
        self.roots = _int32(fields, f"{prefix}roots", None)
        self.trees = self.roots.shape[0]
        self.left = _int32(fields, f"{prefix}left", None)
        nodes = self.left.shape[0]
        self.feature = _int32(fields, f"{prefix}feature", nodes)
        self.threshold = fields.tensor(f"{prefix}threshold", code, nodes)
        self.nan_right = fields.tensor(f"{prefix}nan_right", "b1", nodes)
        self.leaf = _int32(fields, f"{prefix}leaf", nodes)
        if values is None:
            values = fields.tensor("values", "f8", None, None)
        self.values: Float64Matrix = values
        self.steps = _int32(fields, f"{prefix}steps", self.trees)
        self.routes = self.split = None
        if fields.has(f"{prefix}routes"):
            self.routes = fields.tensor(f"{prefix}routes", "b1", None, CATEGORIES)
            self.split = _int32(fields, f"{prefix}split", nodes)
        # An element is read from a view in a third of the time that an array takes. Of arrays that
        # are not aligned, as in a draft that is being verified, no element can be read this way.
        arrays: tuple[Array, ...] = (self.left, self.feature, self.threshold, self.nan_right)
        self._read = tuple(np.require(array, requirements="A").data for array in arrays)
        if not 1 <= self.trees <= MAX_TREES or 0 in self.values.shape:
            raise fields.fail("an ensemble needs trees and values")
        _within(fields, "steps", self.steps, MAX_STEPS + 1)
        # A level of a tree has nodes of its own; trees that share theirs would take a file of a few
        # bytes a thousand steps each.
        if self.steps.sum(dtype=np.int64) > nodes:
            raise fields.fail("'steps' are more than there are nodes")
        if fields.thorough:
            self._check_nodes(fields, n_in)

    def _check_nodes(self, fields: Fields, n_in: int) -> None:
        """Refuse cycles, ways out of the tables, and leaves that lead on."""
        nodes = self.left.shape[0]
        _within(fields, "roots", self.roots, nodes)
        _within(fields, "feature", self.feature, n_in)
        _within(fields, "leaf", self.leaf, self.values.shape[0])
        if self.split is not None and self.routes is not None:
            _within(fields, "split", self.split, self.routes.shape[0])
        place = np.arange(nodes, dtype=np.int32)
        inner = self.left != place
        if ((self.left < place) | (inner & (self.left > nodes - 2))).any():
            raise fields.fail("'left': children must come after their parent and inside the table")
        if (~inner & ((self.threshold != np.inf) | self.nan_right)).any():
            raise fields.fail("a leaf must hold threshold +inf and keep NaN")
        if self.split is not None and (~inner & (self.split != 0)).any():
            raise fields.fail("a leaf must not split on categories")
        if self.routes is not None and self.routes[0].any():
            raise fields.fail("'routes': row 0 stands for no categories and must be false")

    def leaves(self, x: Array, group: int) -> Leaves:
        """Give the rows of `values` reached: (rows, (trees, rows) indices), trees in order.

        group  trees that belong together; no block cuts one in two
        cost   depth steps, each three gathers and a compare over trees x rows
        """
        if not self.are_few(x):
            yield from self.together(x, group)
        elif x.shape[0]:
            yield slice(0, x.shape[0]), self.one_by_one(x)

    def are_few(self, x: Array) -> bool:
        """Tell whether these rows are quicker one by one."""
        return x.shape[0] * self.trees <= FEW and x.size <= CELLS

    def together(self, x: Array, group: int) -> Leaves:
        """Give what `leaves` does, blocks of pairs going down level by level."""
        rows = max(1, min(x.shape[0], max(ROWS, BLOCK // self.trees)))
        trees = max(1, min(self.trees, BLOCK // rows) // group) * group
        for r in range(0, x.shape[0], rows):
            block = np.ascontiguousarray(x[r : r + rows])
            holes = bool(np.isnan(block).any())
            for t in range(0, self.trees, trees):
                node = self._descend(block, slice(t, t + trees), holes)
                yield slice(r, r + rows), self.leaf.take(node, mode="clip").astype(np.intp)

    def one_by_one(self, x: Array) -> NDArray[np.intp]:
        """Index into `values` for every (tree, row), of few: a loop over pairs, one by one."""
        roots, rows = self.roots.tolist(), x.tolist()
        last = self.values.shape[0] - 1
        found = [min(self._leaf(root, row), last) for root in roots for row in rows]
        return np.array(found, np.intp).reshape(len(roots), len(rows))

    def _leaf(self, node: int, row: list[float]) -> int:
        left, feature, threshold, nan_right = self._read
        for _ in range(MAX_STEPS):
            below = left[node]
            if below == node:
                break
            value = row[feature[node]]
            # NaN is the one number that is not itself.
            if value > threshold[node] or (value != value and nan_right[node]):
                below += 1
            elif self.routes is not None and self.split is not None and value == value:
                below += bool(self.routes[self.split[node], _code(value)])
            node = below
        return int(self.leaf[node])

    def _descend(self, x: Array, trees: slice, holes: bool) -> NDArray[np.intp]:
        """Node that every (tree, row) ends at.

        cost  trees x rows pairs a step, fewer once most have arrived
        """
        roots = self.roots[trees]
        rows, columns = x.shape
        cells = x.ravel()
        # A category is a small whole number or NaN, and NaN goes by `nan_right` alone.
        codes = None if self.routes is None else _codes(cells)
        ends = np.repeat(roots.astype(np.intp), rows)
        node = ends
        row = np.tile(np.arange(0, rows * columns, columns, dtype=np.int32), roots.shape[0])
        going: NDArray[np.intp] | None = None  # places in `ends` of those still on their way
        # Indices were checked when the plan was built; "clip" spares a copy, and no content of a
        # file can lead out of its arrays or on for ever.
        for step in range(int(self.steps[trees].max())):
            below = self.left.take(node, mode="clip")
            if step % LOOK == 0 and step and node.shape[0] >= LEAST:
                away = np.flatnonzero(below != node)
                if away.shape[0] < SPARSE * node.shape[0]:
                    if going is not None:
                        ends[going] = node
                    going = away if going is None else going.take(away)
                    node, row, below = node.take(away), row.take(away), below.take(away)
            cell = self.feature.take(node, mode="clip")
            cell += row
            value = cells.take(cell, mode="clip")
            right = value > self.threshold.take(node, mode="clip")
            if codes is not None:
                right |= self._routed(node, codes.take(cell, mode="clip")) & ~np.isnan(value)
            if holes:
                right |= np.isnan(value) & self.nan_right.take(node, mode="clip")
            np.add(below, right, out=node)
        if going is not None:
            ends[going] = node
        return ends.reshape(roots.shape[0], rows)

    def _routed(self, node: NDArray[np.intp], code: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether the category goes right; false at a node that does not split on categories."""
        if self.routes is None or self.split is None:
            return np.zeros(node.shape, np.bool_)
        code += self.split.take(node, mode="clip").astype(np.intp) * CATEGORIES
        right: NDArray[np.bool_] = self.routes.take(code, mode="clip")
        return right


def _code(value: float) -> int:
    return int(min(max(value, 0.0), CATEGORIES - 1.0))


def _codes(cells: Array) -> NDArray[np.intp]:
    with np.errstate(invalid="ignore"):  # other columns hold anything; their nodes have no route
        codes: NDArray[np.intp] = np.clip(np.nan_to_num(cells), 0, CATEGORIES - 1).astype(np.intp)
    return codes


def _int32(fields: Fields, key: str, length: int | None) -> NDArray[np.int32]:
    array: NDArray[np.int32] = fields.tensor(key, "i4", length)
    return array


def _within(fields: Fields, key: str, array: Array | Int64Vector, below: int) -> None:
    if array.size and (array.min() < 0 or array.max() >= below):
        raise fields.fail(f"{key!r} must hold indices from 0 to {below - 1}")
