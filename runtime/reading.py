"""Reading HTTP/1.1 from a connection: whatever is not as it should be is refused, and bounded."""

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NoReturn

import httptools

from runtime.bulk import BULK_BYTES, Bulk
from runtime.codecs.request import Body
from runtime.connection import HEAD_S, IDLE_S, WRITING, Connection
from runtime.exchange import Exchange
from runtime.faults import log
from runtime.heads import Head
from runtime.plan.ops import override
from runtime.problems import Internal, Malformed, Overloaded, Problem, TooLarge, TooSlow
from runtime.responses import CLOSE, CONTINUE, problem_answer, without_body
from runtime.strict import (
    MAX_HEAD_BYTES,
    MAX_TARGET_BYTES,
    VERSIONS,
    Headers,
    bad_trailer,
    head_too_large,
    other_version,
    refusal,
    target_too_long,
)

if TYPE_CHECKING:
    from runtime.edge import Edge
    from runtime.stream import Stream

# Bodies above this are worth refusing before they are read.
LARGE_BYTES: Final = 64 * 1024
OFFERS: Final = (b"upgrade", b"http2-settings")
# A body comes at this rate at least, in bytes a second, once it has had some seconds.
MIN_RATE: Final = 500
RATE_AFTER_S: Final = 20.0
# Chunk sizes, extensions and trailers beside the body; a byte in a chunk of its own needs 5.
FRAMING_BYTES: Final = 16 * 1024
FRAMING_FACTOR: Final = 16
COURTESY: Final = 256  # connections too many that are told so; what is beyond is cut
# As much as the longest request line needs.
LINE_BYTES: Final = MAX_TARGET_BYTES + 64
NO_LINE: Final = b"\0"  # which no request begins with


class _Refused(Exception):
    """Stops the parser: the answer is on its way and nothing that follows is read."""


