"""What people allow with a browser: a code for an application, or a device that waits."""

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from authlib.oauth2.rfc6749 import OAuth2Error
from authlib.oauth2.rfc6749.errors import AccessDeniedError, InvalidRequestError

from controlplane.accounts import service as accounts
from controlplane.accounts.service import Person, SignedIn
from controlplane.audit import service as audit
from controlplane.callers import PLATFORM_TENANT
from controlplane.database import transaction
from controlplane.oauth import exchange, grants, redirects, repository, server
from controlplane.oauth.allowed import Allowed
from controlplane.oauth.exchange import Came
from controlplane.oauth.server import KnownClient
from controlplane.oauth.service import OAuth, asked_scopes
from controlplane.oauth.tables import DeviceCode
from controlplane.tenants import service as tenants
from controlplane.tenants.service import TenantId
from runtime.problems import InvalidInput, Malformed, NotFound, RateLimited

CODE_LIFE: Final = timedelta(seconds=60)
LONGEST_TEXT: Final = 400
# OpenID Connect Core, 3.1.2.1.
PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})
AGE: Final = re.compile(r"[0-9]{1,9}")
USER_CODE: Final = re.compile(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}")
# 20^8 codes: with 5 wrong ones for a person and 20 a minute for an address, none is ever guessed.
WRONG_OF_PERSON: Final = 5
PERSON_WINDOW: Final = timedelta(minutes=10)
WRONG_OF_ADDRESS: Final = 20
ADDRESS_WINDOW: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks a person for.

    tenants  the person may choose from: ids, by name
    whose    the tenant that made the client; "" for KubeServe's own
    """

    client: KnownClient
    scopes: tuple[str, ...]
    tenants: Mapping[str, TenantId]

    @property
    def whose(self) -> str:
        return self.client.tenant


@dataclass(frozen=True, slots=True)
class Authorization(Asked):
    """A request that came by way of a browser.

    prompt   what the client wants asked
    max_age  how long ago the person may have signed in at the most; None: as long as they like
    """

    redirect_uri: str
    state: str | None
    resource: str | None
    code_challenge: str
    nonce: str | None
    prompt: frozenset[str]
    max_age: timedelta | None

    def wants_sign_in(self, age: timedelta) -> bool:
        """Tell whether who signed in that long ago has to do it again."""
        return "login" in self.prompt or (self.max_age is not None and age > self.max_age)


@dataclass(frozen=True, slots=True)
class Device(Asked):
    """A device that waits for its answer."""

    user_code: str
    address: str
    created_at: datetime
    resource: str | None


class SentBack(Exception):
    """The client made a mistake: the browser goes back to it with an error."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


