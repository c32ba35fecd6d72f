"""How much a tenant stores, and whether there is room for more."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from controlplane.artifacts.store import Blob
from controlplane.models import repository
from controlplane.tenants.limits import Limits, check
from controlplane.tenants.service import Quotas, TenantId

Kept = Callable[[TenantId], Awaitable[dict[str, int]]]


@dataclass(frozen=True, slots=True)
class Storage:
    """What a tenant may store, and what it stores.

    kept  digest and size of what its endpoints keep, also of models that are deleted
    """

    quotas: Quotas
    kept: Kept

    async def held(self, tenant: TenantId) -> dict[str, int]:
        """Give digest and size of all that a tenant has stored; the same bytes are there once."""
        return {**await self.kept(tenant), **await repository.blobs(tenant)}

    async def room(self, tenant: TenantId, sha256: str | None, announced: int | None) -> int | None:
        """Give how much an upload may have; None: it is there already. Raises QuotaExceeded.

        Asked before it is read, so that what cannot stay is not stored either.
        """
        held, limits = await self.held(tenant), await self.quotas.of(tenant)
        if sha256 in held:
            return None
        used = sum(held.values())
        check("storage_bytes", limits.storage_bytes, used, max(1, announced or 1))
        return limits.storage_bytes - used

    async def admit(self, tenant: TenantId, blob: Blob, limits: Limits) -> None:
        """Raise QuotaExceeded unless a blob fits; the tenant is held."""
        held = await self.held(tenant)
        if blob.sha256 not in held:
            used = sum(held.values())
            check("storage_bytes", limits.storage_bytes, used, blob.size_bytes)
