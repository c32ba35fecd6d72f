"""Endpoints, releases, logs over HTTP."""

import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from controlplane.callers import Caller, CurrentCaller
from controlplane.edge.operations import Page, file, gives, taking
from controlplane.endpoints import explaining, schemas, service, trying
from controlplane.endpoints.service import ReleaseWanted, TargetWanted
from controlplane.endpoints.windows import Window
from controlplane.engines.engine import EndpointId
from controlplane.engines.history import MOST_MINUTES
from controlplane.idempotency import once
from controlplane.rest import MAX_PAGE, after, after_number, check_match, etag, page
from controlplane.subjects import with_names
from controlplane.tenants import service as tenants
from controlplane.tenants.service import TenantId
from loadtests.slo import Objectives

if TYPE_CHECKING:
    from controlplane.settings import Settings

router = APIRouter(prefix="/v1/endpoints", tags=["endpoints"])
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]


async def _tenant(caller: Caller) -> TenantId:
    return (await tenants.get(caller.tenant)).id


async def _documents(
    rows: list[Any], request: Request, caller: Caller, look: service.Look
) -> list[dict[str, Any]]:
    settings: Settings = request.app.state.settings
    found = await service.documents(rows, settings.public_url, look)
    for document in found:
        document["tenant"] = caller.tenant
        if settings.gateway and document["url"]:
            # The endpoint's own port is open to this machine alone.
            document["local_url"] = document["url"]
            document["url"] = f"{settings.gateway_url}/{caller.tenant}/{document['name']}"
    return found


def _unchanged(request: Request) -> Callable[[Any], None]:
    return lambda row: check_match(request, service.as_wanted(row))


async def _released(
    request: Request,
    caller: Caller,
    endpoint: str,
    act: Callable[[TenantId], Awaitable[Any]],
) -> dict[str, Any]:
    """Make a release, once for each Idempotency-Key; wakes the reconciler when it is committed."""
    tenant = await _tenant(caller)
    look = await service.look_for(request.app.state.engine, tenant, endpoint)

    async def once_only() -> dict[str, Any]:
        row = await act(tenant)
        return (await _documents([row], request, caller, look))[0]

    document = await once(request, caller, once_only)
    request.app.state.wake_endpoint(uuid.UUID(document["id"]))
    return document


@router.get("", **gives(Page[schemas.Endpoint]))
async def list_endpoints(
    caller: CurrentCaller, request: Request, limit: Limit = 50, cursor: str | None = None
) -> dict[str, Any]:
    rows = await service.page(await _tenant(caller), limit, after(cursor))
    look = await service.look(request.app.state.engine, rows[:limit])
    shown = await _documents(rows[:limit], request, caller, look) + rows[limit:]
    return page(shown, limit, lambda row: dict(row), lambda row: str(row["name"]))


@router.get("/{endpoint}", **gives(schemas.Endpoint, etag=True))
async def get_endpoint(
    caller: CurrentCaller, endpoint: str, request: Request, response: Response
) -> dict[str, Any]:
    row = await service.get(await _tenant(caller), endpoint)
    engine, settings = request.app.state.engine, request.app.state.settings
    look = await service.look(engine, [row])
    if look.is_behind(row):
        standing = await service.standing_of(row, settings.public_url)
        look = await explaining.closer(engine, standing, look)
    response.headers["etag"] = etag(service.as_wanted(row))
    return (await _documents([row], request, caller, look))[0]


@router.delete("/{endpoint}", status_code=204, openapi_extra=taking(if_match=True))
async def delete_endpoint(caller: CurrentCaller, endpoint: str, request: Request) -> None:
    gone = await service.delete(await _tenant(caller), endpoint, caller, _unchanged(request))
    request.app.state.wake_endpoint(gone)


@router.post(
    "/{endpoint}/releases",
    status_code=201,
    **gives(schemas.Endpoint, 201, once=True, if_match=True),
)
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

    async def act(tenant: TenantId) -> Any:
        unchanged, quotas = _unchanged(request), request.app.state.quotas
        return await service.release(tenant, endpoint, wanted, caller, unchanged, quotas)

    return await _released(request, caller, endpoint, act)


