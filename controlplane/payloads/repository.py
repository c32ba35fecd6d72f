"""Queries on logged requests; the tenant comes first."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from tortoise import connections
from tortoise.expressions import Q
from tortoise.functions import Sum

from controlplane.payloads.tables import (
    DriftReference,
    PayloadBatch,
    PayloadDay,
    PayloadFile,
    PayloadSource,
)

COUNTED: Final = (
    "seen", "sampled", "logged", "size_bytes", "full", "large", "lost", "over_limit"
)  # fmt: skip
# Quoted: "full" is a word of SQL.
QUOTED: Final = [f'"{name}"' for name in COUNTED]
ADD: Final = (
    f"INSERT INTO payload_days (id, endpoint_id, day, {', '.join(QUOTED)}) "  # noqa: S608
    f"VALUES ($1, $2, $3, {', '.join(f'${at + 4}' for at in range(len(COUNTED)))}) "
    "ON CONFLICT (endpoint_id, day) DO UPDATE SET "
    + ", ".join(f"{name} = payload_days.{name} + excluded.{name}" for name in QUOTED)
)


# Files


async def files(
    tenant: uuid.UUID,
    endpoint: uuid.UUID,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    below: int | None,
) -> list[PayloadFile]:
    """Give limit + 1 files, the newest first; `below` the number of the last one seen."""
    rows = PayloadFile.filter(tenant_id=tenant, endpoint_id=endpoint, deleted_at=None)
    if since is not None:
        rows = rows.filter(last_at__gte=since)
    if until is not None:
        rows = rows.filter(first_at__lt=until)
    if below is not None:
        rows = rows.filter(id__lt=below)
    return await rows.order_by("-id").limit(limit + 1)


async def file(tenant: uuid.UUID, endpoint: uuid.UUID, file_id: uuid.UUID) -> PayloadFile | None:
    return await PayloadFile.get_or_none(
        tenant_id=tenant, endpoint_id=endpoint, key=file_id, deleted_at=None
    )


async def bytes_of(tenant: uuid.UUID) -> int:
    """Give the size of all of a tenant's files."""
    rows = PayloadFile.filter(tenant_id=tenant)
    found = await rows.annotate(sum=Sum("size_bytes")).values_list("sum")
    return int(sum(row[0] or 0 for row in found))


async def mark_deleted(
    tenant: uuid.UUID, endpoint: uuid.UUID, before: datetime | None, at: datetime
) -> int:
    rows = PayloadFile.filter(tenant_id=tenant, endpoint_id=endpoint, deleted_at=None)
    if before is not None:
        rows = rows.filter(last_at__lt=before)
    return await rows.update(deleted_at=at)


async def expire_after(endpoint: uuid.UUID, day: date, at: datetime) -> None:
    await PayloadFile.filter(endpoint_id=endpoint, day=day).update(expires_at=at)


async def days_with_files(endpoint: uuid.UUID) -> list[date]:
    found = PayloadFile.filter(endpoint_id=endpoint, deleted_at=None).distinct()
    return [row[0] for row in await found.values_list("day")]


async def add_file(**values: Any) -> None:
    await PayloadFile.create(**values)


async def doomed_of_all(now: datetime, limit: int) -> list[PayloadFile]:
    """Give files of any tenants whose objects are to go."""
    rows = PayloadFile.filter(Q(deleted_at__isnull=False) | Q(expires_at__lt=now))
    return await rows.limit(limit)


async def remove_of_all(file_ids: Sequence[int]) -> None:
    await PayloadFile.filter(id__in=list(file_ids)).delete()


async def endpoints_of_all() -> set[uuid.UUID]:
    """Give every endpoint of which there are files, gone ones too."""
    return {row[0] for row in await PayloadFile.all().distinct().values_list("endpoint_id")}


async def doom_of_all(endpoint: uuid.UUID, at: datetime) -> None:
    """Mark all files of an endpoint that is gone, and forget what was counted of it."""
    await PayloadFile.filter(endpoint_id=endpoint, deleted_at=None).update(deleted_at=at)
    await PayloadDay.filter(endpoint_id=endpoint).delete()
    await DriftReference.filter(endpoint_id=endpoint).delete()


async def known_of_all(names: Sequence[str]) -> set[str]:
    """Tell which objects some file is."""
    rows = PayloadFile.filter(name__in=list(names))
    return {row[0] for row in await rows.values_list("name")}


# Batches and counts


