"""The composition root: settings → store, engine, builds. Only here is known which there are."""

import asyncio
import platform
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from controlplane.artifacts.exchange import Exchange
from controlplane.artifacts.folder import FolderStore
from controlplane.artifacts.folder_objects import FolderInbox, FolderObjects
from controlplane.artifacts.objects import Inbox, Objects
from controlplane.artifacts.reports import Reports
from controlplane.artifacts.store import Store
from controlplane.builder.environments import Environments
from controlplane.builder.job import Builder
from controlplane.builder.loaders import packages_of
from controlplane.builder.report import Limits, SandboxPolicy
from controlplane.engines.embedded.host import EmbeddedEngine
from controlplane.engines.engine import EndpointId, Engine
from controlplane.engines.preflight import Finding
from controlplane.leading import Leases
from controlplane.reconciler.builds import Builds, LocalBuilds
from controlplane.reconciler.generator import LocalPrograms
from controlplane.reconciler.leader import engine_limits
from controlplane.reconciler.pod_forms import Signing
from controlplane.reconciler.programs import Programs
from controlplane.reconciler.sweep import Shelf
from controlplane.settings import EngineKind, Settings
from controlplane.tenants import limits
from controlplane.usage.cost import Prices

if TYPE_CHECKING:
    from controlplane.artifacts.credentials import Readers
    from controlplane.artifacts.s3_inbox import S3Inbox
    from controlplane.artifacts.s3_shelf import S3Shelf
    from controlplane.builder.archives import Archives
    from controlplane.engines.knative.install import Loads

FROM_ELSEWHERE: Final = (
    " Until then run `kubeserve loadtest ENDPOINT` from a machine, or a pod, that reaches it."
)
NEEDS_STORE: Final = (
    "Load tests on a cluster need an object store (KUBESERVE_STORE), through which their pods are"
    " told what to do." + FROM_ELSEWHERE
)
PAYLOADS_NEED_STORE: Final = (
    "Requests are not logged in this installation: on a cluster that needs an object store"
    " (KUBESERVE_STORE) which pods reach."
)
NEEDS_IMAGE: Final = (
    "Load tests are off in this installation: the chart's loadTests.enabled turns them on"
    " (KUBESERVE_LOADTEST_IMAGE)." + FROM_ELSEWHERE
)


@dataclass(frozen=True, slots=True)
class Assembly:
    """The parts that depend on the settings.

    builder   what is to be started and closed for builds on this machine
    shelf     where environments for pods are, where there are pods
    changes   names endpoints that changed in the engine, where it can tell
    preflight looks at the ground the engine stands on, where it has any
    programs  where load tests run; in words why none does
    objects   files of tenants by name; inbox: requests that replicas logged
    no_payloads  why none are logged; None: they can be
    """

    store: Store
    engine: Engine
    builds: Builds
    programs: Programs | str
    objects: Objects
    inbox: Inbox
    builder: Builder | None = None
    exchange: Exchange | None = None
    reports: Reports | None = None
    payload_forms: Signing | None = None
    no_payloads: str | None = None
    shelf: Shelf | None = None
    leases: Leases | None = None
    changes: Callable[[], AsyncIterator[EndpointId]] | None = None
    preflight: Callable[[], Awaitable[tuple[Finding, ...]]] | None = None


def assemble(
    settings: Settings,
    *,
    engine: Engine | None = None,
    store: Store | None = None,
    builder: Builder | None = None,
) -> Assembly:
    """Make what is not given."""
    store = store or _store(settings)
    if engine is None and settings.engine is EngineKind.KNATIVE:
        return _on_knative(settings, store)
    environments = _environments(settings)
    builder = builder or Builder(_limits(settings), environments=environments)
    if engine is None:
        pythons = None if environments is None else packages_of(environments, _limits(settings))
        engine = EmbeddedEngine(settings.home, store, settings.public_url, pythons)
        if environments is not None:
            environments.ask(engine.files)
    builds = _local(settings, store, builder)
    objects, inbox = _objects(settings), _inbox(settings)
    return Assembly(
        store, engine, builds, LocalPrograms.or_why_not(), objects, inbox, builder=builder
    )


