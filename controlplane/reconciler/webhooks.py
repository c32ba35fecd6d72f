"""Sends what is told to webhooks: what is due, a few at once, nobody's before all others'."""

import asyncio
import contextlib
import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final

from controlplane import telemetry, tracing
from controlplane.telemetry import WEBHOOKS
from controlplane.webhooks import service
from controlplane.webhooks.retrying import Outcome
from controlplane.webhooks.sending import Sender
from controlplane.webhooks.service import Message, Sealing

log = logging.getLogger("kubeserve.webhooks")
AT_ONCE: Final = 64
OF_A_TENANT: Final = 4
OF_A_WEBHOOK: Final = 2
OF_ONE_THAT_FAILS: Final = 1  # so that those that time out leave room for the tenant's others
RESYNC_S: Final = 2.0
# For so long a place is kept at least: two of them are ten messages a second of one webhook, whose
# address is whatever a tenant says.
PACE_S: Final = 0.2
Due = tuple[int, uuid.UUID, uuid.UUID, bool]


def chosen(due: Iterable[Due], busy: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> list[int]:
    """Choose what is sent next: of all tenants alike, those that take their messages first.

    due   deliveries with webhook, tenant, and whether the webhook fails; longest due first
    busy  webhook and tenant of each that is being sent
    """
    sending = list(busy)
    of_webhook = Counter(hook for hook, _ in sending)
    of_tenant = Counter(tenant for _, tenant in sending)
    left = AT_ONCE - len(sending)
    found: list[int] = []
    for number, hook, tenant, failing in sorted(due, key=lambda one: one[3]):
        most = OF_ONE_THAT_FAILS if failing else OF_A_WEBHOOK
        if of_webhook[hook] < most and of_tenant[tenant] < OF_A_TENANT and len(found) < left:
            found.append(number)
            of_webhook[hook] += 1
            of_tenant[tenant] += 1
    return found


class Deliveries:
    """The leader's part: a message is sent when its row says so, and kept as sent afterwards."""

    def __init__(self, sender: Sender, sealing: Sealing, may_act: Callable[[], bool]) -> None:
        self._sender, self._sealing, self._may_act = sender, sealing, may_act
        self._woken = asyncio.Event()
        self._sending: dict[int, tuple[uuid.UUID, uuid.UUID]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Look at what is due now."""
        self._woken.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            self._woken.clear()
            try:
                await self._begin()
            except Exception:
                log.exception("what is due for webhooks could not be read")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RESYNC_S):
                    await self._woken.wait()

    async def _begin(self) -> None:
        if not self._may_act() or len(self._sending) >= AT_ONCE:
            return
        now = datetime.now(UTC)
        due = await service.due(now, OF_A_WEBHOOK, list(self._sending))
        numbers = chosen(due, self._sending.values())
        owners = {number: (hook, tenant) for number, hook, tenant, _ in due}
        for message in await service.messages(numbers, self._sealing, now) if numbers else []:
            self._sending[message.delivery] = owners[message.delivery]
            task = asyncio.create_task(self._send(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, message: Message) -> None:
        telemetry.about(tenant=message.tenant, webhook=str(message.webhook))
        began = time.monotonic()
        try:
            outcome = await self._traced(message)
            WEBHOOKS.labels("delivered" if outcome.ok else "failed").inc()
            await service.attempted(message, outcome, datetime.now(UTC))
            await asyncio.sleep(
                began + PACE_S - time.monotonic()
            )  # a pace, no wait for a condition
        except Exception:
            # Not kept as sent: it is sent again, with the same id.
            log.exception("delivery %d was not kept", message.delivery)
            await asyncio.sleep(RESYNC_S)  # a backoff, not a wait for a condition
        finally:
            self._sending.pop(message.delivery, None)
            self._woken.set()

    async def _traced(self, message: Message) -> Outcome:
        named = {"tenant": message.tenant, "webhook": str(message.webhook), "event": message.type}
        with tracing.continued(
            "webhook.deliver", message.traceparent, kind="CLIENT", **named
        ) as span:
            outcome = await self._sender.send(message)
            span.set({"http.response.status_code": outcome.status})
            if not outcome.ok:
                span.fail(str(outcome.status or "no_answer"))
        return outcome

    async def close(self) -> None:
        """Stop; what is cut off is sent again by who leads next."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
