"""The Open Inference Protocol (V2), JSON tensors.

Input is either one tensor of shape [rows, columns], or one tensor for each column, named as the
column, of shape [rows] or [rows, 1]. The binary extension is not read here.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from runtime.codecs import tensors
from runtime.codecs.answers import dump
from runtime.codecs.frames import from_columns, from_flat, layout_of
from runtime.codecs.request import Call, ModelInfo, check_rows, outputs_asked, parse, refused
from runtime.codecs.single import Around, Single
from runtime.codecs.tensors import Tensor
from runtime.plan.ops import Array, Float64Matrix, Frame, Inputs
from runtime.plan.signature import Output, Signature
from runtime.problems import InvalidInput, Malformed


def decode(body: bytes, signature: Signature, *, max_rows: int) -> Call:
    """Read a request body; raises Malformed, InvalidInput or TooLarge."""
    document = parse(body)
    if not isinstance(document, dict):
        raise Malformed('The body must be an object: {"inputs": [...]}.')
    listed = document.get("inputs")
    if not isinstance(listed, list) or not listed:
        raise InvalidInput('"inputs" must be a list of tensors.')
    request_id = document.get("id")
    if request_id is not None and not isinstance(request_id, str):
        raise InvalidInput('"id" must be a string.')
    asked = _asked(document.get("outputs"))
    outputs = outputs_asked(asked, signature)
    inputs, rows = _inputs(listed, signature, max_rows)
    return Call(inputs, rows, outputs, picked=asked is not None, request_id=request_id)


def _asked(outputs: Any) -> list[Any] | None:
    if not outputs:
        return None
    if not isinstance(outputs, list) or not all(isinstance(o, dict) for o in outputs):
        raise InvalidInput('"outputs" must be a list of {"name": ...}.')
    return [output.get("name") for output in outputs]


def _inputs(listed: list[Any], signature: Signature, max_rows: int) -> tuple[Inputs, int]:
    plain = _plain(listed, signature, max_rows)
    if plain is not None:
        return plain, len(plain)
    found = [tensors.read(tensor) for tensor in listed]
    first = found[0]
    if len(found) == 1 and len(first.shape) == 2:
        column = first.shape[1] == 1 and any(first.name == c.name for c in signature.columns)
        if not column:
            return _matrix(first, signature, max_rows)
    return _columns(found, signature, max_rows)


def _plain(listed: list[Any], signature: Signature, max_rows: int) -> Float64Matrix | None:
    """Read what nearly everybody sends, one flat FP64 matrix; None: look closer."""
    layout, tensor = layout_of(signature), listed[0]
    if len(listed) != 1 or type(tensor) is not dict or tensor.get("datatype") != "FP64":
        return None
    shape, cells, name = tensor.get("shape"), tensor.get("data"), tensor.get("name")
    if type(shape) is not list or type(cells) is not list or type(name) is not str:
        return None
    if len(shape) != 2 or not type(shape[0]) is type(shape[1]) is int:
        return None
    rows, width = shape
    if width != layout.width or not 0 <= rows <= max_rows or len(cells) != rows * width:
        return None
    if not layout.allowed or not layout.allowed.issuperset(map(type, cells)):
        return None
    return np.array(cells, np.float64).reshape(rows, width)


def _matrix(tensor: Tensor, signature: Signature, max_rows: int) -> tuple[Inputs, int]:
    rows, width = tensor.shape
    if width != len(signature.columns):
        detail = f"has {width} columns, this model takes {len(signature.columns)}"
        raise InvalidInput(
            f'tensor "{tensor.name}" {detail}', errors=[{"tensor": tensor.name, "detail": detail}]
        )
    check_rows(rows, max_rows)
    return from_flat(tensor.cells, rows, signature), rows


def _columns(found: list[Tensor], signature: Signature, max_rows: int) -> tuple[Inputs, int]:
    if len(signature.columns) == 1 and len(found) == 1:
        found[0].name = signature.columns[0].name  # a single column needs no name
    rows = found[0].shape[0]
    _check_columns(found, rows, signature)
    check_rows(rows, max_rows)
    named = {tensor.name: tensor.cells for tensor in found}
    ordered = [named.get(column.name) or [None] * rows for column in signature.columns]
    return from_columns(ordered, signature), rows


def _check_columns(found: list[Tensor], rows: int, signature: Signature) -> None:
    known = layout_of(signature).index
    faults: list[dict[str, Any]] = []
    seen: set[str] = set()
    for tensor in found:
        if tensor.name not in known:
            hint = f"; one tensor for all columns has shape [rows, {len(known)}]"
            more = hint if len(found) == 1 else ""
            faults.append({"column": tensor.name, "detail": f"this model has no such column{more}"})
        elif tensor.name in seen:
            faults.append({"column": tensor.name, "detail": "is there twice"})
        seen.add(tensor.name)
        if len(tensor.shape) == 2 and tensor.shape[1] != 1:
            detail = f"must have shape [rows] or [rows, 1], has {tensor.shape}"
            faults.append({"column": tensor.name, "detail": detail})
        elif tensor.shape[0] != rows:
            detail = f"has {tensor.shape[0]} rows, the first tensor has {rows}"
            faults.append({"column": tensor.name, "detail": detail})
    faults += [
        {"column": column.name, "detail": "is not there, and this model needs it"}
        for column in signature.columns
        if column.name not in seen and not column.missing
    ]
    if faults:
        raise refused(faults)


def encode_answer(call: Call, results: Mapping[str, Array], model: ModelInfo) -> bytes:
    """Write the answer: one tensor for each output, data in row-major order."""
    document: dict[str, Any] = {
        "model_name": model.endpoint,
        "model_version": str(model.version),
        "outputs": [tensors.of_output(name, results[name]) for name in call.outputs],
    }
    if call.request_id is not None:
        document["id"] = call.request_id
    return dump(document)


def single_rows(documents: list[Any]) -> list[Any] | None:
    """Give the row of each document that is one FP64 tensor of one row and nothing else."""
    rows = []
    for document in documents:
        if type(document) is not dict or len(document) != 1:
            return None
        listed = document.get("inputs")
        if type(listed) is not list or len(listed) != 1 or type(listed[0]) is not dict:
            return None
        tensor = listed[0]
        cells, shape = tensor.get("data"), tensor.get("shape")
        plain = tensor.get("datatype") == "FP64" and type(tensor.get("name")) is str
        if not plain or type(cells) is not list or len(tensor) != 4 or shape != [1, len(cells)]:
            return None
        if type(shape[0]) is not int or type(shape[1]) is not int or type(cells[0]) is list:
            return None
        rows.append(cells)
    return rows


def around(output: Output, model: ModelInfo) -> Around:
    """Give what `encode_answer` writes before and after one row's value."""
    shape = [1] if output.width is None else [1, output.width]
    tensor = {"name": output.name, "datatype": output.datatype, "shape": shape, "data": []}
    empty = dump(
        {
            "model_name": model.endpoint,
            "model_version": str(model.version),
            "outputs": [tensor],
        }
    )
    after = b"}]}"
    return Around(empty.removesuffix(b"[]" + after), after, flat=True)


