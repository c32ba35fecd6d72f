"""What the nodes of one plan share: its tensors, and bounds that a lone node cannot keep.

A node refuses numbers too large for itself. But a header of a few kilobytes can hold many nodes,
one inside the other or side by side, so what they make and how often they run is counted for all.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from numpy.typing import NDArray

# Columns that the nodes take, gone through when a plan is loaded, and `GIVEN` times those that they
# make: each is a number a row, then once more where they are put side by side.
MOST_COLUMNS: Final = 1 << 27
GIVEN: Final = 4
MAX_DEPTH: Final = 32  # nodes inside nodes
MOST_ASKED: Final = 64  # calls of one node in one call of the plan


class Whole:
    """Tensors, each of which one key of one node may have, and the columns left to be made.

    thorough  as in `ops.Fields`
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]], *, thorough: bool = True) -> None:
        self._tensors, self.thorough = tensors, thorough
        self._owners: dict[str, tuple[str, str]] = {}
        self._left = MOST_COLUMNS

    def tensor(self, name: object) -> NDArray[Any] | None:
        """Find a tensor; None if there is none of this name."""
        return self._tensors.get(name) if isinstance(name, str) else None

    def takes(self, name: str, where: str, key: str) -> bool:
        """Give a tensor to a key of a node; False if another has it.

        So that a node may copy what it is given, and all copies are no more than the file.
        """
        return self._owners.setdefault(name, (where, key)) == (where, key)

    def spends(self, columns: int) -> bool:
        """Count columns; False when all nodes together have too many."""
        self._left -= columns
        return self._left >= 0


class Place(NamedTuple):
    """Where a node is.

    depth  nodes around it
    asked  calls of it in one call of the plan
    """

    where: str = "graph"
    depth: int = 0
    asked: int = 1

    def inside(self, key: str, asked: int) -> "Place":
        """Give the place of a node in this one, which is called so often in a call of this one."""
        return Place(f"{self.where}.{key}", self.depth + 1, self.asked * asked)
