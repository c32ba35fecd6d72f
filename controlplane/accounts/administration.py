"""People of the installation, for its owners: who there is, who may sign in, a way back in.

Whoever gives links with which passwords are set can be anybody: so none of it is for less.
"""

from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from controlplane import csrf, forms, pages
from controlplane.accounts import schemas, service
from controlplane.accounts.applications import applications_of
from controlplane.accounts.browsers import browsers, caller_of
from controlplane.accounts.passwords import of_application
from controlplane.accounts.resets import Resets
from controlplane.accounts.service import PersonInfo
from controlplane.callers import CurrentCaller, require_owner
from controlplane.idempotency import once_with_secret
from controlplane.rest import MAX_PAGE, after_id, page
from runtime.problems import InvalidInput

router = APIRouter(prefix="/v1/people", tags=["people"])
link_router = APIRouter(
    tags=["pages"], route_class=pages.PageRoute, default_response_class=HTMLResponse
)


def _resets(request: Request) -> Resets:
    return cast("Resets", request.app.state.resets)


def _show(person: PersonInfo) -> dict[str, Any]:
    return {
        "id": str(person.id),
        "email": person.email,
        "name": person.name,
        "disabled": person.disabled,
        "created_at": person.created_at.isoformat(),
    }


@router.get("")
async def list_people(
    caller: CurrentCaller,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """List everybody with an account, of all tenants."""
    require_owner(caller)
    rows = await service.page(limit, after_id(cursor))
    return page(rows, limit, _show, lambda row: str(row.id))


@router.patch("/{person}")
async def change_person(
    caller: CurrentCaller, person: str, body: schemas.ChangedPerson, request: Request
) -> dict[str, Any]:
    """Keep somebody, named by id or e-mail address, from signing in, or let them again."""
    require_owner(caller)
    now = browsers(request).now()
    at = now if body.disabled else None
    return _show(await service.disable(caller, person, at, applications_of(request)))


@router.post("/{person}/password-link", status_code=201)
async def make_link(caller: CurrentCaller, person: str, request: Request) -> dict[str, Any]:
    """Make a link with which somebody sets a password; it is in this answer and nowhere else."""
    require_owner(caller)
    found, ours = await service.get(person), browsers(request)

    async def act() -> dict[str, Any]:
        secret, expires = await _resets(request).make(caller, found, ours.now())
        link = f"{ours.url}/account/password?secret={secret}"
        return {"email": found.email, "expires_at": expires.isoformat(), "link": link}

    return await once_with_secret(request, caller, "link", act)


@link_router.get("/account/password")
async def password_page(request: Request, secret: Annotated[str, Query()] = "") -> Response:
    """Show the page of such a link."""
    person = await _resets(request).person(secret, browsers(request).now())
    return pages.show("password", person=person, secret=secret, fault=None)


@link_router.post("/account/password")
async def set_password(request: Request) -> Response:
    """Set the password, and sign in: form of `secret` and `password`."""
    ours = browsers(request)
    csrf.check_origin(request, ours.url)
    form = await forms.read(request)
    secret = form.get("secret", "")
    person = await _resets(request).person(secret, ours.now())
    try:
        made = await of_application(request).hash(form.get("password", ""))
    except InvalidInput as refused:
        return pages.show("password", 422, person=person, secret=secret, fault=refused.detail)
    person = await _resets(request).use(caller_of(request, person), secret, made, ours.now())
    await request.app.state.publish_keys()
    response = RedirectResponse("/account?done=password", 303)
    await ours.sign_in(person, request, response, by="link")
    return response
