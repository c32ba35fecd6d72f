"""What a tenant may have and what it has of it, put together from all domains."""

from dataclasses import asdict
from typing import Any

from controlplane.endpoints import holdings
from controlplane.engines.engine import Engine
from controlplane.loadtests import service as loadtests
from controlplane.models import service as models
from controlplane.models.storage import Storage
from controlplane.payloads import service as payloads
from controlplane.tenants.service import Quotas, TenantId, TenantInfo
from controlplane.webhooks import service as webhooks


async def standing(quotas: Quotas, tenant: TenantInfo, engine: Engine) -> dict[str, Any]:
    """Describe every limit of a tenant, with what is used of it."""
    own, limits = await quotas.overrides(tenant.id), asdict(await quotas.of(tenant.id))
    used = await _used(Storage(quotas, kept), tenant.id, engine)
    return {
        "tenant": tenant.name,
        **{
            name: {"limit": limit, "used": used.get(name), "own": name in own}
            for name, limit in limits.items()
        },
    }


async def kept(tenant: TenantId) -> dict[str, int]:
    """Give name and size of what a tenant stores beside its models."""
    return {**await holdings.kept(tenant), **await payloads.kept(tenant)}


async def _used(storage: Storage, tenant: TenantId, engine: Engine) -> dict[str, int | None]:
    held = await storage.held(tenant)
    return {
        "models": await models.count(tenant),
        "storage_bytes": sum(held.values()),
        "endpoints": await holdings.count(tenant),
        "builds": await models.builds_running(tenant),
        "replicas": await holdings.replicas(tenant, engine),
        "loadtests": await loadtests.count_live(tenant),
        "webhooks": await webhooks.count(tenant),
    }
