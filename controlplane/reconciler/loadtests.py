"""queued → running → finished | failed | interrupted: runs the load tests that wait.

A test is never begun again: what was cut off with a control plane is interrupted, its data kept;
one in pods goes on, and is taken over.
"""

import asyncio
import base64
import functools
import logging
import shutil
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from controlplane.artifacts.store import Store
from controlplane.endpoints import testing
from controlplane.engines.engine import EndpointId, Engine
from controlplane.loadtests import service as loadtests
from controlplane.loadtests.pod import REPORTS
from controlplane.loadtests.service import CANCELLED, MOST_REPORT_BYTES, Report, TestToRun
from controlplane.loadtests.states import LoadTestState
from controlplane.reconciler.programs import Program, Programs
from runtime.problems import Forbidden, NotFound, Problem

log = logging.getLogger("kubeserve.loadtests")
RESYNC_S: Final = 5.0
DECISIONS_EVERY_S: Final = 1.0
MOST_PROGRESS: Final = 1000
FINISHED, INTERRUPTED = 0, 130
RESTARTED: Final = (
    "The control plane was restarted while the test ran; what was measured until then is kept."
)
DELETED: Final = "The endpoint was deleted while it was tested."
# Makes a token for (subject and client, tenant, endpoint); raises Forbidden.
TokenFor = Callable[[tuple[str, str], str, uuid.UUID], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Site:
    """Where tests are run, and with what.

    folder        one folder below it for each test, gone when its reports are kept
    programs      where tests run
    token_life_s  of what `token_for` gives; another is handed out at half of it
    """

    folder: Path
    programs: Programs
    store: Store
    engine: Engine
    issuer: str
    token_for: TokenFor
    token_life_s: float
    at_once: int


class LoadTests:
    """Runs what waits, a few at once."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._woken = asyncio.Event()
        self._running: dict[uuid.UUID, _Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Look at the rows now."""
        self._woken.set()

    async def run(self) -> None:
        """Run tests until cancelled."""
        for test, after in await loadtests.left_running():
            self._begin(_Running(self._site, test, after=after))
        while True:
            self._woken.clear()
            try:
                await self._look()
            except Exception:
                log.exception("the load tests could not be looked at")
            with suppress(TimeoutError):
                async with asyncio.timeout(RESYNC_S):
                    await self._woken.wait()

    async def tidy(self) -> int:
        """Remove what tests left where they ran; gives how many left something."""
        return await self._site.programs.tidy(loadtests.running)

    async def _look(self) -> None:
        for key in await loadtests.cancelled():
            if key in self._running:
                self._running[key].cancel(CANCELLED)
        free = self._site.at_once - len(self._tasks)
        for test in await loadtests.take_waiting(free) if free > 0 else ():
            self._begin(_Running(self._site, test))

    def _begin(self, one: "_Running") -> None:
        self._running[one.test.id] = one
        task = asyncio.create_task(one.run())
        self._tasks.add(task)
        task.add_done_callback(functools.partial(self._done, one.test.id))

    def _done(self, key: uuid.UUID, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._running.pop(key, None)
        self._woken.set()

    async def close(self) -> None:
        """Stop; the processes end by themselves, and whoever leads next takes their reports."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@dataclass(slots=True)
class _Running:
    """One test while it runs here.

    after    of one that a control plane began that is gone: `n` of the last event that was kept
    because  why it is to end early, in words
    gone     its endpoint was deleted
    last     the last event that is neither progress nor waiting
    """

    site: Site
    test: TestToRun
    after: int | None = None
    because: str | None = None
    gone: bool = False
    last: dict[str, Any] = field(default_factory=dict)
    program: Program | None = None
    told_at: float = -1e9

    def cancel(self, because: str) -> None:
        """Have it end soon; its reports are kept."""
        self.because = self.because or because
        if self.program is not None:
            self.program.end()

    async def run(self) -> None:
        """Run it to its end, and keep what it left."""
        folder, programs = self.site.folder / str(self.test.id), self.site.programs
        try:
            state, verdict, reason = await self._run(folder)
            reports = await kept(self.site.store, folder)
        except Problem as error:
            state, verdict, reason, reports = LoadTestState.FAILED, None, error.detail, ()
        except Exception as error:
            log.exception("load test %s failed on our side", self.test.id)
            reason = f"The test failed on our side ({type(error).__name__}); the log says more."
            state, verdict, reports = LoadTestState.FAILED, None, ()
        await loadtests.ended(self.test.id, state, verdict, reason, reports)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        with suppress(Problem):  # the sweep does
            await programs.forget(self.test.id, self.test.tenant_name)

    async def _run(self, folder: Path) -> tuple[LoadTestState, str | None, str | None]:
        programs = self.site.programs
        if self.after is None:
            first = await self._first() | {"files": await self._files(folder)}
            program: Program | None = await programs.start(self.test, folder, first)
        else:
            program = await programs.again(self.test, folder, self.after)
        if program is None:
            return LoadTestState.INTERRUPTED, None, RESTARTED
        code = await self._watched(program)
        if not self.last:
            words = programs.last_words(folder)
            log.error("load test %s told nothing: %s", self.test.id, words)
        return self._outcome(code, program)

    async def _watched(self, program: Program) -> int:
        """Tell it and listen until it has ended; gives its exit code."""
        self.program = program
        longest_s = loadtests.longest_s(self.test) + self.site.programs.around_s
        try:
            if self.because is not None:
                program.end()
            async with asyncio.timeout(longest_s):
                watching = asyncio.create_task(self._keep_telling(program))
                try:
                    await self._take(program)
                    return await program.wait()
                finally:
                    watching.cancel()
                    await asyncio.gather(watching, return_exceptions=True)
        except TimeoutError:
            self.because = "It did not end in time."
            await program.kill()
            return await program.wait()
        except asyncio.CancelledError:
            raise  # we end; it sees that, or goes on for whoever leads next
        except BaseException:
            await program.kill()
            raise
        finally:
            await program.leave()

    async def _first(self) -> dict[str, Any]:
        document = await self._endpoint()
        if document is None:
            raise NotFound("The endpoint was deleted before the test began.")
        tag = self.test.plan.get("tag")
        signature = await testing.signature(
            self.test.tenant, self.test.endpoint_id, tag, self.site.issuer
        )
        if signature is None and tag is not None:
            raise NotFound(f"The endpoint has no revision with the tag {tag}.")
        if signature is None or not document["url"]:
            raise NotFound(f"The endpoint cannot be tested: {document['ready']['message']}")
        # What is tested says its address: the endpoint, or of its revisions the one with the tag.
        tested, key = document, "url"
        for line in document["revisions"]:
            if tag is not None and line["tag"] == tag:
                tested, key = line, "tag_url"
        url = tested[key] or document["url"]
        way = self.site.programs.way(self.test.tenant_name, document["name"], tag, url)
        tested[key] = way.url
        return {
            "plan": {**self.test.plan, "address": way.address},
            "endpoint": document,
            "signature": signature,
            "token": await self._token(),
        }

    async def _files(self, folder: Path) -> dict[str, dict[str, str]]:
        """Give the files that came with the test, in base64."""
        found = {}
        for kind, file in self.test.files.items():
            path = folder / kind
            await asyncio.to_thread(folder.mkdir, 0o700, parents=True, exist_ok=True)
            try:
                await self.site.store.fetch_to(file.sha256, path)
            except FileNotFoundError as error:
                raise NotFound(f"{file.name} is not in the artifact store any more.") from error
            content = base64.b64encode(await asyncio.to_thread(path.read_bytes))
            found[kind] = {"name": file.name, "content": content.decode()}
        return found

    async def _endpoint(self) -> dict[str, Any] | None:
        site, test = self.site, self.test
        return await testing.document(test.tenant, test.endpoint_id, site.issuer, site.engine)

    async def _token(self) -> str:
        return await self.site.token_for(self.test.by, self.test.tenant_name, self.test.endpoint_id)

    async def _keep_telling(self, program: Program) -> None:
        """Tell of the endpoint again and again, and hand out tokens in time."""
        loop = asyncio.get_running_loop()
        # One that is taken over has a token of which nobody knows how old it is.
        wait_s = self.site.token_life_s / 2 if self.after is None else 0.0
        renew_at, decisions_at, failing = loop.time() + wait_s, loop.time(), False
        while True:
            await asyncio.sleep(self.site.programs.look_every_s)
            try:
                if loop.time() >= renew_at:
                    program.tell({"token": await self._token()})
                    renew_at = loop.time() + self.site.token_life_s / 2
                await self._tell_endpoint(program)
                if loop.time() >= decisions_at:
                    await self._tell_decisions(program)
                    decisions_at = loop.time() + DECISIONS_EVERY_S
                failing = False
            except Forbidden as error:
                self.cancel(error.detail)
            except Exception as error:
                if not failing:
                    log.exception("load test %s was not told of its endpoint", self.test.id)
                failing = True
                program.tell({"away": type(error).__name__}, passing=True)

    async def _tell_endpoint(self, program: Program) -> None:
        document = await self._endpoint()
        if document is None:
            self.gone = True
            program.tell({"gone": True})
        elif document["ready"]["status"] == "Unknown" and document["url"] is None:
            program.tell({"away": document["ready"]["message"]}, passing=True)
        else:
            program.tell({"endpoint": document}, passing=True)

    async def _tell_decisions(self, program: Program) -> None:
        found = await self.site.engine.decisions(EndpointId(str(self.test.endpoint_id)))
        program.tell({"decisions": found}, passing=True)

    async def _take(self, program: Program) -> None:
        """Keep what it tells; of its progress no more than a stream has use for."""
        longest = loadtests.longest_s(self.test)
        every_s = longest / MOST_PROGRESS
        loop = asyncio.get_running_loop()
        async for event in program.events():
            if event["event"] == "progress":
                if loop.time() - self.told_at < every_s:
                    continue
                self.told_at = loop.time()
            elif event["event"] != "waiting":
                self.last = event
            shown = {name: value for name, value in event.items() if name != "reports"}
            await loadtests.told(self.test.id, shown)

    def _outcome(self, code: int, program: Program) -> tuple[LoadTestState, str | None, str | None]:
        """Say how it ended: its state, its verdict, and the reason in words."""
        said = self.last
        if said.get("event") == "finished":
            if self.gone:
                return LoadTestState.FAILED, said["verdict"], DELETED
            if code == INTERRUPTED:
                return LoadTestState.INTERRUPTED, None, self.because or said["cut"]
            return LoadTestState.FINISHED, said["verdict"], said["cut"]
        if self.gone:
            return LoadTestState.FAILED, None, DELETED
        if self.because is not None:
            return LoadTestState.INTERRUPTED, None, self.because
        if said.get("event") == "failed":
            return LoadTestState.FAILED, None, str(said["detail"])
        return LoadTestState.FAILED, None, program.how(code)


async def kept(store: Store, folder: Path) -> tuple[Report, ...]:
    """Store the reports that are in a folder."""
    found = []
    for form, name in REPORTS.items():
        path = folder / name
        if path.is_file() and path.stat().st_size <= MOST_REPORT_BYTES:
            blob = await store.put_file(path)
            found.append(Report(form, blob.sha256, blob.size_bytes))
    return tuple(found)
