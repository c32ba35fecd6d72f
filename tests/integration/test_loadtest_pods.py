"""Load tests in pods, here processes: what they are told, tell and leave by way of a store."""

import asyncio
import base64
import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from controlplane.artifacts.exchange import Differs, SignedForm, Taken
from controlplane.artifacts.store import Blob, StoreUnavailable
from controlplane.engines.jobs import LoadJob, LoadSeen, Phase
from controlplane.loadtests.service import TestToRun as Order
from controlplane.reconciler.pod_programs import Pace, PodProgram, PodPrograms
from controlplane.tenants.service import TenantId
from loadtests.benchmarks.installation import free_port
from loadtests.benchmarks.serving import module, program
from runtime.plan.signature import Column, Output, Signature
from tests.integration.bucket import Bucket, serving

WITHIN_S = 120.0
PACE = Pace(events_s=0.1, pods_s=0.1, told_s=0.2)
FILES = {"report.html", "report.json", "junit.xml", "locust_stats.csv"}
ROWS = base64.b64encode(gzip.compress(b"age\n41\n7\n")).decode()
SIGNATURE = Signature((Column("age"),), (Output("predict", "FP64"),))


class Here:
    """Runs pods of tests as processes of this machine; `holds`: those that get no place."""

    def __init__(self, log: Path, holds: frozenset[int] = frozenset()) -> None:
        self._log, self._holds = log, holds
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        self.waiting: set[int] = set()
        self.environments: dict[int, dict[str, str]] = {}

    def inside(self, tenant: str, endpoint: str) -> str:
        return f"http://{endpoint}.{tenant}.svc"

    async def run(self, job: LoadJob) -> None:
        assert job.number not in self.processes, "a pod was started twice"
        if job.number in self._holds:
            self.waiting.add(job.number)
            return
        self._start(job)

    def _start(self, job: LoadJob) -> None:
        self.environments[job.number] = job.environment
        with self._log.open("ab") as log:
            self.processes[job.number] = subprocess.Popen(
                [sys.executable, *job.command[1:]],
                env={"PATH": os.environ["PATH"], **job.environment},
                stdout=log,
                stderr=log,
            )

    async def seen(self, test: uuid.UUID, tenant: str) -> dict[int, LoadSeen]:
        waiting = {one: LoadSeen(Phase.WAITING, "no node has room.") for one in self.waiting}
        return waiting | {number: _seen(one) for number, one in self.processes.items()}

    async def remove(self, test: uuid.UUID, tenant: str) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.processes.clear()
        self.waiting.clear()

    async def all(self) -> frozenset[tuple[uuid.UUID, str]]:
        return frozenset()


def _seen(process: "subprocess.Popen[bytes]") -> LoadSeen:
    match process.poll():
        case None:
            return LoadSeen(Phase.RUNNING, address="127.0.0.1")
        case 0:
            return LoadSeen(Phase.DONE)
        case code:
            return LoadSeen(Phase.FAILED, f"its pod ended (exit code {code}).")


