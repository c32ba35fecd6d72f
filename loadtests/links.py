"""Connections that never wait: plain, or TLS in memory, whatever patches `ssl`."""

import os
import ssl
from socket import AF_INET6, IPPROTO_TCP, SO_ERROR, SOCK_STREAM, SOL_SOCKET, TCP_NODELAY, socket
from typing import Final, NamedTuple

from typing_extensions import override

from loadtests.wire import Parsed

RECEIVE_BYTES: Final = 256 * 1024


class Address(NamedTuple):
    """Where requests go.

    ip, port  of the server, resolved
    name      that its certificate must have; None: plain HTTP
    """

    ip: str
    port: int
    name: str | None


class Link:
    """One connection with at most one request in flight.

    due, sent  when its request should have been sent, and was
    got        what has come of an answer that is not whole
    rest       what is still to be sent; `more` goes on with it
    """

    __slots__ = ("due", "fd", "got", "opened", "parsed", "rest", "sent", "sock")

    parsed: Parsed | None

    def __init__(self, address: Address) -> None:
        self.sock = socket(AF_INET6) if ":" in address.ip else socket(type=SOCK_STREAM)
        self.sock.setblocking(False)
        self.sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        self.fd = self.sock.fileno()
        self.rest = b""
        self.got = b""
        self.parsed = None
        self.due = self.sent = 0.0
        self.opened = False
        self.sock.connect_ex((address.ip, address.port))

    def send(self, raw: bytes) -> None:
        """Begin to send; there may be a `rest`. Raises OSError."""
        self.write(raw)

    def write(self, raw: bytes) -> None:
        """Write bytes as they are, as far as there is room. Raises OSError."""
        if not self.opened or self.rest:
            self.rest += raw
            return
        try:
            sent = self.sock.send(raw)
        except BlockingIOError:
            sent = 0
        if sent != len(raw):
            self.rest = raw[sent:]

    def more(self) -> None:
        """Go on where there is room: connect, then write the rest. Raises OSError."""
        if not self.opened:
            failed = self.sock.getsockopt(SOL_SOCKET, SO_ERROR)
            if failed:
                raise OSError(failed, os.strerror(failed))
            self.opened = True
        rest, self.rest = self.rest, b""
        if rest:
            self.write(rest)

    def receive(self) -> bytes | None:
        """Give what has come, b"" at the end; None: nothing yet. Raises OSError."""
        try:
            return self.sock.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return None

    def close(self) -> None:
        """Close it."""
        self.sock.close()


class TlsLink(Link):
    """The same with TLS."""

    __slots__ = ("_in", "_out", "_plain", "_tls")

    def __init__(self, address: Address, context: ssl.SSLContext) -> None:
        super().__init__(address)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=address.name)
        self._plain = b""

    @override
    def send(self, raw: bytes) -> None:
        """Encrypt, or keep until hands are shaken, and send."""
        self._plain += raw
        self._shake()
        self.write(self._out.read())

    def _shake(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return
        while self._plain:
            self._plain = self._plain[self._tls.write(self._plain) :]

    @override
    def receive(self) -> bytes | None:
        """Decrypt what has come."""
        data = super().receive()
        if data is None:
            return None
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()
        if self._plain:
            self._shake()
        found = b"".join(iter(self._decrypted, b""))
        if self._out.pending:
            self.write(self._out.read())
        return found if found or not data else None

    def _decrypted(self) -> bytes:
        try:
            return self._tls.read(RECEIVE_BYTES)
        except ssl.SSLWantReadError:
            return b""


def context_for(address: Address) -> ssl.SSLContext | None:
    """Give what TLS needs; None: plain HTTP."""
    return None if address.name is None else ssl.create_default_context()
