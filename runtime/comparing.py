"""How much the answers of two revisions to the same rows differ."""

from typing import Any, Final

import numpy as np

from runtime.compute import Results
from runtime.plan.ops import Array, Frame, Inputs
from runtime.plan.signature import LABELS, PROBABILITIES, Signature, has_labels

WORST: Final = 5  # rows that are shown
MOST_CELLS: Final = 200  # of a row that is shown


class Comparison:
    """Counts over all rows so far.

    flips  rows with another label; of models without labels none
    shift  of a row: the largest difference of a class's probability; of models without classes
           |a - b| / max(|a|, |b|), largest over the row's values, 0 where both are the same
    A row that the candidate could not answer counts as a flip and as a shift of 1.
    """

    def __init__(self, running: Signature, candidate: Signature) -> None:
        both = {o.name for o in running.outputs} & {o.name for o in candidate.outputs}
        self.labels = has_labels(running) and LABELS in both
        probable = self.labels and PROBABILITIES in both
        first = running.outputs[0].name
        self.shifts = PROBABILITIES if probable else None if self.labels else first
        wanted = [LABELS] if self.labels else []
        self.outputs = tuple(wanted + ([self.shifts] if self.shifts else []))
        self._columns = tuple(
            () if (o := one.output(PROBABILITIES)) is None else o.columns
            for one in (running, candidate)
        )
        self.rows = self.flips = self.refused = self.failed = 0
        self.sum = self.squares = self.most = 0.0
        self.worst: list[dict[str, Any]] = []

    def unanswered(self, rows: int, *, refused: bool) -> None:
        """Count rows that the candidate did not take, or failed on."""
        self.rows += rows
        self.flips += rows
        self.sum += rows
        self.squares += rows
        self.most = 1.0
        if refused:
            self.refused += rows
        else:
            self.failed += rows

    def add(self, inputs: Inputs, running: Results, candidate: Results) -> None:
        """Count rows that both answered."""
        count = len(next(iter(running.values())))
        flipped = np.zeros(count, dtype=bool)
        if self.labels:
            flipped = differ(running[LABELS], candidate[LABELS])
        shift = flipped.astype(np.float64)
        if self.shifts is not None:
            shift = self._shift(running[self.shifts], candidate[self.shifts])
        self.rows += count
        self.flips += int(flipped.sum())
        self.sum += float(shift.sum())
        self.squares += float(np.square(shift).sum())
        self.most = max(self.most, float(shift.max(initial=0.0)))
        self._remember(inputs, (running, candidate), flipped, shift)

    def _shift(self, a: Array, b: Array) -> Array:
        if self.shifts == PROBABILITIES:
            return absolute(*aligned(a, self._columns[0], b, self._columns[1]))
        return relative(a, b)

    def _remember(
        self, inputs: Inputs, answers: tuple[Results, Results], flipped: Array, shift: Array
    ) -> None:
        score = flipped + shift
        for row in np.argsort(-score, kind="stable")[:WORST]:
            if score[row] == 0.0:
                break
            running, candidate = ({n: _cell(v[row]) for n, v in one.items()} for one in answers)
            self.worst.append(
                {
                    "row": _row(inputs, int(row)),
                    "running": running,
                    "candidate": candidate,
                    "flipped": bool(flipped[row]),
                    "shift": float(shift[row]),
                }
            )
        self.worst.sort(key=lambda one: -(one["flipped"] + one["shift"]))
        del self.worst[WORST:]

    def to_json(self) -> dict[str, Any]:
        """Give all counts."""
        return {
            "rows": self.rows,
            "flips": self.flips,
            "refused": self.refused,
            "failed": self.failed,
            "shift_sum": self.sum,
            "shift_squares": self.squares,
            "shift_most": self.most,
            "worst": self.worst,
        }


def differ(a: Array, b: Array) -> Array:
    """Tell each row whose label is another; 1 and 1.0 are the same label, and "1" is another."""
    strings = [one.dtype.kind in "OUS" for one in (a, b)]
    if strings[0] != strings[1] or a.shape != b.shape:
        return np.ones(len(a), dtype=bool)
    other = np.not_equal(a, b).astype(bool)
    found: Array = np.any(other.reshape(len(other), -1), axis=1)
    return found


def absolute(a: Array, b: Array) -> Array:
    """Give each row's largest absolute difference; not a number counts as 1, if only one is."""
    return _largest(np.abs(a - b), a, b)


def relative(a: Array, b: Array) -> Array:
    """Give each row's largest difference relative to the larger of both values."""
    if a.shape != b.shape or "O" in (a.dtype.kind, b.dtype.kind):
        return differ(a, b).astype(np.float64)
    a, b = a.astype(np.float64), b.astype(np.float64)
    size = np.maximum(np.abs(a), np.abs(b))
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.divide(np.abs(a - b), size, out=np.zeros_like(size), where=size != 0.0)
    return _largest(apart, a, b)


def _largest(apart: Array, a: Array, b: Array) -> Array:
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    apart = np.where(same, 0.0, np.nan_to_num(apart, nan=1.0, posinf=1.0))
    largest: Array = np.max(apart.reshape(len(apart), -1), axis=1, initial=0.0)
    return largest


def aligned(
    a: Array, of_a: tuple[str, ...], b: Array, of_b: tuple[str, ...]
) -> tuple[Array, Array]:
    """Put probabilities of the same class under each other; a class that one has not got is 0."""
    if of_a == of_b and a.shape == b.shape:
        return a, b
    names = [*dict.fromkeys((*of_a, *of_b))]
    spread = []
    for values, columns in ((a, of_a), (b, of_b)):
        whole = np.zeros((len(values), len(names)))
        whole[:, [names.index(name) for name in columns]] = values
        spread.append(whole)
    return spread[0], spread[1]


def _row(inputs: Inputs, at: int) -> list[Any] | None:
    columns = inputs.columns if isinstance(inputs, Frame) else tuple(np.transpose(inputs))
    return [_cell(column[at]) for column in columns] if len(columns) <= MOST_CELLS else None


def _cell(value: Any) -> Any:
    """Give a value as JSON has it: what is no number is null, long texts are cut."""
    if isinstance(value, np.ndarray):
        return [_cell(one) for one in value.tolist()[:MOST_CELLS]]
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value[:100] if isinstance(value, str) else value
