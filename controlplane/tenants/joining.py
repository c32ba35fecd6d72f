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
from runtime.problems import InvalidInput

router = APIRouter(tags=["pages"], route_class=pages.PageRoute, default_response_class=HTMLResponse)


@router.get("/invitations/accept")
async def invitation_page(
    browser: MaybeSignedIn, request: Request, secret: Annotated[str, Query()] = ""
) -> Response:
    """Show what one is invited to."""
    invitation = await invitations.look(secret, browsers(request).now())
    return await _page(browser, invitation, secret)


@router.post("/invitations/accept")
async def accept(browser: MaybeSignedIn, request: Request) -> Response:
    """Join: form of `secret`, and of `name` and `password` from who has no account yet."""
    form = await forms.read(request)
    secret, ours = form.get("secret", ""), browsers(request)
    invitation = await invitations.look(secret, ours.now())
    try:
        # Slow, so before the transaction.
        made = None if browser else await of_application(request).hash(form.get("password", ""))
        email = invitation.email or form.get("email", "")

        async def whoever(_: InvitationInfo) -> Person:
            if browser is not None:
                return browser.person
            return await accounts.create(email, accounts.checked_name(form.get("name", "")), made)

        person = await invitations.accept(
            secret, ours.now(), whoever, lambda person: caller_of(request, person)
        )
    except InvalidInput as refused:
        return await _page(browser, invitation, secret, form, fault=refused.detail)
    response = RedirectResponse("/account?done=joined", 303)
    if browser is None:
        await ours.sign_in(person, request, response, by="invitation")
    return response


async def _page(
    browser: Browser | None,
    invitation: InvitationInfo,
    secret: str,
    form: dict[str, str] | None = None,
    *,
    fault: str | None = None,
) -> HTMLResponse:
    known = invitation.email is not None and await accounts.by_email(invitation.email) is not None
    return pages.show(
        "invitation",
        422 if fault else 200,
        invitation=invitation,
        secret=secret,
        person=None if browser is None else browser.person,
        form_token="" if browser is None else browser.form_token,
        login="/login?" + urlencode({"next": f"/invitations/accept?secret={secret}"}),
        known=known,
        form=form or {},
        fault=fault,
    )
