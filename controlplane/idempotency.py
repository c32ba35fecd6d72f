"""`Idempotency-Key`: the same POST sent twice happens once, and is answered twice alike.

A key is of who sent it, with what they may do now: from anybody else it is another request.
Key, effect and answer are one transaction: after a crash there are either all three or none.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol

from fastapi import Request
from tortoise import fields
from tortoise.exceptions import IntegrityError
from tortoise.models import Model
from tortoise.transactions import in_transaction

from controlplane.callers import Caller
from runtime.problems import Conflict, InvalidInput

Answer = dict[str, Any]


class IdempotencyKey(Model):
    """One caller's key, as a digest, with that of its request and the answer it got."""

    id = fields.BigIntField(primary_key=True)
    tenant = fields.CharField(max_length=40)
    key = fields.CharField(max_length=255)
    request_sha256 = fields.CharField(max_length=64)
    answer = fields.JSONField[Answer](null=True)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "idempotency_keys"
        unique_together = (("tenant", "key"),)


class Seals(Protocol):
    """Keeps a secret of an answer unreadable until its owner has surely received it."""

    def seal(self, secret: str) -> str: ...

    def unseal(self, sealed: str) -> str: ...


async def once_with_secret(
    request: Request, caller: Caller, member: str, act: Callable[[], Awaitable[Answer]]
) -> Answer:
    """Do something once for each key; `member` of the answer, if it is there, is a secret."""
    seals: Seals = request.app.state.oauth

    async def sealed() -> Answer:
        answer = await act()
        return {**answer, member: seals.seal(answer[member])} if member in answer else answer

    answer = await once(request, caller, sealed)
    return {**answer, member: seals.unseal(answer[member])} if member in answer else answer


async def forget(before: datetime) -> int:
    """Delete keys older than any retry; gives how many."""
    return await IdempotencyKey.filter(created_at__lt=before).delete()


async def once(request: Request, caller: Caller, act: Callable[[], Awaitable[Answer]]) -> Answer:
    """Do something once for each key; without a key, each time.

    Raises Conflict when the key was used for another request.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return await act()
    if not 0 < len(key) <= 255:
        raise InvalidInput("Idempotency-Key must have 1 to 255 characters.")
    kept = _of_caller(caller, key)
    digest = hashlib.sha256(f"{request.method} {request.url.path}\n".encode())
    digest.update(await request.body())
    try:
        async with in_transaction():
            row = await IdempotencyKey.create(
                tenant=caller.tenant, key=kept, request_sha256=digest.hexdigest()
            )
            row.answer = await act()
            await row.save(update_fields=["answer"])
            return row.answer
    except IntegrityError:
        known = await IdempotencyKey.get_or_none(tenant=caller.tenant, key=kept)
        if known is None:
            raise
    if known.request_sha256 != digest.hexdigest():
        raise Conflict("This Idempotency-Key was used for another request; make a new one.")
    return known.answer or {}


def _of_caller(caller: Caller, key: str) -> str:
    """Give what a key is kept as: whoever may less by now gets no answer from when they could."""
    who = (caller.subject, caller.client, caller.role, caller.installation)
    said = json.dumps([*who, sorted(caller.scopes), key])
    return hashlib.sha256(said.encode()).hexdigest()
