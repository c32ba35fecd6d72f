"""Rows and columns of JSON values to a model's input, with every fault named by row and column.

Numeric models take the fast way: types are checked in C, and all cells are read in one call. Only
when that does not give what the signature wants does the slow way look at each cell and say what is
wrong. Cells are what orjson gives: its floats are always finite.
"""

import math
import struct
from collections.abc import Callable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Final

import numpy as np

from runtime.codecs.request import MAX_FAULTS, Body, Faults, say, text_of
from runtime.plan.ops import Array, Float64Matrix, Frame, Inputs
from runtime.plan.signature import Column, Kind, Signature

NUMBERS: Final = frozenset({float, int})
NUMBERS_OR_NULL: Final = NUMBERS | {type(None)}
TYPES: Final[dict[tuple[Kind, bool], frozenset[type]]] = {
    (Kind.STRING, False): frozenset({str}),
    (Kind.STRING, True): frozenset({str, type(None)}),
    (Kind.ANY, False): frozenset({str, bool, int, float}),
    (Kind.ANY, True): frozenset({str, bool, int, float, type(None)}),
}
IS_MISSING: Final = "is missing, and this model does not take missing values"
NOT_THERE: Final = object()  # a cell of a row that has a fault of its own
# Below this many bytes looking at each cell is faster than looking through the body (measured).
LOOK_BYTES: Final = 512


class Layout:
    """What reading needs to know of a signature, worked out once."""

    __slots__ = ("allowed", "index", "pick", "signature", "width")

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self.width = len(signature.columns)
        self.index = {column.name: i for i, column in enumerate(signature.columns)}
        names = [column.name for column in signature.columns]
        # The cells of an object in the signature's order; itemgetter gives one alone as it is.
        self.pick: Callable[[dict[str, Any]], Sequence[Any]] = (
            itemgetter(*names) if self.width > 1 else lambda row: (row[names[0]],)
        )
        # Types that the fast way lets through; none where the columns are not alike.
        self.allowed: frozenset[type] = frozenset()
        if signature.numeric:
            missing = all(column.missing for column in signature.columns)
            self.allowed = NUMBERS_OR_NULL if missing else NUMBERS


# By identity: hashing a signature of a thousand columns would cost more than reading a row. The
# layout holds its signature, so an identity is not given twice while it is in here.
_layouts: dict[int, Layout] = {}


def layout_of(signature: Signature) -> Layout:
    """Give the layout of a signature."""
    found = _layouts.get(id(signature))
    if found is None or found.signature is not signature:
        if len(_layouts) >= 256:
            _layouts.clear()
        found = _layouts[id(signature)] = Layout(signature)
    return found


def literals(body: Body, start: int = 0) -> bool:
    """Tell whether a body may hold true, false or null; False only where it surely does not."""
    # All three have a u or an l. One letter is found 25 times faster than a word, so a body whose
    # texts hold one of the two is not looked at closer.
    if len(body) < LOOK_BYTES:
        return True
    text = text_of(body)
    return text.find(b"u", start) >= 0 or text.find(b"l", start) >= 0


def from_rows(rows: list[Any], signature: Signature, *, literal: bool = True) -> Inputs:
    """Read rows: lists by position, or objects by column name.

    literal  a cell may be true, false or null, as `literals` tells
    """
    layout = layout_of(signature)
    if layout.allowed and rows and {*map(type, rows)} == {list}:
        width = layout.width
        if not literal and (shaped := _shaped(rows, layout)) is not None:
            matrix = packed(shaped, len(rows), width)
            if matrix is not None:
                return matrix
        cells = [*chain.from_iterable(rows)]
        # numpy would take true for 1.0 and "3" for 3.0 without a word.
        if {*map(len, rows)} == {width} and layout.allowed.issuperset(map(type, cells)):
            return np.array(cells, np.float64).reshape(len(rows), width)
    elif rows and (shaped := _shaped(rows, layout)) is not None:
        if not layout.allowed:
            return from_columns(list(zip(*shaped, strict=True)), signature)
        if not literal and (matrix := packed(shaped, len(rows), layout.width)) is not None:
            return matrix
        if layout.allowed.issuperset(map(type, chain.from_iterable(shaped))):
            return np.array(shaped, np.float64)
    return _slow(rows, layout) if rows else _empty(signature)


