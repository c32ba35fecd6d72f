"""Queries on clients, grants, codes, tokens and signing keys.

Who asks for a token is known by what they hold: these queries start from a digest, not a tenant.
"""

import json
import uuid
from datetime import datetime
from typing import Any

from tortoise import connections

from controlplane.oauth.tables import (
    AccessToken,
    AuthorizationCode,
    Client,
    Consent,
    DeviceCode,
    Grant,
    RefreshToken,
    SigningKey,
    UsedAssertion,
    WrongCode,
)

# Written out, since every token asks it: putting it together takes longer than signing the token.
LIVE_CLIENT = """
SELECT c.id, c.name, c.tenant_id, t.name AS tenant, c.secret_sha256, c.scopes, c.redirect_uris,
       c.auth_method, c.jwks
FROM oauth_clients c JOIN tenants t ON t.id = c.tenant_id
WHERE c.id = $1 AND c.revoked_at IS NULL
"""

# At most so many of each tenant: what one of them revokes costs no more than that.
REVOKED_TOKENS = """
SELECT tenant, jti, expires_at, revoked_at FROM (
    SELECT *, row_number() OVER (PARTITION BY tenant ORDER BY revoked_at DESC) AS place
    FROM oauth_access_tokens WHERE revoked_at IS NOT NULL AND expires_at > $1
) AS newest WHERE place <= $2
"""
REVOKED_CLIENTS = """
SELECT tenant, id, revoked_at FROM (
    SELECT c.id, c.revoked_at, t.name AS tenant,
           row_number() OVER (PARTITION BY tenant_id ORDER BY revoked_at DESC) AS place
    FROM oauth_clients c JOIN tenants t ON t.id = c.tenant_id WHERE c.revoked_at >= $1
) AS newest WHERE place <= $2
"""

# What was allowed before stays allowed.
REMEMBER = """
INSERT INTO oauth_consents AS known (user_id, client_id, tenant_id, resource, scopes, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (user_id, client_id, tenant_id, resource) DO UPDATE SET
    scopes = (SELECT jsonb_agg(DISTINCT scope)
              FROM jsonb_array_elements(known.scopes || excluded.scopes) AS scope)
"""


async def live_client_of_all(client_id: str) -> dict[str, Any] | None:
    """Find a client by its id alone: who asks for a token is not known yet.

    Gives its columns, and `tenant`, the tenant's name; what is JSON is read.
    """
    rows = await connections.get("default").execute_query_dict(LIVE_CLIENT, [client_id])
    if not rows:
        return None
    documents = ("scopes", "redirect_uris", "jwks")
    return {**rows[0], **{name: json.loads(rows[0][name] or "null") for name in documents}}


async def client_of_all(client_id: str) -> Client | None:
    """Find a client by its id, whether it was revoked or not."""
    return await Client.get_or_none(id=client_id)


async def create_client(tenant: uuid.UUID, client_id: str, **members: Any) -> Client:
    return await Client.create(id=client_id, tenant_id=tenant, **members)


async def give_secret(row: Client, secret_sha256: str) -> None:
    row.secret_sha256, row.revoked_at = secret_sha256, None
    await row.save(update_fields=["secret_sha256", "revoked_at"])


async def clients(tenant: uuid.UUID, limit: int, after: str | None) -> list[Client]:
    rows = Client.filter(tenant_id=tenant, revoked_at=None)
    if after:
        rows = rows.filter(id__gt=after)
    return await rows.order_by("id").limit(limit + 1)


async def count_clients(tenant: uuid.UUID) -> int:
    return await Client.filter(tenant_id=tenant, revoked_at=None).count()


async def revoke(tenant: uuid.UUID, client_id: str, at: datetime) -> bool:
    found = Client.filter(tenant_id=tenant, id=client_id, revoked_at=None)
    return bool(await found.update(revoked_at=at))


async def revoked_since_of_all(since: datetime, most: int) -> list[tuple[str, str, datetime]]:
    """Give (tenant, client, when), at most the newest `most` of each tenant."""
    found = connections.get("default").execute_query_dict(REVOKED_CLIENTS, [since, most])
    return [(row["tenant"], row["id"], row["revoked_at"]) for row in await found]


