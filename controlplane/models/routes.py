"""Models, versions, aliases over HTTP."""

import base64
import binascii
import re
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from controlplane.artifacts.store import too_large
from controlplane.callers import Caller, CurrentCaller
from controlplane.edge.operations import Page, Why, file, gives, taking
from controlplane.idempotency import once
from controlplane.models import schemas, service
from controlplane.models.service import Expected
from controlplane.rest import MAX_PAGE, after, after_number, check_match, page, tagged
from controlplane.subjects import with_names
from controlplane.tenants import service as tenants
from controlplane.tenants.service import TenantId
from runtime.problems import InvalidInput, Malformed, UnsupportedMediaType

router = APIRouter(prefix="/v1/models", tags=["models"])
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):")
UPLOAD = {
    "requestBody": {
        "required": True,
        **file("application/octet-stream", schema={"type": "string", "format": "binary"}),
    },
    "parameters": [
        {
            "name": "Content-Digest",
            "in": "header",
            "description": "sha-256=:BASE64: of the file (RFC 9530), compared when it has arrived.",
            "schema": {"type": "string"},
        }
    ],
}


async def _tenant(caller: Caller) -> TenantId:
    return (await tenants.get(caller.tenant)).id


@router.get("", **gives(Page[schemas.Model]))
async def list_models(
    caller: CurrentCaller, limit: Limit = 50, cursor: str | None = None
) -> dict[str, Any]:
    rows = await service.list_models(await _tenant(caller), limit, after(cursor))
    return page(rows, limit, lambda row: row, lambda row: str(row["name"]))


@router.post("", status_code=201, **gives(schemas.Model, 201, once=True))
async def create_model(
    caller: CurrentCaller, body: schemas.NewModel, request: Request
) -> dict[str, Any]:
    async def act() -> dict[str, Any]:
        tenant, quotas = await _tenant(caller), request.app.state.quotas
        return await service.create_model(tenant, body.name, body.description, quotas, caller)

    return await once(request, caller, act)


@router.get("/{model}", **gives(schemas.Model, etag=True))
async def get_model(caller: CurrentCaller, model: str, response: Response) -> dict[str, Any]:
    row = await service.get_model(await _tenant(caller), model)
    return tagged(response, await service.show_model(row))


@router.delete("/{model}", status_code=204, openapi_extra=taking(if_match=True))
async def delete_model(caller: CurrentCaller, model: str, request: Request) -> None:
    tenant = await _tenant(caller)
    check_match(request, await service.show_model(await service.get_model(tenant, model)))
    await service.delete_model(tenant, model, caller)


@router.post("/{model}/versions", status_code=201, **gives(schemas.Version, 200, 201, extra=UPLOAD))
async def push(
    caller: CurrentCaller, model: str, request: Request, response: Response
) -> dict[str, Any]:
    """Upload a file written by joblib.dump or pickle.dump, or a bundle, as a new version."""
    kind = request.headers.get("content-type", "application/octet-stream").split(";")[0]
    if kind.strip() != "application/octet-stream":
        raise UnsupportedMediaType("Send the file itself as application/octet-stream.")
    settings = request.app.state.settings
    announced = _announced(request)
    if announced is not None and announced > settings.max_upload_bytes:
        raise too_large(settings.max_upload_bytes)
    digest = _digest(request.headers.get("content-digest"))
    row, version, new = await service.upload(
        await _tenant(caller),
        model,
        _whole(request, announced),
        request.app.state.store,
        request.app.state.storage,
        Expected(settings.max_upload_bytes, digest, announced),
        by=caller,
    )
    request.app.state.wake_builds()
    response.status_code = 201 if new else 200
    response.headers["location"] = f"/v1/models/{row.name}/versions/{version.number}"
    return await _named(request, caller, await service.version_document(row, version))


async def _named(request: Request, caller: Caller, document: dict[str, Any]) -> dict[str, Any]:
    return (await with_names(request, caller.tenant, [document]))[0]


def _announced(request: Request) -> int | None:
    text = request.headers.get("content-length")
    return int(text) if text is not None and text.isdigit() else None


async def _whole(request: Request, announced: int | None) -> AsyncIterator[bytes]:
    """Give the body; raises Malformed when it ends before it should."""
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        yield chunk
    if announced is not None and received != announced:
        raise Malformed(f"The upload ended after {received} of {announced} bytes; send it again.")


def _digest(header: str | None) -> str | None:
    """Read `Content-Digest` (RFC 9530) as hexadecimal."""
    if header is None:
        return None
    found = DIGEST.search(header)
    try:
        raw = base64.b64decode(found.group(1), validate=True) if found else b""
    except binascii.Error:
        raw = b""
    if len(raw) != 32:
        raise InvalidInput("Content-Digest must be sha-256=:BASE64: of 32 bytes.")
    return raw.hex()


@router.get("/{model}/versions", **gives(Page[schemas.Version]))
async def list_versions(
    caller: CurrentCaller,
    model: str,
    request: Request,
    limit: Limit = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    below = after_number(cursor)
    found = await service.list_versions(await _tenant(caller), model, limit, below)
    rows = await with_names(request, caller.tenant, found)
    return page(rows, limit, lambda row: row, lambda row: str(row["number"]))


@router.get("/{model}/versions/{version}", **gives(schemas.Version, etag=True))
async def get_version(
    caller: CurrentCaller, model: str, version: str, request: Request, response: Response
) -> dict[str, Any]:
    row, found = await service.find_version(await _tenant(caller), model, version)
    document = await service.version_document(row, found)
    return tagged(response, await _named(request, caller, document))


@router.get("/{model}/versions/{version}/why", **gives(Why))
async def why_version(
    caller: CurrentCaller, model: str, version: str, request: Request
) -> dict[str, Any]:
    """Say why a version waits, failed or is served as it is, and what to do next."""
    quotas = request.app.state.quotas
    return await service.explain(await _tenant(caller), model, version, quotas)


@router.get("/{model}/aliases", **gives(Page[schemas.Alias]))
async def list_aliases(caller: CurrentCaller, model: str) -> dict[str, Any]:
    return {"items": await service.list_aliases(await _tenant(caller), model), "next": None}


@router.get("/{model}/aliases/{alias}", **gives(schemas.Alias, etag=True))
async def get_alias(
    caller: CurrentCaller, model: str, alias: str, response: Response
) -> dict[str, Any]:
    return tagged(response, await service.get_alias(await _tenant(caller), model, alias))


@router.put("/{model}/aliases/{alias}", **gives(schemas.Alias))
async def set_alias(
    caller: CurrentCaller, model: str, alias: str, body: schemas.AliasTarget
) -> dict[str, Any]:
    return await service.set_alias(await _tenant(caller), model, alias, body.version, caller)


@router.delete("/{model}/aliases/{alias}", status_code=204)
async def delete_alias(caller: CurrentCaller, model: str, alias: str) -> None:
    await service.delete_alias(await _tenant(caller), model, alias, caller)
