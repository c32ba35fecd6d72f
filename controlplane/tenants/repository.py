"""Queries on tenants."""

import uuid

from controlplane.tenants.tables import Tenant


async def by_name(name: str) -> Tenant | None:
    return await Tenant.get_or_none(name=name)


async def by_id(tenant_id: uuid.UUID) -> Tenant | None:
    return await Tenant.get_or_none(id=tenant_id)


async def create(name: str) -> Tenant:
    return await Tenant.create(id=uuid.uuid4(), name=name)


async def page_of_all(limit: int, after: str | None) -> list[Tenant]:
    rows = Tenant.filter(name__gt=after) if after else Tenant.all()
    return await rows.order_by("name").limit(limit + 1)