async def add_code(**members: Any) -> None:
    await AuthorizationCode.create(**members)


async def lock_code_of_all(digest: str) -> AuthorizationCode | None:
    return await AuthorizationCode.select_for_update().get_or_none(code_sha256=digest)


async def add_device_code(**members: Any) -> None:
    await DeviceCode.create(**members)


async def devices_waiting_of_all(address: str, now: datetime) -> tuple[int, int]:
    """Count devices that wait for an answer: from an address, and from everywhere."""
    rows = DeviceCode.filter(expires_at__gt=now, approved=None)
    return await rows.filter(address=address).count(), await rows.count()


async def lock_device_of_all(digest: str) -> DeviceCode | None:
    return await DeviceCode.select_for_update().get_or_none(code_sha256=digest)


async def device_by_user_code_of_all(user_code: str, now: datetime) -> DeviceCode | None:
    """Find a device that still waits for somebody's answer."""
    rows = DeviceCode.filter(user_code=user_code, expires_at__gt=now, approved=None)
    return await rows.first()


async def lock_user_code_of_all(user_code: str, now: datetime) -> DeviceCode | None:
    rows = DeviceCode.filter(user_code=user_code, expires_at__gt=now, approved=None)
    return await rows.select_for_update().first()


async def keep(row: AuthorizationCode | DeviceCode | RefreshToken, *changed: str) -> None:
    await row.save(update_fields=changed)


async def wrong_codes(user: uuid.UUID, address: str, since: datetime) -> tuple[int, int]:
    """Count what a person, and what an address, typed wrongly since then."""
    rows = WrongCode.filter(at__gte=since)
    return await rows.filter(user_id=user).count(), await rows.filter(address=address).count()


async def add_wrong_code(user: uuid.UUID, address: str, at: datetime) -> None:
    await WrongCode.create(user_id=user, address=address, at=at)


async def add_grant(**members: Any) -> Grant:
    return await Grant.create(**members)


async def grant_of_refresh_of_all(digest: str) -> uuid.UUID | None:
    """Name the grant a refresh token belongs to; its row is to be locked first."""
    row = await RefreshToken.get_or_none(token_sha256=digest)
    return None if row is None else uuid.UUID(str(row.grant_id))


async def lock_grant_of_all(grant: uuid.UUID) -> Grant | None:
    return await Grant.select_for_update().get_or_none(id=grant)


async def refresh_token(grant: uuid.UUID, digest: str) -> RefreshToken | None:
    return await RefreshToken.get_or_none(grant_id=grant, token_sha256=digest)


async def add_refresh_token(grant: uuid.UUID, digest: str, expires: datetime) -> None:
    await RefreshToken.create(token_sha256=digest, grant_id=grant, expires_at=expires)


async def add_access_token(tenant: str, jti: str, grant: uuid.UUID, expires: datetime) -> None:
    await AccessToken.create(jti=jti, tenant=tenant, grant_id=grant, expires_at=expires)


async def revoke_access_token(tenant: str, jti: str, expires: datetime, at: datetime) -> bool:
    """Revoke a token; False: it was before."""
    row, made = await AccessToken.get_or_create(
        jti=jti, defaults={"tenant": tenant, "expires_at": expires, "revoked_at": at}
    )
    if not made and row.revoked_at is None:
        row.revoked_at, made = at, True
        await row.save(update_fields=["revoked_at"])
    return bool(made)


async def is_revoked_of_all(jti: str) -> bool:
    return await AccessToken.filter(jti=jti, revoked_at__isnull=False).exists()


async def revoked_tokens_of_all(
    now: datetime, most: int
) -> list[tuple[str | None, str, datetime, datetime]]:
    """Give (tenant, jti, expiry, when), at most the newest `most` of each tenant."""
    found = connections.get("default").execute_query_dict(REVOKED_TOKENS, [now, most])
    names = ("tenant", "jti", "expires_at", "revoked_at")
    return [tuple(row[name] for name in names) for row in await found]


