"""Webhooks: asked for by administrators, told within the transaction of what they are told of.

A delivery is a row that is written with the change, so that no crash comes between the two. The
leader sends what is due; a message may come twice, always with the same id.
"""

import json
import random
import secrets
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from controlplane import tracing
from controlplane.audit import service as audit
from controlplane.callers import Caller
from controlplane.database import transaction
from controlplane.tenants import limits
from controlplane.tenants import service as tenants
from controlplane.tenants.service import Quotas, TenantId
from controlplane.wakes import Wake, tell
from controlplane.webhooks import repository, signing
from controlplane.webhooks.addresses import Network, NotAllowed, check_url
from controlplane.webhooks.retrying import GIVEN_UP_AFTER, Outcome, given_up, next_attempt
from controlplane.webhooks.states import ALL, KINDS, SUBSCRIBABLE, DeliveryState, Event, wants
from controlplane.webhooks.tables import Webhook, WebhookDelivery
from runtime.problems import Conflict, InvalidInput, NotFound

KEPT: Final = timedelta(days=30)
FORGOTTEN_AT_A_TIME: Final = 1000
OVERLAP: Final = timedelta(hours=24)  # in which a former secret signs too
BY_HAND: Final = " disabled it."  # ends the reason of one that somebody disabled: nothing is wrong
MOST_TRIES: Final = 20
MOST_TEXT: Final = 2000  # characters of a text within an event
ID: Final = "msg_"


class Sealing(Protocol):
    """Keeps secrets unreadable in the database."""

    def seal(self, secret: str) -> str:
        """Encrypt it."""

    def unseal(self, sealed: str) -> str:
        """Decrypt what `seal` encrypted."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a caller asks of a webhook; of a change, None keeps what is."""

    url: str | None = None
    events: tuple[str, ...] | None = None
    description: str | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: always the same bytes, with the same id."""

    delivery: int
    webhook: uuid.UUID
    tenant: str
    url: str
    id: str
    type: str
    body: bytes
    secrets: tuple[str, ...] = field(repr=False)
    traceparent: str | None = None


# What happens


async def emit(tenant: TenantId, event: Event, data: Mapping[str, Any]) -> None:
    """Tell a tenant's webhooks that something happened; call within its transaction.

    data  names and facts, never a secret; texts are cut
    """
    hooks = [hook.id for hook in await repository.enabled(tenant) if wants(hook.events, event)]
    if not hooks:
        return
    said = {"tenant": await tenants.name_of(tenant), **{k: _cut(v) for k, v in data.items()}}
    await repository.add_event(
        tenant, str(event), datetime.now(UTC), said, hooks, tracing.traceparent()
    )
    await tell(Wake.WEBHOOKS)


def _cut(value: Any) -> Any:
    """Cut texts, and replace what the database keeps in none."""
    if isinstance(value, list):
        return [_cut(one) for one in value]
    return value[:MOST_TEXT].replace("\0", "\ufffd") if isinstance(value, str) else value


# What callers ask for


async def create(
    caller: Caller,
    tenant: TenantId,
    wanted: Wanted,
    quotas: Quotas,
    own: Sequence[Network],
    sealing: Sealing,
) -> dict[str, Any]:
    """Make a webhook; its `secret` is in what this gives and nowhere else."""
    _check(wanted, own)
    secret = _new_secret()
    async with transaction():
        most = (await quotas.hold(tenant)).webhooks
        limits.check("webhooks", most, await repository.count(tenant))
        row = await repository.add(
            tenant,
            url=wanted.url,
            events=list(wanted.events or (ALL,)),
            description=wanted.description or "",
            secret=sealing.seal(secret),
            created_by=caller.subject,
        )
        await audit.record(caller, "webhook.create", _target(row), **_audited(row))
    return {**show(row), "secret": secret}


def _new_secret() -> str:
    return signing.spelled(secrets.token_bytes(signing.SECRET_BYTES))


def _check(wanted: Wanted, own: Sequence[Network]) -> None:
    if wanted.url is not None:
        try:
            check_url(wanted.url, own)
        except NotAllowed as error:
            raise InvalidInput(f"The address of a webhook {error}.", field="url") from error
    known = {ALL, *KINDS, *SUBSCRIBABLE}
    unknown = sorted(set(wanted.events or ()) - known)
    if unknown:
        raise InvalidInput(
            f"unknown events {unknown}; there are {', '.join(SUBSCRIBABLE)}, kinds such as "
            f"{KINDS[0]}, and {ALL} for all",
            field="events",
        )


def _target(row: Webhook) -> str:
    return f"webhook:{row.id}"


def _audited(row: Webhook) -> dict[str, Any]:
    # The address may hold a token: its host is enough to know it by.
    return {"host": urlsplit(row.url).hostname, "events": row.events}


async def count(tenant: TenantId) -> int:
    """Count a tenant's webhooks."""
    return await repository.count(tenant)


