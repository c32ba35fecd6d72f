"""People and their browsers' sessions."""

import hashlib
import re
import secrets
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from controlplane.accounts import repository
from controlplane.accounts.applications import Applications
from controlplane.accounts.passwords import Passwords
from controlplane.accounts.tables import User
from controlplane.accounts.throttle import WINDOW, Attempt
from controlplane.audit import service as audit
from controlplane.callers import Caller
from controlplane.database import Taken, transaction
from controlplane.wakes import Wake, tell
from runtime.problems import Conflict, Forbidden, InvalidInput, NotFound

IDLE: Final = timedelta(hours=12)
LIFE: Final = timedelta(days=7)
SEEN_EVERY: Final = timedelta(minutes=5)  # as exact as a row of a session says it
MOST_NAME: Final = 200
EMAIL: Final = re.compile(r"[^@\s\0]{1,64}@[^@\s\0]{1,189}")


@dataclass(frozen=True, slots=True)
class Person:
    """A person as other parts see them.

    credential  what was kept of their password when this was read; None: they sign in elsewhere
    """

    id: uuid.UUID
    email: str
    name: str
    credential: str | None = field(repr=False, compare=False)

    @property
    def subject(self) -> str:
        return f"user:{self.id}"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who a session is of, and since when; `session` names it and is no secret."""

    person: Person
    since: datetime
    session: str


@dataclass(frozen=True, slots=True)
class PersonInfo:
    """A person as the owners of the installation see them."""

    id: uuid.UUID
    email: str
    name: str
    disabled: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A browser that somebody is signed in with; `id` is no secret."""

    id: str
    address: str
    agent: str
    created_at: datetime
    seen_at: datetime


def _person(row: User) -> Person:
    return Person(row.id, row.email, row.name, row.password_hash)


def kept_email(email: str) -> str | None:
    """Give an address as it is kept; None: it is none, and nobody has it."""
    kept = email.strip().lower()
    return kept if EMAIL.fullmatch(kept) else None


def named(which: str) -> uuid.UUID | str | None:
    """Read the id or e-mail address that names a person; None: it names nobody."""
    try:
        return uuid.UUID(which)
    except ValueError:
        return kept_email(which)


def checked_email(email: str) -> str:
    """Give an address as it is kept; raises InvalidInput."""
    kept = kept_email(email)
    if kept is None:
        raise InvalidInput(f"{email[:60]!r} is not an e-mail address.", field="email")
    return kept


def checked_name(name: str) -> str:
    """Give a name as it is kept; raises InvalidInput."""
    kept = " ".join(name.split())
    if not 0 < len(kept) <= MOST_NAME or not kept.isprintable():
        raise InvalidInput(f"A name has 1 to {MOST_NAME} characters.", field="name")
    return kept


async def find(user_id: uuid.UUID) -> Person | None:
    """Give a person who may sign in; None: there is none, or not any more."""
    row = await repository.user(user_id)
    return None if row is None or row.disabled_at else _person(row)


async def by_email(email: str) -> Person | None:
    row = await repository.by_email(checked_email(email))
    return None if row is None or row.disabled_at else _person(row)


async def emails(_: str, ids: list[str]) -> dict[str, str]:
    """Give the addresses of people whom a tenant knows, for they made or changed things of it."""
    found = await repository.emails([uuid.UUID(name) for name in ids])
    return {str(user): email for user, email in found.items()}


async def page(limit: int, after: uuid.UUID | None) -> list[PersonInfo]:
    """Give limit + 1 of all people in order of id."""
    return [_info(row) for row in await repository.page_of_all(limit, after)]


async def get(which: str) -> Person:
    """Give who may sign in, by id or e-mail address; raises NotFound."""
    row = await _row(which)
    if row.disabled_at is not None:
        raise Conflict(f"{row.email} is disabled; enable the account first.")
    return _person(row)


async def disable(
    caller: Caller, which: str, at: datetime | None, applications: Applications
) -> PersonInfo:
    """Keep somebody from signing in, and end all that acts for them; at None: let them again."""
    row = await _row(which)
    person = _person(row)
    if person.subject == caller.subject:
        raise Conflict("You would lock yourself out; another owner may do that.")
    async with transaction():
        await repository.disable(row.id, at)
        if at is not None:
            await repository.end_sessions_of(row.id)
            await applications.end_all(row.id, "disabled")
            await note_fewer_rights(row.id, None, at)
        action = "account.enable" if at is None else "account.disable"
        await audit.record(caller, action, person.subject, email=person.email)
    return _info(await _row(str(row.id)))


