"""Newline-delimited JSON: one row a line, one prediction a line, and at worst an error as the last.

A row is a list by position or an object by column name, as in the short form. A prediction is the
JSON value alone, or with several outputs an object by their names. `{"error": {…}}` ends an answer
whose row `row` could not be predicted; all rows before it have their lines.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from runtime.codecs.answers import OPTIONS, dump, values
from runtime.codecs.frames import from_rows, literals
from runtime.codecs.request import Call, refused
from runtime.plan.ops import Array
from runtime.plan.signature import Signature
from runtime.problems import InvalidInput, Malformed, Problem

MEDIA: Final = "application/x-ndjson"
NEWLINE: Final = b"\n"


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that were read, and what is wrong with the one behind them."""

    call: Call | None
    problem: Problem | None


def decode(
    lines: Sequence[bytes], signature: Signature, outputs: tuple[str, ...], first: int
) -> Rows:
    """Read lines up to the first that is wrong; blank ones are no rows. `first`: number of a row.

    A problem names row and column as they are counted from the beginning of the stream.
    """
    rows, problem = _parsed(lines, first)
    literal = literals(b"".join(lines))
    while rows:
        try:
            inputs = from_rows(rows, signature, literal=literal)
        except InvalidInput as found:
            # Only the first hundred faults are told, by column: one that is not among them may be
            # in a row before. So it is tried again without the rows from the first known one on.
            bad = min(fault["row"] for fault in found.members["errors"])
            of_it = [fault for fault in found.members["errors"] if fault["row"] == bad]
            problem = refused([{**fault, "row": first + bad} for fault in of_it])
            rows = rows[:bad]
        else:
            return Rows(Call(inputs, len(rows), outputs, picked=True), problem)
    return Rows(None, problem)


def _parsed(lines: Sequence[bytes], first: int) -> tuple[list[Any], Problem | None]:
    try:
        return list(map(orjson.loads, lines)), None
    except orjson.JSONDecodeError:
        rows: list[Any] = []
    for line in lines:
        if line.strip():
            try:
                rows.append(orjson.loads(line))
            except orjson.JSONDecodeError as error:
                row = first + len(rows)
                return rows, Malformed(f"row {row} is not JSON: {error}", errors=[{"row": row}])
    return rows, None


def encode_answer(outputs: tuple[str, ...], results: Mapping[str, Array]) -> bytes:
    """Write one line a row."""
    if len(outputs) == 1:
        return _lines(results[outputs[0]])
    columns = [results[name].tolist() for name in outputs]
    return b"".join(
        orjson.dumps(dict(zip(outputs, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE)
        for row in zip(*columns, strict=True)
    )


def _lines(array: Array) -> bytes:
    if array.dtype.kind in "OU":
        cells = array.tolist()
        known = {}
        if array.ndim == 1:  # labels, of which there are few
            known = {cell: orjson.dumps(cell) + NEWLINE for cell in set(cells)}
            return b"".join(map(known.__getitem__, cells))
        return b"".join(orjson.dumps(row) + NEWLINE for row in cells)
    # Numbers hold neither commas nor brackets, so that those are where the rows meet.
    meet = b"," if array.ndim == 1 else b"],["
    return dump(values(array))[1:-1].replace(meet, meet.replace(b",", NEWLINE)) + NEWLINE


def encode_error(problem: Problem) -> bytes:
    """Write the last line of an answer that broke off."""
    return orjson.dumps({"error": problem.body()}, option=orjson.OPT_APPEND_NEWLINE, default=str)


def encode_rows(rows: Iterable[Any]) -> bytes:
    """Write a request: rows are lists, arrays, or objects by column name."""
    option = OPTIONS | orjson.OPT_APPEND_NEWLINE
    return b"".join(orjson.dumps(row, option=option) for row in rows)


def decode_answer(body: bytes) -> tuple[list[Any], dict[str, Any] | None]:
    """Give the predictions of an answer, and the error it ends with; raises Malformed.

    Predictions are JSON values: numbers, texts, lists, or objects by output.
    """
    try:
        found = [orjson.loads(line) for line in body.splitlines() if line.strip()]
    except orjson.JSONDecodeError as error:
        raise Malformed(f"The answer is not lines of JSON: {error}") from error
    if found and isinstance(found[-1], dict) and isinstance(found[-1].get("error"), dict):
        return found[:-1], found[-1]["error"]
    return found, None


class Lines:
    """Cuts a body that arrives in pieces into lines; holds what is not taken yet.

    longest  bytes that a line may have
    """

    __slots__ = ("_held", "_longest", "_searched", "ended")

    def __init__(self, longest: int) -> None:
        self._held = bytearray()
        self._longest = longest
        self._searched = 0  # no newline before this place
        self.ended = False  # nothing follows: the last line needs no newline

    def __len__(self) -> int:
        return len(self._held)

    def feed(self, piece: bytes) -> None:
        """Add what arrived."""
        self._held += piece

    def take(self, most_bytes: int, most_lines: int) -> list[bytes]:
        """Give some lines, at least one where there is one; raises Malformed for one too long."""
        held = self._held
        end = held.find(NEWLINE, self._searched)
        if end < 0:
            self._searched = len(held)
            end = len(held) if self.ended else -1
        if end > self._longest or (end < 0 and len(held) > self._longest):
            raise Malformed(f"A line is longer than {self._longest} bytes.")
        if end < 0 or not held:
            return []
        part = bytes(held[: max(end + 1, most_bytes)])
        lines = part.split(NEWLINE, most_lines)
        # What follows the last newline is not whole yet, unless nothing follows it.
        rest = (
            b""
            if self.ended and len(part) == len(held) and len(lines) <= most_lines
            else lines.pop()
        )
        del held[: len(part) - len(rest)]
        self._searched = 0
        return lines
