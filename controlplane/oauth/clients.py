"""Clients: programs that may ask for tokens, of tenants and of KubeServe itself."""

import re
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from controlplane.api_keys.service import ApiKeys
from controlplane.audit import service as audit
from controlplane.callers import Caller, Standing
from controlplane.database import transaction
from controlplane.oauth import assertions, redirects, repository, server
from controlplane.oauth.server import KnownClient
from controlplane.oauth.tables import Client
from controlplane.permissions import ALL_SCOPES, Scope
from controlplane.tenants import service as tenants
from controlplane.tenants.service import TenantId, TenantInfo
from controlplane.wakes import Wake, tell
from runtime import api_keys
from runtime.problems import InvalidInput, NotFound, QuotaExceeded

MOST_LIVE: Final = 1000  # of a tenant
CLIENT_ID: Final = re.compile(r"ks-[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """A client as other parts see it; its secret is shown once, when it is made."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    auth_method: str
    redirect_uris: tuple[str, ...] = ()
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class NewClient:
    """What a client is made of.

    scopes         None: all but admin
    redirect_uris  of an application that people sign in with
    public         it keeps no secret: a program on people's machines or in their browsers
    jwks           public keys by which it shows who it is, instead of a secret
    """

    name: str
    scopes: Collection[str] | None = None
    redirect_uris: Collection[str] | None = None
    public: bool = False
    jwks: dict[str, Any] | None = None


class Clients:
    """The clients of one installation.

    installation  the one that was made for who runs it, once that is known
    """

    def __init__(self, issuer: str, keys: ApiKeys, clock: Callable[[], datetime]) -> None:
        self._first_party, self._clock = server.first_party(issuer), clock
        self._api_keys = keys
        self.installation: str | None = None

    async def known(self, client_id: str, secret: str = "") -> KnownClient | None:
        """Give a client that may ask for tokens.

        secret  that it sent; an API key is a client whose secret is the whole key
        """
        if client_id.startswith(api_keys.PREFIX):
            return await self._key(client_id, secret)
        ours = self._first_party.get(client_id)
        if ours is not None or not CLIENT_ID.fullmatch(client_id):
            return ours
        row = await repository.live_client_of_all(client_id)
        return None if row is None else _known(row)

    async def _key(self, key_id: str, secret: str) -> KnownClient | None:
        if api_keys.public_id(secret) != key_id:
            return None
        found = await self._api_keys.exchangeable(key_id)
        if found is None:
            return None
        tenant = await tenants.get(found.tenant)
        ends = int(found.expires_at.timestamp())
        return KnownClient(
            found.id,
            found.tenant,
            found.sha256,
            found.scopes,
            tenant_id=tenant.id,
            kind="key",
            ends=ends,
        )

    @staticmethod
    async def names(tenant: str, ids: list[str]) -> dict[str, str]:
        """Give the names of a tenant's clients."""
        return await repository.names(tenant, ids)

    async def is_live(self, client_id: str) -> bool:
        """Tell whether a client exists and was not revoked."""
        return await self.known(client_id) is not None

    async def standing(self, client_id: str, tenant: str) -> Standing | None:
        """Tell what a client may do; None: there is none, or it was revoked."""
        client = await self.known(client_id)
        if client is None or client.tenant != tenant:
            return None
        return Standing(frozenset(client.scopes), installation=client_id == self.installation)

    async def create(
        self, caller: Caller | None, tenant: TenantInfo, wanted: NewClient
    ) -> ClientInfo:
        """Make a client; its secret, if it has one, is in the answer and nowhere else.

        caller  who asks; None: the installation itself
        """
        if wanted.public and wanted.jwks is not None:
            raise InvalidInput("A public client keeps no keys; leave out public or jwks.")
        uris = wanted.redirect_uris
        secret = None
        if not wanted.public and wanted.jwks is None:
            secret = f"kss_{secrets.token_urlsafe(32)}"
        async with transaction():
            if await repository.count_clients(tenant.id) >= MOST_LIVE:
                raise QuotaExceeded(
                    f"There are {MOST_LIVE} clients already; revoke those that nobody uses.",
                    limit=MOST_LIVE,
                )
            row = await repository.create_client(
                tenant.id,
                f"ks-{secrets.token_hex(8)}",
                name=wanted.name,
                secret_sha256=None if secret is None else server.digest(secret),
                scopes=_checked_scopes(wanted),
                redirect_uris=None if uris is None else redirects.check(uris, public=wanted.public),
                auth_method=_method(wanted),
                jwks=None if wanted.jwks is None else assertions.check_jwks(wanted.jwks),
            )
            made = _info(row)
            detail = {"name": made.name, "scopes": made.scopes, "auth_method": made.auth_method}
            if caller is not None:
                target = f"client:{made.id}"
                await audit.record(caller, "client.create", target, within=tenant.name, **detail)
        return replace(made, secret=secret)

    async def ensure_administrator(self, tenant: TenantId, client_id: str, secret: str) -> bool:
        """Make the administrator that the installation names, or give it its new secret.

        Called under the start-up lock. The same once more changes nothing, not even that somebody
        revoked it; True when something changed.
        """
        digest = server.digest(secret)
        row = await repository.client_of_all(client_id)
        if row is None:
            name = "administrator of the installation"
            await repository.create_client(
                tenant, client_id, name=name, secret_sha256=digest, scopes=[*ALL_SCOPES]
            )
            return True
        if row.secret_sha256 == digest:
            return False
        await repository.give_secret(row, digest)
        return True

    async def page(self, tenant: TenantId, limit: int, after: str | None) -> list[ClientInfo]:
        """Give limit + 1 clients of a tenant in order of id."""
        return [_info(row) for row in await repository.clients(tenant, limit, after)]

    async def revoke(self, caller: Caller, tenant: TenantId, client_id: str) -> None:
        """Revoke a client and every token it holds; raises NotFound."""
        known = CLIENT_ID.fullmatch(client_id) is not None
        now = self._clock()
        async with transaction():
            if not (known and await repository.revoke(tenant, client_id, now)):
                raise NotFound(f"There is no client {client_id[:60]!r}.")
            await repository.end_grants(now, "client revoked", client_id=client_id)
            await repository.forget_consents(client_id=client_id)
            await audit.record(caller, "client.revoke", f"client:{client_id}")
            await tell(Wake.KEYS)


def _checked_scopes(wanted: NewClient) -> list[str]:
    if wanted.scopes is None:
        return [s for s in ALL_SCOPES if s != Scope.ADMIN]
    if not wanted.scopes:
        raise InvalidInput(f"A client needs a scope; there are {list(ALL_SCOPES)}.")
    unknown = sorted(set(wanted.scopes) - set(ALL_SCOPES))
    if unknown:
        raise InvalidInput(f"unknown scopes {unknown}; there are {list(ALL_SCOPES)}")
    return list(dict.fromkeys(wanted.scopes))


def _method(wanted: NewClient) -> str:
    if wanted.public:
        return "none"
    return "client_secret_basic" if wanted.jwks is None else assertions.METHOD


def _known(row: dict[str, Any]) -> KnownClient:
    return KnownClient(
        row["id"],
        row["tenant"],
        row["secret_sha256"],
        tuple(row["scopes"]),
        row["name"],
        row["tenant_id"],
        tuple(row["redirect_uris"] or ()),
        row["jwks"],
        public=row["auth_method"] == "none",
    )


def _info(row: Client) -> ClientInfo:
    return ClientInfo(
        row.id,
        row.name,
        tuple(row.scopes),
        row.created_at,
        row.auth_method,
        tuple(row.redirect_uris or ()),
    )
