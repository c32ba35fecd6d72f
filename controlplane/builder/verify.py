"""Check of what the loading child wrote, in a fresh locked process that never unpickles.

Builds the plan as the runtime would, holds it against scikit-learn's answers, measures its cost,
and writes the plan file that is served. A lying child deceives only its own tenant.
"""

import os
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from runtime import frames
from runtime.plan import Frame, Inputs, Plan, PlanError, load, signature_of
from runtime.plan import format as plan_format
from runtime.plan.graph import build
from runtime.plan.signature import Kind, Signature, from_json

MOST_BYTES: Final = 1 << 30
_NEAR_TIE: Final = 1e-9
_REPEATS: Final = 7
_MANY: Final = 256
_ORDER: Final = ("bitwise", "batch", "tolerance")


def verify(source: int, folder: Path, provenance: dict[str, Any]) -> dict[str, Any]:
    """Read plan and probes from a descriptor, write `plan` into the folder, tell what was found."""
    # Never more than there is: read(n) reserves n bytes at once, and memory is limited here.
    size = min(os.fstat(source).st_size, 2 * MOST_BYTES)
    with os.fdopen(source, "rb", closefd=False) as file:
        content = file.read(size)
    try:
        split = int.from_bytes(content[:8], "little")
        meta, arrays = frames.decode(content[8 : 8 + split], MOST_BYTES)
        probe_meta, probe_arrays = frames.decode(content[8 + split :], MOST_BYTES)
        tensors = dict(zip(meta["tensors"], arrays, strict=True))
        names = [column.name for column in from_json(meta["signature"]).columns]
        named = bool(meta["signature"]["named"])
        node = build(meta["graph"], tensors)
        signature = signature_of(node, names if named else None)
        probes = _probes(probe_meta, probe_arrays, signature)
        plan = _written(folder, meta["graph"], tensors, signature, provenance)
        exactness = _compare(plan, probes)
        cost = _cost(plan, probes)
        families = sorted(_ops(meta["graph"]))
        plan_path = folder / "plan"
        plan_path.unlink()
        with plan_path.open("xb") as out:
            plan_format.write(
                out,
                graph=meta["graph"],
                tensors=tensors,
                signature=signature.to_json(),
                cost=cost,
                provenance=provenance | {"exactness": exactness, "families": families},
            )
        load(plan_path)
    except (PlanError, frames.FrameError, KeyError, TypeError, ValueError) as error:
        return {"refused": f"{type(error).__name__}: {error}"[:500]}
    return {
        "signature": signature.to_json(),
        "exactness": exactness,
        "cost": cost,
        "families": families,
    }


def _written(
    folder: Path,
    graph: dict[str, Any],
    tensors: dict[str, NDArray[Any]],
    signature: Signature,
    provenance: dict[str, Any],
) -> Plan:
    """Write and read back, so that what is compared is what the runtime will map."""
    with (folder / "plan").open("xb") as out:
        plan_format.write(
            out,
            graph=graph,
            tensors=tensors,
            signature=signature.to_json(),
            cost={"c0_us": 0.0, "c1_us": 0.0},
            provenance=provenance,
        )
    return load(folder / "plan")


def _probes(
    meta: dict[str, Any], arrays: frames.Arrays, signature: Signature
) -> list[tuple[Inputs, dict[str, NDArray[Any]]]]:
    probes: list[tuple[Inputs, dict[str, NDArray[Any]]]] = []
    at = 0
    for batch in meta["batches"]:
        columns = arrays[at : at + len(signature.columns)]
        at += len(columns)
        given = dict(zip(batch["outputs"], arrays[at:], strict=False))
        at += len(given)
        probes.append((_inputs(columns, signature), given))
    if not probes or at != len(arrays):
        raise ValueError("the probe rows do not fill their arrays")
    return probes


def _inputs(columns: frames.Arrays, signature: Signature) -> Inputs:
    rows = len(columns[0])
    for cells, column in zip(columns, signature.columns, strict=True):
        if cells.shape != (rows,) or (cells.dtype == object) != (column.kind is not Kind.NUMBER):
            raise ValueError(f"the probe cells of {column.name!r} are of the wrong kind")
    if signature.numeric:
        matrix: NDArray[Any] = np.column_stack(columns)
        return matrix
    return Frame(tuple(np.array(cells) for cells in columns))


