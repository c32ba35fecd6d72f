"""Builds in pods: `controlplane.engines.jobs.Jobs` over the Kubernetes API."""

import asyncio
import contextlib
import functools
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

from controlplane.engines.jobs import BuildJob, JobSeen, StandbyJob
from controlplane.engines.knative import build_job, build_status, names
from controlplane.engines.knative import cluster as kube
from controlplane.engines.knative.cluster import Cluster
from controlplane.engines.knative.install import Install
from controlplane.engines.knative.job_calls import JobCalls, belongs
from controlplane.engines.knative.names import Document
from controlplane.engines.knative.streams import Stream
from runtime.problems import Conflict, EngineUnavailable

WATCH_AGAIN_S = 1.0


class KnativeJobs:
    """Runs build Jobs.

    ensure_tenant  makes the tenant's namespace and keeps it in shape: builds come before endpoints
    """

    def __init__(
        self, cluster: Cluster, install: Install, ensure_tenant: Callable[[str], Awaitable[None]]
    ) -> None:
        self._cluster, self._install, self._ensure_tenant = cluster, install, ensure_tenant
        self._calls = JobCalls(cluster, install)

    async def run(self, job: BuildJob) -> None:
        """Start a job; one of this version and attempt that is there already is success."""
        await self._ensure_tenant(job.tenant)
        await self._calls.create(build_job.render(job, self._install))

    async def stand_by(self, job: StandbyJob) -> None:
        """Start a builder that waits, unless its tenant has one or has little room left."""
        await self._ensure_tenant(job.tenant)
        if any(not build_status.ended(one) for one in await self._waiting(job.tenant)):
            return
        namespace = self._calls.namespace(job.tenant)
        quota = await self._calls.call(self._cluster.get, kube.QUOTA, namespace, names.QUOTA)
        if build_status.has_room(quota):
            await self._calls.call(
                self._cluster.create, build_job.render_standby(job, self._install)
            )

    async def assign(self, version: uuid.UUID, attempt: int, tenant: str) -> uuid.UUID | None:
        """Make a builder that waits the job of a build; gives its id, None when none waits."""
        image = self._install.builder_image
        for one in await self._waiting(tenant):
            if build_status.takes_a_build(one, image, datetime.now(UTC)):
                taken = build_job.render_taken(one, version, attempt)
                with contextlib.suppress(Conflict):  # it changed meanwhile: ended, or was taken
                    await self._calls.call(self._cluster.apply, taken)
                    return uuid.UUID(one["metadata"]["labels"][build_job.STANDBY])
        return None

    async def _waiting(self, tenant: str) -> list[Document]:
        selector = f"{self._cluster.owned},{build_job.STANDBY},!{build_job.VERSION}"
        found, _ = await self._calls.call(
            self._cluster.list, kube.JOB, self._calls.namespace(tenant), selector
        )
        return found

    async def seen(self, version: uuid.UUID, tenant: str) -> tuple[JobSeen, ...]:
        """Tell of every job of a version, by attempt."""
        namespace = self._calls.namespace(tenant)
        jobs, _ = await self._calls.call(
            self._cluster.list, kube.JOB, namespace, self._selector(version)
        )
        if not jobs:
            return ()
        # By their Jobs: the pod of a builder that waited knows no version.
        names_of = ",".join(job["metadata"]["name"] for job in jobs)
        selector = f"{self._cluster.owned},batch.kubernetes.io/job-name in ({names_of})"
        pods, _ = await self._calls.call(self._cluster.list, kube.POD, namespace, selector)
        found = []
        for job in jobs:
            if job["metadata"].get("deletionTimestamp"):
                continue
            own = [pod for pod in pods if belongs(pod, job)]
            events = () if own else await self._calls.warnings(namespace, job)
            found.append(build_status.seen(job, own, events))
        return tuple(sorted(found, key=lambda one: one.attempt))

    async def remove(self, version: uuid.UUID, tenant: str) -> None:
        """End and remove every job of a version; nothing there is success."""
        await self._calls.remove(tenant, self._selector(version))

    async def all(self) -> frozenset[tuple[uuid.UUID, str]]:
        """Name (version, tenant) of every job there is."""
        jobs, _ = await self._calls.call(
            self._cluster.list, kube.JOB, selector=self._all, metadata_only=True
        )
        labels = [job["metadata"]["labels"] for job in jobs]
        return frozenset(
            (version, one[names.TENANT])
            for one in labels
            if (version := _version(one)) is not None and names.TENANT in one
        )

    async def changes(self) -> AsyncIterator[uuid.UUID]:
        """Name versions whose jobs' pods changed, until cancelled.

        Pods, not Jobs: a pod's end is known a second before its Job's.
        """
        while True:
            with contextlib.suppress(kube.Expired, EngineUnavailable):  # list again, watch again
                _, since = await self._calls.call(
                    self._cluster.list, kube.POD, selector=self._all, metadata_only=True
                )
                watch = functools.partial(
                    self._cluster.watch,
                    kube.POD, since, selector=self._all, metadata_only=True,
                )  # fmt: skip
                async for _, changed in Stream(watch):
                    version = _version(changed["metadata"].get("labels") or {})
                    if version is not None:
                        yield version
            await asyncio.sleep(WATCH_AGAIN_S)

    @property
    def _all(self) -> str:
        return f"{self._cluster.owned},{build_job.VERSION}"

    def _selector(self, version: uuid.UUID) -> str:
        return f"{self._all}={version}"


def _version(labels: dict[str, str]) -> uuid.UUID | None:
    try:
        return uuid.UUID(labels.get(build_job.VERSION, ""))
    except ValueError:
        return None
