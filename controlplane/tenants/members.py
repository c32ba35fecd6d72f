"""Who is in a tenant and as what: only owners make and unmake owners, and one always stays."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from controlplane.accounts import service as accounts
from controlplane.accounts.applications import Applications
from controlplane.audit import service as audit
from controlplane.callers import PLATFORM_TENANT, Caller
from controlplane.database import transaction
from controlplane.permissions import Role, Scope
from controlplane.tenants import repository
from controlplane.tenants.service import TenantId, TenantInfo, get
from runtime.problems import Conflict, Forbidden, NotFound


@dataclass(frozen=True, slots=True)
class MemberInfo:
    """A person in a tenant, as other parts see them."""

    id: uuid.UUID
    email: str
    name: str
    role: Role
    joined_at: datetime


async def page(tenant: TenantId, limit: int, after: uuid.UUID | None) -> list[MemberInfo]:
    """Give limit + 1 members in order of id."""
    return [_info(row) for row in await repository.members(tenant, limit, after)]


async def find(tenant: TenantId, which: str) -> MemberInfo:
    """Give a member by id or e-mail address; raises NotFound."""
    found = accounts.named(which)
    field = "user_id" if isinstance(found, uuid.UUID) else "user__email"
    rows = [] if found is None else await repository.members(tenant, 1, None, **{field: found})
    if not rows:
        raise NotFound(f"There is no member {which[:80]!r}.")
    return _info(rows[0])


async def change_role(caller: Caller, which: str, role: Role) -> MemberInfo:
    """Give a member another role; raises NotFound, Forbidden, and Conflict for the last owner."""
    tenant = await get(caller.tenant)
    async with transaction():
        await repository.lock(tenant.id)
        member = await find(tenant.id, which)
        if Role.OWNER in (member.role, role) and member.role is not role:
            await check_may_make_owners(caller, tenant)
        if member.role is Role.OWNER and role is not Role.OWNER:
            await _check_not_last(tenant.id, member)
        await repository.give_role(tenant.id, member.id, role)
        await accounts.note_fewer_rights(member.id, tenant.name, datetime.now(UTC))
        await audit.record(
            caller, "member.role", f"user:{member.id}", email=member.email, role=role
        )
    return await find(tenant.id, str(member.id))


async def remove(caller: Caller, which: str, applications: Applications) -> None:
    """Take a member out, or leave oneself; raises as `change_role`.

    What acted for them here ends for good: whoever is invited again begins anew.
    """
    tenant = await get(caller.tenant)
    async with transaction():
        await repository.lock(tenant.id)
        oneself = caller.subject == f"user:{which}"
        if not oneself and Scope.ADMIN not in caller.scopes:
            # Before the look: who may not see members learns nothing of them.
            raise Forbidden("Only administrators take others out.", scope=str(Scope.ADMIN))
        member = await find(tenant.id, which)
        if member.role is Role.OWNER:
            if not oneself:
                await check_may_make_owners(caller, tenant)
            await _check_not_last(tenant.id, member)
        await repository.remove_member(tenant.id, member.id)
        await accounts.note_fewer_rights(member.id, tenant.name, datetime.now(UTC))
        ended: dict[str, Any] = {
            "grants": await applications.end_all(member.id, "removed", tenant.id),
            "keys": await applications.end_keys(member.id, tenant.id),
        }
        target = f"user:{member.id}"
        await audit.record(caller, "member.remove", target, email=member.email, **ended)


async def check_may_make_owners(caller: Caller, tenant: TenantInfo) -> None:
    """Raise Forbidden unless the caller is an owner, or the platform's where there is none yet.

    Of the platform itself its own client makes the first: an administrator would make themself.
    """
    if caller.role is Role.OWNER and caller.tenant == tenant.name:
        return
    platform = caller.tenant == PLATFORM_TENANT and Scope.ADMIN in caller.scopes
    may_first = platform if tenant.name != PLATFORM_TENANT else caller.installation
    if may_first and not await repository.owners(tenant.id):
        return
    raise Forbidden(f"Only an owner of {tenant.name} makes and unmakes owners.")


async def _check_not_last(tenant: TenantId, member: MemberInfo) -> None:
    person = await accounts.find(member.id)
    if person is not None and await repository.owners(tenant) < 2:
        raise Conflict(
            f"{member.email} is the only owner. Make another member an owner first: "
            "`kubeserve members role EMAIL owner`."
        )


def _info(row: dict[str, Any]) -> MemberInfo:
    return MemberInfo(row["id"], row["email"], row["name"], Role(row["role"]), row["created_at"])
