"""People and their browsers' sessions."""

import hashlib
import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane.accounts import repository
from controlplane.accounts.passwords import Passwords
from controlplane.accounts.tables import User
from controlplane.database import Taken
from controlplane.wakes import Wake, tell
from runtime.problems import Conflict, InvalidInput

IDLE: Final = timedelta(hours=12)
LIFE: Final = timedelta(days=7)
SEEN_EVERY: Final = timedelta(minutes=5)  # as exact as a row of a session says it
EMAIL: Final = re.compile(r"[^@\s\0]{1,64}@[^@\s\0]{1,189}")


@dataclass(frozen=True, slots=True)
class Person:
    """A person as other parts see them."""

    id: uuid.UUID
    email: str
    name: str

    @property
    def subject(self) -> str:
        return f"user:{self.id}"


def _person(row: User) -> Person:
    return Person(row.id, row.email, row.name)


def checked_email(email: str) -> str:
    """Give an address as it is kept; raises InvalidInput."""
    kept = email.strip().lower()
    if not EMAIL.fullmatch(kept):
        raise InvalidInput(f"{email[:60]!r} is not an e-mail address.", field="email")
    return kept


async def find(user_id: uuid.UUID) -> Person | None:
    """Give a person who may sign in; None: there is none, or not any more."""
    row = await repository.user(user_id)
    return None if row is None or row.disabled_at else _person(row)


async def by_email(email: str) -> Person | None:
    row = await repository.by_email(checked_email(email))
    return None if row is None or row.disabled_at else _person(row)


async def create(email: str, name: str, password_hash: str | None) -> Person:
    """Make a person; raises Conflict when the address is taken."""
    try:
        return _person(await repository.create(checked_email(email), name, password_hash))
    except Taken as error:
        raise Conflict("There is somebody with this e-mail address already.") from error


async def check_password(passwords: Passwords, email: str, password: str) -> Person | None:
    """Give whose address and password these are; as slow, and as silent, for an unknown address."""
    row = (
        await repository.by_email(email.strip().lower()) if EMAIL.fullmatch(email.strip()) else None
    )
    right, stale = await passwords.check(password, None if row is None else row.password_hash)
    if row is None or not right or row.disabled_at:
        return None
    if stale:
        await repository.give_password(row, await passwords.hash(password))
    return _person(row)


async def start_session(person: Person, address: str, agent: str, now: datetime) -> str:
    """Sign a browser in; gives the value of its cookie, which is kept as a digest only."""
    value = secrets.token_urlsafe(32)
    came = (address[:64], agent[:200])
    await repository.add_session(_digest(value), person.id, came, now, now + LIFE)
    return value


async def signed_in(cookie: str | None, now: datetime) -> Person | None:
    """Give who is signed in with this cookie."""
    row = await repository.session(_digest(cookie)) if cookie else None
    if row is None or now >= row.expires_at or now >= row.seen_at + IDLE:
        return None
    if now >= row.seen_at + SEEN_EVERY:
        await repository.seen(row, now)
    return await find(row.user_id)


async def end_session(cookie: str) -> None:
    await repository.end_session(_digest(cookie))


async def forget_sessions(now: datetime) -> int:
    """Delete sessions that have ended; gives how many."""
    return await repository.forget_sessions(now, now - IDLE)


async def note_fewer_rights(user_id: uuid.UUID, at: datetime) -> None:
    """Have the runtimes refuse a person's tokens from before; call in the change's transaction."""
    await repository.note_fewer_rights(user_id, at)
    await tell(Wake.KEYS)


async def fewer_rights_since(since: datetime) -> dict[str, datetime]:
    """Give the subjects whose rights became fewer, with the last time they did."""
    found: dict[str, datetime] = {}
    for row in await repository.fewer_rights_since(since):
        subject = f"user:{row.user_id}"
        found[subject] = max(row.at, found.get(subject, row.at))
    return found


async def forget_fewer_rights(before: datetime) -> int:
    """Delete what no token in use can be from before; gives how many."""
    return await repository.forget_fewer_rights(before)


def _digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
