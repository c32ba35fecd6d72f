"""Builds in pods, one look after another: what is taken up, tried again, given up, and told."""

import asyncio
import hashlib
import json
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from controlplane.artifacts.exchange import Differs, SignedForm, Taken
from controlplane.artifacts.store import Blob, StoreUnavailable
from controlplane.builder.asking import Answer, Question, here
from controlplane.builder.instructions import STANDBY, VARIABLE, Instructions, Standby
from controlplane.builder.needs import Needs, Recipe
from controlplane.builder.remote_report import MOST_BYTES, encode
from controlplane.builder.report import Limits, Outcome, Report
from controlplane.builder.uv import Unavailable
from controlplane.engines.jobs import Blame, BuildJob, JobSeen, Phase, StandbyJob
from controlplane.models.service import VersionToBuild
from controlplane.reconciler import standby as standbys
from controlplane.reconciler.job_builds import ATTEMPTS, JobBuilds, Pace, Site
from runtime.archive import Archive, Part
from runtime.plan import format as plan_format
from runtime.plan.signature import Column, Output, Signature
from runtime.problems import Conflict, EngineUnavailable

VERSION = VersionToBuild(uuid.uuid4(), "acme", "ab" * 32, 100, 1)
SIGNATURE = Signature((Column("age"),), (Output("predict", "FP64"),))
FALLBACK = encode(Report(Outcome.FALLBACK, signature=SIGNATURE, fallback_because="it is custom"))
BAD = encode(Report(Outcome.FAILED, reason="it is no model", advice="save it"))
PACE = Pace(look_s=0.01, report_s=0.002, patience_s=0.05)
Script = Callable[["World", BuildJob], None]


