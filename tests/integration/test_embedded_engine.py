"""Supervisor and runtime together: the real zygote, a real plan, real tokens."""

import asyncio
import contextlib
import hashlib
import http.client
import json
import os
import signal
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
    Scaling,
)
from tests.integration.runtime_rig import AUDIENCE, ISSUER, Keys, linear_plan
from tests.integration.test_embedded_supervisor import ID, Rig, at_zero, port_of, until

REAL = (
    "import sys; from pathlib import Path\n"
    "from controlplane.engines.embedded.supervisor import main\n"
    "low = int(sys.argv[2])\n"
    "main(Path(sys.argv[1]), range(low, low + 20))"
)


class Files:
    def __init__(self):
        self.blobs = {}

    def put(self, content):
        sha = hashlib.sha256(content).hexdigest()
        self.blobs[sha] = content
        return sha

    async def fetch_to(self, sha256, path):
        path.write_bytes(self.blobs[sha256])


class RealRig(Rig):
    """The same rig with `runtime.zygote`."""

    async def start(self):
        self.process = subprocess.Popen(  # noqa: ASYNC220  # signalled and waited for by pid
            [sys.executable, "-c", REAL, str(self.home), str(self.first_port)],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        await until(self.answers)

    async def publish(self, keys):
        self.store, self.keys = Files(), keys
        self.engine = EmbeddedEngine(self.home, self.store, ISSUER)
        await self.engine.publish_keys(keys.file.read_bytes(), {})

    async def release(self, content, generation, scaling):
        sha = self.store.put(content)
        revision = DesiredRevision(
            f"iris-{generation:05}", "iris", generation, BackendKind.PLAN, sha, len(content), {}
        )
        await self.engine.apply(
            DesiredEndpoint(ID, "acme", "iris", generation, AUDIENCE, (revision,), scaling)
        )

    def ask(self, connection, row=(5.1, 3.5, 1.4, 0.2)):
        headers = {"authorization": f"Bearer {self.keys.token()}"}
        body = json.dumps({"instances": [row]})
        connection.request("POST", "/v1/models/iris:predict", body, headers)
        response = connection.getresponse()
        return response.status, response.read(), response.getheader("k-revision")


@contextlib.asynccontextmanager
async def running(folder, ends_within_s=20):
    """Run the real supervisor, with keys published."""
    rig = RealRig(folder)
    await rig.start()
    (folder / "client").mkdir()
    await rig.publish(Keys(folder / "client"))
    yield rig
    rig.process.terminate()
    await asyncio.to_thread(rig.process.wait, ends_within_s)


@pytest.fixture
async def real(tmp_path):
    async with running(tmp_path, ends_within_s=10) as rig:
        yield rig
        family = rig.family()
    _, alive = await asyncio.to_thread(psutil.wait_procs, family, 10)
    assert not alive, "the supervisor left processes behind"


async def until_cold_start(real):
    """Wait for the worker's word of its start; its first answer may be here before."""
    async with asyncio.timeout(10):
        while (seen := await real.engine.observe(ID)).cold_start is None:
            await asyncio.sleep(0.02)
    assert seen.cold_start.total_ms > 0


async def test_serves_goes_to_zero_wakes_and_replaces_a_killed_worker(real, tmp_path):
    scaling = Scaling(window_s=6, scale_to_zero_grace_period_s=0)
    plan = linear_plan(tmp_path / "one.plan").read_bytes()
    await real.release(plan, 1, scaling)
    port = port_of(await real.ready())
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    status, _, revision = await asyncio.to_thread(real.ask, connection)
    assert (status, revision) == (200, "iris-00001")
    before = connection.sock
    await at_zero(real)
    status, _, _ = await asyncio.to_thread(real.ask, connection)
    assert status == 200
    assert connection.sock is before, "the parked connection was closed"
    await until_cold_start(real)

    (worker,) = real.workers()
    os.kill(worker.pid, signal.SIGKILL)
    other = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    assert (await asyncio.to_thread(real.ask, other))[0] == 200

    await real.release(plan[: len(plan) // 2], 2, scaling)
    assert (await real.ready(Condition.FALSE)).condition("Ready").reason == "BadPlan"
    status, _, revision = await asyncio.to_thread(real.ask, other)
    assert (status, revision) == (200, "iris-00001")
    connection.close()
    other.close()


async def test_deploys_under_load_lose_no_request_and_no_connection(real, tmp_path):
    scaling = Scaling(window_s=6)
    plan = linear_plan(tmp_path / "one.plan").read_bytes()
    await real.release(plan, 1, scaling)
    port = port_of(await real.ready())
    done = asyncio.Event()
    answers, reopened = [], []

    def load():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        connection.connect()
        first = connection.sock
        while not done.is_set():
            try:
                answers.append(real.ask(connection))
            except BaseException:
                done.set()
                raise
            if connection.sock is not first:
                reopened.append(1)
                first = connection.sock
        connection.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(asyncio.to_thread(load))
        # Threads cannot be cancelled: whatever fails here, they must see the end.
        try:
            for generation in range(2, 12):
                await real.release(plan, generation, scaling)

                async def switched(revision=f"iris-{generation:05}"):
                    return bool(answers) and answers[-1][2] == revision

                await until(switched)
        finally:
            done.set()
    assert len(answers) > 100
    assert {status for status, _, _ in answers} == {200}
    assert not reopened