SINGLE: Final = Single(single_rows, around)


def encode_call(
    inputs: Inputs,
    signature: Signature,
    outputs: tuple[str, ...] | None = None,
    request_id: str | None = None,
) -> bytes:
    """Write a request from a matrix or a frame."""
    if not isinstance(inputs, Frame):
        return encode_tensors([tensors.of_matrix(inputs)], outputs, request_id)
    columns = [
        tensors.of_column(column.name, cells, "BYTES" if cells.dtype == object else "FP64")
        for column, cells in zip(signature.columns, inputs.columns, strict=True)
    ]
    return encode_tensors(columns, outputs, request_id)


def encode_tensors(
    inputs: list[dict[str, Any]],
    outputs: tuple[str, ...] | None = None,
    request_id: str | None = None,
) -> bytes:
    """Write a request from tensors."""
    document: dict[str, Any] = {"inputs": inputs}
    if outputs is not None:
        document["outputs"] = [{"name": name} for name in outputs]
    if request_id is not None:
        document["id"] = request_id
    return dump(document)


def decode_answer(body: bytes) -> dict[str, Array]:
    """Read an answer: an array for each output; raises Malformed."""
    try:
        return {tensor["name"]: tensors.to_array(tensor) for tensor in parse(body)["outputs"]}
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Malformed(f"The answer has no tensors that can be read: {error!r}") from error
