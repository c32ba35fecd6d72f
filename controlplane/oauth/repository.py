"""Queries on clients and signing keys."""

import uuid
from datetime import datetime

from controlplane.oauth.tables import Client, SigningKey


async def client_of_all(client_id: str) -> Client | None:
    """Find a client by its id alone: whoever asks for a token is not known yet."""
    return await Client.get_or_none(id=client_id)


async def create_client(
    tenant: uuid.UUID, client_id: str, name: str, secret_sha256: str, scopes: list[str]
) -> Client:
    return await Client.create(
        id=client_id, tenant_id=tenant, name=name, secret_sha256=secret_sha256, scopes=scopes
    )


async def give_secret(row: Client, secret_sha256: str) -> None:
    row.secret_sha256, row.revoked_at = secret_sha256, None
    await row.save(update_fields=["secret_sha256", "revoked_at"])


async def clients(tenant: uuid.UUID, limit: int, after: str | None) -> list[Client]:
    rows = Client.filter(tenant_id=tenant, revoked_at=None)
    if after:
        rows = rows.filter(id__gt=after)
    return await rows.order_by("id").limit(limit + 1)


async def revoke(tenant: uuid.UUID, client_id: str, at: datetime) -> bool:
    found = Client.filter(tenant_id=tenant, id=client_id, revoked_at=None)
    return bool(await found.update(revoked_at=at))


async def revoked_since_of_all(since: datetime) -> list[Client]:
    return await Client.filter(revoked_at__gte=since)


async def names(tenant: str, ids: list[str]) -> dict[str, str]:
    rows = Client.filter(tenant__name=tenant, id__in=ids)
    return dict(await rows.values_list("id", "name"))


async def keys() -> list[SigningKey]:
    return await SigningKey.all().order_by("created_at")


async def add_key(kid: str, private: bytes, public: dict[str, str], state: str) -> None:
    await SigningKey.create(kid=kid, private=private, public=public, state=state)