async def allowed_by(
    user: uuid.UUID, now: datetime
) -> list[tuple[str, uuid.UUID, list[str], datetime]]:
    """Give (client, tenant, scopes, since) of all that a person allowed and that still holds."""
    grants = Grant.filter(user_id=user, ended_at=None, expires_at__gt=now)
    rows: list[Consent | Grant] = [*await Consent.filter(user_id=user), *await grants]
    return [(row.client_id, row.tenant_id, row.scopes, row.created_at) for row in rows]


async def allowed_now(
    user: uuid.UUID, client_id: str, tenant: uuid.UUID, now: datetime
) -> frozenset[str]:
    """Give the scopes that a client has of a person for all of a tenant."""
    grants = Grant.filter(user_id=user, client_id=client_id, tenant_id=tenant, resource=None)
    rows = await grants.filter(ended_at=None, expires_at__gt=now)
    return frozenset(scope for row in rows for scope in row.scopes)


async def consents_of(user: uuid.UUID, **which: Any) -> list[Consent]:
    return await Consent.filter(user_id=user, **which).order_by("id")


async def remember(
    user: uuid.UUID,
    client_id: str,
    tenant: uuid.UUID,
    resource: str,
    scopes: list[str],
    now: datetime,
) -> None:
    values = [user, client_id, tenant, resource, json.dumps(scopes), now]
    await connections.get("default").execute_query(REMEMBER, values)


async def forget_consents(**which: Any) -> int:
    return await Consent.filter(**which).delete()


async def end_codes(now: datetime, **which: Any) -> None:
    """Let codes end that nobody has redeemed yet."""
    for codes in (AuthorizationCode, DeviceCode):
        await codes.filter(grant_id=None, expires_at__gt=now, **which).update(expires_at=now)


async def end_grants(now: datetime, reason: str, **which: Any) -> int:
    """End grants and revoke the access tokens they gave; gives how many."""
    live = Grant.filter(ended_at=None, **which)
    ids = await live.values_list("id", flat=True)
    if not ids:
        return 0
    await Grant.filter(id__in=ids).update(ended_at=now, end_reason=reason)
    tokens = AccessToken.filter(grant_id__in=ids, expires_at__gt=now, revoked_at=None)
    await tokens.update(revoked_at=now)
    return len(ids)


async def use_assertion(digest: str, expires: datetime) -> bool:
    """Note an assertion; False: it was used before."""
    _, made = await UsedAssertion.get_or_create(digest=digest, defaults={"expires_at": expires})
    return bool(made)


async def forget_of_all(now: datetime, long_ago: datetime) -> int:
    """Delete what has expired; grants that ended are kept until `long_ago`."""
    gone = 0
    for table in (AccessToken, UsedAssertion):
        gone += await table.filter(expires_at__lte=now).delete()
    # Anybody makes them, and nobody answered: nothing to wonder about.
    gone += await DeviceCode.filter(expires_at__lte=now, approved=None).delete()
    gone += await WrongCode.filter(at__lte=long_ago).delete()
    for codes in (AuthorizationCode, DeviceCode):
        gone += await codes.filter(expires_at__lte=long_ago).delete()
    gone += await Grant.filter(expires_at__lte=long_ago).delete()
    gone += await Grant.filter(ended_at__lte=long_ago).delete()
    return gone


async def names(tenant: str, ids: list[str]) -> dict[str, str]:
    rows = Client.filter(tenant__name=tenant, id__in=ids)
    return dict(await rows.values_list("id", "name"))


async def keys() -> list[SigningKey]:
    return await SigningKey.all().order_by("created_at")


async def lock_keys() -> list[SigningKey]:
    """Lock the keys, and read them then: who held the lock before may have made one."""
    await SigningKey.all().select_for_update().order_by("kid")
    return await keys()


async def add_key(
    kid: str, private: bytes, public: dict[str, str], state: str, at: datetime
) -> None:
    await SigningKey.create(kid=kid, private=private, public=public, state=state, changed_at=at)


async def move_keys(state: str, to: str, at: datetime) -> None:
    await SigningKey.filter(state=state).update(state=to, changed_at=at)


async def move_key(kid: str, to: str, at: datetime) -> None:
    await SigningKey.filter(kid=kid).update(state=to, changed_at=at)


async def delete_key(kid: str) -> None:
    await SigningKey.filter(kid=kid).delete()
