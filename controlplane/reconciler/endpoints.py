"""Desired endpoints against what the engine runs, one step at a time."""

import uuid
from datetime import UTC, datetime

from controlplane.artifacts.reports import Reports
from controlplane.endpoints import service as endpoints
from controlplane.engines.engine import EndpointId, Engine
from controlplane.reconciler import metering


async def reconcile(
    endpoint_id: uuid.UUID, engine: Engine, issuer: str, reports: Reports | None = None
) -> bool:
    """Bring one endpoint nearer to its row; True: look again soon.

    Reads both sides afresh, so it may run twice, late, or die between any two lines. Raises
    EngineUnavailable; the loop backs off.
    reports  of what its replicas counted, where they tell it themselves
    """
    key = EndpointId(str(endpoint_id))
    wanted = await endpoints.desired(endpoint_id, issuer)
    seen = await engine.observe(key)
    if wanted is None:
        if seen is not None:
            await metering.record_one(engine, key, datetime.now(UTC), reports)
            await engine.delete(key)
            return True
        await endpoints.forget(endpoint_id)
        await metering.forget(endpoint_id)
        return False
    behind = seen is None or seen.observed_generation != wanted.generation
    if behind or engine.drifts:
        await engine.apply(wanted)
    return behind
