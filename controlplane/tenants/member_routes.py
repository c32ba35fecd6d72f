"""Members and invitations over HTTP, and who one is."""

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from controlplane.accounts import service as accounts
from controlplane.accounts.applications import applications_of
from controlplane.callers import CurrentCaller, require_platform
from controlplane.idempotency import once_with_secret
from controlplane.rest import MAX_PAGE, after_id, page
from controlplane.tenants import invitations, members, schemas, service
from controlplane.tenants.invitations import InvitationInfo
from controlplane.tenants.members import MemberInfo

router = APIRouter(prefix="/v1", tags=["members"])


def _member(member: MemberInfo) -> dict[str, Any]:
    return {
        "id": str(member.id),
        "email": member.email,
        "name": member.name,
        "role": str(member.role),
        "joined_at": member.joined_at.isoformat(),
    }


def _invitation(invitation: InvitationInfo) -> dict[str, Any]:
    return {
        "id": str(invitation.id),
        "tenant": invitation.tenant,
        "email": invitation.email,
        "role": str(invitation.role),
        "invited_by": invitation.invited_by,
        "created_at": invitation.created_at.isoformat(),
        "expires_at": invitation.expires_at.isoformat(),
    }


def link_of(request: Request, invitation: InvitationInfo) -> str:
    """Give the link of an invitation that was made just now."""
    url: str = request.app.state.settings.public_url
    return f"{url}/invitations/accept?secret={invitation.secret}"


@router.get("/me")
async def me(caller: CurrentCaller) -> dict[str, Any]:
    """Tell who calls, what they may do, and the tenants a person may choose from.

    Applications learn who their person is from `/oauth2/userinfo`, if they may.
    """
    kind, _, name = caller.subject.partition(":")
    themself = kind == "user" and not caller.application
    person = await accounts.find(uuid.UUID(name)) if themself else None
    joined = [] if person is None else await service.tenants_of(person.id)
    return {
        "subject": caller.subject,
        "email": None if person is None else person.email,
        "name": None if person is None else person.name,
        "tenant": caller.tenant or None,
        "role": None if caller.role is None else str(caller.role),
        "scopes": sorted(caller.scopes),
        "tenants": [{"name": tenant, "role": str(role)} for tenant, role in joined],
    }


@router.get("/members")
async def list_members(
    caller: CurrentCaller,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    tenant = await service.get(caller.tenant)
    rows = await members.page(tenant.id, limit, after_id(cursor))
    return page(rows, limit, _member, lambda row: str(row.id))


@router.patch("/members/{member}")
async def change_member(
    caller: CurrentCaller, member: str, body: schemas.NewRole
) -> dict[str, Any]:
    """Give a member, named by id or e-mail address, another role."""
    return _member(await members.change_role(caller, member, body.role))


@router.delete("/members/{member}", status_code=204)
async def remove_member(caller: CurrentCaller, member: str, request: Request) -> None:
    """Take a member out, or leave: then `member` is one's own id."""
    await members.remove(caller, member, applications_of(request))


@router.get("/invitations")
async def list_invitations(
    caller: CurrentCaller,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """List invitations that nobody has accepted yet."""
    tenant = await service.get(caller.tenant)
    rows = await invitations.page(tenant, datetime.now(UTC), limit, after_id(cursor))
    return page(rows, limit, _invitation, lambda row: str(row.id))


@router.post("/invitations", status_code=201)
async def create_invitation(
    caller: CurrentCaller, body: schemas.NewInvitation, request: Request
) -> dict[str, Any]:
    """Invite somebody; the link is in this answer and nowhere else."""
    if body.tenant not in (None, caller.tenant):
        require_platform(caller)
    tenant = await service.get(body.tenant or caller.tenant)

    async def act() -> dict[str, Any]:
        now = datetime.now(UTC)
        made = await invitations.invite(caller, tenant, body.email, body.role, now)
        return {**_invitation(made), "link": link_of(request, made)}

    return await once_with_secret(request, caller, "link", act)


@router.delete("/invitations/{invitation}", status_code=204)
async def revoke_invitation(caller: CurrentCaller, invitation: str) -> None:
    tenant = await service.get(caller.tenant)
    await invitations.revoke(caller, tenant, invitation, datetime.now(UTC))
