"""Builds in pods of the tenant's namespace: one Job an attempt, its report in the object store.

Level-triggered: each look asks for the report first, then for the Jobs, so whoever comes after a
crash goes on with what there is. A Job's name says version and attempt; it is never started twice.
"""

import asyncio
import contextlib
import logging
import shutil
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from controlplane.artifacts.exchange import Differs, Exchange
from controlplane.artifacts.store import StoreUnavailable
from controlplane.builder.asking import Question
from controlplane.builder.environments import MADE_WITHIN_S
from controlplane.builder.instructions import VARIABLE, Form, Instructions
from controlplane.builder.remote_report import MOST_BYTES, Sent, decode, with_plan
from controlplane.builder.report import Limits, Outcome, Report
from controlplane.builder.validate import Untrusted
from controlplane.engines.jobs import Blame, BuildJob, Jobs, JobSeen, Phase
from controlplane.models import service as models
from controlplane.models.service import VersionToBuild
from controlplane.reconciler.answers import Answers, Environments
from controlplane.reconciler.builds import Built, Unfinished
from controlplane.reconciler.standby import Room, Standbys
from runtime.archive import MOST_BYTES as MOST_PART_BYTES
from runtime.problems import Conflict, EngineUnavailable, Overloaded

log = logging.getLogger("kubeserve.builds")

ATTEMPTS: Final = 3
WORK: Final = "/kubeserve/work"
LEFT_OVER_S: Final = 24 * 3600.0
# The address of the report outlives the Job: what is acknowledged late is still taken.
SLACK_S: Final = 300
PLACE_S: Final = 600  # to wait for a node, an image, a quota
# For an environment to be made: versions chosen, scikit-learn, packages; and others' before.
ANSWER_S: Final = int(4 * MADE_WITHIN_S)
MOST_BACKOFF_S: Final = 10.0
# Cluster or store do not answer now; their state is as it was.
AWAY: Final = (EngineUnavailable, StoreUnavailable, Overloaded)
REFUSED: Final = "Push the file again; if this stays, ask the operator."


@dataclass(frozen=True, slots=True)
class Pace:
    """How often is looked.

    look_s      at Jobs and pods, beside being told of their changes
    report_s    for the report of a build that runs: it is there before its pod's end is known
    patience_s  with what does not come by itself, such as a missing image
    """

    look_s: float = 2.0
    report_s: float = 0.1
    patience_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Site:
    """Where builds go.

    work          a folder of ours for plans that are being checked
    standby_s     how long a builder waits for a tenant's next push; 0: none does
    environments  of other scikit-learn versions, and packages; None: they are refused
    tell          is told by version, in words, what takes long
    """

    jobs: Jobs
    exchange: Exchange
    limits: Limits
    work: Path
    pace: Pace = Pace()
    standby_s: float = 0.0
    environments: Environments | None = None
    tell: Callable[[uuid.UUID, str], Awaitable[object]] = models.build_tells


