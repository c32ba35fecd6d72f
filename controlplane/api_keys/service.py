"""API keys: never more than their maker may, shown once, exchanged or for one endpoint."""

import secrets
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from controlplane.api_keys import repository
from controlplane.api_keys.tables import ApiKey
from controlplane.audit import service as audit
from controlplane.callers import Caller, Standing, StandingOf
from controlplane.database import transaction
from controlplane.permissions import ALL_SCOPES, Scope
from controlplane.tenants.service import TenantId
from controlplane.wakes import Wake, tell
from runtime import api_keys
from runtime.api_keys import Kind
from runtime.problems import Forbidden, InvalidInput, NotFound, QuotaExceeded
from runtime.resource import audience_of

MOST_LIVE: Final = 250  # of a tenant: what its pods are told of them has room in a variable
USED_EVERY: Final = timedelta(minutes=1)
NEVER: Final = 1 << 40  # a time that no token is issued after
EndpointNamed = Callable[[TenantId, str], Awaitable[uuid.UUID]]


class Sealing(Protocol):
    """Keeps a secret until its owner has surely received it."""

    def seal(self, secret: str) -> str:
        """Encrypt it."""

    def unseal(self, sealed: str) -> str:
        """Decrypt what `seal` encrypted."""


@dataclass(frozen=True, slots=True)
class KeyWanted:
    """What a caller asks for.

    scopes    None: all that its maker has but admin
    endpoint  name of the one endpoint it opens; None: it is exchanged for tokens
    """

    name: str
    scopes: tuple[str, ...] | None
    endpoint: str | None
    life: timedelta


@dataclass(frozen=True, slots=True)
class Exchangeable:
    """A key as the token endpoint sees it."""

    id: str
    tenant: str
    sha256: str
    scopes: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Published:
    """What the runtimes of a tenant are told of its keys.

    listed  endpoint keys by audience and SHA-256
    lost    API keys whose tokens for endpoints are not to be taken any more, with a time after
            the last of these tokens
    """

    listed: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    lost: dict[str, datetime] = field(default_factory=dict)


