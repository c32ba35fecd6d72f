"""Load tests over HTTP."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from controlplane.callers import Caller, CurrentCaller
from controlplane.edge.operations import Page, Why, file, gives
from controlplane.idempotency import once
from controlplane.loadtests import schemas, service
from controlplane.loadtests.service import Told
from controlplane.rest import MAX_PAGE, after_number, check_name, page
from controlplane.subjects import with_names
from controlplane.tenants import service as tenants
from controlplane.tenants.service import TenantId
from runtime.problems import Forbidden, NotImplementedHere

router = APIRouter(prefix="/v1/loadtests", tags=["load tests"])
EVENT_STREAM: Final = "text/event-stream"
UNBUFFERED: Final = {"x-accel-buffering": "no"}  # by an ingress that is nginx
MEDIA_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "junit": "application/xml",
    "csv": "text/csv; charset=utf-8",
}
# A report brings its own styles and drawings; it runs nothing, and is of no origin.
REPORT_POLICY: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
)


async def _tenant(caller: Caller) -> TenantId:
    return (await tenants.get(caller.tenant)).id


async def _named(request: Request, caller: Caller, document: dict[str, Any]) -> dict[str, Any]:
    return (await with_names(request, caller.tenant, [document]))[0]


@router.post("", status_code=201, **gives(schemas.LoadTest, 201, once=True))
async def create(
    caller: CurrentCaller, body: schemas.NewLoadTest, request: Request
) -> dict[str, Any]:
    """Send a load to an endpoint of the tenant and judge it; one after the other in their order.

    It is sent as whoever asks, who must be allowed to `predict` too. Durations have a unit, such as
    `50ms` or `10m`.
    """
    if not await request.app.state.oauth.may_predict(
        (caller.subject, caller.client), caller.tenant
    ):
        raise Forbidden("A load test predicts as you; this needs the scope predict too.")
    refusal: str | None = request.app.state.no_loadtests
    if refusal is not None:
        raise NotImplementedHere(refusal)
    tenant, state = await _tenant(caller), request.app.state
    generators: int = state.settings.loadtest_generators

    async def act() -> dict[str, Any]:
        files = {kind: (file.name, file.content) for kind, file in body.files().items()}
        given = await service.keep(state.store, files)
        plan = body.plan()
        return await service.create(caller, tenant, plan, given, state.quotas, generators)

    return await _named(request, caller, await once(request, caller, act))


@router.get("", **gives(Page[schemas.LoadTest]))
async def list_loadtests(
    caller: CurrentCaller,
    request: Request,
    endpoint: str | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """List load tests, the newest first; those of deleted endpoints too."""
    if endpoint is not None:
        check_name("endpoint", endpoint)
    below = after_number(cursor)
    found = await service.page(await _tenant(caller), endpoint, limit, below)
    rows = await with_names(request, caller.tenant, found)
    return page(rows, limit, lambda row: row, lambda row: str(row["number"]))


@router.get("/{loadtest}", **gives(schemas.LoadTest))
async def get_loadtest(caller: CurrentCaller, loadtest: str, request: Request) -> dict[str, Any]:
    found = await service.document(await _tenant(caller), loadtest)
    return await _named(request, caller, found)


@router.get("/{loadtest}/why", **gives(Why))
async def why_loadtest(caller: CurrentCaller, loadtest: str) -> dict[str, Any]:
    """Say why a test waits, or ended as it did, and what to do next."""
    return await service.explain(await _tenant(caller), loadtest)


@router.post("/{loadtest}/cancel", status_code=202, **gives(schemas.LoadTest, 202))
async def cancel(caller: CurrentCaller, loadtest: str, request: Request) -> dict[str, Any]:
    """End a test that waits or runs. It becomes `interrupted`; what it measured is kept."""
    found = await service.cancel(caller, await _tenant(caller), loadtest)
    return await _named(request, caller, found)


@router.get(
    "/{loadtest}/events",
    response_class=StreamingResponse,
    responses={200: file(EVENT_STREAM)},
)
async def events(
    caller: CurrentCaller,
    loadtest: str,
    request: Request,
    last_event_id: Annotated[int, Header(ge=0, lt=1 << 31)] = 0,
) -> StreamingResponse:
    """Follow a test by server-sent events: what it told already, then what it tells.

    The stream ends with the event `ended`. `Last-Event-ID` goes on behind an event.
    """
    row = await service.get(await _tenant(caller), loadtest)
    told = service.follow(row, last_event_id, request.app.state.loadtest_news)
    return StreamingResponse(_written(told), media_type=EVENT_STREAM, headers=UNBUFFERED)


async def _written(told: AsyncIterator[Told | None]) -> AsyncIterator[bytes]:
    async for one in told:
        if one is None:
            yield b": nothing new\n\n"
        else:
            text = json.dumps(one.document)
            yield f"id: {one.number}\nevent: {one.document['event']}\ndata: {text}\n\n".encode()


@router.get(
    "/{loadtest}/report",
    response_class=Response,
    responses={
        200: {
            "content": {kind.partition(";")[0]: {"schema": {}} for kind in MEDIA_TYPES.values()},
        }
    },
)
async def report(
    caller: CurrentCaller,
    loadtest: str,
    request: Request,
    format: schemas.ReportFormat = "html",  # noqa: A002  (its name in the address)
) -> Response:
    """Give the report of a test that has ended: a page, all figures, JUnit, or Locust's table."""
    found = await service.report(await _tenant(caller), loadtest, format)
    with tempfile.TemporaryDirectory(prefix="kubeserve-report-") as folder:
        path = Path(folder) / "report"
        await service.fetch(request.app.state.store, found, path)
        content = await asyncio.to_thread(path.read_bytes)
    headers = {"content-security-policy": REPORT_POLICY} if format == "html" else {}
    return Response(content, media_type=MEDIA_TYPES[format], headers=headers)