def _shaped(rows: list[Any], layout: Layout) -> Sequence[Sequence[Any]] | None:
    """Give each row's cells in the signature's order; None where a row has not just those."""
    kinds = set(map(type, rows))
    if kinds not in ({list}, {dict}) or set(map(len, rows)) != {layout.width}:
        return None
    if kinds == {list}:
        return rows
    try:
        return list(map(layout.pick, rows))
    except KeyError:
        return None


def packed(rows: Sequence[Sequence[Any]], height: int, width: int) -> Float64Matrix | None:
    """Read cells that are no literals in one call; None where one is no number.

    rows    as many cells as the matrix has, however they are parted
    exact   struct's "d" is as strict as the scan of types: of all that JSON has it takes numbers
            and truths; a third of the time of the scan and np.array (100 rows of 30: 36 us of 117)
    """
    matrix = np.empty((height, width))
    try:
        struct.pack_into(f"{matrix.size}d", matrix.data, 0, *chain.from_iterable(rows))
    except struct.error:
        return None
    return matrix


def from_flat(cells: list[Any] | Array, rows: int, signature: Signature) -> Inputs:
    """Read cells in row-major order, rows times columns of them; an array holds numbers."""
    layout = layout_of(signature)
    if isinstance(cells, np.ndarray):
        return _from_matrix(cells.reshape(rows, layout.width), layout)
    if layout.allowed and layout.allowed.issuperset(map(type, cells)):
        return np.array(cells, np.float64).reshape(rows, layout.width)
    width = layout.width
    return from_rows([cells[i * width : (i + 1) * width] for i in range(rows)], signature)


def _from_matrix(matrix: Array, layout: Layout) -> Inputs:
    """Take a matrix of numbers as it is where it is float64 and nothing is wrong with it."""
    if not layout.allowed:
        return from_columns([column.copy() for column in matrix.T], layout.signature)
    numbers: Float64Matrix = matrix.astype(np.float64, copy=False)
    # One pass without a mask: only a NaN, an infinity or an overflow makes a sum that is not
    # finite, and then each column is looked at.
    with np.errstate(over="ignore", invalid="ignore"):
        finite = math.isfinite(np.add.reduce(numbers, axis=None))
    if not finite:
        faults = Faults()
        for cells, column in zip(numbers.T, layout.signature.columns, strict=True):
            _array(cells, column, faults)
        if faults.found:
            raise faults.problem()
    return numbers


def from_columns(
    columns: Sequence[Sequence[Any] | Array], signature: Signature, *, finite: bool = True
) -> Inputs:
    """Read columns in the signature's order, each of as many cells; arrays hold numbers.

    finite  floats of sequences are known to be, as JSON's are
    """
    faults = Faults()
    arrays = tuple(
        _column(cells, column, faults, finite=finite)
        for cells, column in zip(columns, signature.columns, strict=True)
    )
    if faults.found:
        raise faults.problem()
    return _assemble(arrays, signature)


def _empty(signature: Signature) -> Inputs:
    return _assemble(
        tuple(
            np.empty(0, np.float64 if column.kind is Kind.NUMBER else object)
            for column in signature.columns
        ),
        signature,
    )


def _slow(rows: list[Any], layout: Layout) -> Inputs:
    faults = Faults()
    columns = layout.signature.columns
    cells: list[list[Any]] = [[] for _ in columns]
    for i, row in enumerate(rows):
        if faults.full:
            break
        for column, value in zip(cells, _cells(i, row, layout, faults), strict=True):
            column.append(value)
    arrays = tuple(
        _column(column, spec, faults) for column, spec in zip(cells, columns, strict=True)
    )
    if faults.found:
        raise faults.problem()
    return _assemble(arrays, layout.signature)


