"""Desired endpoints against what the engine runs, one step at a time."""

import asyncio
import logging
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from controlplane import telemetry, tracing
from controlplane.artifacts.reports import Reports
from controlplane.endpoints import service as endpoints
from controlplane.engines.engine import EndpointId, Engine, ObservedEndpoint
from controlplane.reconciler import metering

log = logging.getLogger("kubeserve.warm")


# Between two looks at who is to be kept warm.
WARM_EVERY: Final = timedelta(seconds=10)
# A start takes longer while others start; and where none was seen yet, nobody knows.
STARTS: Final = 2
UNMEASURED: Final = timedelta(seconds=30)
MOST_AHEAD: Final = timedelta(minutes=10)


def ahead(seen: ObservedEndpoint | None) -> timedelta:
    """Give how long before its beginning a warm window opens: the measured cold start, twice."""
    start = None if seen is None else seen.cold_start
    took = UNMEASURED if start is None else STARTS * timedelta(milliseconds=start.total_ms)
    return min(MOST_AHEAD, took + WARM_EVERY)


async def keep_warm(wake: Callable[[uuid.UUID], None]) -> None:
    """Have every endpoint with warm windows looked at, again and again, until cancelled."""
    while True:
        await asyncio.sleep(WARM_EVERY.total_seconds())
        try:
            for endpoint in await endpoints.with_windows():
                wake(endpoint)
        except Exception:
            log.exception("who is to be kept warm could not be read")


async def reconcile(
    endpoint_id: uuid.UUID, engine: Engine, issuer: str, reports: Reports | None = None
) -> bool:
    """Bring one endpoint nearer to its row; True: look again soon.

    Reads both sides afresh, so it may run twice, late, or die between any two lines. Raises
    EngineUnavailable; the loop backs off.
    reports  of what its replicas counted, where they tell it themselves
    """
    key = EndpointId(str(endpoint_id))
    seen = await engine.observe(key)
    wanted = await endpoints.desired(endpoint_id, issuer, datetime.now(UTC), ahead(seen))
    if wanted is None:
        if seen is not None:
            await metering.record_one(engine, key, datetime.now(UTC), reports)
            await engine.delete(key)
            return True
        await endpoints.forget(endpoint_id)
        await metering.forget(endpoint_id)
        return False
    telemetry.about(tenant=wanted.tenant, endpoint=wanted.name)
    behind = seen is None or seen.observed_generation != wanted.generation
    cold = seen is not None and seen.warm != (wanted.warm or 0)
    if behind:
        parent = await endpoints.traceparent(endpoint_id) if tracing.is_on() else None
        with (
            tracing.continued(
                "reconcile", parent, tenant=wanted.tenant, endpoint=wanted.name
            ) as span,
            tracing.span("engine.apply", tenant=wanted.tenant, endpoint=wanted.name),
        ):
            span.note(generation=wanted.generation)
            await engine.apply(wanted)
    elif cold or engine.drifts:
        await engine.apply(wanted)
    return behind