async def taken(names: Sequence[str]) -> set[str]:
    rows = PayloadBatch.filter(name__in=list(names))
    return {row[0] for row in await rows.values_list("name")}


async def take(endpoint: uuid.UUID, names: Sequence[str]) -> None:
    """Note that batches are taken; raises `database.Taken` if one is already."""
    await PayloadBatch.bulk_create(
        [PayloadBatch(name=name, endpoint_id=endpoint) for name in names]
    )


async def forget_batches_of_all(before: datetime) -> int:
    gone = await PayloadBatch.filter(taken_at__lt=before).delete()
    return gone + await PayloadSource.filter(told_at__lt=before).delete()


async def source(name: str) -> list[int] | None:
    row = await PayloadSource.select_for_update().get_or_none(source=name)
    return None if row is None else row.counts


async def save_source(name: str, endpoint: uuid.UUID, counts: Sequence[int]) -> None:
    await PayloadSource.update_or_create(
        {"endpoint_id": endpoint, "counts": list(counts)}, source=name
    )


async def forget_source(name: str) -> None:
    await PayloadSource.filter(source=name).delete()


async def add_day(endpoint: uuid.UUID, day: date, counted: Mapping[str, int]) -> None:
    """Add to what was counted of an endpoint's day."""
    values = [counted.get(name, 0) for name in COUNTED]
    if any(values):
        await connections.get("default").execute_query(ADD, [uuid.uuid4(), endpoint, day, *values])


async def days(endpoint: uuid.UUID, since: date) -> list[PayloadDay]:
    return await PayloadDay.filter(endpoint_id=endpoint, day__gte=since).order_by("-day")


async def bytes_of_day(endpoint: uuid.UUID, day: date) -> int:
    rows = PayloadFile.filter(endpoint_id=endpoint, day=day)
    found = await rows.annotate(sum=Sum("size_bytes")).values_list("sum")
    return int(sum(row[0] or 0 for row in found))


# Drift


async def reference_of_version(version: uuid.UUID) -> DriftReference | None:
    return await DriftReference.filter(version_id=version, endpoint_id=None).first()


async def reference_of_endpoint(
    endpoint: uuid.UUID, kind: str, version: uuid.UUID | None = None
) -> DriftReference | None:
    rows = DriftReference.filter(endpoint_id=endpoint, kind=kind)
    return await (rows if version is None else rows.filter(version_id=version)).first()


async def put_reference(
    tenant: uuid.UUID,
    kind: str,
    version: uuid.UUID | None,
    endpoint: uuid.UUID | None,
    **values: Any,
) -> DriftReference:
    """Write a reference in place of the one there is of that version or endpoint."""
    await DriftReference.filter(
        tenant_id=tenant, kind=kind, version_id=version, endpoint_id=endpoint
    ).delete()
    return await DriftReference.create(
        id=uuid.uuid4(), tenant_id=tenant, kind=kind, version_id=version, endpoint_id=endpoint,
        **values,
    )  # fmt: skip


async def remove_reference(tenant: uuid.UUID, **which: Any) -> int:
    return await DriftReference.filter(tenant_id=tenant, **which).delete()


async def fill_reference(
    row: DriftReference, rows: int, columns: Mapping[str, Any], since: datetime, until: datetime
) -> None:
    row.update_from_dict({"rows": rows, "columns": dict(columns), "since": since, "until": until})
    await row.save(update_fields=["rows", "columns", "since", "until"])


async def window(
    endpoint: uuid.UUID,
    model: str,
    version: int,
    since: datetime,
    until: datetime | None = None,
    limit: int | None = None,
    oldest: bool = True,
) -> list[PayloadFile]:
    """Give a version's files that began in a period, in order of time."""
    rows = PayloadFile.filter(
        endpoint_id=endpoint, model=model, version=version, deleted_at=None,
        first_at__gte=since, good_rows__gt=0,
    )  # fmt: skip
    if until is not None:
        rows = rows.filter(first_at__lt=until)
    rows = rows.order_by("first_at" if oldest else "-first_at")
    found = await (rows if limit is None else rows.limit(limit))
    return found if oldest else found[::-1]


async def save_counts(
    row: PayloadFile, binned_by: str, counts: Mapping[str, Sequence[int]]
) -> None:
    row.update_from_dict({"binned_by": binned_by, "counts": dict(counts)})
    await row.save(update_fields=["binned_by", "counts"])
