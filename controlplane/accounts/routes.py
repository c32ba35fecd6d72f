"""Signing in and out with a browser, and a person's own account."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from controlplane import csrf, forms, pages
from controlplane.accounts import service
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
) -> Response:
    """Show the page for signing in; who is signed in goes on."""
    if browser is not None:
        return RedirectResponse(path_of_ours(back), 303)
    return _sign_in_page(request, path_of_ours(back))


@router.post("/login")
async def login(request: Request) -> Response:
    """Sign in: form of `email`, `password` and `next`, a path of ours to go to."""
    ours = browsers(request)
    csrf.check_origin(request, ours.url)
    form = await forms.read(request)
    back, email = path_of_ours(form.get("next")), form.get("email", "")
    try:
        person = await service.sign_in(
            of_application(request), ours.attempt(request, email), email, form.get("password", "")
        )
    except RateLimited as refused:
        page = _sign_in_page(request, back, 429, email=email, fault=refused.detail)
        page.headers.update(refused.headers())
        return page
    if person is None:
        return _sign_in_page(request, back, 422, email=email, fault=WRONG)
    response = RedirectResponse(back, 303)
    await ours.sign_in(person, request, response, by="password")
    return response


def _sign_in_page(
    request: Request, back: str, status: int = 200, *, email: str = "", fault: str | None = None
) -> HTMLResponse:
    elsewhere = openid_of(request)
    return pages.show(
        "login",
        status,
        next=back,
        email=email[:254],
        fault=fault,
        external=None if elsewhere is None else elsewhere.provider.name,
        leave=f"/login/external?{urlencode({'next': back})}",
    )


@router.post("/logout")
async def logout(browser: MaybeSignedIn, request: Request) -> Response:
    """End this browser's session."""
    response = RedirectResponse("/login", 303)
    if browser is not None:
        await browsers(request).sign_out(browser, response)
    return response


@router.get("/account")
async def account_page(
    browser: SignedIn, request: Request, done: Annotated[str | None, Query()] = None
) -> Response:
    """Show who one is, and the browsers one is signed in with."""
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
    "password": "Your password is changed; you are signed out everywhere else.",
    "end-session": "That browser is signed out.",
    "end-others": "All other browsers are signed out.",
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
        ours.attempt(request, person.email),
    )
    if not changed:
        raise InvalidInput("The current password is wrong.", field="current")
    await ours.sign_in(person, request, response, by="password")


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
        form_token=browser.form_token,
        fault=fault,
        done=done,
    )
