"""Queries on models, versions and aliases; the tenant comes first."""

import uuid
from datetime import UTC, datetime
from typing import Any

from tortoise import connections
from tortoise.expressions import F

from controlplane.models.states import VersionState
from controlplane.models.tables import Alias, Model, Version


async def models(tenant: uuid.UUID, limit: int, after: str | None) -> list[Model]:
    rows = Model.filter(tenant_id=tenant)
    if after:
        rows = rows.filter(name__gt=after)
    return await rows.order_by("name").limit(limit + 1)


async def model(tenant: uuid.UUID, name: str) -> Model | None:
    return await Model.get_or_none(tenant_id=tenant, name=name)


async def ensure_model(tenant: uuid.UUID, name: str, description: str = "") -> Model:
    found, _ = await Model.get_or_create(
        tenant_id=tenant, name=name, defaults={"id": uuid.uuid4(), "description": description}
    )
    return found


async def create_model(tenant: uuid.UUID, name: str, description: str) -> Model:
    return await Model.create(id=uuid.uuid4(), tenant_id=tenant, name=name, description=description)


async def delete_model(tenant: uuid.UUID, model: Model) -> bool:
    return bool(await Model.filter(tenant_id=tenant, id=model.id).delete())


async def last_report_of_all() -> dict[str, Any] | None:
    """Give the report of the build that ended last, of any tenant."""
    row = await Version.filter(ready_at__not_isnull=True).order_by("-ready_at").first()
    return row.report if row is not None else None


async def version_by_digest(model: Model, sha256: str) -> Version | None:
    return await Version.get_or_none(model_id=model.id, sha256=sha256)


async def lock(model: Model) -> Model | None:
    """Lock the row to the end of the transaction; None: it was deleted meanwhile."""
    return await Model.select_for_update().get_or_none(id=model.id)


async def add_version(
    model: Model, sha256: str, size_bytes: int, created_by: str, traceparent: str | None
) -> Version:
    """Give the next number of a model that is locked."""
    model.versions += 1
    await model.save(update_fields=["versions"])
    return await Version.create(
        id=uuid.uuid4(),
        model_id=model.id,
        number=model.versions,
        sha256=sha256,
        size_bytes=size_bytes,
        created_by=created_by,
        traceparent=traceparent,
    )


async def versions(model: Model, limit: int, below: int | None) -> list[Version]:
    rows = Version.filter(model_id=model.id)
    if below is not None:
        rows = rows.filter(number__lt=below)
    return await rows.order_by("-number").limit(limit + 1)


async def version(model: Model, number: int) -> Version | None:
    return await Version.get_or_none(model_id=model.id, number=number)


async def newest(models: list[uuid.UUID]) -> dict[uuid.UUID, tuple[str, datetime]]:
    """Give state and time of each model's newest version; models without any are left out."""
    query = (
        "SELECT DISTINCT ON (model_id) model_id, state, created_at FROM versions "
        "WHERE model_id = ANY($1) ORDER BY model_id, number DESC"
    )
    rows = await connections.get("default").execute_query_dict(query, [models])
    return {row["model_id"]: (row["state"], row["created_at"]) for row in rows}


async def newest_ready(model: Model) -> Version | None:
    rows = Version.filter(model_id=model.id, state=VersionState.READY)
    return await rows.order_by("-number").first()


async def aliases(model: Model) -> list[Alias]:
    return await Alias.filter(model_id=model.id).order_by("name")


async def aliases_of(models: list[uuid.UUID]) -> list[Alias]:
    return await Alias.filter(model_id__in=models).order_by("name")


async def alias(model: Model, name: str) -> Alias | None:
    return await Alias.get_or_none(model_id=model.id, name=name)


async def set_alias(model: Model, name: str, number: int) -> None:
    row, made = await Alias.get_or_create(
        model_id=model.id, name=name, defaults={"id": uuid.uuid4(), "version": number}
    )
    if not made:
        row.version = number
        await row.save(update_fields=["version", "updated_at"])


async def delete_alias(model: Model, name: str) -> bool:
    return bool(await Alias.filter(model_id=model.id, name=name).delete())


async def waiting_of_all(limit: int) -> list[dict[str, Any]]:
    """Give the `limit` oldest versions of each tenant that wait for a build."""
    query = (
        "SELECT * FROM (SELECT v.id, m.tenant_id, v.created_at, row_number() OVER "
        "(PARTITION BY m.tenant_id ORDER BY v.created_at, v.id) AS place FROM versions v "
        "JOIN models m ON m.id = v.model_id WHERE v.state = $1) AS waiting WHERE place <= $2"
    )
    values = [str(VersionState.UPLOADED), limit]
    found: list[dict[str, Any]] = await connections.get("default").execute_query_dict(query, values)
    return found


