"""Nodes that keep their training rows: what neighbours, nearest or within a radius, share."""

from typing import Final

from runtime.plan.distances import Points
from runtime.plan.ops import (
    Array,
    Fields,
    Float64Matrix,
    Inputs,
    Missing,
    Node,
    as_matrix,
)

MAX_GRAPH: Final = 10_000  # columns of a graph's dense answer


class Stored(Node):
    """Points to compare with; see `Points`."""

    exact = "tolerance"
    missing = Missing.REFUSES

    def __init__(self, fields: Fields) -> None:
        self.points = Points(fields)
        self.n_in = self.points.columns

    def rows(self, x: Inputs) -> Float64Matrix:
        """Give the rows, all of them near enough for a distance."""
        matrix = as_matrix(x)
        self.points.refuse_far(matrix)
        return matrix


def read_targets(fields: Fields, stored: int) -> tuple[Array, bool]:
    """Read (points, targets), and whether scikit-learn gives one of them as a vector."""
    targets, vector = fields.finite("targets", stored, None), fields.flag("vector")
    if not targets.shape[1] or (vector and targets.shape[1] != 1):
        raise fields.fail("'targets' has no or too many columns")
    return targets, vector


def graph_width(fields: Fields, points: Points) -> int:
    """Give the columns of a graph's answer: one a point."""
    if points.stored > MAX_GRAPH:
        raise fields.fail(f"its answer has more than {MAX_GRAPH} columns")
    return points.stored
