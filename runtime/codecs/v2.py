"""The Open Inference Protocol (V2), JSON tensors.

Input is either one tensor of shape [rows, columns], or one tensor for each column, named as the
column, of shape [rows] or [rows, 1]. The binary extension is not read here.
"""

from collections.abc import Mapping
from math import prod
from typing import Any, Final

import numpy as np

from runtime.codecs.answers import dump, values
from runtime.codecs.frames import from_columns, from_rows
from runtime.codecs.request import Call, ModelInfo, check_rows, outputs_asked, parse
from runtime.plan.ops import Array, Frame, Inputs
from runtime.plan.signature import Signature
from runtime.problems import InvalidInput, Malformed

NUMERIC: Final = frozenset(
    {
        "FP64",
        "FP32",
        "FP16",
        "INT64",
        "INT32",
        "INT16",
        "INT8",
        "UINT64",
        "UINT32",
        "UINT16",
        "UINT8",
    }
)
DTYPES: Final = {"FP64": "f8", "FP32": "f4", "INT64": "i8", "INT32": "i4", "BOOL": "?"}
CODES: Final = {"f8": "FP64", "f4": "FP32", "i8": "INT64", "i4": "INT32", "b1": "BOOL"}


def decode(body: bytes, signature: Signature, *, max_rows: int) -> Call:
    """Read a request body; raises Malformed, InvalidInput or TooLarge."""
    document = parse(body)
    if not isinstance(document, dict):
        raise Malformed('The body must be an object: {"inputs": [...]}.')
    tensors = document.get("inputs")
    if not isinstance(tensors, list) or not tensors:
        raise InvalidInput('"inputs" must be a list of tensors.')
    inputs, rows = _inputs(tensors, signature, max_rows)
    asked = _asked(document.get("outputs"))
    request_id = document.get("id")
    if request_id is not None and not isinstance(request_id, str):
        raise InvalidInput('"id" must be a string.')
    outputs = outputs_asked(asked, signature)
    return Call(inputs, rows, outputs, picked=asked is not None, request_id=request_id)


def _asked(outputs: Any) -> list[Any] | None:
    if not outputs:
        return None
    if not isinstance(outputs, list) or not all(isinstance(o, dict) for o in outputs):
        raise InvalidInput('"outputs" must be a list of {"name": ...}.')
    return [output.get("name") for output in outputs]


def _inputs(tensors: list[Any], signature: Signature, max_rows: int) -> tuple[Inputs, int]:
    first = tensors[0]
    if len(tensors) == 1 and isinstance(first, dict) and _rank(first) == 2:
        name, shape, cells = _tensor(first, signature, matrix=True)
        if name not in {column.name for column in signature.columns} or shape[1] != 1:
            return _matrix(name, shape, cells, signature, max_rows)
    return _columns(tensors, signature, max_rows)


def _rank(tensor: dict[str, Any]) -> int:
    shape = tensor.get("shape")
    return len(shape) if isinstance(shape, list) else 0


def _matrix(
    name: str, shape: list[int], cells: list[Any], signature: Signature, max_rows: int
) -> tuple[Inputs, int]:
    rows, width = shape
    if width != len(signature.columns):
        raise InvalidInput(
            f'tensor "{name}" has {width} columns, this model takes {len(signature.columns)}',
            errors=[{"detail": f"shape {shape} must be [rows, {len(signature.columns)}]"}],
        )
    check_rows(rows, max_rows)
    nested = [cells[i * width : (i + 1) * width] for i in range(rows)]
    return from_rows(nested, signature), rows


def _columns(tensors: list[Any], signature: Signature, max_rows: int) -> tuple[Inputs, int]:
    named: dict[str, list[Any]] = {}
    for tensor in tensors:
        if not isinstance(tensor, dict):
            raise InvalidInput("every member of inputs must be a tensor object")
        name, shape, cells = _tensor(tensor, signature, matrix=False)
        if len(shape) == 2 and shape[1] != 1:
            raise InvalidInput(f'tensor "{name}" must have shape [rows] or [rows, 1], has {shape}')
        if name in named:
            raise InvalidInput(f'tensor "{name}" is there twice')
        named[name] = cells
    if len(signature.columns) == 1 and len(named) == 1:
        named = {signature.columns[0].name: next(iter(named.values()))}
    rows = len(next(iter(named.values())))
    check_rows(rows, max_rows)
    _check_names(named, rows, signature)
    ordered = [named.get(c.name, [None] * rows) for c in signature.columns]
    return from_columns(ordered, signature), rows


