"""Queries on webhooks; the tenant comes first."""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from tortoise import connections

from controlplane.webhooks.states import DeliveryState
from controlplane.webhooks.tables import Webhook, WebhookDelivery, WebhookEvent


async def count(tenant: uuid.UUID) -> int:
    return await Webhook.filter(tenant_id=tenant).count()


async def add(tenant: uuid.UUID, **values: Any) -> Webhook:
    return await Webhook.create(id=uuid.uuid4(), tenant_id=tenant, **values)


async def find(tenant: uuid.UUID, key: uuid.UUID) -> Webhook | None:
    return await Webhook.get_or_none(tenant_id=tenant, id=key)


async def lock(tenant: uuid.UUID, key: uuid.UUID) -> Webhook | None:
    """Find a webhook and lock it to the end of the transaction."""
    return await Webhook.filter(tenant_id=tenant, id=key).select_for_update().first()


async def lock_of_all(key: uuid.UUID) -> Webhook | None:
    """Find a webhook of whichever tenant and lock it to the end of the transaction."""
    return await Webhook.filter(id=key).select_for_update().first()


async def page(tenant: uuid.UUID, limit: int, after: uuid.UUID | None) -> list[Webhook]:
    """Give limit + 1 webhooks in order of id."""
    rows = Webhook.filter(tenant_id=tenant)
    if after is not None:
        rows = rows.filter(id__gt=after)
    return await rows.order_by("id").limit(limit + 1)


async def enabled(tenant: uuid.UUID) -> list[Webhook]:
    """Give the webhooks that are sent to."""
    return await Webhook.filter(tenant_id=tenant, disabled_at__isnull=True)


async def save(row: Webhook, **values: Any) -> None:
    row.update_from_dict(values)
    await row.save(update_fields=list(values))


async def remove(row: Webhook) -> None:
    await row.delete()


async def add_event(
    tenant: uuid.UUID,
    kind: str,
    at: datetime,
    data: dict[str, Any],
    hooks: list[uuid.UUID],
    traceparent: str | None,
) -> list[WebhookDelivery]:
    """Add an event, to be delivered to some webhooks at once."""
    event = await WebhookEvent.create(
        id=uuid.uuid4(), tenant_id=tenant, type=kind, at=at, data=data, traceparent=traceparent
    )
    return [
        await WebhookDelivery.create(webhook_id=hook, event_id=event.id, next_at=at, tries=[])
        for hook in hooks
    ]


async def deliveries(
    hook: Webhook, state: DeliveryState | None, limit: int, below: int | None
) -> list[WebhookDelivery]:
    """Give limit + 1 deliveries with their events, the newest first."""
    rows = WebhookDelivery.filter(webhook_id=hook.id)
    if state is not None:
        rows = rows.filter(state=state)
    if below is not None:
        rows = rows.filter(id__lt=below)
    return await rows.order_by("-id").limit(limit + 1).select_related("event")


async def delivery(hook: Webhook, number: int) -> WebhookDelivery | None:
    rows = WebhookDelivery.filter(webhook_id=hook.id, id=number)
    return await rows.select_related("event").first()


async def last_failure(hook: Webhook) -> WebhookDelivery | None:
    """Give the delivery that was tried in vain last, as far as its number tells."""
    rows = WebhookDelivery.filter(webhook_id=hook.id, attempts__gt=0)
    unfinished = rows.exclude(state=DeliveryState.DELIVERED)
    return await unfinished.order_by("-id").select_related("event").first()


async def count_of(hook: Webhook, state: DeliveryState) -> int:
    return await WebhookDelivery.filter(webhook_id=hook.id, state=state).count()


async def hasten(hook: Webhook, now: datetime) -> None:
    """Make everything due that waits."""
    rows = WebhookDelivery.filter(webhook_id=hook.id, state=DeliveryState.PENDING, next_at__gt=now)
    await rows.update(next_at=now)


async def lock_delivery_of_all(number: int) -> WebhookDelivery | None:
    return await WebhookDelivery.filter(id=number).select_for_update().first()


async def save_delivery(row: WebhookDelivery, **values: Any) -> None:
    row.update_from_dict(values)
    await row.save(update_fields=list(values))


async def due_of_all(
    now: datetime, of_each: int, but: Collection[int]
) -> list[tuple[int, uuid.UUID, uuid.UUID, bool]]:
    """Give the deliveries of each webhook that are due longest: id, webhook, tenant, failing."""
    query = (
        "SELECT d.id, w.id AS webhook, w.tenant_id AS tenant, w.failing_since FROM webhooks w "
        "CROSS JOIN LATERAL (SELECT id, next_at FROM webhook_deliveries WHERE webhook_id = w.id "
        "AND state = $1 AND next_at <= $2 AND NOT id = ANY($3) ORDER BY next_at LIMIT $4) d "
        "WHERE w.disabled_at IS NULL ORDER BY d.next_at, d.id"
    )
    values = [str(DeliveryState.PENDING), now, [*but], of_each]
    rows = await connections.get("default").execute_query_dict(query, values)
    return [
        (row["id"], row["webhook"], row["tenant"], row["failing_since"] is not None) for row in rows
    ]


async def to_send_of_all(numbers: list[int]) -> list[WebhookDelivery]:
    """Give deliveries that wait, with event, webhook and tenant."""
    rows = WebhookDelivery.filter(id__in=numbers, state=DeliveryState.PENDING)
    return await rows.select_related("event", "webhook__tenant")


async def forget_of_all(before: datetime, limit: int) -> int:
    """Delete events from before a time, with their deliveries."""
    old = await WebhookEvent.filter(at__lt=before).limit(limit).values_list("id", flat=True)
    return await WebhookEvent.filter(id__in=list(old)).delete() if old else 0
