"""Clients, tokens and the keys that sign them."""

import base64
import json
import re
import secrets
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from authlib.oauth2.rfc6749 import OAuth2Error
from cryptography.exceptions import InvalidTag
from joserfc import jwt
from joserfc.jwk import ECKey

from controlplane.callers import Standing
from controlplane.database import transaction
from controlplane.oauth import keys as key_files
from controlplane.oauth import repository, server
from controlplane.oauth.tables import Client
from controlplane.permissions import ALL_SCOPES, Scope
from controlplane.tenants import service as tenants
from controlplane.tenants.service import TenantId
from controlplane.wakes import Wake, tell
from runtime.problems import InvalidInput, NotFound

ACTIVE: Final = "active"
MOST_KEYS_BYTES: Final = 100_000  # a pod gets them in a variable, of 128 KiB at most
SEALED_AS: Final = "client secret"
CLIENT_ID: Final = re.compile(r"ks-[0-9a-f]{16}")
Answer = tuple[int, dict[str, Any], dict[str, str]]
EndpointExists = Callable[[TenantId, uuid.UUID], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """A client as other parts see it; its secret is shown once, when it is made."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    secret: str | None = None


class OAuth:
    """The authorization server of one installation."""

    def __init__(
        self,
        *,
        issuer: str,
        secret: bytes,
        api_token_s: int,
        predict_token_s: int,
        endpoint_exists: EndpointExists,
    ) -> None:
        self.issuer = issuer
        self._secret = secret
        self._lives = (api_token_s, predict_token_s)
        self._endpoint_exists = endpoint_exists
        self._signer: server.Signer | None = None

    async def ensure_key(self) -> None:
        """Load the active key; the first start makes one. Called under the start-up lock."""
        rows = await repository.keys()
        active = next((row for row in rows if row.state == ACTIVE), None)
        if active is None:
            pair = key_files.new_key()
            sealed = key_files.seal(self._secret, pair.kid, pair.private)
            await repository.add_key(pair.kid, sealed, pair.public, ACTIVE)
            kid, private = pair.kid, pair.private
        else:
            kid = active.kid
            try:
                private = key_files.unseal(self._secret, kid, bytes(active.private))
            except InvalidTag as error:
                raise RuntimeError(
                    "the signing keys in the database were sealed with another secret than "
                    "KUBESERVE_SIGNING_SECRET, KUBESERVE_SIGNING_SECRET_FILE or the home folder "
                    "give: give the one they were made with"
                ) from error
        api, predict = self._lives
        self._signer = server.Signer(self.issuer, kid, ECKey.import_key(private), api, predict)

    async def jwks(self) -> dict[str, Any]:
        """Give the public keys."""
        return {"keys": [row.public for row in await repository.keys()]}

    async def keys_document(self, now: datetime) -> bytes:
        """Write the keys file of the runtimes: public keys and what was revoked lately."""
        since = now - timedelta(seconds=2 * max(self._lives))
        revoked = await repository.revoked_since_of_all(since)
        clients = {row.id: row.revoked_at.timestamp() for row in revoked if row.revoked_at}
        keys = await self.jwks()
        told: dict[str, Any] = {"jtis": {}, "clients": clients}
        document = json.dumps({**keys, "revoked": told}, sort_keys=True).encode()
        if len(document) <= MOST_KEYS_BYTES:
            return document
        # Whoever was not revoked gets a new token; that costs one request each.
        told = {"jtis": {}, "clients": {}, "before": max(clients.values())}
        return json.dumps({**keys, "revoked": told}, sort_keys=True).encode()

    def signed_keys(self, document: bytes) -> bytes:
        """Sign a keys file, for runtimes that get it from a place they need not trust."""
        signer = self._loaded()
        header = {"alg": "ES256", "typ": "keys+jwt", "kid": signer.kid}
        claims = {"iat": int(datetime.now(UTC).timestamp()), **json.loads(document)}
        return jwt.encode(header, claims, signer.key, algorithms=["ES256"]).encode()

    def _loaded(self) -> server.Signer:
        if self._signer is None:
            raise RuntimeError("the signing key is loaded when the application starts")
        return self._signer

    async def token(
        self, body: bytes, query: str, headers: dict[str, str], now: datetime
    ) -> Answer:
        """Answer a token request in OAuth's own shape; never raises for a bad one."""
        try:
            form = server.parse_form(body, query)
            client = await self._client(server.client_id(form, headers))
            audience, for_endpoint = await self._audience(form.get("resource"), client)
        except OAuth2Error as error:
            return server.refusal(error)
        request = server.TokenRequest(
            form, headers, f"{self.issuer}/oauth2/token", client, audience, for_endpoint
        )
        return server.issue(self._loaded(), request, int(now.timestamp()))

    async def _client(self, client_id: str) -> server.KnownClient | None:
        known = CLIENT_ID.fullmatch(client_id) is not None
        row = await repository.client_of_all(client_id) if known else None
        if row is None or row.revoked_at is not None:
            return None
        tenant = await tenants.name_of(TenantId(_uuid(row.tenant_id)))
        return server.KnownClient(row.id, tenant, row.secret_sha256, tuple(row.scopes))

    async def _audience(
        self, resource: str | None, client: server.KnownClient | None
    ) -> tuple[str, bool]:
        """Give the audience and whether it is an endpoint (RFC 8707)."""
        if resource is None or resource.rstrip("/") == self.issuer:
            return self.issuer, False
        prefix = f"{self.issuer}/endpoints/"
        if client is not None and resource.startswith(prefix):
            try:
                endpoint = uuid.UUID(resource[len(prefix) :])
            except ValueError:
                endpoint = None
            tenant = await tenants.get(client.tenant)
            if endpoint is not None and await self._endpoint_exists(tenant.id, endpoint):
                return resource, True
        if client is None:
            return self.issuer, False  # the client fails first, and says nothing of resources
        raise server.InvalidTargetError("There is no such resource; use the endpoint's audience.")

    async def is_live(self, client_id: str) -> bool:
        """Tell whether a client exists and was not revoked."""
        row = await repository.client_of_all(client_id)
        return row is not None and row.revoked_at is None

    async def standing(self, client_id: str, tenant: str) -> Standing | None:
        """Tell what a client may do; None: there is none, or it was revoked."""
        row = await repository.client_of_all(client_id)
        if row is None or row.revoked_at is not None:
            return None
        if await tenants.name_of(TenantId(_uuid(row.tenant_id))) != tenant:
            return None
        return Standing(frozenset(row.scopes))

    async def create_client(
        self, tenant: TenantId, name: str, scopes: list[str] | None
    ) -> ClientInfo:
        """Make a client; its secret is in the answer and nowhere else."""
        wanted = scopes
        if wanted is None:
            wanted = [s for s in ALL_SCOPES if s != Scope.ADMIN]
        if not wanted:
            raise InvalidInput(f"A client needs a scope; there are {list(ALL_SCOPES)}.")
        unknown = sorted(set(wanted) - set(ALL_SCOPES))
        if unknown:
            raise InvalidInput(f"unknown scopes {unknown}; there are {list(ALL_SCOPES)}")
        secret = f"kss_{secrets.token_urlsafe(32)}"
        row = await repository.create_client(
            tenant,
            f"ks-{secrets.token_hex(8)}",
            name,
            server.digest(secret),
            list(dict.fromkeys(wanted)),
        )
        return _info(row, secret)

    async def ensure_administrator(self, tenant: TenantId, client_id: str, secret: str) -> bool:
        """Make the administrator that the installation names, or give it its new secret.

        Called under the start-up lock. The same once more changes nothing, not even that somebody
        revoked it; True when something changed.
        """
        digest = server.digest(secret)
        row = await repository.client_of_all(client_id)
        if row is None:
            name = "administrator of the installation"
            await repository.create_client(tenant, client_id, name, digest, [*ALL_SCOPES])
            return True
        if row.secret_sha256 == digest:
            return False
        await repository.give_secret(row, digest)
        return True

    def seal(self, secret: str) -> str:
        """Encrypt a secret that has to be kept until its owner has surely received it."""
        sealed = key_files.seal(self._secret, SEALED_AS, secret.encode())
        return base64.b64encode(sealed).decode()

    def unseal(self, sealed: str) -> str:
        """Decrypt what `seal` encrypted."""
        raw = base64.b64decode(sealed)
        return key_files.unseal(self._secret, SEALED_AS, raw).decode()

    async def clients(self, tenant: TenantId, limit: int, after: str | None) -> list[ClientInfo]:
        """Give limit + 1 clients of a tenant in order of id."""
        return [_info(row) for row in await repository.clients(tenant, limit, after)]

    async def revoke_client(self, tenant: TenantId, client_id: str) -> None:
        """Revoke a client and every token it holds; raises NotFound."""
        known = CLIENT_ID.fullmatch(client_id) is not None
        async with transaction():
            if not (known and await repository.revoke(tenant, client_id, datetime.now(UTC))):
                raise NotFound(f"There is no client {client_id[:60]!r}.")
            await tell(Wake.KEYS)


def _info(row: Client, secret: str | None = None) -> ClientInfo:
    return ClientInfo(row.id, row.name, tuple(row.scopes), row.created_at, secret)


def _uuid(value: object) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))