def limits_of(settings: Settings) -> limits.Limits:
    """Give what a tenant may have of which nothing else was said."""
    return limits.Limits(
        models=settings.tenant_models,
        storage_bytes=settings.tenant_storage_bytes,
        endpoints=settings.tenant_endpoints,
        builds=settings.tenant_builds,
        replicas=settings.tenant_pods,
        cpu_millis=settings.tenant_cpu_millis,
        memory_mib=settings.tenant_memory_mib,
        requests_per_s=settings.tenant_requests_per_s,
        loadtests=settings.tenant_loadtests,
        loadtest_rate=settings.tenant_loadtest_rate,
        loadtest_s=settings.tenant_loadtest_s,
        webhooks=settings.tenant_webhooks,
    )


def prices_of(settings: Settings) -> Prices | None:
    """Give what CPU and memory cost; None: nobody said."""
    if settings.price_cpu_hour is None or settings.price_gib_hour is None:
        return None
    return Prices(settings.price_cpu_hour, settings.price_gib_hour)


def _store(settings: Settings) -> Store:
    if settings.store is None:
        return FolderStore(settings.home / "artifacts")
    # Here and below, imports that take long and that most starts do without.
    from controlplane.artifacts.s3 import S3Store

    return S3Store.from_url(settings.store.get_secret_value(), settings.home / "work" / "uploads")


def _objects(settings: Settings) -> Objects:
    if settings.store is None:
        return FolderObjects(settings.home / "objects")
    from controlplane.artifacts.s3 import open_client
    from controlplane.artifacts.s3_objects import S3Objects

    return S3Objects(*open_client(settings.store.get_secret_value()))


def _pods_inbox(settings: Settings) -> "S3Inbox | None":
    """Give where pods hand over what they logged; None: there is no store that they reach."""
    if settings.store is None or settings.fetch_address is None:
        return None
    from controlplane.artifacts.s3 import open_client
    from controlplane.artifacts.s3_inbox import S3Inbox

    url = settings.store.get_secret_value()
    client, bucket = open_client(url)
    outside, _ = open_client(url, address=settings.fetch_address, region=settings.fetch_region)
    return S3Inbox(client, outside, bucket)


def _inbox(settings: Settings) -> Inbox:
    return FolderInbox(settings.home / "engine" / "payloads")


def _environments(settings: Settings) -> Environments | None:
    """Make the folder's face; on Knative see `_archives`."""
    if settings.environments_kept is None:
        return None
    return Environments(settings.home / "environments", settings.environments_kept)


def _limits(settings: Settings) -> Limits:
    return Limits(
        memory_bytes=settings.build_memory_bytes,
        wall_s=settings.build_wall_s,
        sandbox=SandboxPolicy(settings.sandbox),
    )


def _local(settings: Settings, store: Store, builder: Builder) -> Builds:
    return LocalBuilds(store, builder, settings.home / "work" / "builds")


