"""Usage: reads what engines counted and adds it to the sums, at times and before a deletion."""

import asyncio
import logging
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from controlplane.artifacts.reports import Report, Reports
from controlplane.artifacts.store import StoreUnavailable
from controlplane.endpoints import holdings
from controlplane.engines.engine import Counters, EndpointId, Engine, Metered
from controlplane.tenants import service as tenants
from controlplane.usage import service as usage
from controlplane.usage.service import Owner, Reading, Told
from runtime.problems import EngineUnavailable

log = logging.getLogger("kubeserve.usage")
EVERY_S: Final = 15.0
AT_ONCE: Final = 100  # endpoints whose owners are asked for together
TellingOf = Mapping[str, list[Report]]  # by endpoint
# Of an endpoint whose replicas came and went between two looks: what they told is all there is.
NOTHING: Final = Counters(None, None, 0, 0, None, 0.0, 0.0, 0.0)
UNSEEN: Final = "unseen"


async def record_all(engine: Engine, now: datetime, reports: Reports | None = None) -> int:
    """Record every endpoint that used something, or that was not noted for a while; gives how many.

    What an engine runs without a row is nobody's.
    reports  of replicas that tell what they counted themselves
    """
    known = await usage.readings()
    found, told = await _read(engine, known, reports)
    news = [one for one in found if _is_news(one, known.get(one.endpoint), now, told)]
    done, left = await _record(news, now, told)
    if reports is not None and told is not None:
        await reports.remove(_ended((one for one in found if one.endpoint not in left), told))
    return done


async def record_one(
    engine: Engine, endpoint: EndpointId, now: datetime, reports: Reports | None = None
) -> None:
    """Record one endpoint whose counters are about to go."""
    found, told = await _read(engine, await usage.readings(), reports)
    await _record([one for one in found if one.endpoint == endpoint], now, told)


async def _read(
    engine: Engine, known: Mapping[EndpointId, Reading], reports: Reports | None
) -> tuple[list[Metered], TellingOf | None]:
    """Give what engine and replicas counted; of replicas None: they tell nothing, or not now.

    The engine first: what a replica told that was gone then, it told last.
    """
    found = [*await engine.usage({key: reading.read_at for key, reading in known.items()})]
    if reports is None:
        return found, None
    try:
        told = await reports.read_all()
    except StoreUnavailable as error:
        log.warning("what replicas counted could not be read: %s", error.detail)
        return found, None
    of: dict[str, list[Report]] = {one.endpoint: [] for one in found}
    for report in told:
        if report.endpoint not in of:
            unseen = Metered(EndpointId(report.endpoint), UNSEEN, NOTHING, frozenset())
            found.append(unseen)
        of.setdefault(report.endpoint, []).append(report)
    return found, of


def _is_news(
    metered: Metered, known: Reading | None, now: datetime, told: TellingOf | None
) -> bool:
    counted = None if told is None else _counted(told[metered.endpoint])
    return known is None or known.is_news(metered, now, counted)


def _counted(reports: Iterable[Report], tenant: str | None = None) -> Told:
    """Give counts by process; those that pods of another tenant told are nobody's."""
    return {one.process: one.counted for one in reports if tenant in (None, one.tenant)}


async def _record(
    found: Iterable[Metered], now: datetime, told: TellingOf | None
) -> tuple[int, set[EndpointId]]:
    """Record readings; gives how many, and the endpoints of which the next look has to do it."""
    waiting, done, left = list(found), 0, set[EndpointId]()
    while waiting:
        some, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
        owners = await holdings.for_metering([one.endpoint for one in some])
        names = await tenants.names_of({of.tenant for of in owners.values()})
        for one in some:
            if (of := owners.get(one.endpoint)) is None:
                continue
            owner = Owner(of.tenant, names[of.tenant], of.name, of.created_at, of.size)
            reports = [] if told is None else told[one.endpoint]
            theirs = _counted(reports, names[of.tenant]) if reports else {}
            if await usage.record(owner, one, now, None if told is None else theirs):
                done += 1
            else:
                left.add(one.endpoint)
    return done, left


def _ended(found: Iterable[Metered], told: TellingOf) -> list[str]:
    """Name the reports of replicas that were not there any more: they are noted, or nobody's."""
    return [
        report.name
        for one in found
        for report in told[one.endpoint]
        if one.hosts is not None and report.host not in one.hosts
    ]


async def forget(endpoint: uuid.UUID) -> None:
    """Forget how far an endpoint was read that is gone."""
    await usage.forget(endpoint)


async def run(engine: Engine, reports: Reports | None = None, every_s: float = EVERY_S) -> None:
    """Record until cancelled; what one time fails to read, the next one reads."""
    while True:
        await asyncio.sleep(every_s)
        try:
            await record_all(engine, datetime.now(UTC), reports)
        except (EngineUnavailable, StoreUnavailable) as error:
            log.warning("usage could not be read: %s", error.detail)
        except Exception:
            log.exception("usage could not be recorded")
