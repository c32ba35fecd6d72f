"""The Open Inference Protocol (V2): tensors in JSON, or raw behind it (`v2_binary`).

Input is either one tensor of shape [rows, columns], or one tensor for each column, named as the
column, of shape [rows] or [rows, 1].
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from runtime.codecs import tensors, v2_binary
from runtime.codecs.answers import dump
from runtime.codecs.frames import from_columns, from_flat, layout_of, literals, packed
from runtime.codecs.request import (
    Body,
    Call,
    ModelInfo,
    check_rows,
    outputs_asked,
    parse,
    refused,
    text_of,
)
from runtime.codecs.single import Around, Single
from runtime.codecs.tensors import Tensor
from runtime.codecs.v2_binary import Parts, Tail
from runtime.plan.ops import Array, Float64Matrix, Frame, Inputs
from runtime.plan.signature import Output, Signature
from runtime.problems import InvalidInput, Malformed

# Parameters of an output that ask for another answer than its values here.
NOT_GIVEN: Final = frozenset({"classification", "shared_memory_region"})
MAX_PLAIN_HEAD: Final = 16 * 1024
FP64: Final = re.compile(rb'"datatype"\s*:\s*"FP64"')


def decode(
    body: Body, signature: Signature, *, max_rows: int, head_bytes: int | None = None
) -> Call:
    """Read a request body; raises Malformed, InvalidInput or TooLarge.

    head_bytes  where its JSON ends and raw tensors begin; None: it is JSON alone
    """
    tail = None if head_bytes is None else Tail(body, head_bytes)
    document = parse(text := _text(body, head_bytes))
    if not isinstance(document, dict):
        raise Malformed('The body must be an object: {"inputs": [...]}.')
    listed = document.get("inputs")
    if not isinstance(listed, list) or not listed:
        raise InvalidInput('"inputs" must be a list of tensors.')
    request_id = document.get("id")
    if request_id is not None and not isinstance(request_id, str):
        raise InvalidInput('"id" must be a string.')
    wanted, parameters = document.get("outputs"), document.get("parameters")
    asked = _asked(wanted)
    outputs = outputs_asked(asked, signature)
    inputs, rows = _inputs(listed, signature, max_rows, text, tail)
    binary: tuple[str, ...] = ()
    if asked is not None or parameters is not None:
        binary = _binary(wanted or [{"name": outputs[0]}], parameters)
    return Call(inputs, rows, outputs, asked is not None, request_id, binary)


def _text(body: Body, head_bytes: int | None) -> bytes | bytearray:
    """Give a body's JSON; copied only where it is a part of it."""
    if head_bytes is not None:
        return bytes(memoryview(body)[:head_bytes])
    return text_of(body)


def is_taken_as_it_lies(body: Body, head_bytes: int | None) -> bool:
    """Tell whether a body's raw tensors are all FP64, of which nothing is converted or copied."""
    if head_bytes is None or head_bytes > MAX_PLAIN_HEAD:
        return False
    head = _text(body, head_bytes)
    return b"\\" not in head and len(FP64.findall(head)) == head.count(b'"datatype"') > 0


def _asked(outputs: Any) -> list[Any] | None:
    if not outputs:
        return None
    if not isinstance(outputs, list) or not all(isinstance(o, dict) for o in outputs):
        raise InvalidInput('"outputs" must be a list of {"name": ...}.')
    return [output.get("name") for output in outputs]


def _binary(wanted: list[dict[str, Any]], parameters: Any) -> tuple[str, ...]:
    """Give the outputs that are wanted as raw tensors: each says, or the request for all."""
    default = isinstance(parameters, dict) and parameters.get("binary_data_output") is True
    names = []
    for output in wanted:
        own = output.get("parameters")
        own = own if isinstance(own, dict) else {}
        for unknown in NOT_GIVEN.intersection(own):
            raise InvalidInput(f'"{unknown}" of an output is not served here; leave it out.')
        if own.get("binary_data", default) is True:
            names.append(output["name"])
    return tuple(names)


def _inputs(
    listed: list[Any],
    signature: Signature,
    max_rows: int,
    text: bytes | bytearray,
    tail: Tail | None,
) -> tuple[Inputs, int]:
    plain = _plain(listed, signature, max_rows, text)
    if plain is not None:
        if tail is not None:
            tail.done()
        return plain, len(plain)
    found = [tensors.read(tensor, tail) for tensor in listed]
    if tail is not None:
        tail.done()
    first = found[0]
    if len(found) == 1 and len(first.shape) == 2:
        column = first.shape[1] == 1 and any(first.name == c.name for c in signature.columns)
        if not column:
            return _matrix(first, signature, max_rows)
    return _columns(found, signature, max_rows)


