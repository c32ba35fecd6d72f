"""What the head of a request says: framing, credentials, deadline. Pure; no sockets."""

import math
import re
from typing import TYPE_CHECKING, Final

from runtime import strict
from runtime.problems import Malformed, Problem, UnsupportedMediaType
from runtime.strict import Headers

if TYPE_CHECKING:
    from runtime.repeats import RepeatLane
    from runtime.routes import Route

JSON_TYPES: Final = (b"", b"application/json")
CSV: Final = b"text/csv"
RAW: Final = b"application/octet-stream"  # V2: raw tensors, or from some clients JSON
STREAMED: Final = (b"application/x-ndjson", b"application/ndjson")
OTHER_TYPES: Final = (CSV, RAW, *STREAMED)
CODINGS: Final = (b"gzip", b"deflate")
# With this header a request is left out of the payload log: load tests and replays send it, since
# what they ask is not what callers ask. It is no right: whoever sends it is not logged either.
UNLOGGED: Final = {"kubeserve-payload-log": "off"}
# An id is echoed in a header and written to the log, so it is short and plain or it is replaced.
_ID_CHARACTERS: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:=+/"
)
# W3C Trace Context: version, trace, parent, flags; later versions may say more.
_TRACE: Final = re.compile(rb"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")


class Head:
    """One request's head; equal bytes make equal heads, so a connection may keep its last one."""

    __slots__ = (
        "accepts",
        "admitted",
        "authorization",
        "broken",
        "close",
        "coding",
        "expects",
        "fault",
        "head_bytes",
        "headers",
        "http10",
        "lane",
        "length",
        "media",
        "method",
        "request_id",
        "route",
        "streamed",
        "tag",
        "target",
        "timeout_s",
        "trace",
        "unlogged",
    )

    def __init__(
        self, method: bytes, target: bytes, headers: Headers, version: str, *, close: bool
    ) -> None:
        """Read a head; two kinds of faults are kept for who answers.

        broken  makes the connection end at once, for its next byte cannot be trusted
        fault   makes it unanswerable, told once its body has been read
        """
        self.method, self.target, self.headers, self.close = method, target, headers, close
        self.http10 = version == "1.0"
        self.admitted = -1  # the second in which the caller was last found to be allowed
        self.route: Route | None = None
        self.lane: RepeatLane | None = None  # for requests with this head; looked up each second
        self.broken: Problem | None = None
        self.expects = False
        found: dict[bytes, bytes] = {name.lower(): value for name, value in headers}
        try:
            found = self._checked(found, version)
        except Problem as problem:
            self.broken = problem
        self.authorization = found.get(b"authorization")
        self.length = _length(found)
        self.expects = self.expects and self.length != 0
        self.tag = _text(found.get(b"knative-serving-tag"))
        self.request_id = _plain(found.get(b"x-request-id"))
        self.unlogged = found.get(b"kubeserve-payload-log") == b"off"
        self.trace = _trace(found[b"traceparent"]) if b"traceparent" in found else None
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

    def _checked(self, found: dict[bytes, bytes], version: str) -> dict[bytes, bytes]:
        """Hold the head to the book; gives its fields, those of several lines put together."""
        if version not in strict.VERSIONS:
            raise strict.other_version()
        strict.check_size(self.target, self.headers)
        if len(found) != len(self.headers):
            found = strict.combined(self.headers)
        http10 = self.http10
        if b"transfer-encoding" in found:
            strict.check_coding(found[b"transfer-encoding"], http10=http10)
        host = found.get(b"host")
        if host is None:
            if not http10:
                raise Malformed("The Host header is missing.")
        elif not strict.is_host(host):
            raise Malformed("The Host header names no host.")
        self.target = strict.path_and_query(self.method, self.target)
        if b"expect" in found and not http10:  # RFC 9110 10.1.1: ignored in HTTP/1.0
            self.expects = strict.asks_first(found[b"expect"])
        return found

    @property
    def special(self) -> bool:
        """True when more is asked of a route than JSON both ways."""
        return bool(
            self.media or self.coding or self.accepts in CODINGS or self.head_bytes is not None
        )

    @property
    def path(self) -> bytes:
        """The target without its query, percent-encoding undone."""
        path = self.target.partition(b"?")[0]
        if b"%" not in path:
            return path
        from urllib.parse import unquote_to_bytes

        return unquote_to_bytes(path)

    @property
    def query(self) -> bytes:
        """What follows the question mark."""
        return self.target.partition(b"?")[2]


def _length(found: dict[bytes, bytes]) -> int | None:
    """Give the announced length; None where the body comes in chunks."""
    if b"transfer-encoding" in found:
        return None
    raw = found.get(b"content-length")
    # The parser has refused what is not a number of 64 bits, but zeros before it may be many.
    return 0 if raw is None else int(raw.strip().lstrip(b"0")[:20] or b"0")


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


def _trace(raw: bytes) -> str | None:
    """Give the id of the trace that a request belongs to; one that is malformed is none."""
    found = _TRACE.fullmatch(raw)
    if found is None:
        return None
    version, trace, parent, more = found.groups()
    if (version == b"00" and more is not None) or not trace.strip(b"0") or not parent.strip(b"0"):
        return None
    return trace.decode("ascii")