class World:
    """A cluster and a store in memory. `script` says what becomes of a job that is started.

    falls  answers to give first: EngineUnavailable for each True
    """

    def __init__(self, script: Script) -> None:
        self.script = script
        self.started: list[tuple[uuid.UUID, int]] = []
        self.jobs: dict[int, JobSeen] = {}
        self.standbys: list[StandbyJob] = []
        self.told: list[Instructions] = []
        self.objects: dict[str, bytes] = {}
        self.blobs: dict[str, bytes] = {}
        self.later: dict[str, tuple[str, bytes]] = {}  # by what is written: what a pod writes then
        self.calls = 0
        self.stop_at: int | None = None
        self.away = 0

    async def _called(self) -> None:
        """Every call is a place where we may be killed, or the other side be away."""
        self.calls += 1
        if self.calls == self.stop_at:
            raise asyncio.CancelledError
        if self.away:
            self.away -= 1
            raise EngineUnavailable("away")
        await asyncio.sleep(0)

    async def run(self, job: BuildJob) -> None:
        await self._called()
        if job.attempt not in self.jobs:
            self.started.append((job.version, job.attempt))
            self.jobs[job.attempt] = JobSeen(job.attempt, Phase.RUNNING)
            self.script(self, job)
        await self._called()

    async def stand_by(self, job: StandbyJob) -> None:
        await self._called()
        self.standbys.append(job)

    async def assign(self, version: uuid.UUID, attempt: int, tenant: str) -> uuid.UUID | None:
        await self._called()
        if not self.standbys or attempt in self.jobs:
            return None
        taken = self.standbys.pop().id
        self.started.append((version, attempt))
        self.jobs[attempt] = JobSeen(attempt, Phase.RUNNING, standby=taken)
        await self._called()
        return taken

    async def presign_read(self, name: str, expires_s: float) -> str:
        await self._called()
        return f"http://store/builds/{name}?for={expires_s}"

    async def write(self, name: str, content: bytes) -> None:
        await self._called()
        self.objects[name] = content
        if name in self.later:
            report, then = self.later[name]
            self.objects[report] = then
        if name.startswith("standby/"):
            (job,) = self.jobs.values()
            self.told.append(Instructions.read(content.decode()))
            self.objects[f"{VERSION.id}/{job.attempt}/report"] = FALLBACK

    async def seen(self, version: uuid.UUID, tenant: str) -> tuple[JobSeen, ...]:
        await self._called()
        assert (version, tenant) == (VERSION.id, "acme")
        return tuple(self.jobs.values())

    async def remove(self, version: uuid.UUID, tenant: str) -> None:
        await self._called()
        self.jobs.clear()

    async def all(self) -> frozenset[tuple[uuid.UUID, str]]:
        return frozenset({(VERSION.id, "acme")} if self.jobs else ())

    async def changes(self) -> AsyncIterator[uuid.UUID]:
        await asyncio.Event().wait()
        yield VERSION.id

    async def presign_get(self, sha256: str, expires_s: float) -> str:
        await self._called()
        return f"http://store/{sha256}?for={expires_s}"

    async def sign_form(self, name: str, most_bytes: int, expires_s: float) -> SignedForm:
        await self._called()
        fields = {"key": f"builds/{name}", "most": str(most_bytes), "for": str(expires_s)}
        return SignedForm("http://store/b", fields)

    async def read(self, name: str, most_bytes: int) -> bytes | None:
        await self._called()
        return self.objects.get(name)

    async def take(self, name: str, path: Path, sha256: str, size_bytes: int) -> Taken:
        await self._called()
        raw = self.objects.get(name, b"")
        if hashlib.sha256(raw).hexdigest() != sha256:
            raise Differs(f"{name} is not the one announced")
        path.write_bytes(raw)  # noqa: ASYNC240
        return Taken(name, Blob(sha256, size_bytes, raw[:64], created=False), "etag")

    async def adopt(self, taken: Taken) -> Blob:
        await self._called()
        self.blobs[taken.blob.sha256] = self.objects[taken.name]
        return replace(taken.blob, created=True)

    async def clear(self, prefix: str) -> int:
        await self._called()
        gone = [name for name in self.objects if name.startswith(prefix)]
        for name in gone:
            del self.objects[name]
        return len(gone)

    async def builds_older_than(self, seconds: float) -> list[str]:
        return sorted(self.objects)

    async def place(self, sha256: str, tenant: str) -> None: ...
    async def unplace(self, sha256: str, tenant: str) -> None: ...
    async def placed_older_than(self, seconds: float) -> list[tuple[str, str]]:
        return []


def name(attempt: int, what: str) -> str:
    return f"{VERSION.id}/{attempt}/{what}"


def ends(phase: Phase = Phase.DONE, **said: Any) -> Script:
    def script(world: World, job: BuildJob) -> None:
        world.jobs[job.attempt] = JobSeen(job.attempt, phase, **said)

    return script


def reports(raw: bytes, plan: bytes | None = None) -> Script:
    def script(world: World, job: BuildJob) -> None:
        if plan is not None:
            world.objects[name(job.attempt, "plan")] = plan
        world.objects[name(job.attempt, "report")] = raw
        world.jobs[job.attempt] = JobSeen(job.attempt, Phase.DONE)

    return script


def in_turn(*scripts: Script) -> Script:
    left = list(scripts)
    return lambda world, job: left.pop(0)(world, job)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from sklearn.linear_model import LinearRegression

    from controlplane.builder.lower.registry import new_draft

    path = tmp_path_factory.mktemp("plan") / "plan"
    model = LinearRegression().fit(np.arange(6.0)[:, None], np.arange(6.0))
    draft = new_draft()
    graph = draft.node(model)
    with path.open("xb") as file:
        plan_format.write(
            file,
            graph=graph,
            tensors=draft.tensors,
            signature=SIGNATURE.to_json(),
            cost={"c0_us": 5.0, "c1_us": 0.1},
            provenance={},
        )
    return path


def content(path: Path) -> bytes:
    return path.read_bytes()


