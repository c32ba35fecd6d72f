"""Queries on people and their sessions."""

import uuid
from datetime import datetime

from controlplane.accounts.tables import FewerRights, Session, User


async def user(user_id: uuid.UUID) -> User | None:
    return await User.get_or_none(id=user_id)


async def by_email(email: str) -> User | None:
    return await User.get_or_none(email=email)


async def create(email: str, name: str, password_hash: str | None) -> User:
    return await User.create(id=uuid.uuid4(), email=email, name=name, password_hash=password_hash)


async def give_password(row: User, password_hash: str) -> None:
    row.password_hash = password_hash
    await row.save(update_fields=["password_hash"])


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


async def end_session(id_sha256: str) -> None:
    await Session.filter(id_sha256=id_sha256).delete()


async def end_sessions_of(user_id: uuid.UUID) -> int:
    return await Session.filter(user_id=user_id).delete()


async def forget_sessions(expired_before: datetime, seen_before: datetime) -> int:
    gone = await Session.filter(expires_at__lt=expired_before).delete()
    return gone + await Session.filter(seen_at__lt=seen_before).delete()


async def note_fewer_rights(user_id: uuid.UUID, at: datetime) -> None:
    await FewerRights.create(user_id=user_id, at=at)


async def fewer_rights_since(since: datetime) -> list[FewerRights]:
    return await FewerRights.filter(at__gte=since)


async def forget_fewer_rights(before: datetime) -> int:
    return await FewerRights.filter(at__lt=before).delete()
