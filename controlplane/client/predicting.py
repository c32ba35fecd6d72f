"""Bodies of prediction requests and the arrays in their answers, for the three protocols."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode

import numpy as np
import orjson

from controlplane.client import rows
from controlplane.client.errors import BadAnswer
from controlplane.client.rows import Cell, Table
from controlplane.client.steps import Answer
from runtime.codecs import ndjson, short, tensors, v1, v2, v2_binary
from runtime.plan.ops import Array
from runtime.plan.signature import Signature, from_json
from runtime.problems import Problem

Protocol = Literal["v2", "v1", "short"]
# Numbers, above so many, go and come as raw tensors: at 256 cells both ways take 25 us, at 3,000
# JSON takes 210 and raw tensors still 24 (encoding and decoding on both sides, measured).
RAW_CELLS: Final = 512
JSON: Final = {"content-type": "application/json", "accept": "application/json"}
PATHS: Final[dict[Protocol, str]] = {
    "v2": "/v2/models/{}/infer",
    "v1": "/v1/models/{}:predict",
    "short": "/predict",
}


# Rows of a stream go in requests of this size, which a kernel holds unread: a server that waits
# for us to read never keeps us from writing. The first ones are small, for who waits for them.
WINDOW_BYTES: Final = 64 * 1024
FIRST_ROWS: Final = 64
END: Final = object()  # behind the last row


@dataclass(frozen=True, slots=True)
class Asked:
    """A prediction request, but for where it goes and who asks."""

    path: str
    body: bytes
    headers: Mapping[str, str]
    timeout_s: float
    method: str = "POST"


def choose(asked: Protocol | None, table: Table) -> Protocol:
    """Give the protocol: V2, which keeps dtypes, unless the rows cannot be typed tensors."""
    if asked is not None and asked not in PATHS:
        raise ValueError(f"protocol must be one of {', '.join(PATHS)}, not {asked!r}")
    fits = table.numeric or (table.names is not None and all(map(_datatype, _columns(table))))
    if asked == "v2" and not fits:
        raise ValueError(
            "V2 tensors have one type each: give text by column name, one type to a column, "
            "or leave out protocol"
        )
    return asked or ("v2" if fits else "short")


def ask(
    protocol: Protocol,
    endpoint: str,
    table: Table,
    outputs: tuple[str, ...] | None,
    timeout_s: float,
) -> Asked:
    """Write a request."""
    path = PATHS[protocol].format(quote(endpoint, safe=""))
    if protocol == "v2" and table.numeric and table.cells > RAW_CELLS:
        inputs = _raw(table)
        parts = v2.encode_raw(inputs, outputs)
        headers = {
            "content-type": "application/octet-stream",
            v2_binary.HEADER: str(parts.head_bytes),
        }
        return Asked(path, parts.join(), headers, timeout_s)
    return Asked(path, _body(protocol, table, outputs), JSON, timeout_s)


def _raw(table: Table) -> dict[str, Array]:
    if table.numbers is None:
        return {"input-0": np.asarray(table.rows, np.float64)}
    return dict(zip(table.names or (), table.numbers, strict=True))


def _body(protocol: Protocol, table: Table, outputs: tuple[str, ...] | None) -> bytes:
    if protocol == "v2":
        return _v2(table, outputs)
    listed: Any = table.lists()
    if table.names is not None:
        listed = [dict(zip(table.names, row, strict=True)) for row in listed]
    encode = v1.encode_call if protocol == "v1" else short.encode_call
    try:
        return encode(listed, outputs)
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
    if table.numbers is not None:
        return [column.tolist() for column in table.numbers]
    names = table.names or ()
    return list(zip(*table.rows, strict=True)) if len(table.rows) else [() for _ in names]


def _datatype(column: Sequence[Cell]) -> str | None:
    """Give a column's datatype; None: it holds both text and numbers."""
    texts = {isinstance(cell, str) for cell in column if cell is not None}
    if len(texts) > 1:
        return None
    return "BYTES" if True in texts else "FP64"


def ask_signature(endpoint: str, version: int | None, timeout_s: float) -> Asked:
    """Write the question what the endpoint takes; None: the revision with the most traffic."""
    path = f"/v2/models/{quote(endpoint, safe='')}"
    path += "" if version is None else f"/versions/{version}"
    return Asked(path, b"", {"accept": "application/json"}, timeout_s, "GET")


def read_signature(answer: Answer) -> Signature:
    """Read what the endpoint takes; raises BadAnswer."""
    try:
        return from_json(orjson.loads(answer.body)["signature"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadAnswer(f"The endpoint's answer has no signature: {error!r}") from error


def read(
    protocol: Protocol, answer: Answer, outputs: tuple[str, ...] | None
) -> Array | dict[str, Array]:
    """Read an answer: one array, or one for each of several outputs; raises BadAnswer."""
    try:
        if protocol == "v2":
            found = _tensors(answer)
            return found if len(found) != 1 else next(iter(found.values()))
        decode = v1.decode_answer if protocol == "v1" else short.decode_answer
        return decode(answer.body, outputs)
    except Problem as problem:
        raise BadAnswer(f"The endpoint's answer could not be read: {problem.detail}") from problem


def _tensors(answer: Answer) -> dict[str, Array]:
    where = answer.headers.get(v2_binary.HEADER)
    if where is None:
        return v2.decode_answer(answer.body)
    if not where.isdecimal():
        raise BadAnswer(f"The endpoint's answer could not be read: its JSON has {where!r} bytes")
    found = v2.decode_answer(answer.body, int(where))
    # Raw tensors lie in the answer, which may not be written to; what we give may.
    return {name: array if array.flags.writeable else array.copy() for name, array in found.items()}


class Windows:
    """Puts rows together to requests. `add` gives the lines of one that is full."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._size, self._most, self._taken = 0, FIRST_ROWS, 0

    def add(self, row: Any) -> list[bytes] | None:
        """Take a row."""
        try:
            line = ndjson.encode_rows([rows.line(row)])
        except (TypeError, ValueError) as error:
            raise type(error)(f"row {self._taken}: {error}") from error
        self._taken += 1
        self._lines.append(line)
        self._size += len(line)
        if self._size < WINDOW_BYTES and len(self._lines) < self._most:
            return None
        self._most *= 2
        return self.rest()

    def rest(self) -> list[bytes]:
        """Give what is not full."""
        found, self._lines, self._size = self._lines, [], 0
        return found


def ask_lines(
    lines: Sequence[bytes], first: int, outputs: tuple[str, ...] | None, timeout_s: float
) -> Asked:
    """Write a request of rows as lines; `first`: the number of the first."""
    query = {"first": str(first), **({"outputs": ",".join(outputs)} if outputs else {})}
    headers = {"content-type": ndjson.MEDIA, "accept": ndjson.MEDIA}
    return Asked(f"/predict?{urlencode(query)}", b"".join(lines), headers, timeout_s)


def read_lines(answer: Answer, asked: int) -> tuple[list[Any], dict[str, Any] | None]:
    """Read predictions and the problem they end with; raises BadAnswer where some are missing."""
    try:
        found, problem = ndjson.decode_answer(answer.body)
    except Problem as broken:
        raise BadAnswer(f"The endpoint's answer could not be read: {broken.detail}") from broken
    if len(found) > asked or (problem is None and len(found) < asked):
        raise BadAnswer(f"The endpoint answered {len(found)} rows of {asked}")
    return found, problem
