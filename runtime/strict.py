"""What of HTTP/1.1 is refused though the parser takes it, and what each refusal is. Pure.

The rules are those of RFC 9110 (fields, targets, expectations) and RFC 9112 (line, framing).
A head is looked at once, when it is parsed for the first time. What is refused here ends its
connection: where two readers may see different requests, the next byte cannot be trusted.
"""

import re
from functools import lru_cache
from typing import Final

from runtime.problems import (
    ExpectationFailed,
    HeadTooLarge,
    Malformed,
    NotImplementedHere,
    Problem,
    TargetTooLong,
    VersionNotSupported,
)

Headers = list[tuple[bytes, bytes]]

MAX_HEAD_BYTES: Final = 64 * 1024
MAX_HEADERS: Final = 100
MAX_TARGET_BYTES: Final = 8 * 1024  # RFC 9112 3 asks for 8,000 at least
MAX_HOST_BYTES: Final = 1024  # names have 255 at most
VERSIONS: Final = ("1.1", "1.0")

# Fields of which a second one would be read by one party and the first by another.
_SINGLE: Final = (b"host", b"authorization")
# Trailers are ignored, but these the parser acts on, or they say where the request belongs.
_NO_TRAILERS: Final = frozenset(
    {b"connection", b"content-length", b"host", b"transfer-encoding", b"upgrade"}
)
# No comma, though a name may have one: two Host lines put together have it too.
_NAME: Final = rb"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})+)"
_HOST: Final = re.compile(_NAME + rb"(?::[0-9]*)?")
_ABSOLUTE: Final = re.compile(rb"(?i:https?)://" + _NAME + rb"(?::[0-9]*)?(/[^?]*)?(\?.*)?")
_CUT_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_METHOD: Final = re.compile(rb"[A-Z][A-Z_-]*(?: |\Z)")
_TLS: Final = b"\x16\x03"  # a handshake record


def combined(headers: Headers) -> dict[bytes, bytes]:
    """Give each field's value by its name in small letters, several lines as one list."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        name = name.lower()
        before = found.get(name)
        if before is None:
            found[name] = value
        elif name in _SINGLE:
            raise Malformed(f"The header {name.decode()} is there twice.")
        else:
            found[name] = before + b", " + value
    return found


def check_size(target: bytes, headers: Headers) -> None:
    """Refuse a target or a number of headers beyond what any client needs."""
    if len(target) > MAX_TARGET_BYTES:
        raise target_too_long()
    if len(headers) > MAX_HEADERS:
        raise HeadTooLarge(f"There are more than {MAX_HEADERS} headers.", limit_headers=MAX_HEADERS)


def check_coding(coding: bytes, *, http10: bool) -> None:
    """Refuse a body whose end is in doubt; the parser has refused the plainer cases."""
    if http10:
        raise Malformed("HTTP/1.0 knows no Transfer-Encoding.")
    coding = coding.strip().lower()
    if coding == b"chunked":
        return
    if coding.rpartition(b",")[2].strip() == b"chunked":
        raise NotImplementedHere("The only Transfer-Encoding read here is chunked.")
    raise Malformed("The last Transfer-Encoding must be chunked.")


@lru_cache(maxsize=256)
def is_host(host: bytes) -> bool:
    """Tell whether this is a name or an address, with or without a port."""
    return len(host) <= MAX_HOST_BYTES and _HOST.fullmatch(host) is not None


def asks_first(expected: bytes) -> bool:
    """Tell whether the client waits for 100 (Continue); refuses to expect anything else."""
    if any(one.strip().lower() != b"100-continue" for one in expected.split(b",")):
        raise ExpectationFailed("The only expectation met here is 100-continue.")
    return True


def path_and_query(method: bytes, target: bytes) -> bytes:
    """Give the target in origin form, whichever form it was sent in."""
    plain = target.startswith(b"/")
    if plain and b"#" not in target and b"%" not in target:
        return target
    if b"#" in target:
        raise Malformed("A request's target has no fragment (#).")
    if b"%" in target and _CUT_ESCAPE.search(target) is not None:
        raise Malformed("In the request's target a % is not followed by two hexadecimal digits.")
    if plain or (target == b"*" and method == b"OPTIONS"):
        return target
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None:
        raise Malformed("The request's target is neither a path nor an http address.")
    # Asked of a proxy: RFC 9112 3.2.2 has every server take it, whatever Host says.
    path, query = absolute.groups(b"")
    return (path or b"/") + query


def bad_trailer(trailers: Headers) -> Malformed | None:
    """Find a trailer that says how the body just read was to be read."""
    for name, _ in trailers:
        if name.lower() in _NO_TRAILERS:
            return Malformed(f"{name.decode()} must not stand behind a body.")
    return None


def refusal(said: str, start: bytes) -> Problem:
    """Give the problem for what the parser refused.

    said   the parser's own words
    start  the first bytes of the request, or nothing where they are not known
    """
    if said == "Invalid HTTP version" or said.startswith("Pause on PRI/Upgrade"):
        return other_version()
    if said == "Invalid method encountered":
        if _METHOD.match(start) is not None:
            return NotImplementedHere("This method is not known here.")
        if start.startswith(_TLS):
            return Malformed("This port speaks plain HTTP, not TLS: ask for http://.")
    return Malformed(f"This is not a well-formed HTTP request: {said}.")


def other_version() -> VersionNotSupported:
    """Make the problem of what is neither HTTP/1.1 nor HTTP/1.0."""
    return VersionNotSupported("HTTP/1.1 and HTTP/1.0 are spoken here.")


def head_too_large() -> HeadTooLarge:
    """Make the problem of headers that are too large together."""
    return HeadTooLarge(
        f"The headers are larger than {MAX_HEAD_BYTES} bytes.", limit_bytes=MAX_HEAD_BYTES
    )


def target_too_long() -> TargetTooLong:
    """Make the problem of a request line that is too long."""
    return TargetTooLong(
        f"The request's target is longer than {MAX_TARGET_BYTES} bytes.",
        limit_bytes=MAX_TARGET_BYTES,
    )
