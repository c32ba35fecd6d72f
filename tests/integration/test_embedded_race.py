"""Requests at every moment of going down to zero: before, amid and after it, none may be lost.

Many endpoints with short windows, one client each. A worker is told to end at a tick of the
supervisor, a second after the one before, and ends of workers show when that is: there clients ask
again and again, some milliseconds apart. What they ask last before the tick is not in a report yet,
so the worker goes amid their requests. TEST_RACE is how many times each does it.
"""

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from controlplane.engines.embedded.host import EmbeddedEngine
from controlplane.engines.engine import (
    BackendKind,
    DesiredEndpoint,
    DesiredRevision,
    EndpointId,
    Scaling,
)
from loadtests.benchmarks.installation import free_range
from tests.integration.runtime_rig import AUDIENCE, ISSUER, Keys, linear_plan
from tests.integration.test_embedded_engine import Files
from tests.integration.test_embedded_supervisor import until

ENDPOINTS = 24
TURNS = int(os.environ.get("TEST_RACE", "11"))
# Shorter than the API allows, which makes the moment come sooner and no different.
SHORT = Scaling(window_s=1, scale_to_zero_grace_period_s=0)
START = (
    "import sys; from pathlib import Path\n"
    "from controlplane.engines.embedded.supervisor import main\n"
    "low, high = map(int, sys.argv[2].split('-'))\n"
    "main(Path(sys.argv[1]), range(low, high + 1))"
)
BEFORE_S, AFTER_S = 0.08, 0.02  # of a tick: when a client asks
ROW = json.dumps({"instances": [[5.1, 3.5, 1.4, 0.2]]}).encode()


@dataclass
class Turns:
    """What the clients met."""

    requests: int = 0
    halves: int = 0  # of these, in two pieces
    fresh: int = 0  # of these, on a connection of their own
    kept: int = 0  # turns in which the worker stayed
    before: int = 0  # turns in which it was gone before the first request
    amid: int = 0  # turns in which it answered, and a moment later it was gone


class Ends:
    """When workers end: a whole number of seconds from one to the next, or nearly so."""

    def __init__(self, zygote):
        self._children = Path(f"/proc/{zygote}/task/{zygote}/children")
        self._loop = asyncio.get_running_loop()
        self._watched = {}
        self._last = self._loop.time()

    async def watch(self):
        while True:
            for pid in self._children.read_text().split():
                if pid not in self._watched:
                    with contextlib.suppress(ProcessLookupError):
                        self._watched[pid] = os.pidfd_open(int(pid))
                        self._loop.add_reader(self._watched[pid], self._ended, pid)
            await asyncio.sleep(0.05)

    def _ended(self, pid):
        now = self._loop.time()
        if now - self._last > 0.5:  # the first of those that were told together
            self._last = now
        self._forget(pid)

    def _forget(self, pid):
        self._loop.remove_reader(self._watched[pid])
        os.close(self._watched.pop(pid))

    def close(self):
        for pid in tuple(self._watched):
            self._forget(pid)

    def tick(self, count):
        """Give the moment of a tick about so many seconds from now."""
        return self._last + round(self._loop.time() + count - self._last)


