"""Plans against scikit-learn, over thousands of rows: at once, alone, and in batches.

A cell is equal to the last bit or it is not; where it is not, three figures say by how much: the
largest difference, the largest relative one, and the tolerance that the check of a build would
need to pass (`controlplane/builder/verify.py`). scikit-learn itself may answer differently in
batches of another size, since matrix libraries add in another order; "same size" compares with
what it answers to the very same batch.
"""

import warnings
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from loadtests.benchmarks.examples import Example, Without, examples
from loadtests.benchmarks.measuring import Options, Raw, Row
from loadtests.benchmarks.samples import Rows
from runtime.estimators import as_array

BATCHES: Final = (1, 7, 64, 4096)
AT_ONCE: Final = "at once"
SAME_SIZE: Final = "same size"
ASKED_AGAIN: Final = 48  # batches of each size that scikit-learn is asked too
RESERVE_S: Final = 150.0  # for what is begun before, and for imports on a busy machine


def limit_s(options: Options) -> float:
    """Give the seconds it takes at most."""
    return 1200 + 0.06 * options.rows  # most of it on a machine that is slow or busy


def measure(options: Options) -> Raw:
    """Compare every family; those that time does not reach are named."""
    families: dict[str, Raw] = {}
    without: dict[str, str] = {}
    refused: dict[str, str] = {}
    for example in examples(options.families, limit_s(options) - RESERVE_S):
        if isinstance(example, Without):
            (refused if example.refused else without)[example.name] = example.reason
            continue
        try:
            families[example.name] = compared(example, options.rows)
        except ValueError as error:  # of two answers that are no longer comparable
            without[example.name] = f"cannot be compared: {error}"
        else:
            print(f"{example.name:<32}{summary(families[example.name])}", flush=True)
    return {"rows": options.rows, "families": families, "without": without, "refused": refused}


def compared(example: Example, count: int) -> Raw:
    """Compare all methods of one."""
    rows = example.sample.rows(count)
    node = example.plan.node
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        methods = {method: of_method(example, method, rows) for method in example.methods}
    return {"promise": node.exact, "tolerance": node.tolerance, "methods": methods}


def of_method(example: Example, method: str, rows: Rows) -> dict[str, Raw]:
    """Compare one method: at once, in batches, and batches with the same batches."""
    whole = theirs(example, method, rows)
    found = {AT_ONCE: difference(ours(example, method, rows), whole)}
    for size in BATCHES:
        parts = [rows.slice(start, start + size) for start in range(0, len(rows), size)]
        answers = [ours(example, method, part) for part in parts]
        found[str(size)] = difference(np.concatenate(answers), whole)
        asked = [theirs(example, method, part) for part in parts[:ASKED_AGAIN]]
        given = np.concatenate(answers[:ASKED_AGAIN])
        found[f"{size}, {SAME_SIZE}"] = difference(given, np.concatenate(asked))
    return found


def ours(example: Example, method: str, rows: Rows) -> NDArray[Any]:
    """Give the plan's answer."""
    return np.asarray(example.plan.run(method, rows.ours))


def theirs(example: Example, method: str, rows: Rows) -> NDArray[Any]:
    """Give scikit-learn's."""
    answer = as_array(getattr(example.estimator, method)(rows.theirs))
    # Some forget the dimension of rows when there is one.
    return answer[None] if len(rows) == 1 and answer.shape != (1,) and answer.ndim == 1 else answer


def difference(ours: NDArray[Any], theirs: NDArray[Any]) -> Raw:
    """Tell how many cells differ, and how far; raises ValueError where the shapes do."""
    if ours.shape != theirs.shape:
        raise ValueError(f"shape {ours.shape} against scikit-learn's {theirs.shape}")
    if ours.dtype.kind in "OU" or theirs.dtype.kind != "f":
        return {"differ": int(np.count_nonzero(ours != theirs)), "labels": True}
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    if same.all():
        return {"differ": 0}
    apart, size = np.abs(ours - theirs)[~same], np.abs(theirs[~same])
    scale = max(1.0, float(np.abs(theirs[np.isfinite(theirs)]).max(initial=0.0)))
    return {
        "differ": int(np.count_nonzero(~same)),
        "absolute": float(apart.max()),
        "relative": float((apart[size > 0] / size[size > 0]).max(initial=0.0)),
        "needs": float((apart / (scale + size)).max()),
    }


