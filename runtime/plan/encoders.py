"""One-hot, ordinal and target encoding: what stands for each category of each column."""

from typing import Final

import numpy as np

from runtime.plan.categories import REFUSED, Column
from runtime.plan.ops import (
    Array,
    Fields,
    Float64Matrix,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_columns,
    override,
)
from runtime.plan.signature import Kind

MAX_COLUMNS: Final = 1_000_000


class Encoder(Node):
    """What all encoders share: their columns."""

    methods = ("transform",)
    exact = "bitwise"

    def __init__(self, fields: Fields, codes: int) -> None:
        items = fields.items("columns", MAX_COLUMNS)
        self.columns = [Column(fields, i, item, codes) for i, item in enumerate(items)]
        self.n_in = len(self.columns)
        self.missing = Missing.FILLS
        if not self.columns:
            raise fields.fail("no columns")

    @override
    def columns_in(self, nan_ok_after: bool) -> tuple[tuple[Kind, bool], ...]:  # noqa: ARG002
        """Give kind and `missing allowed` of every input column."""
        return tuple((column.kind, column.takes_missing) for column in self.columns)

    @override
    def example(self) -> tuple[float | str | None, ...]:
        """Give a known category for each column."""
        return tuple(column.example for column in self.columns)


class OneHot(Encoder):
    """Zeros and ones; a code is the place of the one in the whole output, `n_out` means nowhere.

    source  sklearn.preprocessing.OneHotEncoder.transform, dense
    """

    kind = "one_hot"

    def __init__(self, fields: Fields) -> None:
        self.n_out = fields.integer("n_out", 0, 10_000_000)
        super().__init__(fields, self.n_out + 1)

    def transform(self, x: Inputs) -> Float64Matrix:
        """(rows, categories of all columns)."""
        cells = as_columns(x)
        rows = cells[0].shape[0]
        # One column more than the output takes the ones that belong nowhere.
        wide = np.zeros((rows, self.n_out + 1))
        flat = wide.reshape(-1)
        if rows == 1:
            for place, (column, values) in enumerate(zip(self.columns, cells, strict=True)):
                flat[column.code(values.item(), place)] = 1.0
            return wide[:, : self.n_out]
        first = np.arange(0, rows * (self.n_out + 1), self.n_out + 1)
        for place, (column, values) in enumerate(zip(self.columns, cells, strict=True)):
            flat[first + column.encode(values, place)] = 1.0
        return wide[:, : self.n_out]


class Ordinal(Encoder):
    """Codes as numbers; `values` maps a code to what scikit-learn puts out (NaN is allowed).

    source  sklearn.preprocessing.OrdinalEncoder.transform
    """

    kind = "ordinal"

    def __init__(self, fields: Fields) -> None:
        self.values = fields.tensor("values", "f8", None)
        super().__init__(fields, self.values.shape[0])
        self.n_out = self.n_in
        # Where unknown becomes NaN, a string that nobody foresaw would pass as a missing value.
        self.gives_gaps = any(self._is_gap(column.unknown) for column in self.columns)

    def _is_gap(self, code: int) -> bool:
        return code != REFUSED and bool(np.isnan(self.values[code]))

    @override
    def origin(self, column: int) -> int | None:
        """Give the input column that an output column is made of."""
        return column

    @override
    def columns_in(self, nan_ok_after: bool) -> tuple[tuple[Kind, bool], ...]:
        """Give kind and `missing allowed`; where missing becomes NaN, whoever follows decides."""
        columns = super().columns_in(nan_ok_after)
        return tuple(
            (kind, takes and (nan_ok_after or not self._is_gap(column.missing)))
            for column, (kind, takes) in zip(self.columns, columns, strict=True)
        )

    def transform(self, x: Inputs) -> Float64Matrix:
        """(rows, columns)."""
        cells = as_columns(x)
        if cells[0].shape[0] == 1:
            pairs = enumerate(zip(self.columns, cells, strict=True))
            codes = [column.code(values.item(), place) for place, (column, values) in pairs]
            return self.values.take([codes])
        out = np.empty((cells[0].shape[0], self.n_in))
        for place, (column, values) in enumerate(zip(self.columns, cells, strict=True)):
            out[:, place] = self.values.take(column.encode(values, place))
        return out


class Target(Encoder):
    """TargetEncoder: what the target was on average where a column had this category.

    values  (categories of all columns and one for all that is unknown, width): one number each, or
            one for each class of the target
    source  sklearn.preprocessing.TargetEncoder.transform
    """

    kind = "target"

    def __init__(self, fields: Fields) -> None:
        self.values: Array = fields.finite("values", None, None)
        codes, self.width = (int(size) for size in self.values.shape)
        if not self.width:
            raise fields.fail("'values' is empty")
        super().__init__(fields, codes)
        self.n_out = self.n_in * self.width

    @override
    def origin(self, column: int) -> int | None:
        """Give the input column that an output column is made of."""
        return column // self.width

    def transform(self, x: Inputs) -> Float64Matrix:
        """(rows, columns), or (rows, columns times classes), classes of a column side by side."""
        cells = as_columns(x)
        rows = cells[0].shape[0]
        pairs = enumerate(zip(self.columns, cells, strict=True))
        if rows == 1:
            codes = [column.code(values.item(), place) for place, (column, values) in pairs]
            return self.values.take(codes, 0).reshape(1, self.n_out)
        out = np.empty((rows, self.n_in, self.width))
        for place, (column, values) in pairs:
            out[:, place] = self.values.take(column.encode(values, place), 0)
        return out.reshape(rows, self.n_out)


NODES: dict[str, NodeReader] = {kind.kind: kind for kind in (OneHot, Ordinal, Target)}
