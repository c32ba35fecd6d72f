"""The audit log: written in the transaction of the change it tells of; no change is without."""

from typing import Any

from controlplane.audit import repository
from controlplane.callers import Caller


async def record(caller: Caller, action: str, target: str, **detail: Any) -> None:
    """Keep that a caller changed something of its tenant; call within the change's transaction.

    action  `endpoint.delete`: what it was done to, and what was done
    target  `endpoint:iris`
    detail  what else tells the change: never a secret
    """
    await repository.add(
        {
            "tenant": caller.tenant,
            "subject": caller.subject,
            "client": caller.client,
            "address": caller.address[:64],
            "action": action,
            "target": target[:200],
            "detail": detail,
            "request_id": caller.request_id,
        }
    )