async def _row(which: str) -> User:
    found = named(which)
    row: User | None = None
    if isinstance(found, uuid.UUID):
        row = await repository.user(found)
    elif found is not None:
        row = await repository.by_email(found)
    if row is None:
        raise NotFound(f"There is nobody {which[:80]!r}.")
    return row


def _info(row: User) -> PersonInfo:
    return PersonInfo(row.id, row.email, row.name, row.disabled_at is not None, row.created_at)


async def create(email: str, name: str, password_hash: str | None) -> Person:
    """Make a person; raises Conflict when the address is taken."""
    try:
        return _person(await repository.create(checked_email(email), name, password_hash))
    except Taken as error:
        raise Conflict("There is somebody with this e-mail address already.") from error


async def sign_in(
    passwords: Passwords, attempt: Attempt, email: str, password: str
) -> Person | None:
    """Give whose address and password these are; raises RateLimited after too many attempts."""
    await attempt.count()
    person = await check_password(passwords, email, password)
    if person is not None:
        await attempt.succeeded()
    return person


async def check_password(passwords: Passwords, email: str, password: str) -> Person | None:
    """Give whose address and password these are; as slow, and as silent, for an unknown address."""
    address = kept_email(email)
    row = None if address is None else await repository.by_email(address)
    kept = None if row is None else row.password_hash
    right, stale = await passwords.check(password, kept)
    if row is None or not right or row.disabled_at:
        return None
    if stale:
        better = await passwords.hash(password)
        if await repository.upgrade_password(row.id, better, kept):
            row.password_hash = better
    return _person(row)


async def subject_of(email: str) -> str:
    """Name whose address was typed in, for the audit log; what nobody has is not kept."""
    address = kept_email(email)
    row = None if address is None else await repository.by_email(address)
    return "user:unknown" if row is None else _person(row).subject


async def change_password(
    caller: Caller,
    person: Person,
    passwords: Passwords,
    current: str,
    new: str,
    *,
    attempt: Attempt,
    applications: Applications,
) -> Person | None:
    """Change a password and end every session and application; None when `current` is wrong.

    Gives the person as they are now. Raises RateLimited, InvalidInput, and Forbidden for who signs
    in elsewhere.
    """
    row = await repository.user(person.id)
    if row is None or row.password_hash is None:
        raise Forbidden("You sign in without a password here.")
    await attempt.count()
    shown = await check_password(passwords, person.email, current)
    if shown is None:
        return None
    await attempt.succeeded()
    made = await passwords.hash(new)
    async with transaction():
        if not await _is_still(shown):
            return None
        return await renew_password(caller, shown, made, applications, by="password")


async def _is_still(person: Person) -> bool:
    """Lock a person's account; False: it was disabled, or has another password than was read."""
    row = await repository.lock(person.id)
    return row is not None and not row.disabled_at and row.password_hash == person.credential


async def renew_password(
    caller: Caller, person: Person, made: str, applications: Applications, *, by: str
) -> Person:
    """Give a person another password, and end what was begun with the old one.

    by  how they showed who they are, for the audit log. Call in a transaction
    """
    await repository.give_password(person.id, made)
    sessions = await repository.end_sessions_of(person.id)
    ended = await applications.end_all(person.id, "password")
    await audit.record(
        caller, "account.password", person.subject, by=by, sessions=sessions, grants=ended
    )
    return replace(person, credential=made)


async def hand_over(
    caller: Caller, person: Person, applications: Applications, now: datetime
) -> Person:
    """Leave an account to whom its address is proved to be of, and nothing to who made it.

    Whoever was invited by a link typed any address in. Call in a transaction
    """
    await repository.lock(person.id)
    await repository.give_password(person.id, None)
    ended: dict[str, Any] = {
        "sessions": await repository.end_sessions_of(person.id),
        "grants": await applications.end_all(person.id, "handed over"),
        "keys": await applications.end_keys(person.id),
    }
    await note_fewer_rights(person.id, None, now)
    await audit.record(caller, "account.hand-over", person.subject, **ended)
    return replace(person, credential=None)