def _check_names(named: dict[str, list[Any]], rows: int, signature: Signature) -> None:
    faults: list[dict[str, Any]] = []
    known = {column.name for column in signature.columns}
    faults += [
        {"column": name, "detail": "this model has no such column"}
        for name in named
        if name not in known
    ]
    faults += [
        {"column": column.name, "detail": "is not there, and this model needs it"}
        for column in signature.columns
        if column.name not in named and not column.missing
    ]
    faults += [
        {"column": name, "detail": f"has {len(cells)} rows, the first tensor has {rows}"}
        for name, cells in named.items()
        if len(cells) != rows
    ]
    if faults:
        raise InvalidInput(
            f'column "{faults[0]["column"]}": {faults[0]["detail"]}', errors=faults[:100]
        )


def _tensor(
    tensor: dict[str, Any], signature: Signature, *, matrix: bool
) -> tuple[str, list[int], list[Any]]:
    """Check one tensor; gives its name, shape and cells in row-major order."""
    name, shape = tensor.get("name"), tensor.get("shape")
    datatype, data = tensor.get("datatype"), tensor.get("data")
    if not isinstance(name, str):
        raise InvalidInput("a tensor has no name")
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        raise InvalidInput(f'tensor "{name}": shape must be a list of whole numbers')
    if len(shape) not in (1, 2):
        raise InvalidInput(f'tensor "{name}": shape must be [rows, {len(signature.columns)}]')
    if datatype not in NUMERIC and datatype not in ("BYTES", "BOOL"):
        raise InvalidInput(f'tensor "{name}": unknown datatype {datatype!r}')
    if not isinstance(data, list):
        raise InvalidInput(f'tensor "{name}": data must be a list')
    cells = data
    if data and isinstance(data[0], list):
        cells = [cell for row in data for cell in (row if isinstance(row, list) else [row])]
    if len(cells) != prod(shape):
        raise InvalidInput(
            f'tensor "{name}": shape {shape} needs {prod(shape)} values, data has {len(cells)}'
        )
    if datatype == "BOOL" and not matrix:
        raise InvalidInput(f'tensor "{name}": BOOL is not read; send 0 and 1 as a number')
    return name, shape, cells


def encode_answer(call: Call, results: Mapping[str, Array], model: ModelInfo) -> bytes:
    """Write the answer: one tensor for each output, data in row-major order."""
    document: dict[str, Any] = {
        "model_name": model.endpoint,
        "model_version": str(model.version),
        "outputs": [output_tensor(name, results[name]) for name in call.outputs],
    }
    if call.request_id is not None:
        document["id"] = call.request_id
    return dump(document)


def output_tensor(name: str, array: Array) -> dict[str, Any]:
    """Give one output as a tensor; labels that are strings are BYTES."""
    return {
        "name": name,
        "datatype": "BYTES" if array.dtype.kind in "OU" else CODES.get(array.dtype.str[1:], "FP64"),
        "shape": list(array.shape),
        "data": values(array.reshape(-1)),
    }


def encode_call(
    inputs: Inputs,
    signature: Signature,
    outputs: tuple[str, ...] | None = None,
    request_id: str | None = None,
) -> bytes:
    """Write a request from a matrix or a frame."""
    if isinstance(inputs, Frame):
        tensors = [
            _column_tensor(column.name, cells)
            for column, cells in zip(signature.columns, inputs.columns, strict=True)
        ]
    else:
        tensors = [
            {
                "name": "input-0",
                "datatype": "FP64",
                "shape": list(inputs.shape),
                "data": inputs.ravel(),
            }
        ]
    document: dict[str, Any] = {"inputs": tensors}
    if outputs is not None:
        document["outputs"] = [{"name": name} for name in outputs]
    if request_id is not None:
        document["id"] = request_id
    return dump(document)


def _column_tensor(name: str, cells: Array) -> dict[str, Any]:
    datatype = "BYTES" if cells.dtype == object else "FP64"
    return {"name": name, "datatype": datatype, "shape": [len(cells)], "data": values(cells)}


def decode_answer(body: bytes) -> dict[str, Array]:
    """Read an answer: an array for each output."""
    found: dict[str, Array] = {}
    for tensor in parse(body)["outputs"]:
        dtype = DTYPES.get(tensor["datatype"], object)
        data = (
            [np.nan if v is None else v for v in tensor["data"]]
            if dtype == "f8"
            else tensor["data"]
        )
        found[tensor["name"]] = np.array(data, dtype).reshape(tensor["shape"])
    return found
