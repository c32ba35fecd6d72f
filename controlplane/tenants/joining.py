"""The page behind an invitation's link: sign in or make an account, and join."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from controlplane import forms, pages
from controlplane.accounts import service as accounts
from controlplane.accounts.browsers import Browser, MaybeSignedIn, browsers, caller_of
from controlplane.accounts.passwords import of_application
from controlplane.accounts.service import Person
from controlplane.tenants import invitations
from controlplane.tenants.invitations import InvitationInfo
from runtime.problems import Conflict, InvalidInput, Problem, RateLimited

router = APIRouter(tags=["pages"], route_class=pages.PageRoute, default_response_class=HTMLResponse)


@router.get("/invitations/accept")
async def invitation_page(
    browser: MaybeSignedIn, request: Request, secret: Annotated[str, Query()] = ""
) -> Response:
    """Show what one is invited to."""
    invitation = await invitations.look(secret, browsers(request).now())
    return _page(browser, invitation, secret)


@router.post("/invitations/accept")
async def accept(browser: MaybeSignedIn, request: Request) -> Response:
    """Join: form of `secret`, and of `name` and `password` from who has no account yet."""
    form = await forms.read(request)
    secret, ours = form.get("secret", ""), browsers(request)
    invitation = await invitations.look(secret, ours.now())
    attempt = ours.attempt_at(request, f"invitation:{invitation.id}")
    try:
        # Slow, so before the transaction.
        made = None if browser else await of_application(request).hash(form.get("password", ""))
        email = invitation.email or form.get("email", "")
        name = "" if browser else accounts.checked_name(form.get("name", ""))

        async def whoever(_: InvitationInfo) -> Person:
            return browser.person if browser else await _new(email, name, made)

        if browser is None:
            await attempt.count()
        person = await invitations.accept(
            secret, ours.now(), whoever, lambda person: caller_of(request, person)
        )
    except (InvalidInput, RateLimited) as refused:
        page = _page(browser, invitation, secret, form, refused=refused)
        page.headers.update(refused.headers())
        return page
    response = RedirectResponse("/account?done=joined", 303)
    if browser is None:
        await attempt.succeeded()
        await ours.sign_in(person, request, response, by="invitation")
    return response


async def _new(email: str, name: str, password_hash: str | None) -> Person:
    try:
        return await accounts.create(email, name, password_hash)
    except Conflict as taken:
        raise InvalidInput(
            "There is an account with this e-mail address already. If it is yours, sign in first "
            '("I have an account"); this link then lets you join.',
            field="email",
        ) from taken


def _page(
    browser: Browser | None,
    invitation: InvitationInfo,
    secret: str,
    form: dict[str, str] | None = None,
    *,
    refused: Problem | None = None,
) -> HTMLResponse:
    """Show both ways to join, whether or not the address has an account: that is nobody else's."""
    return pages.show(
        "invitation",
        200 if refused is None else refused.status,
        invitation=invitation,
        secret=secret,
        person=None if browser is None else browser.person,
        form_token="" if browser is None else browser.form_token,
        login="/login?" + urlencode({"next": f"/invitations/accept?secret={secret}"}),
        form=form or {},
        fault=None if refused is None else refused.detail,
    )
