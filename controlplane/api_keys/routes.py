"""API keys over HTTP."""

from datetime import timedelta
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request

from controlplane.api_keys import schemas
from controlplane.api_keys.service import ApiKeys, KeyWanted, Sealing
from controlplane.callers import CurrentCaller
from controlplane.idempotency import once
from controlplane.rest import MAX_PAGE, after, page
from controlplane.subjects import with_names
from controlplane.tenants import service as tenants

router = APIRouter(prefix="/v1/keys", tags=["keys"])


def _keys(request: Request) -> ApiKeys:
    return cast("ApiKeys", request.app.state.api_keys)


@router.get("")
async def list_keys(
    caller: CurrentCaller,
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """List API keys: an administrator sees all of the tenant, everybody else their own."""
    tenant = (await tenants.get(caller.tenant)).id
    rows = await _keys(request).page(caller, tenant, limit, after(cursor))
    named = await with_names(request, caller.tenant, rows)
    return page(named, limit, lambda row: row, lambda row: str(row["id"]))


@router.post("", status_code=201)
async def create_key(
    caller: CurrentCaller, body: schemas.NewKey, request: Request
) -> dict[str, Any]:
    """Make an API key; `key` is in this answer and nowhere else."""
    tenant = (await tenants.get(caller.tenant)).id
    sealing: Sealing = request.app.state.sealing
    wanted = KeyWanted(
        body.name,
        None if body.scopes is None else tuple(body.scopes),
        body.endpoint,
        timedelta(days=body.expires_in_days),
    )

    async def act() -> dict[str, Any]:
        made, text = await _keys(request).create(caller, tenant, wanted)
        # Kept for a retry of this request, and kept as well as a secret must be.
        return {**made, "key": sealing.seal(text)}

    answer = await once(request, caller, act)
    if wanted.endpoint is not None:
        await request.app.state.publish_keys()
    return {**answer, "key": sealing.unseal(answer["key"])}


@router.delete("/{key}", status_code=204)
async def revoke_key(caller: CurrentCaller, key: str, request: Request) -> None:
    """Revoke an API key by its id and end its tokens; runtimes hear of it at once."""
    tenant = (await tenants.get(caller.tenant)).id
    await _keys(request).revoke(caller, tenant, key)
    await request.app.state.publish_keys()