class ApiKeys:
    """The keys of one installation.

    standing        by kind of subject, what it may do now
    endpoint_named  finds a tenant's endpoint; raises NotFound
    """

    def __init__(
        self, issuer: str, standing: Mapping[str, StandingOf], endpoint_named: EndpointNamed
    ) -> None:
        self._issuer, self._standing = issuer, standing
        self._endpoint_named = endpoint_named

    async def create(
        self, caller: Caller, tenant: TenantId, wanted: KeyWanted
    ) -> tuple[dict[str, Any], str]:
        """Make a key; gives its document and its text. Raises Forbidden, InvalidInput, NotFound."""
        if caller.subject.startswith("key:"):
            raise Forbidden("An API key makes no other: sign in, or use a client's secret.")
        if caller.application:
            raise Forbidden(
                "An application makes no API key for a person: make it at the dashboard, or with "
                "`kubeserve keys create`."
            )
        kind = Kind.API if wanted.endpoint is None else Kind.ENDPOINT
        scopes = await self._scopes(caller, wanted, kind)
        endpoint = None
        if wanted.endpoint is not None:
            endpoint = await self._endpoint_named(tenant, wanted.endpoint)
        now, text = datetime.now(UTC), _new_key(kind)
        async with transaction():
            if await repository.count_live(tenant, now) >= MOST_LIVE:
                raise QuotaExceeded(
                    f"There are {MOST_LIVE} API keys already; revoke those that nobody uses.",
                    limit=MOST_LIVE,
                )
            row = await repository.add(
                tenant,
                id=api_keys.public_id(text),
                kind=kind,
                name=wanted.name,
                sha256=api_keys.digest(text),
                scopes=list(scopes),
                endpoint_id=endpoint,
                made_by=caller.subject,
                expires_at=now + wanted.life,
            )
            await audit.record(
                caller,
                "key.create",
                f"key:{row.id}",
                name=wanted.name,
                scopes=list(scopes),
                endpoint=wanted.endpoint,
            )
            if kind is Kind.ENDPOINT:
                await tell(Wake.KEYS)
        return _document(row, wanted.endpoint), text

    async def _scopes(self, caller: Caller, wanted: KeyWanted, kind: Kind) -> tuple[str, ...]:
        """Give the scopes of a new key: those asked for, if the caller has them."""
        allowed = await self._may_give(caller)
        if kind is Kind.ENDPOINT:
            asked: tuple[str, ...] = (Scope.PREDICT,)
            if wanted.scopes not in (None, asked):
                raise InvalidInput(
                    "A key for one endpoint has the scope predict and no other.", field="scopes"
                )
        elif wanted.scopes is None:
            asked = tuple(s for s in ALL_SCOPES if s in allowed and s != Scope.ADMIN)
        else:
            asked = wanted.scopes
        if not asked:
            raise InvalidInput(
                f"A key needs a scope; there are {list(ALL_SCOPES)}.", field="scopes"
            )
        unknown = sorted(set(asked) - set(ALL_SCOPES))
        if unknown:
            raise InvalidInput(
                f"unknown scopes {unknown}; there are {list(ALL_SCOPES)}", field="scopes"
            )
        lacking = sorted(set(asked) - allowed)
        if lacking:
            raise Forbidden(
                f"A key never has more than its maker, who lacks {' '.join(lacking)} here.",
                scope=" ".join(lacking),
            )
        return tuple(dict.fromkeys(map(str, asked)))

    async def _may_give(self, caller: Caller) -> frozenset[str]:
        """Give the scopes a caller has.

        Tokens for the API never have predict; whoever has all else of a subject's may give that on
        too, and a token that was asked for with less may not.
        """
        if Scope.ADMIN in caller.scopes:
            return frozenset(ALL_SCOPES)
        now = await self._standing_of(caller.subject, caller.tenant)
        whole = frozenset() if now is None else now.scopes
        return whole if whole - {Scope.PREDICT} <= caller.scopes else caller.scopes

    async def _standing_of(self, subject: str, tenant: str) -> Standing | None:
        kind, _, name = subject.partition(":")
        look = self._standing.get(kind)
        return None if look is None else await look(name, tenant)

    async def page(
        self, caller: Caller, tenant: TenantId, limit: int, after: str | None
    ) -> list[dict[str, Any]]:
        """Give limit + 1 keys in order of id: an administrator's tenant's, everybody else's own."""
        made_by = None if Scope.ADMIN in caller.scopes else caller.subject
        rows = await repository.page(tenant, made_by, limit, after)
        return [_document(row, endpoint) for row, endpoint in rows]

    async def revoke(self, caller: Caller, tenant: TenantId, key_id: str) -> None:
        """End a key and its tokens; raises NotFound, also for a key of somebody else."""
        known = api_keys.PUBLIC_ID.fullmatch(key_id) is not None
        async with transaction():
            row = await repository.lock(tenant, key_id) if known else None
            mine = row is not None and caller.subject in (row.made_by, f"key:{row.id}")
            if row is None or not (mine or Scope.ADMIN in caller.scopes):
                raise NotFound(f"There is no API key {key_id[:60]!r}.")
            await repository.revoke(row, datetime.now(UTC))
            await audit.record(caller, "key.revoke", f"key:{row.id}", name=row.name)
            await tell(Wake.KEYS)

    async def end_of(self, maker: str, tenant: TenantId | None = None) -> int:
        """End the keys that a subject made, in one tenant or all; how many. In a transaction."""
        ended = await repository.revoke_of_all(maker, tenant, datetime.now(UTC))
        await tell(Wake.KEYS)
        return ended

    async def standing(self, key_id: str, tenant: str) -> Standing | None:
        """Tell what a key may do now; None: it ended, or its maker did."""
        found = await self._live(key_id)
        if found is None or found.tenant != tenant:
            return None
        await self.used(key_id)
        return Standing(frozenset(found.scopes))

    async def exchangeable(self, key_id: str) -> Exchangeable | None:
        """Find a key that may be exchanged for tokens."""
        known = api_keys.PUBLIC_ID.fullmatch(key_id) is not None
        return await self._live(key_id) if known else None

    async def _live(self, key_id: str) -> Exchangeable | None:
        found = await repository.live_of_all(key_id, datetime.now(UTC))
        if found is None or found[0].kind is not Kind.API:
            return None
        row, tenant = found
        scopes = await self._left(row, tenant)
        if not scopes:
            return None
        return Exchangeable(row.id, tenant, row.sha256, scopes, row.expires_at)

    async def _left(self, row: ApiKey, tenant: str) -> tuple[str, ...]:
        """Give what a key's maker has of its scopes now."""
        now = await self._standing_of(row.made_by, tenant)
        if now is None:
            return ()
        whole = frozenset(ALL_SCOPES) if Scope.ADMIN in now.scopes else now.scopes
        return tuple(scope for scope in row.scopes if scope in whole)

    async def used(self, key_id: str) -> None:
        """Note that a key was used, at most once a minute."""
        now = datetime.now(UTC)
        await repository.used(key_id, now, now - USED_EVERY)

    async def published(self, now: datetime, token_life: timedelta) -> dict[str, Published]:
        """Say what runtimes are to know of keys, by name of the tenant; the rest know nothing.

        token_life  of tokens for endpoints
        """
        found: dict[str, Published] = {}
        for row, tenant in await repository.live_endpoint_keys_of_all(now):
            if Scope.PREDICT in await self._left(row, tenant):
                listed = found.setdefault(tenant, Published()).listed
                audience = audience_of(self._issuer, row.endpoint_id)
                exp = int(row.expires_at.timestamp())
                entry = {"id": row.id, "tenant": tenant, "exp": exp}
                listed.setdefault(audience, {})[row.sha256] = entry
        since = now - token_life - 2 * USED_EVERY
        for row, tenant in await repository.exchanged_of_all(since):
            if row.revoked_at or Scope.PREDICT not in await self._left(row, tenant):
                lost = found.setdefault(tenant, Published()).lost
                lost[row.id] = row.revoked_at or (row.last_used_at or now) + USED_EVERY
        return found

    @staticmethod
    async def names(tenant: str, ids: list[str]) -> dict[str, str]:
        """Give the names of a tenant's keys."""
        return {
            key: f"API key {name}" for key, name in (await repository.names(tenant, ids)).items()
        }


def _new_key(kind: Kind) -> str:
    letters = (secrets.choice(api_keys.ALPHABET) for _ in range(api_keys.SECRET_LENGTH))
    return api_keys.spelled(kind, secrets.token_hex(8), "".join(letters))


def _document(row: ApiKey, endpoint: str | None) -> dict[str, Any]:
    used = row.last_used_at
    return {
        "id": row.id,
        "name": row.name,
        "scopes": row.scopes,
        "endpoint": endpoint,
        "created_by": row.made_by,
        "created_at": row.created_at.isoformat(),
        "expires_at": row.expires_at.isoformat(),
        "expired": row.expires_at <= datetime.now(UTC),
        "last_used_at": used.isoformat() if used else None,
    }
