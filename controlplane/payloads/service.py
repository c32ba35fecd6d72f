"""Logged requests: what is logged, the files there are, and how they drift."""

import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from controlplane.artifacts.objects import Objects
from controlplane.audit import service as audit
from controlplane.callers import Caller
from controlplane.database import transaction
from controlplane.endpoints import health, logged
from controlplane.endpoints import service as endpoints
from controlplane.endpoints.logged import LoggedEndpoint
from controlplane.endpoints.payload_log import PayloadLog
from controlplane.models import service as models
from controlplane.payloads import drifting, psi, repository, taking
from controlplane.payloads.drifting import TRAINING, WINDOW, Column
from controlplane.payloads.psi import Shift
from controlplane.payloads.tables import DriftReference, PayloadFile
from controlplane.tenants.service import TenantId
from runtime.problems import Conflict, InvalidInput, NotFound
from runtime.sketches import MOST_COLUMNS, TEXT, sketch_from

HIDDEN: Final = "(shown with payloads:read)"
BIN: Final = ("label", "reference", "current", "psi")
DAYS_SHOWN: Final = timedelta(days=30)
FEW_ROWS: Final = "No rows that were answered lie in this window yet."


@dataclass(frozen=True, slots=True)
class Period:
    """Which files are asked for; None: without that bound."""

    since: datetime | None = None
    until: datetime | None = None


# The setting


async def set_log(tenant: TenantId, name: str, log: PayloadLog | None, by: Caller) -> uuid.UUID:
    """Say what of an endpoint's requests is logged; None: nothing, and nothing drifts any more.

    Files there are expire anew.
    """
    async with transaction():
        key = await logged.set_payload_log(tenant, name, log, by)
        if log is None:
            await health.end_drift(key)
        else:
            for day in await repository.days_with_files(key):
                at = taking.expiry(day, log.retention_days)
                await repository.expire_after(key, day, at)
    return key


async def log_document(tenant: TenantId, name: str, now: datetime) -> dict[str, Any]:
    """Tell what is logged, and what came of it by day."""
    found = await logged.payload_log(tenant, name)
    key = await endpoints.id_of(tenant, name)
    return {
        "endpoint": name,
        "on": found is not None,
        "settings": None if found is None else found.shown(),
        "days": [
            {
                "day": day.day.isoformat(),
                "seen": day.seen,
                "sampled": day.sampled,
                "logged": day.logged,
                "size_bytes": day.size_bytes,
                "dropped": {
                    "buffer_full": day.full,
                    "too_large": day.large,
                    "lost": day.lost,
                    "over_limit": day.over_limit,
                },
            }
            for day in await repository.days(key, (now - DAYS_SHOWN).date())
        ],
    }


# Files


async def page(
    tenant: TenantId, name: str, period: Period, limit: int, below: int | None
) -> list[PayloadFile]:
    """Give limit + 1 files, the newest first."""
    key = await endpoints.id_of(tenant, name)
    return await repository.files(tenant, key, period.since, period.until, limit, below)


def shown(row: PayloadFile) -> dict[str, Any]:
    """Describe a file."""
    return {
        "id": str(row.key),
        "day": _day(row.day),
        "folder": _folder(row),
        "revision": row.revision,
        "model": row.model,
        "version": row.version,
        "requests": row.requests,
        "rows": row.rows,
        "size_bytes": row.size_bytes,
        "first_at": row.first_at.isoformat(),
        "last_at": row.last_at.isoformat(),
        "expires_at": row.expires_at.isoformat(),
    }


def _folder(row: PayloadFile) -> str:
    """Give the folder of all files of the same schema, as the store has it (`payloads.taking`)."""
    return row.name.rsplit("/", 3)[1]


def _day(value: date) -> str:
    return value.isoformat()