async def builds(world: World, folder: Path, standby_s: float = 0) -> JobBuilds:
    made = JobBuilds(Site(world, world, Limits(), folder / "checking", PACE, standby_s))
    await made.start()
    return made


async def result(world: World, folder: Path) -> Report:
    async with asyncio.timeout(10):
        return (await (await builds(world, folder)).build(VERSION)).report


async def test_a_plan_is_read_here_before_it_is_stored(tmp_path: Path, plan: Path) -> None:
    raw = content(plan)
    world = World(reports(encode(Report(Outcome.PLAN, exactness="batch", plan_path=plan)), raw))
    made = await builds(world, tmp_path)
    built = await made.build(VERSION)
    assert built.plan is not None
    assert world.blobs == {built.plan.sha256: raw}
    assert built.report.outcome is Outcome.PLAN
    assert built.report.signature == SIGNATURE
    assert world.started == [(VERSION.id, 1)]
    assert list((tmp_path / "checking").iterdir()) == []
    await made.forget(VERSION)
    assert (world.jobs, world.objects) == ({}, {})


async def test_a_forged_plan_is_refused_and_not_stored(tmp_path: Path, plan: Path) -> None:
    report = encode(Report(Outcome.PLAN, plan_path=plan))
    for forged, says in ((b"another plan", "not the one announced"), (None, "announced")):
        found = await result(world := World(reports(report, forged)), tmp_path)
        assert found.outcome is Outcome.FAILED
        assert found.reason is not None
        assert says in found.reason
        assert world.blobs == {}
    lies = b"KS not a plan"
    own = json.loads(report) | {
        "plan": {"sha256": hashlib.sha256(lies).hexdigest(), "size_bytes": len(lies)}
    }
    found = await result(world := World(reports(json.dumps(own).encode(), lies)), tmp_path)
    assert found.reason is not None
    assert "its plan is not one" in found.reason
    assert world.blobs == {}


async def test_what_the_pod_is_told(tmp_path: Path) -> None:
    told: list[BuildJob] = []

    def listen(world: World, job: BuildJob) -> None:
        told.append(job)
        reports(FALLBACK)(world, job)

    assert (await result(World(listen), tmp_path)).outcome is Outcome.FALLBACK
    (job,) = told
    instructions = Instructions.read(job.environment[VARIABLE])
    assert instructions.sha256 == VERSION.sha256
    assert instructions.deadline_s < job.deadline_s
    assert instructions.limits() == Limits(namespaces=False)
    plan, report = instructions.plan.fields, instructions.report.fields
    for expires_s in (instructions.source.rpartition("=")[2], plan["for"], report["for"]):
        assert float(expires_s) > job.deadline_s
    assert (int(plan["most"]), int(report["most"])) == (Limits().file_bytes, MOST_BYTES)
    assert job.disk_bytes > 3 * Limits().work_bytes


async def test_a_fault_of_the_host_is_tried_in_a_new_job_and_not_for_ever(tmp_path: Path) -> None:
    lost = ends(Phase.FAILED, reason="the node is gone", blame=Blame.HOST)
    world = World(in_turn(lost, ends(), reports(BAD)))
    assert (await result(world, tmp_path)).reason == "it is no model"
    assert world.started == [(VERSION.id, 1), (VERSION.id, 2), (VERSION.id, 3)]

    found = await result(world := World(lost), tmp_path)
    assert found.reason == f"the node is gone It was tried {ATTEMPTS} times."
    assert len(world.started) == ATTEMPTS


@pytest.mark.parametrize("blame", [Blame.MODEL, Blame.INSTALL])
async def test_what_would_end_the_same_is_not_tried_again(blame: Blame, tmp_path: Path) -> None:
    world = World(ends(Phase.FAILED, reason="needs more memory", advice="smaller", blame=blame))
    found = await result(world, tmp_path)
    assert (found.outcome, found.reason, found.advice) == (
        Outcome.FAILED,
        "needs more memory",
        "smaller",
    )
    assert world.started == [(VERSION.id, 1)]