class JobBuilds:
    """Implements `controlplane.reconciler.builds.Builds` over an engine that runs Jobs."""

    attempts = 20

    def __init__(self, site: Site) -> None:
        self._site = site
        room = Room(
            WORK, site.limits.memory_bytes, _disk_bytes(site.limits), _deadline_s(site.limits)
        )
        self._standbys = Standbys(site.jobs, site.exchange, room, site.standby_s)
        self._changed: dict[uuid.UUID, asyncio.Event] = {}
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; Jobs that run go on, plans half downloaded are removed."""
        await asyncio.to_thread(shutil.rmtree, self._site.work, ignore_errors=True)
        self._site.work.mkdir(parents=True, mode=0o700)

    async def build(self, version: VersionToBuild) -> Built:
        """Build one version; waits as long as cluster or store are away."""
        changed = self._changed[version.id] = asyncio.Event()
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        try:
            return await _Build(self._site, self._standbys, version, changed).result()
        finally:
            self._changed.pop(version.id, None)
            if not self._changed and self._watching is not None:
                self._watching.cancel()
                self._watching = None

    async def _watch(self) -> None:
        try:
            async for version in self._site.jobs.changes():
                if version in self._changed:
                    self._changed[version].set()
        except Exception:
            log.exception("builds are not watched any more; they are still looked at")

    async def forget(self, version: VersionToBuild) -> None:
        """Remove Jobs and objects of a recorded build."""
        await self._site.jobs.remove(version.id, version.tenant)
        await self._site.exchange.clear(f"{version.id}/")
        self._standbys.soon(version.tenant)

    async def close(self) -> None:
        """Start no more builders that wait."""
        await self._standbys.close()

    async def tidy(self, unfinished: Unfinished) -> int:
        """Remove Jobs of versions that are not built any more, and objects that are a day old."""
        site, removed = self._site, 0
        jobs, old = await site.jobs.all(), await site.exchange.builds_older_than(LEFT_OVER_S)
        kept = await unfinished()
        for version, tenant in jobs:
            if version not in kept:
                await site.jobs.remove(version, tenant)
                await site.exchange.clear(f"{version}/")
                removed += 1
        names = {str(version) for version in kept}
        for name in old:
            if name.partition("/")[0] not in names:
                removed += await site.exchange.clear(name)
        return removed


class _Build:
    """One version on its way; holds no truth of its own, only how long something has lasted."""

    def __init__(
        self, site: Site, standbys: Standbys, version: VersionToBuild, changed: asyncio.Event
    ) -> None:
        self._jobs, self._exchange, self._limits = site.jobs, site.exchange, site.limits
        self._work, self._pace = site.work, site.pace
        self._standbys, self._version, self._changed = standbys, version, changed
        expires_s = _deadline_s(site.limits) + SLACK_S
        self._answers = Answers(site.exchange, site.environments, expires_s, site.tell)
        self._instructed: set[uuid.UUID] = set()
        self._answered: set[int] = set()
        self._stuck_since: float | None = None
        self._waited: JobSeen | None = None
        self._told: set[int] = set()

    async def result(self) -> Built:
        away = 0
        while True:
            self._changed.clear()
            try:
                built, running = await self._look()
                if built is not None:
                    return built
                away = 0
                await (
                    self._wait(self._pace.look_s) if running is None else self._report_of(running)
                )
            except AWAY as error:
                away += 1
                log.warning("build of %s: %s", self._version.id, error)
                await self._wait(min(MOST_BACKOFF_S, 0.25 * 2 ** min(away, 10)))

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    async def _report_of(self, attempt: int) -> None:
        """Wait for the report of a running build, for a change, or for the next look."""
        for _ in range(max(1, round(self._pace.look_s / self._pace.report_s))):
            await self._wait(self._pace.report_s)
            if self._changed.is_set():
                return
            sent = await self._report(attempt)
            asks = isinstance(sent, Question) and attempt in self._answered
            if sent is not None and not asks:
                return

    async def _look(self) -> tuple[Built | None, int | None]:
        """Give the result, or the attempt that runs, or neither."""
        seen = {one.attempt: one for one in await self._jobs.seen(self._version.id, self._tenant)}
        reason = ""
        for attempt in range(1, ATTEMPTS + 1):
            # Also when the Job is gone; and after the Jobs, since a Job that is done has one.
            sent = await self._report(attempt)
            if sent is not None and not isinstance(sent, Question):
                for standby in self._instructed:
                    await self._standbys.forget(standby)
                return await self._built(attempt, sent), None
            if attempt not in seen:
                return await self._run(attempt)
            job = self._with_patience(seen[attempt])
            if job.phase is Phase.WAITING:
                return None, None
            if job.phase is Phase.RUNNING:
                await self._instruct(attempt, job.standby)
                if sent is not None:
                    await self._answer(attempt, sent)
                return None, attempt
            if job.phase is Phase.FAILED and job.blame is not Blame.HOST:
                return Built(_failed(job.reason, job.advice)), None
            reason = job.reason or "The build ended without a report."
            if attempt not in self._told:
                self._told.add(attempt)
                log.warning("build of %s, try %d: %s", self._version.id, attempt, reason)
        return Built(_failed(f"{reason} It was tried {ATTEMPTS} times.", REFUSED)), None

    @property
    def _tenant(self) -> str:
        return self._version.tenant

    def _with_patience(self, job: JobSeen) -> JobSeen:
        """Call failed what is stuck for long, and name what a job waited for until it failed."""
        now = asyncio.get_running_loop().time()
        if job.phase is Phase.WAITING:
            self._waited = job if job.advice else None
            # A pull that fails is "stuck" and "trying again" by turns.
            if job.stuck and self._stuck_since is None:
                self._stuck_since = now
            if self._stuck_since is None or now - self._stuck_since < self._pace.patience_s:
                return job
            return replace(job, phase=Phase.FAILED, blame=Blame.INSTALL)
        waited, self._waited, self._stuck_since = self._waited, None, None
        if job.phase is Phase.FAILED and job.stuck and waited is not None:
            return replace(waited, phase=Phase.FAILED)
        return job

    async def _report(self, attempt: int) -> Sent | Report | Question | None:
        """Read what an attempt sent; a Report of ours where there is nothing to believe."""
        try:
            raw = await self._exchange.read(self._name(attempt, "report"), MOST_BYTES)
            if raw is None:
                return None
            question = await asyncio.to_thread(Question.read, raw)
            if question is not None:
                return question
            return await asyncio.to_thread(decode, raw, most_plan_bytes=self._limits.file_bytes)
        except (Untrusted, Differs) as error:
            return _suspicious(error)

    async def _answer(self, attempt: int, question: Question) -> None:
        """Answer a build that asks, once; it may be gone when what it asks for is made."""
        if attempt not in self._answered:
            await self._answers.answer(self._name(attempt, "answer"), self._version, question)
            self._answered.add(attempt)

    async def _built(self, attempt: int, sent: Sent | Report) -> Built:
        """Take the plan over: read here, checked by the runtime's own reader, then stored."""
        if isinstance(sent, Report):
            return Built(sent)
        report = await self._answers.said(self._name(attempt, "answer"), sent.report)
        sent = replace(sent, report=report)
        if sent.report.outcome is not Outcome.PLAN or sent.plan_sha256 is None:
            return Built(sent.report)
        folder = self._work / uuid.uuid4().hex
        folder.mkdir(mode=0o700)
        try:
            path, name = folder / "plan", self._name(attempt, "plan")
            taken = await self._exchange.take(name, path, sent.plan_sha256, sent.plan_size_bytes)
            report = await asyncio.to_thread(with_plan, sent, path)
            return Built(report, await self._exchange.adopt(taken))
        except (Untrusted, Differs) as error:
            return Built(_suspicious(error))
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _run(self, attempt: int) -> tuple[Built | None, int | None]:
        version = self._version
        standby = await self._standbys.assign(
            version.id, attempt, version.tenant, version.size_bytes
        )
        if standby is not None:
            await self._instruct(attempt, standby)
            return None, attempt
        try:
            await self._jobs.run(await self._job(attempt))
        except Conflict as error:
            return Built(_failed(f"The cluster refuses the build: {error.detail}", REFUSED)), None
        return None, None

    async def _instruct(self, attempt: int, standby: uuid.UUID | None) -> None:
        """Tell a builder that waited, unless we did; whoever took it may have died before."""
        if standby is not None and standby not in self._instructed:
            await self._standbys.tell(standby, await self._instructions(attempt))
            self._instructed.add(standby)

    async def _instructions(self, attempt: int) -> Instructions:
        limits, version = self._limits, self._version
        expires_s = _deadline_s(limits) + SLACK_S
        return Instructions(
            source=await self._exchange.presign_get(version.sha256, expires_s),
            plan=await self._form(attempt, "plan", limits.file_bytes, expires_s),
            report=await self._form(attempt, "report", MOST_BYTES, expires_s),
            answer=await self._exchange.presign_read(self._name(attempt, "answer"), expires_s),
            answer_s=ANSWER_S,
            sha256=version.sha256,
            size_bytes=version.size_bytes,
            work=WORK,
            deadline_s=_building_s(limits),
            memory_bytes=limits.memory_bytes,
            cpu_s=limits.cpu_s,
            wall_s=limits.wall_s,
            decompressed_bytes=limits.decompressed_bytes,
            work_bytes=limits.work_bytes,
            file_bytes=limits.file_bytes,
        )

    async def _form(self, attempt: int, what: str, most_bytes: int, expires_s: float) -> Form:
        signed = await self._exchange.sign_form(self._name(attempt, what), most_bytes, expires_s)
        return Form(signed.url, signed.fields)

    async def _job(self, attempt: int) -> BuildJob:
        limits, version = self._limits, self._version
        instructions = await self._instructions(attempt)
        return BuildJob(
            version=version.id,
            attempt=attempt,
            tenant=version.tenant,
            environment={VARIABLE: instructions.write()},
            work=WORK,
            memory_bytes=limits.memory_bytes,
            disk_bytes=version.size_bytes + _disk_bytes(limits),
            deadline_s=_deadline_s(limits),
        )

    def _name(self, attempt: int, what: str) -> str:
        return f"{self._version.id}/{attempt}/{what}"


def _building_s(limits: Limits) -> int:
    return int(limits.wall_s * 3) + 60  # three locked processes; fetching and sending


def _deadline_s(limits: Limits) -> int:
    return _building_s(limits) + PLACE_S + ANSWER_S


def _disk_bytes(limits: Limits) -> int:
    """Give what a build needs beside its upload at most.

    A folder for each locked process, the plan; two parts of an environment, one beside its archive.
    """
    return 3 * limits.work_bytes + limits.file_bytes + 3 * MOST_PART_BYTES


def _failed(reason: str, advice: str) -> Report:
    return Report(Outcome.FAILED, reason=reason, advice=advice)


def _suspicious(error: Exception) -> Report:
    return _failed(f"What the build sent back was refused: {error}.", REFUSED)
