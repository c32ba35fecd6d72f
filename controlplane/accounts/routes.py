"""Signing in and out with a browser, and a person's own account."""

from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from controlplane import csrf, forms, pages
from controlplane.accounts import service
from controlplane.accounts.applications import applications_of
from controlplane.accounts.browsers import (
    Browser,
    MaybeSignedIn,
    SignedIn,
    browsers,
    caller_of,
    path_of_ours,
)
from controlplane.accounts.openid import of_application as openid_of
from controlplane.accounts.passwords import of_application
from runtime.problems import InvalidInput, Malformed, RateLimited

router = APIRouter(tags=["pages"], route_class=pages.PageRoute, default_response_class=HTMLResponse)
WRONG = "The e-mail address or the password is wrong."


@router.get("/login")
async def login_page(
    browser: MaybeSignedIn,
    request: Request,
    back: Annotated[str | None, Query(alias="next")] = None,
    again: Annotated[bool, Query()] = False,
) -> Response:
    """Show the page for signing in; who is signed in goes on, unless `again`."""
    if browser is not None and not again:
        return RedirectResponse(path_of_ours(back), 303)
    return _sign_in_page(request, path_of_ours(back), again=again)


@router.post("/login")
async def login(request: Request) -> Response:
    """Sign in: form of `email`, `password`, `again` and `next`, a path of ours to go to."""
    ours = browsers(request)
    csrf.check_origin(request, ours.url)
    form = await forms.read(request)
    back, email = path_of_ours(form.get("next")), form.get("email", "")
    password, passwords = form.get("password", ""), of_application(request)
    shown = partial(_sign_in_page, request, back, email=email, again="again" in form)
    try:
        person = await service.sign_in(passwords, ours.attempt(request, email), email, password)
    except RateLimited as refused:
        await ours.refused(request, email, await service.subject_of(email), why="too many attempts")
        page = shown(status=429, fault=refused.detail)
        page.headers.update(refused.headers())
        return page
    # An application may be the next but one, and browsers hold all that follows a form at once to
    # the policy of its page (form-action): so this form ends here, and the page goes on.
    response: Response = RedirectResponse(back, 303)
    if back.startswith("/oauth2/"):
        response = pages.show("signed_in", next=back)
    while person is not None:
        if await ours.sign_in(person, request, response, by="password"):
            return response
        # It was changed while it was checked, or is only kept in a better way.
        person = await service.check_password(passwords, email, password)
    await ours.refused(request, email, await service.subject_of(email), why="password")
    return shown(status=422, fault=WRONG)


def _sign_in_page(
    request: Request,
    back: str,
    *,
    again: bool,
    status: int = 200,
    email: str = "",
    fault: str | None = None,
) -> HTMLResponse:
    elsewhere = openid_of(request)
    there = {"next": back} | ({"again": "true"} if again else {})
    return pages.show(
        "login",
        status,
        next=back,
        email=email[:254],
        fault=fault,
        again=again,
        external=None if elsewhere is None else elsewhere.provider.name,
        leave=f"/login/external?{urlencode(there)}",
    )


@router.post("/logout")
async def logout(browser: MaybeSignedIn, request: Request) -> Response:
    """End this browser's session."""
    response = RedirectResponse("/login", 303)
    if browser is not None:
        await browsers(request).sign_out(browser, request, response)
    return response


@router.get("/account")
async def account_page(
    browser: SignedIn, request: Request, done: Annotated[str | None, Query()] = None
) -> Response:
    """Show who one is, the browsers one is signed in with, and what acts for one."""
    return await _account(request, browser, done=DONE.get(done or ""))


@router.post("/account")
async def change_account(browser: SignedIn, request: Request) -> Response:
    """Change one thing: the form's `do` says what."""
    form = await forms.read(request)
    person, caller = browser.person, caller_of(request, browser.person)
    response = RedirectResponse(f"/account?done={form.get('do', '')}", 303)
    try:
        match form.get("do"):
            case "rename":
                await service.rename(caller, person, form.get("name", ""))
            case "password":
                await _change_password(request, browser, form, response)
            case "end-session":
                await service.end_session_of(caller, person, form.get("session", ""))
            case "end-others":
                await service.end_other_sessions(caller, person, browser.cookie)
            case "end-application":
                client, tenant = form.get("client", ""), form.get("tenant", "")
                await applications_of(request).end(caller, person.id, client, tenant)
                await request.app.state.publish_keys()
            case _:
                raise Malformed("This form is not one of this page; reload it.")
    except (InvalidInput, RateLimited) as refused:
        page = await _account(request, browser, refused.status, fault=refused.detail)
        page.headers.update(refused.headers())
        return page
    return response


DONE = {
    "joined": "You have joined.",
    "rename": "Your name is changed.",
    "password": "Your password is changed; you are signed out everywhere else, applications too.",
    "end-session": "That browser is signed out.",
    "end-others": "All other browsers are signed out.",
    "end-application": "That application acts for you no more.",
}


async def _change_password(
    request: Request, browser: Browser, form: dict[str, str], response: Response
) -> None:
    ours, person = browsers(request), browser.person
    changed = await service.change_password(
        caller_of(request, person),
        person,
        of_application(request),
        form.get("current", ""),
        form.get("new", ""),
        attempt=ours.attempt(request, person.email),
        applications=applications_of(request),
    )
    if changed is None:
        await ours.refused(request, person.email, person.subject, why="current password")
        raise InvalidInput("The current password is wrong.", field="current")
    await request.app.state.publish_keys()
    await ours.sign_in(changed, request, response, by="password")


async def _account(
    request: Request,
    browser: Browser,
    status: int = 200,
    *,
    fault: str | None = None,
    done: str | None = None,
) -> HTMLResponse:
    now = browsers(request).now()
    return pages.show(
        "account",
        status,
        person=browser.person,
        has_password=await service.has_password(browser.person),
        elsewhere=await service.elsewhere(browser.person),
        sessions=await service.sessions(browser.person, now),
        this=service.digest(browser.cookie),
        applications=await applications_of(request).of(browser.person.id),
        form_token=browser.form_token,
        fault=fault,
        done=done,
    )