def _compare(plan: Plan, probes: list[tuple[Inputs, dict[str, NDArray[Any]]]]) -> str:
    """Give the exactness that holds; raises ValueError where plan and original differ."""
    found = plan.node.exact
    for number, (rows, given) in enumerate(probes):
        scores = _scores(plan, rows)
        for output in plan.signature.outputs:
            ours, theirs = np.asarray(plan.run(output.name, rows)), given[output.name]
            if theirs.shape == (ours.size,) and len(ours) == 1:
                # SparsePCA of scikit-learn 1.9 gives the lone row of a batch as a vector.
                theirs = theirs.reshape(ours.shape)
            if ours.shape != theirs.shape:
                raise ValueError(
                    f"{output.name} has shape {ours.shape}, scikit-learn {theirs.shape}"
                )
            if ours.dtype.kind in "OU" or theirs.dtype.kind != "f":
                same = np.asarray(ours == theirs)
                if not (same | _near_ties(scores, same)).all():
                    raise ValueError(f"{output.name} of probe batch {number}: labels differ")
            elif not np.array_equal(ours, theirs, equal_nan=True):
                found = "tolerance"
                _close(output.name, number, ours, theirs, plan.node.tolerance)
    return found if found in _ORDER else "tolerance"


def _close(
    name: str, number: int, ours: NDArray[Any], theirs: NDArray[Any], tolerance: float
) -> None:
    scale = max(1.0, float(np.abs(theirs[np.isfinite(theirs)]).max(initial=0.0)))
    if not np.allclose(ours, theirs, rtol=tolerance, atol=tolerance * scale, equal_nan=True):
        worst = float(np.nanmax(np.abs(ours - theirs)))
        raise ValueError(
            f"{name} of probe batch {number} differs from scikit-learn's by {worst:.3g}"
        )


def _scores(plan: Plan, rows: Inputs) -> NDArray[Any] | None:
    for name in ("decision_function", "predict_proba"):
        if plan.signature.output(name) is not None:
            return np.asarray(plan.run(name, rows))
    return None


def _near_ties(scores: NDArray[Any] | None, same: NDArray[Any]) -> NDArray[Any]:
    """True for rows whose two best scores are so close that rounding may choose the label."""
    if scores is None or same.ndim != 1:
        return np.zeros(same.shape, bool)
    if scores.ndim == 1 or scores.shape[1] == 1:
        lone: NDArray[Any] = np.abs(scores.reshape(len(scores), -1)[:, 0]) < _NEAR_TIE
        return lone
    best = np.sort(scores, axis=1)
    tied: NDArray[Any] = best[:, -1] - best[:, -2] < _NEAR_TIE
    return tied


def _cost(plan: Plan, probes: list[tuple[Inputs, dict[str, NDArray[Any]]]]) -> dict[str, float]:
    """Fit c0 + c1 * rows through one row and many, each the best of several calls."""
    # Many different ones: a text takes as long as it has words.
    rows, height = max(((rows, _height(rows)) for rows, _ in probes), key=lambda pair: pair[1])
    one, many = _taken(rows, np.zeros(1, int)), _taken(rows, np.arange(_MANY) % height)
    method = plan.signature.outputs[0].name
    alone, together = _best_us(plan, method, one), _best_us(plan, method, many)
    per_row = max(0.0, (together - alone) / (_MANY - 1))
    return {"c0_us": round(max(0.1, alone - per_row), 3), "c1_us": round(per_row, 4)}


def _height(rows: Inputs) -> int:
    return rows.rows if isinstance(rows, Frame) else len(rows)


def _taken(rows: Inputs, which: NDArray[Any]) -> Inputs:
    if isinstance(rows, Frame):
        return Frame(tuple(column[which] for column in rows.columns))
    return np.ascontiguousarray(rows[which])


def _best_us(plan: Plan, method: str, rows: Inputs) -> float:
    taken = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        plan.run(method, rows)
        taken.append(time.perf_counter() - start)
        if sum(taken) > 0.5:
            break
    return min(taken) * 1e6


def _ops(spec: object) -> set[str]:
    if isinstance(spec, dict):
        own = {spec["op"]} if isinstance(spec.get("op"), str) else set()
        return own.union(*(_ops(value) for value in spec.values()))
    if isinstance(spec, list):
        return set().union(*(_ops(value) for value in spec))
    return set()
