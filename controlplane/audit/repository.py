"""Queries on the audit log; the tenant comes first."""

from datetime import datetime
from typing import Any

from controlplane.audit.tables import AuditEvent


async def add(members: dict[str, Any]) -> None:
    await AuditEvent.create(**members)


async def page(
    tenant: str, limit: int, before: int | None, conditions: dict[str, Any]
) -> list[AuditEvent]:
    """Give limit + 1 rows that meet all conditions, the newest first."""
    rows = AuditEvent.filter(tenant=tenant, **conditions)
    if before is not None:
        rows = rows.filter(id__lt=before)
    return await rows.order_by("-id").limit(limit + 1)


async def forget_of_all(before: datetime) -> int:
    return await AuditEvent.filter(at__lt=before).delete()
