"""Arrays to JSON: what all formats share on the way out."""

from typing import Any

import numpy as np
import orjson

from runtime.plan.ops import Array

OPTIONS = orjson.OPT_SERIALIZE_NUMPY


def values(array: Array) -> Any:
    """Give an array as orjson takes it fastest; NaN becomes null, since JSON has none."""
    if array.dtype.kind in "OU":
        return array.tolist()
    if array.dtype.kind == "b":
        return array.tolist()
    # orjson writes NaN and infinities of numpy arrays as null by itself; small arrays are faster
    # as lists (measured: 1 row 0.4 against 0.9 us), large ones as arrays.
    if array.size <= 16:
        return array.tolist()
    return np.ascontiguousarray(array)


def dump(document: Any) -> bytes:
    """Write JSON, numpy arrays included."""
    return orjson.dumps(document, option=OPTIONS)
