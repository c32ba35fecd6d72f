"""Logged requests and drift over HTTP."""

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from controlplane.callers import Caller, CurrentCaller
from controlplane.edge.operations import Page, file, gives
from controlplane.endpoints.payload_log import PayloadLog
from controlplane.payloads import schemas, service
from controlplane.payloads.service import Period
from controlplane.permissions import Scope, allows
from controlplane.rest import MAX_PAGE, Moment, after_number, page
from controlplane.tenants import service as tenants
from controlplane.tenants.service import TenantId
from runtime.problems import Conflict, NotFound

router = APIRouter(prefix="/v1", tags=["payloads"])
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
Since = Annotated[Moment | None, Query()]
PARQUET = "application/vnd.apache.parquet"


async def _tenant(caller: Caller) -> TenantId:
    return (await tenants.get(caller.tenant)).id


@router.get("/endpoints/{endpoint}/payload-log", **gives(schemas.PayloadLogShown))
async def get_payload_log(caller: CurrentCaller, endpoint: str) -> dict[str, Any]:
    """Tell what of an endpoint's requests is logged, and what was, by day."""
    return await service.log_document(await _tenant(caller), endpoint, datetime.now(UTC))


@router.put("/endpoints/{endpoint}/payload-log", **gives(schemas.PayloadLogShown))
async def set_payload_log(
    caller: CurrentCaller, endpoint: str, body: schemas.PayloadLog, request: Request
) -> dict[str, Any]:
    """Log a share of an endpoint's requests, in place of what was said; by new replicas."""
    if request.app.state.no_payloads is not None:
        raise Conflict(request.app.state.no_payloads)
    wanted = PayloadLog(
        body.sample,
        tuple(body.redact),
        tuple(body.hash),
        body.predictions,
        body.retention_days,
        body.max_bytes_per_day,
    )
    tenant = await _tenant(caller)
    request.app.state.wake_endpoint(await service.set_log(tenant, endpoint, wanted, caller))
    return await service.log_document(tenant, endpoint, datetime.now(UTC))


@router.delete("/endpoints/{endpoint}/payload-log", status_code=204)
async def delete_payload_log(caller: CurrentCaller, endpoint: str, request: Request) -> None:
    """Log nothing any more; files that are there stay until they expire."""
    key = await service.set_log(await _tenant(caller), endpoint, None, caller)
    request.app.state.wake_endpoint(key)


@router.get("/endpoints/{endpoint}/payloads", **gives(Page[schemas.PayloadFile]))
async def list_payloads(
    caller: CurrentCaller,
    endpoint: str,
    limit: Limit = 50,
    cursor: str | None = None,
    since: Since = None,
    until: Since = None,
) -> dict[str, Any]:
    """List files of logged requests, the newest first."""
    tenant, period = await _tenant(caller), Period(since, until)
    rows = await service.page(tenant, endpoint, period, limit, after_number(cursor))
    return page(rows, limit, service.shown, lambda row: str(row.id))


@router.get(
    "/endpoints/{endpoint}/payloads/{file}",
    response_class=StreamingResponse,
    responses={200: file(PARQUET, schema={"type": "string", "format": "binary"})},
)
async def read_payloads(
    caller: CurrentCaller, endpoint: str, file: str, request: Request
) -> StreamingResponse:
    """Give a Parquet file of logged requests; who reads it is in the audit log."""
    try:
        key = uuid.UUID(file)
    except ValueError as error:
        raise NotFound(f"There is no file {file[:60]!r}.") from error
    objects, tenant = request.app.state.objects, await _tenant(caller)
    row, chunks = await service.read(tenant, endpoint, key, objects, caller)
    name = f"{endpoint}-{row.day.isoformat()}-{row.key}.parquet"
    headers = {
        "content-length": str(row.size_bytes),
        "content-disposition": f'attachment; filename="{name}"',
    }
    return StreamingResponse(chunks, media_type=PARQUET, headers=headers)


@router.delete("/endpoints/{endpoint}/payloads", **gives(schemas.Deleted))
async def delete_payloads(
    caller: CurrentCaller, endpoint: str, before: Since = None
) -> dict[str, Any]:
    """Delete files whose requests all came before a time; without one, all of them."""
    tenant = await _tenant(caller)
    many = await service.delete(tenant, endpoint, before, caller, datetime.now(UTC))
    return {"files": many}


@router.get("/endpoints/{endpoint}/drift", **gives(schemas.Drift))
async def drift(
    caller: CurrentCaller, endpoint: str, hours: Annotated[int, Query(ge=1, le=720)] = 24
) -> dict[str, Any]:
    """Compare logged requests with a reference, column by column.

    By the population stability index with half a row more in each bin, and by rates of missing
    values; levels as in credit scoring, inconclusive where chance alone may have made them.
    """
    values, tenant = allows(caller.scopes, Scope.PAYLOADS_READ), await _tenant(caller)
    return await service.drift(tenant, endpoint, hours, datetime.now(UTC), values=values)


@router.put("/endpoints/{endpoint}/drift/reference", **gives(schemas.Reference))
async def set_drift_reference(
    caller: CurrentCaller, endpoint: str, body: schemas.Window
) -> dict[str, Any]:
    """Measure drift against a window of logged requests; it is made within a minute or so."""
    tenant, period = await _tenant(caller), Period(body.since, body.until)
    return await service.choose_window(tenant, endpoint, period, caller, datetime.now(UTC))


@router.delete("/endpoints/{endpoint}/drift/reference", status_code=204)
async def delete_drift_reference(caller: CurrentCaller, endpoint: str) -> None:
    """Measure drift against training data again, or the first logged rows."""
    await service.forget_window(await _tenant(caller), endpoint, caller)


@router.get("/models/{model}/versions/{version}/reference", **gives(schemas.TrainingShown))
async def get_reference(caller: CurrentCaller, model: str, version: str) -> dict[str, Any]:
    """Tell what a version's training data are like."""
    return await service.training(await _tenant(caller), model, version)


@router.put("/models/{model}/versions/{version}/reference", **gives(schemas.Reference))
async def set_reference(
    caller: CurrentCaller, model: str, version: str, body: schemas.Training
) -> dict[str, Any]:
    """Say what a version's training data are like, so that drift is measured against them."""
    tenant = await _tenant(caller)
    return await service.put_training(tenant, model, version, body.rows, body.columns, caller)
