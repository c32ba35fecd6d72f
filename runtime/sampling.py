"""Copies of some requests for the shadow process (`runtime/shadow.py`); nobody ever waits for it.

A copy is kept for a moment, until the answer is on its way, and then written to a datagram socket
that takes what fits: what the shadow does not read in time is dropped here, and counted.
"""

import asyncio
import json
import socket
from collections import deque
from functools import partial
from typing import Any, Final

from runtime.codecs import short, v1, v2
from runtime.codecs.request import Body

MOST_BYTES: Final = 64 * 1024  # of a body
MOST_KEPT: Final = 64  # until they are written
LATER_S: Final = 0.005
DECODES: Final[dict[str, Any]] = {
    "short": short.decode,
    "csv": short.decode_csv,
    "v1": v1.decode,
    "v2": v2.decode,
}
NAMES: Final = {decode: name for name, decode in DECODES.items()}


class Sampler:
    """Takes a share of the requests that one revision answers, once it is told to.

    revision  whose requests; None: nobody's
    """

    __slots__ = ("_armed", "_due", "_kept", "_loop", "_share", "_sock", "dropped", "revision")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.revision: str | None = None
        self.dropped = 0
        self._share, self._due, self._armed = 0.0, 0.0, False
        self._sock: socket.socket | None = None
        self._kept: deque[tuple[Any, Body]] = deque()

    def start(self, sock: socket.socket, revision: str, share: float) -> None:
        """Send a share of a revision's requests to a socket, which is ours from now on."""
        self.stop()
        sock.setblocking(False)
        self._sock, self._share, self.revision = sock, share, revision

    def stop(self) -> None:
        """Take no more."""
        self.revision = None
        self._kept.clear()
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def offer(self, decode: Any, body: Body) -> None:
        """Take a request if it is its turn: one in so many, evenly.

        decode  what the request was read with
        """
        self._due += self._share
        if self._due < 1.0:
            return
        self._due -= 1.0
        if len(body) > MOST_BYTES or len(self._kept) >= MOST_KEPT:
            self.dropped += 1
            return
        self._kept.append((decode, body))
        if not self._armed:
            self._armed = True
            self._loop.call_later(LATER_S, self._write)

    def _write(self) -> None:
        self._armed = False
        while self._kept and self._sock is not None:
            decode, body = self._kept.popleft()
            try:
                self._sock.send(packed(decode, body), socket.MSG_NOSIGNAL)
            except OSError:  # it is full, or its reader is gone: the next one may be read
                self.dropped += 1


def packed(decode: Any, body: Body) -> bytes:
    """Write a request for `unpacked`."""
    of = decode.func if isinstance(decode, partial) else decode
    more = decode.keywords if isinstance(decode, partial) else {}
    return json.dumps({"as": NAMES[of], **more}).encode() + b"\n" + body


def unpacked(packet: bytes) -> tuple[Any, bytes]:
    """Give what a request is read with, and its body."""
    head, _, body = packet.partition(b"\n")
    said = json.loads(head)
    decode = DECODES[said.pop("as")]
    return (partial(decode, **said) if said else decode), body