def _cells(i: int, row: Any, layout: Layout, faults: Faults) -> Sequence[Any]:
    """Give a row's cells in the signature's order; faults of its shape are noted."""
    if type(row) is dict:
        return _named(i, row, layout, faults)
    if type(row) is not list:
        if layout.width == 1:
            return [row]
        faults.add(f"must be a list of {layout.width} values or an object, is {say(row)}", i)
    elif len(row) != layout.width:
        faults.add(f"has {len(row)} values, this model takes {layout.width}", i)
    else:
        return row
    return [NOT_THERE] * layout.width


def _named(i: int, row: dict[str, Any], layout: Layout, faults: Faults) -> Sequence[Any]:
    for name in row:
        if name not in layout.index:
            faults.add("this model has no such column", i, name)
    cells = []
    for column in layout.signature.columns:
        cell = row.get(column.name, NOT_THERE)
        if cell is NOT_THERE:
            if column.missing:
                cell = None
            else:
                faults.add("is not there, and this model needs it", i, column.name)
        cells.append(cell)
    return cells


def _array(cells: Array, column: Column, faults: Faults) -> Array:
    """Take a column of numbers (no objects)."""
    if column.kind is not Kind.NUMBER:
        return _column(cells.tolist(), column, faults)
    numbers = cells.astype(np.float64, copy=False)
    good = ~np.isinf(numbers) if column.missing else np.isfinite(numbers)
    for i in np.flatnonzero(~good)[:MAX_FAULTS].tolist():
        number = float(numbers[i])
        said = IS_MISSING if math.isnan(number) else f"{say(number)} is not a finite number"
        faults.add(said, i, column.name)
    return numbers


def _column(
    cells: Sequence[Any] | Array, column: Column, faults: Faults, *, finite: bool = True
) -> Array:
    """Read one column's cells: float64, or object of str, None and (kind ANY) numbers."""
    if isinstance(cells, np.ndarray):
        return _array(cells, column, faults)
    types = set(map(type, cells))
    if column.kind is Kind.NUMBER:
        return _numbers(cells, types, column, faults, finite=finite)
    allowed = TYPES[column.kind, column.missing]
    array = np.empty(len(cells), object)
    if types <= allowed:
        array[:] = cells
        return array
    what = "a string" if column.kind is Kind.STRING else "a string or a number"
    for i, cell in enumerate(cells):
        if type(cell) not in allowed and cell is not NOT_THERE:
            detail = IS_MISSING if cell is None else f"{say(cell)} is not {what}"
            faults.add(detail, i, column.name)
    return array


def _numbers(
    cells: Sequence[Any], types: set[type], column: Column, faults: Faults, *, finite: bool
) -> Array:
    allowed = NUMBERS_OR_NULL if column.missing else NUMBERS
    if types <= allowed:
        array = np.array(cells, np.float64)
        if finite:
            return array
        good = ~np.isinf(array) if column.missing else np.isfinite(array)
        if good.all():
            return array
    for i, cell in enumerate(cells):
        if cell is NOT_THERE:
            continue
        if type(cell) not in allowed:
            detail = IS_MISSING if cell is None else f"{say(cell)} is not a number"
            faults.add(detail, i, column.name)
        elif cell is not None and not (
            math.isfinite(cell) or (column.missing and math.isnan(cell))
        ):
            faults.add(f"{say(cell)} is not a finite number", i, column.name)
    return np.zeros(len(cells))


def _assemble(arrays: tuple[Array, ...], signature: Signature) -> Inputs:
    if not signature.numeric:
        return Frame(arrays)
    matrix: Float64Matrix = np.ascontiguousarray(np.column_stack(arrays))
    return matrix
