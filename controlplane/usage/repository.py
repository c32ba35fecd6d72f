"""Queries on usage; the tenant comes first."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from tortoise import connections

from controlplane.usage.tables import UsageHour, UsageReading

ADDED: Final = (
    "requests", "rows", "wakes", "starts", "busy_s", "starting_s", "ready_s", "active_s",
    "lasted_s", "cpu_s", "memory_gib_s", "spared_cpu_s", "spared_memory_gib_s",
)  # fmt: skip
KEYS: Final = ("tenant_id", "endpoint_id", "name", "hour")
COLUMNS: Final = (*KEYS, *ADDED)
# A sum with a null would be null, and hide what was counted before.
ADD: Final = ", ".join(
    f"{name} = coalesce(usage_hours.{name} + excluded.{name}, usage_hours.{name}, excluded.{name})"
    for name in ADDED
)
INSERT: Final = (
    f"INSERT INTO usage_hours ({', '.join(COLUMNS)}) "  # noqa: S608  (names of our own columns)
    f"VALUES ({', '.join(f'${at}' for at in range(1, len(COLUMNS) + 1))}) "
    f"ON CONFLICT (endpoint_id, hour) DO UPDATE SET name = excluded.name, {ADD}"
)
DAY: Final = "date_trunc('day', hour, 'UTC')"
# What no other transaction holds: an hour that is being added to waits for the next step.
OLD_HOURS: Final = (
    f"SELECT id FROM usage_hours WHERE hour < $1 AND hour <> {DAY} "  # noqa: S608  (our own names)
    "LIMIT $2 FOR UPDATE SKIP LOCKED"
)
SUM_UP: Final = (
    f"WITH old AS (DELETE FROM usage_hours WHERE id IN ({OLD_HOURS}) RETURNING *), "  # noqa: S608
    f"summed AS (INSERT INTO usage_hours ({', '.join(COLUMNS)}) "
    f"SELECT tenant_id, endpoint_id, max(name), {DAY}, "
    f"{', '.join(f'sum({name})' for name in ADDED)} FROM old GROUP BY 1, 2, 4 "
    f"ON CONFLICT (endpoint_id, hour) DO UPDATE SET {ADD}) SELECT count(*) AS many FROM old"
)
REMOVE: Final = (
    "WITH old AS (DELETE FROM usage_hours WHERE id IN (SELECT id FROM usage_hours WHERE hour < $1 "
    "LIMIT $2) RETURNING id) SELECT count(*) AS many FROM old"
)
STARTS: Final = {
    "total": "to_timestamp(0)",  # whatever the period: a later page may be of a later one
    "day": DAY,
    "hour": "hour",
}


async def readings_of_all() -> list[UsageReading]:
    return await UsageReading.all()


async def lock_reading(endpoint_id: uuid.UUID) -> UsageReading | None:
    """Find the reading of an endpoint and lock it to the end of the transaction."""
    return await UsageReading.filter(endpoint_id=endpoint_id).select_for_update().first()


async def save_reading(
    known: UsageReading | None, endpoint_id: uuid.UUID, **values: Any
) -> UsageReading:
    """Note a reading; raises IntegrityError if another made the first one meanwhile."""
    if known is None:
        return await UsageReading.create(endpoint_id=endpoint_id, **values)
    known.update_from_dict(values)
    await known.save()
    return known


async def forget_reading(endpoint_id: uuid.UUID) -> None:
    await UsageReading.filter(endpoint_id=endpoint_id).delete()


async def add(
    tenant: uuid.UUID,
    endpoint_id: uuid.UUID,
    name: str,
    hour: datetime,
    amounts: Mapping[str, int | float | None],
) -> None:
    """Add amounts to an hour of an endpoint."""
    values = [tenant, endpoint_id, name, hour, *(amounts[column] for column in ADDED)]
    await connections.get("default").execute_query(INSERT, values)


async def sum_up_of_all(before: datetime, most: int) -> int:
    """Add so many hours to their days, all of one or none; gives how many there were."""
    return await _many(SUM_UP, before, most)


async def remove_of_all(before: datetime, most: int) -> int:
    """Remove so many hours or days; gives how many there were."""
    return await _many(REMOVE, before, most)


async def _many(query: str, *values: Any) -> int:
    (found,) = await connections.get("default").execute_query_dict(query, [*values])
    return int(found["many"])


async def first_hour(tenant: uuid.UUID) -> datetime | None:
    """Give the first hour of which a tenant's usage is kept."""
    row = await UsageHour.filter(tenant_id=tenant).order_by("hour").first()
    return None if row is None else row.hour


async def sums(
    tenant: uuid.UUID,
    period: tuple[datetime, datetime],
    interval: str,
    name: str | None,
    limit: int,
    after: tuple[datetime, uuid.UUID] | None,
) -> list[dict[str, Any]]:
    """Give limit + 1 sums, by endpoint and beginning of an interval, in order of both."""
    start = STARTS[interval]
    summed = ", ".join(f"sum({column}) AS {column}" for column in ADDED)
    values: list[Any] = [tenant, *period, limit + 1]
    where = "tenant_id = $1 AND hour >= $2 AND hour < $3"
    if name is not None:
        values.append(name)
        where += f" AND name = ${len(values)}"
    beyond = ""
    if after is not None:
        values += after
        beyond = f"WHERE (start, endpoint_id) > (${len(values) - 1}, ${len(values)})"
    query = (
        f"SELECT * FROM (SELECT {start} AS start, endpoint_id, max(name) AS name, {summed} "  # noqa: S608  (our own names; values are parameters)
        f"FROM usage_hours WHERE {where} GROUP BY 1, 2) AS summed {beyond} "
        "ORDER BY start, endpoint_id LIMIT $4"
    )
    found: list[dict[str, Any]] = await connections.get("default").execute_query_dict(query, values)
    return found
