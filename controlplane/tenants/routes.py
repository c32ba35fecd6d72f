"""Tenants over HTTP, for administrators."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from controlplane.callers import CurrentCaller, require_platform
from controlplane.database import transaction
from controlplane.edge.operations import Page, gives
from controlplane.idempotency import once_with_secret
from controlplane.permissions import Role
from controlplane.rest import MAX_PAGE, after, page
from controlplane.tenants import invitations, schemas, service
from controlplane.tenants.member_routes import link_of
from controlplane.tenants.service import TenantInfo

router = APIRouter(prefix="/v1/tenants", tags=["tenants"])


def _show(tenant: TenantInfo) -> dict[str, Any]:
    return {"id": str(tenant.id), "name": tenant.name, "created_at": tenant.created_at.isoformat()}


@router.get("", **gives(Page[schemas.Tenant]))
async def list_tenants(
    caller: CurrentCaller,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    require_platform(caller)
    rows = await service.page(limit, after(cursor))
    return page(rows, limit, _show, lambda row: str(row.name))


@router.post("", status_code=201, **gives(schemas.Tenant, 201, once=True))
async def create_tenant(
    caller: CurrentCaller, body: schemas.NewTenant, request: Request
) -> dict[str, Any]:
    require_platform(caller)

    async def act() -> dict[str, Any]:
        async with transaction():
            tenant = await service.create(body.name, caller)
            if body.owner is None:
                return _show(tenant)
            now = datetime.now(UTC)
            invited = await invitations.invite(caller, tenant, body.owner, Role.OWNER, now)
            return {**_show(tenant), "invitation": link_of(request, invited)}

    return await once_with_secret(request, caller, "invitation", act)


@router.get("/{tenant}", **gives(schemas.Tenant))
async def get_tenant(caller: CurrentCaller, tenant: str) -> dict[str, Any]:
    require_platform(caller)
    return _show(await service.get(tenant))
