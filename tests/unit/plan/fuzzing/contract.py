"""What every file must do: be refused in words, or give a plan that answers as it promised."""

import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from runtime.plan import Frame, InputRefused, Inputs, Plan, PlanError, load, signature_of
from runtime.plan import format as plan_format
from runtime.plan.graph import build
from runtime.plan.plan import _datatype
from runtime.plan.signature import Kind, Signature
from tests.unit.plan.fuzzing.hostile import Random
from tests.unit.plan.fuzzing.mutants import Mutant

HEIGHTS: Final = (1, 3, 40)
MOST_CELLS: Final = 1_000_000  # asked or answered at once; wide plans are given few rows
ODD: Final = np.array(
    [0.0, -0.0, 1.0, -1.0, 3.0, 1e-300, 1e150, -1e150, 1e300, -1e308, 5e-324, 255.5]
)


class Broken(AssertionError):
    """A plan that does what none may."""


def outcome(mutant: Mutant, random: Random) -> str:
    """Give `refused`, `refused by trial` or `answered`; raises Broken, or whatever escapes."""
    with tempfile.TemporaryFile() as file:
        path = Path(f"/proc/self/fd/{file.fileno()}")
        file.write(mutant.file())
        file.flush()
        if mutant.kind in ("content", "bytes"):
            _unlooked(path, random)
        try:
            plan = load(path)
        except PlanError as error:
            if not str(error).startswith("the signature"):
                return _refusal(error)
            try:
                signed = _signed(mutant, path)
            except PlanError as late:
                return _refusal(late)
        else:
            _ask(plan, random)
            return "answered"
        file.seek(0)
        file.truncate()
        file.write(signed)
        file.flush()
        try:
            plan = load(path)
        except PlanError as error:
            return _refusal(error)
        _ask(plan, random)
    return "answered"


def _refusal(error: PlanError) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError):
            raise Broken(f"no memory: {error}")
        cause = cause.__cause__
    return "refused by trial" if " fails: " in str(error) else "refused"


def _signed(mutant: Mutant, path: Path) -> bytes:
    """The file with the signature that its graph has: whoever crafts plans gets that far."""
    read = plan_format.read(path)
    node = build(read.header["graph"], read.tensors)
    return mutant.file({**read.header, "signature": signature_of(node, None).to_json()})


def _unlooked(path: Path, random: Random) -> None:
    """Without the thorough look wrong content may raise more, but end no process."""
    try:
        plan = load(path, thorough=False)
        for output in plan.signature.outputs:
            plan.run(output.name, rows_for(plan.signature, plan, 3, random))
    except MemoryError:
        raise
    except (ValueError, IndexError, ArithmeticError):
        pass


def _ask(plan: Plan, random: Random) -> None:
    signature = plan.signature
    widest = max(
        [len(signature.columns), plan.node.n_out, *(o.width or 1 for o in signature.outputs)]
    )
    for height in HEIGHTS:
        if height > 1 and height * widest > MOST_CELLS:
            break
        rows = rows_for(signature, plan, height, random)
        for output in signature.outputs:
            try:
                with np.errstate(all="ignore"):
                    answer = np.asarray(plan.run(output.name, rows))
            except InputRefused as error:
                _check_place(error, height, len(signature.columns))
                continue
            shape = (height,) if output.width is None else (height, output.width)
            if answer.shape != shape:
                raise Broken(f"{output.name} answers {answer.shape} where it said {shape}")
            if _datatype(answer) != output.datatype:
                raise Broken(f"{output.name} answers {answer.dtype}, not {output.datatype}")


def _check_place(error: InputRefused, height: int, width: int) -> None:
    inside = error.row is None or 0 <= error.row < height
    if not inside or not (error.column is None or 0 <= error.column < width):
        raise Broken(f"refuses a cell that is not there: {error}")


def rows_for(signature: Signature, plan: Plan, height: int, random: Random) -> Inputs:
    """Rows that a codec would let through: finite numbers, missing only where that is said."""
    made: dict[tuple[Kind, bool, int], Any] = {}
    columns = []
    for number, column in enumerate(signature.columns):
        key = (column.kind, column.missing, number % DIFFERENT)
        if key not in made:
            made[key] = _cells(column.kind, column.missing, height, random)
        columns.append(made[key])
    if not signature.numeric:
        return Frame(tuple(columns))
    matrix = np.ascontiguousarray(np.stack(columns, axis=1)) if columns else np.empty((height, 0))
    matrix.flags.writeable = False
    return matrix


DIFFERENT: Final = 1_000  # columns; a plan may have 100,000, which then repeat
SCALES: Final = (1.0, 1.0, 1.0, 10.0, 1e5)
_WORDS: Final = ("cat", "dog", "s", "the red house", "", "a b, c. d " * 20, "É\x00ü", "a" * 999)


def _cells(kind: Kind, missing: bool, height: int, random: Random) -> Any:
    if kind is Kind.STRING:
        out = np.empty(height, object)
        out[:] = random.choice(_WORDS, height)
        if missing:
            out[random.random(height) < 0.2] = None
        return out
    cells = random.normal(size=height) * SCALES[random.integers(len(SCALES))]
    odd = random.random(height) < 0.2
    cells[odd] = ODD[random.integers(len(ODD), size=height)][odd]
    if missing:
        cells[random.random(height) < 0.2] = np.nan
    if kind is Kind.ANY:
        return cells.astype(object)
    return cells
