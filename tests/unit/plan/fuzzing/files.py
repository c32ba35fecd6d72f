"""Plan files written without the format's own checks, so that they may lie."""

import json
import struct
from typing import Any

from runtime.plan.format import ALIGN, MAGIC
from tests.unit.plan.fuzzing.hostile import Tensors


def text_of(header: Any) -> bytes:
    """A header as JSON; an infinity as a number so large that a reader makes one of it."""
    text = json.dumps(header)
    return text.replace("-Infinity", "-1e999").replace("Infinity", "1e999").encode()


def table_of(tensors: Tensors) -> dict[str, Any]:
    """What an honest header says of tensors."""
    table, offset = {}, 0
    for name, array in tensors.items():
        table[name] = [array.dtype.str[1:], list(array.shape), offset, array.nbytes]
        offset += array.nbytes + -array.nbytes % ALIGN
    return table


def file_of(header: Any, tensors: Tensors) -> bytes:
    """A file whose header may say anything; its tensors follow in their order."""
    raw = text_of(header)
    start = MAGIC + struct.pack("<Q", len(raw)) + raw
    padded = [array.tobytes() + bytes(-array.nbytes % ALIGN) for array in tensors.values()]
    return start + bytes(-len(start) % ALIGN) + b"".join(padded)
