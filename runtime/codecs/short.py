"""The short form, `POST /predict`: rows in, predictions out.

Rows come as a list of lists, a list of objects, one object, or under "rows", "instances", "data" or
"inputs" of an object; with "columns" beside it, "data" is pandas' split form. CSV: see `table`.
"""

from collections.abc import Mapping
from typing import Any, Final

from runtime.codecs.answers import dump, of_list, values
from runtime.codecs.frames import from_rows, layout_of, literals
from runtime.codecs.request import Body, Call, Faults, ModelInfo, check_rows, outputs_asked, parse
from runtime.codecs.single import Around, Single, only_rows
from runtime.plan.ops import Array
from runtime.plan.signature import Output, Signature
from runtime.problems import InvalidInput, Malformed

ROW_KEYS: Final = ("rows", "instances", "data", "inputs")


def decode(body: Body, signature: Signature, *, max_rows: int) -> Call:
    """Read a JSON body; raises Malformed, InvalidInput or TooLarge."""
    document = parse(body)
    asked = None
    if isinstance(document, dict):
        rows, asked = _of_object(document, signature, max_rows)
    elif isinstance(document, list):
        rows = document
    else:
        raise Malformed("The body must be a list of rows or an object.")
    check_rows(len(rows), max_rows)
    outputs = outputs_asked(asked, signature)
    inputs = from_rows(rows, signature, literal=literals(body))
    return Call(inputs, len(rows), outputs, picked=asked is not None)


def decode_csv(body: Body, signature: Signature, *, max_rows: int) -> Call:
    """Read a CSV body; raises Malformed, InvalidInput or TooLarge."""
    from runtime.codecs.table import decode_csv

    return decode_csv(body, signature, max_rows=max_rows)


def _of_object(
    document: dict[str, Any], signature: Signature, max_rows: int
) -> tuple[list[Any], Any]:
    known = layout_of(signature).index
    key = next(
        (key for key in ROW_KEYS if key in document and not _is_cell(key, document, known)), None
    )
    if key is None:
        return [document], None  # one row by column names
    rows, columns, asked = document[key], document.get("columns"), document.get("outputs")
    if isinstance(rows, dict):
        rows = [rows]
    if not isinstance(rows, list):
        raise InvalidInput(f'"{key}" must be a list of rows.')
    if columns is None:
        return rows, asked
    check_rows(len(rows), max_rows)
    return _split(rows, columns, signature), asked


def _is_cell(key: str, document: dict[str, Any], known: Mapping[str, int]) -> bool:
    """A model may have a column that is called data."""
    return key in known and not isinstance(document[key], list | dict)


def _split(rows: list[Any], columns: Any, signature: Signature) -> list[Any]:
    """Read pandas' split form; columns that are only counted (0, 1, 2, ...) have no names."""
    if not isinstance(columns, list):
        raise InvalidInput('"columns" must be a list of names.')
    if columns == list(range(len(columns))) or columns == list(layout_of(signature).index):
        return rows
    if not all(isinstance(name, str) for name in columns) or len(set(columns)) < len(columns):
        raise InvalidInput('"columns" must be a list of names, each there once.')
    faults = Faults()
    for i, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(columns):
            faults.add(f"must be a list of {len(columns)} values, one for each of columns", i)
    if faults.found:
        raise faults.problem()
    return [dict(zip(columns, row, strict=True)) for row in rows]


def encode_answer(call: Call, results: Mapping[str, Array], model: ModelInfo) -> bytes:
    """Write the answer, with who gave it."""
    who = {"model": model.model, "version": model.version, "revision": model.revision}
    if len(call.outputs) == 1:
        return dump({"predictions": values(results[call.outputs[0]]), **who})
    return dump({"outputs": {name: values(results[name]) for name in call.outputs}, **who})


def around(output: Output, model: ModelInfo) -> Around:  # noqa: ARG001  (as in all formats)
    """Give what `encode_answer` writes before and after one row's value."""
    who = dump({"model": model.model, "version": model.version, "revision": model.revision})
    return Around(b'{"predictions":', b"," + who[1:])


SINGLE: Final = Single(only_rows, around)


def encode_call(rows: Any, outputs: tuple[str, ...] | None = None) -> bytes:
    """Write a request: rows are lists, an array, or objects by column name."""
    document: dict[str, Any] = {"rows": rows}
    if outputs is not None:
        document["outputs"] = list(outputs)
    return dump(document)


def decode_answer(body: bytes, outputs: tuple[str, ...] | None = None) -> Array | dict[str, Array]:
    """Read an answer: one array, or one for each of several outputs; raises Malformed."""
    try:
        document = parse(body)
        if outputs is None or len(outputs) == 1:
            return of_list(document["predictions"])
        return {name: of_list(document["outputs"][name]) for name in outputs}
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed(f"The answer has no predictions that can be read: {error!r}") from error
