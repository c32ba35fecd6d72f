"""A code, device code or refresh token for tokens: what is read before, and written after.

All of it is one transaction. The row that the secret names is locked first, so of many that come
with the same one, one is served and the others see what it did.
"""

import base64
import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from controlplane.audit import service as audit
from controlplane.callers import Caller
from controlplane.oauth import grants, repository
from controlplane.oauth.server import DEVICE_CODE, KnownClient, digest
from controlplane.oauth.tables import AuthorizationCode, DeviceCode, Grant, RefreshToken
from controlplane.permissions import SCOPES_OF
from controlplane.tenants import service as tenants
from controlplane.tenants.service import TenantId
from controlplane.wakes import Wake, tell

IDLE: Final = timedelta(days=30)
LIFE: Final = timedelta(days=90)
# Two processes may come with one refresh token; the second, if it is quick, gets the same answer.
GRACE: Final = timedelta(seconds=10)
SLOWER_S: Final = 5
REFRESH_TOKEN: Final = "ksr_"  # noqa: S105  (what they begin with, for scanners of secrets)


@dataclass(frozen=True, slots=True)
class Came:
    """Where a request came from, for the audit log."""

    address: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The rows that a request's secret names; of a code or a device `grant` is None."""

    code: AuthorizationCode | None = None
    device: DeviceCode | None = None
    refresh: RefreshToken | None = None
    grant: Grant | None = None

    @property
    def allowed(self) -> AuthorizationCode | DeviceCode | Grant | None:
        """The row that says who allowed what, in which tenant."""
        return self.code or self.device or self.grant

    @property
    def grant_id(self) -> uuid.UUID | None:
        """The grant that there is already."""
        spent = self.code or self.device
        known = spent.grant_id if spent is not None else self.grant and self.grant.id
        return None if known is None else uuid.UUID(str(known))


async def find(form: dict[str, str]) -> Found:
    """Read and lock what a token request names."""
    match form.get("grant_type"):
        case "authorization_code":
            return Found(code=await repository.lock_code_of_all(digest(form.get("code", ""))))
        case "refresh_token":
            return await _find_refresh(digest(form.get("refresh_token", "")))
        case kind if kind == DEVICE_CODE:
            code = digest(form.get("device_code", ""))
            return Found(device=await repository.lock_device_of_all(code))
        case _:
            return Found()


async def _find_refresh(token: str) -> Found:
    named = await repository.grant_of_refresh_of_all(token)
    if named is None:
        return Found()
    # The grant is locked, not the token: another token of the chain may be on its way too.
    grant = await repository.lock_grant_of_all(named)
    return Found(refresh=await repository.refresh_token(named, token), grant=grant)


async def person_of(found: Found) -> grants.Someone | None:
    """Give who allowed it, as they are now; None: nobody has, or they are no member any more."""
    row = found.allowed
    if row is None or row.user_id is None or row.tenant_id is None:
        return None
    member = await tenants.membership(TenantId(row.tenant_id), row.user_id)
    if member is None:
        return None
    person, scopes = member.person, frozenset(map(str, SCOPES_OF[member.role]))
    return grants.Someone(person.id, person.email, person.name, member.tenant, scopes)


def known_of(
    found: Found,
    client: KnownClient | None,
    audience: grants.Audience | None,
    person: grants.Someone | None,
    now: datetime,
) -> grants.Known:
    """Say what was found in the words of the grants."""
    return grants.Known(
        client,
        audience,
        _code(found.code, now) if found.code else None,
        _refresh(found.refresh, found.grant, now) if found.refresh and found.grant else None,
        _device(found.device, now) if found.device else None,
        person,
    )


def _code(row: AuthorizationCode, now: datetime) -> grants.KnownCode:
    return grants.KnownCode(
        row.client_id,
        row.redirect_uri,
        tuple(row.scopes),
        row.code_challenge,
        row.nonce,
        int(row.signed_in_at.timestamp()),
        expired=now >= row.expires_at,
        redeemed=row.grant_id is not None,
    )


def _refresh(row: RefreshToken, grant: Grant, now: datetime) -> grants.KnownRefresh:
    over = grant.ended_at is not None or now >= min(grant.expires_at, row.expires_at)
    reused = row.used_at is not None and now - row.used_at >= GRACE
    return grants.KnownRefresh(grant.client_id, tuple(grant.scopes), over, reused)


