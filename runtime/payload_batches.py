"""What is logged of requests on its way to the control plane: batches as bytes.

A batch is a file that is written whole: magic, a line of JSON, then entries. An entry is one
request: the sizes of its head and of all behind it, a head in JSON, and arrays as they lie in
memory. So a worker writes it with copies alone, and a reader makes columns without a loop over
cells.

    batch  MAGIC, head, newline, entry, entry, ...
    entry  u32 bytes of the head, u32 bytes behind it, head, numbers, texts, outputs
    head   [time, request id, revision, status, seconds, rows, bytes of numbers, bytes of texts,
            [[output, datatype, values a row | null, bytes], ...]]
           rows 0: its inputs could not be read, or the request was refused before they were
    numbers  (rows, columns) float64, row by row; texts: JSON, a list of cells for each column
    outputs  little-endian arrays; strings and what else is no number as a JSON list
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import orjson

from runtime.payload_log import BadBatch, Head
from runtime.plan.ops import Array, Float64Matrix

SIZES: Final = struct.Struct("<II")
MOST_ENTRY_BYTES: Final = 1024 * 1024
MOST_BATCH_BYTES: Final = 2 * 1024 * 1024  # a batch begins another entry below half of it


class Logged(NamedTuple):
    """One request.

    at       seconds since 1970, when it was answered
    seconds  from its last byte to its answer
    numbers  (rows, columns); texts: a list of cells for each column
    outputs  by name
    """

    at: float
    request_id: str
    revision: str
    status: int
    seconds: float
    rows: int
    numbers: Float64Matrix
    texts: list[list[str | float | None]]
    outputs: dict[str, Array]


def entry(
    told: tuple[float, str, str, int, float, int],
    numbers: bytes,
    texts: bytes,
    outputs: Sequence[tuple[str, Array]],
) -> bytes:
    """Write one request; `told` is time, request id, revision, status, seconds, rows."""
    about, blobs = [], [numbers, texts]
    for name, array in outputs:
        plain = array.dtype.kind in "fiub"
        blob = array.tobytes() if plain else orjson.dumps([*map(_cell, array.ravel().tolist())])
        width = array.shape[1] if array.ndim == 2 else None
        about.append([name, array.dtype.str if plain else "", width, len(blob)])
        blobs.append(blob)
    head = orjson.dumps([*told, len(numbers), len(texts), about])
    return b"".join((SIZES.pack(len(head), sum(map(len, blobs))), head, *blobs))


def _cell(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float) else str(value)


def read_entries(raw: bytes, start: int, head: Head) -> Iterator[Logged]:
    """Read the requests of a batch; raises BadBatch at one that is not whole."""
    while start < len(raw):
        try:
            first, behind = SIZES.unpack_from(raw, start)
            body = start + SIZES.size + first
            if body + behind > len(raw):
                raise BadBatch("it ends amid a request")
            yield _logged(
                raw[start + SIZES.size : body], memoryview(raw)[body : body + behind], head
            )
            start = body + behind
        except (ValueError, TypeError, KeyError, struct.error, RecursionError) as error:
            raise BadBatch(f"a request cannot be read: {error!r}") from error


def _logged(raw: bytes, blobs: memoryview, head: Head) -> Logged:
    at, request_id, revision, status, seconds, rows, numbers, texts, about = orjson.loads(raw)
    layout = head.revisions[revision]
    if type(rows) is not int or not 0 <= rows <= MOST_ENTRY_BYTES:
        raise BadBatch("no number of rows")
    width = len(layout.numbers) if rows else 0
    matrix = np.frombuffer(blobs[:numbers], "<f8").reshape(rows, width)
    cells = orjson.loads(blobs[numbers : numbers + texts]) if texts else []
    if rows and ([*map(len, cells)] != [rows] * len(layout.texts)):
        raise BadBatch("its texts are not those of its columns")
    outputs, begin = {}, numbers + texts
    for name, kind, wide, size in about:
        outputs[str(name)] = _output(blobs[begin : begin + size], kind, rows, wide)
        begin += size
    if begin != len(blobs):
        raise BadBatch("a request is longer than it says")
    return Logged(
        float(at), str(request_id), revision, int(status), float(seconds), rows, matrix, cells,
        outputs,
    )  # fmt: skip


def _output(blob: memoryview, kind: str, rows: int, width: int | None) -> Array:
    if kind:
        if np.dtype(kind).kind not in "fiub":
            raise BadBatch(f"an output is of {kind!r}")
        array: Array = np.frombuffer(blob, kind)
    else:
        cells = orjson.loads(blob)
        array = np.empty(len(cells), object)
        array[:] = cells
    return array.reshape(rows) if width is None else array.reshape(rows, width)
