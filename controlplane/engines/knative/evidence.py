"""Reads what explains an endpoint's state: few requests, at once, nothing written."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from controlplane.engines.engine import DesiredEndpoint
from controlplane.engines.knative import cluster as kube
from controlplane.engines.knative import names, render, render_tenant
from controlplane.engines.knative.cluster import Cluster, Kind
from controlplane.engines.knative.facts import (
    CONTAINER,
    Evidence,
    is_ready,
    name_of,
    restarted,
    statuses,
)
from controlplane.engines.knative.install import Install
from controlplane.engines.knative.names import Document
from runtime.lines import spoken
from runtime.problems import Conflict, EngineUnavailable, Problem

Call = Callable[..., Awaitable[Any]]
PODS: Final = 3  # looked at closely; what ails one ails the next
LINES: Final = 20
UNANSWERED: Final = "failed calling webhook"
NO_DRY_RUN: Final = "does not support dry run"


class Gathering:
    """One look at one endpoint.

    call   runs a blocking call of the cluster in a thread
    parts  what its revisions are served in, None: it is not there, so nothing can be applied
    """

    def __init__(
        self,
        cluster: Cluster,
        call: Call,
        install: Install,
        desired: DesiredEndpoint,
        parts: render.Parts | None = render.NO_PARTS,
    ) -> None:
        self._cluster, self._call, self._install = cluster, call, install
        self._desired, self._parts = desired, parts
        self._namespace = names.namespace(install.namespace_prefix, desired.tenant)
        self._hidden: set[str] = set()

    async def evidence(self) -> Evidence:
        """Read everything there is; raises EngineUnavailable."""
        found = await self._objects()
        pods = [one for one in found.of(found.pods) if not is_ready(one) or restarted(one)][:PODS]
        missing, events, logs = await asyncio.gather(
            self._missing(),
            asyncio.gather(*map(self._events, pods)),
            asyncio.gather(*map(self._log, pods)),
        )
        return replace(
            found,
            refusal=await self._refusal(found, missing) if found.behind else None,
            # What is not applied yet does not count as lost.
            missing=() if found.behind else missing,
            hidden=tuple(sorted(self._hidden)),
            events=[event for of_pod in events for event in of_pod],
            logs={name_of(pod): lines for pod, lines in zip(pods, logs, strict=True)},
        )

    async def _objects(self) -> Evidence:
        name = self._desired.name
        (namespace, service, route), (revisions, deployments, pods, quotas) = await asyncio.gather(
            asyncio.gather(
                self._get(kube.NAMESPACE, None, self._namespace, metadata_only=True),
                self._get(kube.SERVICE, self._namespace, name),
                self._get(kube.ROUTE, self._namespace, name),
            ),
            asyncio.gather(
                self._of(kube.REVISION),
                self._of(kube.DEPLOYMENT),
                self._of(kube.POD),
                self._list(kube.QUOTA, ""),
            ),
        )
        return Evidence(
            desired=self._desired,
            now=datetime.now(UTC),
            instance=self._cluster.instance,
            namespace=namespace,
            service=service,
            route=route,
            revisions=revisions,
            deployments=deployments,
            pods=pods,
            quotas=quotas,
        )

    # What the API server says to what we would write next

    async def _refusal(self, found: Evidence, missing: Sequence[str]) -> str | None:
        """Ask for a dry run: so any replica knows of a refusal, also after a restart."""
        try:
            for document in self._next(found, missing):
                await self._call(self._cluster.apply, document, dry_run=True)
        except EngineUnavailable as error:
            if UNANSWERED not in error.detail:
                raise
            return error.detail
        except Conflict as error:
            # A webhook with side effects answers no dry run: then nothing is known.
            return None if NO_DRY_RUN in error.detail else error.detail
        except ValueError as error:
            return str(error)
        except kube.Missing:
            return None  # its namespace went meanwhile
        return None

    def _next(self, found: Evidence, missing: Sequence[str]) -> list[Document]:
        if found.namespace is None:
            return list(render_tenant.tenant(self._desired.tenant, b"{}", self._install)[:1])
        if self._parts is None:
            return []
        rendered = render.revisions(self._desired, self._install, self._parts)
        present = frozenset(name_of(one) for one in found.revisions)
        routed = tuple(((found.service or {}).get("spec") or {}).get("traffic") or ())
        secrets = [
            render.artifact_secret(self._desired, one, b"", self._install)
            for one in self._desired.revisions
            if f"Secret {render.secret_name(self._desired, one, self._install)}" in missing
        ]
        service = render.service(self._desired, rendered, present, routed, self._install)
        return [*secrets, service]

    # What a start needs

    async def _missing(self) -> tuple[str, ...]:
        """Name what is not there; what may not be read counts as there."""
        wanted: dict[str, Kind] = {names.KEYS: kube.CONFIG_MAP}
        for revision in self._desired.revisions:
            if render.needs_secret(revision):
                wanted[render.secret_name(self._desired, revision, self._install)] = kube.SECRET
            if render.needs_store(revision, (self._parts or {}).get(revision.name, ())):
                wanted[names.STORE] = kube.SECRET
        there = await asyncio.gather(
            *(
                self._get(kind, self._namespace, name, metadata_only=True)
                for name, kind in wanted.items()
            )
        )
        return tuple(
            f"{kind.kind} {name}"
            for (name, kind), found in zip(wanted.items(), there, strict=True)
            if found is None and f"get {kind.plural}" not in self._hidden
        )

    async def _events(self, pod: Document) -> list[Document]:
        of_pod = f"involvedObject.uid={pod['metadata']['uid']}"
        return await self._list(kube.EVENT, "", fields=of_pod)

    async def _log(self, pod: Document) -> Sequence[str]:
        ours = next((one for one in statuses(pod) if one["name"] == CONTAINER), None)
        if ours is None:
            return ()
        state = ours.get("state") or {}
        if "running" not in state and not (ours.get("restartCount") or "terminated" in state):
            return ()
        # A container that waits for its next try has said its last words in the try before.
        previous = "waiting" in state or is_ready(pod)

        def read() -> list[str]:
            lines = self._cluster.logs(
                self._namespace, name_of(pod), CONTAINER, tail=LINES, previous=previous
            )
            return [spoken(line.partition(" ")[2])[0] for line in lines]

        try:
            found: list[str] = await self._call(read)
        except Problem:
            return ()  # the node has no log of it; everything else still tells
        return found

    # How it asks

    async def _get(
        self, kind: Kind, namespace: str | None, name: str, *, metadata_only: bool = False
    ) -> Document | None:
        get = self._cluster.get
        try:
            found: Document | None = await self._call(
                get, kind, namespace, name, metadata_only=metadata_only
            )
        except kube.Denied:
            self._hidden.add(f"get {kind.plural}")
            return None
        return found

    async def _of(self, kind: Kind) -> list[Document]:
        return await self._list(kind, f"{self._cluster.owned},{names.ENDPOINT}={self._desired.id}")

    async def _list(self, kind: Kind, selector: str, *, fields: str = "") -> list[Document]:
        look = self._cluster.list
        try:
            items: list[Document]
            items, _ = await self._call(look, kind, self._namespace, selector, fields=fields)
        except kube.Denied:
            self._hidden.add(f"list {kind.plural}")
            return []
        return items
