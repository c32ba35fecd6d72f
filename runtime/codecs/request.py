"""What one prediction request asks, whatever format it came in, and how faults are told."""

from typing import Any, Final, NamedTuple

import orjson

from runtime.plan.ops import Inputs
from runtime.plan.signature import Signature
from runtime.problems import InvalidInput, Malformed, TooLarge

MAX_FAULTS: Final = 100

# As it came: in one piece, put together from several, or where the kernel wrote it. A copy into
# bytes would take as long as all else that is done to a megabyte.
Body = bytes | bytearray | memoryview


class ModelInfo(NamedTuple):
    """Whom an answer names: the endpoint that was called and the revision that answered."""

    endpoint: str
    revision: str
    model: str
    version: int


class Call(NamedTuple):
    """One prediction request, decoded.

    outputs     names of the outputs asked for; never empty
    picked      the caller named them (some formats answer differently then)
    request_id  the caller's own id, echoed (V2)
    binary      outputs wanted as raw tensors behind the answer's JSON (V2)
    """

    inputs: Inputs
    rows: int
    outputs: tuple[str, ...]
    picked: bool = False
    request_id: str | None = None
    binary: tuple[str, ...] = ()


class Faults:
    """Everything that is wrong with a request's cells, up to a hundred places."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []

    def add(self, detail: str, row: int | None = None, column: str | None = None) -> None:
        """Note one fault."""
        fault: dict[str, Any] = {"detail": detail}
        if column is not None:
            fault = {"column": column, **fault}
        if row is not None:
            fault = {"row": row, **fault}
        if len(self.found) < MAX_FAULTS:
            self.found.append(fault)

    @property
    def full(self) -> bool:
        """True when looking further adds nothing."""
        return len(self.found) >= MAX_FAULTS

    def problem(self) -> InvalidInput:
        """Make the problem that lists them."""
        return refused(self.found)


def refused(faults: list[dict[str, Any]]) -> InvalidInput:
    """Make an invalid-input problem; its sentence is the first fault with its place."""
    faults = faults[:MAX_FAULTS]
    first = faults[0]
    places = [f"row {first['row']}"] if "row" in first else []
    if "column" in first:
        places.append(f'column "{first["column"]}"')
    where = ", ".join(places)
    sentence = f"{where}: {first['detail']}" if where else str(first["detail"])
    more = len(faults) - 1
    if more:
        sentence += f" (and {more} more)"
    return InvalidInput(sentence, errors=faults)


def text_of(body: Body) -> bytes | bytearray:
    """Give a body in a form that can be searched; one that the kernel wrote is copied for it."""
    return bytes(body) if isinstance(body, memoryview) else body


def parse(body: Body) -> Any:
    """Read JSON; raises Malformed with the place."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"The body is not JSON: {error}") from error


def check_rows(rows: int, max_rows: int) -> None:
    """Refuse more rows than a call may hold."""
    if rows > max_rows:
        raise TooLarge(
            f"{rows} rows in one call; this endpoint takes {max_rows}. Split the call.",
            rows=rows,
            limit=max_rows,
        )


def outputs_asked(names: Any, signature: Signature) -> tuple[str, ...]:
    """Check the outputs a caller names; the default one if none are named."""
    if names is None:
        return (signature.outputs[0].name,)
    listed = [names] if isinstance(names, str) else names
    known = [output.name for output in signature.outputs]
    if not isinstance(listed, list) or not listed:
        raise InvalidInput(f"outputs must name one or more of {', '.join(known)}")
    for name in listed:
        if not isinstance(name, str) or name not in known:
            raise InvalidInput(
                f"This model has no output {say(name)}; it has {', '.join(known)}.", outputs=known
            )
    return tuple(dict.fromkeys(listed))


def say(cell: Any) -> str:
    """Name a JSON value in a sentence, cut short."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if cell is None:
        return "null"
    if isinstance(cell, list):
        return "a list"
    if isinstance(cell, dict):
        return "an object"
    text = f'"{cell}"' if isinstance(cell, str) else str(cell)
    return text if len(text) <= 60 else text[:57] + "..."
