"""How endpoints were last seen, so that it is told once: ready or not, their SLO kept or not."""

import logging
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controlplane.database import transaction
from controlplane.endpoints import repository
from controlplane.endpoints.tables import Endpoint
from controlplane.engines.engine import Condition, ObservedEndpoint
from controlplane.tenants.service import TenantId
from controlplane.webhooks import service as webhooks
from controlplane.webhooks.states import Event
from loadtests.slo import Objectives, objectives_from

log = logging.getLogger("kubeserve.watching")


@dataclass(frozen=True, slots=True)
class Watched:
    """An endpoint that promises something of its answers. `burn`: what was read of it so far."""

    id: uuid.UUID
    slo: Objectives
    burn: dict[str, Any] | None
    is_breached: bool


async def note_ready(all_seen: Iterable[ObservedEndpoint]) -> None:
    """Tell of endpoints that serve their newest release, or cannot; once for each release."""
    told = await repository.told_ready_of_all()
    for seen in all_seen:
        try:
            await _note_ready(seen, told.get(uuid.UUID(str(seen.id))))
        except Exception:
            log.exception("it could not be told whether endpoint %s is ready", seen.id)


async def _note_ready(seen: ObservedEndpoint, told: tuple[int | None, str | None] | None) -> None:
    ready = seen.condition("Ready")
    if ready is None or ready.status is Condition.UNKNOWN:
        return
    found = (seen.observed_generation, str(ready.status))
    key = uuid.UUID(str(seen.id))
    if told == found:
        return
    async with transaction():
        row = await repository.lock_of_all(key)
        if row is None or row.generation != seen.observed_generation:
            return
        health = await repository.health(row)
        if (health.generation, health.ready) == found:
            return
        await repository.save_health(health, generation=found[0], ready=found[1])
        event = Event.ENDPOINT_READY if ready.status is Condition.TRUE else Event.ENDPOINT_FAILED
        said = {
            "endpoint": row.name,
            "release": row.release,
            "url": seen.url,
            "reason": ready.reason,
            "message": ready.message,
        }
        await webhooks.emit(TenantId(row.tenant_id), event, said)


async def watched() -> list[Watched]:
    """Give the endpoints of all tenants that promise something of their answers, or did."""
    found = []
    for row, health in await repository.promising_of_all():
        slo = objectives_from(row.slo)
        of_answers = Objectives() if slo is None else slo.of_answers
        breached = health is not None and health.breached_at is not None
        if of_answers != Objectives() or breached:
            burn = None if health is None else health.burn
            found.append(Watched(row.id, of_answers, burn, breached))
    return found


async def note_slo(
    one: Watched, burn: dict[str, Any] | None, breached: bool, facts: list[str], now: datetime
) -> None:
    """Keep what was read of an endpoint; tell where its SLO is breached, or is not any more."""
    async with transaction():
        row = await repository.lock_of_all(one.id)
        if row is None or row.deleted_at is not None:
            return
        health = await repository.health(row)
        before = health.breached_at is not None
        values: dict[str, Any] = {"burn": burn, "facts": facts}
        if breached != before:
            values["breached_at"] = now if breached else None
            await _tell(row, breached, facts, health.breached_at)
        await repository.save_health(health, **values)


async def _tell(row: Endpoint, breached: bool, facts: list[str], since: datetime | None) -> None:
    said = {
        "endpoint": row.name,
        "slo": row.slo,
        "facts": facts,
        "breached_at": None if since is None else since.isoformat(),
    }
    event = Event.SLO_BREACHED if breached else Event.SLO_RECOVERED
    await webhooks.emit(TenantId(row.tenant_id), event, said)


async def note_drift(
    endpoint_id: uuid.UUID, version: uuid.UUID, facts: list[str], *, over: bool, at: datetime
) -> None:
    """Keep that columns drift far, or that none does any more; tell where that is new.

    version  whose columns they are; what was kept of another one is over
    facts    of the columns that drift far; none: nothing begins to drift
    over     every column is as it was; between the two, what was said last stays
    """
    known = await repository.health_of_all(endpoint_id)
    before = None if known is None else known.drift
    if before is None and not facts:
        return
    same = before is not None and _is_of(before, version)
    if before is not None and same and (before["facts"] == facts or not (facts or over)):
        return
    async with transaction():
        row = await repository.lock_of_all(endpoint_id)
        if row is None or row.deleted_at is not None:
            return
        health = await repository.health(row)
        before = health.drift
        goes_on = before if before is not None and _is_of(before, version) else None
        since = at.isoformat() if goes_on is None else goes_on["since"]
        drift = {"since": since, "facts": facts, "version": str(version)} if facts else None
        await repository.save_health(health, drift=drift)
        if before is not None and not (goes_on and facts):
            await _tell_ended(row, before)
        if facts and goes_on is None:
            said = {"endpoint": row.name, "facts": facts, "since": since}
            await webhooks.emit(TenantId(row.tenant_id), Event.DRIFT_DETECTED, said)


async def end_drift(endpoint_id: uuid.UUID) -> None:
    """Forget drift, since nobody looks for it any more; call in the change's transaction."""
    row = await repository.lock_of_all(endpoint_id)
    if row is None:
        return
    health = await repository.health(row)
    before = health.drift
    if before is not None:
        await repository.save_health(health, drift=None)
        await _tell_ended(row, before)


async def _tell_ended(row: Endpoint, before: dict[str, Any]) -> None:
    said = {"endpoint": row.name, "facts": [], "since": before["since"]}
    await webhooks.emit(TenantId(row.tenant_id), Event.DRIFT_ENDED, said)


def _is_of(drift: dict[str, Any], version: uuid.UUID) -> bool:
    return bool(drift.get("version") == str(version))


async def drift(endpoint_id: uuid.UUID) -> tuple[str, list[str]] | None:
    """Say since when an endpoint's payloads drift, with the figures; None: they do not."""
    found = await repository.health_of_all(endpoint_id)
    return (
        None
        if found is None or found.drift is None
        else (str(found.drift["since"]), list(found.drift["facts"]))
    )


async def breach(endpoint_id: uuid.UUID) -> tuple[datetime, list[str]] | None:
    """Say since when an endpoint's SLO is breached, with the figures; None: it is not."""
    found = await repository.health_of_all(endpoint_id)
    if found is None or found.breached_at is None:
        return None
    return found.breached_at, list(found.facts or [])
