"""Tokens, keys, metadata and clients over HTTP."""

from datetime import UTC, datetime
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from controlplane.callers import CurrentCaller, require_platform
from controlplane.edge.operations import Page, file, gives
from controlplane.idempotency import once_with_secret
from controlplane.oauth import schemas
from controlplane.oauth.service import ClientInfo, OAuth
from controlplane.permissions import ALL_SCOPES
from controlplane.rest import MAX_PAGE, after, page
from controlplane.tenants import service as tenants

router = APIRouter(tags=["oauth"])
TOKEN = {
    "requestBody": {
        "required": True,
        **file("application/x-www-form-urlencoded", schemas.TOKEN_FORM),
    }
}
REFUSED = {"model": schemas.OAuthError, "description": "A refusal in OAuth's own shape"}
TOKEN_ANSWERS = gives(schemas.Token, extra=TOKEN)
TOKEN_ANSWERS["responses"] |= {400: REFUSED, 401: REFUSED}


def _oauth(request: Request) -> OAuth:
    return cast("OAuth", request.app.state.oauth)


@router.post("/oauth2/token", **TOKEN_ANSWERS)
async def token(request: Request) -> JSONResponse:
    """Give an access token (client_credentials; `resource` names an endpoint's audience)."""
    status, document, headers = await _oauth(request).token(
        await request.body(),
        request.url.query,
        cast("dict[str, str]", request.headers),
        datetime.now(UTC),
    )
    headers = {k: v for k, v in headers.items() if k.lower() != "content-type"}
    return JSONResponse(document, status, headers)


@router.get("/oauth2/jwks.json", **gives(schemas.KeySet))
async def jwks(request: Request) -> JSONResponse:
    document = await _oauth(request).jwks()
    return JSONResponse(document, headers={"cache-control": "public, max-age=300"})


@router.get("/.well-known/oauth-authorization-server", **gives(schemas.Metadata))
async def metadata(request: Request) -> dict[str, Any]:
    """Describe the authorization server (RFC 8414)."""
    issuer = _oauth(request).issuer
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth2/token",
        "jwks_uri": f"{issuer}/oauth2/jwks.json",
        "scopes_supported": list(ALL_SCOPES),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "service_documentation": f"{issuer}/docs",
    }


def _show(client: ClientInfo) -> dict[str, Any]:
    return {
        "id": client.id,
        "name": client.name,
        "scopes": list(client.scopes),
        "created_at": client.created_at.isoformat(),
    }


@router.get("/v1/clients", **gives(Page[schemas.Client]))
async def list_clients(
    caller: CurrentCaller,
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    tenant = await tenants.get(caller.tenant)
    rows = await _oauth(request).clients(tenant.id, limit, after(cursor))
    return page(rows, limit, _show, lambda row: str(row.id))


@router.post("/v1/clients", status_code=201, **gives(schemas.ClientWithSecret, 201, once=True))
async def create_client(
    caller: CurrentCaller, body: schemas.NewClient, request: Request
) -> dict[str, Any]:
    """Make a client; the secret is in this answer and nowhere else."""
    if body.tenant not in (None, caller.tenant):
        require_platform(caller)
    tenant = await tenants.get(body.tenant or caller.tenant)
    oauth = _oauth(request)

    async def act() -> dict[str, Any]:
        made = await oauth.create_client(tenant.id, body.name, body.scopes, caller)
        return {**_show(made), "secret": made.secret}

    return await once_with_secret(request, caller.tenant, "secret", act)


@router.delete("/v1/clients/{client}", status_code=204)
async def delete_client(caller: CurrentCaller, client: str, request: Request) -> None:
    """Revoke a client and its tokens; the runtimes hear of it within a second."""
    tenant = await tenants.get(caller.tenant)
    await _oauth(request).revoke_client(tenant.id, client, caller)
    await request.app.state.publish_keys()