class Objects:
    """The exchange over a bucket on loopback; `away`: it does not answer so many calls."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket, self.away = bucket, 0

    def _called(self) -> None:
        if self.away:
            self.away -= 1
            raise StoreUnavailable("away", retry_after_s=1)

    def name(self, name: str) -> str:
        return f"/b/builds/{name}"

    async def sign_form(self, name: str, most_bytes: int, expires_s: float) -> SignedForm:
        return SignedForm(f"{self.bucket.url}/b", {"key": f"builds/{name}"})

    async def presign_read(self, name: str, expires_s: float) -> str:
        return f"{self.bucket.url}{self.name(name)}?signature=1"

    async def write(self, name: str, content: bytes) -> None:
        self._called()
        self.bucket.objects[self.name(name)] = content

    async def read(self, name: str, most_bytes: int) -> bytes | None:
        self._called()
        return self.bucket.objects.get(self.name(name))

    async def take(self, name: str, path: Path, sha256: str, size_bytes: int) -> Taken:
        self._called()
        raw = self.bucket.objects[self.name(name)]
        if hashlib.sha256(raw).hexdigest() != sha256:
            raise Differs(name)
        path.write_bytes(raw)  # noqa: ASYNC240
        return Taken(name, Blob(sha256, len(raw), raw[:64], created=False), "1")

    async def clear(self, prefix: str) -> int:
        found = [one for one in self.bucket.objects if one.startswith(self.name(prefix))]
        for one in found:
            del self.bucket.objects[one]
        return len(found)


class Rig:
    """A server that answers everything, a bucket, and what runs tests of it."""

    def __init__(self, port: int, bucket: Bucket, folder: Path, **given: Any) -> None:
        self.port, self.folder = port, folder / "reports"
        self.objects = Objects(bucket)
        self.pods = Here(folder / "log", **given)
        self.programs = PodPrograms(self.pods, self.objects, None, PACE, free_port())  # type: ignore[arg-type]

    def test(self, seconds: float, processes: int = 2) -> Order:
        plan = {
            "endpoint": "iris",
            "shape": {"kind": "steady", "rate": 50, "duration": f"{seconds}s"},
            "processes": processes,
        }
        tenant = TenantId(uuid.uuid4())
        return Order(uuid.uuid4(), tenant, "acme", uuid.uuid4(), plan, {}, ("s", "c"))

    def first(self, test: Order) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.port}"
        since = "2026-01-01T00:00:00+00:00"
        state = {"status": "True", "reason": "Ready", "message": "", "since": since}
        endpoint = {
            "name": "iris",
            "id": str(test.endpoint_id),
            "url": url,
            "audience": url,
            "ready": state,
            "active": state,
            "replicas": 1,
            "desired_replicas": 1,
            "revisions": [],
            "created_at": since,
            "generation": 1,
            "observed_generation": 1,
        }
        return {
            "plan": {**test.plan, "address": url},
            "endpoint": endpoint,
            "signature": SIGNATURE.to_json(),
            "token": "secret-of-a-minute",
            "files": {"sample": {"name": "rows.csv", "content": ROWS}},
        }

    async def start(self, test: Order) -> PodProgram:
        return await self.programs.start(test, self.folder, self.first(test))


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with serving() as found:
        yield found


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    found = free_port()
    with program(module("loadtests.benchmarks.apps.blind", str(found)), found):
        yield found


@pytest.fixture
async def rig(port: int, bucket: Bucket, tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(port, bucket, tmp_path)
    yield made
    await made.pods.remove(uuid.uuid4(), "")


async def until_it_sends(events: AsyncIterator[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    async for event in events:
        found.append(event)
        if event["event"] == "progress" and event["sent"] > 0:
            break
    return found


async def test_two_pods_send_what_a_third_coordinates_and_a_later_one_takes_it_over(
    rig: Rig,
) -> None:
    test = rig.test(seconds=3)
    async with asyncio.timeout(WITHIN_S):
        program = await rig.start(test)
        found = await until_it_sends(program.events())
        await program.leave()  # that control plane is gone
        rig.objects.away = 2
        later = await rig.programs.again(test, rig.folder, found[-1]["n"])
        assert later is not None
        rig.objects.away = 3
        found += [event async for event in later.events()]
        code = await later.wait()
        await later.leave()
    assert code == 0, found
    numbers = [event["n"] for event in found]
    assert numbers == sorted(set(numbers)), "no event twice"
    kinds = [event["event"] for event in found]
    assert kinds[:2] == ["started", "waiting"]
    assert kinds[-1] == "finished"
    assert set(kinds[2:-1]) == {"progress"}
    assert {path.name for path in rig.folder.iterdir()} == FILES
    report = json.loads((rig.folder / "report.json").read_text())
    assert report["generated"]["processes"] == 2
    assert report["rows_from"] == "rows.csv"
    assert report["totals"]["good"] == report["totals"]["sent"] > 80
    assert set(rig.pods.processes) == {0, 1, 2}
    assert rig.pods.environments[1] == {}, "generators are told by the coordinator alone"
    assert "secret" not in str(rig.pods.environments)

    again = await rig.programs.again(test, rig.folder, numbers[-1])
    assert again is not None, "it has ended, and its reports are there to be taken"
    await rig.programs.forget(test.id, test.tenant_name)
    await again.leave()
    assert not [one for one in rig.objects.bucket.objects if "loadtests" in one]
    assert await rig.programs.again(test, rig.folder, 0) is None


async def test_a_test_that_is_cancelled_ends_with_its_reports(rig: Rig) -> None:
    test = rig.test(seconds=600, processes=1)
    async with asyncio.timeout(WITHIN_S):
        program = await rig.start(test)
        await until_it_sends(program.events())
        program.tell({"gone": None, "token": "another"})
        program.end()
        rest = [event async for event in program.events()]
        assert await program.wait() == 130
        await program.leave()
    assert rest[-1]["cut"] == "it was interrupted"
    assert {path.name for path in rig.folder.iterdir()} == FILES


async def test_a_coordinator_that_is_killed_is_told_and_not_started_again(rig: Rig) -> None:
    test = rig.test(seconds=600, processes=1)
    async with asyncio.timeout(WITHIN_S):
        program = await rig.start(test)
        rig.pods.processes[0].send_signal(signal.SIGKILL)
        assert [event async for event in program.events()] == []
        code = await program.wait()
        await program.leave()
    assert "its coordinator ended" in program.how(code)


async def test_one_that_got_no_place_yet_is_cancelled_at_once(
    port: int, bucket: Bucket, tmp_path: Path
) -> None:
    rig = Rig(port, bucket, tmp_path, holds=frozenset({0}))
    async with asyncio.timeout(WITHIN_S):
        program = await rig.start(rig.test(seconds=600))
        program.end()
        assert [event async for event in program.events()] == []
        await program.wait()
        await program.leave()
