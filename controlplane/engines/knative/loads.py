"""Load tests in pods: `controlplane.engines.jobs.LoadJobs` over the Kubernetes API."""

import uuid
from collections.abc import Awaitable, Callable

from controlplane.engines.jobs import LoadJob, LoadSeen
from controlplane.engines.knative import cluster as kube
from controlplane.engines.knative import load_job, load_status, names
from controlplane.engines.knative.cluster import Cluster
from controlplane.engines.knative.install import Install, Loads
from controlplane.engines.knative.job_calls import JobCalls, belongs


class KnativeLoads:
    """Runs the Jobs of load tests, in the namespaces of their tenants.

    ensure_tenant  makes the tenant's namespace and keeps it in shape: its policies too
    """

    def __init__(
        self,
        cluster: Cluster,
        install: Install,
        loads: Loads,
        ensure_tenant: Callable[[str], Awaitable[None]],
    ) -> None:
        self._cluster, self._install, self._loads = cluster, install, loads
        self._calls, self._ensure_tenant = JobCalls(cluster, install), ensure_tenant

    def inside(self, tenant: str, endpoint: str) -> str:
        """Give the address at which pods reach an endpoint: Knative routes it in every cluster."""
        return f"http://{endpoint}.{self._calls.namespace(tenant)}.svc"

    async def run(self, job: LoadJob) -> None:
        """Start a job; one of this test and number that is there already is success."""
        await self._ensure_tenant(job.tenant)
        await self._calls.create(load_job.render(job, self._loads, self._install))

    async def seen(self, test: uuid.UUID, tenant: str) -> dict[int, LoadSeen]:
        """Tell of every job of a test, by number."""
        namespace, selector = self._calls.namespace(tenant), self._selector(test)
        jobs, _ = await self._calls.call(self._cluster.list, kube.JOB, namespace, selector)
        jobs = [job for job in jobs if not job["metadata"].get("deletionTimestamp")]
        if not jobs:
            return {}
        pods, _ = await self._calls.call(self._cluster.list, kube.POD, namespace, selector)
        found = {}
        for job in jobs:
            pod = next((one for one in pods if belongs(one, job)), None)
            events = () if pod is not None else await self._calls.warnings(namespace, job)
            number = int(job["metadata"]["labels"][load_job.NUMBER])
            found[number] = load_status.seen(job, pod, events)
        return found

    async def remove(self, test: uuid.UUID, tenant: str) -> None:
        """End and remove every job of a test; nothing there is success."""
        await self._calls.remove(tenant, self._selector(test))

    async def all(self) -> frozenset[tuple[uuid.UUID, str]]:
        """Name (test, tenant) of every job there is."""
        selector = f"{self._cluster.owned},{names.LOADTEST}"
        jobs, _ = await self._calls.call(
            self._cluster.list, kube.JOB, selector=selector, metadata_only=True
        )
        labels = [job["metadata"]["labels"] for job in jobs]
        return frozenset((uuid.UUID(one[names.LOADTEST]), one[names.TENANT]) for one in labels)

    def _selector(self, test: uuid.UUID) -> str:
        return f"{self._cluster.owned},{names.LOADTEST}={test}"
