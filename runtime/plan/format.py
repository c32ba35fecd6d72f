"""The plan file: magic, header length, JSON header, aligned tensors. Read through one memory map.

    0   8   magic `KPLAN` 00 00 01
    8   8   length of the header, unsigned little endian
    16  n   JSON: {"format", "graph", "tensors", "signature", "cost", "provenance"}
        …   zeros up to a multiple of 64, then the tensors, each padded to a multiple of 64

`tensors` maps a name to [dtype, shape, offset, bytes]; offsets count from the end of the header's
padding, in file order, without holes. The file comes from a sandbox in which a tenant's code ran:
everything is checked against the size of the file before an array is made, and nothing is copied.
"""

import json
import mmap
import os
import re
import struct
from collections.abc import Mapping
from math import prod
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np

from runtime.plan.ops import Array, PlanError

MAGIC: Final = b"KPLAN\x00\x00\x01"
FORMAT: Final = 1
ALIGN: Final = 64
MAX_HEADER: Final = 16 << 20
MAX_TENSORS: Final = 10_000
MAX_RANK: Final = 4
MAX_NESTING: Final = 200
ITEM_BYTES: Final = {
    "f8": 8,
    "f4": 4,
    "i8": 8,
    "i4": 4,
    "i2": 2,
    "i1": 1,
    "u8": 8,
    "u4": 4,
    "u2": 2,
    "u1": 1,
    "b1": 1,
}
# Also one that never ends, which would be looked for again at each of its quotes.
STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
SECTIONS: Final = {"format", "graph", "tensors", "signature", "cost", "provenance"}


class PlanFile(NamedTuple):
    """Header and tensors; the tensors are read-only views of the mapping."""

    header: dict[str, Any]
    tensors: dict[str, Array]


def write(
    file: BinaryIO,
    *,
    graph: Mapping[str, Any],
    tensors: Mapping[str, Array],
    signature: Mapping[str, Any],
    cost: Mapping[str, float],
    provenance: Mapping[str, Any],
) -> None:
    """Write a plan; raises PlanError for an array that the format does not hold."""
    table: dict[str, list[Any]] = {}
    chunks: list[bytes] = []
    offset = 0
    for name, array in tensors.items():
        raw = _raw(name, array)
        table[name] = [array.dtype.str[1:], list(array.shape), offset, len(raw)]
        chunks.append(raw + bytes(-len(raw) % ALIGN))
        offset += len(chunks[-1])
    header = json.dumps(
        {
            "format": FORMAT,
            "graph": graph,
            "tensors": table,
            "signature": signature,
            "cost": cost,
            "provenance": provenance,
        },
        separators=(",", ":"),
        allow_nan=False,
    ).encode()
    start = len(MAGIC) + 8 + len(header)
    file.write(MAGIC + struct.pack("<Q", len(header)) + header + bytes(-start % ALIGN))
    file.writelines(chunks)


def _raw(name: str, array: Array) -> bytes:
    if array.dtype.str[1:] not in ITEM_BYTES or array.dtype.str[0] == ">":
        raise PlanError(f"tensor {name}: dtype {array.dtype} cannot be stored")
    return np.ascontiguousarray(array).tobytes()


def read(path: str | os.PathLike[str]) -> PlanFile:
    """Map a plan file; raises PlanError with what is wrong, OSError if it cannot be opened."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        if size < len(MAGIC) + 8:
            raise PlanError("the file is too short to be a plan")
        view = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
    finally:
        os.close(descriptor)
    header, base = _header(view, size)
    return PlanFile(header, _tensors(view, header["tensors"], base, size))


def _header(view: mmap.mmap, size: int) -> tuple[dict[str, Any], int]:
    if view[:8] != MAGIC:
        raise PlanError("the file is not a plan, or one of another version")
    (length,) = struct.unpack_from("<Q", view, 8)
    if length > min(MAX_HEADER, size - 16):
        raise PlanError(f"the header claims {length} bytes")
    raw = view[16 : 16 + length]
    if raw.count(b"[") + raw.count(b"{") > MAX_NESTING:
        _check_nesting(raw)
    try:
        header = json.loads(raw.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
        if b"\\ud" in raw.lower():
            # Half a surrogate pair is JSON, but no answer that holds it could ever be encoded.
            json.dumps(header, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise PlanError(f"the header is not JSON: {error}") from error
    if not isinstance(header, dict) or set(header) != SECTIONS:
        raise PlanError(f"the header must hold {sorted(SECTIONS)}")
    if type(header["format"]) is not int or header["format"] != FORMAT:
        raise PlanError(f"format {header['format']!r}; this runtime reads {FORMAT}")
    base = 16 + length
    return header, base + -base % ALIGN


def _check_nesting(raw: bytes) -> None:
    """Count brackets outside strings, so that the parser never meets a deep document."""
    structure = np.frombuffer(STRING.sub(b"", raw), np.uint8)
    opens = (structure == ord("[")) | (structure == ord("{"))
    closes = (structure == ord("]")) | (structure == ord("}"))
    depth = np.cumsum(opens.astype(np.int8) - closes.astype(np.int8), dtype=np.int64)
    if depth.max(initial=0) > MAX_NESTING:
        raise PlanError(f"the header is nested deeper than {MAX_NESTING}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise PlanError("the header names a key twice")
    return found


def _no_constant(text: str) -> Any:
    raise PlanError(f"the header holds {text}, which is not JSON")


def _tensors(view: mmap.mmap, table: Any, base: int, size: int) -> dict[str, Array]:
    if not isinstance(table, dict) or len(table) > MAX_TENSORS:
        raise PlanError(f"'tensors' must name at most {MAX_TENSORS} tensors")
    found: dict[str, Array] = {}
    end = 0
    for name, entry in table.items():
        code, shape, offset, length = _entry(name, entry)
        count = prod(shape)
        if offset != end or count * ITEM_BYTES[code] != length or base + offset + length > size:
            raise PlanError(f"tensor {name} does not lie where it should")
        end = offset + length + -length % ALIGN
        flat = np.frombuffer(view, dtype="<" + code, count=count, offset=base + offset)
        if code == "b1" and count and flat.view(np.uint8).max() > 1:
            raise PlanError(f"tensor {name} holds a boolean that is neither 0 nor 1")
        found[name] = flat.reshape(shape)
    if base + end != size:
        raise PlanError(f"the file has {size} bytes, its header describes {base + end}")
    return found


def _entry(name: str, entry: Any) -> tuple[str, list[int], int, int]:
    if not isinstance(entry, list) or len(entry) != 4:
        raise PlanError(f"tensor {name} is not described by dtype, shape, offset and bytes")
    code, shape, offset, length = entry
    fits = (
        isinstance(code, str)
        and code in ITEM_BYTES
        and isinstance(shape, list)
        and len(shape) <= MAX_RANK
        and all(type(n) is int and 0 <= n < 1 << 40 for n in (*shape, offset, length))
        # An empty tensor may have any shape whose other sides numpy can still multiply.
        and prod(n for n in shape if n) < 1 << 40
    )
    if not fits:
        raise PlanError(f"tensor {name} has a bad dtype, shape or place")
    return code, shape, offset, length
