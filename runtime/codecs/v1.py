"""The V1 protocol (`:predict`): {"instances": [...]} → {"predictions": [...]}.

Beyond the protocol, "outputs" picks outputs by name; several give one object a row.
"""

from collections.abc import Mapping
from typing import Any, Final

from runtime.codecs.answers import dump, of_list, values
from runtime.codecs.frames import from_rows, literals
from runtime.codecs.request import Body, Call, ModelInfo, check_rows, outputs_asked, parse
from runtime.codecs.single import Around, Single, only_rows
from runtime.plan.ops import Array
from runtime.plan.signature import Output, Signature
from runtime.problems import InvalidInput, Malformed


def decode(body: Body, signature: Signature, *, max_rows: int) -> Call:
    """Read a request body; raises Malformed, InvalidInput or TooLarge."""
    document = parse(body)
    if not isinstance(document, dict):
        raise Malformed('The body must be an object: {"instances": [...]}.')
    rows = document.get("instances")
    if not isinstance(rows, list):
        raise InvalidInput('"instances" must be a list of rows.')
    check_rows(len(rows), max_rows)
    asked = document.get("outputs")
    outputs = outputs_asked(asked, signature)
    inputs = from_rows(rows, signature, literal=literals(body))
    return Call(inputs, len(rows), outputs, picked=asked is not None)


def encode_answer(
    call: Call, results: Mapping[str, Array], model: ModelInfo  # noqa: ARG001  (as in all formats)
) -> bytes:
    """Write the answer; `model` is not part of this format."""
    if len(call.outputs) == 1:
        return dump({"predictions": values(results[call.outputs[0]])})
    columns = [results[name].tolist() for name in call.outputs]
    return dump(
        {
            "predictions": [
                dict(zip(call.outputs, row, strict=True)) for row in zip(*columns, strict=True)
            ]
        }
    )


def single_rows(documents: list[Any]) -> list[Any] | None:
    """Give each document's one row; None where one of them asks for anything else."""
    if {*map(type, documents)} != {dict} or {*map(len, documents)} != {1}:
        return None
    return only_rows([document.get("instances") for document in documents])


def around(output: Output, model: ModelInfo) -> Around:  # noqa: ARG001  (as in all formats)
    """Give what `encode_answer` writes before and after one row's value."""
    return Around(b'{"predictions":', b"}")


SINGLE: Final = Single(single_rows, around)


def encode_call(rows: Any, outputs: tuple[str, ...] | None = None) -> bytes:
    """Write a request: rows are lists, an array, or objects by column name."""
    document: dict[str, Any] = {"instances": rows}
    if outputs is not None:
        document["outputs"] = list(outputs)
    return dump(document)


def decode_answer(body: bytes, outputs: tuple[str, ...] | None = None) -> Array | dict[str, Array]:
    """Read an answer: one array, or one for each of several outputs; raises Malformed."""
    try:
        predictions = parse(body)["predictions"]
        if outputs is None or len(outputs) == 1:
            return of_list(predictions)
        return {name: of_list([row[name] for row in predictions]) for name in outputs}
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed(f"The answer has no predictions that can be read: {error!r}") from error
