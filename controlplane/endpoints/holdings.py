"""What a tenant's endpoints hold: places, artifacts, replicas; and whose they are."""

import asyncio
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from controlplane.endpoints import repository
from controlplane.engines.engine import BackendKind, EndpointId, Engine
from controlplane.engines.sizes import Size, requested
from controlplane.tenants.service import TenantId
from runtime.problems import EngineUnavailable

NOTHING: Final = Size(0, 0)
LOOK_WITHIN_S: Final = 2.0


async def count(tenant: TenantId) -> int:
    """Give how many endpoints a tenant has."""
    return await repository.count(tenant)


async def kept(tenant: TenantId) -> dict[str, int]:
    """Give digest and size of the artifacts that a tenant's endpoints keep."""
    return await repository.artifacts(tenant)


async def replicas(tenant: TenantId, engine: Engine) -> int | None:
    """Give how many replicas of a tenant run; None: the engine does not say."""
    ids = {EndpointId(str(found)) for found in await repository.ids(tenant)}
    try:
        async with asyncio.timeout(LOOK_WITHIN_S):
            seen = await engine.observe_all()
    except (EngineUnavailable, TimeoutError):
        return None
    return sum(one.replicas for one in seen if one.id in ids)


@dataclass(frozen=True, slots=True)
class Metering:
    """An endpoint as its usage is noted; `size` of one replica."""

    tenant: TenantId
    name: str
    created_at: datetime
    size: Size


async def for_metering(ids: list[EndpointId]) -> dict[EndpointId, Metering]:
    """Say whose some endpoints are, and how large a replica is: as its largest revision."""
    rows = await repository.some_of_all([uuid.UUID(key) for key in ids])
    current = await repository.current_releases(rows)
    revisions = await repository.revisions_of(list(current.values()))
    sizes: dict[uuid.UUID, list[Size]] = {}
    for (endpoint_id, _), one in revisions.items():
        size = requested(BackendKind(one.backend), one.artifact_size_bytes)
        sizes.setdefault(endpoint_id, []).append(size)
    return {
        EndpointId(str(row.id)): Metering(
            TenantId(row.tenant_id),
            row.name,
            row.created_at,
            max(sizes.get(row.id, [NOTHING]), key=lambda size: size.memory_mib),
        )
        for row in rows
    }
