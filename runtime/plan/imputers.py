"""SimpleImputer: a statistic where a value is missing; optionally which ones were."""

from typing import Any

import numpy as np

from runtime.plan.ops import (
    Array,
    Cells,
    Fields,
    Float64Matrix,
    Frame,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_columns,
    as_matrix,
    override,
)
from runtime.plan.signature import Kind

MAX_COLUMNS = 10_000_000


class NumberImputer(Node):
    """Numbers: statistics for kept columns, indicator columns behind them.

    source  sklearn.impute.SimpleImputer; columns without any training value are dropped
    """

    kind = "impute_numbers"
    methods = ("transform",)
    missing = Missing.FILLS
    exact = "bitwise"

    def __init__(self, fields: Fields) -> None:
        self.n_in = fields.integer("n_in", 1, MAX_COLUMNS)
        self.keep = fields.indices("keep", self.n_in, None)
        self.statistics = fields.tensor("statistics", "f8", self.keep.shape[0])
        self.indicate = fields.indices("indicate", self.n_in, None)
        self.n_out = self.keep.shape[0] + self.indicate.shape[0]
        self.all_kept = np.array_equal(self.keep, np.arange(self.n_in))
        # A number that stands for "missing"; NaN is then refused, as scikit-learn does.
        self.marker = fields.number("marker") if fields.has("marker") else None
        if self.marker is not None:
            self.missing = Missing.REFUSES

    def transform(self, x: Inputs) -> Float64Matrix:
        """Filled columns, then one of zeros and ones for each that is indicated."""
        matrix = as_matrix(x)
        absent = np.isnan(matrix) if self.marker is None else matrix == self.marker
        if not absent.any():
            filled = matrix if self.all_kept else matrix[:, self.keep]
        else:
            kept = matrix if self.all_kept else matrix[:, self.keep]
            gaps = absent if self.all_kept else absent[:, self.keep]
            filled = np.where(gaps, self.statistics, kept)
        if not self.indicate.shape[0]:
            return filled
        return np.hstack((filled, absent[:, self.indicate].astype(np.float64)))


class TextImputer(Node):
    """Strings: the most frequent or a constant one; the outcome is a frame of strings."""

    kind = "impute_text"
    methods = ("transform",)
    missing = Missing.FILLS
    exact = "bitwise"

    def __init__(self, fields: Fields) -> None:
        statistics = fields.items("statistics", MAX_COLUMNS)
        if not statistics or not all(isinstance(s, str) for s in statistics):
            raise fields.fail("'statistics' must hold strings")
        self.statistics: list[str] = list(statistics)
        self.n_in = self.n_out = len(statistics)
        marker: Any = fields.items("marker", 1)[0] if fields.has("marker") else None
        if marker is not None and not isinstance(marker, str):
            raise fields.fail("'marker' must be a string")
        self.marker: Any = marker

    @override
    def columns_in(self, nan_ok_after: bool) -> tuple[tuple[Kind, bool], ...]:  # noqa: ARG002
        """Give kind and `missing allowed` of every input column."""
        return ((Kind.STRING, self.marker is None),) * self.n_in

    @override
    def example(self) -> tuple[float | str | None, ...]:
        """Give the statistics themselves: strings that the training data had."""
        return tuple(self.statistics)

    def transform(self, x: Inputs) -> Frame:
        """Filled columns."""
        return Frame(
            tuple(
                self._fill(cells, statistic)
                for cells, statistic in zip(as_columns(x), self.statistics, strict=True)
            )
        )

    def _fill(self, cells: Cells, statistic: str) -> Cells:
        gaps: Array = np.equal(cells, self.marker)
        if not gaps.any():
            return cells
        filled = cells.copy()
        filled[gaps.astype(bool)] = statistic
        return filled


def _numbers(fields: Fields) -> Node:
    node = NumberImputer(fields)
    fields.done()
    return node


def _text(fields: Fields) -> Node:
    node = TextImputer(fields)
    fields.done()
    return node


NODES: dict[str, NodeReader] = {NumberImputer.kind: _numbers, TextImputer.kind: _text}
