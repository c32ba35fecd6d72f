"""Clients that keep us waiting, under a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from runtime.accounting import Concurrency
from runtime.batching import Batcher
from runtime.connection import HEAD_S, IDLE_S
from runtime.edge import Edge
from runtime.exchange import Exchange
from runtime.gate import Gate
from runtime.metrics import Metrics, RevisionMetrics
from runtime.protocol import HttpProtocol
from runtime.streams import Piece, Streams
from tests.unit.codecs.signatures import numeric

if TYPE_CHECKING:
    from runtime.predictor import Predictor
    from runtime.routes import Route

HEAD = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n"
BODY_S = 15.0  # no least rate is asked for in so short a time


class Stage:
    """A real edge with a real loopback connection; predictions are answered by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked: list[Exchange] = []
        self.pieces: list[Piece] = []
        predictor = SimpleNamespace(predict=self._predict, admit=lambda _head: None, on_first=None)
        predictor.revisions = SimpleNamespace(choose=lambda _tag: self._revision())
        batcher = Batcher(asyncio.get_running_loop(), Gate(0, 1000), lambda: self.now)
        routes = {b"/predict": cast("Route", SimpleNamespace(csv=None, streams=True))}
        self.edge = Edge(cast("Predictor", predictor), routes, batcher, Metrics("acme", "iris"))
        self.edge.max_body_bytes, self.edge.body_s = 1000, BODY_S
        self.edge.streams = Streams(cast("Predictor", predictor), batcher, BODY_S)

    def _predict(self, connection: HttpProtocol, head: Any, body: bytes, now: float) -> None:
        exchange = Exchange(connection, head, close=False)
        connection.exchanges.append(exchange)
        self.asked.append(exchange)

    def _revision(self) -> Any:
        return SimpleNamespace(
            launch=SimpleNamespace(name="iris-00001"),
            backend=SimpleNamespace(signature=numeric(1)),
            lane=SimpleNamespace(put=self.pieces.append),
            in_flight=Concurrency(self.now),
            counts=RevisionMetrics(),
        )

    async def answer_piece(self) -> None:
        """Wait for a piece of a stream, and answer each of its rows with 7."""
        async with asyncio.timeout(10):
            while not self.pieces:
                await asyncio.sleep(0.001)
        piece = self.pieces.pop()
        piece.stream.computed(piece, {"predict": np.full(piece.call.rows, 7)})

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.edge.sweep()


@pytest.fixture
async def stage() -> AsyncIterator[tuple[Stage, asyncio.StreamReader, asyncio.StreamWriter]]:
    play = Stage()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(play.edge.protocol, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield play, reader, writer
    writer.close()
    server.close()
    for connection in tuple(play.edge.connections):
        connection.transport.abort()
    await asyncio.sleep(0)


async def arrived(stage: Stage, writer: asyncio.StreamWriter, data: bytes) -> None:
    """Send, and wait until the edge has read it."""
    writer.write(data)
    async with asyncio.timeout(10):
        while not stage.edge.connections:
            await asyncio.sleep(0.001)
        (connection,) = stage.edge.connections
        before = cast("HttpProtocol", connection).arrived
        stage.now += 0.001
        while cast("HttpProtocol", connection).arrived == before:
            await asyncio.sleep(0.001)


async def test_a_head_that_trickles_ends_after_its_time(stage: Any) -> None:
    play, reader, writer = stage
    for byte in HEAD[:14]:
        await arrived(play, writer, bytes([byte]))
        play.pass_time(1.0)
    assert play.edge.connections
    await arrived(play, writer, HEAD[14:15])  # a byte more does not buy more time
    play.pass_time(HEAD_S - 13)
    assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    assert b"connection: close" in await reader.read()


async def test_a_body_that_never_ends_is_told_so(stage: Any) -> None:
    play, reader, writer = stage
    await arrived(play, writer, HEAD + b"ab")
    play.pass_time(BODY_S - 1)
    await arrived(play, writer, b"c")
    play.pass_time(2)
    assert (await reader.readline()).startswith(b"HTTP/1.1 408")


async def test_an_idle_connection_is_closed_but_never_one_that_waits_for_us(stage: Any) -> None:
    play, reader, writer = stage
    await arrived(play, writer, HEAD + b"abcd")
    for _ in range(3):
        play.pass_time(IDLE_S - 1)
    play.asked[0].put(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    play.pass_time(IDLE_S - 1)
    assert play.edge.connections
    play.pass_time(2)
    assert (await reader.read()).endswith(b"\r\n\r\n")


STREAM = (
    b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


async def test_a_stream_may_take_any_time_but_not_be_silent(stage: Any) -> None:
    play, reader, writer = stage
    await arrived(play, writer, STREAM)
    for _ in range(4):
        await arrived(play, writer, b"4\r\n[1]\n\r\n")
        await play.answer_piece()
        play.pass_time(IDLE_S - 1)
    play.pass_time(2)
    head, *lines = (await reader.read()).split(b"\r\n2\r\n7\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert len(lines) == 4
    assert b'"status":408' in lines[-1]
    assert b'"row":4' in lines[-1]
    assert lines[-1].endswith(b"\r\n0\r\n\r\n")


async def test_a_stream_that_waits_for_us_is_not_silent(stage: Any) -> None:
    play, reader, writer = stage
    await arrived(play, writer, STREAM + b"4\r\n[1]\n\r\n")
    async with asyncio.timeout(10):
        while not play.pieces:
            await asyncio.sleep(0.001)
    rows = b"[2]\n" * 200_000
    writer.write(b"%x\r\n%b\r\n" % (len(rows), rows))
    (connection,) = play.edge.connections
    async with asyncio.timeout(10):
        while not connection._held:  # enough is here: no more is read
            await asyncio.sleep(0.001)
    for _ in range(3):
        play.pass_time(IDLE_S - 1)
    reading = asyncio.create_task(reader.read())

    async def answer(until: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not until():
                if play.pieces:
                    await play.answer_piece()
                await asyncio.sleep(0)

    (stream,) = play.edge.streams.open
    await answer(lambda: stream.row == 200_001)
    for _ in range(4):  # and then it may take its time as before
        await arrived(play, writer, b"4\r\n[1]\n\r\n")
        play.pass_time(BODY_S - 1)
    writer.write(b"0\r\n\r\n")
    await answer(lambda: not play.edge.streams.open)
    play.pass_time(IDLE_S + 1)
    assert (await reading).count(b"7") >= 200_005