async def rename(caller: Caller, person: Person, name: str) -> None:
    """Change what a person is called; raises InvalidInput."""
    kept = checked_name(name)
    async with transaction():
        await repository.rename(person.id, kept)
        await audit.record(caller, "account.rename", person.subject, name=kept)


async def has_password(person: Person) -> bool:
    """Tell whether somebody signs in with a password of ours."""
    row = await repository.user(person.id)
    return row is not None and row.password_hash is not None


async def start_session(person: Person, address: str, agent: str, now: datetime) -> str | None:
    """Sign a browser in; gives the value of its cookie, which is kept as a digest only.

    None: the person was disabled, or got another password, since they showed who they are. Call in
    a transaction.
    """
    if not await _is_still(person):
        return None
    value = secrets.token_urlsafe(32)
    came = (address[:64], agent[:200])
    await repository.add_session(digest(value), person.id, came, now, now + LIFE)
    return value


async def signed_in(cookie: str | None, now: datetime) -> SignedIn | None:
    """Give who is signed in with this cookie."""
    row = await repository.session(digest(cookie)) if cookie else None
    if row is None or now >= row.expires_at or now >= row.seen_at + IDLE:
        return None
    if now >= row.seen_at + SEEN_EVERY:
        await repository.seen(row, now)
    person = await find(row.user_id)
    return None if person is None else SignedIn(person, row.created_at, row.id_sha256)


async def hold(signed_in: SignedIn) -> None:
    """Keep what ends all of a person's sessions out of this transaction.

    Raises Forbidden when theirs has ended by now: nothing may be allowed with it any more.
    """
    await repository.lock(signed_in.person.id)
    if await repository.session(signed_in.session) is None:
        raise Forbidden("You were signed out meanwhile; sign in, and start again.")


async def elsewhere(person: Person) -> list[str]:
    """List the OpenID providers that somebody also signs in with."""
    return await repository.links_of(person.id)


async def sessions(person: Person, now: datetime) -> list[SessionInfo]:
    """List the browsers somebody is signed in with, last used first."""
    return [
        SessionInfo(row.id_sha256, row.address, row.agent, row.created_at, row.seen_at)
        for row in await repository.sessions_of(person.id)
        if now < row.expires_at and now < row.seen_at + IDLE
    ]


async def end_session_of(caller: Caller, person: Person, session_id: str) -> None:
    """End one session of a person; raises NotFound."""
    async with transaction():
        if not await repository.end_session_of(person.id, session_id):
            raise NotFound("There is no such session any more.")
        await audit.record(caller, "session.end", person.subject, by="account")


async def end_other_sessions(caller: Caller, person: Person, cookie: str) -> None:
    """End all sessions of a person but this one."""
    async with transaction():
        ended = await repository.end_sessions_of(person.id, but=digest(cookie))
        await audit.record(caller, "session.end-others", person.subject, sessions=ended)


async def end_session(cookie: str) -> bool:
    """End the session of a cookie; False: there was none."""
    return await repository.end_session(digest(cookie)) > 0


async def forget_ended(now: datetime) -> int:
    """Delete sessions that have ended, and attempts that count no more; gives how many."""
    gone = await repository.forget_sessions(now, now - IDLE)
    return gone + await repository.forget_attempts(now - WINDOW)


async def note_fewer_rights(user_id: uuid.UUID, tenant: str | None, at: datetime) -> None:
    """Have the runtimes refuse a person's tokens from before; call in the change's transaction.

    tenant  whose runtimes; None: those of all tenants
    """
    await repository.note_fewer_rights(user_id, tenant, at)
    await tell(Wake.KEYS)


async def fewer_rights_since(since: datetime, most: int) -> list[tuple[str | None, str, datetime]]:
    """Give (tenant, subject, last time) of whose rights became fewer; tenant None: in all.

    most  of each tenant, the newest
    """
    found = await repository.fewer_rights_since(since, most)
    return [(tenant, f"user:{user}", at) for tenant, user, at in found]


async def forget_fewer_rights(before: datetime) -> int:
    """Delete what no token in use can be from before; gives how many."""
    return await repository.forget_fewer_rights(before)


def digest(cookie: str) -> str:
    """Give what is kept of a cookie."""
    return hashlib.sha256(cookie.encode()).hexdigest()