class Client:
    """One endpoint's client: asks again about when its worker goes."""

    def __init__(self, engine, endpoint, port, token, turns, ends, seed):
        self.engine, self.endpoint, self.port, self.ends = engine, endpoint, port, ends
        self.turns, self.random = turns, random.Random(seed)
        head = (
            "POST /v1/models/iris:predict HTTP/1.1\r\nhost: iris\r\n"
            f"authorization: Bearer {token}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(ROW)}\r\n\r\n"
        )
        self.request = head.encode() + ROW
        self.expected = None

    async def run(self):
        self.loop = asyncio.get_running_loop()
        await self.connect()
        try:
            await self.ask(pieces=1)
            for _ in range(TURNS):
                tick = self.ends.tick(self.random.choice((2, 3, 4)))
                await asyncio.sleep(tick - BEFORE_S - self.loop.time())
                met = await self.turn(tick + AFTER_S)
                setattr(self.turns, met, getattr(self.turns, met) + 1)
        finally:
            self.writer.close()

    async def connect(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)

    async def turn(self, end):
        before = await self.starts()
        took = []
        while not took or self.loop.time() < end:
            if self.random.random() < 0.2:
                self.writer.close()
                await self.connect()
                self.turns.fresh += 1
            began = self.loop.time()
            await self.ask(pieces=self.random.choice((1, 1, 1, 2)))
            took.append(self.loop.time() - began)
            await asyncio.sleep(self.random.uniform(0.0, 0.004))
        if await self.starts() == before:
            return "kept"
        return "amid" if took.index(max(took)) else "before"

    async def starts(self):
        return (await self.engine.observe(self.endpoint)).starts_total

    async def ask(self, pieces):
        self.turns.requests += 1
        self.turns.halves += pieces - 1
        if pieces == 2:
            cut = self.random.randrange(1, len(self.request))
            self.writer.write(self.request[:cut])
            await asyncio.sleep(self.random.uniform(0.0, 0.02))
            self.writer.write(self.request[cut:])
        else:
            self.writer.write(self.request)
        async with asyncio.timeout(20):
            head = await self.reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            lines = head.lower().split(b"\r\n")
            (length,) = [int(line[16:]) for line in lines if line.startswith(b"content-length: ")]
            body = json.loads(await self.reader.readexactly(length))
        self.expected = self.expected or body["predictions"]
        assert body["predictions"] == self.expected
        assert b"connection: close" not in head.lower()


@pytest.fixture
async def engine(tmp_path):
    process = subprocess.Popen(  # noqa: ASYNC220  # signalled and waited for by pid
        [sys.executable, "-c", START, str(tmp_path), free_range(ENDPOINTS + 5)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    store = Files()
    engine = EmbeddedEngine(tmp_path, store, ISSUER)
    engine.store, engine.process = store, process

    async def answers():
        try:
            await engine.observe_all()
        except Exception:  # noqa: BLE001  # whatever it is, it does not answer yet
            return False
        return True

    await until(answers)
    yield engine
    family = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    await asyncio.to_thread(process.wait, 10)
    _, alive = await asyncio.to_thread(psutil.wait_procs, family, 10)
    assert not alive, "the supervisor left processes behind"


async def test_no_request_is_lost_on_the_way_to_zero(engine, tmp_path):
    folder = tmp_path / "client"
    folder.mkdir()
    keys = Keys(folder)
    await engine.publish_keys(keys.file.read_bytes(), {})
    content = linear_plan(tmp_path / "one.plan").read_bytes()
    sha = engine.store.put(content)
    ids = [EndpointId(str(uuid.uuid4())) for _ in range(ENDPOINTS)]
    for endpoint in ids:
        revision = DesiredRevision("iris-00001", "iris", 1, BackendKind.PLAN, sha, len(content), {})
        wanted = DesiredEndpoint(endpoint, "acme", "iris", 1, AUDIENCE, (revision,), SHORT)
        await engine.apply(wanted)

    async def ready(endpoint):
        seen = await engine.observe(endpoint)
        condition = seen.condition("Ready")
        return int(seen.url.rpartition(":")[2]) if condition.status == "True" else None

    ports = [await until(lambda e=endpoint: ready(e), 60.0) for endpoint in ids]
    turns, ends = Turns(), Ends(psutil.Process(engine.process.pid).children()[0].pid)
    clients = [
        Client(engine, endpoint, port, keys.token(), turns, ends, seed)
        for seed, (endpoint, port) in enumerate(zip(ids, ports, strict=True))
    ]
    watching = asyncio.create_task(ends.watch())
    try:
        async with asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(client.run())
    finally:
        watching.cancel()
        ends.close()
    print(turns)
    assert turns.kept + turns.before + turns.amid == ENDPOINTS * TURNS
    # Otherwise the moment itself was not met; on a busy machine it is shorter than a wait for it.
    assert min(turns.kept, turns.before, turns.amid) > ENDPOINTS * TURNS / 40, turns
    assert min(turns.halves, turns.fresh) > turns.requests / 10, turns
