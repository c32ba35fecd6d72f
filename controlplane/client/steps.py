"""The SDK without its input and output: flows ask for steps, a shell does them.

A flow is a generator. It yields a `Send`, a `Pause`, a `SignIn` or a `Measure` and is sent what
came of it; a request that failed is thrown into it as `Broken`. So the sync and the async client
share every decision: what is asked, what is tried again, what an answer means.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import orjson

from controlplane.client.errors import ApiError, BadAnswer, NotFound, SignInFailed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Upload:
    """A body that is read piece by piece, from its start at every try."""

    source: Path | BinaryIO | bytes
    size: int
    progress: Callable[[int, int], None] | None


@dataclass(frozen=True, slots=True)
class Send:
    """One HTTP request.

    stream  the answer's body is left to be read line by line
    fresh   over a connection of its own: those that are kept may have lost their server
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Upload = b""
    timeout_s: float = 60.0
    stream: bool = False
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so long before going on."""

    seconds: float


@dataclass(frozen=True, slots=True)
class SignIn:
    """Have a token for `audience` (None: the API). `refused` is one that a server turned down."""

    audience: str | None
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """Have the size and the Content-Digest of a file; reading it may take a while."""

    source: Path | BinaryIO | bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names are in lower case. `lines` is the shell's, when streaming."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    lines: Any = None


class Broken(Exception):
    """The connection failed: nothing was answered, or only a part.

    timed_out  it was our patience that ended: not tried again
    """

    def __init__(self, because: str, *, timed_out: bool = False) -> None:
        super().__init__(because)
        self.because, self.timed_out = because, timed_out


Step = Send | Pause | SignIn | Measure
Flow = Generator[Step, Any, T]


def document(answer: Answer, url: str) -> Any:
    """Read a JSON body; raises BadAnswer when it is none."""
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError as error:
        kind = answer.headers.get("content-type", "no content type")
        raise BadAnswer(
            f"{url} answered {answer.status} with {kind}, not JSON. Is that a KubeServe address?"
        ) from error


def members(answer: Answer, url: str) -> dict[str, Any]:
    """Read a JSON object."""
    found = document(answer, url)
    if not isinstance(found, dict):
        raise BadAnswer(f"{url} answered a {type(found).__name__}, not an object.")
    return found


def refusal(answer: Answer, url: str) -> ApiError:
    """Make the error of an answer that is none: problem details, OAuth's shape, or neither."""
    try:
        found = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        found = None
    problem: dict[str, Any] = found if isinstance(found, dict) else {}
    if isinstance(problem.get("error"), str) and "type" not in problem:
        problem = {
            "type": f"/problems/oauth/{problem['error']}",
            "title": problem["error"],
            "detail": problem.get("error_description") or problem["error"],
            **problem,
        }
    problem.setdefault("detail", f"{url} answered {answer.status}")
    # What was sent is the truth; the document may have come through a proxy that changed it.
    problem["status"] = answer.status
    kind = {401: SignInFailed, 404: NotFound}.get(answer.status, ApiError)
    return kind(problem, retry_after(answer))


def retry_after(answer: Answer) -> float | None:
    """Give the seconds of Retry-After; a date is not used by KubeServe and counts as none."""
    text = answer.headers.get("retry-after", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
