"""Ensembles of trees with at most 64 leaves, without walking them.

QuickScorer (Lucchese et al., SIGIR 2015) made cumulative: a table holds, for every feature and
every rank among that feature's thresholds, the leaves of each tree that are still possible, as
bits. The AND over the features leaves the exit leaf as the lowest set bit.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtime.plan.ops import Array, Fields, Float64Matrix
from runtime.plan.tree_walk import MAX_TREES, Leaves

MAX_TABLE: Final = 64 << 20  # bytes of masks
# Rows x thresholds up to which one compare of everything beats a search per feature: at 8 rows of
# hgb100 (2,500 thresholds) 112 us against 394 us.
FEW: Final = 60_000
BLOCK: Final = 32_768  # (row, tree) pairs whose masks stay in the cache

LOWEST_BIT: Final = np.array([(i & -i).bit_length() - 1 if i else 0 for i in range(256)], np.intp)


class QuickScorer:
    """Feature j of `used` owns the mask rows from `offsets[j] + 2 j`: one a rank, one for NaN.

    Rank r of a value is how many thresholds of the feature it exceeds.
    """

    def __init__(self, fields: Fields, n_in: int, code: str) -> None:
        self.bits = fields.integer("bits", 8, 64)
        if self.bits not in (8, 16, 32, 64):
            raise fields.fail("'bits' must be 8, 16, 32 or 64")
        self.used: NDArray[np.int64] = fields.indices("used", n_in, None)
        count = self.used.shape[0]
        self.threshold = fields.tensor("threshold", code, None)
        self.offsets: NDArray[np.int64] = fields.tensor("offsets", "i8", count + 1)
        self.masks = fields.tensor(
            "masks", f"u{self.bits // 8}", self.threshold.shape[0] + 2 * count, None
        )
        self.trees = self.masks.shape[1]
        self.values: Float64Matrix = fields.tensor("values", "f8", self.trees * self.bits, None)
        if not 1 <= self.trees <= MAX_TREES or 0 in self.values.shape or count == 0:
            raise fields.fail("an ensemble needs trees, values and a feature")
        self._check(fields)
        lengths = np.diff(self.offsets)
        places = np.arange(count)
        self._base = self.offsets[:-1] + 2 * places  # mask row of rank 0
        self._nan = self._base + lengths + 1
        self._starts = self.offsets[:-1]
        self._repeated = np.repeat(self.used, lengths)
        self._first_value = np.arange(self.trees, dtype=np.intp) * self.bits

    def _check(self, fields: Fields) -> None:
        if self.masks.nbytes > MAX_TABLE:
            raise fields.fail(f"'masks' is larger than {MAX_TABLE} bytes")
        if (np.diff(self.used) <= 0).any():
            raise fields.fail("'used' must be increasing")
        ends = self.offsets
        if ends[0] != 0 or ends[-1] != self.threshold.shape[0] or (np.diff(ends) <= 0).any():
            raise fields.fail("'offsets' must cut 'threshold' into pieces that are not empty")
        rises = self.threshold[1:] > self.threshold[:-1]
        rises[ends[1:-1] - 1] = True
        if not rises.all() or np.isnan(self.threshold).any():
            raise fields.fail("'threshold' must be increasing within a feature")
        if fields.thorough and not self.masks.all():
            raise fields.fail("'masks' leaves a tree without a leaf")

    def leaves(self, x: Array, group: int) -> Leaves:  # noqa: ARG002  every block has all trees
        """Give the rows of `values` reached: (rows, (trees, rows) indices), trees in order.

        cost  one search a feature and, per row, one AND of a mask row a feature
        """
        if not x.shape[0]:
            return
        if x.shape[0] * self.threshold.shape[0] <= FEW:
            yield slice(0, x.shape[0]), self._few(x).T
            return
        block = max(64, BLOCK // self.trees)
        chunk = block * max(1, 4096 // block)
        still, row = np.empty((2, block, self.trees), self.masks.dtype)
        for c in range(0, x.shape[0], chunk):
            ranks = self._ranks(x[c : c + chunk])
            for s in range(0, len(ranks[0]), block):
                n = min(block, len(ranks[0]) - s)
                self.masks.take(ranks[0][s : s + n], axis=0, out=still[:n], mode="clip")
                for rank in ranks[1:]:
                    self.masks.take(rank[s : s + n], axis=0, out=row[:n], mode="clip")
                    np.bitwise_and(still[:n], row[:n], out=still[:n])
                yield slice(c + s, c + s + n), self._exits(still[:n]).T

    def _ranks(self, x: Array) -> list[NDArray[np.intp]]:
        """Mask row of every used feature (a list) for every row of x."""
        ranks = []
        for j, feature in enumerate(self.used):
            column = np.ascontiguousarray(x[:, feature])
            rank = self.threshold[self.offsets[j] : self.offsets[j + 1]].searchsorted(column)
            rank += self._base[j]
            missing = np.isnan(column)
            if missing.any():
                rank[missing] = self._nan[j]
            ranks.append(rank)
        return ranks

    def _few(self, x: Array) -> NDArray[np.intp]:
        above = x.take(self._repeated, axis=1) > self.threshold
        ranks = np.add.reduceat(above, self._starts, axis=1, dtype=np.intp)
        ranks += self._base
        missing = np.isnan(x.take(self.used, axis=1))
        if missing.any():
            ranks = np.where(missing, self._nan, ranks)
        return self._exits(np.bitwise_and.reduce(self.masks.take(ranks, axis=0), axis=1))

    def _exits(self, masks: Array) -> NDArray[np.intp]:
        """Index into `values` of the lowest set bit of every (row, tree)."""
        if self.bits == 8:
            return LOWEST_BIT.take(masks) + self._first_value
        lowest = masks & (~masks + masks.dtype.type(1))
        # The exponent of a power of two is its place.
        if self.bits == 64:
            place = (lowest.astype(np.float64).view(np.int64) >> 52) - 1023
        else:
            place = (lowest.astype(np.float32).view(np.int32) >> 23) - 127
        exits: NDArray[np.intp] = place + self._first_value
        return exits
