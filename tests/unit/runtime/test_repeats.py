"""The shortest way answers as the ordinary way does: same bytes, same order, same counts."""

import asyncio
import gzip
import json
import re
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.launch import Launch
from runtime.loading import Phases, load_all
from runtime.repeats import MAX_BODY_BYTES
from runtime.server import Inherited, Worker
from tests.integration.runtime_rig import Keys, launch_of

if TYPE_CHECKING:
    from runtime.protocol import HttpProtocol

SHORT, V1, V2 = "/predict", "/v1/models/iris:predict", "/v2/models/iris/infer"


class Wire(asyncio.Transport):
    """What is written to a client."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__({"socket": sock})  # nothing waits in it
        self.sent = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.sent += data

    def take(self) -> bytes:
        sent, self.sent = self.sent, b""
        return sent

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Clients:
    """Connections to a worker that is not on any network."""

    def __init__(self, worker: Worker, count: int) -> None:
        self.worker = worker
        self.protocols: list[HttpProtocol] = []
        self.wires = [Wire(worker.inherited.listener) for _ in range(count)]
        for wire in self.wires:
            protocol = worker.edge.protocol()
            protocol.connection_made(wire)
            self.protocols.append(protocol)

    async def tick(self, chunks: list[bytes | None]) -> list[bytes]:
        """Let each client send a chunk in one tick of the loop; gives what each is answered."""
        for protocol, chunk in zip(self.protocols, chunks, strict=True):
            if chunk is not None:
                protocol.data_received(chunk)
        for _ in range(200):
            await asyncio.sleep(0)
            if all(not protocol.exchanges for protocol in self.protocols):
                break
        else:
            raise AssertionError("a request was not answered")
        return [re.sub(rb"\r\ndate: [^\r]*", b"", wire.take()) for wire in self.wires]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> tuple[Launch, str]:
    folder = tmp_path_factory.mktemp("worker")
    keys = Keys(folder)
    return launch_of(folder, keys), keys.token()


async def worker_of(launch: Launch, listener: socket.socket, *, shortest: bool) -> Worker:
    phases = Phases(time.monotonic())
    loaded = await load_all(launch, phases)
    worker = Worker(launch, Inherited(listener, None, phases, 0.0), loaded)
    for revision in worker.revisions.all:
        revision.prefix = b"HTTP/1.1 200 OK\r\ncontent-length: "
    worker.predictor.second = 1
    if not shortest:
        worker.predictor._lane_of = lambda head, route: None  # type: ignore[method-assign]
    return worker


@asynccontextmanager
async def clients_of(launch: Launch, count: int, *, shortest: bool) -> AsyncIterator[Clients]:
    """Give a worker's clients, and stop it afterwards."""
    with socket.socket() as listener:
        worker = await worker_of(launch, listener, shortest=shortest)
        yield Clients(worker, count)
        await worker.batcher.close()


def request(token: str, body: bytes, target: str = SHORT, extra: str = "") -> bytes:
    head = (
        f"POST {target} HTTP/1.1\r\nhost: h\r\nauthorization: Bearer {token}\r\n{extra}"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def padded(body: bytes, size: int) -> bytes:
    """Give the same JSON in so many bytes."""
    return body + b" " * (size - len(body))


NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.just(10**400),
)
CELLS = st.one_of(NUMBERS, NUMBERS, NUMBERS, st.none(), st.booleans(), st.just("3"), st.just([1.0]))
ROWS = st.one_of(
    st.lists(NUMBERS, min_size=4, max_size=4),
    st.lists(NUMBERS, min_size=4, max_size=4),
    st.lists(CELLS, min_size=3, max_size=5),
    st.fixed_dictionaries(dict.fromkeys(("sepal_l", "sepal_w", "petal_l", "petal_w"), NUMBERS)),
)
BODIES = st.one_of(
    st.lists(ROWS, min_size=1, max_size=1).map(lambda rows: json.dumps(rows).encode()),
    st.lists(ROWS, min_size=1, max_size=1).map(lambda rows: json.dumps(rows).encode()),
    st.lists(ROWS, min_size=0, max_size=3).map(lambda rows: json.dumps(rows).encode()),
    ROWS.map(lambda row: json.dumps({"instances": [row]}).encode()),
    ROWS.map(lambda row: json.dumps({"instances": [row], "outputs": ["predict_proba"]}).encode()),
    st.lists(NUMBERS, min_size=4, max_size=4).map(
        lambda row: json.dumps(
            {"inputs": [{"name": "i", "shape": [1, 4], "datatype": "FP64", "data": row}]}
        ).encode()
    ),
    st.sampled_from(
        [
            b"[[1,2,3,4]",
            b"[1,2,3,4]]",
            b"[[1,2,3,4]],[[1,2,3,4]]",
            b"",
            b"{}",
            b"null",
            b"[[1,2,3,NaN]]",
            b'{"inputs":[{"name":"i","shape":[1,4],"datatype":"FP64","data":[[1,2,3,4]]}]}',
            b'{"inputs":[{"name":"i","shape":[1,4],"datatype":"INT64","data":[1,2,3,4.5]}]}',
            b'{"inputs":[{"name":"i","shape":[true,4],"datatype":"FP64","data":[1,2,3,4]}]}',
            b'{"id":"7","inputs":[{"name":"i","shape":[1,4],"datatype":"FP64","data":[1,2,3,4]}]}',
        ]
    ),
)


