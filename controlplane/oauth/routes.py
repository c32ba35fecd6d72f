"""Tokens, keys, metadata and clients over HTTP."""

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from controlplane.callers import Callers, CurrentCaller, address_of, require_platform
from controlplane.edge.operations import Page, file, gives
from controlplane.idempotency import once, once_with_secret
from controlplane.oauth import metadata, schemas
from controlplane.oauth.clients import ClientInfo, NewClient
from controlplane.oauth.exchange import Came
from controlplane.oauth.rotation import MAX_AGE_S
from controlplane.oauth.server import Answer
from controlplane.oauth.service import OAuth
from controlplane.rest import MAX_PAGE, after, page
from controlplane.tenants import service as tenants
from runtime.problems import Forbidden

router = APIRouter(tags=["oauth"])
NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
REFUSED = {"model": schemas.OAuthError, "description": "A refusal in OAuth's own shape"}


def _takes(form: dict[str, Any], answer: Any) -> dict[str, Any]:
    """Say of a route that it takes a form and refuses in OAuth's words."""
    body = {"required": True, **file("application/x-www-form-urlencoded", schema=form)}
    told = gives(answer, extra={"requestBody": body})
    told["responses"] |= {400: REFUSED, 401: REFUSED, 429: REFUSED}
    return told


def oauth_of(request: Request) -> OAuth:
    """Give the authorization server of the application."""
    return cast("OAuth", request.app.state.oauth)


def came_of(request: Request) -> Came:
    """Say where a request came from."""
    return Came(address_of(request), request.state.request_id)


async def _sent(request: Request) -> tuple[bytes, str, dict[str, str]]:
    return await request.body(), request.url.query, cast("dict[str, str]", request.headers)


def _json(answer: Answer) -> JSONResponse:
    status, document, headers = answer
    kept = {k.lower(): v for k, v in headers.items() if k.lower() != "content-type"}
    return JSONResponse(document, status, NO_STORE | kept)


@router.post("/oauth2/token", **_takes(schemas.TOKEN_FORM, schemas.Token))
async def token(request: Request) -> JSONResponse:
    """Give tokens (RFC 6749, 8628); `resource` names an endpoint's audience (RFC 8707)."""
    sent = await _sent(request)
    return _json(await oauth_of(request).token(*sent, datetime.now(UTC), came_of(request)))


@router.post("/oauth2/device_authorization", **_takes(schemas.DEVICE_FORM, schemas.DeviceCodes))
async def device_authorization(request: Request) -> JSONResponse:
    """Give a device the code a person types in at /device (RFC 8628)."""
    sent = await _sent(request)
    oauth = oauth_of(request)
    return _json(await oauth.device_authorization(*sent, datetime.now(UTC), came_of(request)))


@router.post("/oauth2/revoke", **_takes(schemas.SHOWN_FORM, schemas.Nothing))
async def revoke(request: Request) -> JSONResponse:
    """Revoke a token (RFC 7009); a refresh token ends all that came of its sign-in."""
    oauth = oauth_of(request)
    answer = _json(await oauth.revoke(*await _sent(request), datetime.now(UTC), came_of(request)))
    await request.app.state.publish_keys()
    return answer


@router.post("/oauth2/introspect", **_takes(schemas.SHOWN_FORM, schemas.Introspection))
async def introspect(request: Request) -> JSONResponse:
    """Tell whether a token of the client's own tenant works (RFC 7662)."""
    sent = await _sent(request)
    return _json(await oauth_of(request).introspect(*sent, datetime.now(UTC), came_of(request)))


@router.get("/oauth2/userinfo", **gives(schemas.UserInfo))
@router.post("/oauth2/userinfo", **gives(schemas.UserInfo))
async def userinfo(request: Request) -> JSONResponse:
    """Tell who the token is of, as its scopes allow (OpenID Connect)."""
    callers: Callers = request.app.state.callers
    caller = await callers.identify(request.headers.get("authorization"))
    if "openid" not in caller.scopes:
        raise Forbidden("This needs the scope openid.", scope="openid")
    told = await oauth_of(request).userinfo(caller)
    return JSONResponse(told, headers=NO_STORE)


