"""Requests at every moment of going down to zero: before, amid and after it, none may be lost.

Many endpoints with short windows, one client each with one connection that it keeps. KUBESERVE_RACE
is how many times each endpoint goes down (8 if it is not set).
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
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

ENDPOINTS = 40
TURNS = int(os.environ.get("KUBESERVE_RACE", "8"))
# Shorter than the API allows, which makes the moment come sooner and no different.
SHORT = Scaling(window_s=2, scale_to_zero_grace_period_s=0)
START = (
    "import sys; from pathlib import Path\n"
    "from controlplane.engines.embedded.supervisor import main\n"
    "low, high = map(int, sys.argv[2].split('-'))\n"
    "main(Path(sys.argv[1]), range(low, high + 1))"
)
ROW = json.dumps({"instances": [[5.1, 3.5, 1.4, 0.2]]}).encode()


@dataclass
class Turns:
    """What the clients met."""

    kept: int = 0  # answered by the worker that was there
    woken: int = 0  # a worker had to be started
    halves: int = 0  # of these, requests that came in two pieces
    late: list[float] = field(default_factory=list)


class Client:
    """One endpoint's client: asks again about when its worker goes."""

    def __init__(self, engine, endpoint, port, token, turns, seed):
        self.engine, self.endpoint, self.port = engine, endpoint, port
        self.turns, self.random = turns, random.Random(seed)
        head = (
            "POST /v1/models/iris:predict HTTP/1.1\r\nhost: iris\r\n"
            f"authorization: Bearer {token}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(ROW)}\r\n\r\n"
        )
        self.request = head.encode() + ROW
        self.expected = None

    async def run(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            await self.ask(pieces=1)
            delay = await self.seen_going()
            for _ in range(TURNS):
                await asyncio.sleep(max(0.0, delay + self.random.uniform(-1.2, 0.4)))
                await self.turn()
        finally:
            self.writer.close()

    async def seen_going(self):
        """Give the seconds from an answer to the end of its worker."""
        began = time.monotonic()

        async def gone():
            seen = await self.engine.observe(self.endpoint)
            return seen.replicas == 0

        await until(gone, 30.0)
        await self.ask(pieces=1)
        return time.monotonic() - began

    async def turn(self):
        before = (await self.engine.observe(self.endpoint)).starts_total
        pieces = self.random.choice((1, 1, 1, 2))
        await self.ask(pieces)
        after = (await self.engine.observe(self.endpoint)).starts_total
        self.turns.halves += pieces - 1
        if after > before:
            self.turns.woken += 1
        else:
            self.turns.kept += 1

    async def ask(self, pieces):
        if pieces == 2:
            cut = self.random.randrange(1, len(self.request))
            self.writer.write(self.request[:cut])
            await asyncio.sleep(self.random.uniform(0.0, 0.8))
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
    engine.store = store

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
    await engine.publish_keys(keys.file.read_bytes())
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
    turns = Turns()
    clients = [
        Client(engine, endpoint, port, keys.token(), turns, seed)
        for seed, (endpoint, port) in enumerate(zip(ids, ports, strict=True))
    ]
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(client.run())
    total = turns.kept + turns.woken
    assert total == ENDPOINTS * TURNS
    # Without both kinds the moment itself was not met.
    assert min(turns.kept, turns.woken) > total / 10, turns
    assert turns.halves > total / 10
    print(f"{total} turns: {turns.woken} woke it, {turns.kept} found it, {turns.halves} in halves")
