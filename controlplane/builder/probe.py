"""Probe rows, and what scikit-learn answers to them. Runs in the locked child."""

import random
import warnings
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from controlplane.builder.describe import Unusable
from controlplane.builder.landmarks import landmarks
from runtime.estimators import as_array, keeps_none, table
from runtime.plan.signature import Kind, Signature

Columns = list[NDArray[Any]]

BATCHES: Final = (1, 7, 64)
BEYOND: Final = 0.3
_UNSEEN: Final = "never seen before"
_FINITE: Final = 1e300


def probe_rows(estimator: Any, signature: Signature, *, beyond: float = BEYOND) -> list[Columns]:
    """Make batches: ordinary rows of each height, then with missing, then with unseen cells.

    beyond  how far numbers may lie outside of those the model has seen, in shares of a range
    """
    draw = random.Random(20261123)  # noqa: S311  the same model gives the same probes
    known = landmarks(estimator, [column.name for column in signature.columns])
    batches = [_batch(signature, known, height, draw, "", beyond) for height in BATCHES]
    if any(column.missing for column in signature.columns):
        batches.append(_batch(signature, known, 33, draw, "missing", beyond))
    if any(column.kind is not Kind.NUMBER for column in signature.columns):
        batches.append(_batch(signature, known, 33, draw, "unseen", beyond))
    return batches


def _batch(
    signature: Signature,
    known: dict[int, list[Any]],
    height: int,
    draw: random.Random,
    odd: str,
    beyond: float,
) -> Columns:
    columns = []
    for position, column in enumerate(signature.columns):
        values = known.get(position, [])
        if column.kind is Kind.NUMBER:
            cells: list[Any] = [_number(values, draw, beyond) for _ in range(height)]
        else:
            texts = [value for value in values if isinstance(value, str)] or ["a"]
            cells = [draw.choice(texts) for _ in range(height)]
        if odd == "missing" and column.missing:
            cells = [cell if draw.random() < 0.7 else None for cell in cells]
        if odd == "unseen" and column.kind is not Kind.NUMBER:
            cells = [cell if draw.random() < 0.7 else _UNSEEN for cell in cells]
        columns.append(_column(cells, column.kind))
    return columns


def _column(cells: list[Any], kind: Kind) -> NDArray[Any]:
    if kind is Kind.NUMBER:
        return np.array([np.nan if cell is None else cell for cell in cells], np.float64)
    array = np.empty(len(cells), object)
    array[:] = cells
    return array


def _number(values: list[Any], draw: random.Random, beyond: float) -> float:
    numbers = [v for v in values if isinstance(v, (int, float)) and abs(v) < _FINITE]
    if not numbers:
        return draw.gauss(0.0, 1.5)
    value = float(draw.choice(numbers))
    if draw.random() < 0.4:  # on the landmark itself: a threshold decides by its last bit
        return value
    other = float(draw.choice(numbers))
    return value + (other - value) * draw.uniform(-beyond, 1 + beyond)


def answers(
    estimator: Any, signature: Signature, batches: list[Columns]
) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    """Ask scikit-learn; batches it refuses for a missing or unseen cell are left out.

    Ordinary rows that it refuses are made positive, which Box-Cox and chi-squared kernels demand;
    raises Unusable when it refuses those too.
    """
    meta: list[dict[str, Any]] = []
    arrays: list[NDArray[Any]] = []
    for number, columns in enumerate(batches):
        ordinary = number < len(BATCHES)
        try:
            given = ask(estimator, signature, columns)
        except ValueError:
            if not ordinary:
                continue
            columns = [positive(cells) for cells in columns]
            try:
                given = ask(estimator, signature, columns)
            except ValueError as error:
                raise Unusable(f"It refuses ordinary rows: {str(error)[:300]}") from error
        meta.append({"columns": len(columns), "outputs": list(given)})
        arrays += [*columns, *given.values()]
    return {"batches": meta}, arrays


def ask(estimator: Any, signature: Signature, columns: Columns) -> dict[str, NDArray[Any]]:
    """Give scikit-learn's answers to these very rows; raises ValueError as it does."""
    names = [column.name for column in signature.columns] if signature.named else None
    rows = table(estimator, columns, names, none=keeps_none(estimator))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            output.name: as_array(getattr(estimator, output.name)(rows))
            for output in signature.outputs
        }


def positive(cells: NDArray[Any]) -> NDArray[Any]:
    """Make numbers positive; strings stay."""
    return cells if cells.dtype == object else np.abs(cells) + 2.0**-10
