"""Webhooks over HTTP, for administrators of a tenant."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request

from controlplane.callers import Caller, CurrentCaller
from controlplane.edge.operations import Page, Why, gives
from controlplane.idempotency import once, once_with_secret
from controlplane.rest import MAX_PAGE, after_id, after_number, page
from controlplane.subjects import with_names
from controlplane.tenants import service as tenants
from controlplane.tenants.service import TenantId
from controlplane.webhooks import schemas, service
from controlplane.webhooks.service import Wanted
from controlplane.webhooks.states import DeliveryState

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
Number = Annotated[int, Path(ge=1, lt=1 << 63)]


async def _tenant(caller: Caller) -> TenantId:
    return (await tenants.get(caller.tenant)).id


async def _named(request: Request, caller: Caller, document: dict[str, Any]) -> dict[str, Any]:
    return (await with_names(request, caller.tenant, [document]))[0]


@router.get("", **gives(Page[schemas.Webhook]))
async def list_webhooks(
    caller: CurrentCaller, request: Request, limit: Limit = 50, cursor: str | None = None
) -> dict[str, Any]:
    found = await service.page(await _tenant(caller), limit, after_id(cursor))
    rows = await with_names(request, caller.tenant, found)
    return page(rows, limit, lambda row: row, lambda row: str(row["id"]))


@router.post("", status_code=201, **gives(schemas.MadeWebhook, 201, once=True))
async def create_webhook(
    caller: CurrentCaller, body: schemas.NewWebhook, request: Request
) -> dict[str, Any]:
    """Have events sent to an address; `secret` is in this answer and nowhere else.

    Messages are signed as https://www.standardwebhooks.com says. They come at least once, in no
    certain order; `webhook-id` tells one that came twice.
    """
    tenant, state = await _tenant(caller), request.app.state
    wanted = Wanted(body.url, tuple(body.events), body.description)

    async def act() -> dict[str, Any]:
        return await service.create(
            caller, tenant, wanted, state.quotas, state.webhook_networks, state.sealing
        )

    made = await once_with_secret(request, caller, "secret", act)
    return await _named(request, caller, made)


@router.get("/{webhook}", **gives(schemas.Webhook))
async def get_webhook(caller: CurrentCaller, webhook: str, request: Request) -> dict[str, Any]:
    return await _named(request, caller, await service.get(await _tenant(caller), webhook))


@router.patch("/{webhook}", **gives(schemas.Webhook))
async def change_webhook(
    caller: CurrentCaller, webhook: str, body: schemas.WebhookChange, request: Request
) -> dict[str, Any]:
    """Change a webhook. What waits for a disabled one is sent when it is enabled again."""
    events = None if body.events is None else tuple(body.events)
    wanted = Wanted(body.url, events, body.description, body.enabled)
    own = request.app.state.webhook_networks
    changed = await service.change(caller, await _tenant(caller), webhook, wanted, own)
    return await _named(request, caller, changed)


@router.delete("/{webhook}", status_code=204)
async def delete_webhook(caller: CurrentCaller, webhook: str) -> None:
    await service.delete(caller, await _tenant(caller), webhook)


@router.post("/{webhook}/rotate", **gives(schemas.MadeWebhook, once=True))
async def rotate_secret(
    caller: CurrentCaller, webhook: str, body: schemas.Rotation, request: Request
) -> dict[str, Any]:
    """Replace the secret. For a while messages carry a signature of each of the two."""
    tenant, overlap = await _tenant(caller), timedelta(seconds=body.overlap_s)

    async def act() -> dict[str, Any]:
        return await service.rotate(caller, tenant, webhook, request.app.state.sealing, overlap)

    made = await once_with_secret(request, caller, "secret", act)
    return await _named(request, caller, made)


@router.post("/{webhook}/test", status_code=202, **gives(schemas.Delivery, 202, once=True))
async def test_webhook(caller: CurrentCaller, webhook: str, request: Request) -> dict[str, Any]:
    """Send `webhook.test` to it; read the delivery to see how that went."""
    tenant = await _tenant(caller)

    async def act() -> dict[str, Any]:
        return await service.test(caller, tenant, webhook)

    return await once(request, caller, act)


@router.get("/{webhook}/why", **gives(Why))
async def why_webhook(caller: CurrentCaller, webhook: str) -> dict[str, Any]:
    """Say how a webhook does, on what evidence, and what to do next."""
    return await service.why(await _tenant(caller), webhook)


@router.get("/{webhook}/deliveries", **gives(Page[schemas.Delivery]))
async def list_deliveries(
    caller: CurrentCaller,
    webhook: str,
    state: DeliveryState | None = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """List what was sent, or is to be, the newest first; kept for 30 days."""
    below = after_number(cursor)
    rows = await service.deliveries(await _tenant(caller), webhook, state, limit, below)
    return page(rows, limit, lambda row: row, lambda row: str(row["id"]))


@router.get("/{webhook}/deliveries/{delivery}", **gives(schemas.Delivery))
async def get_delivery(caller: CurrentCaller, webhook: str, delivery: Number) -> dict[str, Any]:
    return await service.delivery(await _tenant(caller), webhook, delivery)


@router.post(
    "/{webhook}/deliveries/{delivery}/redeliver",
    status_code=202,
    **gives(schemas.Delivery, 202, once=True),
)
async def redeliver(
    caller: CurrentCaller, webhook: str, delivery: Number, request: Request
) -> dict[str, Any]:
    """Send a message once more, at once, whatever became of it; its id stays."""
    tenant = await _tenant(caller)

    async def act() -> dict[str, Any]:
        return await service.redeliver(caller, tenant, webhook, delivery)

    return await once(request, caller, act)
