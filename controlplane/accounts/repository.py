"""Queries on people, their sessions, and attempts to sign in as them."""

import uuid
from datetime import datetime

from tortoise import connections

from controlplane.accounts.tables import (
    Attempts,
    ExternalIdentity,
    FewerRights,
    Session,
    User,
)

# One statement, so that attempts at the same moment are counted one after the other.
COUNT = """
INSERT INTO sign_in_attempts AS known (key_sha256, count, since) VALUES ($1, 1, $2)
ON CONFLICT (key_sha256) DO UPDATE SET
    count = CASE WHEN known.since <= $3 THEN 1 ELSE known.count + 1 END,
    since = CASE WHEN known.since <= $3 THEN excluded.since ELSE known.since END
RETURNING count, since
"""
FEWER_RIGHTS = """
SELECT tenant, user_id, at FROM (
    SELECT tenant, user_id, max(at) AS at,
           row_number() OVER (PARTITION BY tenant ORDER BY max(at) DESC) AS place
    FROM fewer_rights WHERE at >= $1 GROUP BY tenant, user_id
) AS newest WHERE place <= $2
"""
UNCOUNT = "UPDATE sign_in_attempts SET count = count - 1 WHERE key_sha256 = $1 AND count > 0"


async def user(user_id: uuid.UUID) -> User | None:
    return await User.get_or_none(id=user_id)


async def by_email(email: str) -> User | None:
    return await User.get_or_none(email=email)


async def lock(user_id: uuid.UUID) -> User | None:
    """Let one transaction at a time change a person's account; rows may refer to it meanwhile."""
    return await User.filter(id=user_id).select_for_update(no_key=True).first()


async def page_of_all(limit: int, after: uuid.UUID | None) -> list[User]:
    rows = User.all() if after is None else User.filter(id__gt=after)
    return await rows.order_by("id").limit(limit + 1)


async def disable(user_id: uuid.UUID, at: datetime | None) -> None:
    await User.filter(id=user_id).update(disabled_at=at)


async def create(email: str, name: str, password_hash: str | None) -> User:
    return await User.create(id=uuid.uuid4(), email=email, name=name, password_hash=password_hash)


async def emails(ids: list[uuid.UUID]) -> dict[uuid.UUID, str]:
    return dict(await User.filter(id__in=ids).values_list("id", "email"))


async def give_password(user_id: uuid.UUID, password_hash: str | None) -> None:
    await User.filter(id=user_id).update(password_hash=password_hash)


async def upgrade_password(user_id: uuid.UUID, password_hash: str, instead_of: str | None) -> bool:
    """Keep a password in a better way, unless it was changed meanwhile."""
    found = User.filter(id=user_id, password_hash=instead_of)
    return bool(await found.update(password_hash=password_hash))


async def rename(user_id: uuid.UUID, name: str) -> None:
    await User.filter(id=user_id).update(name=name)


async def session(id_sha256: str) -> Session | None:
    return await Session.get_or_none(id_sha256=id_sha256)


async def add_session(
    id_sha256: str, user: uuid.UUID, came: tuple[str, str], now: datetime, expires: datetime
) -> None:
    address, agent = came
    await Session.create(
        id_sha256=id_sha256,
        user_id=user,
        address=address,
        agent=agent,
        seen_at=now,
        expires_at=expires,
    )


async def seen(row: Session, at: datetime) -> None:
    row.seen_at = at
    await row.save(update_fields=["seen_at"])


async def end_session(id_sha256: str) -> int:
    return await Session.filter(id_sha256=id_sha256).delete()


async def sessions_of(user_id: uuid.UUID) -> list[Session]:
    return await Session.filter(user_id=user_id).order_by("-seen_at").limit(100)


async def end_session_of(user_id: uuid.UUID, id_sha256: str) -> int:
    return await Session.filter(user_id=user_id, id_sha256=id_sha256).delete()


async def end_sessions_of(user_id: uuid.UUID, *, but: str = "") -> int:
    return await Session.filter(user_id=user_id).exclude(id_sha256=but).delete()


async def forget_sessions(expired_before: datetime, seen_before: datetime) -> int:
    gone = await Session.filter(expires_at__lt=expired_before).delete()
    return gone + await Session.filter(seen_at__lt=seen_before).delete()


async def note_fewer_rights(user_id: uuid.UUID, tenant: str | None, at: datetime) -> None:
    await FewerRights.create(user_id=user_id, tenant=tenant, at=at)


async def fewer_rights_since(
    since: datetime, most: int
) -> list[tuple[str | None, uuid.UUID, datetime]]:
    """Give (tenant, person, last time), at most the newest `most` of each tenant."""
    found = connections.get("default").execute_query_dict(FEWER_RIGHTS, [since, most])
    return [(row["tenant"], row["user_id"], row["at"]) for row in await found]


async def forget_fewer_rights(before: datetime) -> int:
    return await FewerRights.filter(at__lt=before).delete()


async def count_attempt(key_sha256: str, now: datetime, after: datetime) -> tuple[int, datetime]:
    """Count one more; gives how many there were since when. What is not `after` is forgotten."""
    connection = connections.get("default")
    rows = await connection.execute_query_dict(COUNT, [key_sha256, now, after])
    return int(rows[0]["count"]), rows[0]["since"]


async def uncount_attempt(key_sha256: str) -> None:
    await connections.get("default").execute_query(UNCOUNT, [key_sha256])


async def forget_attempts_at(key_sha256: str) -> None:
    await Attempts.filter(key_sha256=key_sha256).delete()


async def forget_attempts(before: datetime) -> int:
    return await Attempts.filter(since__lt=before).delete()


async def known_elsewhere_as(issuer: str, subject: str) -> User | None:
    found = await ExternalIdentity.get_or_none(issuer=issuer, subject=subject)
    return None if found is None else await user(found.user_id)


async def link(user_id: uuid.UUID, issuer: str, subject: str) -> None:
    await ExternalIdentity.create(user_id=user_id, issuer=issuer, subject=subject)


async def links_of(user_id: uuid.UUID) -> list[str]:
    rows = ExternalIdentity.filter(user_id=user_id).order_by("issuer")
    return [str(issuer) for issuer in await rows.values_list("issuer", flat=True)]
