"""Load tests in pods of the tenant's namespace: one coordinates, the others send.

The coordinator reads what it is told from the object store and writes there what it tells, so a
test goes on while control planes come and go; whoever leads next takes it over. Objects are below
`loadtests/{test}/`; a Job's name says test and number, and none is started twice.
"""

import asyncio
import contextlib
import functools
import json
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from controlplane.artifacts.exchange import Differs, Exchange
from controlplane.artifacts.store import StoreUnavailable
from controlplane.builder.instructions import Form
from controlplane.engines.jobs import COORDINATOR_PORT, LoadJob, LoadJobs, LoadSeen, Phase
from controlplane.loadtests import service as loadtests
from controlplane.loadtests.pod import REPORTS, VARIABLE, Instructions
from controlplane.loadtests.service import MOST_REPORT_BYTES, TestToRun
from controlplane.reconciler.programs import Way
from runtime.problems import EngineUnavailable, Overloaded

log = logging.getLogger("kubeserve.loadtests")
COORDINATOR: Final = 0
MOST_EVENTS_BYTES: Final = 8 << 20
PLACE_S: Final = 600.0  # to wait for a node, an image, a quota
PATIENCE_S: Final = 60.0  # with what does not come by itself, such as a missing image
ALONE_S: Final = 120.0
SLACK_S: Final = 3600.0  # forms outlive the test: what is told late is still taken
LOST: Final = 1
Result = TypeVar("Result")
AWAY: Final = (EngineUnavailable, StoreUnavailable, Overloaded)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often is looked: at what a test tells, at its pods, and how often it is told."""

    events_s: float = 0.5
    pods_s: float = 1.0
    told_s: float = 1.0


class PodPrograms:
    """Implements `controlplane.reconciler.programs.Programs` over an engine that runs Jobs.

    ingress  where pods reach the ingress, for endpoints' own names; None: at their inside address
    """

    look_every_s = 1.0
    around_s = PLACE_S + 240.0

    def __init__(
        self,
        jobs: LoadJobs,
        exchange: Exchange,
        ingress: str | None,
        pace: Pace = Pace(),
        port: int = COORDINATOR_PORT,
    ) -> None:
        self._jobs, self._exchange, self._ingress = jobs, exchange, ingress
        self._pace, self._port = pace, port

    def way(self, tenant: str, endpoint: str, tag: str | None, url: str) -> Way:
        """Say how pods reach an endpoint, or its revision with a tag."""
        if self._ingress is not None:
            return Way(url, self._ingress)
        # So Knative calls the service of a tag.
        inside = self._jobs.inside(tenant, endpoint if tag is None else f"{tag}-{endpoint}")
        return Way(inside, inside)

    async def start(self, test: TestToRun, folder: Path, first: Mapping[str, Any]) -> "PodProgram":
        """Start the coordinator; the generators follow when it has an address."""
        return await self._persist(lambda: self._start(test, folder, first))

    async def _start(self, test: TestToRun, folder: Path, first: Mapping[str, Any]) -> "PodProgram":
        name = prefix(test.id)
        await self._exchange.write(f"{name}first", json.dumps(first).encode())
        program = self._program(test, folder, 0)
        await program.write_told()
        instructions = await self._instructions(test)
        await self._jobs.run(
            _job(
                test,
                COORDINATOR,
                ("python3", "-m", "controlplane.loadtests.pod"),
                {VARIABLE: instructions.write()},
                self._lasts_s(test),
            )
        )
        program.begin()
        return program

    async def again(self, test: TestToRun, folder: Path, after: int) -> "PodProgram | None":
        """Go on with a test that has its coordinator, or has told how it ended."""
        return await self._persist(lambda: self._again(test, folder, after))

    async def _again(self, test: TestToRun, folder: Path, after: int) -> "PodProgram | None":
        told = await self._exchange.read(f"{prefix(test.id)}events", MOST_EVENTS_BYTES)
        if told is None and COORDINATOR not in await self._jobs.seen(test.id, test.tenant_name):
            return None
        program = self._program(test, folder, after)
        program.begin()
        return program

    async def forget(self, test: uuid.UUID, tenant: str) -> None:
        """Remove Jobs and objects of a test."""
        await self._jobs.remove(test, tenant)
        await self._exchange.clear(prefix(test))

    async def tidy(self, running: Callable[[], Awaitable[list[uuid.UUID]]]) -> int:
        """Remove Jobs and objects of tests that do not run any more."""
        there, removed = await self._jobs.all(), 0
        kept = set(await running())  # after them: a row runs before it has a Job
        for test, tenant in there:
            if test not in kept:
                await self.forget(test, tenant)
                removed += 1
        return removed

    def last_words(self, folder: Path) -> str:  # noqa: ARG002  (the protocol's)
        """Give nothing: a pod's log is the cluster's."""
        return ""

    async def _persist(self, step: Callable[[], Awaitable[Result]]) -> Result:
        """Try again while cluster or store are away, such as when a leader has just begun."""
        until = asyncio.get_running_loop().time() + PLACE_S
        while True:
            try:
                return await step()
            except AWAY as error:
                if asyncio.get_running_loop().time() > until:
                    raise
                log.warning("a load test: %s", error)
                await asyncio.sleep(self._pace.told_s)

    def _program(self, test: TestToRun, folder: Path, after: int) -> "PodProgram":
        return PodProgram(
            self._jobs, self._exchange, test, folder, self._pace, port=self._port, after=after
        )

    def _lasts_s(self, test: TestToRun) -> float:
        return loadtests.longest_s(test) + self.around_s

    async def _instructions(self, test: TestToRun) -> Instructions:
        name, expires_s = prefix(test.id), self._lasts_s(test) + SLACK_S

        async def form(what: str, most_bytes: int) -> Form:
            signed = await self._exchange.sign_form(name + what, most_bytes, expires_s)
            return Form(signed.url, signed.fields)

        return Instructions(
            first=await self._exchange.presign_read(f"{name}first", expires_s),
            told=await self._exchange.presign_read(f"{name}told", expires_s),
            events=await form("events", MOST_EVENTS_BYTES),
            **{report: await form(report, MOST_REPORT_BYTES) for report in REPORTS},
            port=self._port,
            alone_s=ALONE_S,
        )


class PodProgram:
    """A test in pods, as far as it is known here. Made by `PodPrograms`."""

    def __init__(
        self,
        jobs: LoadJobs,
        exchange: Exchange,
        test: TestToRun,
        folder: Path,
        pace: Pace,
        *,
        port: int,
        after: int,
    ) -> None:
        self._jobs, self._exchange, self._test, self._folder = jobs, exchange, test, folder
        self._pace, self._port, self._after = pace, port, after
        self._told: dict[str, Any] = {}
        self._end: dict[str, Any] | None = None
        self._pods: dict[int, LoadSeen] = {}
        self._because: str | None = None  # the coordinator is gone, or does not come
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Look after its pods, and tell it what it is to know."""
        self._tasks = [
            asyncio.create_task(self._look_after()),
            asyncio.create_task(self._keep_telling()),
        ]

    def tell(self, line: Mapping[str, Any], *, passing: bool = False) -> None:  # noqa: ARG002
        """Tell it something; all of it is the latest of its kind."""
        if "endpoint" in line:
            self._told["away"] = None
        self._told |= line

    def end(self) -> None:
        """Have it stop: it still says how the test was. One that has not begun just ends."""
        self._told["closed"] = True
        seen = self._pods.get(COORDINATOR)
        if seen is None or seen.phase is Phase.WAITING:
            self._because = self._because or "it had not begun"

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """Give what it tells until it ends, each with its number `n`."""
        while True:
            gone = self._because
            document = await self._read()
            if document is not None:
                for number, event in document.get("events", ()):
                    if number > self._after:
                        self._after = number
                        yield {**self._explained(event), "n": number}
                self._end = document.get("end")
                # In this order: a pod that is gone may have told how it ended.
                if self._end is not None or gone is not None:
                    return
            await asyncio.sleep(self._pace.events_s)

    async def _read(self) -> dict[str, Any] | None:
        """Read what it told, None: not now; raises ValueError for what no test of ours tells."""
        try:
            name = f"{prefix(self._test.id)}events"
            raw = await self._exchange.read(name, MOST_EVENTS_BYTES)
        except AWAY as error:
            log.warning("load test %s: %s", self._test.id, error)
            return None
        except Differs as error:
            raise ValueError(str(error)) from error
        found = {} if raw is None else json.loads(raw)
        if not isinstance(found, dict):
            raise ValueError("the load test told no events")
        return found

    def _explained(self, event: dict[str, Any]) -> dict[str, Any]:
        """Say of a test that failed which of its pods did not come, and why."""
        if event["event"] != "failed":
            return event
        missing = [
            f"generator {number}: {one.reason}"
            for number, one in sorted(self._pods.items())
            if number != COORDINATOR and one.phase in (Phase.WAITING, Phase.FAILED)
        ]
        return {**event, "detail": "; ".join([str(event["detail"]), *missing])}

    async def wait(self) -> int:
        """Fetch the reports it named; gives its exit code."""
        if self._end is None:
            return LOST
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for report, (size, sha256) in self._end["reports"].items():
            path = self._folder / REPORTS[report]
            path.unlink(missing_ok=True)
            name = f"{prefix(self._test.id)}{report}"
            await self._until_there(
                functools.partial(self._exchange.take, name, path, sha256, size)
            )
        return int(self._end["code"])

    async def _until_there(self, fetch: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await fetch()
            except AWAY as error:
                log.warning("load test %s: %s", self._test.id, error)
                await asyncio.sleep(self._pace.told_s)
            else:
                return

    def how(self, code: int) -> str:
        """Say how it ended that said nothing more."""
        return f"The load test ended early: {self._because or f'with {code}.'}"

    async def kill(self) -> None:
        """End its pods now; where the cluster is away, the sweep does."""
        with contextlib.suppress(*AWAY):
            await self._jobs.remove(self._test.id, self._test.tenant_name)

    async def leave(self) -> None:
        """Let go of it; a test that has not ended goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep_telling(self) -> None:
        while True:
            with contextlib.suppress(*AWAY):
                await self.write_told()
            await asyncio.sleep(self._pace.told_s)

    async def write_told(self) -> None:
        """Write what the test is to know; the time makes it news."""
        told = {**self._told, "at": datetime.now(UTC).isoformat()}
        await self._exchange.write(f"{prefix(self._test.id)}told", json.dumps(told).encode())

    async def _look_after(self) -> None:
        """Start generators when the coordinator has an address, and see when it is gone."""
        started, loop = False, asyncio.get_running_loop()
        began, stuck_since = loop.time(), None
        while self._because is None:
            with contextlib.suppress(*AWAY):
                self._pods = await self._jobs.seen(self._test.id, self._test.tenant_name)
                seen = self._pods.get(COORDINATOR, LoadSeen(Phase.FAILED, "its Job is gone."))
                if seen.address is not None and not started:
                    await self._start_generators(seen.address)
                    started = True
                now = loop.time()
                stuck_since = (stuck_since or now) if seen.stuck else None
                patient = now - began < PLACE_S and now - (stuck_since or now) < PATIENCE_S
                if seen.phase in (Phase.FAILED, Phase.DONE):
                    self._because = f"its coordinator ended: {seen.reason or 'without a word.'}"
                elif seen.phase is Phase.WAITING and not patient:
                    self._because = f"its coordinator did not start: {seen.reason}"
            await asyncio.sleep(self._pace.pods_s)

    async def _start_generators(self, address: str) -> None:
        command = ("python3", "-m", "loadtests", "worker", f"{address}:{self._port}")
        lasts_s = loadtests.longest_s(self._test) + PodPrograms.around_s
        for number in range(1, loadtests.processes(self._test) + 1):
            if number not in self._pods:
                await self._jobs.run(_job(self._test, number, command, {}, lasts_s))


def _job(
    test: TestToRun,
    number: int,
    command: tuple[str, ...],
    environment: dict[str, str],
    lasts_s: float,
) -> LoadJob:
    return LoadJob(
        test=test.id,
        number=number,
        tenant=test.tenant_name,
        command=command,
        environment=environment,
        deadline_s=int(lasts_s),
    )


def prefix(test: uuid.UUID) -> str:
    """Give where the objects of a test are."""
    return f"loadtests/{test}/"
