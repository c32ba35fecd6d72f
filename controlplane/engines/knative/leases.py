"""The leader's lease as a Lease of Kubernetes (coordination.k8s.io/v1)."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final, Protocol, TypeVar

from controlplane.engines.knative import cluster as kube
from controlplane.engines.knative import names
from controlplane.engines.knative.names import Document
from controlplane.leading import Record

Result = TypeVar("Result")
NAME: Final = "kubeserve-leader"
# Of their own: what hangs elsewhere must not keep a leader from renewing, nor what hung here.
THREADS: Final = 8


class Objects(Protocol):
    """What this needs of `cluster.Cluster`."""

    def get(self, kind: kube.Kind, namespace: str | None, name: str) -> Document | None:
        """Read one object."""

    def create(self, document: Document) -> Document:
        """Make one; raises Conflict when it is there."""

    def replace(self, document: Document) -> Document:
        """Write one over the version it has; raises Conflict when that is not the last."""


class KubernetesLeases:
    """Implements `controlplane.leading.Leases`."""

    def __init__(self, cluster: Objects, namespace: str) -> None:
        self._cluster, self._namespace = cluster, namespace
        self._threads = ThreadPoolExecutor(THREADS, "lease")

    async def get(self) -> Record:
        """Read the lease."""
        return record(await self._call(self._get))

    async def put(self, wanted: Record) -> Record:
        """Write the lease over the version it was read with."""
        document = lease(wanted, self._namespace, datetime.now(UTC))
        write = self._cluster.create if wanted.version is None else self._cluster.replace
        return record(await self._call(lambda: write(document)))

    def _get(self) -> Document | None:
        return self._cluster.get(kube.LEASE, self._namespace, NAME)

    async def _call(self, function: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)


def record(document: Document | None) -> Record:
    """Read a Lease."""
    if document is None:
        return Record()
    spec = document.get("spec") or {}
    return Record(
        holder=spec.get("holderIdentity") or "",
        duration=float(spec.get("leaseDurationSeconds") or 0),
        transitions=int(spec.get("leaseTransitions") or 0),
        renewals=spec.get("renewTime") or "",
        version=document["metadata"]["resourceVersion"],
    )


def lease(wanted: Record, namespace: str, now: datetime) -> Document:
    """Write a Lease; its times are for people, decisions are made without them."""
    stamp = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    metadata: Document = {
        "name": NAME, "namespace": namespace, "labels": {names.MANAGED: names.MANAGER},
    }  # fmt: skip
    if wanted.version is not None:
        metadata["resourceVersion"] = wanted.version
    spec = {
        "holderIdentity": wanted.holder,
        "leaseDurationSeconds": max(1, round(wanted.duration)),
        "leaseTransitions": wanted.transitions,
        "renewTime": stamp,
    }
    return {
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec,
    }  # fmt: skip
