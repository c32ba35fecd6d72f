"""The supervisor as a real process, over real sockets, with the stand-in worker of the seam."""

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from controlplane.engines.embedded.host import EmbeddedEngine
from controlplane.engines.engine import (
    BackendKind,
    Condition,
    DesiredEndpoint,
    DesiredRevision,
    EndpointId,
    Scaling,
)

ID = EndpointId("6f1c1d1e-0000-4000-8000-000000000001")
STANDIN = str(Path(__file__).with_name("standin_zygote.py"))
START = (
    "import sys; from pathlib import Path\n"
    "from controlplane.engines.embedded.supervisor import main\n"
    "low = int(sys.argv[2])\n"
    "main(Path(sys.argv[1]), range(low, low + 20), (sys.executable, sys.argv[3]))"
)
FAST = Scaling(window_s=6, scale_to_zero_grace_period_s=0)


class Store:
    def __init__(self):
        self.blobs = {}

    def put(self, text):
        sha = hashlib.sha256(text.encode()).hexdigest()
        self.blobs[sha] = text
        return sha

    async def fetch_to(self, sha256, path):
        path.write_text(self.blobs[sha256])


async def until(true, within=15.0):
    async with asyncio.timeout(within):
        while not (result := await true()):  # another process changes it
            await asyncio.sleep(0.02)
        return result


class Rig:
    def __init__(self, home):
        self.home, self.store = home, Store()
        self.engine = EmbeddedEngine(home, self.store, "http://issuer")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.first_port = min(probe.getsockname()[1], 65000)
        self.process = None

    async def start(self):
        self.process = subprocess.Popen(  # noqa: ASYNC220  # signalled and waited for by pid
            [sys.executable, "-c", START, str(self.home), str(self.first_port), STANDIN],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        await until(self.answers)

    async def answers(self):
        try:
            await self.engine.observe_all()
        except Exception:  # noqa: BLE001  # whatever it is, it does not answer yet
            return False
        return True

    async def deploy(self, text, generation, scaling=FAST):
        sha = self.store.put(text)
        revision = DesiredRevision("e-00001", "m", generation, BackendKind.PLAN, sha, len(text), {})
        await self.engine.apply(
            DesiredEndpoint(ID, "t", "e", generation, "aud", (revision,), scaling)
        )

    async def ready(self, status=Condition.TRUE):
        async def check():
            seen = await self.engine.observe(ID)
            return seen if seen.condition("Ready").status is status else None

        return await until(check)

    def family(self):
        return psutil.Process(self.process.pid).children(recursive=True)

    def workers(self):
        """List the processes that serve; the one made in advance is for no endpoint yet."""
        found = []
        for zygote in psutil.Process(self.process.pid).children():
            for worker in zygote.children():
                with contextlib.suppress(psutil.NoSuchProcess):  # it ended while we looked
                    if worker.name() != "spare":
                        found.append(worker)
        return found


@pytest.fixture
async def rig(tmp_path):
    rig = Rig(tmp_path)
    await rig.start()
    yield rig
    family = rig.family() if rig.process.poll() is None else []
    rig.process.terminate()
    await asyncio.to_thread(rig.process.wait, 10)
    _, alive = await asyncio.to_thread(psutil.wait_procs, family, 10)
    assert not alive, "the supervisor left processes behind"


class Client:
    """One keep-alive connection; it never reconnects, so that a closed one is seen."""

    async def open(self, port):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        return self

    async def ask(self):
        self.writer.write(b"GET / HTTP/1.1\r\nhost: e\r\n\r\n")
        async with asyncio.timeout(15):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            return int(head.split()[1]), json.loads(await self.reader.readexactly(length))

    def close(self):
        self.writer.close()


def port_of(seen):
    return int(seen.url.rsplit(":", 1)[1])


async def at_zero(rig):
    async def check():
        seen = await rig.engine.observe(ID)
        return seen.replicas == 0 and not rig.workers()

    await until(check, 25)


async def test_goes_to_zero_and_wakes_on_the_same_connection(rig):
    await rig.deploy("one", 1)
    client = await Client().open(port_of(await rig.ready()))
    status, first = await client.ask()
    assert (status, first["text"]) == (200, "one")
    await at_zero(rig)
    status, second = await client.ask()
    assert status == 200
    assert second["pid"] != first["pid"]
    assert (await rig.engine.observe(ID)).starts_total == 2

    async def told():
        return (await rig.engine.observe(ID)).cold_start is not None

    await until(told, 10)
    lines = [line async for line in rig.engine.logs(ID, tail=10, follow=False)]
    assert [line.text for line in lines] == ["serving one", "serving one"]
    client.close()


async def test_a_killed_worker_is_replaced_and_a_bad_plan_keeps_the_old(rig):
    await rig.deploy("one", 1)
    port = port_of(await rig.ready())
    client = await Client().open(port)
    _, first = await client.ask()
    os.kill(first["pid"], signal.SIGKILL)
    other = await Client().open(port)
    status, second = await other.ask()
    assert status == 200
    assert second["pid"] != first["pid"]
    await rig.deploy("bad", 2)
    seen = await rig.ready(Condition.FALSE)
    assert seen.condition("Ready").reason == "BadPlan"
    assert (await other.ask())[1]["text"] == "one"
    client.close()
    other.close()


async def test_a_deploy_under_load_loses_nothing(rig):
    await rig.deploy("one", 1)
    clients = [await Client().open(port_of(await rig.ready())) for _ in range(20)]
    answers = []
    done = asyncio.Event()

    async def load(client):
        while not done.is_set():
            answers.append(await client.ask())

    tasks = [asyncio.create_task(load(c)) for c in clients]
    for generation in range(2, 8):
        await rig.deploy(f"text {generation}", generation)

        async def new_serves(text=f"text {generation}"):
            return bool(answers) and answers[-1][1]["text"] == text

        await until(new_serves)
    done.set()
    await asyncio.gather(*tasks)
    assert {status for status, _ in answers} == {200}
    for client in clients:
        client.close()


@pytest.mark.parametrize("victim", ["supervisor", "zygote"])
async def test_comes_back_on_the_same_port(rig, victim):
    await rig.deploy("one", 1)
    port = port_of(await rig.ready())
    family = rig.family()
    if victim == "supervisor":
        rig.process.kill()
        await asyncio.to_thread(rig.process.wait, 10)
        _, alive = await asyncio.to_thread(psutil.wait_procs, family, 10)
        assert not alive
        await rig.start()
    else:
        psutil.Process(rig.process.pid).children()[0].kill()
    client = await Client().open(port)
    assert (await client.ask())[1]["text"] == "one"
    client.close()