@dataclass(frozen=True, slots=True)
class Authorizing:
    """The authorization server as people's browsers see it."""

    oauth: OAuth
    allowed: Allowed

    async def asked(self, query: str, person: Person) -> Authorization:
        """Read an authorization request.

        Raises Malformed or NotFound where the browser must not be sent anywhere, else SentBack.
        """
        form, client = await self._known(query)
        redirect_uri = form["redirect_uri"]
        try:
            request = server.Request("GET", f"{self.oauth.issuer}/oauth2/authorize", form, {})
            grants.check_authorization(client, self.oauth.issuer, request)
            if any(len(form.get(name, "")) > LONGEST_TEXT for name in ("nonce", "resource")):
                raise InvalidRequestError("nonce or resource is too long.")
            prompt, max_age = prompts(form.get("prompt")), _age(form.get("max_age"))
            choice = await self._tenants(person, form.get("resource"))
            scopes = tuple(asked_scopes(form.get("scope"), client))
        except OAuth2Error as error:
            raise self._back(redirect_uri, form.get("state"), error) from error
        return Authorization(
            client,
            scopes,
            choice,
            redirect_uri,
            form.get("state"),
            form.get("resource"),
            form["code_challenge"],
            form.get("nonce"),
            prompt,
            max_age,
        )

    async def _known(self, query: str) -> tuple[dict[str, str], KnownClient]:
        """Find who asks, and that the redirect URI is theirs: before, nobody is sent anywhere."""
        try:
            form = server.parse(query)
        except OAuth2Error as error:
            raise Malformed(
                f"The application sent a request that cannot be read: {error}"
            ) from error
        client = await self.oauth.clients.known(form.get("client_id", ""))
        if client is None or "authorization_code" not in client.grant_types:
            raise NotFound("There is no application with this client_id that people sign in with.")
        if not client.check_redirect_uri(form.get("redirect_uri", "")):
            raise Malformed(
                "The redirect_uri is not one that the application has registered, character by "
                "character; so you are not sent there."
            )
        return form, client

    async def _tenants(self, person: Person, resource: str | None) -> dict[str, TenantId]:
        """Give the tenants a person may act in; of an endpoint, the one it belongs to."""
        found = {
            name: tenant
            for name, tenant in (await tenants.joined(person.id)).items()
            if await self.oauth.audience(resource, tenant) is not None
        }
        if not found and resource is not None:
            raise server.InvalidTargetError("There is no such resource in a tenant of this person.")
        return found

    async def check_prompt(self, query: str) -> None:
        """Raise SentBack for a client that wants nobody asked, while nobody is signed in."""
        form, _ = await self._known(query)
        if form.get("prompt", "").split() == ["none"]:
            why = "Nobody is signed in with this browser."
            raise self._asking(form["redirect_uri"], form.get("state"), why, "login_required")

    async def remembered(self, asked: Authorization, person: Person) -> str | None:
        """Give the tenant in which a person need not be asked; None: ask.

        Only where a code reaches nobody but the client: who answers at a loopback address or a
        scheme of its own can be any program, so there each request is asked about (RFC 8252, 8.6).
        """
        if {"consent", "select_account"} & asked.prompt or not self._is_surely(asked):
            return None
        if asked.client.first_party:
            return next(iter(asked.tenants)) if len(asked.tenants) == 1 else None
        before = await self.allowed.remembered(
            person.id, asked.client, asked.resource, asked.scopes
        )
        found = [name for name, tenant in asked.tenants.items() if tenant in before]
        return found[0] if len(found) == 1 else None

    def _is_surely(self, asked: Authorization) -> bool:
        """Tell whether what is sent back is of use to this client alone."""
        uri = asked.redirect_uri
        ours = asked.client.first_party and uri.startswith(f"{self.oauth.issuer}/")
        return not asked.client.public or redirects.is_claimed(uri) or ours

    async def allow(
        self,
        asked: Authorization,
        tenant: str,
        who: SignedIn,
        came: Came,
        now: datetime,
    ) -> str:
        """Take a person's consent; gives where the browser goes. Raises Forbidden: see `code`."""
        chosen, person = _chosen(asked, tenant), who.person
        async with transaction():
            await accounts.hold(who)
            if self._is_surely(asked):
                await repository.remember(
                    person.id,
                    asked.client.id,
                    chosen,
                    asked.resource or "",
                    [*asked.scopes],
                    now,
                )
            await self._record(asked, "consent.give", tenant, person, came)
            return await self._code(asked, chosen, who, now)

    async def _record(
        self, asked: Authorization, action: str, tenant: str, person: Person, came: Came
    ) -> None:
        caller = exchange.person_calling(tenant, person.id, asked.client.id, came)
        target, scopes = f"client:{asked.client.id}", [*asked.scopes]
        await audit.record(caller, action, target, scopes=scopes, resource=asked.resource)

    async def code(self, asked: Authorization, tenant: str, who: SignedIn, now: datetime) -> str:
        """Make a code; gives where the browser goes with it.

        Raises Forbidden when they were signed out meanwhile: who takes an account back by another
        password ends what is there by then.
        """
        async with transaction():
            await accounts.hold(who)
            return await self._code(asked, asked.tenants[tenant], who, now)

    async def _code(
        self, asked: Authorization, tenant: TenantId, who: SignedIn, now: datetime
    ) -> str:
        code = secrets.token_urlsafe(32)
        await repository.add_code(
            code_sha256=server.digest(code),
            client_id=asked.client.id,
            user_id=who.person.id,
            tenant_id=tenant,
            redirect_uri=asked.redirect_uri,
            scopes=list(asked.scopes),
            resource=asked.resource,
            code_challenge=asked.code_challenge,
            nonce=asked.nonce,
            signed_in_at=who.since,
            expires_at=now + CODE_LIFE,
        )
        return self._location(asked.redirect_uri, {"code": code}, asked.state)

    async def deny(self, asked: Authorization, tenant: str, person: Person, came: Came) -> str:
        """Give where the browser goes when the person does not want."""
        where = tenant if tenant in asked.tenants else PLATFORM_TENANT
        await self._record(asked, "consent.deny", where, person, came)
        return self._back(asked.redirect_uri, asked.state, AccessDeniedError()).location

    def refuse(self, asked: Authorization, error: str) -> SentBack:
        """Say to the client that a person would have to be asked, which it forbade."""
        why = "prompt=none was asked, but the person has to answer."
        return self._asking(asked.redirect_uri, asked.state, why, error)

    def _asking(self, redirect_uri: str, state: str | None, why: str, error: str) -> SentBack:
        return self._back(redirect_uri, state, OAuth2Error(why, error=error))

    def _back(self, redirect_uri: str, state: str | None, error: OAuth2Error) -> SentBack:
        told = {"error": str(error.error)}
        if error.description:
            told["error_description"] = str(error.description)
        return SentBack(self._location(redirect_uri, told, state))

    def _location(self, redirect_uri: str, told: dict[str, str], state: str | None) -> str:
        more = told | ({} if state is None else {"state": state}) | {"iss": self.oauth.issuer}
        return redirect_uri + ("&" if "?" in redirect_uri else "?") + urlencode(more)

    def stamp(self, person: Person, request: str) -> str:
        """Give what a page's form carries: it decides on what the page showed, and nothing else."""
        return self.oauth.stamp(f"decision of {person.id} on {request}")

    def check_stamp(self, person: Person, request: str, stamp: str) -> None:
        """Refuse a decision on something that was not shown; raises Malformed."""
        if not hmac.compare_digest(self.stamp(person, request), stamp):
            raise Malformed("This form was changed on its way; start again at the application.")

    async def device(self, typed: str, person: Person, address: str, now: datetime) -> Device:
        """Find the device whose code a person typed in.

        Raises NotFound for a wrong code, RateLimited after too many of them.
        """
        of_person, _ = await repository.wrong_codes(person.id, address, now - PERSON_WINDOW)
        _, of_address = await repository.wrong_codes(person.id, address, now - ADDRESS_WINDOW)
        if of_person >= WRONG_OF_PERSON or of_address >= WRONG_OF_ADDRESS:
            raise RateLimited(
                "Too many wrong codes were typed in. Wait ten minutes, then start again on the "
                "device.",
                retry_after_s=PERSON_WINDOW.total_seconds(),
            )
        code = user_code(typed)
        row = None if code is None else await repository.device_by_user_code_of_all(code, now)
        client = None if row is None else await self.oauth.clients.known(row.client_id)
        if row is None or client is None:
            await repository.add_wrong_code(person.id, address, now)
            raise NotFound("No device waits with this code. Codes are good for ten minutes, once.")
        return await self._shown(row, client, person)

    async def _shown(self, row: DeviceCode, client: KnownClient, person: Person) -> Device:
        try:
            choice = await self._tenants(person, row.resource)
        except OAuth2Error as error:
            raise NotFound(
                "The device asks for an endpoint that none of your tenants has."
            ) from error
        return Device(
            client,
            tuple(row.scopes),
            choice,
            row.user_code,
            row.address,
            row.created_at,
            row.resource,
        )

    async def decide(
        self, device: Device, tenant: str | None, who: SignedIn, came: Came, now: datetime
    ) -> None:
        """Let a device in, or not (tenant None).

        Raises NotFound when somebody else decided, Forbidden: see `code`.
        """
        chosen = None if tenant is None else _chosen(device, tenant)
        person = who.person
        async with transaction():
            await accounts.hold(who)
            row = await repository.lock_user_code_of_all(device.user_code, now)
            if row is None:
                raise NotFound("This code was used or has expired; start again on the device.")
            row.approved = chosen is not None
            row.user_id, row.tenant_id = person.id, chosen
            await repository.keep(row, "approved", "user_id", "tenant_id")
            where = tenant or PLATFORM_TENANT
            caller = exchange.person_calling(where, person.id, device.client.id, came)
            await audit.record(
                caller,
                "device.deny" if chosen is None else "device.allow",
                f"client:{device.client.id}",
                scopes=list(device.scopes),
                device=row.address,
            )


