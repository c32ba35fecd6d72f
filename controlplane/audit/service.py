"""The audit log: written in the transaction of the change it tells of; no change is without."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from controlplane.audit import repository
from controlplane.audit.tables import AuditEvent
from controlplane.callers import Caller

FOREIGN: Final = "of_tenant"  # in the detail: the caller is of that tenant, the change of this
EXPORTED_AT_A_TIME: Final = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are asked for; None: whichever.

    action  one, such as `endpoint.delete`, or all of a kind, such as `endpoint.`
    """

    action: str | None = None
    subject: str | None = None
    target: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> dict[str, Any]:
        """Say it for a query."""
        action = "action__startswith" if (self.action or "").endswith(".") else "action"
        asked = {
            action: self.action,
            "subject": self.subject,
            "target": self.target,
            "at__gte": self.since,
            "at__lt": self.until,
        }
        return {name: value for name, value in asked.items() if value is not None}


async def record(
    caller: Caller, action: str, target: str, *, within: str | None = None, **detail: Any
) -> None:
    """Keep that a caller changed something; call within the change's transaction.

    action  `endpoint.delete`: what it was done to, and what was done
    target  `endpoint:iris`
    within  name of the tenant that was changed, where it is not the caller's own
    detail  what else tells the change: never a secret
    """
    if within not in (None, caller.tenant):
        detail = {**detail, FOREIGN: caller.tenant}
    await repository.add(
        {
            "tenant": within or caller.tenant,
            "subject": caller.subject,
            "client": caller.client,
            "address": caller.address[:64],
            "action": action,
            "target": target[:200],
            "detail": detail,
            "request_id": caller.request_id,
        }
    )


async def page(tenant: str, wanted: Wanted, limit: int, before: int | None) -> list[dict[str, Any]]:
    """Give limit + 1 events of a tenant, the newest first."""
    rows = await repository.page(tenant, limit, before, wanted.conditions())
    return [_document(row) for row in rows]


async def export(tenant: str, wanted: Wanted) -> AsyncIterator[list[dict[str, Any]]]:
    """Give all events that are asked for, the newest first, some at a time."""
    before: int | None = None
    while found := await page(tenant, wanted, EXPORTED_AT_A_TIME, before):
        yield found
        before = int(found[-1]["id"])


async def forget(before: datetime) -> int:
    """Delete events older than they are kept; gives how many."""
    return await repository.forget_of_all(before)


def _document(row: AuditEvent) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "at": row.at.isoformat(),
        "action": row.action,
        "target": row.target,
        "subject": row.subject,
        "client": row.client,
        "address": row.address,
        "detail": row.detail,
        "request_id": row.request_id,
    }
