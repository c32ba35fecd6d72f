"""An endpoint as its load test is told of it."""

import uuid
from typing import Any

from controlplane.endpoints import service
from controlplane.engines.engine import Engine
from controlplane.tenants.service import TenantId


async def document(
    tenant: TenantId, endpoint_id: uuid.UUID, issuer: str, engine: Engine
) -> dict[str, Any] | None:
    """Describe an endpoint at the address that its engine gives it; None: it was deleted."""
    row = await service.of_id(tenant, endpoint_id)
    if row is None:
        return None
    found = await service.documents([row], issuer, await service.look(engine, [row]))
    return found[0]


async def signature(
    tenant: TenantId, endpoint_id: uuid.UUID, tag: str | None, issuer: str
) -> dict[str, Any] | None:
    """Give what the revision of a tag, or with the most traffic, takes; None: there is none."""
    row = await service.of_id(tenant, endpoint_id)
    wanted = None if row is None else await service.wanted(row, issuer)
    if wanted is None:
        return None
    tested = [one for one in wanted.revisions if tag in (None, one.tag)]
    most = max(tested, key=lambda revision: revision.percent, default=None)
    return None if most is None else most.signature