async def building(tenants: list[uuid.UUID]) -> dict[uuid.UUID, tuple[int, datetime | None]]:
    """Give how many builds of each tenant run, and when its last one was begun."""
    query = (
        "SELECT m.tenant_id, count(*) FILTER (WHERE v.state = $1) AS running, "
        "max(v.build_began_at) AS began_at FROM versions v JOIN models m ON m.id = v.model_id "
        "WHERE m.tenant_id = ANY($2) GROUP BY m.tenant_id"
    )
    values = [str(VersionState.BUILDING), tenants]
    rows = await connections.get("default").execute_query_dict(query, values)
    return {row["tenant_id"]: (row["running"], row["began_at"]) for row in rows}


async def waiting_before(tenant: uuid.UUID, row: Version) -> int:
    """Count a tenant's versions that wait for a build for longer than one."""
    rows = Version.filter(model__tenant_id=tenant, state=VersionState.UPLOADED)
    return await rows.filter(created_at__lt=row.created_at).exclude(id=row.id).count()


async def count_of_all(state: VersionState) -> int:
    """Count the versions of all tenants that are in a state."""
    return await Version.filter(state=state).count()


async def versions_of_all(ids: list[uuid.UUID]) -> list[Version]:
    return await Version.filter(id__in=ids).select_related("model")


async def count(tenant: uuid.UUID) -> int:
    return await Model.filter(tenant_id=tenant).count()


async def blobs(tenant: uuid.UUID) -> dict[str, int]:
    """Give digest and size of all that a tenant's versions name."""
    rows = Version.filter(model__tenant_id=tenant)
    found: dict[str, int] = {}
    for upload, plan in (("sha256", "size_bytes"), ("plan_sha256", "plan_size_bytes")):
        found.update({k: v for k, v in await rows.values_list(upload, plan) if k is not None})
    return found


async def tenant_of(version_id: uuid.UUID) -> uuid.UUID | None:
    """Find whose a version is; None: it was deleted."""
    rows = await Version.filter(id=version_id).values_list("model__tenant_id")
    return rows[0][0] if rows else None


async def named_of_all(version_id: uuid.UUID) -> tuple[uuid.UUID, str, Version] | None:
    """Give tenant, name of the model and the row of a version; None: it was deleted."""
    rows = Version.filter(id=version_id).select_related("model")
    row = await rows.first()
    return None if row is None else (row.model.tenant_id, row.model.name, row)  # type: ignore[attr-defined]


async def tenants_of_all(versions: list[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Give the names of the tenants that versions belong to."""
    rows = Version.filter(id__in=versions)
    return dict(await rows.values_list("id", "model__tenant__name"))


async def unfinished_of_all() -> list[uuid.UUID]:
    """Give every version that is built, or waits for it, of every tenant."""
    rows = Version.filter(state__in=[VersionState.UPLOADED, VersionState.BUILDING])
    return [found for (found,) in await rows.values_list("id")]


async def cut_off_of_all(max_attempts: int) -> list[uuid.UUID]:
    """Give versions whose build a crash cut off too often."""
    rows = Version.filter(state=VersionState.BUILDING, attempts__gte=max_attempts)
    return [found for (found,) in await rows.values_list("id")]


async def release_cut_off_builds_of_all() -> int:
    """Put versions whose build a crash cut off back into the queue."""
    return await Version.filter(state=VersionState.BUILDING).update(state=VersionState.UPLOADED)


async def return_build(version_id: uuid.UUID) -> bool:
    """Put a version back into the queue as if its build had never begun."""
    rows = Version.filter(id=version_id, state=VersionState.BUILDING)
    return bool(await rows.update(state=VersionState.UPLOADED, attempts=F("attempts") - 1))


async def move(version_id: uuid.UUID, now: VersionState, then: VersionState, **values: Any) -> bool:
    """Change the state if it is still what the caller saw."""
    rows = Version.filter(id=version_id, state=now)
    return bool(await rows.update(state=then, **values))


async def refresh(version: Version) -> None:
    await version.refresh_from_db()


async def begin_build(version_id: uuid.UUID) -> bool:
    """Take a version from the queue; counts the attempt."""
    rows = Version.filter(id=version_id, state=VersionState.UPLOADED)
    begun = {
        "state": VersionState.BUILDING,
        "reason": None,
        "attempts": F("attempts") + 1,
        "build_began_at": datetime.now(UTC),
    }
    return bool(await rows.update(**begun))


async def digest_in_use_of_all(sha256: str) -> bool:
    """Tell whether any version of any tenant names a blob."""
    return (
        await Version.filter(sha256=sha256).exists()
        or await Version.filter(plan_sha256=sha256).exists()
    )