def within(family: Raw) -> bool:
    """True when a family keeps its promise; "batch" is one for batches of the same size."""
    promise, tolerance = family["promise"], family["tolerance"]
    for found in family["methods"].values():
        for name, cells in found.items():
            if promise == "batch" and not (name.endswith(SAME_SIZE) or name == AT_ONCE):
                continue
            allowed = promise == "tolerance" and cells.get("needs", 1.0) <= tolerance
            if cells["differ"] and not allowed:
                return False
    return True


def equal(family: Raw, *, same_size: bool) -> bool:
    """True when no cell differs from scikit-learn's answer to the same batch, or to all rows."""
    return not any(
        cells["differ"]
        for found in family["methods"].values()
        for name, cells in found.items()
        if name.endswith(SAME_SIZE) == same_size or name == AT_ONCE
    )


def worst(family: Raw, figure: str) -> float:
    """Give the largest of a figure over methods and batches."""
    return max(
        (cells.get(figure, 0.0) for f in family["methods"].values() for cells in f.values()),
        default=0.0,
    )


def summary(family: Raw) -> str:
    """Say it in a line."""
    kept = "" if within(family) else "  BREAKS ITS PROMISE"
    if equal(family, same_size=False):
        return f"bit-equal{kept}"
    return f"{worst(family, 'relative'):.1e} relative, {worst(family, 'needs'):.1e} needed{kept}"


def rows(raw: Raw) -> list[Row]:
    """Hold the promises against what was found."""
    families, without = raw["families"], raw["without"]
    kept = [name for name, family in families.items() if within(family)]
    ways = {False: "however batched", True: "to scikit-learn's answer to the same batch"}
    broken = ", ".join(sorted(set(families) - set(kept)))
    missing = f"no example: {', '.join(without)}" if without else ""
    served = f"served by scikit-learn: {', '.join(raw['refused'])}" if raw["refused"] else ""
    all_of = len(families) + len(without)
    apart = max(families, key=lambda name: worst(families[name], "needs"), default=None)
    lines = [
        Row(
            f"families as exact as promised: {raw['rows']:,} rows at once, alone, by 7, 64, 4096",
            f"{len(kept)} of {all_of}",
            "all",
            len(kept) == all_of,
            "; ".join(filter(None, (broken and f"not: {broken}", missing, served))),
        ),
        *(
            Row(
                f"of them equal to the last bit {way}",
                f"{sum(equal(f, same_size=same) for f in families.values())} of {all_of}",
            )
            for same, way in ways.items()
        ),
    ]
    if apart is not None:
        needs = worst(families[apart], "needs")
        what = "largest difference of the others, relative to the largest answer"
        lines.append(Row(what, f"{needs:.1e}", note=apart))
    return lines


def tables(raw: Raw) -> str:
    """Write every method of every family."""
    names = [AT_ONCE, *(str(size) for size in BATCHES)]
    names += [f"{size}, {SAME_SIZE}" for size in BATCHES]
    head = (
        f"| estimator | promise | method | {' | '.join(names)} |\n{'| --- ' * (len(names) + 3)}|\n"
    )
    lines = [
        f"| {name} | {family['promise']} | {method} |"
        f" {' | '.join(cell(found[column]) for column in names)} |\n"
        for name, family in raw["families"].items()
        for method, found in family["methods"].items()
    ]
    said = (
        f"{raw['rows']:,} rows. `=`: equal to the last bit; else the largest relative difference,"
        " or the number of labels that differ.\n\n"
    )
    return said + head + "".join(lines)


def cell(found: Raw) -> str:
    """Write one comparison."""
    if not found["differ"]:
        return "="
    return f"{found['differ']} labels" if "labels" in found else f"{found['relative']:.0e}"