async def page(tenant: TenantId, limit: int, after: uuid.UUID | None) -> list[dict[str, Any]]:
    """Give limit + 1 webhooks."""
    return [show(row) for row in await repository.page(tenant, limit, after)]


async def get(tenant: TenantId, key: str) -> dict[str, Any]:
    """Give one webhook; raises NotFound."""
    return show(await _found(tenant, key))


async def change(
    caller: Caller, tenant: TenantId, key: str, wanted: Wanted, own: Sequence[Network]
) -> dict[str, Any]:
    """Change what is named; enabling one sends what waits for it. Raises NotFound."""
    _check(wanted, own)
    async with transaction():
        row = await _locked(tenant, key)
        named: dict[str, Any] = {
            "url": wanted.url,
            "events": None if wanted.events is None else list(wanted.events),
            "description": wanted.description,
        }
        values = {name: value for name, value in named.items() if value is not None}
        if wanted.enabled is True and row.disabled_at is not None:
            values |= {"disabled_at": None, "disabled_because": None, "failing_since": None}
            await repository.hasten(row, datetime.now(UTC))
        if wanted.enabled is False and row.disabled_at is None:
            said = f"{caller.subject}{BY_HAND}"
            values |= {"disabled_at": datetime.now(UTC), "disabled_because": said}
        if values:
            await repository.save(row, **values)
        detail = _audited(row) | ({} if wanted.enabled is None else {"enabled": wanted.enabled})
        await audit.record(caller, "webhook.change", _target(row), **detail)
        await tell(Wake.WEBHOOKS)
    return show(row)


async def rotate(
    caller: Caller, tenant: TenantId, key: str, sealing: Sealing, overlap: timedelta = OVERLAP
) -> dict[str, Any]:
    """Replace the secret; for a while messages are signed with the former one too."""
    secret, now = _new_secret(), datetime.now(UTC)
    async with transaction():
        row = await _locked(tenant, key)
        values = {
            "secret": sealing.seal(secret),
            "former_secret": row.secret if overlap else None,
            "former_until": now + overlap if overlap else None,
        }
        await repository.save(row, **values)
        await audit.record(caller, "webhook.rotate", _target(row))
    return {**show(row), "secret": secret}


async def delete(caller: Caller, tenant: TenantId, key: str) -> None:
    """Remove a webhook with its deliveries; raises NotFound."""
    async with transaction():
        row = await _locked(tenant, key)
        await audit.record(caller, "webhook.delete", _target(row), **_audited(row))
        await repository.remove(row)


async def test(caller: Caller, tenant: TenantId, key: str) -> dict[str, Any]:
    """Send a webhook an event of its own; gives the delivery. Raises NotFound, Conflict."""
    async with transaction():
        row = await _locked(tenant, key)
        _check_enabled(row)
        data = {"tenant": caller.tenant, "message": "A test: nothing has happened."}
        now = datetime.now(UTC)
        (made,) = await repository.add_event(
            tenant, str(Event.TEST), now, data, [row.id], tracing.traceparent()
        )
        await audit.record(caller, "webhook.test", _target(row))
        await tell(Wake.WEBHOOKS)
        found = await repository.delivery(row, made.id)
    return show_delivery(_there(found, made.id))


def _check_enabled(row: Webhook) -> None:
    if row.disabled_at is not None:
        raise Conflict(
            f"This webhook is disabled: {row.disabled_because} Enable it first: "
            f"`kubeserve webhooks enable {row.id}`."
        )


async def deliveries(
    tenant: TenantId, key: str, state: DeliveryState | None, limit: int, below: int | None
) -> list[dict[str, Any]]:
    """Give limit + 1 deliveries of a webhook, the newest first."""
    hook = await _found(tenant, key)
    rows = await repository.deliveries(hook, state, limit, below)
    return [show_delivery(row) for row in rows]


