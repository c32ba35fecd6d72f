"""Queries on API keys; the tenant comes first."""

import uuid
from datetime import datetime
from typing import Any

from tortoise.expressions import Q

from controlplane.api_keys.tables import ApiKey
from runtime.api_keys import Kind


async def add(tenant: uuid.UUID, **values: Any) -> ApiKey:
    return await ApiKey.create(tenant_id=tenant, **values)


async def page(
    tenant: uuid.UUID, made_by: str | None, limit: int, after: str | None
) -> list[tuple[ApiKey, str | None]]:
    """Give limit + 1 keys that were not revoked with their endpoints' names, in order of id.

    made_by  None: by anybody
    """
    rows = ApiKey.filter(tenant_id=tenant, revoked_at=None)
    if made_by is not None:
        rows = rows.filter(made_by=made_by)
    if after is not None:
        rows = rows.filter(id__gt=after)
    found = await rows.order_by("id").limit(limit + 1).prefetch_related("endpoint")
    return [(row, getattr(row.endpoint, "name", None)) for row in found]


async def lock(tenant: uuid.UUID, key_id: str) -> ApiKey | None:
    """Find a key that was not revoked and lock it to the end of the transaction."""
    rows = ApiKey.filter(tenant_id=tenant, id=key_id, revoked_at=None)
    return await rows.select_for_update().first()


async def revoke(row: ApiKey, at: datetime) -> None:
    row.revoked_at = at
    await row.save(update_fields=["revoked_at"])


async def revoke_of_all(made_by: str, tenant: uuid.UUID | None, at: datetime) -> int:
    """Revoke what somebody made; tenant None: in all."""
    rows = ApiKey.filter(made_by=made_by, revoked_at=None)
    if tenant is not None:
        rows = rows.filter(tenant_id=tenant)
    return await rows.update(revoked_at=at)


async def count_live(tenant: uuid.UUID, now: datetime) -> int:
    return await ApiKey.filter(tenant_id=tenant, revoked_at=None, expires_at__gt=now).count()


async def live_of_all(key_id: str, now: datetime) -> tuple[ApiKey, str] | None:
    """Find a key by its id alone, with its tenant's name: whoever shows it is not known yet."""
    rows = ApiKey.filter(id=key_id, revoked_at=None, expires_at__gt=now)
    found = await rows.select_related("tenant").first()
    return None if found is None else (found, found.tenant.name)  # type: ignore[attr-defined]


async def live_endpoint_keys_of_all(now: datetime) -> list[tuple[ApiKey, str]]:
    rows = ApiKey.filter(kind=Kind.ENDPOINT, revoked_at=None, expires_at__gt=now)
    found = await rows.select_related("tenant").order_by("id")
    return [(row, row.tenant.name) for row in found]  # type: ignore[attr-defined]


async def exchanged_of_all(since: datetime) -> list[tuple[ApiKey, str]]:
    """Give keys whose tokens may still be about, with the names of their tenants."""
    rows = ApiKey.filter(kind=Kind.API, last_used_at__gte=since)
    found = await rows.select_related("tenant").order_by("id")
    return [(row, row.tenant.name) for row in found]  # type: ignore[attr-defined]


async def used(key_id: str, at: datetime, unless_since: datetime) -> None:
    """Note when a key was used, unless that was noted a moment ago."""
    stale = Q(Q(last_used_at=None), Q(last_used_at__lt=unless_since), join_type=Q.OR)
    await ApiKey.filter(stale, id=key_id).update(last_used_at=at)


async def names(tenant: str, ids: list[str]) -> dict[str, str]:
    rows = ApiKey.filter(tenant__name=tenant, id__in=ids)
    return dict(await rows.values_list("id", "name"))
