"""Endpoints, releases, logs over HTTP."""

import json
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from controlplane.callers import Caller, CurrentCaller
from controlplane.endpoints import schemas, service
from controlplane.endpoints.service import ReleaseWanted, TargetWanted
from controlplane.engines.engine import EndpointId
from controlplane.idempotency import once
from controlplane.rest import MAX_PAGE, after, after_number, page, tagged
from controlplane.tenants import service as tenants
from controlplane.tenants.service import TenantId

router = APIRouter(prefix="/v1/endpoints", tags=["endpoints"])
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]


async def _tenant(caller: Caller) -> TenantId:
    return (await tenants.get(caller.tenant)).id


async def _document(row: Any, request: Request, caller: Caller) -> dict[str, Any]:
    state = request.app.state
    document = await service.document(row, state.settings.public_url, state.engine)
    return {**document, "tenant": caller.tenant}


def _woken(request: Request, document: dict[str, Any]) -> dict[str, Any]:
    """Let the reconciler look at an endpoint once its rows are committed."""
    request.app.state.wake_endpoint(uuid.UUID(document["id"]))
    return document


@router.get("")
async def list_endpoints(
    caller: CurrentCaller, request: Request, limit: Limit = 50, cursor: str | None = None
) -> dict[str, Any]:
    rows = await service.page(await _tenant(caller), limit, after(cursor))
    shown = [await _document(row, request, caller) for row in rows[:limit]] + rows[limit:]
    return page(shown, limit, lambda row: dict(row), lambda row: str(row["name"]))


@router.get("/{endpoint}")
async def get_endpoint(
    caller: CurrentCaller, endpoint: str, request: Request, response: Response
) -> dict[str, Any]:
    row = await service.get(await _tenant(caller), endpoint)
    return tagged(response, await _document(row, request, caller))


@router.delete("/{endpoint}", status_code=204)
async def delete_endpoint(caller: CurrentCaller, endpoint: str, request: Request) -> None:
    request.app.state.wake_endpoint(await service.delete(await _tenant(caller), endpoint))


@router.post("/{endpoint}/releases", status_code=201)
async def release(
    caller: CurrentCaller, endpoint: str, body: schemas.NewRelease, request: Request
) -> dict[str, Any]:
    """Deploy a version, move traffic or change how an endpoint scales; makes the endpoint."""
    traffic = None
    if body.traffic is not None:
        traffic = tuple(
            TargetWanted(line.percent, line.revision, line.version, line.tag)
            for line in body.traffic
        )
    wanted = ReleaseWanted(
        body.model,
        None if body.version is None else str(body.version),
        body.scaling.model_dump(exclude_none=True),
        body.container_concurrency,
        body.timeout_s,
        traffic,
    )

    async def act() -> dict[str, Any]:
        by = f"client:{caller.client}"
        row = await service.release(await _tenant(caller), endpoint, wanted, by)
        return await _document(row, request, caller)

    return _woken(request, await once(request, caller.tenant, act))


@router.get("/{endpoint}/releases")
async def list_releases(
    caller: CurrentCaller, endpoint: str, limit: Limit = 50, cursor: str | None = None
) -> dict[str, Any]:
    below = after_number(cursor)
    rows = await service.releases(await _tenant(caller), endpoint, limit, below)
    return page(rows, limit, lambda row: row, lambda row: str(row["number"]))


@router.post("/{endpoint}/rollback", status_code=201)
async def rollback(
    caller: CurrentCaller, endpoint: str, body: schemas.Rollback, request: Request
) -> dict[str, Any]:
    async def act() -> dict[str, Any]:
        by = f"client:{caller.client}"
        row = await service.rollback(await _tenant(caller), endpoint, body.to, by)
        return await _document(row, request, caller)

    return _woken(request, await once(request, caller.tenant, act))


@router.get("/{endpoint}/logs")
async def logs(
    caller: CurrentCaller,
    endpoint: str,
    request: Request,
    tail: Annotated[int, Query(ge=0, le=10_000)] = 100,
    follow: bool = False,
) -> StreamingResponse:
    """Stream what the replicas wrote, one JSON object a line."""
    row = await service.get(await _tenant(caller), endpoint)
    lines = request.app.state.engine.logs(EndpointId(str(row.id)), tail=tail, follow=follow)

    async def written() -> AsyncIterator[bytes]:
        async for line in lines:
            document = {"at": line.at.isoformat(), "replica": line.replica, "text": line.text}
            yield json.dumps(document).encode() + b"\n"

    return StreamingResponse(written(), media_type="application/x-ndjson")
