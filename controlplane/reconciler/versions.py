"""uploaded → building → ready | failed: takes versions from the queue and builds them."""

import asyncio
import logging

from controlplane import telemetry, tracing
from controlplane.builder.report import Outcome, Report
from controlplane.models import service as models
from controlplane.models.service import VersionToBuild
from controlplane.models.storage import Storage
from controlplane.reconciler.builds import Builds, Built
from controlplane.telemetry import BUILD_S, BUILDS
from controlplane.tracing import Span

log = logging.getLogger("kubeserve.builds")


def _note(span: Span, report: Report) -> None:
    """Say how a build went, and how long each of its phases took."""
    span.note(outcome=str(report.outcome), sklearn_version=report.sklearn_version)
    span.note(**{f"build.{phase}_s": took for phase, took in report.seconds.items()})
    if report.outcome is Outcome.FAILED:
        span.fail("build_failed")


class VersionBuilds:
    """Builds what waits, a few at once; a crash at any line leaves what is built again."""

    def __init__(self, builds: Builds, at_once: int, storage: Storage) -> None:
        self._builds, self._at_once, self._storage = builds, at_once, storage
        self._woken = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        for outcome in Outcome:
            BUILDS.labels(str(outcome))

    def wake(self) -> None:
        """Look at the queue now."""
        self._woken.set()

    async def run(self, resync_s: float = 5.0) -> None:
        """Build until cancelled."""
        await self._builds.start()
        await models.resume_builds(self._builds.attempts)
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
            if free <= 0:
                return []
            return await models.take_waiting(free, self._storage.quotas)
        except Exception:
            log.exception("the queue could not be read")
            return []

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._woken.set()

    async def _build(self, version: VersionToBuild) -> None:
        telemetry.about(tenant=version.tenant, version=version.name)
        with tracing.continued("build", version.traceparent, tenant=version.tenant) as span:
            span.note(version=version.name, attempt=version.attempts)
            await self._traced(version, span)

    async def _traced(self, version: VersionToBuild, span: Span) -> None:
        try:
            with BUILD_S.time():
                built = await self._builds.build(version)
            _note(span, built.report)
            await self._record(version, built)
        except asyncio.CancelledError:
            await models.return_build(version.id)
            raise
        except Exception as error:
            log.exception("building failed on our side")
            span.fail(type(error).__name__)
            await self._failed_here(version, error)
            return
        try:
            await self._builds.forget(version)
        except Exception:
            log.exception("what a build left is still there; the sweep removes it")

    async def _failed_here(self, version: VersionToBuild, error: Exception) -> None:
        if version.attempts < self._builds.attempts:
            await asyncio.sleep(version.attempts)  # a backoff, not a wait for a condition
            await models.put_back(version.id)
            return
        await models.build_failed(
            version.id,
            f"The builder failed {version.attempts} times on our side ({type(error).__name__}).",
            "Push the file again later; the log of the control plane says more.",
            None,
        )

    async def _record(self, version: VersionToBuild, built: Built) -> None:
        report = built.report
        document = report.to_json()
        document.pop("plan_path", None)
        BUILDS.labels(str(report.outcome)).inc()
        match report.outcome:
            case Outcome.PLAN:
                if built.plan is None:
                    raise RuntimeError("a build reports a plan and gives none")
                await models.build_succeeded(version.id, document, built.plan, None, self._storage)
            case Outcome.FALLBACK:
                because = report.fallback_because
                await models.build_succeeded(version.id, document, None, because, self._storage)
            case Outcome.FAILED:
                reason = report.reason or "The build failed."
                await models.build_failed(version.id, reason, report.advice, document)

    async def close(self) -> None:
        """Stop; builds that are cut off go back to the queue for the next start."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._builds.close()