async def test_what_is_stuck_is_given_up_after_a_while_and_what_waits_is_not(
    tmp_path: Path,
) -> None:
    stuck = ends(Phase.WAITING, reason="no image", advice="ask", blame=Blame.INSTALL, stuck=True)
    assert (await result(World(stuck), tmp_path)).reason == "no image"

    world = World(ends(Phase.WAITING, reason="quota", advice="less", blame=Blame.MODEL))
    task = asyncio.create_task(result(world, tmp_path))
    await asyncio.sleep(4 * PACE.patience_s)
    assert not task.done()
    world.jobs[1] = JobSeen(1, Phase.FAILED, "late", "ask", Blame.HOST, stuck=True)
    assert (await task).reason == "quota"


async def test_a_refused_job_is_told_in_the_clusters_words(tmp_path: Path) -> None:
    def refuse(world: World, job: BuildJob) -> None:
        raise Conflict("exceeded quota: jobs")

    found = await result(World(refuse), tmp_path)
    assert found.reason is not None
    assert "exceeded quota: jobs" in found.reason


async def test_a_report_counts_also_when_its_job_is_gone(tmp_path: Path) -> None:
    world = World(ends())
    world.objects[name(1, "report")] = FALLBACK
    assert (await result(world, tmp_path)).outcome is Outcome.FALLBACK
    assert world.started == []


async def test_cluster_and_store_away_is_waited_for(tmp_path: Path) -> None:
    world = World(reports(FALLBACK))
    world.away = 2
    assert (await result(world, tmp_path)).outcome is Outcome.FALLBACK
    assert world.started == [(VERSION.id, 1)]


async def test_killed_at_any_call_it_goes_on_and_never_builds_twice(
    tmp_path: Path, plan: Path
) -> None:
    raw = content(plan)
    lost = ends(Phase.FAILED, reason="lost", blame=Blame.HOST)

    def world() -> World:
        done = reports(encode(Report(Outcome.PLAN, plan_path=plan)), raw)
        return World(in_turn(lost, done))

    whole = world()
    assert (await result(whole, tmp_path)).outcome is Outcome.PLAN
    assert whole.calls > 10
    for stop_at in range(1, whole.calls + 1):
        found = world()
        found.stop_at = stop_at
        with pytest.raises(asyncio.CancelledError):
            await result(found, tmp_path)
        found.stop_at = None
        assert (await result(found, tmp_path)).outcome is Outcome.PLAN
        assert found.started == [(VERSION.id, 1), (VERSION.id, 2)]
        assert list(found.blobs.values()) == [raw]


def waiting() -> StandbyJob:
    room = {"work": "", "memory_bytes": 1, "disk_bytes": 1, "deadline_s": 1}
    return StandbyJob(id=uuid.uuid4(), wait_s=60, tenant="acme", environment={}, **room)


def no_pod(world: World, job: BuildJob) -> None:
    pytest.fail("a pod was started beside the builder that waits")


async def test_after_a_build_a_builder_waits_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standbys, "PAUSE_S", 0.0)
    world = World(reports(FALLBACK))
    made = await builds(world, tmp_path, standby_s=600)
    await made.build(VERSION)
    await made.forget(VERSION)
    await made.forget(VERSION)
    async with asyncio.timeout(10):
        while not world.standbys:
            await asyncio.sleep(0)
    (job,) = world.standbys
    told = Standby.read(job.environment[STANDBY])
    assert f"builds/standby/{job.id}?" in told.instructions
    assert (job.tenant, told.wait_s) == (VERSION.tenant, job.wait_s)
    assert job.deadline_s > job.wait_s + Limits().wall_s
    assert float(told.instructions.rpartition("=")[2]) >= job.deadline_s
    await made.close()


