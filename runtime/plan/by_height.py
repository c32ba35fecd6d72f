"""Ensembles of small trees in two layouts, of which each batch takes the quicker one."""

from typing import Final

from runtime.plan.ops import Array, Fields
from runtime.plan.quickscorer import QuickScorer
from runtime.plan.tree_walk import Leaves, TreeWalk

MAX_HEIGHT: Final = 1 << 30
# (tree, row) pairs that go down one by one before a table has made its ranks: a tree of six levels
# takes 1.2 us, a table 14.
ALONE: Final = 8


class ByHeight:
    """A table for few rows, a walk for many; both reach the same rows of the same `values`."""

    def __init__(self, fields: Fields, n_in: int, table: QuickScorer, code: str) -> None:
        self.table = table
        self.trees, self.values = table.trees, table.values
        self.walk = TreeWalk(fields, n_in, code, prefix="walk_", values=table.values)
        self.walked_from = fields.integer("walked_from", 1, MAX_HEIGHT)
        if self.walk.trees != self.trees:
            raise fields.fail(f"a walk of {self.walk.trees} trees, a table of {self.trees}")

    def leaves(self, x: Array, group: int) -> Leaves:
        """Give the rows of `values` reached: (rows, (trees, rows) indices), trees in order."""
        return self.quicker(x).leaves(x, group)

    def quicker(self, x: Array) -> TreeWalk | QuickScorer:
        """Give the layout for a batch of this height."""
        rows = x.shape[0]
        walks = rows >= self.walked_from or rows * self.trees <= ALONE
        return self.walk if walks else self.table