def _device(row: DeviceCode, now: datetime) -> grants.KnownDevice:
    wait = timedelta(seconds=row.interval_s)
    return grants.KnownDevice(
        row.client_id,
        tuple(row.scopes),
        row.approved,
        expired=now >= row.expires_at,
        redeemed=row.grant_id is not None,
        too_early=row.polled_at is not None and now - row.polled_at < wait,
    )


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes what a grant came to. `secret`: of the installation; successors follow from it."""

    secret: bytes
    client: KnownClient
    found: Found
    person: grants.Someone | None
    came: Came
    now: datetime

    async def write(self, outcome: grants.Outcome, form: dict[str, str]) -> str | None:
        """Write it; gives the refresh token that belongs into the answer."""
        if outcome.reused:
            await self._end()
        if outcome.polled is not None and self.found.device is not None:
            await self._polled(self.found.device, early=outcome.polled)
        if outcome.issued is None or self.person is None:
            return None
        jti, expires = outcome.issued
        grant, until = await self._grant()
        ends = datetime.fromtimestamp(expires, UTC)
        await repository.add_access_token(self.person.tenant, jti, grant, ends)
        return await self._next(grant, until, form) if outcome.refresh else None

    async def _polled(self, row: DeviceCode, *, early: bool) -> None:
        row.polled_at = self.now
        row.interval_s += SLOWER_S if early else 0
        await repository.keep(row, "polled_at", "interval_s")

    async def _grant(self) -> tuple[uuid.UUID, datetime]:
        """Give the grant and its end; a code or device that is redeemed makes one."""
        if self.found.grant is not None:
            return self.found.grant.id, self.found.grant.expires_at
        row = self.found.code or self.found.device
        if row is None or self.person is None:
            raise RuntimeError("a token of a person comes of a code, a device or a grant")
        row.grant_id = uuid.uuid4()
        until = self.now + LIFE
        await repository.add_grant(
            id=row.grant_id,
            client_id=self.client.id,
            user_id=self.person.id,
            tenant_id=row.tenant_id,
            scopes=row.scopes,
            resource=row.resource,
            created_at=self.now,
            expires_at=until,
        )
        await repository.keep(row, "grant_id")
        detail = {"scopes": row.scopes, "grant": str(row.grant_id)}
        await self._record(self.person.tenant, "grant.create", **detail)
        return row.grant_id, until

    async def _next(self, grant: uuid.UUID, until: datetime, form: dict[str, str]) -> str:
        """Give the next refresh token of the chain; the same one to who comes again at once."""
        row = self.found.refresh
        if row is None:
            text = REFRESH_TOKEN + secrets.token_urlsafe(32)
        else:
            text = successor(self.secret, form["refresh_token"])
            if row.used_at is not None:
                return text
            row.used_at = self.now
            await repository.keep(row, "used_at")
        await repository.add_refresh_token(grant, digest(text), min(self.now + IDLE, until))
        return text

    async def _end(self) -> None:
        """End the grant of a secret that came twice: one of the two who have it stole it."""
        grant, row = self.found.grant_id, self.found.allowed
        if grant is None or row is None or row.tenant_id is None:
            return
        if await repository.end_grants(self.now, "reuse", id=grant):
            tenant = await tenants.name_of(TenantId(row.tenant_id))
            await self._record(tenant, "grant.end", reason="reuse", grant=str(grant))
            await tell(Wake.KEYS)

    async def _record(self, tenant: str, action: str, **detail: Any) -> None:
        row = self.found.allowed
        user = None if row is None else row.user_id
        caller = person_calling(tenant, user, self.client.id, self.came)
        await audit.record(caller, action, f"client:{self.client.id}", **detail)


def person_calling(tenant: str, user: object, client: str, came: Came) -> Caller:
    """Give a person as the audit log writes who did something."""
    return subject_calling(tenant, f"user:{user}", client, came)


def subject_calling(tenant: str, subject: str, client: str, came: Came) -> Caller:
    """Give whoever a token is of as the audit log writes who did something."""
    return Caller(tenant, subject, client, frozenset(), None, came.address, came.request_id)


def successor(secret: bytes, token: str) -> str:
    """Give the refresh token that follows one: nobody else can know it, and none is kept."""
    follows = hmac.digest(secret, f"refresh token after {token}".encode(), "sha256")
    return REFRESH_TOKEN + base64.urlsafe_b64encode(follows).rstrip(b"=").decode()
