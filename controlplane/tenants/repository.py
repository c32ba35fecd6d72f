"""Queries on tenants, their members and their quotas."""

import uuid

from controlplane.permissions import Role
from controlplane.tenants.tables import Member, Quota, Tenant


async def by_name(name: str) -> Tenant | None:
    return await Tenant.get_or_none(name=name)


async def by_id(tenant_id: uuid.UUID) -> Tenant | None:
    return await Tenant.get_or_none(id=tenant_id)


async def create(name: str) -> Tenant:
    return await Tenant.create(id=uuid.uuid4(), name=name)


async def page_of_all(limit: int, after: str | None) -> list[Tenant]:
    rows = Tenant.filter(name__gt=after) if after else Tenant.all()
    return await rows.order_by("name").limit(limit + 1)


async def names_of_all() -> list[str]:
    return [str(name) for name in await Tenant.all().values_list("name", flat=True)]


async def role_of(tenant: str, user_id: uuid.UUID) -> Role | None:
    row = await Member.get_or_none(tenant__name=tenant, user_id=user_id)
    return None if row is None else row.role


async def tenants_of(user_id: uuid.UUID) -> list[tuple[str, Role]]:
    rows = Member.filter(user_id=user_id).order_by("tenant__name")
    return [(name, Role(role)) for name, role in await rows.values_list("tenant__name", "role")]


async def add_member(tenant: uuid.UUID, user_id: uuid.UUID, role: Role) -> None:
    await Member.create(tenant_id=tenant, user_id=user_id, role=role)


async def lock(tenant_id: uuid.UUID) -> None:
    """Lock a tenant to the end of the transaction; rows that refer to it can be made meanwhile."""
    await Tenant.filter(id=tenant_id).select_for_update(no_key=True).first()


async def quota(tenant_id: uuid.UUID) -> Quota | None:
    return await Quota.get_or_none(tenant_id=tenant_id)


async def put_quota(tenant_id: uuid.UUID, overrides: dict[str, int | None]) -> None:
    await Quota.update_or_create(tenant_id=tenant_id, defaults=overrides)


async def quotas_of_all() -> list[tuple[Tenant, Quota]]:
    """Give every tenant whose quota differs from the installation's."""
    rows = await Quota.all()
    tenants = {row.id: row for row in await Tenant.filter(id__in=[row.tenant_id for row in rows])}
    return [(tenants[row.tenant_id], row) for row in rows if row.tenant_id in tenants]
