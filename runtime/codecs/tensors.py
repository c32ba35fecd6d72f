"""Tensors of the Open Inference Protocol: checked reading, and writing as JSON.

Data may be flat or nested. A number is read as the float64 it is written as, whatever its datatype:
rounding it to FP32 first would only make the answer differ from the model's own.
"""

from collections.abc import Sequence
from math import prod
from typing import Any, Final, NamedTuple

import numpy as np

from runtime.codecs import v2_binary
from runtime.codecs.answers import values
from runtime.codecs.request import Faults
from runtime.codecs.v2_binary import Raw, Tail, wrong
from runtime.plan.ops import Array
from runtime.problems import InvalidInput

FLOATS: Final = frozenset({"FP64", "FP32", "FP16", "BF16"})
INTEGERS: Final = {
    f"{sign}INT{bits}": (
        (0, (1 << bits) - 1) if sign else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    )
    for sign in ("", "U")
    for bits in (8, 16, 32, 64)
}
# Parameters of an input that say its values are not in its data.
RAW: Final = frozenset({v2_binary.SIZE, "shared_memory_region"})
DATATYPES: Final = FLOATS | frozenset(INTEGERS) | {"BYTES", "BOOL"}
DTYPES: Final = {"FP64": "f8", "FP32": "f4", "INT64": "i8", "INT32": "i4", "BOOL": "?"}
# By numpy's type character; whatever else a model gives is written as FP64.
NAMES: Final = {
    "d": "FP64",
    "f": "FP32",
    "l": "INT64",
    "q": "INT64",
    "i": "INT32",
    "?": "BOOL",
    "O": "BYTES",
    "U": "BYTES",
}


class Tensor(NamedTuple):
    """A tensor whose shape and number of cells agree; they are in row-major order."""

    name: str
    datatype: str
    shape: list[int]
    found: list[Any] | Raw

    def cells(self) -> list[Any] | Array:
        """Give the cells; raises InvalidInput for raw ones that do not fit their datatype."""
        if isinstance(self.found, Raw):
            return v2_binary.read(self.found, self.name, self.datatype)
        if self.datatype == "BOOL" and set(map(type, self.found)) == {bool}:
            return np.array(self.found)
        return self.found


def read(tensor: Any, tail: Tail | None = None) -> Tensor:
    """Check one member of `inputs`, its bytes in `tail`; raises InvalidInput that names it."""
    if not isinstance(tensor, dict):
        raise InvalidInput('Every member of "inputs" must be a tensor object.')
    name, shape, datatype = tensor.get("name"), tensor.get("shape"), tensor.get("datatype")
    if not isinstance(name, str):
        raise InvalidInput("A tensor has no name.")
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        raise wrong(name, "shape must be a list of whole numbers")
    if len(shape) not in (1, 2):
        raise wrong(name, f"shape must be [rows] or [rows, columns], is {shape}")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        raise wrong(name, f"datatype must be one of {', '.join(sorted(DATATYPES))}")
    parameters = tensor.get("parameters")
    if isinstance(parameters, dict) and not RAW.isdisjoint(parameters):
        return Tensor(name, datatype, shape, _raw(name, datatype, shape, parameters, tail))
    cells = _flat(name, shape, tensor)
    if datatype in INTEGERS:
        _check_integers(name, datatype, shape, cells)
    return Tensor(name, datatype, shape, cells)


def _raw(
    name: str, datatype: str, shape: list[int], parameters: dict[str, Any], tail: Tail | None
) -> Raw:
    if v2_binary.SIZE not in parameters:
        raise wrong(name, "shared memory is not read; send the values")
    if tail is None:
        raise wrong(name, "binary data needs the header Inference-Header-Content-Length")
    return tail.take(name, datatype, shape, parameters[v2_binary.SIZE])


def _flat(name: str, shape: list[int], tensor: dict[str, Any]) -> list[Any]:
    data = tensor.get("data")
    if not isinstance(data, list):
        raise wrong(name, "data must be a list")
    if len(shape) == 2 and data and isinstance(data[0], list):
        for i, row in enumerate(data):
            if not isinstance(row, list) or len(row) != shape[1]:
                raise wrong(name, f"must have {shape[1]} values, as shape {shape} says", row=i)
        data = [cell for row in data for cell in row]
    if len(data) != prod(shape):
        raise wrong(name, f"shape {shape} needs {prod(shape)} values, data has {len(data)}")
    return data


def _check_integers(name: str, datatype: str, shape: list[int], cells: list[Any]) -> None:
    """Hold the cells of an integer tensor to its datatype; other faults are found later."""
    least, most = INTEGERS[datatype]
    if set(map(type, cells)) == {int} and least <= min(cells) and max(cells) <= most:
        return
    faults = Faults()
    width = shape[1] if len(shape) == 2 else 1
    for i, cell in enumerate(cells):
        whole = type(cell) is int or (type(cell) is float and cell.is_integer())
        if type(cell) in (int, float) and not (whole and least <= cell <= most):
            place = f' (tensor "{name}", value {i % width})' if width > 1 else ""
            faults.add(f"{cell} is no {datatype}{place}", i // width, name)
    if faults.found:
        raise faults.problem()


def of_matrix(matrix: Array, name: str = "input-0") -> dict[str, Any]:
    """Write a float64 matrix as one tensor."""
    return {
        "name": name,
        "datatype": "FP64",
        "shape": list(matrix.shape),
        "data": np.ascontiguousarray(matrix).reshape(-1),
    }


def of_column(name: str, cells: Sequence[Any] | Array, datatype: str) -> dict[str, Any]:
    """Write one column as a tensor; missing cells are null."""
    data = cells.tolist() if isinstance(cells, np.ndarray) else list(cells)
    return {"name": name, "datatype": datatype, "shape": [len(data)], "data": data}


def of_output(name: str, array: Array) -> dict[str, Any]:
    """Write one output as a tensor, data flat; labels that are strings are BYTES."""
    return {
        "name": name,
        "datatype": NAMES.get(array.dtype.char, "FP64"),
        "shape": array.shape,
        "data": values(array if array.ndim == 1 else array.reshape(-1)),
    }


def to_array(tensor: dict[str, Any], tail: Tail | None = None) -> Array:
    """Read an output tensor; raises ValueError, KeyError, TypeError or a Problem if it is none."""
    if tail is not None and v2_binary.SIZE in tensor.get("parameters", ()):
        return _raw_array(tensor, tail)
    dtype, data = DTYPES.get(tensor["datatype"], "O"), tensor["data"]
    if dtype in ("f8", "f4"):
        data = [np.nan if value is None else value for value in data]
    array = np.empty(len(data), dtype)
    array[:] = data
    return array.reshape(tensor["shape"])


def _raw_array(tensor: dict[str, Any], tail: Tail) -> Array:
    name, datatype, shape = str(tensor["name"]), tensor["datatype"], tensor["shape"]
    if datatype not in DATATYPES:
        raise ValueError(f"datatype {datatype!r} is not known")
    if type(shape) is not list or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError(f"{shape!r} is no shape")
    raw = tail.take(name, datatype, shape, tensor["parameters"][v2_binary.SIZE])
    cells = v2_binary.read(raw, name, datatype)
    if not isinstance(cells, np.ndarray):
        array = np.empty(len(cells), object)
        array[:] = cells
        cells = array
    return cells.reshape(shape)
