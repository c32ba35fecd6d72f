"""What the head of a request says: framing, credentials, deadline. Pure; no sockets."""

import math
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from runtime.problems import Malformed, Problem, UnsupportedMediaType

if TYPE_CHECKING:
    from runtime.repeats import RepeatLane
    from runtime.routes import Route

Headers = list[tuple[bytes, bytes]]

MAX_HEAD_BYTES: Final = 64 * 1024
JSON_TYPES: Final = (b"", b"application/json")
CSV: Final = b"text/csv"
# An id is echoed in a header and written to the log, so it is short and plain or it is replaced.
_ID_CHARACTERS: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:=+/"
)


class Head:
    """One request's head; equal bytes make equal heads, so a connection may keep its last one."""

    __slots__ = (
        "admitted",
        "authorization",
        "close",
        "connection",
        "csv",
        "expects",
        "fault",
        "headers",
        "host",
        "http10",
        "lane",
        "length",
        "method",
        "request_id",
        "route",
        "strange",
        "tag",
        "target",
        "timeout_s",
    )

    def __init__(self, method: bytes, target: bytes, headers: Headers, *, close: bool) -> None:
        """Read a head; `fault` is what makes it unanswerable, told once its body has been read."""
        found: dict[bytes, bytes] = {name.lower(): value for name, value in headers}
        self.method, self.target, self.headers, self.close = method, target, headers, close
        self.http10 = False
        self.admitted = -1  # the second in which the caller was last found to be allowed
        self.route: Route | None = None
        self.lane: RepeatLane | None = None  # for requests with this head; looked up each second
        self.host = b"host" in found
        self.connection = found.get(b"connection")
        self.authorization = found.get(b"authorization")
        self.length = _length(found)
        # A body whose end only its sender knows.
        self.strange = found.get(b"transfer-encoding", b"chunked").strip().lower() != b"chunked"
        self.expects = found.get(b"expect", b"").lower() == b"100-continue"
        self.tag = _text(found.get(b"knative-serving-tag"))
        self.request_id = _plain(found.get(b"x-request-id"))
        self.timeout_s: float | None = None
        self.fault: Problem | None = None
        media = found.get(b"content-type", b"").partition(b";")[0].strip().lower()
        self.csv = media == CSV
        try:
            self.timeout_s = _seconds(
                found.get(b"request-timeout") or found.get(b"x-request-timeout")
            )
            _readable(media, found.get(b"content-encoding", b"identity"))
        except Problem as problem:
            self.fault = problem

    @property
    def path(self) -> bytes:
        """The target without its query, percent-encoding undone."""
        return unquote_to_bytes(self.target.partition(b"?")[0])

    @property
    def query(self) -> bytes:
        """What follows the question mark."""
        return self.target.partition(b"?")[2]


def _length(found: dict[bytes, bytes]) -> int | None:
    """Give the announced length; None where the body comes in chunks."""
    if b"transfer-encoding" in found:
        return None
    raw = found.get(b"content-length")
    # The parser has refused what is not a number; this only bounds its size.
    return 0 if raw is None else int(raw[:20])


def _readable(media: bytes, encoding: bytes) -> None:
    if media not in JSON_TYPES and media != CSV and not media.endswith(b"+json"):
        said = media[:60].decode("latin-1")
        raise UnsupportedMediaType(
            f"{said!r} is not read here. Send application/json; /predict also takes text/csv."
        )
    if encoding.strip().lower() != b"identity":
        raise UnsupportedMediaType("Compressed bodies are not read. Send the body as it is.")


def _seconds(raw: bytes | None) -> float | None:
    if raw is None:
        return None
    try:
        seconds = float(raw)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise Malformed("Request-Timeout must be a number of seconds above zero.")
    return seconds


def _text(raw: bytes | None) -> str | None:
    return None if not raw else raw[:256].decode("latin-1")


def _plain(raw: bytes | None) -> str | None:
    if not raw or len(raw) > 128 or not _ID_CHARACTERS.issuperset(raw):
        return None
    return raw.decode("ascii")
