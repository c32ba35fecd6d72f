"""What people allow with a browser: a code for an application, or a device that waits."""

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from authlib.oauth2.rfc6749 import OAuth2Error
from authlib.oauth2.rfc6749.errors import AccessDeniedError, InvalidRequestError

from controlplane.accounts.service import Person
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
from runtime.problems import InvalidInput, Malformed, NotFound, RateLimited

CODE_LIFE: Final = timedelta(seconds=60)
LONGEST_TEXT: Final = 400
# OpenID Connect Core, 3.1.2.1.
PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})
USER_CODE: Final = re.compile(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}")
# 20^8 codes: with 5 wrong ones for a person and 20 a minute for an address, none is ever guessed.
WRONG_OF_PERSON: Final = 5
PERSON_WINDOW: Final = timedelta(minutes=10)
WRONG_OF_ADDRESS: Final = 20
ADDRESS_WINDOW: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks a person for.

    tenants  the person may choose from
    whose    the tenant that made the client; "" for KubeServe's own
    """

    client: KnownClient
    scopes: tuple[str, ...]
    tenants: tuple[str, ...]

    @property
    def whose(self) -> str:
        return self.client.tenant


@dataclass(frozen=True, slots=True)
class Authorization(Asked):
    """A request that came by way of a browser. `prompt`: what the client wants asked."""

    redirect_uri: str
    state: str | None
    resource: str | None
    code_challenge: str
    nonce: str | None
    prompt: frozenset[str]


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
            prompt = prompts(form.get("prompt"))
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

    async def _tenants(self, person: Person, resource: str | None) -> tuple[str, ...]:
        """Give the tenants a person may act in; of an endpoint, the one it belongs to."""
        found = []
        for name, _ in await tenants.tenants_of(person.id):
            tenant = await tenants.get(name)
            if await self.oauth.audience(resource, tenant.id) is not None:
                found.append(name)
        if not found and resource is not None:
            raise server.InvalidTargetError("There is no such resource in a tenant of this person.")
        return tuple(found)

    async def check_prompt(self, query: str) -> None:
        """Raise SentBack for a client that wants nobody asked, while nobody is signed in."""
        form, _ = await self._known(query)
        if form.get("prompt", "").split() == ["none"]:
            error = OAuth2Error("Nobody is signed in with this browser.", error="login_required")
            raise self._back(form["redirect_uri"], form.get("state"), error)

    async def remembered(self, asked: Authorization, person: Person) -> str | None:
        """Give the tenant in which a person need not be asked; None: ask.

        Only where a code reaches nobody but the client: who answers at a loopback address or a
        scheme of its own can be any program, so there each request is asked about (RFC 8252, 8.6).
        """
        if {"consent", "select_account"} & asked.prompt or not self._is_surely(asked):
            return None
        if asked.client.first_party:
            return asked.tenants[0] if len(asked.tenants) == 1 else None
        before = await self.allowed.remembered(
            person.id, asked.client, asked.resource, asked.scopes
        )
        found = [name for name in asked.tenants if (await tenants.get(name)).id in before]
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
        person: Person,
        came: Came,
        times: tuple[datetime, datetime],
    ) -> str:
        """Take a person's consent; gives where the browser goes.

        times  when they signed in, and now
        """
        chosen = await tenants.get(_chosen(asked, tenant))
        async with transaction():
            if self._is_surely(asked):
                await repository.remember(
                    person.id,
                    asked.client.id,
                    chosen.id,
                    asked.resource or "",
                    [*asked.scopes],
                    times[1],
                )
            await self._record(asked, "consent.give", chosen.name, person, came)
            return await self.code(asked, chosen.name, person, times)

    async def _record(
        self, asked: Authorization, action: str, tenant: str, person: Person, came: Came
    ) -> None:
        caller = exchange.person_calling(tenant, person.id, asked.client.id, came)
        target, scopes = f"client:{asked.client.id}", [*asked.scopes]
        await audit.record(caller, action, target, scopes=scopes, resource=asked.resource)

    async def code(
        self,
        asked: Authorization,
        tenant: str,
        person: Person,
        times: tuple[datetime, datetime],
    ) -> str:
        """Make a code; gives where the browser goes with it. `times`: as of `allow`."""
        chosen = await tenants.get(tenant)
        code, (since, now) = secrets.token_urlsafe(32), times
        await repository.add_code(
            code_sha256=server.digest(code),
            client_id=asked.client.id,
            user_id=person.id,
            tenant_id=chosen.id,
            redirect_uri=asked.redirect_uri,
            scopes=list(asked.scopes),
            resource=asked.resource,
            code_challenge=asked.code_challenge,
            nonce=asked.nonce,
            signed_in_at=since,
            expires_at=now + CODE_LIFE,
        )
        return self._location(asked.redirect_uri, {"code": code}, asked.state)

    async def deny(self, asked: Authorization, tenant: str, person: Person, came: Came) -> str:
        """Give where the browser goes when the person does not want."""
        where = tenant if tenant in asked.tenants else PLATFORM_TENANT
        await self._record(asked, "consent.deny", where, person, came)
        return self._back(asked.redirect_uri, asked.state, AccessDeniedError()).location

    def refuse(self, asked: Authorization) -> SentBack:
        """Say to the client that a person would have to be asked, which it forbade."""
        refused = OAuth2Error(
            "prompt=none was asked, but the person has to answer.", error="consent_required"
        )
        return self._back(asked.redirect_uri, asked.state, refused)

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
        self, device: Device, tenant: str | None, person: Person, came: Came, now: datetime
    ) -> None:
        """Let a device in, or not (tenant None); raises NotFound when somebody else decided."""
        chosen = None if tenant is None else await tenants.get(_chosen(device, tenant))
        async with transaction():
            row = await repository.lock_user_code_of_all(device.user_code, now)
            if row is None:
                raise NotFound("This code was used or has expired; start again on the device.")
            row.approved = chosen is not None
            row.user_id, row.tenant_id = person.id, None if chosen is None else chosen.id
            await repository.keep(row, "approved", "user_id", "tenant_id")
            where = PLATFORM_TENANT if chosen is None else chosen.name
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


def without_login(query: str) -> str:
    """Give a request that asks for `login` as it goes on once the person has signed in again."""
    form = server.parse(query)
    left = [word for word in form["prompt"].split() if word != "login"]
    return urlencode(form | {"prompt": " ".join(left)})


def _chosen(asked: Asked, tenant: str) -> str:
    if tenant not in asked.tenants:
        raise InvalidInput("Choose one of your tenants.", field="tenant")
    return tenant


def user_code(typed: str) -> str | None:
    """Give a code as it is kept, however a person types it; None: it can be none."""
    letters = re.sub(r"[\s-]", "", typed[:40]).upper()
    code = f"{letters[:4]}-{letters[4:]}"
    return code if USER_CODE.fullmatch(code) else None