def prompts(text: str | None) -> frozenset[str]:
    """Read what a client wants a person asked; raises OAuth2Error."""
    found = frozenset((text or "").split())
    if not found <= PROMPTS or ("none" in found and len(found) > 1):
        raise InvalidRequestError(
            "prompt must be none alone, or of login, consent, select_account."
        )
    return found


def _age(text: str | None) -> timedelta | None:
    """Read `max_age`, in seconds; raises OAuth2Error."""
    if text is None:
        return None
    if not AGE.fullmatch(text):
        raise InvalidRequestError("max_age must be a number of seconds.")
    return timedelta(seconds=int(text))


def signed_in_now(query: str) -> str:
    """Give a request as it goes on once the person has signed in for it.

    Whether they did is told by `auth_time`, to which the client holds `max_age` itself.
    """
    form = server.parse(query)
    form.pop("max_age", None)
    left = [word for word in form.pop("prompt", "").split() if word != "login"]
    return urlencode(form | ({"prompt": " ".join(left)} if left else {}))


def _chosen(asked: Asked, tenant: str) -> TenantId:
    if tenant not in asked.tenants:
        raise InvalidInput("Choose one of your tenants.", field="tenant")
    return asked.tenants[tenant]


def user_code(typed: str) -> str | None:
    """Give a code as it is kept, however a person types it; None: it can be none."""
    letters = re.sub(r"[\s-]", "", typed[:40]).upper()
    code = f"{letters[:4]}-{letters[4:]}"
    return code if USER_CODE.fullmatch(code) else None
