"""The API's protocol against clients that are slow, large, many or wrong, over real sockets."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from controlplane.edge.protocol import COURTESY, Bounds, protocol

# For what is to be cut; whoever is to be served has the ordinary bounds, also on a busy machine.
SHORT = Bounds(head_s=0.3, window_s=0.3, window_bytes=1000, write_s=0.3)
WITHIN_S = 60.0


@dataclass
class Served:
    """A server, and what its application saw."""

    port: int
    seen: list[str]

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def say(self, *pieces: bytes) -> bytes:
        """Send, then read until the server closes."""
        reader, writer = await self.connect()
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            return await until_closed(reader)
        finally:
            writer.close()


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    got = b""
    async with asyncio.timeout(WITHIN_S):
        with contextlib.suppress(ConnectionResetError):
            while piece := await reader.read(1 << 16):
                got += piece
    return got


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def problem(answer: bytes) -> str:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head, answer
    assert b"connection: close" in head
    return str(json.loads(body)["type"])


async def without_end() -> AsyncIterator[bytes]:
    while True:
        yield b"x" * 65536
        await asyncio.sleep(0)  # sending to who is gone waits for nothing


class Application:
    """Tells how large a body was; some addresses are early, endless, slow or busy."""

    def __init__(self, seen: list[str]) -> None:
        self._seen = seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["path"]:
            case "/early":
                answer: Response = PlainTextResponse("no", 401)
            case "/flood":
                answer = StreamingResponse(without_end())
            case "/slow":
                await asyncio.sleep(1.0)  # longer than any bound of a client's
                answer = PlainTextResponse("late")
            case path:
                size = await self._read(Request(scope, receive), 0.02 if path == "/busy" else 0)
                answer = PlainTextResponse(str(size))
        await answer(scope, receive, send)

    async def _read(self, request: Request, pause_s: float) -> int:
        size = 0
        try:
            async for chunk in request.stream():
                size += len(chunk)
                await asyncio.sleep(pause_s)
        except ClientDisconnect:
            self._seen.append("disconnected")
        else:
            self._seen.append(str(len(request.headers)))
        return size


@contextlib.asynccontextmanager
async def serving(bounds: Bounds) -> AsyncIterator[Served]:
    seen: list[str] = []

    config = uvicorn.Config(
        Application(seen), port=0, http=protocol(bounds), ws="none", lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(WITHIN_S):
            while not server.started:
                await asyncio.sleep(0.01)
        yield Served(int(server.servers[0].sockets[0].getsockname()[1]), seen)
        async with asyncio.timeout(WITHIN_S):
            while server.server_state.connections:  # some linger for a client that is gone
                await asyncio.sleep(0.02)
    finally:
        server.should_exit = server.force_exit = True
        await task


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving(Bounds()) as running:
        yield running


@pytest.fixture
async def strict() -> AsyncIterator[Served]:
    async with serving(SHORT) as running:
        yield running


GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
LAST = GET.replace(b"x\r\n", b"x\r\nconnection: close\r\n")
POST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"


async def drip(served: Served, start: bytes, piece: bytes, every_s: float) -> bytes:
    """Send a piece again and again until the server has had enough; gives its answer."""
    reader, writer = await served.connect()
    writer.write(start)
    read = asyncio.create_task(until_closed(reader))
    while not read.done():
        with contextlib.suppress(ConnectionError):
            writer.write(piece)
            await writer.drain()
        await asyncio.sleep(every_s)
    writer.close()
    return await read


async def test_a_silent_connection_is_closed(strict: Served) -> None:
    assert await strict.say() == b""


@pytest.mark.parametrize(
    "start", [b"G", b"GET / HTTP/1.1\r\nhost: x\r\n", b"\r\n"], ids=["a letter", "half", "a line"]
)
async def test_a_head_that_stops_is_refused(strict: Served, start: bytes) -> None:
    answer = await strict.say(start)
    assert (problem(answer) == "/problems/too-slow") if start.strip() else answer == b""


async def test_a_trickled_head_has_the_same_deadline(strict: Served) -> None:
    answer = await drip(strict, b"GET / HTTP/1.1\r\nhost: x\r\nx: ", b"a", 0.05)
    assert status(answer) == 408
    again = await drip(strict, GET + b"GET / HTTP/1.1\r\nhost: x\r\nx: ", b"a", 0.05)
    assert status(again) == 200
    assert b"HTTP/1.1 408" in again


async def test_empty_lines_keep_no_connection(strict: Served) -> None:
    assert await drip(strict, b"", b"\r\n", 0.05) == b""


@pytest.mark.parametrize("start", [POST % 5000, POST % 5000 + b"x" * 100], ids=["none", "some"])
async def test_a_body_that_stops_is_refused(strict: Served, start: bytes) -> None:
    assert problem(await strict.say(start)) == "/problems/too-slow"
    assert strict.seen == ["disconnected"]


async def test_a_trickled_body_is_refused(strict: Served) -> None:
    chunked = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    answer = await drip(strict, chunked, b"1;ext=aaaaaaaaaaaaaaaaaaaa\r\nx\r\n", 0.02)
    assert problem(answer) == "/problems/too-slow"


async def test_a_slow_but_steady_body_is_taken() -> None:
    async with serving(replace(SHORT, head_s=60, window_s=1, window_bytes=100)) as served:
        reader, writer = await served.connect()
        writer.write(POST % 30_000)
        for _ in range(30):  # 3 s, three windows
            writer.write(b"x" * 1000)
            await asyncio.sleep(0.1)
        async with asyncio.timeout(WITHIN_S):
            answer = await reader.readuntil(b"30000")
        assert status(answer) == 200
        writer.close()


async def test_a_client_does_not_pay_for_our_slowness(served: Served) -> None:
    size = 4 << 20
    reader, writer = await served.connect()
    writer.write(b"POST /busy HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size)
    writer.write(b"x" * size)
    async with asyncio.timeout(WITHIN_S):
        answer = await reader.readuntil(str(size).encode())
    assert status(answer) == 200
    writer.close()


async def test_a_slow_answer_is_waited_for(strict: Served) -> None:
    reader, writer = await strict.connect()
    writer.write(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\nGET / HT")
    async with asyncio.timeout(WITHIN_S):
        assert status(await reader.readuntil(b"late")) == 200
    assert status(await until_closed(reader)) == 408  # the second head's own
    writer.close()


async def test_who_waits_for_100_is_told_and_served(served: Served) -> None:
    reader, writer = await served.connect()
    writer.write((POST % 4).replace(b"\r\n\r\n", b"\r\nexpect: 100-continue\r\n\r\n"))
    async with asyncio.timeout(WITHIN_S):
        assert status(await reader.readuntil(b"\r\n\r\n")) == 100
        writer.write(b"abcd")
        assert status(await reader.readuntil(b"\r\n\r\n4")) == 200
    writer.close()


async def test_an_early_answer_reaches_a_client_that_still_sends(served: Served) -> None:
    reader, writer = await served.connect()
    writer.write(b"POST /early HTTP/1.1\r\nhost: x\r\ncontent-length: 9000000\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        for _ in range(9):
            writer.write(b"x" * 1_000_000)
            await writer.drain()
    assert status(await until_closed(reader)) == 401
    writer.close()


async def test_who_does_not_read_is_cut(strict: Served) -> None:
    with socket.create_connection(("127.0.0.1", strict.port)) as client:
        client.sendall(b"GET /flood HTTP/1.1\r\nhost: x\r\n\r\n")
        async with asyncio.timeout(WITHIN_S):
            while not await asyncio.to_thread(is_reset, client):
                await asyncio.sleep(0.05)


def is_reset(client: socket.socket) -> bool:
    """Tell whether the server has cut a connection that nobody reads from."""
    client.setblocking(False)
    try:
        client.send(b"\r\n")
    except ConnectionError:
        return True
    except BlockingIOError:
        pass
    return False


def head(fields: bytes, target: bytes = b"/", version: bytes = b"1.1") -> bytes:
    return b"GET " + target + b" HTTP/" + version + b"\r\n" + fields + b"\r\n\r\n"


WRONG = {
    "many fields": (head(b"host: x\r\n" + b"a: b\r\n" * 100 + b"c: d"), 431),
    "a large field": (head(b"host: x\r\na: " + b"b" * 70_000), 431),
    "a field without end": (b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"b" * 1_000_000, 431),
    "a long address": (head(b"host: x", b"/" + b"a" * 9000), 414),
    "an address without end": (b"GET /" + b"a" * 1_000_000, 414),
    "no host": (head(b"a: b"), 400),
    "two hosts": (head(b"host: x\r\nhost: y"), 400),
    "no HTTP": (b"hello there\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "two lengths": (head(b"host: x\r\ncontent-length: 1\r\ncontent-length: 2"), 400),
    "length and chunks": (
        head(b"host: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked"),
        400,
    ),
    "a bad chunk": (
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        400,
    ),
    "connect": (b"CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n", 400),
    "another version": (head(b"host: x", version=b"2.0"), 505),
    "a huge length": (head(b"host: x\r\ncontent-length: " + b"9" * 30), 400),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_wrong_is_a_problem_and_the_next_is_served(served: Served, name: str) -> None:
    sent, expected = WRONG[name]
    answer = await served.say(sent)
    assert status(answer) == expected, answer
    problem(answer)
    assert status(await served.say(LAST)) == 200


async def test_what_is_wrong_behind_a_request_does_not_take_its_answer(served: Served) -> None:
    answer = await served.say(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n" + b"nonsense\r\n\r\n")
    assert status(answer) == 200
    assert answer.endswith(b"late")


async def test_fields_behind_a_body_are_bounded_and_not_the_applications(served: Served) -> None:
    start = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
    reader, writer = await served.connect()
    writer.write(start + b"authorization: Bearer x\r\n\r\n")
    async with asyncio.timeout(WITHIN_S):
        assert status(await reader.readuntil(b"\r\n\r\n1")) == 200
    assert served.seen == ["2"]
    writer.close()
    assert status(await served.say(start + b"a: b\r\n" * 200)) == 431


async def test_requests_that_wait_are_bounded(served: Served) -> None:
    answer = await served.say(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n" + GET * 2000)
    assert 1 <= answer.count(b"HTTP/1.1 200") <= 70


@pytest.mark.parametrize("offer", [b"websocket", b"h2c"])
async def test_offers_to_upgrade_are_ignored(served: Served, offer: bytes) -> None:
    fields = b"host: x\r\nconnection: upgrade\r\nupgrade: " + offer
    answer = await served.say(head(fields))
    assert status(answer) == 200
    assert b"connection: close" in answer


async def test_connections_too_many_are_told_so_then_cut() -> None:
    async with serving(replace(Bounds(), connections=2)) as served:
        held = [await served.connect() for _ in range(2)]
        assert problem(await served.say(GET)) == "/problems/overloaded"
        held += [await served.connect() for _ in range(COURTESY)]
        assert await served.say(GET) == b""
        for _, writer in held:
            writer.close()
        async with asyncio.timeout(WITHIN_S):
            while b"200 OK" not in await served.say(LAST):
                await asyncio.sleep(0.02)


async def test_two_thousand_slow_clients_are_gone_in_time_and_others_served() -> None:
    async with serving(replace(SHORT, head_s=5, window_s=5)) as served:
        starts = [b"", b"GET / HT", POST % 9000, POST % 9000 + b"x"] * 500
        tasks = []
        for start in starts:
            tasks.append(asyncio.create_task(served.say(start)))
            if len(tasks) % 100 == 0:
                await asyncio.sleep(0)
        answer = await served.say(LAST)
        assert status(answer) == 200
        slow = await asyncio.gather(*tasks)
        assert {status(answer) for answer in slow if answer} == {408}
        assert sum(not answer for answer in slow) == 500