async def delivery(tenant: TenantId, key: str, number: int) -> dict[str, Any]:
    """Give one delivery; raises NotFound."""
    hook = await _found(tenant, key)
    return show_delivery(_there(await repository.delivery(hook, number), number))


async def redeliver(caller: Caller, tenant: TenantId, key: str, number: int) -> dict[str, Any]:
    """Send a message once more, with all its attempts anew; raises NotFound, Conflict."""
    async with transaction():
        hook = await _locked(tenant, key)
        _check_enabled(hook)
        known = _there(await repository.delivery(hook, number), number)
        row = await repository.lock_delivery_of_all(number)
        if row is None:
            raise _no_delivery(number)
        anew = {"state": DeliveryState.PENDING, "attempts": 0, "next_at": datetime.now(UTC)}
        await repository.save_delivery(row, **anew)
        known.update_from_dict(anew)
        await audit.record(caller, "webhook.redeliver", _target(hook), delivery=number)
        await tell(Wake.WEBHOOKS)
    return show_delivery(known)


# What the leader does


async def due(
    now: datetime, of_each: int, but: Collection[int]
) -> list[tuple[int, uuid.UUID, uuid.UUID, bool]]:
    """Give what is to be sent, what waits longest first: delivery, webhook, tenant, failing."""
    return await repository.due_of_all(now, of_each, but)


async def messages(numbers: list[int], sealing: Sealing, now: datetime) -> list[Message]:
    """Give what is sent of some deliveries; those that need not be sent any more are left out."""
    return [
        _message(row, sealing, now) for row in await repository.to_send_of_all(numbers) if numbers
    ]


def _message(row: WebhookDelivery, sealing: Sealing, now: datetime) -> Message:
    hook, event = row.webhook, row.event
    document = {"type": event.type, "timestamp": event.at.isoformat(), "data": event.data}
    kept = [hook.secret]
    if hook.former_secret and hook.former_until and now < hook.former_until:
        kept.append(hook.former_secret)
    return Message(
        row.id,
        hook.id,
        hook.tenant.name,  # type: ignore[attr-defined]
        hook.url,
        f"{ID}{event.id.hex}",
        event.type,
        json.dumps(document, sort_keys=True).encode(),
        tuple(sealing.unseal(one) for one in kept),
        event.traceparent,
    )


async def attempted(message: Message, outcome: Outcome, now: datetime) -> None:
    """Keep how an attempt went, and what follows of it."""
    async with transaction():
        hook = await repository.lock_of_all(message.webhook)
        row = await repository.lock_delivery_of_all(message.delivery)
        if hook is None or row is None:
            return  # deleted meanwhile
        attempts = row.attempts + 1
        values: dict[str, Any] = {
            "attempts": attempts,
            "tries": [*row.tries, _tried(outcome, now)][-MOST_TRIES:],
            "response": outcome.response or None,
        }
        if outcome.ok:
            values |= {"state": DeliveryState.DELIVERED, "delivered_at": now, "next_at": None}
            if hook.failing_since is not None:
                await repository.save(hook, failing_since=None)
        else:
            at = next_attempt(attempts, outcome, now, random.random())  # noqa: S311  (no secret)
            state = DeliveryState.FAILED if at is None else DeliveryState.PENDING
            values |= {"state": state, "next_at": at}
            await _failed(hook, message.tenant, outcome, now)
        await repository.save_delivery(row, **values)


def _tried(outcome: Outcome, now: datetime) -> dict[str, Any]:
    return {
        "at": now.isoformat(),
        "status": outcome.status,
        "error": outcome.error,
        "took_ms": round(outcome.took.total_seconds() * 1000),
    }


async def _failed(hook: Webhook, tenant: str, outcome: Outcome, now: datetime) -> None:
    since = hook.failing_since or now
    if hook.failing_since is None:
        await repository.save(hook, failing_since=since)
    because = given_up(outcome, since, now)
    if because is None or hook.disabled_at is not None:
        return
    await repository.save(hook, disabled_at=now, disabled_because=because)
    itself = Caller(tenant, f"webhook:{hook.id}", "kubeserve", frozenset())
    detail = {**_audited(hook), "reason": because}
    await audit.record(itself, "webhook.disable", _target(hook), **detail)


