"""uploaded → building → ready | failed: takes versions from the queue and builds them."""

import asyncio
import logging
import shutil
import uuid
from pathlib import Path

from controlplane.artifacts.store import Store
from controlplane.builder.job import Builder
from controlplane.builder.report import Outcome, Report
from controlplane.models import service as models
from controlplane.models.service import MAX_ATTEMPTS, VersionToBuild
from controlplane.telemetry import BUILDS

log = logging.getLogger("kubeserve.builds")


class VersionBuilds:
    """Builds what waits, a few at once; a crash at any line leaves what is built again."""

    def __init__(self, store: Store, builder: Builder, work: Path, at_once: int) -> None:
        self._store, self._builder, self._work = store, builder, work
        self._at_once = at_once
        self._woken = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Look at the queue now."""
        self._woken.set()

    async def run(self, resync_s: float = 5.0) -> None:
        """Build until cancelled."""
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir(parents=True, mode=0o700)
        await models.resume_builds()
        while True:
            self._woken.clear()
            free = self._at_once - len(self._tasks)
            for version in await self._take(free):
                task = asyncio.create_task(self._build(version))
                self._tasks.add(task)
                task.add_done_callback(self._done)
            try:
                async with asyncio.timeout(resync_s):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _take(self, free: int) -> list[VersionToBuild]:
        try:
            return await models.take_waiting(free) if free > 0 else []
        except Exception:
            log.exception("the queue could not be read")
            return []

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._woken.set()

    async def _build(self, version: VersionToBuild) -> None:
        folder = self._work / uuid.uuid4().hex
        try:
            folder.mkdir(mode=0o700)
            source = folder / "model"
            await self._store.fetch_to(version.sha256, source)
            work = folder / "work"
            work.mkdir(mode=0o700)
            await self._record(version, await self._builder.build(source, work))
        except asyncio.CancelledError:
            await models.return_build(version.id)
            raise
        except Exception as error:
            log.exception("building failed on our side")
            await self._failed_here(version, error)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _failed_here(self, version: VersionToBuild, error: Exception) -> None:
        if version.attempts < MAX_ATTEMPTS:
            await asyncio.sleep(version.attempts)  # a backoff, not a wait for a condition
            await models.put_back(version.id)
            return
        await models.build_failed(
            version.id,
            f"The builder failed {version.attempts} times on our side ({type(error).__name__}).",
            "Push the file again later; the log of the control plane says more.",
            None,
        )

    async def _record(self, version: VersionToBuild, report: Report) -> None:
        document = report.to_json()
        document.pop("plan_path", None)
        BUILDS.labels(str(report.outcome)).inc()
        match report.outcome:
            case Outcome.PLAN:
                if report.plan_path is None:
                    raise RuntimeError("the builder reports a plan and names none")
                plan = await self._store.put_file(report.plan_path)
                await models.build_succeeded(version.id, document, plan, None)
            case Outcome.FALLBACK:
                because = report.fallback_because
                await models.build_succeeded(version.id, document, None, because)
            case Outcome.FAILED:
                reason = report.reason or "The build failed."
                await models.build_failed(version.id, reason, report.advice, document)

    async def close(self) -> None:
        """Stop; builds that are cut off go back to the queue for the next start."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
