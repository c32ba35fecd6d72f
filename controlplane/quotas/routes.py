"""Quotas over HTTP: one's own to read, everybody's for the platform's administrators."""

from typing import Any

from fastapi import APIRouter, Request, Response

from controlplane.callers import Caller, CurrentCaller, require_platform
from controlplane.quotas import schemas, service
from controlplane.rest import check_match, etag
from controlplane.tenants import service as tenants
from controlplane.tenants.service import Quotas, TenantInfo

router = APIRouter(prefix="/v1", tags=["quotas"])


async def _standing(request: Request, tenant: TenantInfo, response: Response) -> dict[str, Any]:
    state = request.app.state
    response.headers["etag"] = etag(await _wanted(request, tenant))
    return await service.standing(state.quotas, tenant, state.engine)


async def _wanted(request: Request, tenant: TenantInfo) -> dict[str, Any]:
    """Give what an ETag is of: what was set, not what is used."""
    quotas: Quotas = request.app.state.quotas
    return {"tenant": tenant.name, **await quotas.overrides(tenant.id)}


async def _named(caller: Caller, tenant: str) -> TenantInfo:
    require_platform(caller)
    return await tenants.get(tenant)


@router.get("/quota")
async def own_quota(caller: CurrentCaller, request: Request, response: Response) -> schemas.Quota:
    """Say what the caller's tenant may have, and what is used of it."""
    found = await _standing(request, await tenants.get(caller.tenant), response)
    return schemas.Quota(**found)


@router.get("/tenants/{tenant}/quota")
async def get_quota(
    caller: CurrentCaller, tenant: str, request: Request, response: Response
) -> schemas.Quota:
    return schemas.Quota(**await _standing(request, await _named(caller, tenant), response))


@router.put("/tenants/{tenant}/quota")
async def put_quota(
    caller: CurrentCaller,
    tenant: str,
    body: schemas.NewQuota,
    request: Request,
    response: Response,
) -> schemas.Quota:
    """Set where a tenant differs from the installation; all that is not named does not."""
    found = await _named(caller, tenant)
    check_match(request, await _wanted(request, found))
    await request.app.state.quotas.put(caller, found, body.model_dump())
    await request.app.state.publish_limits()
    return schemas.Quota(**await _standing(request, found, response))
