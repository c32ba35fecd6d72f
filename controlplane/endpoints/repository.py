"""Queries on endpoints, revisions and releases; the tenant comes first."""

import uuid
from datetime import datetime
from typing import Any

from tortoise.expressions import Q

from controlplane.endpoints.tables import Endpoint, EndpointHealth, EndpointRevision, Release


async def endpoints(tenant: uuid.UUID, limit: int, after: str | None) -> list[Endpoint]:
    rows = Endpoint.filter(tenant_id=tenant, deleted_at=None)
    if after:
        rows = rows.filter(name__gt=after)
    return await rows.order_by("name").limit(limit + 1)


async def endpoint(tenant: uuid.UUID, name: str) -> Endpoint | None:
    return await Endpoint.get_or_none(tenant_id=tenant, name=name, deleted_at=None)


async def by_id(tenant: uuid.UUID, endpoint_id: uuid.UUID) -> Endpoint | None:
    return await Endpoint.get_or_none(tenant_id=tenant, id=endpoint_id, deleted_at=None)


async def named(tenant: uuid.UUID, name: str) -> Endpoint | None:
    """Find an endpoint, also one that is being deleted."""
    return await Endpoint.get_or_none(tenant_id=tenant, name=name)


async def exists(tenant: uuid.UUID, endpoint_id: uuid.UUID) -> bool:
    return await Endpoint.filter(tenant_id=tenant, id=endpoint_id, deleted_at=None).exists()


async def count(tenant: uuid.UUID) -> int:
    return await Endpoint.filter(tenant_id=tenant, deleted_at=None).count()


async def ids(tenant: uuid.UUID) -> list[uuid.UUID]:
    return [row.id for row in await Endpoint.filter(tenant_id=tenant).only("id")]


async def artifacts(tenant: uuid.UUID) -> dict[str, int]:
    """Give digest and size of all that a tenant's revisions name."""
    rows = EndpointRevision.filter(endpoint__tenant_id=tenant)
    return dict(await rows.values_list("artifact_sha256", "artifact_size_bytes"))


async def some_of_all(endpoints: list[uuid.UUID]) -> list[Endpoint]:
    """Give endpoints of any tenants, deleted ones that are not gone yet too."""
    return await Endpoint.filter(id__in=endpoints)


async def lock_or_create(tenant: uuid.UUID, name: str) -> Endpoint:
    """Find or make the row and lock it to the end of the transaction."""
    found, _ = await Endpoint.get_or_create(
        tenant_id=tenant, name=name, defaults={"id": uuid.uuid4()}
    )
    return await Endpoint.select_for_update().get(id=found.id)


async def lock(tenant: uuid.UUID, name: str) -> Endpoint | None:
    """Find the row of an endpoint that is wanted and lock it to the end of the transaction."""
    rows = Endpoint.filter(tenant_id=tenant, name=name, deleted_at=None)
    return await rows.select_for_update().first()


async def save_endpoint(row: Endpoint) -> None:
    await row.save(update_fields=["generation", "release", "revisions"])


async def save_slo(row: Endpoint, slo: dict[str, Any] | None) -> None:
    row.update_from_dict({"slo": slo})
    await row.save(update_fields=["slo"])


async def save_payload_log(row: Endpoint, log: dict[str, Any] | None) -> None:
    row.update_from_dict({"payload_log": log})
    row.generation += 1  # what workers are started with
    await row.save(update_fields=["payload_log", "generation"])


async def with_payload_log_of_all() -> list[Endpoint]:
    """Give the endpoints, of any tenant, of which requests are logged."""
    return [row for row in await Endpoint.filter(deleted_at=None) if row.payload_log]


async def revisions_of_all(endpoint_id: uuid.UUID) -> list[EndpointRevision]:
    """Give every revision of an endpoint, whoever's it is."""
    return await EndpointRevision.filter(endpoint_id=endpoint_id)


async def save_warm(row: Endpoint, windows: list[dict[str, Any]]) -> None:
    row.warm = windows
    await row.save(update_fields=["warm"])


async def with_windows_of_all() -> list[uuid.UUID]:
    """Give the endpoints, of any tenant, that have warm windows."""
    rows = Endpoint.filter(deleted_at=None).exclude(warm=None)
    return [row.id for row in await rows.only("id", "warm") if row.warm]


async def mark_deleted(row: Endpoint, at: datetime) -> None:
    row.deleted_at = at
    row.generation += 1
    await row.save(update_fields=["deleted_at", "generation"])


async def lock_of_all(endpoint_id: uuid.UUID) -> Endpoint | None:
    """Find the row of an endpoint that is wanted by its id and lock it, whoever's it is."""
    rows = Endpoint.filter(id=endpoint_id, deleted_at=None)
    return await rows.select_for_update().first()


async def add_revision(endpoint: Endpoint, **values: Any) -> EndpointRevision:
    return await EndpointRevision.create(id=uuid.uuid4(), endpoint_id=endpoint.id, **values)


