"""Signing in and out with a browser."""

from typing import Annotated, cast

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from controlplane import csrf, forms, pages
from controlplane.accounts import service
from controlplane.accounts.browsers import MaybeSignedIn, browsers, path_of_ours
from controlplane.accounts.passwords import Passwords

router = APIRouter(tags=["pages"], route_class=pages.PageRoute, default_response_class=HTMLResponse)
WRONG = "The e-mail address or the password is wrong."


def _passwords(request: Request) -> Passwords:
    return cast("Passwords", request.app.state.passwords)


@router.get("/login")
async def login_page(
    browser: MaybeSignedIn, back: Annotated[str | None, Query(alias="next")] = None
) -> Response:
    """Show the page for signing in; who is signed in goes on."""
    if browser is not None:
        return RedirectResponse(path_of_ours(back), 303)
    return pages.show("login", next=path_of_ours(back), email="", fault=None)


@router.post("/login")
async def login(request: Request) -> Response:
    """Sign in: form of `email`, `password` and `next`, a path of ours to go to."""
    ours = browsers(request)
    csrf.check_origin(request, ours.url)
    form = await forms.read(request)
    back, email = path_of_ours(form.get("next")), form.get("email", "")
    person = await service.check_password(_passwords(request), email, form.get("password", ""))
    if person is None:
        return pages.show("login", 422, next=back, email=email[:254], fault=WRONG)
    response = RedirectResponse(back, 303)
    await ours.sign_in(person, request, response)
    return response


@router.post("/logout")
async def logout(browser: MaybeSignedIn, request: Request) -> Response:
    """End this browser's session."""
    response = RedirectResponse("/login", 303)
    if browser is not None:
        await browsers(request).sign_out(browser, response)
    return response