async def read(
    tenant: TenantId, name: str, file_id: uuid.UUID, objects: Objects, by: Caller
) -> tuple[PayloadFile, AsyncIterator[bytes]]:
    """Open a file for whoever may read what callers sent; it is noted who did."""
    key = await endpoints.id_of(tenant, name)
    row = await repository.file(tenant, key, file_id)
    if row is None:
        raise NotFound(f"{name} has no such file of payloads.")
    chunks = objects.read(row.name)
    try:
        first = await anext(chunks, b"")
    except FileNotFoundError as error:
        raise NotFound(f"This file of {name} is gone.") from error
    async with transaction():
        await audit.record(by, "payloads.read", f"endpoint:{name}", file=str(file_id))
    return row, _from(first, chunks)


async def _from(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


async def delete(
    tenant: TenantId, name: str, before: datetime | None, by: Caller, now: datetime
) -> int:
    """Delete files whose requests all came before a time, or all; gives how many.

    They are not listed from now on; whoever leads removes their objects next.
    """
    async with transaction():
        row = await endpoints.locked(tenant, name)
        many = await repository.mark_deleted(tenant, row.id, before, now)
        until = None if before is None else before.isoformat()
        await audit.record(by, "payloads.delete", f"endpoint:{name}", files=many, before=until)
    return many


async def kept(tenant: TenantId) -> dict[str, int]:
    """Give the size of a tenant's files together, for its quota of storage."""
    return {"payloads": await repository.bytes_of(tenant)}


# Drift


async def put_training(
    tenant: TenantId, model: str, which: str, rows: int, columns: Mapping[str, Any], by: Caller
) -> dict[str, Any]:
    """Keep what a version's training data are like; raises InvalidInput for another's columns."""
    _, version = await models.find_version(tenant, model, which)
    if not (version.report or {}).get("signature"):
        raise Conflict(f"{model}:{version.number} is not built yet; its columns are not known.")
    known = [column["name"] for column in version.report["signature"]["columns"]]
    unknown = sorted({*columns} - {*known})
    if unknown:
        raise InvalidInput(
            f"{model}:{version.number} has no column {unknown[0]!r}; it has "
            f"{', '.join(known[:MOST_COLUMNS])}.",
            field="columns",
        )
    faults = []
    for name, document in columns.items():
        try:
            sketch_from(document)
        except ValueError as error:
            faults.append(f"{name}: {error}")
    if faults:
        raise InvalidInput("; ".join(faults[:5]), field="columns")
    async with transaction():
        row = await repository.put_reference(
            tenant, TRAINING, version.id, None, rows=rows, columns=columns, created_by=by.subject
        )
        target = f"version:{model}:{version.number}"
        await audit.record(by, "version.reference", target, rows=rows)
    return _reference_of(row)


async def training(tenant: TenantId, model: str, which: str) -> dict[str, Any]:
    """Give what a version's training data are like; raises NotFound."""
    _, version = await models.find_version(tenant, model, which)
    row = await repository.reference_of_version(version.id)
    if row is None:
        raise NotFound(
            f"{model}:{version.number} has no reference; "
            f"`kubeserve drift-reference {model}:{version.number} train.csv` makes one."
        )
    return {**_reference_of(row), "columns": row.columns}


async def choose_window(
    tenant: TenantId, name: str, period: Period, by: Caller, now: datetime
) -> dict[str, Any]:
    """Measure an endpoint's drift against a window of its own; made at the next look."""
    since, until = period.since, period.until or now
    if since is None or since >= until or until > now:
        raise InvalidInput("A window begins before it ends, and ends in the past.", field="since")
    async with transaction():
        row = await endpoints.locked(tenant, name)
        made = await repository.put_reference(
            tenant, WINDOW, None, row.id, since=since, until=until, created_by=by.subject
        )
        window = {"since": since.isoformat(), "until": until.isoformat()}
        await audit.record(by, "endpoint.drift-reference", f"endpoint:{name}", window=window)
    return _reference_of(made)


async def forget_window(tenant: TenantId, name: str, by: Caller) -> None:
    """Measure against training data, or the first rows, again."""
    async with transaction():
        row = await endpoints.locked(tenant, name)
        await repository.remove_reference(tenant, endpoint_id=row.id, kind=WINDOW)
        await audit.record(by, "endpoint.drift-reference", f"endpoint:{name}", window=None)


def _reference_of(row: DriftReference) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "rows": row.rows,
        "since": _time(row.since),
        "until": _time(row.until),
        "ready": row.columns is not None,
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


async def drift(
    tenant: TenantId, name: str, hours: int, now: datetime, *, values: bool
) -> dict[str, Any]:
    """Compare the last hours' requests with the reference, column by column.

    values  those of texts are named: the caller may read what was logged
    """
    found = await logged.logged(await endpoints.id_of(tenant, name))
    if found is None or found.main is None:
        raise Conflict(f"{name} serves nothing yet; deploy a model first.")
    since, current = now - timedelta(hours=hours), await drifting.reference(found)
    document = {
        "endpoint": name,
        "model": found.revisions[found.main].model,
        "version": found.revisions[found.main].version,
        "logged": found.log is not None,
        "since": since.isoformat(),
        "until": now.isoformat(),
        "rows": 0,
        "level": str(psi.Level.INCONCLUSIVE),
        "columns": [],
        "references": await _references(found),
        "levels": {"moderate": psi.MODERATE, "major": psi.MAJOR},
    }
    if current is None:
        return {**document, "message": _nothing(found)}
    seen = await drifting.report(found, current, since, None)
    columns = [_column(key, *pair, values=values) for key, pair in seen.columns.items()]
    columns.sort(key=lambda one: (-psi.ORDER.index(one["level"]), -(one["psi"] or 0.0)))
    message = FEW_ROWS if not seen.rows else _words(columns, seen.rows)
    return {
        **document,
        "since": max(since, seen.since or since).isoformat(),
        "rows": seen.rows,
        "level": str(seen.level),
        "columns": columns,
        "message": message,
    }


def _nothing(found: LoggedEndpoint) -> str:
    if found.log is None:
        return f"Nothing is logged. Next: kubeserve payloads on {found.name} --sample 0.1"
    return (
        f"There is no reference yet: {drifting.FIRST_ROWS} logged rows make one. Training data "
        "make one at once: kubeserve drift-reference MODEL:VERSION train.csv"
    )


def _words(columns: list[dict[str, Any]], rows: int) -> str:
    drifting_now = [c["name"] for c in columns if c["level"] in ("moderate", "major")]
    if not drifting_now:
        unsure = sum(c["level"] == psi.Level.INCONCLUSIVE for c in columns)
        more = f"; {unsure} of {len(columns)} columns have too few rows to tell" if unsure else ""
        return f"No column drifts, by {rows} rows{more}."
    listed = ", ".join(drifting_now[:5])
    return f"{len(drifting_now)} of {len(columns)} columns drift: {listed}."


async def _references(found: LoggedEndpoint) -> list[dict[str, Any]]:
    version = found.revisions[found.main or ""].version_id
    rows = (
        await repository.reference_of_endpoint(found.id, WINDOW),
        await repository.reference_of_version(version),
        await repository.reference_of_endpoint(found.id, drifting.FIRST, version),
    )
    return [_reference_of(row) for row in rows if row is not None]


def _column(key: str, column: Column, shift: Shift, *, values: bool) -> dict[str, Any]:
    role, _, name = key.partition(".")
    role = "output" if role == "output" else "input"  # of which hashes are one kind
    bins = [{part: one[part] for part in BIN} for one in shift.bins]
    evidence = shift.evidence
    if column.sketch.bins.kind == TEXT and not values:
        bins, evidence = [{**one, "label": HIDDEN} for one in bins], evidence.partition(":")[0]
    return {
        "name": name,
        "role": role,
        "kind": column.sketch.bins.kind,
        "reference": column.kind,
        "level": str(shift.level),
        "psi": _rounded(shift.psi),
        "noise": _rounded(shift.noise),
        "reference_rows": shift.rows[0],
        "rows": shift.rows[1],
        "missing_reference": _rounded(shift.missing[0]),
        "missing": _rounded(shift.missing[1]),
        "missing_level": str(shift.missing_level),
        "unseen": _rounded(shift.unseen),
        "bins": bins,
        "evidence": evidence,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
