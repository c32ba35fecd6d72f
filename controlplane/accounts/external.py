"""Signing in elsewhere: to the OpenID provider and back."""

import base64
import binascii
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from controlplane import pages
from controlplane.accounts import identities
from controlplane.accounts.applications import applications_of
from controlplane.accounts.browsers import browsers, caller_of, path_of_ours
from controlplane.accounts.openid import Flow, OpenId, of_application
from runtime.problems import Forbidden, NotFound

router = APIRouter(
    prefix="/login/external",
    tags=["pages"],
    route_class=pages.PageRoute,
    default_response_class=HTMLResponse,
)
COOKIE: Final = "kubeserve-external"
WITHIN: Final = timedelta(minutes=10)


def _openid(request: Request) -> OpenId:
    found = of_application(request)
    if found is None:
        raise NotFound("No provider is set up to sign in with; sign in with your password.")
    return found


@router.get("")
async def leave(
    request: Request,
    back: Annotated[str | None, Query(alias="next")] = None,
    again: Annotated[bool, Query()] = False,
) -> Response:
    """Send the browser to the provider; with `again` who is signed in there has to show it anew."""
    flow = Flow.new()
    response = RedirectResponse(await _openid(request).address(flow, again=again), 303)
    there = base64.urlsafe_b64encode(path_of_ours(back).encode()).decode()
    kept = f"{flow.secret}.{there.rstrip('=')}"
    browsers(request).keep(response, COOKIE, kept, int(WITHIN.total_seconds()))
    response.headers["cache-control"] = "no-store"
    return response


@router.get("/callback")
async def come_back(request: Request) -> Response:
    """Sign in whom the provider names."""
    ours = browsers(request)
    flow, back = _kept(request.cookies.get(ours.named(COOKIE)))
    claims = await _openid(request).finish(flow, request.query_params)
    try:
        person = await identities.person_of(
            claims,
            request.app.state.is_invited,
            lambda person: caller_of(request, person),
            applications_of(request),
            ours.now(),
        )
    except Forbidden as refused:
        who, target = f"{claims.issuer} {claims.subject}", "user:unknown"
        await ours.refused(request, who, target, by=claims.issuer, why=refused.detail[:200])
        raise
    await request.app.state.publish_keys()
    response = RedirectResponse(back, 303)
    ours.drop(response, COOKIE)
    await ours.sign_in(person, request, response, by=claims.issuer)
    return response


def _kept(cookie: str | None) -> tuple[Flow | None, str]:
    """Read the cookie of a flow; where it does not say, the account's page is next."""
    secret, _, there = (cookie or "").partition(".")
    try:
        back = base64.urlsafe_b64decode(there + "=" * (-len(there) % 4)).decode()
    except (binascii.Error, ValueError):
        back = None
    return (Flow(secret) if secret else None), path_of_ours(back)
