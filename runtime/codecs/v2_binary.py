"""The binary tensor data extension of the Open Inference Protocol: raw tensors behind a JSON head.

The header `Inference-Header-Content-Length` says where the head ends; each tensor's
`parameters.binary_data_size` says how many of the bytes behind it are its own, in order.
Little-endian, row-major; a text is its length in four bytes, then its UTF-8.
"""

import struct
from collections.abc import Sequence
from math import prod
from typing import Any, Final, NamedTuple

import numpy as np

from runtime.codecs.request import Body, Faults
from runtime.plan.ops import Array
from runtime.problems import InvalidInput, Malformed

HEADER: Final = "inference-header-content-length"
SIZE: Final = "binary_data_size"
DTYPES: Final = {
    "BOOL": "u1",
    **{f"INT{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
    "FP16": "<f2",
    "BF16": "<u2",  # the upper half of an FP32
    "FP32": "<f4",
    "FP64": "<f8",
}
# What an answer's array is called, by numpy's kind and size; anything else is written as FP64.
NAMES: Final = {"f8": "FP64", "f4": "FP32", "i8": "INT64", "i4": "INT32", "b1": "BOOL"}
LENGTH: Final = struct.Struct("<I")
ALIGN: Final = 8  # heads are padded, so that who reads us finds its numbers where it may use them


class Parts(NamedTuple):
    """A body whose parts are written without being joined.

    head_bytes  length of the JSON head where raw tensors follow; None: the body is JSON alone
    coding      how the body is compressed; `head_bytes` counts before that
    """

    buffers: tuple[Body, ...]
    head_bytes: int | None = None
    coding: str | None = None

    @property
    def size(self) -> int:
        """Give the bytes of all parts."""
        return sum(map(len, self.buffers))

    def join(self) -> bytes:
        """Give the body in one piece; this copies it."""
        return b"".join(self.buffers)


class Raw(NamedTuple):
    """The bytes of one tensor, whose number agrees with its shape (but for BYTES)."""

    buffer: memoryview
    cells: int
    width: int  # cells of a row


class Tail:
    """What follows the head of a body: handed out tensor by tensor."""

    __slots__ = ("_at", "_buffer")

    def __init__(self, body: Body, head_bytes: int) -> None:
        """Raises Malformed where the body is shorter than its head."""
        if not 0 <= head_bytes <= len(body):
            raise Malformed(
                f"Inference-Header-Content-Length is {head_bytes}, the body has {len(body)} bytes."
            )
        self._buffer, self._at = memoryview(body), head_bytes

    def take(self, name: str, datatype: str, shape: Sequence[int], size: Any) -> Raw:
        """Give a tensor its bytes; raises InvalidInput. Nothing is allocated."""
        cells, left = prod(shape), len(self._buffer) - self._at
        if type(size) is not int or size < 0:
            raise wrong(name, f"{SIZE} must be a whole number")
        if size > left:
            raise wrong(name, f"{SIZE} is {size}, the body has {left} bytes left for it")
        dtype = DTYPES.get(datatype)
        need = 4 * cells if dtype is None else cells * np.dtype(dtype).itemsize
        if need > size or (dtype is not None and need != size):
            least = "at least " if dtype is None else ""
            said = f"shape {list(shape)} of {datatype} needs {least}{need} bytes"
            raise wrong(name, f"{said}, {SIZE} is {size}")
        start, self._at = self._at, self._at + size
        return Raw(self._buffer[start : self._at], cells, shape[1] if len(shape) == 2 else 1)

    def done(self) -> None:
        """Refuse bytes that belong to no tensor."""
        left = len(self._buffer) - self._at
        if left:
            raise InvalidInput(f"{left} bytes follow the last tensor's {SIZE}.")


def read(raw: Raw, name: str, datatype: str) -> Array | list[str]:
    """Give a tensor's cells: texts as a list, FP64 where it lies, all others widened or as is.

    Numbers come in their own dtype but for FP16 and BF16, which come as FP32. Raises InvalidInput.
    """
    if datatype == "BYTES":
        return _texts(raw, name)
    array = np.frombuffer(raw.buffer, DTYPES[datatype])
    if datatype == "BOOL":
        if array.size and array.max() > 1:
            place = int(np.argmax(array > 1))
            raise _at(raw, name, place, f"{array[place]} is no BOOL, which is 0 or 1")
        return array.view(np.bool_)
    if datatype == "BF16":
        return (array.astype(np.uint32) << np.uint32(16)).view(np.float32)
    if datatype == "FP16":
        return array.astype(np.float32)
    # Where a head is not padded numbers lie anywhere; numpy reads those, but its fast loops do not.
    return array if array.flags.aligned else array.copy()


def _texts(raw: Raw, name: str) -> list[str]:
    buffer, at, end = raw.buffer, 0, len(raw.buffer)
    texts: list[str] = []
    for place in range(raw.cells):
        if end - at < 4:
            raise _at(raw, name, place, "its length is cut off")
        start = at + 4
        at = start + LENGTH.unpack_from(buffer, at)[0]
        if at > end:
            raise _at(raw, name, place, f"is {at - start} bytes long, {end - start} are left")
        try:
            texts.append(str(buffer[start:at], "utf-8"))
        except UnicodeDecodeError as error:
            raise _at(raw, name, place, "is not UTF-8") from error
    if at != end:
        raise wrong(name, f"{end - at} bytes follow the last of its {raw.cells} texts")
    return texts


def write(array: Array) -> tuple[str, Body]:
    """Give an array's datatype and its bytes; numbers that lie in one piece are not copied."""
    if array.dtype.kind in "OU":
        return "BYTES", texts(array.reshape(-1).tolist())
    datatype = NAMES.get(f"{array.dtype.kind}{array.dtype.itemsize}", "FP64")
    dtype = np.bool_ if datatype == "BOOL" else DTYPES[datatype]
    flat = np.ascontiguousarray(array, dtype).reshape(-1)
    return datatype, flat.view(np.uint8).data


def texts(cells: Sequence[Any]) -> bytes:
    """Write texts, each behind its length."""
    parts: list[bytes] = []
    for cell in cells:
        text = str(cell).encode()
        parts += (LENGTH.pack(len(text)), text)
    return b"".join(parts)


def padded(head: bytes) -> bytes:
    """End a JSON head with so many spaces that what follows is aligned."""
    return head + b" " * (-len(head) % ALIGN)


def wrong(name: str, detail: str, row: int | None = None) -> InvalidInput:
    """Make a fault of one tensor."""
    place = {} if row is None else {"row": row}
    where = "" if row is None else f" row {row}:"
    return InvalidInput(
        f'tensor "{name}":{where} {detail}', errors=[{"tensor": name, **place, "detail": detail}]
    )


def _at(raw: Raw, name: str, place: int, detail: str) -> InvalidInput:
    faults = Faults()
    row, value = divmod(place, raw.width)
    where = f' (tensor "{name}", value {value})' if raw.width > 1 else ""
    faults.add(detail + where, row, name)
    return faults.problem()