class Reader(Connection):
    """Reads requests with httptools and gives each to `give`, whole."""

    def __init__(self, edge: "Edge") -> None:
        super().__init__(edge)
        self.parser = httptools.HttpRequestParser(self)
        self._large = min(LARGE_BYTES, edge.max_body_bytes)
        self._target, self._headers = b"", Headers()
        self._head: Head | None = None
        self._head_bytes, self._until = 0, 0.0
        self._body = b""
        self._parts: bytearray | None = None
        self._stream: Stream | None = None  # takes the body as it comes
        self._received = self._kept = self._completed = self._chunk = 0
        self.arrived = 0.0
        self._begun = False  # a request began in this chunk
        # What is there of the head being read, or before it where it is not `placed` at the start.
        self._start: bytes | bytearray = b""
        self._placed = False
        self._line, self._version = NO_LINE, ""
        self._watched: Head | None = None  # whose body is read in parts
        self._raw = self._quiet = self._seen = 0

    def give(self, head: Head, body: Body) -> None:
        """Take a request that was read whole."""
        raise NotImplementedError

    def _feed(self, data: bytes | memoryview) -> None:
        while True:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                # A chunk may hold thousands of offers: neither copied nor nested for each.
                data = memoryview(data)[upgrade.args[0] :]
                self._feed(self._without_upgrade())
                if self.ending:
                    return
            except httptools.HttpParserCallbackError as error:
                if not isinstance(error.__context__, _Refused):
                    log(error.__context__ or error)
                    self.refuse(Internal("The request could not be handled; the log says where."))
                return
            except httptools.HttpParserError as error:
                self._unreadable(str(error))
                return

    def _unreadable(self, said: str) -> None:
        """Refuse what the parser cannot read."""
        if self.between and self._head is not None and self._head.close:
            # What follows the last request of a connection is read away, whatever it is.
            self.between, self.ending = False, True
            return
        start = self._start if self._placed and not self._completed else b""
        self.refuse(refusal(said, bytes(start[:LINE_BYTES]).lstrip(b"\r\n")))

    # What has begun

    def _unfinished(self) -> None:
        """Bound in time and size what has begun and not ended."""
        if self._head is None:
            self._unfinished_head()
        else:
            self._unfinished_body(self._head)

    def _unfinished_head(self) -> None:
        if self._begun:
            self._until = self.arrived + HEAD_S
            self._placed = self._placed and not self._completed
            # Behind the end of another request not all of the chunk is its own.
            its_own = len(self._target) + _size(self._headers)
            self._head_bytes = self._chunk if self._placed else its_own
            self._start = bytearray(self._start[-MAX_HEAD_BYTES:])
        else:
            self._head_bytes += self._chunk
        self.deadline = self._until
        if len(self._target) > MAX_TARGET_BYTES:
            self.refuse(target_too_long())
        elif self._head_bytes > MAX_HEAD_BYTES:
            self.refuse(head_too_large())
        elif self._target and self._is_simple():
            self.refuse(other_version())
        else:
            with suppress(_Refused):
                self._keep(len(self._start))

    def _unfinished_body(self, head: Head) -> None:
        read = self._received
        if self._watched is not head:
            self._watched, self._raw, self._quiet = head, 0, 0
        else:
            self._raw += self._chunk
            self._quiet = 0 if read > self._seen else self._quiet + self._chunk
        self._seen = read
        self._expect_more(read)
        if self._raw - read > FRAMING_BYTES + FRAMING_FACTOR * read or self._quiet > MAX_HEAD_BYTES:
            self.refuse(Malformed("Chunk extensions and trailers are larger than the body."))
        elif self._parts is None:
            with suppress(_Refused):
                self._keep(len(self._body))
        if not self.ending:
            self._take_shortcut(head)

    def _expect_more(self, read: int) -> None:
        """Set the time by which more of a body must come than the bytes that are read."""
        # Slow is who has had some seconds and gives less than the least a second since.
        due = self._until - self.edge.body_s + RATE_AFTER_S + read / MIN_RATE
        self.deadline = min(self.deadline, self._until, due)

    # A large body whose length is known

    def _take_shortcut(self, head: Head) -> None:
        """Have the kernel write the rest of a large body where it is needed."""
        if head.length is None or head.length - self._received < BULK_BYTES:
            return
        if head.route is None or self._stream is not None:
            return
        begun = self._body if self._parts is None else self._parts
        try:
            bulk = Bulk(self, head.length, begun)
        except MemoryError:
            self.refuse(Overloaded("There is no memory for the body.", retry_after_s=1))
            return
        self._body, self._parts = b"", None
        self.transport.set_protocol(bulk)

    def came(self, bulk: Bulk) -> None:
        """Learn that the next bytes of a large body are in their place."""
        self.arrived = self.edge.clock()
        self.deadline = self.arrived + IDLE_S
        if not self.ending:
            with suppress(_Refused):
                self._keep(bulk.at)
        head, whole = self._head, bulk.at == len(bulk.body)
        if head is None or self.ending:
            bulk.take()
            self.transport.set_protocol(self)  # which reads away what comes
        elif not whole:
            self._expect_more(bulk.at)
        else:
            self.parser = httptools.HttpRequestParser(self)  # the old one waits for this body
            self.transport.set_protocol(self)
            self.between = True
            self._keep(0)
            self.give(head, bulk.take())

    # The request line

    def _without_upgrade(self) -> bytes:
        """Write the head again without the offer to change protocols, which a server may ignore.

        Java's client makes it with every first request; the parser leaves such a body unread.
        """
        lines = [self._line]
        for name, value in self._headers:
            small = name.lower()
            if small in OFFERS:
                continue
            if small == b"connection":
                options = [o for o in value.split(b",") if o.strip().lower() not in OFFERS]
                value = b",".join(options)
            lines.append(b"%b: %b\r\n" % (name, value))
        self.parser = httptools.HttpRequestParser(self)
        return b"".join(lines) + b"\r\n"

    def _is_simple(self) -> bool:
        """Tell whether this is a request of HTTP/0.9, whose head would be waited for in vain."""
        line, end, _ = self._start[:LINE_BYTES].lstrip(b"\r\n").partition(b"\r\n")
        return self._placed and bool(end) and line.endswith(self._target)

    def _read_line(self) -> None:
        """Refuse a request line that is not as it should be: the parser takes spaces, and RTSP."""
        parser, start = self.parser, self._start
        version = self._version = parser.get_http_version()
        line = b"%b %b HTTP/%b\r\n" % (parser.get_method(), self._target, version.encode())
        self._line = line
        if self._placed and not self._completed:
            plain = start.startswith(line) or start.lstrip(b"\r\n").startswith(line)
        else:
            plain = line in start
        if not plain and version in VERSIONS:
            self._line = NO_LINE
            self._stop(
                Malformed("The request line is not: method, space, target, space, HTTP/1.1.")
            )

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
        # Nearly always it is the last one again.
        if self._completed or not self._placed or not self._start.startswith(self._line):
            self._read_line()
        if parser.should_upgrade():
            if parser.get_method() == b"CONNECT":
                self._stop(Malformed("This is no proxy: CONNECT is not served."))
            return
        head = self._head = Head(
            parser.get_method(),
            self._target,
            self._headers,
            self._version,
            close=not parser.should_keep_alive(),
        )
        if head.broken is not None:
            self._stop(head.broken)
        # A small head in one chunk, as nearly all are, needs no adding up.
        whole = self._begun and self._chunk <= MAX_HEAD_BYTES
        if not whole and len(self._target) + _size(self._headers) > MAX_HEAD_BYTES:
            self._stop(head_too_large())
        self._headers = []  # what comes now are trailers
        head.route = self.edge.route(head)
        self._until = self.arrived + self.edge.body_s
        if head.streamed and head.route is not None:
            self._open_stream(head)
        elif head.length is None or head.length > self._large or head.expects:
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
        if self._headers and (problem := bad_trailer(self._headers)) is not None:
            self._stop(problem)
        self.between = True
        self._completed += 1
        if self._stream is not None:
            self._stream.finish()
            self._stream = None
            return
        body = self._body if self._parts is None else self._parts
        self._body, self._parts = b"", None
        self._keep(0)
        self.give(head, body)

    # What they lead to

    def _before_body(self, head: Head) -> None:
        """Refuse a large request, or one that asks first, while its body is not here."""
        self.edge.bulky = True
        if head.length is not None and head.length > self.edge.max_body_bytes:
            self._stop(self._too_large())
        try:
            self.edge.admit(head)
        except Problem as problem:
            self._stop(problem)
        self._go_on(head)

    def _go_on(self, head: Head) -> None:
        if not head.expects:
            return
        if not self.exchanges:
            self.transport.write(CONTINUE)
            return
        go_on = Exchange(self, None, close=False)
        go_on.answer = CONTINUE
        self.exchanges.append(go_on)  # told when its turn comes

    def _open_stream(self, head: Head) -> None:
        """Begin to answer a request whose body may be of any length, and take any time."""
        try:
            stream = self._stream = self.edge.streams.begin(self, head)
        except Problem as problem:
            self._stop(problem)
        self._go_on(head)
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
        answer = problem_answer(problem, end=CLOSE)
        if self._target and self.parser.get_method() == b"HEAD":
            answer = without_body(answer)
        exchange.put(answer)

    def _too_large(self) -> TooLarge:
        limit = self.edge.max_body_bytes
        return TooLarge(
            f"The body is larger than {limit} bytes. Send fewer rows a call.", limit_bytes=limit
        )

    # Waiting and leaving

    @override
    def is_last(self, exchange: Exchange) -> bool:
        # While a chunk is being read its rest may be another request.
        return not self._start and super().is_last(exchange)

    @override
    def overdue(self, now: float) -> bool:
        exchanges = self.exchanges
        if exchanges and not self.between and (self._held or exchanges[-1].answer is CONTINUE):
            # Its rest cannot come: we do not read, or it waits to be told to go on.
            limit = HEAD_S if self._head is None else self.edge.body_s
            self._until = self.deadline = now + limit
        return super().overdue(now)

    def too_slow(self) -> None:
        """End a connection whose client kept us waiting; tell it if it was amid a request."""
        if self.ending or self._held & WRITING:
            self.transport.abort()
        elif self.between:
            self.end()
        else:
            self.refuse(TooSlow("The rest of the request did not arrive in time. Send it again."))

    @override
    def turn_away(self) -> None:
        if len(self.edge.connections) > self.edge.max_connections + COURTESY:
            self.transport.abort()
            return
        self.between = False  # what it sends is read away
        self.refuse(
            Overloaded("This replica has as many connections as it takes.", retry_after_s=1)
        )

    @override
    def eof_received(self) -> bool:
        if self._stream is not None:
            self.refuse(Malformed("The connection was shut amid the rows."))
        elif not self.between and not self.ending:
            self.between = True  # its rest will never come
            self.refuse(Malformed("The connection was shut amid a request."))
        return super().eof_received()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.edge.keep(-self._kept)
        self._kept = 0
        super().connection_lost(exc)


def _size(headers: Headers) -> int:
    return sum(len(name) + len(value) + 4 for name, value in headers)