def _plain(
    listed: list[Any], signature: Signature, max_rows: int, text: bytes | bytearray
) -> Float64Matrix | None:
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
    if not layout.allowed:
        return None
    # Where the key is written without escapes, its cells come behind its first mention.
    start = 0 if b"\\" in text else max(0, text.find(b'"data"'))
    if not literals(text, start):
        return packed([cells], rows, width)
    if not layout.allowed.issuperset(map(type, cells)):
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
    return from_flat(tensor.cells(), rows, signature), rows


def _columns(found: list[Tensor], signature: Signature, max_rows: int) -> tuple[Inputs, int]:
    if len(signature.columns) == 1 and len(found) == 1:
        found = [found[0]._replace(name=signature.columns[0].name)]  # a lone one needs no name
    rows = found[0].shape[0]
    _check_columns(found, rows, signature)
    check_rows(rows, max_rows)
    named = {tensor.name: tensor.cells() for tensor in found}
    ordered = [
        named[column.name] if column.name in named else [None] * rows
        for column in signature.columns
    ]
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


def encode_answer(call: Call, results: Mapping[str, Array], model: ModelInfo) -> bytes | Parts:
    """Write the answer: one tensor for each output, data in row-major order."""
    document: dict[str, Any] = {
        "model_name": model.endpoint,
        "model_version": str(model.version),
    }
    if call.request_id is not None:
        document["id"] = call.request_id
    if call.binary:
        return _framed(
            document, "outputs", [_raw_output(n, results[n], call) for n in call.outputs]
        )
    document["outputs"] = [tensors.of_output(name, results[name]) for name in call.outputs]
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


def _raw_output(name: str, array: Array, call: Call) -> tuple[dict[str, Any], Body | None]:
    if name not in call.binary:
        return tensors.of_output(name, array), None
    return _raw_tensor(name, array)


def _raw_tensor(name: str, array: Array) -> tuple[dict[str, Any], Body]:
    datatype, buffer = v2_binary.write(array)
    parameters = {v2_binary.SIZE: len(buffer)}
    tensor = {"name": name, "datatype": datatype, "shape": array.shape, "parameters": parameters}
    return tensor, buffer


def _framed(
    document: dict[str, Any], key: str, found: list[tuple[dict[str, Any], Body | None]]
) -> Parts:
    """Put raw tensors behind the JSON that names them."""
    document[key] = [tensor for tensor, _ in found]
    head = v2_binary.padded(dump(document))
    return Parts((head, *(buffer for _, buffer in found if buffer is not None)), len(head))


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
    document = _request(outputs, request_id)
    document["inputs"] = inputs
    return dump(document)


def encode_raw(
    inputs: Mapping[str, Array],
    outputs: tuple[str, ...] | None = None,
    request_id: str | None = None,
) -> Parts:
    """Write a request from arrays as raw tensors, and ask for the answer in the same form."""
    document = _request(outputs, request_id)
    document["parameters"] = {"binary_data_output": True}
    return _framed(document, "inputs", [_raw_tensor(*named) for named in inputs.items()])


def _request(outputs: tuple[str, ...] | None, request_id: str | None) -> dict[str, Any]:
    document: dict[str, Any] = {}
    if outputs is not None:
        document["outputs"] = [{"name": name} for name in outputs]
    if request_id is not None:
        document["id"] = request_id
    return document


def decode_answer(body: bytes, head_bytes: int | None = None) -> dict[str, Array]:
    """Read an answer: an array for each output; raises Malformed.

    head_bytes  where its JSON ends and raw tensors begin; None: it is JSON alone
    """
    try:
        if head_bytes is None:
            return {tensor["name"]: tensors.to_array(tensor) for tensor in parse(body)["outputs"]}
        tail = Tail(body, head_bytes)
        listed = parse(memoryview(body)[:head_bytes])["outputs"]
        found = {tensor["name"]: tensors.to_array(tensor, tail) for tensor in listed}
        tail.done()
        return found
    except (KeyError, TypeError, ValueError, OverflowError, InvalidInput) as error:
        raise Malformed(f"The answer has no tensors that can be read: {error!r}") from error