@router.get("/oauth2/jwks.json", **gives(schemas.KeySet))
async def jwks(request: Request) -> JSONResponse:
    """Give the public keys, those too that sign next."""
    document = await oauth_of(request).jwks()
    return JSONResponse(document, headers={"cache-control": f"public, max-age={MAX_AGE_S}"})


@router.get("/.well-known/oauth-authorization-server", **gives(schemas.Metadata))
@router.get("/.well-known/openid-configuration", **gives(schemas.Metadata))
async def authorization_server(request: Request) -> dict[str, Any]:
    """Describe the authorization server (RFC 8414, OpenID Connect Discovery)."""
    return metadata.authorization_server(oauth_of(request).issuer)


@router.get("/.well-known/oauth-protected-resource", **gives(schemas.Resource))
async def protected_resource(request: Request) -> dict[str, Any]:
    """Describe the API (RFC 9728)."""
    return metadata.api(oauth_of(request).issuer)


@router.get("/.well-known/oauth-protected-resource/endpoints/{endpoint}", **gives(schemas.Resource))
async def protected_endpoint(request: Request, endpoint: uuid.UUID) -> dict[str, Any]:
    """Describe an endpoint (RFC 9728)."""
    return metadata.endpoint(oauth_of(request).issuer, str(endpoint))


@router.post("/v1/admin/keys/rotate", status_code=202, **gives(schemas.Rotated, 202, once=True))
async def rotate_keys(
    caller: CurrentCaller, body: schemas.Rotation, request: Request
) -> dict[str, Any]:
    """Change the signing key; with `now`, no token signed before works any more."""
    require_platform(caller)
    oauth = oauth_of(request)

    async def act() -> dict[str, Any]:
        kid, left = await oauth.rotate_now(caller, at_once=body.now)
        return {"kid": kid, "signs_in_s": left}

    answer = await once(request, caller, act)
    await request.app.state.publish_keys()
    return answer


def _show(client: ClientInfo) -> dict[str, Any]:
    return {
        "id": client.id,
        "name": client.name,
        "scopes": list(client.scopes),
        "redirect_uris": list(client.redirect_uris),
        "auth_method": client.auth_method,
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
    rows = await oauth_of(request).clients.page(tenant.id, limit, after(cursor))
    return page(rows, limit, _show, lambda row: str(row.id))


@router.post("/v1/clients", status_code=201, **gives(schemas.ClientWithSecret, 201, once=True))
async def create_client(
    caller: CurrentCaller, body: schemas.NewClient, request: Request
) -> dict[str, Any]:
    """Make a client; the secret is in this answer and nowhere else.

    With `redirect_uris` it is an application that people sign in with; `public` if it can keep no
    secret. With `jwks` it shows who it is by assertions it signs (private_key_jwt).
    """
    if body.tenant not in (None, caller.tenant):
        require_platform(caller)
    tenant = await tenants.get(body.tenant or caller.tenant)
    oauth = oauth_of(request)
    wanted = NewClient(body.name, body.scopes, body.redirect_uris, body.public, body.jwks)

    async def act() -> dict[str, Any]:
        made = await oauth.clients.create(caller, tenant, wanted)
        return _show(made) | ({} if made.secret is None else {"secret": made.secret})

    return {"secret": None, **await once_with_secret(request, caller, "secret", act)}


@router.delete("/v1/clients/{client}", status_code=204)
async def delete_client(caller: CurrentCaller, client: str, request: Request) -> None:
    """Revoke a client and its tokens; the runtimes hear of it within a second."""
    tenant = await tenants.get(caller.tenant)
    await oauth_of(request).clients.revoke(caller, tenant.id, client)
    await request.app.state.publish_keys()