@router.get("/{endpoint}/releases", **gives(Page[schemas.Release]))
async def list_releases(
    caller: CurrentCaller,
    endpoint: str,
    request: Request,
    limit: Limit = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    below = after_number(cursor)
    found = await service.releases(await _tenant(caller), endpoint, limit, below)
    rows = await with_names(request, caller.tenant, found)
    return page(rows, limit, lambda row: row, lambda row: str(row["number"]))


@router.post(
    "/{endpoint}/rollback",
    status_code=201,
    **gives(schemas.Endpoint, 201, once=True, if_match=True),
)
async def rollback(
    caller: CurrentCaller, endpoint: str, body: schemas.Rollback, request: Request
) -> dict[str, Any]:
    async def act(tenant: TenantId) -> Any:
        return await service.rollback(tenant, endpoint, body.to, caller, _unchanged(request))

    return await _released(request, caller, endpoint, act)


@router.get("/{endpoint}/slo", **gives(Objectives))
async def get_slo(caller: CurrentCaller, endpoint: str) -> dict[str, Any]:
    """Tell what an endpoint promises; without any member: nothing."""
    found = await service.slo(await _tenant(caller), endpoint)
    return {} if found is None else found.to_json()


@router.put("/{endpoint}/slo", **gives(Objectives))
async def set_slo(caller: CurrentCaller, endpoint: str, body: Objectives) -> dict[str, Any]:
    """Declare what an endpoint promises, in place of what it did.

    Rollouts and load tests are held to it. Durations have a unit, such as `50ms`.
    """
    await service.set_slo(await _tenant(caller), endpoint, body, caller)
    return body.to_json()


@router.delete("/{endpoint}/slo", status_code=204)
async def delete_slo(caller: CurrentCaller, endpoint: str) -> None:
    await service.set_slo(await _tenant(caller), endpoint, None, caller)


def _shown(found: Sequence[Window]) -> dict[str, Any]:
    now, at_once = datetime.now(UTC), timedelta()
    shown = []
    for one in found:
        following = one.next_start(now)
        start = None if following is None else following.isoformat()
        shown.append({**asdict(one), "open": one.is_open(now, at_once), "next_start": start})
    return {"windows": shown}


@router.get("/{endpoint}/warm-windows", **gives(schemas.WarmWindowsShown))
async def get_warm_windows(caller: CurrentCaller, endpoint: str) -> dict[str, Any]:
    """Tell when an endpoint is kept warm."""
    return _shown(await service.warm(await _tenant(caller), endpoint))


@router.put("/{endpoint}/warm-windows", **gives(schemas.WarmWindowsShown))
async def set_warm_windows(
    caller: CurrentCaller, endpoint: str, body: schemas.WarmWindows, request: Request
) -> dict[str, Any]:
    """Say when an endpoint is kept warm, in place of what was said; none: never."""
    tenant = await _tenant(caller)
    wanted = tuple(Window(**one.model_dump()) for one in body.windows)
    await service.set_warm(tenant, endpoint, wanted, caller, request.app.state.quotas)
    request.app.state.wake_endpoint(await service.id_of(tenant, endpoint))
    return _shown(wanted)


@router.get("/{endpoint}/why", **gives(schemas.WhyEndpoint))
async def why(caller: CurrentCaller, endpoint: str, request: Request) -> schemas.WhyEndpoint:
    """Name the cause of the state an endpoint is in, the evidence, and what to do next."""
    engine, settings = request.app.state.engine, request.app.state.settings
    tenant = await _tenant(caller)
    found = await explaining.explain(engine, tenant, endpoint, settings.public_url)
    return schemas.WhyEndpoint(**found)


@router.get("/{endpoint}/decisions", **gives(schemas.Decisions))
async def decisions(caller: CurrentCaller, endpoint: str, request: Request) -> dict[str, Any]:
    """Tell what the autoscaler saw and decided lately, as recordings that can be replayed.

    Each has `config`, `initial` and `steps` as `kubeserve autoscaler replay` takes them.
    """
    key = await service.id_of(await _tenant(caller), endpoint)
    return {"recordings": await request.app.state.engine.decisions(EndpointId(str(key)))}


@router.get("/{endpoint}/series", **gives(schemas.Series))
async def series(
    caller: CurrentCaller,
    endpoint: str,
    request: Request,
    minutes: Annotated[int, Query(ge=1, le=MOST_MINUTES)] = MOST_MINUTES,
) -> dict[str, Any]:
    """Tell rate, errors, latency, replicas and cold starts of the last minutes.

    Steps of 5 s for up to 15 minutes, of 15 s for more. Known since the engine began; on Knative,
    in steps of 15 s, while somebody asks at least once a minute.
    """
    key = await service.id_of(await _tenant(caller), endpoint)
    return asdict(await request.app.state.engine.series(EndpointId(str(key)), minutes))


@router.get(
    "/{endpoint}/logs",
    response_class=StreamingResponse,
    responses={200: file("application/x-ndjson")},
)
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
            document = {
                "at": line.at.isoformat(),
                "replica": line.replica,
                "text": line.text,
                "members": line.members,
            }
            yield json.dumps(document).encode() + b"\n"

    return StreamingResponse(written(), media_type="application/x-ndjson")


@router.post("/{endpoint}/try", **gives(schemas.Tried))
async def try_out(
    caller: CurrentCaller, endpoint: str, body: schemas.Trial, request: Request
) -> dict[str, Any]:
    """Ask an endpoint once, from here: for a browser, which is to hold no token of an endpoint.

    Programs call the endpoint itself, which is faster and takes larger bodies.
    """
    engine, trier = request.app.state.engine, request.app.state.trier
    tenant = await _tenant(caller)
    row = await service.get(tenant, endpoint)
    look = await service.look(engine, [row])
    [found] = await service.documents([row], request.app.state.settings.public_url, look)
    place = trying.place_of(found, body.tag)
    by = (caller.subject, caller.client)
    answer = await trier.ask(by, caller.tenant, row.id, place, body.body)
    return {**asdict(answer), "from_zero": found["replicas"] == 0}