def counts(worker: Worker) -> tuple[Any, ...]:
    revision = worker.revisions.all[0]
    gate = worker.batcher.gate
    return (
        dict(revision.counts.by_code),
        revision.counts.rows,
        sum(revision.counts.latency_s.counts),
        revision.in_flight.total,
        revision.in_flight.in_flight,
        gate.admitted,
        gate.running,
        gate.bytes,
    )


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.sampled_from([SHORT, V1, V2]),
    st.lists(st.lists(st.none() | BODIES, min_size=3, max_size=3), min_size=2, max_size=5),
)
def test_both_ways_give_the_same_answers(rig, target, ticks):
    launch, token = rig
    size = 2 + max(len(body or b"") for tick in ticks for body in tick)

    async def told(*, shortest: bool) -> tuple[list[Any], Any]:
        async with clients_of(launch, 3, shortest=shortest) as clients:
            worker = clients.worker
            good = padded(b"[[5.1,3.5,1.4,0.2]]", size)
            found: list[Any] = [await clients.tick([request(token, good, target)] * 3)]
            for tick in ticks:
                chunks = [
                    None if body is None else request(token, padded(body, size), target)
                    for body in tick
                ]
                found.append(await clients.tick(chunks))
            return found, counts(worker)

    assert asyncio.run(told(shortest=True)) == asyncio.run(told(shortest=False))


def test_repeated_rows_go_the_shortest_way_in_every_format(rig):
    launch, token = rig
    tensor = {"name": "i", "shape": [1, 4], "datatype": "FP64", "data": [5.1, 3.5, 1.4, 0.2]}
    bodies = {
        SHORT: [[5.1, 3.5, 1.4, 0.2]],
        V1: {"instances": [[5.1, 3.5, 1.4, 0.2]]},
        V2: {"inputs": [tensor]},
    }

    async def run() -> None:
        async with clients_of(launch, 2, shortest=True) as clients:
            worker = clients.worker
            for target, body in bodies.items():
                asked = request(token, json.dumps(body).encode(), target)
                first = await clients.tick([asked, asked])
                worker.predictor.predict = None  # type: ignore[method-assign, assignment]
                for protocol in clients.protocols:
                    protocol._predict = None  # type: ignore[assignment]
                assert await clients.tick([asked, asked]) == first
                del worker.predictor.predict
                for protocol in clients.protocols:
                    protocol._predict = worker.predictor.predict

    asyncio.run(run())


def test_a_second_later_the_caller_is_looked_at_again(rig):
    launch, token = rig
    asked = request(token, b"[[5.1,3.5,1.4,0.2]]")

    async def run() -> None:
        async with clients_of(launch, 1, shortest=True) as clients:
            worker = clients.worker
            for _ in range(2):
                assert b"200 OK" in (await clients.tick([asked]))[0]
            worker.tokens._cache.clear()
            worker.tokens._set = worker.tokens._set._replace(revoked_jtis=frozenset({"j1"}))
            assert b"200 OK" in (await clients.tick([asked]))[0]  # still the same second
            worker.predictor.tick()
            assert b" 401 " in (await clients.tick([asked]))[0]

    asyncio.run(run())


def test_what_follows_in_the_same_tick_is_answered_behind_it(rig):
    launch, token = rig
    one = request(token, b"[[5.1,3.5,1.4,0.2]]")
    wrong = request(token, b'[["",3.5,1.4,0.2]]')

    async def run() -> None:
        async with clients_of(launch, 1, shortest=True) as clients:
            good = (await clients.tick([one]))[0]
            protocol, wire = clients.protocols[0], clients.wires[0]
            for chunk in (one, wrong, one[:40], one[40:]):
                protocol.data_received(chunk)
            await asyncio.sleep(0.05)
            answers = wire.take()
            assert answers.startswith(good)
            assert b" 422 " in answers[len(good) :]
            assert answers.endswith(good)

    asyncio.run(run())


