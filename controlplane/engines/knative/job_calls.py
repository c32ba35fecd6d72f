"""What builds and load tests both do with Jobs over the Kubernetes API."""

import asyncio
import functools
from collections.abc import Callable
from typing import Any, TypeVar

from controlplane.engines.knative import cluster as kube
from controlplane.engines.knative import names
from controlplane.engines.knative.cluster import Cluster
from controlplane.engines.knative.install import Install
from controlplane.engines.knative.names import Document
from runtime.problems import Conflict

Result = TypeVar("Result")


class JobCalls:
    """Calls about Jobs of ours."""

    def __init__(self, cluster: Cluster, install: Install) -> None:
        self._cluster, self._install = cluster, install

    def namespace(self, tenant: str) -> str:
        """Give the namespace of a tenant."""
        return names.namespace(self._install.namespace_prefix, tenant)

    async def create(self, document: Document) -> None:
        """Make a Job; one of that name that is ours is success."""
        try:
            await self.call(self._cluster.create, document)
        except Conflict:
            metadata = document["metadata"]
            live = await self.call(
                self._cluster.get, kube.JOB, metadata["namespace"], metadata["name"]
            )
            if live is None or not names.is_ours(live, self._install.instance):
                raise

    async def warnings(self, namespace: str, job: Document) -> tuple[Document, ...]:
        """Give the events about a Job itself."""
        fields = f"involvedObject.kind=Job,involvedObject.uid={job['metadata']['uid']}"
        events, _ = await self.call(
            self._cluster.list, kube.EVENT, namespace, selector="", fields=fields
        )
        return tuple(events)

    async def remove(self, tenant: str, selector: str) -> None:
        """End and remove Jobs of a tenant; nothing there is success."""
        namespace = self.namespace(tenant)
        jobs, _ = await self.call(
            self._cluster.list, kube.JOB, namespace, selector, metadata_only=True
        )
        for job in jobs:
            metadata = job["metadata"]
            await self.call(
                self._cluster.delete, kube.JOB, namespace, metadata["name"], metadata["uid"]
            )

    async def call(self, function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        """Call the cluster in a thread."""
        return await asyncio.to_thread(functools.partial(function, *args, **kwargs))


def belongs(pod: Document, job: Document) -> bool:
    """Tell whether a pod was made by a Job."""
    owners = pod["metadata"].get("ownerReferences") or ()
    return any(one.get("uid") == job["metadata"]["uid"] for one in owners)
