"""Clients, tokens and what may still be done with them."""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from authlib.oauth2.rfc6749 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidRequestError, InvalidScopeError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from controlplane.accounts import service as accounts
from controlplane.api_keys.service import NEVER, ApiKeys, Published
from controlplane.audit import service as audit
from controlplane.callers import LEEWAY_S, Caller, StandingOf, is_application
from controlplane.database import transaction
from controlplane.oauth import assertions, exchange, grants, repository, server, tokens
from controlplane.oauth import keys as key_files
from controlplane.oauth.clients import Clients
from controlplane.oauth.exchange import Came
from controlplane.oauth.keyring import Keyring
from controlplane.oauth.revoked import MOST_NAMED, Revoked, told
from controlplane.oauth.rotation import Schedule
from controlplane.oauth.server import Answer, KnownClient
from controlplane.oauth.throttle import Throttle
from controlplane.permissions import ALL_SCOPES, IDENTITY_SCOPES, Scope, allows
from controlplane.tenants import service as tenants
from controlplane.tenants.service import TenantId
from controlplane.wakes import Wake, tell
from runtime.problems import Forbidden, RateLimited
from runtime.resource import audience_of

EVERYWHERE: Final = ""  # in place of a tenant: what holds in all of them
SEALED_AS: Final = "client secret"
LEEWAY: Final = timedelta(seconds=LEEWAY_S)  # tokens are taken for so long after they expired
KEPT: Final = timedelta(days=1)  # what has ended, for who wonders why
EndpointExists = Callable[[TenantId, uuid.UUID], Awaitable[bool]]
Headers = dict[str, str]
Sent = tuple[bytes, str, Headers]  # body, query, headers
Act = Callable[[dict[str, str], KnownClient | None], Awaitable[Answer]]
# Of those that wait ten minutes for a person: an office behind one address needs no more.
MOST_DEVICES_OF_ADDRESS: Final = 100
MOST_DEVICES: Final = 10_000


class _ReplayedError(Exception):
    """An assertion came again: nothing of the transaction is kept."""