async def test_closed_no_builder_is_started_any_more(tmp_path: Path) -> None:
    world = World(reports(FALLBACK))
    made = await builds(world, tmp_path, standby_s=600)
    await made.forget(VERSION)
    await made.close()
    assert world.standbys == []
    made = await builds(world, tmp_path)
    await made.forget(VERSION)
    assert world.standbys == []


async def test_a_builder_that_waits_takes_the_build(tmp_path: Path) -> None:
    world = World(no_pod)
    world.standbys = [waiting()]
    made = await builds(world, tmp_path, standby_s=600)
    async with asyncio.timeout(10):
        report = (await made.build(VERSION)).report
    assert report.outcome is Outcome.FALLBACK
    (told,) = world.told
    assert (told.sha256, told.limits()) == (VERSION.sha256, Limits(namespaces=False))
    assert list(world.objects) == [name(1, "report")], "what it was told is removed"
    await made.close()


async def test_a_large_upload_has_a_pod_of_its_own(tmp_path: Path) -> None:
    world = World(reports(FALLBACK))
    world.standbys = [waiting()]
    made = await builds(world, tmp_path, standby_s=600)
    await made.build(replace(VERSION, size_bytes=standbys.UPLOAD_BYTES + 1))
    assert len(world.standbys) == 1
    assert world.told == []


async def test_killed_at_any_call_a_taken_builder_is_still_told_and_none_beside_it(
    tmp_path: Path,
) -> None:
    def world() -> World:
        made = World(no_pod)
        made.standbys = [waiting()]
        return made

    async def build(found: World) -> Outcome:
        async with asyncio.timeout(10):
            return (await (await builds(found, tmp_path, 600)).build(VERSION)).report.outcome

    whole = world()
    assert await build(whole) is Outcome.FALLBACK
    for stop_at in range(1, whole.calls + 1):
        found = world()
        found.stop_at = stop_at
        with pytest.raises(asyncio.CancelledError):
            await build(found)
        found.stop_at = None
        assert await build(found) is Outcome.FALLBACK
        assert found.started == [(VERSION.id, 1)]
        assert found.told


async def test_tidying_takes_what_no_version_waits_for(tmp_path: Path) -> None:
    world = World(ends())
    made = await builds(world, tmp_path)
    world.jobs[1] = JobSeen(1, Phase.RUNNING)
    world.objects = {name(1, "report"): b"", f"{uuid.uuid4()}/1/plan": b""}

    async def one() -> frozenset[uuid.UUID]:
        return frozenset({VERSION.id})

    async def none() -> frozenset[uuid.UUID]:
        return frozenset()

    assert await made.tidy(one) == 1
    assert set(world.objects) == {name(1, "report")}
    assert world.jobs
    assert await made.tidy(none) == 1
    assert (world.jobs, world.objects) == ({}, {})


NEEDS = Needs(requirements=("toolz",))
ASKS = Question("1.3.2", NEEDS, here())
PART = Part("the environment of scikit-learn 1.3.2", Archive("c" * 64, 10, 20), True)
RECIPE = Recipe("1.3.2", (f"toolz==1.0 --hash=sha256:{'d' * 64}",))


class Index:
    """Makes what is asked for, or says why not.

    falls  how often the store is away first
    """

    def __init__(self, refusal: Unavailable | None = None, falls: int = 0) -> None:
        self.refusal, self.falls = refusal, falls
        self.asked_for: list[tuple[Question, str, str]] = []

    async def asked(
        self, question: Question, known: Recipe | None, tenant: str, upload: str, tell: Any
    ) -> tuple[tuple[Part, ...], Recipe | None]:
        await tell("Preparing.")
        if self.falls:
            self.falls -= 1
            raise StoreUnavailable("away")
        self.asked_for.append((question, tenant, upload))
        if self.refusal is not None:
            raise self.refusal
        return (PART,), RECIPE