def test_a_client_that_leaves_within_the_tick_is_counted_and_stops_nobody(rig):
    launch, token = rig
    asked = request(token, b"[[5.1,3.5,1.4,0.2]]")

    async def run() -> None:
        async with clients_of(launch, 2, shortest=True) as clients:
            worker = clients.worker
            await clients.tick([asked, asked])
            for protocol in clients.protocols:
                protocol.data_received(asked)
            clients.protocols[0].connection_lost(None)
            await asyncio.sleep(0.01)
            assert clients.wires[0].take() == b""
            assert b"200 OK" in clients.wires[1].take()
            counted = worker.revisions.all[0]
            assert dict(counted.counts.by_code) == {200: 3, 499: 1}
            assert (counted.in_flight.total, counted.in_flight.in_flight) == (4, 0)

    asyncio.run(run())


def test_a_half_closed_client_gets_its_answer_and_the_connection_ends(rig):
    launch, token = rig
    asked = request(token, b"[[5.1,3.5,1.4,0.2]]")

    async def run() -> None:
        async with clients_of(launch, 2, shortest=True) as clients:
            await clients.tick([asked, asked])
            clients.protocols[0].data_received(asked)
            assert clients.protocols[0].eof_received() is True
            await asyncio.sleep(0.01)
            assert b"200 OK" in clients.wires[0].take()
            assert clients.wires[0].closed

    asyncio.run(run())


@pytest.mark.parametrize(
    "extra",
    ["knative-serving-tag: x\r\n", "content-type: text/csv\r\n"],
)
def test_other_heads_have_no_shortest_way(rig, extra):
    launch, token = rig
    body = b"5.1,3.5,1.4,0.2\n"

    async def run() -> None:
        async with clients_of(launch, 1, shortest=True) as clients:
            asked = request(token, body, extra=extra)
            first = await clients.tick([asked])
            assert await clients.tick([asked]) == first
            assert clients.protocols[0]._known.lane is None

    asyncio.run(run())


def test_a_large_body_has_no_shortest_way(rig):
    launch, token = rig

    async def run() -> None:
        async with clients_of(launch, 1, shortest=True) as clients:
            asked = request(token, padded(b"[[5.1,3.5,1.4,0.2]]", MAX_BODY_BYTES + 1))
            first = await clients.tick([asked])
            assert b"200 OK" in first[0]
            assert await clients.tick([asked]) == first
            assert clients.protocols[0]._known.lane is None

    asyncio.run(run())


def test_a_draining_worker_says_that_it_closes(rig):
    launch, token = rig
    asked = request(token, b"[[5.1,3.5,1.4,0.2]]")

    async def run() -> None:
        async with clients_of(launch, 1, shortest=True) as clients:
            worker = clients.worker
            await clients.tick([asked])
            worker.predictor.close()
            assert b"connection: close" in (await clients.tick([asked]))[0]

    asyncio.run(run())


def test_concurrency_is_the_area_under_the_requests(rig, tmp_path: Path):
    launch, token = rig
    asked = request(token, b"[[5.1,3.5,1.4,0.2]]")

    async def run() -> None:
        async with clients_of(launch, 3, shortest=True) as clients:
            worker = clients.worker
            await clients.tick([asked] * 3)
            in_flight = worker.revisions.all[0].in_flight
            in_flight.report(time.monotonic())
            await clients.tick([asked] * 3)
            average, arrived = in_flight.report(time.monotonic())
            assert arrived == 3
            assert 0 < average < 3

    asyncio.run(run())


def test_a_compressed_body_is_held_while_it_is_answered_and_no_longer(rig):
    launch, token = rig
    packed = gzip.compress(b"[[5.1,3.5,1.4,0.2]]" + b" " * 5_000)
    asked = request(token, packed, extra="content-encoding: gzip\r\n")

    async def run() -> None:
        async with clients_of(launch, 1, shortest=True) as clients:
            worker = clients.worker
            gate, protocol = worker.batcher.gate, clients.protocols[0]
            for _ in range(3):
                protocol.data_received(asked)
                async with asyncio.timeout(10):
                    while protocol.exchanges:
                        await asyncio.sleep(0.001)
                assert b"200 OK" in clients.wires[0].take()
                assert (gate.bytes, gate.kept, gate.admitted) == (0, 0, 0)

    asyncio.run(run())
