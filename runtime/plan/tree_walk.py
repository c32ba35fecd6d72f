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


class TreeWalk:
    """Trees of any depth, breadth-first, siblings adjacent: the right child is left + 1.

    A leaf points at itself with threshold +inf, so surplus steps stay put.
    """

    def __init__(self, fields: Fields, n_in: int, code: str) -> None:
        self.roots = _int32(fields, "roots", None)
        self.trees = self.roots.shape[0]
        self.left = _int32(fields, "left", None)
        nodes = self.left.shape[0]
        self.feature = _int32(fields, "feature", nodes)
        self.threshold = fields.tensor("threshold", code, nodes)
        self.nan_right = fields.tensor("nan_right", "b1", nodes)
        self.leaf = _int32(fields, "leaf", nodes)
        self.values: Float64Matrix = fields.tensor("values", "f8", None, None)
        self.steps = _int32(fields, "steps", self.trees)
        self.routes = self.split = None
        if fields.has("routes"):
            self.routes = fields.tensor("routes", "b1", None, CATEGORIES)
            self.split = _int32(fields, "split", nodes)
            _within(fields, "split", self.split, self.routes.shape[0])
        if not 1 <= self.trees <= MAX_TREES or 0 in self.values.shape:
            raise fields.fail("an ensemble needs trees and values")
        _within(fields, "roots", self.roots, nodes)
        _within(fields, "feature", self.feature, n_in)
        _within(fields, "leaf", self.leaf, self.values.shape[0])
        _within(fields, "steps", self.steps, MAX_STEPS + 1)
        self._check_children(fields)

    def _check_children(self, fields: Fields) -> None:
        """Refuse cycles, ways out of the table, and leaves that lead on."""
        nodes = self.left.shape[0]
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
        rows = max(1, min(x.shape[0], ROWS))
        trees = max(1, min(self.trees, BLOCK // rows) // group) * group
        for r in range(0, x.shape[0], rows):
            block = np.ascontiguousarray(x[r : r + rows])
            holes = bool(np.isnan(block).any())
            for t in range(0, self.trees, trees):
                node = self._descend(block, slice(t, t + trees), holes)
                yield slice(r, r + rows), self.leaf.take(node, mode="clip").astype(np.intp)

    def _descend(self, x: Array, trees: slice, holes: bool) -> NDArray[np.intp]:
        roots = self.roots[trees]
        rows, columns = x.shape
        shape = (roots.shape[0], rows)
        node = np.empty(shape, np.intp)
        node[:] = roots[:, None]
        cells = x.ravel()
        first = np.arange(0, rows * columns, columns, dtype=np.int32)
        # A category is a small whole number or NaN, and NaN goes by `nan_right` alone.
        codes = None if self.routes is None else _codes(cells)
        feature, left = np.empty(shape, np.int32), np.empty(shape, np.int32)
        value, threshold = np.empty(shape, x.dtype), np.empty(shape, x.dtype)
        right = np.empty(shape, np.bool_)
        # Indices were checked when the plan was read; "clip" spares a second check and a copy.
        for _ in range(int(self.steps[trees].max())):
            self.feature.take(node, out=feature, mode="clip")
            if rows > 1:
                feature += first
            cells.take(feature, out=value, mode="clip")
            self.threshold.take(node, out=threshold, mode="clip")
            np.greater(value, threshold, out=right)
            if codes is not None and self.split is not None and self.routes is not None:
                route = self.split.take(node, mode="clip").astype(np.intp)
                route *= CATEGORIES
                route += codes.take(feature, mode="clip")
                right |= self.routes.take(route, mode="clip") & ~np.isnan(value)
            if holes:
                right |= np.isnan(value) & self.nan_right.take(node, mode="clip")
            self.left.take(node, out=left, mode="clip")
            np.add(left, right, out=node)
        return node


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
