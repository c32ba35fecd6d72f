"""The pages where people allow: an application to act for them, or a device to sign in."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from controlplane import forms, pages
from controlplane.accounts.browsers import Browser, MaybeSignedIn, SignedIn, SignInFirst, browsers
from controlplane.oauth import redirects
from controlplane.oauth.allowed import in_words
from controlplane.oauth.authorizing import (
    Asked,
    Authorization,
    Authorizing,
    SentBack,
    signed_in_now,
)
from controlplane.oauth.routes import came_of, oauth_of
from runtime.problems import NotFound, RateLimited

router = APIRouter(tags=["pages"], route_class=pages.PageRoute, default_response_class=HTMLResponse)
ALLOW = "allow"


def _authorizing(request: Request) -> Authorizing:
    return Authorizing(oauth_of(request), request.app.state.applications)


def _now(request: Request) -> datetime:
    return browsers(request).now()


@router.get("/oauth2/authorize")
async def authorize_page(request: Request, browser: MaybeSignedIn) -> Response:
    """Ask a person whether a client may act for them (RFC 6749, 4.1; PKCE needed)."""
    query, authorizing = request.url.query, _authorizing(request)
    try:
        if browser is None:
            await authorizing.check_prompt(query)
            raise SignInFirst(f"{request.url.path}?{signed_in_now(query)}")
        asked = await authorizing.asked(query, browser.person)
        if asked.wants_sign_in(_now(request) - browser.since):
            if "none" in asked.prompt:
                raise authorizing.refuse(asked, "login_required")
            raise SignInFirst(f"{request.url.path}?{signed_in_now(query)}", again=True)
        tenant = await authorizing.remembered(asked, browser.person)
        if tenant is not None:
            return _go(await authorizing.code(asked, tenant, browser, _now(request)))
        if "none" in asked.prompt:
            raise authorizing.refuse(asked, "consent_required")
    except SentBack as back:
        return _go(back.location)
    return _consent_page(authorizing, asked, browser, query)


def _consent_page(
    authorizing: Authorizing, asked: Authorization, browser: Browser, query: str
) -> Response:
    place = redirects.source(asked.redirect_uri)
    page = pages.show(
        "consent",
        **_shown(asked, browser),
        action="/oauth2/authorize",
        place=place,
        request=query,
        stamp=authorizing.stamp(browser.person, query),
    )
    # Browsers hold the place a form leads to on its way to the page's policy, too.
    policy = page.headers["content-security-policy"]
    page.headers["content-security-policy"] = policy.replace(
        "form-action 'self'", f"form-action 'self' {place}"
    )
    return page


@router.post("/oauth2/authorize")
async def authorize(request: Request, browser: SignedIn) -> Response:
    """Take the person's answer: form of `request`, `stamp`, `tenant` and `decision`."""
    came = came_of(request)
    await oauth_of(request).hold_back(came)
    form, authorizing = await forms.read(request), _authorizing(request)
    query, person = form.get("request", ""), browser.person
    authorizing.check_stamp(person, query, form.get("stamp", ""))
    try:
        asked = await authorizing.asked(query, person)
    except SentBack as back:
        return _go(back.location)
    tenant = form.get("tenant", "")
    if form.get("decision") != ALLOW:
        return _go(await authorizing.deny(asked, tenant, person, came))
    return _go(await authorizing.allow(asked, tenant, browser, came, _now(request)))


def _go(to: str) -> Response:
    """Send a browser away, by GET (RFC 9700, 4.12), and tell nobody where from."""
    return RedirectResponse(
        to, 303, {"cache-control": "no-store", "referrer-policy": "no-referrer"}
    )


@router.get("/device")
async def device_page(
    browser: SignedIn, code: Annotated[str, Query(alias="user_code", max_length=40)] = ""
) -> Response:
    """Ask for the code that a device shows; a code in the address is only typed in (RFC 8628)."""
    return pages.show("device", form_token=browser.form_token, code=code, fault=None)


@router.post("/device")
async def device(request: Request, browser: SignedIn) -> Response:
    """Show what the device of a code asks for: form of `user_code`."""
    code = (await forms.read(request)).get("user_code", "")
    authorizing = _authorizing(request)
    address = came_of(request).address
    try:
        asked = await authorizing.device(code, browser.person, address, _now(request))
    except (NotFound, RateLimited) as wrong:
        page = pages.show(
            "device", wrong.status, form_token=browser.form_token, code=code, fault=wrong.detail
        )
        page.headers.update(wrong.headers())
        return page
    return pages.show(
        "device_consent",
        **_shown(asked, browser),
        action="/device/decision",
        code=asked.user_code,
        address=asked.address,
        at=asked.created_at,
        stamp=authorizing.stamp(browser.person, asked.user_code),
    )


@router.post("/device/decision")
async def decide(request: Request, browser: SignedIn) -> Response:
    """Take the person's answer: form of `user_code`, `stamp`, `tenant` and `decision`."""
    form, authorizing = await forms.read(request), _authorizing(request)
    code = form.get("user_code", "")
    authorizing.check_stamp(browser.person, code, form.get("stamp", ""))
    came, now = came_of(request), _now(request)
    asked = await authorizing.device(code, browser.person, came.address, now)
    allowed = form.get("decision") == ALLOW
    tenant = form.get("tenant", "") if allowed else None
    await authorizing.decide(asked, tenant, browser, came, now)
    return pages.show("device_done", allowed=allowed, client=asked.client.name)


def _shown(asked: Asked, browser: Browser) -> dict[str, Any]:
    return {
        "client": asked.client.name,
        "whose": asked.whose,
        "person": browser.person.email,
        "tenants": list(asked.tenants),
        "scopes": in_words(asked.scopes),
        "form_token": browser.form_token,
    }
