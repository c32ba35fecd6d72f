"""A protocol on a transport of memory: bytes in, bytes out, time moved by the test. No sockets."""

import asyncio
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import h11

from runtime.batching import Batcher
from runtime.edge import Edge
from runtime.exchange import Exchange
from runtime.gate import Gate
from runtime.metrics import Metrics
from runtime.problems import Problem
from runtime.protocol import HttpProtocol
from runtime.responses import CLOSE, KEEP_ALIVE, without_body

if TYPE_CHECKING:
    from runtime.heads import Head
    from runtime.predictor import Predictor
    from runtime.routes import Route

MAX_BODY_BYTES = 20_000
BODY_S = 300.0
HIGH_WATER = 64 * 1024


class Pipe(asyncio.Transport):
    """What asyncio promises of a transport, and errors where a real one would misbehave.

    taking  False: the client reads nothing, and what is written stays in the buffer
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._loop = loop
        self.protocol: Any = None
        self.sent = bytearray()
        self.buffer = 0
        self.taking = True
        self._sockets: tuple[socket.socket, ...] = ()
        self.closing = self.lost = self.aborted = self.eof = self.paused = self.full = False

    def write(self, data: bytes) -> None:  # type: ignore[override]
        if self.eof:
            raise RuntimeError("Cannot call write() after write_eof()")
        if self.closing:
            return
        self.sent += data
        if not self.taking:
            self.buffer += len(data)
            if self.buffer > HIGH_WATER and not self.full:
                self.full = True
                self.protocol.pause_writing()

    def take(self, size: int) -> None:
        """Let the client read so many bytes."""
        self.buffer = max(0, self.buffer - size)
        if self.full and self.buffer <= HIGH_WATER // 4:
            self.full = False
            self.protocol.resume_writing()
        if self.closing and not self.buffer:
            self._lose()

    def close(self) -> None:
        self.closing = True
        if not self.buffer:
            self._lose()

    def abort(self) -> None:
        self.aborted = self.closing = True
        self._lose()

    def _lose(self) -> None:
        for one in self._sockets:
            one.close()
        if not self.lost:
            self.lost = True
            self._loop.call_soon(self.protocol.connection_lost, None)

    def is_closing(self) -> bool:
        return self.closing

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.eof = True

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def deliver(self, data: bytes) -> None:
        """Bring bytes to whichever protocol is there, as the kernel would."""
        rest = memoryview(data)
        while rest and isinstance(self.protocol, asyncio.BufferedProtocol):
            room = self.protocol.get_buffer(-1)
            assert len(room), "a read without room for a byte is an error of the loop's"
            size = min(len(room), len(rest))
            room[:size] = rest[:size]
            self.protocol.buffer_updated(size)
            rest = rest[size:]
        if rest and not self.closing:
            self.protocol.data_received(bytes(rest))

    def pause_reading(self) -> None:
        assert not self.paused, "reading was paused twice"
        self.paused = True

    def resume_reading(self) -> None:
        assert self.paused, "reading was resumed and not paused"
        self.paused = False

    def get_write_buffer_size(self) -> int:
        return self.buffer

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name != "socket":
            return default
        if not self._sockets:
            self._sockets = socket.socketpair()
        return self._sockets[0]


@dataclass(frozen=True)
class Answer:
    """One answer as a client reads it; `continued` counts the 100s before it."""

    status: int
    headers: dict[str, str]
    body: bytes
    continued: int = 0


class Wired:
    """One connection to an edge. Predictions echo, unless `later`: then the test answers them.

    POST /predict is a prediction; the application echoes everything else.
    """

    def __init__(
        self,
        *,
        later: bool = False,
        edge: Edge | None = None,
        admit: Callable[["Head"], None] = lambda _head: None,
        protocol: type[HttpProtocol] = HttpProtocol,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.now = 1000.0
        self.later = later
        self.asked: list[tuple[Exchange, bytes]] = []
        self.gate = Gate(0, MAX_BODY_BYTES)
        self.edge = edge or self._edge(admit)
        self.edge.app = said
        self.protocol = protocol(self.edge)
        self.pipe = Pipe(self.loop)
        self.pipe.protocol = self.protocol
        self.protocol.connection_made(self.pipe)

    def _edge(self, admit: Callable[["Head"], None]) -> Edge:
        predictor = SimpleNamespace(predict=self._predict, admit=admit, streams=None)
        batcher = Batcher(self.loop, self.gate, lambda: self.now)
        routes = {b"/predict": cast("Route", SimpleNamespace(csv=None, streams=False))}
        edge = Edge(cast("Predictor", predictor), routes, batcher, Metrics("acme", "iris"))
        edge.max_body_bytes, edge.body_s = MAX_BODY_BYTES, BODY_S
        return edge

    def _predict(self, connection: Any, head: "Head", body: bytes, now: float) -> None:
        exchange = Exchange(connection, head, close=head.close)
        connection.exchanges.append(exchange)
        if self.later:
            self.asked.append((exchange, body))
        else:
            answer(exchange, body)

    async def send(self, data: bytes, sizes: Iterable[int] = ()) -> "Wired":
        """Deliver in chunks of the given sizes, the rest in one, each when reading is not held."""
        at = 0
        for size in [*sizes, len(data)]:
            if at >= len(data):
                break
            await self.settled()
            if self.pipe.closing or self.pipe.paused:
                break
            self.pipe.deliver(data[at : at + size])
            at += size
        await self.settled()
        return self

    async def settled(self) -> None:
        """Wait until nothing is left to do without another event."""
        for _ in range(20_000):
            await asyncio.sleep(0)
            if not (self.pipe.lost and self.protocol.open):
                return
        raise AssertionError("the edge never comes to rest")

    async def end_input(self) -> None:
        """Shut the client's side of the connection, as asyncio's selector loop tells of it."""
        if not self.pipe.closing and not self.pipe.protocol.eof_received():
            self.pipe.close()
        await self.settled()

    async def pass_time(self, seconds: float, *, step_s: float = 1.0) -> None:
        """Move the clock; the worker looks for those who are late once a second."""
        while seconds > 0:
            self.now += min(step_s, seconds)
            seconds -= step_s
            self.edge.sweep()
            await self.settled()

    def answers(self, *methods: str) -> list[Answer]:
        """Read all that was sent as answers to requests of these methods (then GET)."""
        return read_answers(bytes(self.pipe.sent), methods)

    def statuses(self, *methods: str) -> list[int]:
        return [one.status for one in self.answers(*methods)]

    @property
    def closed(self) -> bool:
        """True when the client learns that no further answer comes."""
        return self.pipe.closing or self.pipe.eof


def answer(exchange: Exchange, body: bytes) -> None:
    """Answer a prediction with what was asked."""
    head = exchange.head
    assert head is not None
    end = CLOSE if exchange.close else KEEP_ALIVE if head.http10 else b""
    exchange.put(said(head, end, body))


def said(head: "Head", end: bytes, body: bytes = b"") -> bytes:
    """Answer what is no prediction with what was asked; its body is not read."""
    text = b"%b %b %b" % (head.method, head.path, body)
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n%b\r\n%b" % (len(text), end, text)
    return without_body(answer) if head.method == b"HEAD" else answer


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answer as `answer` does; bodies are read at /predict only, where uvicorn leads here."""
    body = b""
    if scope["method"] == "POST" and scope["path"] == "/predict":
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            more = message["more_body"]
    said = b"%b %b %b" % (scope["method"].encode(), scope["path"].encode(), body)
    headers = [(b"content-length", b"%d" % len(said))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": said})


def read_answers(raw: bytes, methods: Iterable[str] = ()) -> list[Answer]:
    """Read answers as strictly as h11 does; fails where bytes are left that are no answer."""
    found = []
    left = list(methods)
    while raw:
        client = h11.Connection(h11.CLIENT)
        method = left.pop(0) if left else "GET"
        client.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
        client.send(h11.EndOfMessage())
        client.receive_data(raw)
        one, raw = _answer(client), client.trailing_data[0]
        found.append(one)
    return found


def _answer(client: h11.Connection) -> Answer:
    continued, body = 0, b""
    status, headers = 0, list[tuple[bytes, bytes]]()
    while True:
        event = client.next_event()
        if isinstance(event, h11.InformationalResponse):
            continued += 1
        elif isinstance(event, h11.Response):
            status, headers = event.status_code, list(event.headers)
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            named = {name.decode(): value.decode() for name, value in headers}
            return Answer(status, named, body, continued)
        else:
            raise AssertionError(f"an answer without its end: {event}")


def raising(problem: Problem) -> Callable[["Head"], None]:
    """Make an `admit` that refuses."""

    def admit(_head: "Head") -> None:
        raise problem

    return admit
