"""Usage: reads what engines counted and adds it to the sums, at times and before a deletion."""

import asyncio
import logging
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from controlplane.endpoints import holdings
from controlplane.engines.engine import EndpointId, Engine, Metered
from controlplane.usage import service as usage
from controlplane.usage.service import Owner
from runtime.problems import EngineUnavailable

log = logging.getLogger("kubeserve.usage")
EVERY_S: Final = 15.0
AT_ONCE: Final = 100  # endpoints whose owners are asked for together


async def record_all(engine: Engine, now: datetime) -> int:
    """Record every endpoint that used something, or that was not noted for a while; gives how many.

    What an engine runs without a row is nobody's.
    """
    known = await usage.readings()
    found = await engine.usage({key: reading.read_at for key, reading in known.items()})
    news = [one for one in found if (of := known.get(one.endpoint)) is None or of.is_news(one, now)]
    return await _record(news, now)


async def record_one(engine: Engine, endpoint: EndpointId, now: datetime) -> None:
    """Record one endpoint whose counters are about to go."""
    known = await usage.readings()
    found = await engine.usage({key: reading.read_at for key, reading in known.items()})
    await _record((one for one in found if one.endpoint == endpoint), now)


async def _record(found: Iterable[Metered], now: datetime) -> int:
    left, done = list(found), 0
    while left:
        some, left = left[:AT_ONCE], left[AT_ONCE:]
        owners = await holdings.for_metering([one.endpoint for one in some])
        for one in some:
            if (of := owners.get(one.endpoint)) is not None:
                owner = Owner(of.tenant, of.name, of.created_at, of.size)
                done += await usage.record(owner, one, now)
    return done


async def forget(endpoint: uuid.UUID) -> None:
    """Forget how far an endpoint was read that is gone."""
    await usage.forget(endpoint)


async def run(engine: Engine, every_s: float = EVERY_S) -> None:
    """Record until cancelled; what one time fails to read, the next one reads."""
    while True:
        await asyncio.sleep(every_s)
        try:
            await record_all(engine, datetime.now(UTC))
        except EngineUnavailable as error:
            log.warning("usage could not be read: %s", error.detail)
        except Exception:
            log.exception("usage could not be recorded")