def _on_knative(settings: Settings, store: Store) -> Assembly:
    """Make the engine, and builds in pods; without an object store, builds on this machine."""
    from controlplane.artifacts.credentials import Places
    from controlplane.engines.knative.builds import KnativeJobs
    from controlplane.engines.knative.cluster import Cluster
    from controlplane.engines.knative.engine import KnativeEngine
    from controlplane.engines.knative.install import Install, ObjectStore
    from controlplane.engines.knative.leases import KubernetesLeases
    from controlplane.engines.knative.loads import KnativeLoads
    from controlplane.engines.knative.looking import facts
    from controlplane.engines.knative.preflight import findings
    from controlplane.reconciler.job_builds import JobBuilds, Site
    from controlplane.reconciler.pod_programs import PodPrograms

    address, bucket = settings.fetch_address, settings.bucket
    install = Install(
        issuer=settings.public_url,
        runtime_image=settings.runtime_image or "",
        builder_image=settings.builder_image or "",
        instance=settings.instance,
        namespace_prefix=settings.namespace_prefix,
        callers=settings.callers,
        start_deadline_s=settings.start_deadline_s,
        limits=engine_limits(limits_of(settings)),
        store=(
            ObjectStore(address, bucket, settings.fetch_region, settings.fetch_namespace)
            if address and bucket
            else None
        ),
        loads=_loads(settings),
        autoscaler_metrics=settings.autoscaler_metrics,
    )
    exchange, reports = _exchange(settings)
    inbox = _pods_inbox(settings)
    shelf = _shelf(settings, store)
    places = None if exchange is None else Places(exchange, _readers(settings))
    environments = None if shelf is None else _archives(settings, shelf)
    cluster = Cluster(settings.kubeconfig, settings.instance)
    engine = KnativeEngine(cluster, store, places, install, environments, reports)
    # Connections of its own: a busy engine does not keep a leader from renewing.
    leases = KubernetesLeases(Cluster(settings.kubeconfig), settings.namespace)

    async def look() -> tuple[Finding, ...]:
        return findings(await asyncio.to_thread(facts, cluster))

    if exchange is None:
        builder = Builder(_limits(settings))
        builds = _local(settings, store, builder)
        return Assembly(
            store,
            engine,
            builds,
            NEEDS_STORE,
            _objects(settings),
            _inbox(settings),
            no_payloads=PAYLOADS_NEED_STORE,
            builder=builder,
            leases=leases,
            changes=engine.changes,
            preflight=look,
        )
    jobs = KnativeJobs(cluster, install, engine.ensure_tenant)
    programs: Programs | str = NEEDS_IMAGE
    if install.loads is not None:
        loads = KnativeLoads(cluster, install, install.loads, engine.ensure_tenant)
        programs = PodPrograms(loads, exchange, settings.loadtest_ingress)
    checking = settings.home / "work" / "checking"
    site = Site(
        jobs,
        exchange,
        _limits(settings),
        checking,
        standby_s=settings.standby_s,
        environments=environments,
    )
    return Assembly(
        store,
        engine,
        JobBuilds(site),
        programs,
        _objects(settings),
        inbox or _inbox(settings),
        payload_forms=inbox,
        no_payloads=None if inbox is not None else PAYLOADS_NEED_STORE,
        exchange=exchange,
        reports=reports,
        shelf=shelf,
        leases=leases,
        changes=engine.changes,
        preflight=look,
    )


def _loads(settings: Settings) -> "Loads | None":
    from controlplane.engines.knative.install import Loads

    if settings.loadtest_image is None:
        return None
    return Loads(
        image=settings.loadtest_image,
        cpu_millis=settings.loadtest_cpu_millis,
        memory_mib=settings.loadtest_memory_mib,
        reach=settings.reach,
    )


def _archives(settings: Settings, shelf: "S3Shelf") -> "Archives | None":
    """Make environments for pods here, since pods reach no package index."""
    from controlplane.builder.archives import Archives

    if settings.environments_kept is None:
        return None
    folder = settings.home / "work" / "environments"
    # As the images' own packages are chosen (`manifests/containers/context.py`).
    machine = f"{platform.machine()}-manylinux_2_28"
    inside = folder / "uv"
    environments = Environments(inside, scratch=inside, machine=machine)
    return Archives(packages_of(environments, _limits(settings)), shelf, folder)


def _shelf(settings: Settings, store: Store) -> "S3Shelf | None":
    if settings.store is None:
        return None
    from controlplane.artifacts.s3 import open_client
    from controlplane.artifacts.s3_shelf import S3Shelf

    return S3Shelf(*open_client(settings.store.get_secret_value()), store)


def _exchange(settings: Settings) -> tuple[Exchange, Reports] | tuple[None, None]:
    if settings.store is None or settings.fetch_address is None:
        return None, None
    from controlplane.artifacts.s3 import open_client
    from controlplane.artifacts.s3_exchange import S3Exchange
    from controlplane.artifacts.s3_reports import S3Reports

    url = settings.store.get_secret_value()
    client, bucket = open_client(url)
    outside, _ = open_client(url, address=settings.fetch_address, region=settings.fetch_region)
    exchange = S3Exchange(client, outside, bucket, settings.fetch_address)
    return exchange, S3Reports(client, outside, bucket)


def _readers(settings: Settings) -> "Readers":
    from controlplane.artifacts.credentials import Keys, MinioReaders, StaticReaders

    if settings.fetch_keys is not None:
        access, _, secret = settings.fetch_keys.get_secret_value().partition(":")
        return StaticReaders(Keys(access, secret))
    if settings.store is None:
        raise RuntimeError("there are no readers of a store that is a folder")
    return MinioReaders.from_url(settings.store.get_secret_value())
