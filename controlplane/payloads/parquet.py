"""Makes Parquet of batches, and counts columns in bins: a process for each time, gone afterwards.

Arrow takes 57 MB, and what is read some more, that the API shall not hold; and what workers wrote
is not to be trusted: a batch that cannot be read is named, and ends nothing but itself. Reads one
JSON document from standard input and writes one to standard output. No database, no store.

    {"do": "write", "batches": [PATH], "into": FOLDER, "redact": [NAME], "hashed": [NAME],
     "revisions": {NAME: {"model", "version", "columns": [[NAME, KIND]],
                         "outputs": {NAME: [COLUMN]}}}, "bins": {COLUMN: SKETCH}}
    {"do": "sketch", "files": [PATH], "rows": most}
    {"do": "count", "files": [PATH], "bins": {COLUMN: SKETCH}}
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from runtime import sketches
from runtime.payload_batches import Logged, read_entries
from runtime.payload_log import BadBatch, Head, read_head
from runtime.sketches import MOST_COLUMNS, Sketch, sketch_from

INPUT, OUTPUT = "input.", "output."
FLAT: Final = 100  # values of an output that get a column each
GOOD: Final = 200
Document = dict[str, Any]


def main() -> int:
    """Do what is asked."""
    job = json.load(sys.stdin)
    does: dict[str, Callable[[Document], Document]] = {
        "write": write,
        "sketch": sketch,
        "count": count,
    }
    json.dump(does[job["do"]](job), sys.stdout)
    return 0


# Batches to files


def write(job: Document) -> Document:
    """Write a file for each revision and day."""
    groups: dict[tuple[str, str], list[tuple[Head, Logged]]] = {}
    bad, heads = list[str](), list[Head]()
    for path in map(Path, job["batches"]):
        try:
            head, found = _read(path, job["revisions"])
        except (BadBatch, OSError) as error:
            bad.append(path.stem)
            print(f"{path.name}: {error}", file=sys.stderr)  # noqa: T201
            continue
        heads.append(head)
        for one in found:
            day = np.datetime64(int(one.at * 1e6), "us").astype("M8[D]")
            ours = _ours(one.revision, job["revisions"])
            groups.setdefault((ours, str(day)), []).append((head, one))
    files = [_file(job, revision, day, requests) for (revision, day), requests in groups.items()]
    counts: dict[str, tuple[int, Sequence[int]]] = {}
    for head in heads:
        counts[head.source] = max(counts.get(head.source, (0, ())), (head.sequence, head.counts))
    sources = {source: list(told) for source, (_, told) in counts.items()}
    return {"files": files, "bad": bad, "sources": sources}


def _read(path: Path, revisions: Mapping[str, Document]) -> tuple[Head, list[Logged]]:
    raw = path.read_bytes()
    head, start = read_head(raw)
    for name, layout in head.revisions.items():
        if _ours(name, revisions) not in revisions:
            raise BadBatch(f"there is no revision {name!r}")
        known = {column for column, _ in revisions[_ours(name, revisions)]["columns"]}
        if not known.issuperset((*layout.numbers, *layout.texts)):
            raise BadBatch(f"{name} has no such columns")
    return head, [*read_entries(raw, start, head)]


def _ours(name: str, revisions: Mapping[str, Document]) -> str:
    """Give our name of a revision; Knative's has a hash behind it."""
    return name if name in revisions else name.rpartition("-")[0]


def _file(
    job: Document, revision: str, day: str, requests: Sequence[tuple[Head, Logged]]
) -> Document:
    requests = sorted(requests, key=lambda pair: pair[1].at)
    heights = np.array([max(1, one.rows) for _, one in requests])
    known = job["revisions"][revision]
    columns = _about(known, revision, heights, [one for _, one in requests])
    # Once more, by what is wanted now: a worker may not have heard of it when it wrote.
    left_out, hashed = set(job["redact"]), set(job["hashed"])
    for name, kind in known["columns"]:
        if name not in left_out:
            found = _input(name, kind, name in hashed, requests)
            if found is not None:
                columns[INPUT + name] = found
    columns |= _outputs([one for _, one in requests], known["outputs"])
    table = pa.table(columns)
    path = Path(job["into"], f"{revision}-{day}.parquet")
    pq.write_table(table, path, compression="zstd")
    return {
        "revision": revision,
        "day": day,
        "path": str(path),
        "size_bytes": path.stat().st_size,
        "requests": len(requests),
        "rows": table.num_rows,
        "first_at": requests[0][1].at,
        "last_at": requests[-1][1].at,
        "good_rows": int(_good(table).num_rows),
        "counts": _counts(_good(table), job["bins"]),
    }


