"""HTTP/1.1 on a connection: the hot path. Predictions go to the predictor, the rest to ASGI."""

import math
from typing import TYPE_CHECKING, Final, NoReturn

import httptools

from runtime.connection import HEAD_S, IDLE_S, MAX_PIPELINED, PIPELINE, WRITING, Connection
from runtime.exchange import Exchange
from runtime.faults import log
from runtime.heads import MAX_HEAD_BYTES, Head, Headers
from runtime.plan.ops import override
from runtime.problems import HeadTooLarge, Internal, Malformed, Problem, TooLarge, TooSlow
from runtime.responses import CLOSE, CONTINUE, problem_answer

if TYPE_CHECKING:
    from runtime.edge import Edge
    from runtime.streams import Stream

# Bodies above this are worth refusing before they are read.
LARGE_BYTES: Final = 64 * 1024
HOP_BY_HOP: Final = frozenset({b"upgrade", b"http2-settings", b"connection"})


class _Refused(Exception):
    """Stops the parser: the answer is on its way and nothing that follows is read."""


class HttpProtocol(Connection):
    """Parses requests, bounds them, and gives them away whole."""

    def __init__(self, edge: "Edge") -> None:
        super().__init__(edge)
        self.parser = httptools.HttpRequestParser(self)
        self._predict, self._batcher = edge.predict, edge.batcher
        self._target, self._headers = b"", Headers()
        self._head: Head | None = None
        self._head_bytes, self._until = 0, 0.0
        self._body = b""
        self._parts: bytearray | None = None
        self._stream: Stream | None = None  # takes the body as it comes
        self._received = self._kept = self._completed = self._chunk = 0
        # The last head on this connection as bytes: callers repeat theirs, and what is equal to the
        # last byte needs no second reading (40 % of the parsing, measured).
        self._known: Head
        self._known_bytes, self._known_size, self._known_total = b"", 0, -1
        self.arrived = 0.0
        self._begun = False  # a request began in this chunk

    @override
    def data_received(self, data: bytes) -> None:
        if self.ending:
            return
        self.arrived = now = self.edge.clock()
        self.deadline = now + IDLE_S
        if self.between and len(data) == self._known_total and data.startswith(self._known_bytes):
            batcher = self._batcher
            batcher.alone = len(self.edge.connections) == 1
            self._predict(self, self._known, data[self._known_size :], now)
            batcher.alone = False
            if len(self.exchanges) >= MAX_PIPELINED:
                self.hold(PIPELINE)
            return
        fresh = self.between
        self._completed, self._chunk, self._begun = 0, len(data), False
        self._feed(data)
        self._after(fresh, data)

    def _after(self, fresh: bool, data: bytes) -> None:
        if self.ending:
            return
        if not self.between:
            self._unfinished()
        elif fresh and self._completed == 1:
            self._remember(data)

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._feed(self._without_upgrade() + data[upgrade.args[0] :])
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, _Refused):
                log(error.__context__ or error, "-", "protocol")
                self.refuse(Internal("The request could not be handled; the log says where."))
        except httptools.HttpParserError as error:
            self.refuse(Malformed(f"This is not a well-formed HTTP request: {error}."))

    def _unfinished(self) -> None:
        """Bound in time and size what has begun and not ended."""
        if self._head is not None:
            self.deadline = min(self.deadline, self._until)
            return
        if self._begun:  # behind the end of another request, so that not all of the chunk is its
            self._until = self.arrived + HEAD_S
            self._head_bytes = len(self._target) + _size(self._headers)
        else:
            self._head_bytes += self._chunk
        self.deadline = self._until
        if self._head_bytes > MAX_HEAD_BYTES:
            self.refuse(_head_too_large())

    def _remember(self, data: bytes) -> None:
        head = self._head
        if head is None or head.route is None or not head.length or head.expects or head.close:
            return
        if head.streamed:
            return
        size = len(data) - head.length
        # Only where this chunk was exactly that head and its body.
        if data.find(b"\r\n\r\n") + 4 == size and head.fault is None:
            self._known, self._known_bytes, self._known_size = head, data[:size], size
            self._known_total = len(data)

    def _without_upgrade(self) -> bytes:
        """Write the head again without the offer to change protocols, which a server may ignore.

        Java's client makes it with every first request; the parser leaves such a body unread.
        """
        closing = any(
            n.lower() == b"connection" and b"close" in v.lower() for n, v in self._headers
        )
        lines = [b"%b %b HTTP/1.1\r\n" % (self.parser.get_method(), self._target)]
        lines += [
            b"%b: %b\r\n" % header
            for header in self._headers
            if header[0].lower() not in HOP_BY_HOP
        ]
        self.parser = httptools.HttpRequestParser(self)
        return b"".join(lines) + (CLOSE if closing else b"") + b"\r\n"

    # The parser's callbacks, in their order

    def on_message_begin(self) -> None:
        self.between, self._begun = False, True
        self._target, self._headers, self._head = b"", [], None
        self._body, self._parts, self._received = b"", None, 0

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        parser = self.parser
        if parser.should_upgrade():
            if parser.get_method() == b"CONNECT":
                self._stop(Malformed("This is no proxy: CONNECT is not served."))
            return
        # A small head in one chunk, as nearly all are, needs no adding up.
        whole = self._begun and self._chunk <= MAX_HEAD_BYTES
        if not whole and len(self._target) + _size(self._headers) > MAX_HEAD_BYTES:
            self._stop(_head_too_large())
        head = self._head = Head(
            parser.get_method(), self._target, self._headers, close=not parser.should_keep_alive()
        )
        if head.connection is not None or not head.host:
            head.http10 = parser.get_http_version() == "1.0"
            if not head.host and not head.http10:
                self._stop(Malformed("The Host header is missing."))
        if head.strange:
            self._stop(Malformed("The only Transfer-Encoding read here is chunked."))
        head.route = self.edge.route(head)
        self._until = self.arrived + self.edge.body_s
        if head.streamed and head.route is not None:
            self._open_stream(head)
        elif head.length is None or head.length > LARGE_BYTES or head.expects:
            self._before_body(head)

    def on_body(self, body: bytes) -> None:
        self._received += len(body)
        if self._stream is not None:
            self._until = math.inf  # however long it takes, also behind a wait for us
            self._stream.feed(body)
            return
        if self._received > self.edge.max_body_bytes:
            self._stop(self._too_large())
        if self._head is None or self._head.route is None:
            return
        if not self._body:
            self._body = body
            return
        if self._parts is None:
            self._parts = bytearray(self._body)
        self._parts += body
        self._keep(len(self._parts))

    def on_message_complete(self) -> None:
        head = self._head
        if head is None:
            return  # an upgrade: fed again without its offer
        self.between = True
        self._completed += 1
        if self._stream is not None:
            self._stream.finish()
            self._stream = None
            return
        body = self._body if self._parts is None else bytes(self._parts)
        self._body, self._parts = b"", None
        self._keep(0)
        self._give(head, body)

    # What they lead to

    def _give(self, head: Head | None, body: bytes) -> None:
        if head is None:
            return
        if head.route is None:
            self.edge.visit(self, head)
        else:
            self._predict(self, head, body, self.arrived)
        if len(self.exchanges) >= MAX_PIPELINED:
            self.hold(PIPELINE)

    def _before_body(self, head: Head) -> None:
        """Refuse a large request, or one that asks first, while its body is not here."""
        if head.length is not None and head.length > self.edge.max_body_bytes:
            self._stop(self._too_large())
        try:
            self.edge.admit(head)
        except Problem as problem:
            self._stop(problem)
        if head.expects and not self.exchanges:
            self.transport.write(CONTINUE)

    def _open_stream(self, head: Head) -> None:
        """Begin to answer a request whose body may be of any length, and take any time."""
        head.http10 = self.parser.get_http_version() == "1.0"
        try:
            stream = self._stream = self.edge.streams.begin(self, head)
        except Problem as problem:
            self._stop(problem)
        if head.expects and not self.exchanges:
            self.transport.write(CONTINUE)
        self._until = math.inf
        self.exchanges.append(stream)
        self.settle()

    def _keep(self, size: int) -> None:
        """Account for the half-read body; all of them together are bounded."""
        try:
            self.edge.keep(size - self._kept)
        except Problem as problem:
            self._stop(problem)
        self._kept = size

    def _stop(self, problem: Problem) -> NoReturn:
        self.refuse(problem)
        raise _Refused

    def refuse(self, problem: Problem) -> None:
        """Answer with a problem after what is owed before it, then close."""
        if self._stream is not None:
            self.ending = True
            stream, self._stream = self._stream, None
            stream.fail(problem)
            return
        exchange = Exchange(self, None, close=True)
        self.exchanges.append(exchange)
        self.ending = True
        self.edge.refused(problem.status)
        exchange.put(problem_answer(problem, end=CLOSE))

    def too_slow(self) -> None:
        """End a connection whose client kept us waiting; tell it if it was amid a request."""
        if self.between or self.ending:
            self.transport.abort() if self.ending else self.transport.close()
        elif self._held & WRITING:
            self.transport.abort()
        else:
            self.refuse(TooSlow("The rest of the request did not arrive in time. Send it again."))

    @override
    def eof_received(self) -> bool:
        if self._stream is not None:
            self.refuse(Malformed("The connection was shut amid a request."))
        return super().eof_received()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.edge.keep(-self._kept)
        self._kept = 0
        super().connection_lost(exc)

    def _too_large(self) -> TooLarge:
        limit = self.edge.max_body_bytes
        return TooLarge(
            f"The body is larger than {limit} bytes. Send fewer rows a call.", limit_bytes=limit
        )


def _head_too_large() -> HeadTooLarge:
    return HeadTooLarge(
        f"The headers are larger than {MAX_HEAD_BYTES} bytes.", limit_bytes=MAX_HEAD_BYTES
    )


def _size(headers: Headers) -> int:
    return sum(len(name) + len(value) + 4 for name, value in headers)