def asks(then: bytes = FALLBACK, question: bytes | None = None) -> Script:
    """Ask, and report once there is an answer."""

    def script(world: World, job: BuildJob) -> None:
        report, answer = name(job.attempt, "report"), name(job.attempt, "answer")
        world.objects[report] = ASKS.write() if question is None else question
        world.later[answer] = report, then
        told = Instructions.read(job.environment[VARIABLE])
        assert f"builds/{answer}?" in told.answer
        assert told.answer_s < job.deadline_s

    return script


async def answered(
    world: World, folder: Path, index: Index | None, told: list[str] | None = None
) -> Report:
    async def tell(version: uuid.UUID, words: str) -> None:
        assert version == VERSION.id
        if told is not None:
            told.append(words)

    made = JobBuilds(
        Site(world, world, Limits(), folder / "checking", PACE, environments=index, tell=tell)
    )
    await made.start()
    async with asyncio.timeout(10):
        return (await made.build(VERSION)).report


async def test_a_build_that_asks_is_answered_once_and_our_word_is_in_the_report(
    tmp_path: Path,
) -> None:
    told: list[str] = []
    world, index = World(asks()), Index(falls=1)
    report = await answered(world, tmp_path, index, told)
    assert report.outcome is Outcome.FALLBACK
    assert report.environment == RECIPE.to_json()
    assert report.sklearn_version == "1.3.2"
    assert index.asked_for == [(ASKS, "acme", VERSION.sha256)]
    assert told == ["Preparing."] * 2
    answer = Answer.read(world.objects[name(1, "answer")])
    ((part, address),) = answer.parts
    assert part == PART
    assert address.startswith(f"http://store/{PART.archive.sha256}?for=")


async def test_a_report_without_a_question_names_no_environment_of_its_own(
    tmp_path: Path,
) -> None:
    lies = json.loads(FALLBACK) | {"environment": RECIPE.to_json()}
    report = await answered(World(reports(json.dumps(lies).encode())), tmp_path, Index())
    assert report.environment is None


@pytest.mark.parametrize("index", [None, Index(Unavailable("the index is away", "later"))])
async def test_what_cannot_be_made_is_told_to_the_build(
    index: Index | None, tmp_path: Path
) -> None:
    world = World(asks(BAD))
    report = await answered(world, tmp_path, index)
    assert report.reason == "it is no model", "the builder says it in its report"
    refused = Answer.read(world.objects[name(1, "answer")]).refused
    assert refused is not None
    assert refused[0] == "the index is away" if index else "builds no other" in refused[0]


async def test_a_forged_question_ends_the_build(tmp_path: Path) -> None:
    forged = ASKS.write().replace(b"toolz", b"--index")
    report = await answered(World(asks(question=forged)), tmp_path, index := Index())
    assert report.outcome is Outcome.FAILED
    assert "was refused" in (report.reason or "")
    assert index.asked_for == []


async def test_a_build_that_asked_and_was_lost_is_tried_again(tmp_path: Path) -> None:
    def lost(world: World, job: BuildJob) -> None:
        world.objects[name(job.attempt, "report")] = ASKS.write()
        world.jobs[job.attempt] = JobSeen(job.attempt, Phase.FAILED, "lost", blame=Blame.HOST)

    world = World(in_turn(lost, asks()))
    report = await answered(world, tmp_path, Index())
    assert report.environment == RECIPE.to_json()
    assert world.started == [(VERSION.id, 1), (VERSION.id, 2)]


async def test_killed_at_any_call_a_build_that_asks_is_answered_by_the_next(
    tmp_path: Path,
) -> None:
    whole = World(asks())
    await answered(whole, tmp_path, Index())
    assert whole.calls > 8
    for stop_at in range(1, whole.calls + 1):
        found, index = World(asks()), Index()
        found.stop_at = stop_at
        with pytest.raises(asyncio.CancelledError):
            await answered(found, tmp_path, index)
        found.stop_at = None
        report = await answered(found, tmp_path, index)
        assert report.environment == RECIPE.to_json()
        assert found.started == [(VERSION.id, 1)]
