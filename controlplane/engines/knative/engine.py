"""The engine's face in the control plane: desired endpoints to Knative Services.

Level-triggered: every call looks at what is there and does the next step. Nothing is kept in memory
that a restart could lose, and nothing is written where the cluster already says what we want.
"""

import asyncio
import contextlib
import dataclasses
import functools
import json
import logging
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import httpx

from controlplane.autoscaler.policy import nanoseconds
from controlplane.autoscaler.recording import Recorder
from controlplane.engines.engine import (
    BackendKind,
    Cause,
    DesiredEndpoint,
    DesiredRevision,
    EndpointId,
    LogLine,
    Metered,
    ObservedEndpoint,
    TenantLimits,
    Told,
)
from controlplane.engines.history import Series
from controlplane.engines.knative import (
    causes,
    decisions,
    names,
    refusals,
    render,
    render_tenant,
    status,
)
from controlplane.engines.knative import cluster as kube
from controlplane.engines.knative.cluster import Cluster
from controlplane.engines.knative.decisions import Gauges
from controlplane.engines.knative.evidence import Gathering
from controlplane.engines.knative.holding import edited, holds, whole
from controlplane.engines.knative.install import Install
from controlplane.engines.knative.logs import follow as follow_logs
from controlplane.engines.knative.looks import Looks, concurrency_of
from controlplane.engines.knative.metering import metered
from controlplane.engines.knative.names import Document
from controlplane.engines.knative.render import RenderedRevision
from controlplane.engines.knative.scaled import scaled
from controlplane.engines.knative.status import Refusal
from controlplane.engines.knative.streams import Stream
from controlplane.engines.knative.telling import Reports, measured
from controlplane.engines.metrics import EndpointMetrics
from controlplane.telemetry import DRIFT
from runtime.archive import Part
from runtime.problems import Conflict, EngineUnavailable, Problem

Result = TypeVar("Result")
log = logging.getLogger("kubeserve.knative")

AT_ONCE: Final = 8
METRICS_WITHIN_S: Final = 2.0
WATCH_AGAIN_S: Final = 1.0
# So long a copy is believed to be where it was put: less than the sweep waits, which removes it.
PLACED_S: Final = 600.0


class Artifacts(Protocol):
    """Where artifacts come from."""

    async def fetch_to(self, sha256: str, path: Path) -> None:
        """Write a blob to a new file."""


class Places(Protocol):
    """How pods get at artifacts that are too large for a Secret."""

    async def place(self, sha256: str, tenant: str) -> None:
        """Put a blob where the tenant's pods may read it; there already is success."""

    async def reader(self, tenant: str) -> tuple[str, str]:
        """Give access key and secret key that read the tenant's place and nothing else."""


class Environments(Protocol):
    """What models are served in that our own scikit-learn cannot serve, or not alone."""

    async def serving(
        self,
        version: str | None,
        environment: Mapping[str, Any] | None,
        tenant: str,
        upload: str,
        *,
        make: bool = True,
    ) -> tuple[Part, ...]:
        """Give its parts, none where our own will do; raises EngineUnavailable.

        make  those that are not there, which takes a while
        """


