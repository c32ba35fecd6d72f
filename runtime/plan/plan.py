"""A plan, ready to run: `load(path)` checks a file and builds its nodes."""

import os
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from runtime.plan import format as plan_format
from runtime.plan.graph import build
from runtime.plan.ops import Array, Frame, InputRefused, Inputs, Node, PlanError
from runtime.plan.signature import Column, Kind, Output, Signature, from_json

SERVED: Final = ("predict", "predict_proba", "decision_function", "score_samples", "transform")
DATATYPES: Final = {"f8": "FP64", "f4": "FP32", "i8": "INT64", "i4": "INT32", "b1": "BOOL"}


class Cost(NamedTuple):
    """Microseconds of one call, measured at build: c0 + c1 * rows."""

    c0_us: float
    c1_us: float

    def of(self, rows: int) -> float:
        """Give the microseconds expected for a call of so many rows."""
        return self.c0_us + self.c1_us * rows


class Plan(NamedTuple):
    """One version, compiled. `run` takes whole arrays and gives one answer a row."""

    signature: Signature
    cost: Cost
    provenance: dict[str, Any]
    node: Node

    def run(self, method: str, x: Inputs) -> Array:
        """Call one of the signature's outputs by name; raises InputRefused for a cell."""
        return self.node.run(method, x)


def load(path: str | os.PathLike[str], *, thorough: bool = True) -> Plan:
    """Read, check and build a plan; raises PlanError, or OSError when there is no such file.

    thorough  False for a file whose digest says that it was loaded thoroughly when it was built:
              then a forest of 500 trees is not read from end to end before its first answer
    """
    file = plan_format.read(path)
    node = build(file.header["graph"], file.tensors, thorough=thorough)
    try:
        signature = from_json(file.header["signature"])
    except ValueError as error:
        raise PlanError(f"signature: {error}") from error
    _check(signature, node)
    if thorough:
        _check_batches(signature, node)
    return Plan(signature, _cost(file.header["cost"]), _object(file.header["provenance"]), node)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PlanError("'provenance' must be an object")
    return value


def _cost(value: Any) -> Cost:
    if not isinstance(value, dict) or set(value) != {"c0_us", "c1_us"}:
        raise PlanError("'cost' must hold c0_us and c1_us")
    numbers = (value["c0_us"], value["c1_us"])
    if not all(type(n) in (int, float) and 0 <= n < 1e12 for n in numbers):
        raise PlanError("'cost' must hold microseconds")
    return Cost(float(numbers[0]), float(numbers[1]))


def _check(signature: Signature, node: Node) -> None:
    """Refuse a signature that does not say what the graph takes and gives."""
    takes = tuple((column.kind, column.missing) for column in signature.columns)
    if takes != node.columns_in(nan_ok_after=True):
        raise PlanError("the signature's columns are not those of the graph")
    if [output.name for output in signature.outputs] != list(_methods(node)):
        raise PlanError("the signature's outputs are not those of the graph")
    row = example_row(node)
    for output in signature.outputs:
        if output != _output(node, output.name, row):
            raise PlanError(f"the signature's {output.name} is not what the graph gives")


def _check_batches(signature: Signature, node: Node) -> None:
    """Refuse a graph whose parts fit together for one row alone, as (1, 2) and (1,) do."""
    row = example_row(node)
    # No width is as high as both.
    for rows in (2, 3):
        batch: Inputs
        if isinstance(row, Frame):
            batch = Frame(tuple(np.repeat(cells, rows) for cells in row.columns))
        else:
            batch = np.repeat(row, rows, axis=0)
        for output in signature.outputs:
            shape = _answer(node, output.name, batch).shape
            if shape != ((rows,) if output.width is None else (rows, output.width)):
                raise PlanError(f"{output.name} gives shape {shape} for {rows} rows")


def _methods(node: Node) -> tuple[str, ...]:
    return tuple(method for method in node.methods if method in SERVED)


def signature_of(node: Node, names: Sequence[str] | None) -> Signature:
    """Work out what a node takes and gives; its outputs by running it on one neutral row.

    names  `feature_names_in_` of the estimator, or None
    """
    kinds = node.columns_in(nan_ok_after=True)
    if names is not None and len(names) != len(kinds):
        raise PlanError(f"{len(names)} names for {len(kinds)} columns")
    titles = [f"x{i}" for i in range(len(kinds))] if names is None else list(names)
    columns = tuple(
        Column(title, kind, missing) for title, (kind, missing) in zip(titles, kinds, strict=True)
    )
    row = example_row(node)
    outputs = tuple(_output(node, method, row) for method in _methods(node))
    return Signature(columns, outputs, named=names is not None)


def example_row(node: Node) -> Inputs:
    """Make one row that the node takes."""
    kinds = node.columns_in(nan_ok_after=True)
    cells = node.example()
    if all(kind is Kind.NUMBER for kind, _ in kinds):
        return np.array([cells], np.float64)
    return Frame(tuple(_cell(kind, cell) for (kind, _), cell in zip(kinds, cells, strict=True)))


def _cell(kind: Kind, cell: float | str | None) -> Array:
    if kind is Kind.NUMBER:
        return np.array([cell], np.float64)
    column = np.empty(1, object)
    column[0] = cell
    return column


def _answer(node: Node, method: str, rows: Inputs) -> Array:
    try:
        with np.errstate(all="ignore"):
            return np.asarray(node.run(method, rows))
    except InputRefused as error:
        raise PlanError(f"{method} refuses the row it gave as its example: {error}") from error
    except PlanError as error:
        raise PlanError(f"{method}: {error}") from error
    except Exception as error:  # a graph from outside may fit together and still not run
        raise PlanError(f"{method} fails: {error!r}") from error


def _output(node: Node, method: str, row: Inputs) -> Output:
    answer = _answer(node, method, row)
    if answer.ndim not in (1, 2) or len(answer) != 1:
        raise PlanError(f"{method} gives shape {answer.shape} for one row")
    width = None if answer.ndim == 1 else int(answer.shape[1])
    return Output(method, _datatype(answer), width, _titles(node, method, width))


def _datatype(answer: Array) -> str:
    if answer.dtype.kind in "OU":
        return "BYTES"
    if answer.dtype.kind in "iu":
        return "INT32" if answer.dtype.itemsize <= 4 else "INT64"
    return DATATYPES.get(answer.dtype.str[1:], "FP64")


def _titles(node: Node, method: str, width: int | None) -> tuple[str, ...]:
    per_class = method in ("predict_proba", "decision_function")
    if node.classes is None or not per_class or width != len(node.classes):
        return ()
    return tuple(str(label) for label in node.classes.tolist())
