"""HTTP/1.1 as a generator needs it: requests written in advance, answers read in one look.

An answer with a length is read by its head, which repeats; what has none is left to httptools.
"""

from typing import Any, Final, NamedTuple

import httptools

END: Final = b"\r\n\r\n"
MOST_HEADS: Final = 4096
MOST_HEAD_BYTES: Final = 64 * 1024


class BadAnswer(Exception):
    """What came is no HTTP answer."""


class Head(NamedTuple):
    """What is kept of an answer's head.

    length   bytes of the body; None: only its end tells
    closes   the connection is not to be used again
    chunked  its end is told by a chunk, else by the connection's
    """

    status: int
    length: int | None
    closes: bool
    chunked: bool = False


class Heads:
    """Heads that were read; most answers have one that was there before."""

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}

    def read(self, raw: bytes) -> Head:
        """Read a head, without the empty line behind it; raises BadAnswer."""
        found = self._known.get(raw)
        if found is None:
            if len(self._known) >= MOST_HEADS:
                self._known.clear()
            found = self._known[raw] = read_head(raw)
        return found


def read_head(raw: bytes) -> Head:
    """Read a head; raises BadAnswer."""
    first, *lines = raw.split(b"\r\n")
    version, _, rest = first.partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise BadAnswer(f"not HTTP: {first[:60]!r}")
    status = int(rest[:3])
    fields = {}
    for line in lines:
        name, _, value = line.partition(b":")
        fields[name.strip().lower()] = value.strip()
    length: int | None = None
    if status in (204, 304):
        length = 0
    elif b"transfer-encoding" not in fields and b"content-length" in fields:
        if not fields[b"content-length"].isdigit():
            raise BadAnswer(f"a body of {fields[b'content-length'][:60]!r} bytes")
        length = int(fields[b"content-length"])
    says = fields.get(b"connection", b"").lower()
    chunked = b"chunked" in fields.get(b"transfer-encoding", b"").lower()
    closes = b"close" in says or (version == b"HTTP/1.0" and says == b"")
    return Head(status, length, closes or (length is None and not chunked), chunked)


class Parsed:
    """An answer whose length is not told, read by httptools."""

    def __init__(self, head: Head) -> None:
        self.head = head
        self._parser: Any = httptools.HttpResponseParser(self)
        self.body = bytearray()
        self.done = False

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body; httptools calls this."""
        self.body += data

    def on_message_complete(self) -> None:
        """Note that the answer is whole; httptools calls this."""
        self.done = True

    def feed(self, data: bytes) -> bool:
        """Take bytes; True when the answer is whole. Raises BadAnswer."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise BadAnswer(str(error)) from error
        return self.done


def request(path: str, host: str, headers: dict[str, str], body: bytes, token: str | None) -> bytes:
    """Write a request as it is sent."""
    lines = [f"POST {path} HTTP/1.1", f"host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if token is not None:
        lines.append(f"authorization: Bearer {token}")
    lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