async def revision_for(endpoint: Endpoint, version_id: uuid.UUID) -> EndpointRevision | None:
    """Find the newest revision of a version: the same version again is the same revision."""
    rows = EndpointRevision.filter(endpoint_id=endpoint.id, version_id=version_id)
    return await rows.order_by("-name").first()


async def revisions(endpoint: Endpoint, names: list[str]) -> list[EndpointRevision]:
    return await EndpointRevision.filter(endpoint_id=endpoint.id, name__in=names)


async def revisions_of_version(endpoint: Endpoint, number: int) -> list[EndpointRevision]:
    rows = EndpointRevision.filter(endpoint_id=endpoint.id, version=number)
    return await rows.order_by("-name")


async def add_release(endpoint: Endpoint, **values: Any) -> Release:
    return await Release.create(id=uuid.uuid4(), endpoint_id=endpoint.id, **values)


async def release(endpoint: Endpoint, number: int) -> Release | None:
    return await Release.get_or_none(endpoint_id=endpoint.id, number=number)


async def release_before(endpoint: Endpoint, but: str) -> Release | None:
    """Find the newest release before the current one whose action is not `but`."""
    rows = Release.filter(endpoint_id=endpoint.id, number__lt=endpoint.release)
    return await rows.exclude(action=but).order_by("-number").first()


async def current_releases(rows: list[Endpoint]) -> dict[uuid.UUID, Release]:
    """Give the current release of each endpoint that has one."""
    each = [Q(endpoint_id=row.id, number=row.release) for row in rows]
    found = await Release.filter(Q(*each, join_type=Q.OR)) if each else []
    return {release.endpoint_id: release for release in found}


async def revisions_of(releases: list[Release]) -> dict[tuple[uuid.UUID, str], EndpointRevision]:
    """Give every revision that some releases route to, by endpoint and name."""
    names = {line["revision"] for release in releases for line in release.traffic}
    rows = EndpointRevision.filter(
        endpoint_id__in={release.endpoint_id for release in releases}, name__in=names
    )
    return {(row.endpoint_id, row.name): row for row in (await rows if names else [])}


async def releases(endpoint: Endpoint, limit: int, below: int | None) -> list[Release]:
    rows = Release.filter(endpoint_id=endpoint.id)
    if below is not None:
        rows = rows.filter(number__lt=below)
    return await rows.order_by("-number").limit(limit + 1)


async def ids_of_all() -> list[uuid.UUID]:
    """Give every endpoint of every tenant, deleted ones that are not gone yet too."""
    return [row.id for row in await Endpoint.all().only("id")]


async def slos_of_all(limit: int) -> list[tuple[str, str, dict[str, Any]]]:
    """Give tenant, name and promise of endpoints that promise something."""
    rows = Endpoint.filter(slo__not_isnull=True, deleted_at=None).order_by("created_at", "id")
    return list(await rows.limit(limit).values_list("tenant__name", "name", "slo"))


async def by_id_of_all(endpoint_id: uuid.UUID) -> Endpoint | None:
    return await Endpoint.get_or_none(id=endpoint_id)


async def remove(endpoint_id: uuid.UUID) -> None:
    await Endpoint.filter(id=endpoint_id).exclude(deleted_at=None).delete()


async def artifact_in_use_of_all(sha256: str) -> bool:
    return await EndpointRevision.filter(artifact_sha256=sha256).exists()


async def told_ready_of_all() -> dict[uuid.UUID, tuple[int | None, str | None]]:
    """Give generation and status of each endpoint that were told of last."""
    found = await EndpointHealth.all().values_list("endpoint_id", "generation", "ready")
    return {key: (generation, ready) for key, generation, ready in found}


async def health(row: Endpoint) -> EndpointHealth:
    """Find or make the health of an endpoint whose row is locked."""
    found, _ = await EndpointHealth.get_or_create(endpoint_id=row.id)
    return found


async def health_of_all(endpoint_id: uuid.UUID) -> EndpointHealth | None:
    return await EndpointHealth.get_or_none(endpoint_id=endpoint_id)


async def save_health(row: EndpointHealth, **values: Any) -> None:
    row.update_from_dict(values)
    await row.save(update_fields=list(values))


async def promising_of_all() -> list[tuple[Endpoint, EndpointHealth | None]]:
    """Give the endpoints of all tenants with an SLO or a breach, and their health."""
    rows = await Endpoint.filter(deleted_at=None).exclude(slo=None)
    broken = await EndpointHealth.exclude(breached_at=None).select_related("endpoint")
    known = {one.endpoint_id: one for one in broken}
    more = [one.endpoint for one in broken if one.endpoint_id not in {row.id for row in rows}]
    ids = [row.id for row in rows if row.id not in known]
    quiet = await EndpointHealth.filter(endpoint_id__in=ids) if ids else []
    known |= {one.endpoint_id: one for one in quiet}
    return [(row, known.get(row.id)) for row in [*rows, *more] if row.deleted_at is None]
