"""Invitations: a link, shown once, with which somebody joins a tenant."""

import hashlib
import secrets
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from controlplane.accounts import service as accounts
from controlplane.accounts.service import Person
from controlplane.audit import service as audit
from controlplane.callers import Caller
from controlplane.database import transaction
from controlplane.permissions import Role
from controlplane.tenants import members, repository
from controlplane.tenants.service import TenantId, TenantInfo, add_member, name_of, role_of
from controlplane.tenants.tables import Invitation
from runtime.problems import Conflict, Forbidden, NotFound, QuotaExceeded

MOST_OPEN: Final = 1000  # of a tenant
LIFE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class InvitationInfo:
    """An invitation as other parts see it. `secret` is known when it is made, and never again."""

    id: uuid.UUID
    tenant: str
    email: str | None
    role: Role
    invited_by: str
    created_at: datetime
    expires_at: datetime
    secret: str | None = None


async def invite(
    caller: Caller, tenant: TenantInfo, email: str | None, role: Role, now: datetime
) -> InvitationInfo:
    """Invite an address, or whoever has the link; an earlier one to the address ends.

    Raises Conflict for a member, Forbidden for who may not make owners, InvalidInput.
    """
    kept = None if email is None else accounts.checked_email(email)
    secret = f"ksi_{secrets.token_urlsafe(32)}"
    async with transaction():
        await repository.lock(tenant.id)
        # To invite somebody anew takes the earlier one back, which of an owner's only owners do.
        owners = kept is not None and await repository.is_invited_to_own(tenant.id, kept, now)
        if role is Role.OWNER or owners:
            await members.check_may_make_owners(caller, tenant)
        if kept is not None:
            await _check_no_member(tenant, kept)
            await repository.revoke(tenant.id, now, email=kept)
        if await repository.count_invitations(tenant.id, now) >= MOST_OPEN:
            raise QuotaExceeded(
                f"There are {MOST_OPEN} open invitations already; revoke those that nobody awaits.",
                limit=MOST_OPEN,
            )
        row = await repository.add_invitation(
            tenant.id,
            {
                "email": kept,
                "role": role,
                "secret_sha256": _digest(secret),
                "invited_by": caller.subject,
                "expires_at": now + LIFE,
            },
        )
        # In the log of the tenant that somebody may join, also when the platform invites them.
        target, where = f"invitation:{row.id}", tenant.name
        await audit.record(caller, "invitation.create", target, within=where, email=kept, role=role)
    return _info(row, tenant.name, secret)


async def _check_no_member(tenant: TenantInfo, email: str) -> None:
    person = await accounts.by_email(email)
    if person is not None and await role_of(tenant.name, person.id) is not None:
        raise Conflict(
            f"{email} is a member already; change what they are: "
            "`kubeserve members role EMAIL ROLE`."
        )


async def page(
    tenant: TenantInfo, now: datetime, limit: int, after: uuid.UUID | None
) -> list[InvitationInfo]:
    """Give limit + 1 invitations that nobody has accepted yet, in order of id."""
    rows = await repository.invitations(tenant.id, now, limit, after)
    return [_info(row, tenant.name) for row in rows]


async def revoke(caller: Caller, tenant: TenantInfo, which: str, now: datetime) -> None:
    """Take an invitation back; raises NotFound, Forbidden for an owner's."""
    try:
        invitation_id = uuid.UUID(which)
    except ValueError:
        invitation_id = None
    async with transaction():
        row = invitation_id and await repository.invitation(tenant.id, invitation_id)
        if not row:
            raise NotFound(f"There is no invitation {which[:60]!r}.")
        if row.role is Role.OWNER:
            await members.check_may_make_owners(caller, tenant)
        if not await repository.revoke(tenant.id, now, id=row.id):
            raise NotFound("This invitation was accepted, revoked, or has expired.")
        await audit.record(caller, "invitation.revoke", f"invitation:{row.id}", email=row.email)


async def look(secret: str, now: datetime) -> InvitationInfo:
    """Give the invitation of a link; raises NotFound."""
    async with transaction():
        row = await _held(secret, now)
    return _info(row, await name_of(TenantId(row.tenant_id)))


async def accept(
    secret: str,
    now: datetime,
    whoever: Callable[[InvitationInfo], Awaitable[Person]],
    caller_of: Callable[[Person], Caller],
) -> Person:
    """Make somebody a member, once for each link.

    whoever    gives the person, making the account if need be, within the transaction
    caller_of  names them for the audit log
    Raises NotFound for a link that is no good any more, Forbidden for one to somebody else.
    """
    async with transaction():
        row = await _held(secret, now)
        invitation = _info(row, await name_of(TenantId(row.tenant_id)))
        person = await whoever(invitation)
        if invitation.email not in (None, person.email):
            raise Forbidden(
                f"This invitation is for {invitation.email}, and you are {person.email}. "
                "Sign out first."
            )
        await add_member(TenantId(row.tenant_id), person.id, invitation.role)
        await repository.accepted(row, now)
        caller = replace(caller_of(person), tenant=invitation.tenant)
        target = f"invitation:{row.id}"
        await audit.record(
            caller, "invitation.accept", target, email=person.email, role=invitation.role
        )
    return person


async def is_invited(email: str, now: datetime) -> bool:
    """Tell whether any tenant invites an address."""
    return await repository.is_invited_of_all(email, now)


async def _held(secret: str, now: datetime) -> Invitation:
    row = await repository.invited_of_all(_digest(secret), now)
    if row is None:
        raise NotFound(
            "This invitation was used or taken back, or is older than a week. "
            "Ask whoever invited you for a new one."
        )
    if row.role is Role.OWNER and row.email is None:
        await _check_still_may(row)
    return row


async def _check_still_may(row: Invitation) -> None:
    """Refuse a link that makes anybody an owner when its maker would not get it any more.

    There may be many from before there was an owner, such as those that `kubeserve up` prints.
    """
    tenant = TenantId(row.tenant_id)
    await repository.lock(tenant)
    kind, _, name = row.invited_by.partition(":")
    if kind == "user" and await role_of(await name_of(tenant), uuid.UUID(name)) is Role.OWNER:
        return
    if await repository.owners(tenant):
        raise NotFound(
            "This invitation was for the first owner, and there is one by now. "
            "Ask an owner to invite you."
        )


def _info(row: Invitation, tenant: str, secret: str | None = None) -> InvitationInfo:
    return InvitationInfo(
        row.id,
        tenant,
        row.email,
        row.role,
        row.invited_by,
        row.created_at,
        row.expires_at,
        secret,
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
