"""Metering: what engines counted is added to the hours it belongs to, each thing once.

Counters only grow from one source on. What was added last is kept beside the sums and replaced in
the same transaction, so a reading may be lost, late, doubled, or done by two replicas at once. What
replicas of an endpoint tell of themselves is kept by process, for as long as it is told.
"""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from controlplane.artifacts.reports import Counted
from controlplane.database import Taken, transaction
from controlplane.engines.engine import EndpointId, Metered
from controlplane.engines.sizes import Size
from controlplane.tenants.service import TenantId
from controlplane.usage import repository
from controlplane.usage.cost import Prices, estimate
from controlplane.usage.metering import (
    HOUR,
    Amounts,
    day_of,
    grown,
    grown_of_all,
    highest,
    highest_of_all,
    hour_of,
    priced,
    spread,
)
from controlplane.usage.totals import TOTALS
from runtime.problems import InvalidInput

REPLICAS: Final = "replicas"  # beside the counters: those of each process that tells its own
# By process of a replica; None: what it told cannot be read.
Told = Mapping[str, Counted | None]
IDLE_EVERY: Final = timedelta(minutes=5)  # an endpoint at rest is noted this often
LONGEST: Final = timedelta(days=400)
EPOCH_HOUR_S: Final = 3600
# Each step is a transaction of its own, which nobody waits for long.
STEP_ROWS: Final = 5000
MOST_STEPS: Final = 20


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose usage it is; `size` of one replica as it is now, `tenant_name` for Prometheus."""

    tenant: TenantId
    tenant_name: str
    name: str
    created_at: datetime
    size: Size


@dataclass(frozen=True, slots=True)
class Reading:
    """What was added last of an endpoint."""

    source: str
    counters: dict[str, Any]
    read_at: datetime

    def is_news(self, metered: Metered, now: datetime, told: Told | None = None) -> bool:
        """Tell whether a reading is worth a transaction."""
        before = self.counters if self.source == metered.source else None
        more = grown(before, asdict(metered.counters))
        if told is not None:
            noted = self.counters.get(REPLICAS, {})
            more |= grown_of_all(noted, _readable(told, noted))
        return any(more.values()) or now - self.read_at >= IDLE_EVERY


async def readings() -> dict[EndpointId, Reading]:
    """Give what was added last of every endpoint."""
    rows = await repository.readings_of_all()
    return {
        EndpointId(str(row.endpoint_id)): Reading(row.source, row.counters, row.read_at)
        for row in rows
    }


async def record(owner: Owner, metered: Metered, now: datetime, told: Told | None = None) -> bool:
    """Add a reading; False: another replica added the first one of this endpoint just now.

    told  by its replicas at `now` or later; None: they tell nothing, the counters have it all
    """
    endpoint, counters = uuid.UUID(metered.endpoint), asdict(metered.counters)
    try:
        async with transaction():
            known = await repository.lock_reading(endpoint)
            same = known is not None and known.source == metered.source
            before = known.counters if known is not None and same else None
            since = owner.created_at if known is None else known.read_at
            lasted_s = max(0.0, (now - since).total_seconds())
            amounts = priced(grown(before, counters), lasted_s, owner.size)
            noted = {} if known is None else known.counters.get(REPLICAS, {})
            # Told before the last reading: what is not in it may have been counted by that one.
            if told is not None and (known is None or now >= known.read_at):
                replicas = _readable(told, noted)
                amounts |= grown_of_all(noted, replicas)
                noted = highest_of_all(noted, replicas)
            for hour, part in spread(amounts, since, now).items():
                await repository.add(owner.tenant, endpoint, owner.name, hour, part)
            await repository.save_reading(
                known,
                endpoint,
                source=metered.source,
                counters=highest(before, counters) | ({REPLICAS: noted} if noted else {}),
                read_at=max(since, now),
            )
    except Taken:
        return False
    TOTALS.add(endpoint, (owner.tenant_name, owner.name), amounts)
    return True


def _readable(told: Told, noted: Mapping[str, Amounts]) -> dict[str, Amounts]:
    """Give what was told; where it cannot be read, what was noted stays."""
    found = {
        process: noted.get(process) if counted is None else asdict(counted)
        for process, counted in told.items()
    }
    return {process: counted for process, counted in found.items() if counted is not None}


async def forget(endpoint: uuid.UUID) -> None:
    """Forget how far an endpoint was read that is gone; its hours stay."""
    await repository.forget_reading(endpoint)
    TOTALS.forget(endpoint)


def end_metering() -> None:
    """Tell Prometheus no more of what was metered here: another replica does it from now on."""
    TOTALS.clear()


@dataclass(frozen=True, slots=True)
class Period:
    """Whole hours, the first included, the last not."""

    start: datetime
    end: datetime


def period(
    start: datetime | None, end: datetime | None, now: datetime, hours_since: datetime
) -> Period:
    """Round a period to whole hours; the last 30 days if nothing is said. Raises InvalidInput.

    hours_since  where hours begin: what is before is rounded to whole days
    """
    end = end or now
    start = start or end - timedelta(days=30)
    if start >= end:
        raise InvalidInput(f"from ({start.isoformat()}) must be before to ({end.isoformat()}).")
    if end - start > LONGEST:
        raise InvalidInput(f"from and to may be {LONGEST.days} days apart at most.")
    first, (floor, unit) = hour_of(start), (hour_of, HOUR)
    if first < hours_since:
        first = day_of(first)
    if end < hours_since:
        floor, unit = day_of, timedelta(days=1)
    last = floor(end)
    return Period(first, last if last == end else last + unit)


@dataclass(frozen=True, slots=True)
class Kept:
    """How long usage is kept, and how long of that by the hour, not by the day."""

    all: timedelta = timedelta(days=1095)
    hourly: timedelta = timedelta(days=92)

    def hours_since(self, now: datetime) -> datetime:
        """Give where hours begin."""
        return day_of(now - self.hourly)


async def forget_old(kept: Kept, now: datetime) -> int:
    """Sum up old hours by days and remove what is older, a bounded number; gives how many rows."""
    done = 0
    for step, before in (
        (repository.remove_of_all, day_of(now - kept.all)),
        (repository.sum_up_of_all, kept.hours_since(now)),
    ):
        for _ in range(MOST_STEPS):
            many = await step(before, STEP_ROWS)
            done += many
            if many < STEP_ROWS:
                break
    return done


async def first_hour(tenant: TenantId) -> datetime | None:
    """Tell from when on a tenant has usage; None: it has none."""
    return await repository.first_hour(tenant)


async def page(
    tenant: TenantId,
    asked: Period,
    interval: str,
    name: str | None,
    limit: int,
    after: str | None,
) -> list[dict[str, Any]]:
    """Give limit + 1 sums by endpoint; of the whole period, or of each day or hour of it."""
    return await repository.sums(
        tenant, (asked.start, asked.end), interval, name, limit, _place(after)
    )


def place(row: dict[str, Any]) -> str:
    """Give the key of a row in its list."""
    hours = int(row["start"].timestamp()) // EPOCH_HOUR_S
    return f"{hours}-{uuid.UUID(str(row['endpoint_id'])).hex}"


def _place(after: str | None) -> tuple[datetime, uuid.UUID] | None:
    if after is None:
        return None
    hours, _, endpoint = after.partition("-")
    try:
        moment = datetime.fromtimestamp(0, UTC) + timedelta(hours=int(hours))
        return moment, uuid.UUID(endpoint)
    except (ValueError, OverflowError) as error:
        raise InvalidInput("This cursor is not one of ours; start without it.") from error


def show(row: dict[str, Any], asked: Period, prices: Prices | None) -> dict[str, Any]:
    """Describe a sum, with what it cost."""
    busy_s, ready_s = row["busy_s"], row["ready_s"]
    return {
        "endpoint": row["name"],
        "endpoint_id": str(row["endpoint_id"]),
        "start": max(row["start"], asked.start).isoformat(),
        "requests": _whole(row["requests"]),
        "rows": _whole(row["rows"]),
        "wakes": int(row["wakes"]),
        "starts": int(row["starts"]),
        "busy_s": _seconds(busy_s),
        "idle_s": _seconds(None if busy_s is None else max(0.0, ready_s - busy_s)),
        "starting_s": _seconds(row["starting_s"]),
        "ready_s": _seconds(ready_s),
        "active_s": _seconds(row["active_s"]),
        "lasted_s": _seconds(row["lasted_s"]),
        "cost": estimate(row, prices),
    }


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
