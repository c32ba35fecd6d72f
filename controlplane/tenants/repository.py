"""Queries on tenants and their members."""

import uuid

from controlplane.permissions import Role
from controlplane.tenants.tables import Member, Tenant


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


async def membership(tenant: uuid.UUID, user_id: uuid.UUID) -> Member | None:
    """Find a member with the tenant along."""
    return await Member.get_or_none(tenant_id=tenant, user_id=user_id).select_related("tenant")


async def tenants_of(user_id: uuid.UUID) -> list[tuple[str, Role]]:
    rows = Member.filter(user_id=user_id).order_by("tenant__name")
    return [(name, Role(role)) for name, role in await rows.values_list("tenant__name", "role")]


async def add_member(tenant: uuid.UUID, user_id: uuid.UUID, role: Role) -> None:
    await Member.create(tenant_id=tenant, user_id=user_id, role=role)
