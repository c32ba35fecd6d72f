"""The leader's look at what endpoints do: whether they serve, and keep what they promise."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from controlplane.endpoints import health
from controlplane.endpoints.health import Watched
from controlplane.engines.engine import EndpointId, Engine
from controlplane.reconciler.burning import burn_from, counted, is_breached
from loadtests.slo import Objectives
from runtime.problems import EngineUnavailable

log = logging.getLogger("kubeserve.watching")
EVERY_S: Final = 10.0


async def run(engine: Engine, may_act: Callable[[], bool]) -> None:
    """Look again and again until cancelled."""
    while True:
        try:
            if may_act():
                await look(engine, datetime.now(UTC))
        except EngineUnavailable as error:
            log.info("endpoints cannot be looked at: %s", error)  # counters go on meanwhile
        except Exception:
            log.exception("endpoints could not be looked at")
        await asyncio.sleep(EVERY_S)


async def look(engine: Engine, now: datetime) -> None:
    """Look once at all endpoints."""
    await health.note_ready(await engine.observe_all())
    for one in await health.watched():
        try:
            await judge(one, engine, now)
        except EngineUnavailable:
            raise
        except Exception:
            log.exception("the SLO of endpoint %s could not be judged", one.id)


async def judge(one: Watched, engine: Engine, now: datetime) -> None:
    """Read what an endpoint answered, and say whether it keeps its promises."""
    if one.slo == Objectives():  # nothing is promised any more
        await health.note_slo(one, None, False, [], now)
        return
    burn = burn_from(one.burn, one.slo)
    told = await engine.told(EndpointId(str(one.id))) if engine.measures else None
    burn.read({} if told is None else counted(told.measured, one.slo), now.timestamp())
    standing = burn.standing(one.slo, now.timestamp())
    facts = [kept.message for kept in standing]
    breached = is_breached(one.is_breached, standing)
    if burn.to_json() != one.burn or breached != one.is_breached:
        await health.note_slo(one, burn.to_json(), breached, facts, now)
