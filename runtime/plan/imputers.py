"""SimpleImputer over numbers and over columns of strings, and MissingIndicator."""

import numpy as np

from runtime.plan.ops import (
    LARGEST,
    Array,
    Cell,
    Cells,
    Fields,
    Float64Matrix,
    Frame,
    InputRefused,
    Inputs,
    Missing,
    Node,
    NodeReader,
    as_columns,
    as_matrix,
    example_kept,
    override,
)
from runtime.plan.signature import Kind

MAX_COLUMNS = 10_000_000


class Impute(Node):
    """SimpleImputer fitted on numbers.

    kept       columns that had a value in training; the others are dropped
    indicated  columns that get an indicator (1: was missing) behind the imputed ones
    missing_value  the number that stands for missing; without one it is NaN
    """

    kind = "impute"
    methods = ("transform",)
    exact = "bitwise"

    def __init__(self, fields: Fields) -> None:
        self.n_in = fields.integer("n_in", 1, MAX_COLUMNS)
        self.kept = fields.indices("kept", self.n_in, None) if fields.has("kept") else None
        width = self.n_in if self.kept is None else len(self.kept)
        self.fill = fields.tensor("fill", "f8", width)
        self.indicated = (
            fields.indices("indicated", self.n_in, None) if fields.has("indicated") else None
        )
        has_value = fields.has("missing_value")
        self.missing_value = fields.number("missing_value") if has_value else None
        self.missing = Missing.REFUSES if has_value else Missing.FILLS
        self.n_out = width + (0 if self.indicated is None else len(self.indicated))

    @override
    def origin(self, column: int) -> int | None:
        """Give the input column that an output column is made of; indicators have none."""
        if self.kept is None:
            return column if column < self.n_in else None
        return int(self.kept[column]) if column < len(self.kept) else None

    @override
    def example_for(self, after: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """Give what whoever comes next takes of the columns that are kept."""
        return example_kept(self, after)

    def transform(self, x: Inputs) -> Float64Matrix:
        """Give (rows, kept + indicated)."""
        x = as_matrix(x)
        mask = np.isnan(x) if self.missing_value is None else x == self.missing_value
        kept = self.kept
        if kept is None:
            out: Float64Matrix = np.where(mask, self.fill, x)
        else:
            out = np.where(mask.take(kept, 1), self.fill, x.take(kept, 1))
        if self.indicated is None:
            return out
        return np.hstack((out, mask.take(self.indicated, 1)))


class ImputeText(Node):
    """SimpleImputer fitted on an object array: columns of strings, some perhaps of numbers.

    Each column has its `kind`, and `fill` unless it is dropped. `missing_value` (a string or a
    number) is what stands for missing; without one it is None in strings, NaN in numbers.
    """

    kind = "impute_text"
    methods = ("transform",)
    exact = "bitwise"

    def __init__(self, fields: Fields) -> None:
        columns = fields.items("columns", MAX_COLUMNS)
        self.n_in = len(columns)
        if not columns:
            raise fields.fail("'columns' is empty")
        read = [_column(fields, column) for column in columns]
        self.kinds = tuple(kind for kind, _ in read)
        self.fills = tuple(fill for _, fill in read)
        self.indicated: tuple[int, ...] = ()
        if fields.has("indicated"):
            self.indicated = tuple(fields.indices("indicated", self.n_in, None).tolist())
        self.missing_value: str | float | None = None
        if fields.has("missing_value"):
            value = fields.items("missing_value", 1)
            if not value:
                raise fields.fail("'missing_value' is empty")
            self.missing_value = _cell(fields, value[0])
        self.missing = Missing.FILLS if self.missing_value is None else Missing.REFUSES
        self.kept = tuple(j for j, fill in enumerate(self.fills) if fill is not None)
        self.kinds_out = tuple(self.kinds[j] for j in self.kept) + (Kind.NUMBER,) * len(
            self.indicated
        )
        self.n_out = len(self.kinds_out)

    @override
    def origin(self, column: int) -> int | None:
        """Give the input column that an output column is made of; indicators have none."""
        return self.kept[column] if column < len(self.kept) else None

    @override
    def columns_in(self, nan_ok_after: bool) -> tuple[tuple[Kind, bool], ...]:  # noqa: ARG002
        """Give kind and `missing allowed` of every input column."""
        allowed = self.missing is Missing.FILLS
        return tuple((kind, allowed) for kind in self.kinds)

    @override
    def example(self) -> tuple[float | str | None, ...]:
        """Give what missing cells are filled with."""
        return tuple(
            0.0 if kind is Kind.NUMBER and fill is None else fill
            for kind, fill in zip(self.kinds, self.fills, strict=True)
        )

    @override
    def example_for(self, after: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """Give what whoever comes next takes of the columns that are kept."""
        return example_kept(self, after)

    def transform(self, x: Inputs) -> Frame:
        """Give the kept columns and the indicators, each of its kind."""
        columns = as_columns(x)
        if self.missing_value is None and not self.indicated and len(columns[0]) == 1:
            return Frame(tuple(self._filled_alone(columns[j], self.fills[j]) for j in self.kept))
        wanted = {*self.kept, *self.indicated}
        masks = {j: _absent(columns[j], self.missing_value) for j in wanted}
        out = [self._filled(columns[j], masks[j], self.fills[j]) for j in self.kept]
        out += [masks[j].astype(np.float64) for j in self.indicated]
        return Frame(tuple(out))

    def _filled_alone(self, cells: Cells, fill: str | float | None) -> Cells:
        """Fill a column of one cell: a comparison of Python's takes a tenth of one of numpy's."""
        cell = cells[0]
        # Only NaN differs from itself.
        if cell is not None and cell == cell:
            return cells
        out = cells.copy()
        out[0] = fill
        return out

    def _filled(self, cells: Cells, mask: Array, fill: str | float | None) -> Cells:
        if not mask.any():
            return cells
        out = cells.copy()
        out[mask] = fill
        return out


class Indicate(Node):
    """MissingIndicator: true where a cell is missing, for the `shown` columns.

    strict  the columns that are not shown refuse missing cells: none was missing in training
    missing_value  a list of the string or number that stands for missing; without it, None and NaN
    """

    kind = "indicate"
    methods = ("transform",)
    exact = "bitwise"

    def __init__(self, fields: Fields) -> None:
        self.n_in = fields.integer("n_in", 1, MAX_COLUMNS)
        self.shown: list[int] = fields.indices("shown", self.n_in, None).tolist()
        if sorted(set(self.shown)) != self.shown:
            raise fields.fail("'shown' must ascend")
        self.n_out = len(self.shown)
        self.missing_value: str | float | None = None
        if fields.has("missing_value"):
            self.missing_value = _cell(fields, *(fields.items("missing_value", 1) or [None]))
        self.strict = fields.flag("strict")
        if not self.shown:
            raise fields.fail("it shows no column")
        # Where missing is a value, no signature can keep it out of a column.
        valued = self.strict and self.missing_value is not None
        self.watched = sorted(set(range(self.n_in)) - set(self.shown)) if valued else []
        self.missing = Missing.FILLS

    @override
    def wants(self, after: tuple[tuple[Kind, bool], ...]) -> tuple[tuple[Kind, bool], ...]:
        """Take strings and numbers alike, unless the value that stands for missing tells."""
        settled = super().wants(after)
        if self.missing_value is not None:
            return settled
        return tuple((Kind.ANY, missing) for _, missing in settled)

    @override
    def columns_in(self, nan_ok_after: bool) -> tuple[tuple[Kind, bool], ...]:  # noqa: ARG002
        """Give kind and `missing allowed`: numbers, where nothing else is known."""
        kind = Kind.STRING if isinstance(self.missing_value, str) else Kind.NUMBER
        nan_ok, shown = self.missing_value is None, set(self.shown)
        return tuple((kind, nan_ok and (not self.strict or j in shown)) for j in range(self.n_in))

    def transform(self, x: Inputs) -> Array:
        """Give (rows, shown) booleans."""
        if not isinstance(x, Frame) and not self.watched:
            matrix = as_matrix(x)
            shown = matrix if self.n_out == self.n_in else matrix.take(self.shown, 1)
            return _absent(shown, self.missing_value)
        columns = as_columns(x)
        for place in self.watched:
            absent = _absent(columns[place], self.missing_value)
            if absent.any():
                detail = f"{self.missing_value!r} was not in this column in training"
                raise InputRefused(int(np.argmax(absent)), place, detail)
        return np.column_stack([_absent(columns[j], self.missing_value) for j in self.shown])


def _absent(cells: Cells, value: str | float | None) -> Array:
    """Tell which cells are missing: `value`, or None in strings and NaN in numbers."""
    if cells.dtype == object:
        mask: Array = np.equal(cells, np.array(value, object)).astype(np.bool_)
        return mask
    if isinstance(value, str):
        return np.zeros(cells.shape, np.bool_)
    return np.isnan(cells) if value is None else cells == value


def _column(fields: Fields, spec: object) -> tuple[Kind, str | float | None]:
    """Read `{"kind", "fill"}`; fill is a list of one value, or null where the column is dropped."""
    if not isinstance(spec, dict) or set(spec) != {"kind", "fill"}:
        raise fields.fail("a column must hold kind and fill")
    if spec["kind"] not in (Kind.NUMBER, Kind.STRING, Kind.ANY):
        raise fields.fail("a column's kind must be number, string or any")
    kind, fill = Kind(spec["kind"]), spec["fill"]
    if fill is None:
        return kind, None
    wanted: dict[Kind, tuple[type, ...]] = {Kind.NUMBER: (int, float), Kind.STRING: (str,)}
    value = _cell(fields, fill)
    if type(value) not in wanted.get(kind, ()):
        raise fields.fail("a column's fill must be of its kind")
    return kind, value


def _cell(fields: Fields, value: object) -> str | float:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and type(value) is not bool and abs(value) <= LARGEST:
        return float(value)
    raise fields.fail("a cell must be a string or a finite number")


NODES: dict[str, NodeReader] = {
    Impute.kind: Impute,
    ImputeText.kind: ImputeText,
    Indicate.kind: Indicate,
}
