"""Makes Parquet of batches, and counts columns in bins: a process for each time, gone afterwards.

Arrow takes 57 MB, and what is read some more, that the API shall not hold; and what workers wrote
is not to be trusted: a batch that cannot be read is named, and ends nothing but itself. Reads one
JSON document from standard input and writes one to standard output. No database, no store.

    {"do": "write", "batches": [PATH], "into": FOLDER, "redact": [NAME], "hashed": [NAME],
     "predictions": bool, "bins": {COLUMN: SKETCH},
     "revisions": {NAME: {"model", "version", "columns": [NAME],
                         "outputs": [[NAME, DATATYPE, WIDTH, [COLUMN]]]}}}
    {"do": "sketch", "files": [PATH], "rows": most}
    {"do": "count", "files": [PATH], "bins": {COLUMN: SKETCH}}
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from runtime import sketches
from runtime.payload_batches import Logged, read_entries
from runtime.payload_log import BadBatch, Head, Layout, read_head
from runtime.sketches import MOST_COLUMNS, Sketch, sketch_from

INPUT, HASHED, OUTPUT = "input.", "hashed.", "output."
ANSWERED: Final = "outputs"  # the column that says which of them a request asked for
FLAT: Final = 100  # values of an output that get a column each
GOOD: Final = 200
Document = dict[str, Any]
TYPES: Final = {
    "FP64": ("f8", pa.float64()),
    "FP32": ("f4", pa.float32()),
    "INT64": ("i8", pa.int64()),
    "INT32": ("i4", pa.int32()),
    "BOOL": ("?", pa.bool_()),
    "BYTES": ("O", pa.string()),
}


class Kept(NamedTuple):
    """A column of what was asked; `role` INPUT or HASHED."""

    role: str
    name: str
    is_number: bool


class Group(NamedTuple):
    """What requests of one file have in common."""

    revision: str
    day: str
    kept: tuple[Kept, ...]


class Output(NamedTuple):
    """An output of a version's signature; `names` of its values, where there are some."""

    name: str
    datatype: str
    width: int | None
    names: Sequence[str]

    def shape(self, rows: int) -> tuple[int, ...]:
        """Give the shape of its values for some rows."""
        return (rows,) if self.width is None else (rows, self.width)

    def labels(self) -> list[str]:
        """Name its columns."""
        if self.width is None:
            return [self.name]
        names = self.names if len(self.names) == self.width else range(self.width)
        return [f"{self.name}.{name}" for name in names[:FLAT]]


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
    """Write a file for each revision, day and set of columns."""
    groups: dict[Group, list[tuple[Head, Logged]]] = {}
    bad, heads = list[str](), list[Head]()
    for path in map(Path, job["batches"]):
        try:
            head, found = _read(path, job["revisions"])
        except (BadBatch, OSError) as error:
            bad.append(path.stem)
            print(f"{path.name}: {error}", file=sys.stderr)  # noqa: T201
            continue
        heads.append(head)
        kept = {
            name: _kept(job, job["revisions"][_ours(name, job["revisions"])]["columns"], layout)
            for name, layout in head.revisions.items()
        }
        for one in found:
            day = np.datetime64(int(one.at * 1e6), "us").astype("M8[D]")
            ours = _ours(one.revision, job["revisions"])
            group = Group(ours, str(day), kept[one.revision])
            groups.setdefault(group, []).append((head, one))
    files = [_file(job, group, requests) for group, requests in groups.items()]
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
        known = revisions[_ours(name, revisions)]["columns"]
        if not {*known}.issuperset((*layout.numbers, *layout.texts)):
            raise BadBatch(f"{name} has no such columns")
    return head, [*read_entries(raw, start, head)]


def _ours(name: str, revisions: Mapping[str, Document]) -> str:
    """Give our name of a revision; Knative's has a hash behind it."""
    return name if name in revisions else name.rpartition("-")[0]


def _kept(job: Document, columns: Sequence[str], layout: Layout) -> tuple[Kept, ...]:
    """Tell which columns of what was asked are kept.

    Once more, by what is wanted now: a worker may not have heard of it when it wrote.
    """
    hashed = {*job["hashed"]} - {*layout.hashed}
    found = []
    for name in columns:
        if name in job["redact"] or name in hashed:
            continue
        if name in layout.texts:
            found.append(Kept(HASHED if name in layout.hashed else INPUT, name, is_number=False))
        elif name in layout.numbers:
            found.append(Kept(INPUT, name, is_number=True))
    return tuple(found)


def _file(job: Document, group: Group, requests: Sequence[tuple[Head, Logged]]) -> Document:
    requests = sorted(requests, key=lambda pair: pair[1].at)
    heights = np.array([max(1, one.rows) for _, one in requests])
    known, logged = job["revisions"][group.revision], [one for _, one in requests]
    columns = _about(known, group.revision, heights, logged)
    columns |= {kept.role + kept.name: _input(kept, requests) for kept in group.kept}
    if job["predictions"]:
        columns |= _outputs(logged, heights, [Output(*one) for one in known["outputs"]])
    table = pa.table(columns)
    schema = _digest(table)
    path = Path(job["into"], f"{group.revision}-{group.day}-{schema}.parquet")
    # Without Arrow's own schema beside Parquet's, which is a third of a column without values.
    pq.write_table(table, path, compression="zstd", store_schema=False)
    return {
        "revision": group.revision,
        "day": group.day,
        "schema": schema,
        "path": str(path),
        "size_bytes": path.stat().st_size,
        "requests": len(requests),
        "rows": table.num_rows,
        "first_at": requests[0][1].at,
        "last_at": requests[-1][1].at,
        "good_rows": int(_good(table).num_rows),
        "counts": _counts(_good(table), job["bins"]),
    }


