"""Queries on usage; the tenant comes first."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from tortoise import connections

from controlplane.usage.tables import UsageReading

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
STARTS: Final = {
    "total": "to_timestamp(0)",  # whatever the period: a later page may be of a later one
    "day": "date_trunc('day', hour, 'UTC')",
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
