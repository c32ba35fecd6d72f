"""What people allowed applications: remembered, so that they are asked once; shown, and ended."""

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from controlplane.accounts.applications import Application
from controlplane.api_keys.service import ApiKeys
from controlplane.audit import service as audit
from controlplane.callers import Caller
from controlplane.database import transaction
from controlplane.oauth import repository
from controlplane.oauth.clients import Clients
from controlplane.oauth.server import KnownClient
from controlplane.permissions import Scope
from controlplane.tenants import service as tenants
from controlplane.tenants.service import TenantId
from controlplane.wakes import Wake, tell
from runtime.problems import NotFound

IN_WORDS: Final = {
    Scope.MODELS_READ: "See models and their versions",
    Scope.MODELS_WRITE: "Upload, change and delete models",
    Scope.ENDPOINTS_READ: "See endpoints, their releases and logs",
    Scope.ENDPOINTS_WRITE: "Deploy, change and delete endpoints",
    Scope.PREDICT: "Ask endpoints for predictions",
    Scope.PAYLOADS_READ: "Read what callers sent to endpoints, where that is logged",
    Scope.ADMIN: "Administer the tenant: members, clients and keys",
    "openid": "Know who you are",
    "profile": "See your name",
    "email": "See your e-mail address",
}


@dataclass(frozen=True, slots=True)
class Allowed:
    """The applications of people, as the authorization server keeps them."""

    clients: Clients
    keys: ApiKeys
    clock: Callable[[], datetime]

    async def of(self, person: uuid.UUID) -> list[Application]:
        """List the applications of a person: remembered ones, and those that have tokens."""
        scopes: dict[tuple[str, uuid.UUID], set[str]] = {}
        since: dict[tuple[str, uuid.UUID], datetime] = {}
        for client_id, tenant, may, at in await repository.allowed_by(person, self.clock()):
            scopes.setdefault((client_id, tenant), set()).update(may)
            since[client_id, tenant] = min(at, since.get((client_id, tenant), at))
        found = []
        for (client_id, tenant), union in scopes.items():
            client = await self.clients.known(client_id)
            if client is not None:  # a revoked one acts for nobody
                name, at = await tenants.name_of(TenantId(tenant)), since[client_id, tenant]
                found.append(Application(client_id, client.name, name, in_words(union), at))
        return sorted(found, key=lambda one: (one.name, one.tenant, one.client))

    async def end(self, caller: Caller, person: uuid.UUID, client: str, tenant: str) -> None:
        """End what a person allowed an application in a tenant; raises NotFound."""
        now, where = self.clock(), await tenants.get(tenant)
        which = {"user_id": person, "client_id": client, "tenant_id": where.id}
        async with transaction():
            forgotten = await repository.forget_consents(**which)
            await repository.end_codes(now, **which)
            ended = await repository.end_grants(now, "taken back", **which)
            if not forgotten and not ended:
                raise NotFound("That application does not act for you any more.")
            theirs = replace(caller, tenant=where.name)
            await audit.record(theirs, "consent.revoke", f"client:{client}", grants=ended)
            await tell(Wake.KEYS)

    async def end_all(self, person: uuid.UUID, reason: str, tenant: uuid.UUID | None = None) -> int:
        """End all that acts for a person; gives how many grants. Call in a transaction.

        tenant  only what does there
        Codes first: whoever redeems one at this moment has its grant there before grants end.
        """
        now = self.clock()
        which = {"user_id": person} | ({} if tenant is None else {"tenant_id": tenant})
        await repository.forget_consents(**which)
        await repository.end_codes(now, **which)
        ended = await repository.end_grants(now, reason, **which)
        await tell(Wake.KEYS)
        return ended

    async def end_keys(self, person: uuid.UUID, tenant: uuid.UUID | None = None) -> int:
        """End the API keys that a person made; gives how many. Call in a transaction."""
        where = None if tenant is None else TenantId(tenant)
        return await self.keys.end_of(f"user:{person}", where)

    async def remembered(
        self,
        person: uuid.UUID,
        client: KnownClient,
        resource: str | None,
        scopes: tuple[str, ...],
    ) -> frozenset[uuid.UUID]:
        """Give the tenants in which a person allowed a client all of this before.

        What was allowed for the whole tenant holds for each resource in it, and not the reverse.
        """
        rows = await repository.consents_of(person, client_id=client.id)
        return frozenset(
            uuid.UUID(str(row.tenant_id))
            for row in rows
            if row.resource in ("", resource) and set(scopes) <= set(row.scopes)
        )


def in_words(scopes: Collection[str]) -> tuple[str, ...]:
    """Say what scopes allow."""
    return tuple(words for scope, words in IN_WORDS.items() if scope in scopes)