def _digest(table: pa.Table) -> str:
    """Name a schema: files with the same can be read as one."""
    text = json.dumps([(field.name, str(field.type)) for field in table.schema])
    return hashlib.sha256(text.encode()).hexdigest()[:8]


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


def _input(kept: Kept, requests: Sequence[tuple[Head, Logged]]) -> pa.Array:
    """Give a column of what was asked; without a value where a request could not be read."""
    parts = list[Any]()
    for head, one in requests:
        layout = head.revisions[one.revision]
        if kept.is_number:
            at = layout.numbers.index(kept.name)
            parts.append(one.numbers[:, at] if one.rows else np.full(1, np.nan))
        else:
            cells = one.texts[layout.texts.index(kept.name)] if one.rows else [None]
            parts.append([None if cell is None else str(cell) for cell in cells])
    if kept.is_number:
        return pa.array(np.concatenate(parts), pa.float64(), from_pandas=True)
    return pa.array([*chain.from_iterable(parts)], pa.string())


def _outputs(
    requests: Sequence[Logged], heights: Any, outputs: Sequence[Output]
) -> dict[str, pa.Array]:
    """Give the columns of all that a version can answer, and which of it each request got.

    Whatever is asked, the columns are the same, or files could not be read as one.
    """
    answered = [
        {one.name: array for one in outputs if (array := _answer(request, one)) is not None}
        for request in requests
    ]
    told = [
        [*found] for found, height in zip(answered, heights, strict=True) for _ in range(height)
    ]
    columns = {ANSWERED: pa.array(told, pa.list_(pa.string()))}
    for one in outputs:
        dtype, kind = TYPES[one.datatype]
        there = np.repeat([one.name in found for found in answered], heights)
        if not there.any():  # one array for all, as there may be many
            columns |= dict.fromkeys(
                (OUTPUT + label for label in one.labels()), pa.nulls(len(told), kind)
            )
            continue
        whole = np.full(one.shape(len(told)), None if dtype == "O" else 0, dtype)
        whole[there] = np.concatenate([found[one.name] for found in answered if one.name in found])
        for at, label in enumerate(one.labels()):
            values = whole if one.width is None else whole[:, at]
            columns[OUTPUT + label] = _cells_of(values, there, kind)
    return columns


def _answer(request: Logged, output: Output) -> Any | None:
    """Give an output of a request as its signature has it; None: it did not ask for it."""
    array, dtype = request.outputs.get(output.name), TYPES[output.datatype][0]
    if array is None or array.shape != output.shape(max(1, request.rows)):
        return None
    return array.astype(dtype) if np.can_cast(array.dtype, dtype, "same_kind") else None


def _cells_of(values: Any, there: Any, kind: pa.DataType) -> pa.Array:
    if values.dtype.kind != "O":
        return pa.array(values, kind, mask=~there)
    return pa.array([None if cell is None else str(cell) for cell in values.tolist()], kind)


# Columns in bins


def sketch(job: Document) -> Document:
    """Sketch the columns of some files, of the first so many rows."""
    tables, left = list[pa.Table](), job["rows"]
    for path in job["files"]:
        tables.append(_good(pq.read_table(path)).slice(0, left))
        left -= tables[-1].num_rows
    columns = dict[str, list[pa.ChunkedArray]]()
    for table in tables:
        for name, column in _told(table):
            columns.setdefault(name, []).append(column)
    found = {}
    for name, parts in [*columns.items()][:MOST_COLUMNS]:
        kind = parts[-1].type
        column = pa.chunked_array(
            [chunk for part in parts if part.type == kind for chunk in part.chunks], kind
        )
        # Whole numbers that are answered are names of classes.
        texts = name.startswith(OUTPUT) and pa.types.is_integer(kind)
        found[name] = sketches.sketch(_cells(column, texts=texts)).to_json()
    return {"rows": job["rows"] - left, "columns": found}


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
    for name, column in _told(table):
        if name in bins:
            cut = sketch_from(bins[name]).bins
            one: Sketch = sketches.count(_cells(column, texts=cut.kind != "number"), cut)
            counted[name] = [one.missing, *one.counts]
    return counted


def _told(table: pa.Table) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """Give columns that drift is told of: of outputs, the rows whose caller asked for them.

    In the others an output is not missing, it was not wanted.
    """
    answered = table[ANSWERED].to_pylist() if ANSWERED in table.column_names else []
    rows = {
        output: pa.array([output in (one or ()) for one in answered])
        for output in dict.fromkeys(chain.from_iterable(one or () for one in answered))
    }
    for name in table.column_names:
        if name.startswith((INPUT, HASHED)):
            yield name, table[name]
        for output, asked in rows.items():
            if name == OUTPUT + output or name.startswith(f"{OUTPUT}{output}."):
                yield name, table[name].filter(asked)


def _good(table: pa.Table) -> pa.Table:
    """Give the rows that were answered."""
    return table.filter(pa.compute.equal(table["status"], GOOD))


def _cells(column: pa.ChunkedArray, *, texts: bool) -> Any:
    listed = column.to_pylist() if texts or pa.types.is_string(column.type) else None
    if listed is not None:
        return [None if cell is None else str(cell) for cell in listed]
    return column.to_numpy(zero_copy_only=False)


if __name__ == "__main__":
    sys.exit(main())