def _about(
    known: Document, revision: str, heights: Any, requests: Sequence[Logged]
) -> dict[str, pa.Array]:
    """Give the columns that tell of a request; each of its rows repeats them."""
    total = int(heights.sum())

    def each(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
        return pa.array(np.repeat(np.array(values, object), heights), kind)

    at = np.repeat(np.array([int(one.at * 1e6) for one in requests], "i8"), heights)
    rows = np.concatenate([np.arange(height) for height in heights])
    is_row = np.repeat([one.rows > 0 for one in requests], heights)
    return {
        "request_id": each([one.request_id for one in requests], pa.string()),
        "time": pa.array(at, pa.int64()).cast(pa.timestamp("us", tz="UTC")),
        "row": pa.array(rows, pa.int32(), mask=~is_row),
        "revision": pa.array([revision] * total, pa.string()),
        "model": pa.array([known["model"]] * total, pa.string()),
        "version": pa.array([known["version"]] * total, pa.int32()),
        "status": each([one.status for one in requests], pa.int16()),
        "latency_ms": each([one.seconds * 1000 for one in requests], pa.float64()),
    }


def _input(
    name: str, kind: str, hashed: bool, requests: Sequence[tuple[Head, Logged]]
) -> pa.Array | None:
    """Give a column of what was asked; None: no batch has it."""
    as_number = kind == "number" and not hashed
    parts, any_there = list[Any](), False
    for head, one in requests:
        layout, height = head.revisions[one.revision], max(1, one.rows)
        if not one.rows:
            parts.append(np.full(1, np.nan) if as_number else [None])
            any_there |= name in layout.numbers or name in layout.texts
        elif as_number and name in layout.numbers:
            parts.append(one.numbers[:, layout.numbers.index(name)])
            any_there = True
        elif not as_number and name in layout.texts:
            cells = one.texts[layout.texts.index(name)]
            parts.append([None if cell is None else str(cell) for cell in cells])
            any_there = True
        else:  # written when it was hashed and now is not, or the other way round
            parts.append(np.full(height, np.nan) if as_number else [None] * height)
    if not any_there:
        return None
    if as_number:
        return pa.array(np.concatenate(parts), pa.float64(), from_pandas=True)
    return pa.array([*chain.from_iterable(parts)], pa.string())


def _outputs(requests: Sequence[Logged], named: Mapping[str, Sequence[str]]) -> dict[str, pa.Array]:
    """Give the columns of what was answered; `named`: those of several values, by output."""
    shapes: dict[str, tuple[Any, int | None]] = {}
    for one in requests:
        for name, array in one.outputs.items():
            shapes.setdefault(name, (array.dtype, array.shape[1] if array.ndim == 2 else None))
    columns = {}
    for name, (dtype, width) in shapes.items():
        arrays = [_padded(one, name, dtype, width) for one in requests]
        there = np.concatenate([np.full(len(array), had) for array, had in arrays])
        whole = np.concatenate([array for array, _ in arrays])
        for label, values in _flat(name, whole, width, named.get(name) or ()):
            columns[OUTPUT + label] = _answer(values, there)
    return columns


def _padded(one: Logged, name: str, dtype: Any, width: int | None) -> tuple[Any, bool]:
    array, height = one.outputs.get(name), max(1, one.rows)
    shape = (height,) if width is None else (height, width)
    if array is None or array.shape != shape or array.dtype.kind != dtype.kind:
        return np.full(shape, None) if dtype.kind == "O" else np.zeros(shape, dtype), False
    return array, True


def _flat(
    name: str, whole: Any, width: int | None, columns: Sequence[str]
) -> Iterator[tuple[str, Any]]:
    if width is None:
        yield name, whole
        return
    for at in range(min(width, FLAT)):
        yield f"{name}.{columns[at] if len(columns) == width else at}", whole[:, at]


def _answer(values: Any, there: Any) -> pa.Array:
    if values.dtype.kind != "O":
        return pa.array(values, mask=~there)
    cells = [None if cell is None else str(cell) for cell in values.tolist()]
    return pa.array(cells, pa.string())


# Columns in bins


def sketch(job: Document) -> Document:
    """Sketch the columns of some files, of the first so many rows."""
    tables = [_good(pq.read_table(path)) for path in job["files"]]
    table = pa.concat_tables(tables, promote_options="default").slice(0, job["rows"])
    names = [name for name in table.column_names if name.startswith((INPUT, OUTPUT))]
    return {
        "rows": table.num_rows,
        "columns": {
            name: sketches.sketch(_cells(table[name], texts=_is_label(table, name))).to_json()
            for name in names[:MOST_COLUMNS]
        },
    }


def count(job: Document) -> Document:
    """Count each file's columns in the bins of a reference."""
    found = []
    for path in job["files"]:
        table = _good(pq.read_table(path))
        found.append({"rows": table.num_rows, "counts": _counts(table, job["bins"])})
    return {"files": found}


def _counts(table: pa.Table, bins: Mapping[str, Document]) -> dict[str, list[int]]:
    """Give for each column of a reference what is missing, and what is in each bin."""
    counted = {}
    for name, document in bins.items():
        if name in table.column_names:
            cut = sketch_from(document).bins
            if cut.kind == "number" and pa.types.is_string(table[name].type):
                continue  # hashes, of which no training data are
            one: Sketch = sketches.count(_cells(table[name], texts=cut.kind != "number"), cut)
            counted[name] = [one.missing, *one.counts]
    return counted


def _good(table: pa.Table) -> pa.Table:
    """Give the rows that were answered."""
    return table.filter(pa.compute.equal(table["status"], GOOD))


def _is_label(table: pa.Table, name: str) -> bool:
    """Tell whether whole numbers are names of classes: of what is answered they are."""
    return name.startswith(OUTPUT) and pa.types.is_integer(table[name].type)


def _cells(column: pa.ChunkedArray, *, texts: bool) -> Any:
    listed = column.to_pylist() if texts or pa.types.is_string(column.type) else None
    if listed is not None:
        return [None if cell is None else str(cell) for cell in listed]
    return column.to_numpy(zero_copy_only=False)


if __name__ == "__main__":
    sys.exit(main())
