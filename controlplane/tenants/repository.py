"""Queries on tenants, their members, invitations and quotas."""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from tortoise.queryset import QuerySet

from controlplane.permissions import Role
from controlplane.tenants.tables import Invitation, Member, Quota, Tenant


async def by_name(name: str) -> Tenant | None:
    return await Tenant.get_or_none(name=name)


async def by_id(tenant_id: uuid.UUID) -> Tenant | None:
    return await Tenant.get_or_none(id=tenant_id)


async def create(name: str) -> Tenant:
    return await Tenant.create(id=uuid.uuid4(), name=name)


async def page_of_all(limit: int, after: str | None) -> list[Tenant]:
    rows = Tenant.filter(name__gt=after) if after else Tenant.all()
    return await rows.order_by("name").limit(limit + 1)


async def names_of_all() -> list[str]:
    return [str(name) for name in await Tenant.all().values_list("name", flat=True)]


async def role_of(tenant: str, user_id: uuid.UUID) -> Role | None:
    """Give the role of somebody who may sign in."""
    row = await Member.get_or_none(
        tenant__name=tenant, user_id=user_id, user__disabled_at__isnull=True
    )
    return None if row is None else row.role


async def membership(tenant: uuid.UUID, user_id: uuid.UUID) -> Member | None:
    """Find a member with the tenant along."""
    return await Member.get_or_none(tenant_id=tenant, user_id=user_id).select_related("tenant")


async def names(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    return dict(await Tenant.filter(id__in=ids).values_list("id", "name"))


async def joined(user_id: uuid.UUID) -> dict[str, uuid.UUID]:
    rows = Member.filter(user_id=user_id).order_by("tenant__name")
    return dict(await rows.values_list("tenant__name", "tenant_id"))


async def tenants_of(user_id: uuid.UUID) -> list[tuple[str, Role]]:
    rows = Member.filter(user_id=user_id).order_by("tenant__name")
    return [(name, Role(role)) for name, role in await rows.values_list("tenant__name", "role")]


async def members(
    tenant: uuid.UUID, limit: int, after: uuid.UUID | None, **only: Any
) -> list[dict[str, Any]]:
    """Give limit + 1 members with what is known of the person, in order of the person's id."""
    rows = Member.filter(tenant_id=tenant, **only)
    if after is not None:
        rows = rows.filter(user_id__gt=after)
    found = rows.order_by("user_id").limit(limit + 1)
    return [
        *await found.values(
            "role",
            "created_at",
            id="user_id",
            email="user__email",
            name="user__name",
        )
    ]


async def owners(tenant: uuid.UUID) -> int:
    """Count the owners who may sign in."""
    return await Member.filter(
        tenant_id=tenant, role=Role.OWNER, user__disabled_at__isnull=True
    ).count()


async def add_member(tenant: uuid.UUID, user_id: uuid.UUID, role: Role) -> None:
    await Member.create(tenant_id=tenant, user_id=user_id, role=role)


async def give_role(tenant: uuid.UUID, user_id: uuid.UUID, role: Role) -> None:
    await Member.filter(tenant_id=tenant, user_id=user_id).update(role=role)


async def remove_member(tenant: uuid.UUID, user_id: uuid.UUID) -> None:
    await Member.filter(tenant_id=tenant, user_id=user_id).delete()


async def add_invitation(tenant: uuid.UUID, members: dict[str, Any]) -> Invitation:
    return await Invitation.create(id=uuid.uuid4(), tenant_id=tenant, **members)


async def invitations(
    tenant: uuid.UUID, now: datetime, limit: int, after: uuid.UUID | None
) -> list[Invitation]:
    """Give limit + 1 of those that are still open, in order of id."""
    rows = _open(now).filter(tenant_id=tenant)
    if after is not None:
        rows = rows.filter(id__gt=after)
    return await rows.order_by("id").limit(limit + 1)


async def count_invitations(tenant: uuid.UUID, now: datetime) -> int:
    return await _open(now).filter(tenant_id=tenant).count()


async def invitation(tenant: uuid.UUID, invitation_id: uuid.UUID) -> Invitation | None:
    return await Invitation.get_or_none(tenant_id=tenant, id=invitation_id)


async def revoke(tenant: uuid.UUID, at: datetime, **which: Any) -> int:
    return await _open(at).filter(tenant_id=tenant, **which).update(revoked_at=at)


async def invited_of_all(secret_sha256: str, now: datetime) -> Invitation | None:
    """Find an open invitation by its link, and hold it until the transaction ends."""
    rows = _open(now).filter(secret_sha256=secret_sha256)
    return await rows.select_for_update().first()


async def is_invited_of_all(email: str, now: datetime) -> bool:
    """Tell whether any tenant invites an address."""
    return await _open(now).filter(email=email).exists()


async def is_invited_to_own(tenant: uuid.UUID, email: str, now: datetime) -> bool:
    return await _open(now).filter(tenant_id=tenant, email=email, role=Role.OWNER).exists()


async def accepted(row: Invitation, at: datetime) -> None:
    row.accepted_at = at
    await row.save(update_fields=["accepted_at"])


def _open(now: datetime) -> QuerySet[Invitation]:
    return Invitation.filter(accepted_at=None, revoked_at=None, expires_at__gt=now)


async def lock(tenant_id: uuid.UUID) -> None:
    """Lock a tenant to the end of the transaction; rows that refer to it can be made meanwhile."""
    await Tenant.filter(id=tenant_id).select_for_update(no_key=True).first()


async def quota(tenant_id: uuid.UUID) -> Quota | None:
    return await Quota.get_or_none(tenant_id=tenant_id)


async def put_quota(tenant_id: uuid.UUID, overrides: dict[str, int | None]) -> None:
    await Quota.update_or_create(tenant_id=tenant_id, defaults=overrides)


async def quotas_of_all() -> list[tuple[Tenant, Quota]]:
    """Give every tenant whose quota differs from the installation's."""
    rows = await Quota.all()
    tenants = {row.id: row for row in await Tenant.filter(id__in=[row.tenant_id for row in rows])}
    return [(tenants[row.tenant_id], row) for row in rows if row.tenant_id in tenants]
