"""Bodies of prediction requests and the arrays in their answers, for the three protocols."""

from collections.abc import Sequence
from typing import Any, Final, Literal
from urllib.parse import quote

import numpy as np
import orjson

from controlplane.client.errors import BadAnswer
from controlplane.client.rows import Cell, Table
from runtime.codecs import short, tensors, v1, v2
from runtime.plan.ops import Array
from runtime.problems import Problem

Protocol = Literal["v2", "v1", "short"]
PATHS: Final[dict[Protocol, str]] = {
    "v2": "/v2/models/{}/infer",
    "v1": "/v1/models/{}:predict",
    "short": "/predict",
}


def choose(asked: Protocol | None, table: Table) -> Protocol:
    """Give the protocol: V2, which keeps dtypes, unless the rows cannot be typed tensors."""
    if asked is not None and asked not in PATHS:
        raise ValueError(f"protocol must be one of {', '.join(PATHS)}, not {asked!r}")
    fits = table.numbers or (table.names is not None and all(map(_datatype, _columns(table))))
    if asked == "v2" and not fits:
        raise ValueError(
            "V2 tensors have one type each: give text by column name, one type to a column, "
            "or leave out protocol"
        )
    return asked or ("v2" if fits else "short")


def path(protocol: Protocol, endpoint: str) -> str:
    """Give what is appended to an endpoint's url."""
    return PATHS[protocol].format(quote(endpoint, safe=""))


def body(protocol: Protocol, table: Table, outputs: tuple[str, ...] | None) -> bytes:
    """Write the request's body."""
    if protocol == "v2":
        return _v2(table, outputs)
    rows: Any = table.rows
    if table.names is not None:
        rows = [dict(zip(table.names, row, strict=True)) for row in rows]
    encode = v1.encode_call if protocol == "v1" else short.encode_call
    try:
        return encode(rows, outputs)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"these rows cannot be sent as JSON: {error}") from error


def _v2(table: Table, outputs: tuple[str, ...] | None) -> bytes:
    if table.names is None:
        return v2.encode_tensors([tensors.of_matrix(np.asarray(table.rows, np.float64))], outputs)
    columns = [
        tensors.of_column(name, column, _datatype(column) or "BYTES")
        for name, column in zip(table.names, _columns(table), strict=True)
    ]
    return v2.encode_tensors(columns, outputs)


def _columns(table: Table) -> list[Sequence[Cell]]:
    names = table.names or ()
    return list(zip(*table.rows, strict=True)) if len(table.rows) else [() for _ in names]


def _datatype(column: Sequence[Cell]) -> str | None:
    """Give a column's datatype; None: it holds both text and numbers."""
    texts = {isinstance(cell, str) for cell in column if cell is not None}
    if len(texts) > 1:
        return None
    return "BYTES" if True in texts else "FP64"


def read(
    protocol: Protocol, answer: bytes, outputs: tuple[str, ...] | None
) -> Array | dict[str, Array]:
    """Read an answer: one array, or one for each of several outputs; raises BadAnswer."""
    try:
        if protocol == "v2":
            found = v2.decode_answer(answer)
            return found if len(found) != 1 else next(iter(found.values()))
        decode = v1.decode_answer if protocol == "v1" else short.decode_answer
        return decode(answer, outputs)
    except Problem as problem:
        raise BadAnswer(f"The endpoint's answer could not be read: {problem.detail}") from problem
