"""Arrays on a pipe or in a file without pickle: a JSON header, then the raw bytes of each array.

Both sides may be hostile to each other, so the reader computes every length from the header and
compares before it makes an array. Cells of object columns are JSON: text, numbers, booleans, null.
"""

import json
import math
import struct
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Arrays = tuple[NDArray[Any], ...]

PREFIX: Final = struct.Struct("<4sIQ")  # magic, header bytes, body bytes
MAX_HEADER: Final = 256 << 20  # string cells live there
_MAGIC: Final = b"KSF1"
_DTYPES: Final = frozenset(("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"))
_MAX_RANK: Final = 4


class FrameError(ValueError):
    """These bytes are not a frame; the message says where they stop being one."""


def encode(meta: dict[str, Any], arrays: Sequence[NDArray[Any]]) -> bytes:
    """Write a frame: any JSON and arrays of numbers, booleans, or objects as described above."""
    heads: list[dict[str, Any]] = []
    bodies: list[bytes] = []
    for array in arrays:
        if array.dtype.kind in "OU":
            heads.append({"cells": array.ravel().tolist(), "shape": array.shape})
            continue
        plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        code = plain.dtype.str[1:]
        if code not in _DTYPES:
            raise FrameError(f"arrays of {array.dtype} cannot be sent")
        heads.append({"dtype": code, "shape": array.shape})
        bodies.append(plain.tobytes())
    header = json.dumps({"meta": meta, "arrays": heads}, default=_plain).encode()
    body = b"".join(bodies)
    return PREFIX.pack(_MAGIC, len(header), len(body)) + header + body


def sizes(prefix: bytes, most: int) -> tuple[int, int]:
    """Give the lengths of header and body that a prefix announces, at most `most` together."""
    try:
        magic, header, body = PREFIX.unpack(prefix)
    except struct.error as error:
        raise FrameError("cut off before its header") from error
    if magic != _MAGIC:
        raise FrameError("does not start like a frame")
    if header > MAX_HEADER or header + body > most:
        raise FrameError(f"announces {header + body} bytes, {most} are allowed")
    return int(header), int(body)


def decode(frame: bytes, most: int = 1 << 31) -> tuple[dict[str, Any], Arrays]:
    """Read a frame; the arrays are read-only views of it."""
    header, body = sizes(frame[: PREFIX.size], most)
    if len(frame) != PREFIX.size + header + body:
        raise FrameError(f"has {len(frame)} bytes, announces {PREFIX.size + header + body}")
    try:
        document = json.loads(frame[PREFIX.size : PREFIX.size + header])
        meta, heads = document["meta"], document["arrays"]
        if not isinstance(meta, dict) or not isinstance(heads, list):
            raise FrameError("its header is not one")
        at = PREFIX.size + header
        arrays = []
        for head in heads:
            array, used = _array(head, frame, at)
            arrays.append(array)
            at += used
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FrameError(f"its header is wrong: {error}") from error
    if at != len(frame):
        raise FrameError(f"{len(frame) - at} bytes too many")
    return meta, tuple(arrays)


def _array(head: dict[str, Any], frame: bytes, at: int) -> tuple[NDArray[Any], int]:
    shape = head["shape"]
    if not isinstance(shape, list) or len(shape) > _MAX_RANK:
        raise FrameError("an array has no proper shape")
    if not all(type(length) is int and 0 <= length < 1 << 40 for length in shape):
        raise FrameError("an array has no proper shape")
    count = math.prod(shape)
    if "cells" in head:
        cells = head["cells"]
        if not isinstance(cells, list) or len(cells) != count:
            raise FrameError("the cells do not fill their array")
        if not all(cell is None or type(cell) in (str, int, float, bool) for cell in cells):
            raise FrameError("a cell is neither text nor number nor missing")
        array = np.empty(count, object)
        array[:] = cells
        return array.reshape(shape), 0
    code = head["dtype"]
    if code not in _DTYPES:
        raise FrameError(f"unknown dtype {code!r}")
    kind = np.dtype("<" + code)
    size = count * kind.itemsize
    if at + size > len(frame):
        raise FrameError("an array is longer than the frame")
    return np.frombuffer(frame, kind, count, at).reshape(shape), size


def _plain(value: object) -> object:
    """Let numpy's scalars pass as cells, and nothing else."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be sent")