async def forget(now: datetime) -> int:
    """Delete events that are older than they are kept; gives how many."""
    return await repository.forget_of_all(now - KEPT, FORGOTTEN_AT_A_TIME)


# Documents


def show(row: Webhook) -> dict[str, Any]:
    """Describe a webhook, without its secret."""
    return {
        "id": str(row.id),
        "url": row.url,
        "events": row.events,
        "description": row.description,
        "enabled": row.disabled_at is None,
        "disabled_at": _time(row.disabled_at),
        "disabled_because": row.disabled_because,
        "failing_since": _time(row.failing_since),
        "former_secret_until": _time(row.former_until),
        "created_by": row.created_by,
        "created_at": row.created_at.isoformat(),
    }


def show_delivery(row: WebhookDelivery) -> dict[str, Any]:
    """Describe a delivery with its event."""
    last = row.tries[-1] if row.tries else {}
    return {
        "id": str(row.id),
        "message_id": f"{ID}{row.event.id.hex}",
        "type": row.event.type,
        "happened_at": row.event.at.isoformat(),
        "data": row.event.data,
        "state": str(row.state),
        "attempts": row.attempts,
        "status": last.get("status"),
        "error": last.get("error"),
        "response": row.response,
        "tries": row.tries,
        "next_at": _time(row.next_at),
        "delivered_at": _time(row.delivered_at),
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


async def why(tenant: TenantId, key: str) -> dict[str, Any]:
    """Say how a webhook does: reason, ok, message, evidence, next_step. Raises NotFound."""
    hook = await _found(tenant, key)
    waiting = await repository.count_of(hook, DeliveryState.PENDING)
    failed = await repository.count_of(hook, DeliveryState.FAILED)
    last = await repository.last_failure(hook)
    facts = [f"{waiting} deliveries wait", f"{failed} were given up"]
    if last is not None and last.tries:
        tried = last.tries[-1]
        said = f"status {tried['status']}" if tried["status"] else tried["error"]
        facts.append(f"delivery {last.id} ({last.event.type}) at {tried['at']}: {said}")
    return {"about": _target(hook), **_cause(hook), "evidence": facts}


def _cause(hook: Webhook) -> dict[str, Any]:
    if hook.disabled_at is not None and (hook.disabled_because or "").endswith(BY_HAND):
        return {
            "reason": "Disabled",
            "ok": True,
            "message": f"Nothing is sent to it: {hook.disabled_because}",
            "next_step": f"`kubeserve webhooks enable {hook.id}`; what waits is sent then, what "
            "happened meanwhile is not.",
        }
    if hook.disabled_at is not None:
        return {
            "reason": "Disabled",
            "ok": False,
            "message": f"Nothing is sent to it: {hook.disabled_because}",
            "next_step": f"Mend the receiver, then `kubeserve webhooks enable {hook.id}`; what "
            "waits is sent then, what happened meanwhile is not.",
        }
    if hook.failing_since is not None:
        since = hook.failing_since.isoformat(timespec="seconds")
        return {
            "reason": "Failing",
            "ok": False,
            "message": f"No delivery went well since {since}; it is disabled after "
            f"{GIVEN_UP_AFTER.days} days of that.",
            "next_step": "Mend the receiver; what waits is tried again by itself, or at once with "
            f"`kubeserve webhooks redeliver {hook.id} DELIVERY`.",
        }
    return {"reason": "Delivering", "ok": True, "message": "It takes its events.", "next_step": ""}


async def _found(tenant: TenantId, key: str) -> Webhook:
    row = await repository.find(tenant, _id(key))
    if row is None:
        raise _missing(key)
    return row


async def _locked(tenant: TenantId, key: str) -> Webhook:
    row = await repository.lock(tenant, _id(key))
    if row is None:
        raise _missing(key)
    return row


def _id(key: str) -> uuid.UUID:
    try:
        return uuid.UUID(key)
    except ValueError as error:
        raise _missing(key) from error


def _missing(key: str) -> NotFound:
    return NotFound(f"There is no webhook {key[:60]!r}; `kubeserve webhooks list` lists them.")


def _there(row: WebhookDelivery | None, number: int) -> WebhookDelivery:
    if row is None:
        raise _no_delivery(number)
    return row


def _no_delivery(number: int) -> NotFound:
    return NotFound(f"This webhook has no delivery {number}.")
