"""Queries on the audit log."""

from typing import Any

from controlplane.audit.tables import AuditEvent


async def add(members: dict[str, Any]) -> None:
    await AuditEvent.create(**members)


async def page(tenant: str, limit: int, before: int | None) -> list[AuditEvent]:
    rows = AuditEvent.filter(tenant=tenant)
    if before is not None:
        rows = rows.filter(id__lt=before)
    return await rows.order_by("-id").limit(limit + 1)
