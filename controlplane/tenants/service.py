"""Tenants: made by administrators, named once; what each may have."""

import uuid
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import NewType

from controlplane.accounts import service as accounts
from controlplane.accounts.service import Person
from controlplane.audit import service as audit
from controlplane.callers import Caller, Standing
from controlplane.database import Taken, transaction
from controlplane.permissions import SCOPES_OF, Role
from controlplane.rest import check_name, is_name
from controlplane.tenants import repository
from controlplane.tenants.limits import Limits
from controlplane.tenants.tables import Quota, Tenant
from controlplane.wakes import Wake, tell
from runtime.problems import Conflict, NotFound

TenantId = NewType("TenantId", uuid.UUID)


@dataclass(frozen=True, slots=True)
class TenantInfo:
    """A tenant as other parts see it."""

    id: TenantId
    name: str
    created_at: datetime


def _info(row: Tenant) -> TenantInfo:
    return TenantInfo(TenantId(row.id), row.name, row.created_at)


async def create(name: str, by: Caller | None = None) -> TenantInfo:
    """Make a tenant; raises Conflict if the name is taken.

    by  who asks; None: the installation itself
    """
    check_name("tenant", name)
    try:
        async with transaction():
            row = await repository.create(name)
            if by is not None:
                await audit.record(by, "tenant.create", f"tenant:{name}")
        return _info(row)
    except Taken as error:
        raise Conflict(f"There is a tenant {name!r} already.") from error


async def find(name: str) -> TenantInfo | None:
    """Look a tenant up by name."""
    row = await repository.by_name(name) if is_name(name) else None
    return _info(row) if row else None


async def get(name: str) -> TenantInfo:
    """Give a tenant; raises NotFound."""
    found = await find(name)
    if found is None:
        raise NotFound(f"There is no tenant {name[:60]!r}.")
    return found


async def name_of(tenant: TenantId) -> str:
    """Give a tenant's name."""
    row = await repository.by_id(tenant)
    if row is None:
        raise NotFound("There is no such tenant.")
    return row.name


async def names_of(ids: Collection[TenantId]) -> dict[TenantId, str]:
    """Give the names of tenants."""
    return {TenantId(tenant): name for tenant, name in (await repository.names(ids)).items()}


async def page(limit: int, after: str | None) -> list[TenantInfo]:
    """Give limit + 1 tenants in order of name."""
    return [_info(row) for row in await repository.page_of_all(limit, after)]


async def names() -> list[str]:
    """List the names of all tenants."""
    return await repository.names_of_all()


async def role_of(tenant: str, user_id: uuid.UUID) -> Role | None:
    """Tell what a person is in a tenant; None: no member, or not allowed to sign in any more."""
    return await repository.role_of(tenant, user_id)


async def standing(user_id: str, tenant: str) -> Standing | None:
    """Tell what a person may do in a tenant."""
    role = await role_of(tenant, uuid.UUID(user_id))
    return None if role is None else Standing(SCOPES_OF[role], role)


@dataclass(frozen=True, slots=True)
class Membership:
    """A person in a tenant."""

    person: Person
    tenant: str
    role: Role


async def membership(tenant: TenantId, user_id: uuid.UUID) -> Membership | None:
    """Tell who a person is in a tenant; None: no member, or not allowed to sign in any more."""
    row = await repository.membership(tenant, user_id)
    person = None if row is None else await accounts.find(user_id)
    if row is None or person is None:
        return None
    return Membership(person, row.tenant.name, row.role)


async def tenants_of(user_id: uuid.UUID) -> list[tuple[str, Role]]:
    """List the tenants a person is a member of, in order of name."""
    return await repository.tenants_of(user_id)


async def joined(user_id: uuid.UUID) -> dict[str, TenantId]:
    """Give the ids of the tenants a person is a member of, by name and in order of it."""
    return {name: TenantId(one) for name, one in (await repository.joined(user_id)).items()}


async def add_member(tenant: TenantId, user_id: uuid.UUID, role: Role) -> None:
    """Make a person a member; raises Conflict for who is one."""
    try:
        await repository.add_member(tenant, user_id, role)
    except Taken as error:
        raise Conflict("They are a member already.") from error


@dataclass(frozen=True, slots=True)
class Quotas:
    """What each tenant may have; `defaults` where nothing else was said of it."""

    defaults: Limits

    async def of(self, tenant: TenantId) -> Limits:
        """Give a tenant's limits."""
        return replace(self.defaults, **await self.overrides(tenant))

    async def rate(self, name: str) -> int:
        """Give how many requests each second a tenant may send to the API.

        Whoever is none, as a person who has named no tenant, gets what the installation gives.
        """
        tenant = await find(name)
        limits = self.defaults if tenant is None else await self.of(tenant.id)
        return limits.requests_per_s

    async def hold(self, tenant: TenantId) -> Limits:
        """Give a tenant's limits, and keep others from using them up to the transaction's end.

        First of all locks of a transaction, so that no two wait for each other.
        """
        await repository.lock(tenant)
        return await self.of(tenant)

    async def overrides(self, tenant: TenantId) -> dict[str, int]:
        """Give what was set for this tenant alone."""
        row = await repository.quota(tenant)
        return {} if row is None else self._set(row)

    async def put(
        self, caller: Caller, tenant: TenantInfo, overrides: dict[str, int | None]
    ) -> None:
        """Set what differs for a tenant; what is None or not there is the installation's.

        Less than what is used takes nothing away; there is only no more until it fits.
        """
        nothing = dict.fromkeys(asdict(self.defaults))
        async with transaction():
            await repository.put_quota(tenant.id, {**nothing, **overrides})
            own = {name: value for name, value in overrides.items() if value is not None}
            target, name = f"tenant:{tenant.name}", tenant.name
            await audit.record(caller, "quota.set", target, within=name, limits=own)
            await tell(Wake.LIMITS)

    async def of_all_that_differ(self) -> dict[str, Limits]:
        """Give the limits of tenants for which something was set, by name."""
        rows = await repository.quotas_of_all()
        return {tenant.name: replace(self.defaults, **self._set(row)) for tenant, row in rows}

    def _set(self, row: Quota) -> dict[str, int]:
        found = {name: getattr(row, name) for name in asdict(self.defaults)}
        return {name: value for name, value in found.items() if value is not None}