class OAuth:
    """The authorization server of one installation.

    lives  seconds of a token for the API, and of one for an endpoint
    clock  the time now, with its zone
    """

    def __init__(
        self,
        *,
        issuer: str,
        secret: bytes,
        lives: tuple[int, int],
        endpoint_exists: EndpointExists,
        keys: ApiKeys,
        throttle: Throttle,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.issuer = issuer
        self.clock = clock
        self._secret = secret
        self._lives = lives
        self._scraper: dict[str, str] = {}
        self._throttle = throttle
        self._endpoint_exists, self._api_keys = endpoint_exists, keys
        self.clients = Clients(issuer, keys, clock)
        # Who tokens are of, and what they may do now.
        self.standing: Mapping[str, StandingOf] = {
            "client": self.clients.standing,
            "user": tenants.standing,
            "key": keys.standing,
        }
        schedule = Schedule(longest_token=timedelta(seconds=max(self._lives)))
        self.keyring = Keyring(secret, schedule, clock)

    def let_read_metrics(self, token: str) -> None:
        """Have runtimes take a token for their metrics; they are told its digest alone."""
        self._scraper = {"metrics": hashlib.sha256(token.encode()).hexdigest()}

    async def jwks(self) -> dict[str, Any]:
        """Give the public keys."""
        return (await self.keyring.current()).public

    async def verifying(self) -> KeySet:
        """Give the public keys to verify with."""
        return (await self.keyring.current()).verifying

    async def keys_documents(self, now: datetime) -> tuple[bytes, dict[str, bytes]]:
        """Write the keys files of the runtimes: public keys and what was revoked lately.

        The second are for runtimes of tenants of which something was revoked, or that have endpoint
        keys: what one tenant revokes, and how much, is told to no other.
        """
        common = (await self.keyring.load()).public | self._scraper
        revoked = await self._revoked(now)
        everywhere = revoked.pop(EVERYWHERE, [])
        known = await self._api_keys.published(now, timedelta(seconds=self._lives[1]))
        theirs = {}
        for tenant in sorted({*revoked, *known}):
            keys = known.get(tenant, Published())
            lost = [Revoked("clients", key, NEVER, at) for key, at in keys.lost.items()]
            found = told([*everywhere, *revoked.get(tenant, []), *lost])
            theirs[tenant] = _written({**common, "revoked": found, "api_keys": keys.listed})
        return _written({**common, "revoked": told(everywhere)}), theirs

    async def _revoked(self, now: datetime) -> dict[str, list[Revoked]]:
        """Give what was revoked lately, by tenant."""
        since, most = now - timedelta(seconds=2 * max(self._lives)), MOST_NAMED + 1
        found: dict[str, list[Revoked]] = {}

        def add(tenant: str | None, one: Revoked) -> None:
            found.setdefault(tenant or EVERYWHERE, []).append(one)

        for tenant, jti, expires, at in await repository.revoked_tokens_of_all(now - LEEWAY, most):
            add(tenant, Revoked("jtis", jti, expires.timestamp(), at))
        for tenant, client, at in await repository.revoked_since_of_all(since, most):
            add(tenant, Revoked("clients", client, at.timestamp(), at))
        for tenant, subject, at in await accounts.fewer_rights_since(since, most):
            add(tenant, Revoked("subjects", subject, at.timestamp(), at))
        return found

    def signed_keys(self, document: bytes) -> bytes:
        """Sign a keys file, for runtimes that get it from a place they need not trust."""
        signer = self.keyring.loaded
        header = {"alg": "ES256", "typ": "keys+jwt", "kid": signer.kid}
        claims = {"iat": _seconds(self.clock()), **json.loads(document)}
        return jwt.encode(header, claims, signer.key, algorithms=["ES256"]).encode()

    async def rotate(self, published: Collection[str]) -> bool:
        """Move the signing keys on if it is time; for the leader. True when they changed."""
        async with transaction():
            changed = await self.keyring.rotate(published)
            if changed:
                await tell(Wake.KEYS)
        if changed:
            await self.keyring.load()
        return changed

    async def rotate_now(self, caller: Caller, *, at_once: bool) -> tuple[str, int]:
        """Change the signing key; gives the new key's id, and in how many seconds it signs.

        at_once  the new key signs from now on and no other is taken any more: tokens in use end.
                 For a key that leaked
        """
        async with transaction():
            if at_once:
                kid, left = await self.keyring.replace(), 0
            else:
                kid, left = await self.keyring.begin()
            await audit.record(caller, "keys.rotate", "signing-keys", kid=kid, at_once=at_once)
            await tell(Wake.KEYS)
        await self.keyring.load()
        return kid, left

    async def _answer(self, sent: Sent, came: Came, act: Act, *, costly: bool = False) -> Answer:
        """Answer in OAuth's own shape, whoever may ask now; never raises for a bad request."""
        body, query, headers = sent
        name = ""
        try:
            form = server.parse_form(body, query, headers)
            name, secret = server.credentials(form, headers)
            self._throttle.check(came.address, name, costly=costly)
            answer = await act(form, await self.clients.known(name, secret))
        except _ReplayedError:
            answer = server.refusal(assertions.refused("its jti was used before"))
        except OAuth2Error as error:
            answer = server.refusal(error)
        await self._throttle.count(came.address, name, answer, costly=costly)
        return answer

    async def hold_back(self, came: Came) -> None:
        """Count a request of an address that is asked by a person; raises RateLimited."""
        try:
            self._throttle.check(came.address)
        except server.TooOftenError as error:
            raise RateLimited(error.description, retry_after_s=error.retry_after_s) from error
        await self._throttle.spend(came.address)

    async def token(
        self, body: bytes, query: str, headers: Headers, now: datetime, came: Came
    ) -> Answer:
        """Answer a token request; never raises for a bad one."""

        async def act(form: dict[str, str], client: KnownClient | None) -> Answer:
            if "grant_type" not in form:
                raise InvalidRequestError("Send grant_type: what the token is asked for with.")
            request = server.Request("POST", f"{self.issuer}/oauth2/token", form, headers)
            if client is None or _writes_nothing(form):
                return await self._issue(form, client, request, now)
            async with transaction():
                return await self._exchange(form, client, request, now, came)

        return await self._answer((body, query, headers), came, act)

    async def _issue(
        self,
        form: dict[str, str],
        client: KnownClient | None,
        request: server.Request,
        now: datetime,
    ) -> Answer:
        tenant = None if client is None else client.tenant_id
        audience = await self.audience(form.get("resource"), tenant)
        answer, _ = grants.issue(
            await self._signer(), request, grants.Known(client, audience), _seconds(now)
        )
        if client is not None and client.kind == "key" and answer[0] == HTTPStatus.OK:
            await self._api_keys.used(client.id)
        return answer

    async def _exchange(
        self,
        form: dict[str, str],
        client: KnownClient,
        request: server.Request,
        now: datetime,
        came: Came,
    ) -> Answer:
        found = await exchange.find(form)
        person = await exchange.person_of(found)
        audience = await self._audience_of(form.get("resource"), client, found)
        known = exchange.known_of(found, client, audience, person, now)
        answer, outcome = grants.issue(await self._signer(), request, known, _seconds(now))
        if outcome.assertion is not None:
            await self._use(outcome.assertion)
        writer = exchange.Writer(self._secret, client, found, person, came, now)
        refresh = await writer.write(outcome, form)
        if refresh is not None:
            answer[1]["refresh_token"] = refresh
        return answer

    async def _use(self, assertion: assertions.Assertion) -> None:
        expires = datetime.fromtimestamp(assertion.expires_at, UTC)
        if not await repository.use_assertion(assertion.digest, expires):
            raise _ReplayedError

    async def _audience_of(
        self, asked: str | None, client: KnownClient, found: exchange.Found
    ) -> grants.Audience | None:
        """Give whom a token is for; a grant for one resource gives tokens for no other."""
        row = found.allowed
        if row is None:
            return await self.audience(asked, client.tenant_id)
        if row.resource is not None and asked not in (None, row.resource):
            return None
        tenant = None if row.tenant_id is None else TenantId(row.tenant_id)
        return await self.audience(asked or row.resource, tenant)

    async def audience(
        self, resource: str | None, tenant: uuid.UUID | None
    ) -> grants.Audience | None:
        """Give the audience that a resource of a tenant is (RFC 8707); None: there is no such."""
        if resource is None or self._is_api(resource):
            return grants.Audience(self.issuer, for_endpoint=False)
        endpoint = self.endpoint_of(resource)
        if tenant is None or endpoint is None:
            return None
        if not await self._endpoint_exists(TenantId(tenant), endpoint):
            return None
        return grants.Audience(audience_of(self.issuer, endpoint), for_endpoint=True)

    def endpoint_of(self, resource: str) -> uuid.UUID | None:
        """Give the endpoint that an audience names, whether it exists or not."""
        try:
            endpoint = uuid.UUID(resource.rpartition("/")[2])
        except ValueError:
            return None
        return endpoint if resource == audience_of(self.issuer, endpoint) else None

    async def token_for(self, by: tuple[str, str], tenant: str, endpoint: uuid.UUID) -> str:
        """Give a token for one endpoint that is used on somebody's behalf, such as a load test's.

        by      subject and client of whoever asked for it
        raises  Forbidden if they may not predict any more
        """
        subject, client = by
        if not await self.may_predict(by, tenant):
            raise Forbidden("Whoever asked for it may not predict any more.")
        audience = audience_of(self.issuer, endpoint)
        said = {"sub": subject, "client_id": client, "aud": audience, "tenant": tenant}
        return grants.on_behalf(await self._signer(), said, _seconds(self.clock()))

    async def may_predict(self, by: tuple[str, str], tenant: str) -> bool:
        """Tell whether a subject gets tokens for a tenant's endpoints with a client.

        No token for the API says so: of a person's application it is in what they allowed it.
        """
        subject, client = by
        kind, _, name = subject.partition(":")
        now = await self.standing[kind](name, tenant)
        if now is None or not allows(now.scopes, Scope.PREDICT):
            return False
        if not is_application(subject, client):
            return True
        allowed = await repository.allowed_now(
            uuid.UUID(name), client, (await tenants.get(tenant)).id, self.clock()
        )
        return allows(allowed, Scope.PREDICT)

    @property
    def predict_token_s(self) -> int:
        """Give the life of a token for an endpoint."""
        return self._lives[1]

    async def _signer(self) -> grants.Signer:
        loaded = await self.keyring.current()
        return grants.Signer(self.issuer, loaded.kid, loaded.key, *self._lives)

    async def device_authorization(
        self, body: bytes, query: str, headers: Headers, now: datetime, came: Came
    ) -> Answer:
        """Give a device its codes (RFC 8628); never raises for a bad request."""

        async def act(form: dict[str, str], client: KnownClient | None) -> Answer:
            if not self._could_name(form.get("resource")):
                raise server.InvalidTargetError("There is no such resource.")
            made = tokens.TokenServer(client, self.issuer, _seconds(now))
            uri = f"{self.issuer}/oauth2/device_authorization"
            answer = made.answer("device_authorization", server.Request("POST", uri, form, headers))
            async with transaction():
                if made.assertion is not None:
                    await self._use(made.assertion)
                if made.device is not None and client is not None:
                    await self._add_device(made.device, form, client, now, came)
            return answer

        return await self._answer((body, query, headers), came, act, costly=True)

    def _could_name(self, resource: str | None) -> bool:
        return resource is None or self._is_api(resource) or self.endpoint_of(resource) is not None

    def _is_api(self, resource: str) -> bool:
        """Tell whether a resource is the API itself, which clients name with a slash too."""
        return resource in (self.issuer, f"{self.issuer}/")

    async def _add_device(
        self,
        codes: dict[str, Any],
        form: dict[str, str],
        client: KnownClient,
        now: datetime,
        came: Came,
    ) -> None:
        address = came.address[:64]
        of_address, in_all = await repository.devices_waiting_of_all(address, now)
        if of_address >= MOST_DEVICES_OF_ADDRESS or in_all >= MOST_DEVICES:
            raise server.TooOftenError(tokens.DEVICE_S, "Too many devices wait for an answer.")
        await repository.add_device_code(
            code_sha256=server.digest(codes["device_code"]),
            user_code=codes["user_code"],
            client_id=client.id,
            scopes=asked_scopes(form.get("scope"), client),
            resource=form.get("resource"),
            address=address,
            interval_s=tokens.POLL_S,
            created_at=now,
            expires_at=now + timedelta(seconds=tokens.DEVICE_S),
        )

    async def revoke(
        self, body: bytes, query: str, headers: Headers, now: datetime, came: Came
    ) -> Answer:
        """Revoke a token (RFC 7009): with a refresh token, everything that came of its grant."""

        async def end(shown: "_Shown", client: KnownClient) -> None:
            if shown.grant is None:
                jti, tenant = shown.jti, shown.token.tenant
                if not await repository.revoke_access_token(tenant, jti, shown.expires_at, now):
                    return
                action, detail = "token.revoke", {"jti": jti}
            elif await repository.end_grants(now, "revoked", id=shown.grant):
                action, detail = "grant.end", {"reason": "revoked"}
            else:
                return
            caller = exchange.subject_calling(
                shown.token.tenant, shown.token.told["sub"], client.id, came
            )
            await audit.record(caller, action, f"client:{client.id}", **detail)
            await tell(Wake.KEYS)

        return await self._about_token("revocation", (body, query, headers), now, came, end)

    async def introspect(
        self, body: bytes, query: str, headers: Headers, now: datetime, came: Came
    ) -> Answer:
        """Tell a client of a token of its own tenant (RFC 7662)."""
        return await self._about_token("introspection", (body, query, headers), now, came)

    async def _about_token(
        self,
        endpoint: str,
        sent: Sent,
        now: datetime,
        came: Came,
        end: Callable[["_Shown", KnownClient], Awaitable[None]] | None = None,
    ) -> Answer:
        async def act(form: dict[str, str], client: KnownClient | None) -> Answer:
            async with transaction():
                shown = await self._shown(form.get("token", ""), now)
                token = None if shown is None else shown.token
                made = tokens.TokenServer(client, self.issuer, _seconds(now), token)
                uri = f"{self.issuer}/oauth2/{endpoint}"
                answer = made.answer(endpoint, server.Request("POST", uri, form, sent[2]))
                if made.assertion is not None:
                    await self._use(made.assertion)
                if made.revoked is not None and shown and client and end:
                    await end(shown, client)
            return answer

        return await self._answer(sent, came, act, costly=end is not None)

    async def _shown(self, text: str, now: datetime) -> "_Shown | None":
        """Read a token of ours that somebody shows; None: it is none."""
        if text.startswith(exchange.REFRESH_TOKEN):
            return await self._shown_refresh(text, now)
        claims = await self._claims(text)
        if claims is None:
            return None
        subject, tenant = str(claims["sub"]), str(claims["tenant"])
        client, scopes = str(claims["client_id"]), str(claims["scope"]).split()
        left = await self._left(subject, client, tenant, scopes)
        active = (
            now.timestamp() < claims["exp"]
            and not await repository.is_revoked_of_all(claims["jti"])
            and bool(left)
        )
        told = {**claims, "scope": left, "token_type": "Bearer"}
        token = tokens.KnownToken(client, tenant, active, told)
        return _Shown(token, str(claims["jti"]), datetime.fromtimestamp(claims["exp"], UTC))

    async def _shown_refresh(self, text: str, now: datetime) -> "_Shown | None":
        found = await exchange.find({"grant_type": "refresh_token", "refresh_token": text})
        if found.grant is None or found.refresh is None:
            return None
        grant = found.grant
        tenant = await tenants.name_of(TenantId(grant.tenant_id))
        until = min(grant.expires_at, found.refresh.expires_at)
        over = grant.ended_at is not None or found.refresh.used_at is not None or now >= until
        subject = f"user:{grant.user_id}"
        left = await self._left(subject, grant.client_id, tenant, grant.scopes)
        active = not over and bool(left)
        told = {
            "sub": subject,
            "client_id": grant.client_id,
            "scope": left,
            "exp": _seconds(until),
            "iss": self.issuer,
            "tenant": tenant,
        }
        return _Shown(tokens.KnownToken(grant.client_id, tenant, active, told), "", until, grant.id)

    async def _claims(self, text: str) -> dict[str, Any] | None:
        if len(text) > MAX_TOKEN:
            return None
        try:
            token = jwt.decode(text, await self.verifying(), algorithms=["ES256"])
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            return None
        ours = token.header.get("typ") == "at+jwt" and token.claims.get("iss") == self.issuer
        return dict(token.claims) if ours else None

    async def _left(
        self, subject: str, client_id: str, tenant: str, scopes: Collection[str]
    ) -> str:
        """Give what a token's scopes are good for now; nothing if subject or client are gone."""
        kind, _, name = subject.partition(":")
        if kind != "key" and await self.clients.known(client_id) is None:
            return ""
        look = self.standing.get(kind)
        now = None if look is None else await look(name, tenant)
        if now is None:
            return ""
        return " ".join(s for s in scopes if s in now.scopes or s in IDENTITY_SCOPES)

    async def userinfo(self, caller: Caller) -> dict[str, Any]:
        """Tell of a person what the scopes of their token allow."""
        person = await _person(caller.subject)
        told = {} if person is None else grants.identity(person.email, person.name, caller.scopes)
        return {"sub": caller.subject, **told}

    async def is_revoked(self, jti: str) -> bool:
        """Tell whether an access token was revoked before its time."""
        return await repository.is_revoked_of_all(jti)

    def seal(self, secret: str) -> str:
        """Encrypt a secret that has to be kept until its owner has surely received it."""
        sealed = key_files.seal(self._secret, SEALED_AS, secret.encode())
        return base64.b64encode(sealed).decode()

    def unseal(self, sealed: str) -> str:
        """Decrypt what `seal` encrypted."""
        raw = base64.b64decode(sealed)
        return key_files.unseal(self._secret, SEALED_AS, raw).decode()

    def stamp(self, text: str) -> str:
        """Give a text's seal, which nobody else can make."""
        return hmac.digest(self._secret, f"stamp: {text}".encode(), "sha256").hex()

    async def forget(self, now: datetime) -> int:
        """Delete what has expired; gives how many rows."""
        await accounts.forget_fewer_rights(now - KEPT)
        return await repository.forget_of_all(now, now - LEEWAY, now - KEPT)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A token that somebody shows. `grant`: of a refresh token."""

    token: tokens.KnownToken
    jti: str
    expires_at: datetime
    grant: uuid.UUID | None = None


PERSONS_GRANTS: Final = {"authorization_code", "refresh_token", server.DEVICE_CODE}
MAX_TOKEN: Final = 8192


async def _person(subject: str) -> accounts.Person | None:
    kind, _, name = subject.partition(":")
    return await accounts.find(uuid.UUID(name)) if kind == "user" else None


def _written(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True).encode()


def _writes_nothing(form: dict[str, str]) -> bool:
    """Tell whether no assertion, code or token is used up: most requests are of such clients."""
    return "client_assertion" not in form and form.get("grant_type") not in PERSONS_GRANTS


def asked_scopes(asked: str | None, client: KnownClient) -> list[str]:
    """Give the scopes a person is asked for: no more than an application was registered with.

    Raises OAuth2Error if that is none.
    """
    most = [*ALL_SCOPES] if client.first_party else [*client.scopes]
    wanted = dict.fromkeys(asked.split() if asked else most)
    found = [scope for scope in wanted if scope in most or scope in IDENTITY_SCOPES]
    if not found:
        raise InvalidScopeError(
            f"This application was registered with {' '.join(most)}; it may ask for these alone."
        )
    return found


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
