"""What the head of a request says: framing, credentials, deadline. Pure; no sockets."""

import math
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from runtime.problems import Malformed, Problem, UnsupportedMediaType

if TYPE_CHECKING:
    from runtime.routes import Route

Headers = list[tuple[bytes, bytes]]

MAX_HEAD_BYTES: Final = 64 * 1024
JSON_TYPES: Final = (b"", b"application/json")
CSV: Final = b"text/csv"
RAW: Final = b"application/octet-stream"  # V2: raw tensors, or from some clients JSON
STREAMED: Final = (b"application/x-ndjson", b"application/ndjson")
OTHER_TYPES: Final = (CSV, RAW, *STREAMED)
CODINGS: Final = (b"gzip", b"deflate")
# An id is echoed in a header and written to the log, so it is short and plain or it is replaced.
_ID_CHARACTERS: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:=+/"
)


class Head:
    """One request's head; equal bytes make equal heads, so a connection may keep its last one."""

    __slots__ = (
        "accepts",
        "admitted",
        "authorization",
        "close",
        "coding",
        "connection",
        "expects",
        "fault",
        "head_bytes",
        "headers",
        "host",
        "http10",
        "length",
        "media",
        "method",
        "request_id",
        "route",
        "strange",
        "streamed",
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
        self.media = b"" if media in JSON_TYPES or media.endswith(b"+json") else media
        self.streamed = media in STREAMED
        self.coding = _coding(found.get(b"content-encoding"))
        # Who lists all that it can read, as most libraries do, is served faster without.
        self.accepts = _coding(found.get(b"accept-encoding"))
        self.head_bytes: int | None = None
        try:
            self.timeout_s = _seconds(
                found.get(b"request-timeout") or found.get(b"x-request-timeout")
            )
            self.head_bytes = _head_bytes(found.get(b"inference-header-content-length"))
            _readable(self.media, self.coding)
        except Problem as problem:
            self.fault = problem

    @property
    def special(self) -> bool:
        """True when more is asked of a route than JSON both ways."""
        return bool(
            self.media or self.coding or self.accepts in CODINGS or self.head_bytes is not None
        )

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


def _coding(raw: bytes | None) -> bytes | None:
    coding = b"" if raw is None else raw.strip().lower()
    return None if coding in (b"", b"identity") else coding.removeprefix(b"x-")


def _head_bytes(raw: bytes | None) -> int | None:
    if raw is None:
        return None
    if not raw.isdigit() or len(raw) > 18:
        raise Malformed("Inference-Header-Content-Length must be a number of bytes.")
    return int(raw)


def _readable(media: bytes, coding: bytes | None) -> None:
    if media and media not in OTHER_TYPES:
        said = media[:60].decode("latin-1")
        raise UnsupportedMediaType(
            f"{said!r} is not read here. Send application/json; /predict also takes text/csv "
            "and application/x-ndjson."
        )
    if coding is not None and coding not in CODINGS:
        said = coding[:60].decode("latin-1")
        raise UnsupportedMediaType(f"{said!r} is not read. Send gzip, deflate, or the body as is.")


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