class KnativeEngine:
    """Implements `controlplane.engines.engine.Engine` over the Kubernetes API.

    environments  None: what needs one is not served
    reports       where pods tell what they answered; None: nowhere
    """

    drifts = True
    shadows = False
    lag_s = 18.0  # a pod that is not new tells each 15 s (`runtime/telling.py`)

    def __init__(
        self,
        cluster: Cluster,
        artifacts: Artifacts,
        places: Places | None,
        install: Install,
        environments: Environments | None = None,
        reports: Reports | None = None,
    ) -> None:
        self._reports, self.measures = reports, reports is not None
        self._cluster, self._artifacts, self._places = cluster, artifacts, places
        self._install, self._environments = install, environments
        self._keys: Keys | None = None
        self._keys_changed: frozenset[str] = frozenset()
        self._limits: Mapping[str, TenantLimits] = {}
        self._otherwise: TenantLimits | None = None  # as the installation has it
        self._placed: dict[tuple[str, str], float] = {}
        self._parts: dict[tuple[str, str], tuple[tuple[Part, ...], float]] = {}
        self._refused: dict[EndpointId, Refusal] = {}
        self._decisions: dict[EndpointId, Recorder] = {}
        self._looks = Looks()
        # Digest of what was written last, or found to be so, by namespace, kind and name.
        self._had: dict[tuple[str | None, str, str], str] = {}
        self._hindered: dict[EndpointId, tuple[int, str]] = {}
        self._threads = ThreadPoolExecutor(AT_ONCE, "kube")

    # Desired state

    async def apply(self, desired: DesiredEndpoint) -> None:
        """Do the next step towards a desired endpoint; without a difference, nothing."""
        try:
            await self._apply(desired)
        except (Conflict, ValueError) as error:
            self._remember(desired, error)
            raise
        except Problem as error:
            self._hindered[desired.id] = (desired.generation, error.detail)
            raise
        self._refused.pop(desired.id, None)
        self._hindered.pop(desired.id, None)

    def _remember(self, desired: DesiredEndpoint, error: Exception) -> None:
        """Keep a refusal for whoever looks; the next try, here or elsewhere, finds it again."""
        if isinstance(error, kube.Denied | ValueError) or refusals.NOT_OURS in str(error):
            named = refusals.refused(str(error))
            self._refused[desired.id] = Refusal(
                desired.generation, named.reason, named.message, str(error), datetime.now(UTC)
            )

    async def _apply(self, desired: DesiredEndpoint) -> None:
        await self.ensure_tenant(desired.tenant)
        await self._store_secret(desired.tenant)
        parts = await self._parts_of_all(desired)
        rendered = render.revisions(desired, self._install, parts)
        for revision in rendered:
            await self._artifact(desired, revision)
            for part in parts[revision.artifact.name]:
                await self._placed_for(desired.tenant, part.archive.sha256)
        await self._service(desired, rendered)
        if desired.warm is not None:
            await self._keep_warm(desired, rendered)

    async def _keep_warm(
        self, desired: DesiredEndpoint, rendered: tuple[RenderedRevision, ...]
    ) -> None:
        """Have as many replicas as a warm window wants, or as the template says, at the least.

        Written to the PodAutoscalers: Knative copies annotations there when it makes them, reads
        them from there and leaves them alone. In the template it would be a new Revision.
        """
        namespace = names.namespace(self._install.namespace_prefix, desired.tenant)
        for one in rendered:
            wanted = render.least(desired, one)
            live = await self._call(
                self._cluster.get, kube.POD_AUTOSCALER, namespace, one.name, metadata_only=True
            )
            has = ((live or {}).get("metadata") or {}).get("annotations") or {}
            if live is not None and any(has.get(key) != value for key, value in wanted.items()):
                await self._call(
                    self._cluster.annotate, kube.POD_AUTOSCALER, namespace, one.name, wanted
                )

    async def ensure_tenant(self, tenant: str) -> None:
        """Make a tenant's namespace, and keep what is in it in shape."""
        if self._keys is None:
            raise EngineUnavailable("the signing keys are not published yet", retry_after_s=1)
        limits = self._limits.get(tenant, self._otherwise)
        keys = self._keys.of(tenant)
        namespace, *inside = render_tenant.tenant(tenant, keys, self._install, limits)
        await self._ensure(namespace)
        await asyncio.gather(*map(self._ensure, inside))

    async def _parts_of_all(
        self, desired: DesiredEndpoint, *, make: bool = True
    ) -> dict[str, tuple[Part, ...]]:
        return {
            one.name: await self._parts_of(desired.tenant, one, make=make)
            for one in desired.revisions
        }

    async def _parts_of(
        self, tenant: str, revision: DesiredRevision, *, make: bool = True
    ) -> tuple[Part, ...]:
        """Give what a revision is served in; raises EngineUnavailable."""
        if revision.backend is BackendKind.PLAN:
            return ()
        if self._environments is None:
            if revision.environment is not None:
                raise EngineUnavailable(
                    f"{revision.model}:{revision.version} is served with packages of its own, and"
                    " this installation makes no environments (KUBESERVE_ENVIRONMENTS=off).",
                    retry_after_s=60,
                )
            return ()
        key, now = (tenant, revision.artifact_sha256), time.monotonic()
        known, until = self._parts.get(key, ((), now))
        if until > now:
            return known
        found = await self._environments.serving(
            revision.sklearn_version,
            revision.environment,
            tenant,
            revision.artifact_sha256,
            make=make,
        )
        self._parts[key] = found, now + PLACED_S
        return found

    async def _artifact(self, desired: DesiredEndpoint, revision: RenderedRevision) -> None:
        artifact, tenant = revision.artifact, desired.tenant
        if not render.in_secret(artifact):
            await self._placed_for(tenant, artifact.artifact_sha256)
        if not render.needs_secret(artifact):
            return
        name = render.secret_name(desired, artifact, self._install)
        namespace = names.namespace(self._install.namespace_prefix, tenant)
        live = await self._call(self._cluster.get, kube.SECRET, namespace, name, metadata_only=True)
        if live is None:
            content = b""
            if render.in_secret(artifact):
                content = await self._content(artifact.artifact_sha256)
            secret = render.artifact_secret(desired, artifact, content, self._install)
            await self._call(self._cluster.apply, secret)
        elif not names.is_ours(live, self._install.instance):
            raise not_ours("Secret", namespace, name)

    async def _content(self, sha256: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / sha256
            await self._artifacts.fetch_to(sha256, path)
            return await asyncio.to_thread(path.read_bytes)

    async def _placed_for(self, tenant: str, sha256: str) -> None:
        if self._places is None:
            return
        key, now = (tenant, sha256), time.monotonic()
        if self._placed.get(key, now) <= now:
            await self._places.place(sha256, tenant)
            self._placed[key] = now + PLACED_S

    async def _store_secret(self, tenant: str) -> None:
        """Make the credentials that a tenant's pods read the object store with."""
        if self._places is None:
            return
        namespace = names.namespace(self._install.namespace_prefix, tenant)
        live = await self._call(
            self._cluster.get, kube.SECRET, namespace, names.STORE, metadata_only=True
        )
        if live is None:
            keys = await self._places.reader(tenant)
            secret = render_tenant.store_secret(tenant, *keys, self._install)
            await self._call(self._cluster.apply, secret)
        elif not names.is_ours(live, self._install.instance):
            raise not_ours("Secret", namespace, names.STORE)

    async def _service(
        self, desired: DesiredEndpoint, rendered: tuple[RenderedRevision, ...]
    ) -> None:
        namespace = names.namespace(self._install.namespace_prefix, desired.tenant)
        live = await self._call(self._cluster.get, kube.SERVICE, namespace, desired.name)
        present: frozenset[str] = frozenset()
        if len(rendered) > 1:
            known = await self._revisions(desired.id)
            present = frozenset(one["metadata"]["name"] for one in known)
        routed = tuple(((live or {}).get("spec") or {}).get("traffic") or ())
        await self._ensure(
            render.service(desired, rendered, present, routed, self._install), live, looked=True
        )
        if live is not None and status.is_not_ready(live):
            await self._try_again(desired, live)

    async def _try_again(self, desired: DesiredEndpoint, live: Document) -> None:
        """Remove Revisions that Knative has given up: it makes them anew from their template."""
        routes = (live.get("status") or {}).get("traffic") or ()
        served = {line.get("revisionName") for line in routes}
        for one in await self._revisions(desired.id):
            metadata = one["metadata"]
            if metadata["name"] not in served and status.gave_up(one, datetime.now(UTC)):
                log.warning("%s was not ready in time: it is started again", metadata["name"])
                await self._call(
                    self._cluster.delete,
                    kube.REVISION, metadata["namespace"], metadata["name"], metadata["uid"],
                )  # fmt: skip

    async def _ensure(
        self, wanted: Document, live: Document | None = None, *, looked: bool = False
    ) -> None:
        kind, metadata = kube.kind_of(wanted), wanted["metadata"]
        name, namespace = metadata["name"], metadata.get("namespace")
        if not looked:
            live = await self._call(self._cluster.get, kind, namespace, name)
        if live is not None:
            if not names.is_ours(live, self._install.instance):
                raise not_ours(kind.kind, namespace, name)
            if live["metadata"].get("deletionTimestamp"):
                what = f"{kind.kind} {name} is being deleted"
                raise EngineUnavailable(what, retry_after_s=1)
            if holds(live, wanted):
                if (key := (namespace, kind.kind, name)) not in self._had:
                    self._had[key] = _digest(wanted)
                return
        self._count_drift((namespace, kind.kind, name), wanted)
        if live is not None and edited(live, names.MANAGER):
            await self._call(self._cluster.replace, whole(live, wanted))
            return
        applied = await self._call(self._cluster.apply, wanted)
        if not holds(applied, wanted):
            # Somebody else's additions stay under server-side apply: write the whole of it.
            await self._call(self._cluster.replace, whole(applied, wanted))

    async def delete(self, endpoint: EndpointId) -> None:
        """Remove all that belongs to an endpoint; nothing there is success."""
        self._refused.pop(endpoint, None)
        self._hindered.pop(endpoint, None)
        self._decisions.pop(endpoint, None)
        self._looks.forget(endpoint)
        for kind in (kube.SERVICE, kube.SECRET):
            for one in await self._of(kind, endpoint):
                metadata = one["metadata"]
                self._had.pop((metadata["namespace"], kind.kind, metadata["name"]), None)
                await self._call(
                    self._cluster.delete,
                    kind, metadata["namespace"], metadata["name"], metadata["uid"],
                )  # fmt: skip

    async def publish_limits(
        self, otherwise: TenantLimits, limits: Mapping[str, TenantLimits]
    ) -> None:
        """Bring the ResourceQuota of every tenant's namespace up to date."""
        self._otherwise, self._limits = otherwise, dict(limits)
        if self._keys is not None:
            for tenant in sorted(await self._live_tenants()):
                await self.ensure_tenant(tenant)

    async def publish_keys(self, document: bytes, tenants: Mapping[str, bytes]) -> None:
        """Give the keys to the pods of every tenant whose keys changed; asked again, once more."""
        before, self._keys = self._keys, Keys(document, tenants)
        live = await self._live_tenants()
        if before != self._keys:
            self._keys_changed = frozenset(
                name for name in live if before is None or before.of(name) != self._keys.of(name)
            )
        for tenant in sorted(self._keys_changed & live):
            await self.ensure_tenant(tenant)
            if self._install.store is None:  # else pods look there each 15 s (`runtime/renewal.py`)
                await self._have_keys_read(tenant)

    async def _live_tenants(self) -> set[str]:
        """Name the tenants that have a namespace here."""
        found, _ = await self._call(self._cluster.list, kube.NAMESPACE)
        named = (
            one["metadata"]["labels"].get(names.TENANT)
            for one in found
            if not one["metadata"].get("deletionTimestamp")
        )
        return {name for name in named if name}

    async def _have_keys_read(self, tenant: str) -> None:
        """Have kubelets write a tenant's keys into its pods now.

        By itself a kubelet looks at a pod's ConfigMaps when it syncs the pod, which is up to 90 s
        later; a changed annotation makes it sync at once.
        """
        namespace = names.namespace(self._install.namespace_prefix, tenant)
        marked = f"{self._cluster.owned},{names.ENDPOINT}"
        pods, _ = await self._call(
            self._cluster.list, kube.POD, namespace, marked,
            fields="status.phase=Running", metadata_only=True,
        )  # fmt: skip
        now = {names.KEYS_AT: datetime.now(UTC).isoformat()}
        await asyncio.gather(
            *(
                self._call(self._cluster.annotate_pod, namespace, pod["metadata"]["name"], now)
                for pod in pods
            )
        )

    # Observed state

    async def explain(self, desired: DesiredEndpoint) -> Cause:
        """Name the cause of the state an endpoint is in."""
        try:
            parts, lacks = await self._parts_of_all(desired, make=False), None
        except Problem as error:
            parts, lacks = None, error.detail
        gathering = Gathering(self._cluster, self._call, self._install, desired, parts)
        found = dataclasses.replace(await gathering.evidence(), hindrance=lacks)
        known = self._refused.get(desired.id)
        if (
            found.behind
            and found.refusal is None
            and known is not None
            and known.generation == desired.generation
        ):
            found = dataclasses.replace(found, refusal=known.text)
        generation, detail = self._hindered.get(desired.id, (0, None))
        if generation == desired.generation:
            found = dataclasses.replace(found, hindrance=detail)
        return causes.cause(found)

    async def observe(self, endpoint: EndpointId) -> ObservedEndpoint | None:
        """Tell what is there; None when nothing is."""
        services = await self._of(kube.SERVICE, endpoint, metadata_only=False)
        seen = None
        if services:
            seen = status.observed(services[0], await self._revisions(endpoint))
        elif await self._of(kube.SECRET, endpoint):
            seen = status.remains(endpoint)
        refusal = self._refused.get(endpoint)
        return seen if refusal is None else status.refused(endpoint, seen, refusal)

    async def observe_all(self) -> tuple[ObservedEndpoint, ...]:
        """Tell everything that is there."""
        marked = f"{self._cluster.owned},{names.ENDPOINT}"
        services, _ = await self._call(self._cluster.list, kube.SERVICE, selector=marked)
        revisions, _ = await self._call(self._cluster.list, kube.REVISION, selector=marked)
        secrets, _ = await self._call(
            self._cluster.list, kube.SECRET, selector=marked, metadata_only=True
        )
        of: dict[str, list[Document]] = {}
        for one in revisions:
            of.setdefault(_endpoint(one), []).append(one)
        seen = {
            _endpoint(one): status.observed(one, of.get(_endpoint(one), ())) for one in services
        }
        for one in secrets:
            key = _endpoint(one)
            seen.setdefault(key, status.remains(EndpointId(key)))
        for key, refusal in self._refused.items():
            seen[key] = status.refused(key, seen.get(key), refusal)
        return tuple(seen.values())

    async def usage(self, since: Mapping[EndpointId, datetime]) -> tuple[Metered, ...]:
        """Read from the pods that are there what each endpoint used since it was recorded."""
        pods, _ = await self._call(
            self._cluster.list, kube.POD, selector=f"{self._cluster.owned},{names.ENDPOINT}"
        )
        of: dict[EndpointId, list[Document]] = {key: [] for key in since}
        for pod in pods:
            of.setdefault(EndpointId(_endpoint(pod)), []).append(pod)
        now = datetime.now(UTC)
        return tuple(metered(key, found, since.get(key), now) for key, found in of.items())

    async def told(self, endpoint: EndpointId) -> Told:
        """Read what pods told of their answers; nothing is compared."""
        services = await self._of(kube.SERVICE, endpoint) if self._reports is not None else ()
        if self._reports is None or not services:
            return Told()
        tenant = services[0]["metadata"]["labels"][names.TENANT]
        return Told(measured(await self._reports.read_of(tenant, endpoint)))

    async def decisions(self, endpoint: EndpointId) -> tuple[Mapping[str, Any], ...]:
        """Read the metrics of Knative's autoscaler once, and tell what was read lately."""
        recorder = self._decisions.setdefault(endpoint, Recorder())
        if self._install.autoscaler_metrics is not None:
            await self._read_decisions(endpoint, self._install.autoscaler_metrics, recorder)
        # The clock of what is read from outside is the wall's.
        return tuple(recorder.to_json(0.0, sampled=True))

    async def series(self, endpoint: EndpointId, minutes: int) -> Series:
        """Look at an endpoint now, and tell what was seen at this look and those before it.

        Nobody keeps a history of pods here but for who looks: without a look nothing is known.
        """
        now = datetime.now(UTC).timestamp()
        looks = self._looks.of(endpoint)
        if looks.is_due(now):
            looks.begin(now)
            seen, told = await self.observe(endpoint), await self.told(endpoint)
            recordings = await self.decisions(endpoint)
            if seen is not None:
                looks.add(now, seen, told.measured, concurrency_of(recordings))
        return looks.series(now, minutes)

    async def metrics(self) -> tuple[EndpointMetrics, ...]:
        """Tell how each endpoint is scaled; what its pods count they are asked for themselves."""
        marked = f"{self._cluster.owned},{names.ENDPOINT}"
        services, _ = await self._call(self._cluster.list, kube.SERVICE, selector=marked)
        revisions, _ = await self._call(self._cluster.list, kube.REVISION, selector=marked)
        url = self._install.autoscaler_metrics
        told = None if url is None else await self._gauges(url)
        of: dict[str, list[Document]] = {}
        for one in revisions:
            of.setdefault(_endpoint(one), []).append(one)
        return tuple(scaled(one, of.get(_endpoint(one), ()), told or {}) for one in services)

    async def _gauges(self, url: str) -> Gauges | None:
        """Read the metrics of Knative's autoscaler; None: it does not answer."""
        try:
            async with httpx.AsyncClient(timeout=METRICS_WITHIN_S, trust_env=False) as http:
                answer = (await http.get(url)).raise_for_status()
        except httpx.HTTPError as error:
            log.warning("the autoscaler's metrics were not read: %s", error)
            return None
        return decisions.gauges(answer.text)

    async def _read_decisions(self, endpoint: EndpointId, url: str, recorder: Recorder) -> None:
        told = await self._gauges(url)
        if told is None:
            return
        now_ns = nanoseconds(datetime.now(UTC).timestamp())
        for one in await self._revisions(endpoint):
            metadata, read = one["metadata"], decisions.read(one)
            found = told.get((metadata["namespace"], metadata["name"]), {})
            step = decisions.step(found, read, now_ns)
            if step is not None:
                recorder.add(metadata["name"], read.policy, step)

    async def logs(
        self, endpoint: EndpointId, *, tail: int, follow: bool
    ) -> AsyncIterator[LogLine]:
        """Give the last lines of every replica by time, then new ones while `follow`."""
        services = await self._of(kube.SERVICE, endpoint)
        if not services:
            return
        namespace = services[0]["metadata"]["namespace"]
        selector = f"{self._cluster.owned},{names.ENDPOINT}={endpoint}"
        async for line in follow_logs(
            self._cluster, namespace, selector, tail=tail, following=follow
        ):
            yield line

    async def changes(self) -> AsyncIterator[EndpointId]:
        """Name endpoints whose KService changed, by us or by anyone, until cancelled.

        Also those that changed between two watches; at first all.
        """
        seen: dict[str, str] = {}
        while True:
            with contextlib.suppress(kube.Expired, EngineUnavailable):  # list again, watch again
                found, since = await self._call(
                    self._cluster.list, kube.SERVICE, metadata_only=True
                )
                before, seen = seen, dict(map(_state, found))
                for key in {key for key, _ in before.items() ^ seen.items() if key}:
                    yield EndpointId(key)
                watch = functools.partial(
                    self._cluster.watch, kube.SERVICE, since, metadata_only=True
                )
                async for kind, changed in Stream(watch):
                    key, state = _state(changed)
                    if kind == "DELETED":
                        seen.pop(key, None)
                    else:
                        seen[key] = state
                    if key:
                        yield EndpointId(key)
            await asyncio.sleep(WATCH_AGAIN_S)

    def _count_drift(self, key: tuple[str | None, str, str], wanted: Document) -> None:
        """Count what is not as it was written, though nothing new is wanted."""
        digest = _digest(wanted)
        if self._had.get(key) == digest:
            DRIFT.labels(key[1]).inc()
        self._had[key] = digest

    # How it asks

    async def _revisions(self, endpoint: EndpointId) -> Sequence[Document]:
        return await self._of(kube.REVISION, endpoint, metadata_only=False)

    async def _of(
        self, kind: kube.Kind, endpoint: EndpointId, *, metadata_only: bool = True
    ) -> Sequence[Document]:
        selector = f"{self._cluster.owned},{names.ENDPOINT}={endpoint}"
        found, _ = await self._call(
            self._cluster.list, kind, selector=selector, metadata_only=metadata_only
        )
        return found

    async def _call(self, function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        call = functools.partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


@dataclasses.dataclass(frozen=True, slots=True)
class Keys:
    """The keys file for everybody, and for tenants that have more."""

    common: bytes
    tenants: Mapping[str, bytes]

    def of(self, tenant: str) -> bytes:
        """Give what a tenant's pods read."""
        return self.tenants.get(tenant, self.common)


def not_ours(kind: str, namespace: str | None, name: str) -> Conflict:
    """Make the problem of a name that somebody else's object has."""
    where = f" in namespace {namespace}" if namespace else ""
    return Conflict(
        f"{kind} {name}{where} exists and was not made by KubeServe (it has no label "
        f"{names.MANAGED}={names.MANAGER} of this installation): remove it, or choose another name."
    )


def _digest(document: Document) -> str:
    return sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _state(document: Document) -> tuple[str, str]:
    """Give the endpoint that an object belongs to, and the version of the object."""
    return _endpoint(document), document["metadata"]["resourceVersion"]


def _endpoint(document: Document) -> str:
    return str((document["metadata"].get("labels") or {}).get(names.ENDPOINT, ""))
