"""People: passwords, browsers' sessions, and what a member may do, on a real Postgres."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher

from controlplane.accounts import repository
from controlplane.accounts import service as accounts
from controlplane.accounts.passwords import HASHER, Passwords
from controlplane.permissions import SCOPES_OF, Role
from controlplane.tenants import service as tenants
from runtime.problems import Conflict, InvalidInput
from tests.integration.api import Api

PASSWORD = "four words of mine"
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


async def ada(passwords: Passwords) -> accounts.Person:
    return await accounts.create(" Ada@Example.com", "Ada", await passwords.hash(PASSWORD))


async def test_a_password_opens_its_own_account_only(api: Api) -> None:
    passwords = Passwords()
    person = await ada(passwords)
    assert person.email == "ada@example.com"
    check = accounts.check_password
    assert await check(passwords, "ADA@example.com", PASSWORD) == person
    assert await check(passwords, "ada@example.com", PASSWORD + "!") is None
    assert await check(passwords, "eve@example.com", PASSWORD) is None
    assert await check(passwords, "no address", PASSWORD) is None
    with pytest.raises(Conflict):
        await ada(passwords)
    with pytest.raises(InvalidInput, match="12 to 1024"):
        await passwords.hash("short")


async def test_an_old_hash_is_made_anew_at_sign_in(api: Api) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    person = await accounts.create("ada@example.com", "Ada", old)
    assert await accounts.check_password(Passwords(), person.email, PASSWORD) == person
    row = await repository.user(person.id)
    assert row is not None
    assert row.password_hash not in (None, old)
    assert not HASHER.check_needs_rehash(row.password_hash or "")
    assert await accounts.check_password(Passwords(), person.email, PASSWORD) == person


async def of_cookie(cookie: str | None, at: datetime) -> accounts.Person | None:
    found = await accounts.signed_in(cookie, at)
    return None if found is None else found.person


async def begun(person: accounts.Person, at: datetime) -> str:
    cookie = await accounts.start_session(person, "127.0.0.1", "a browser", at)
    assert cookie is not None
    return cookie


async def test_who_showed_what_counts_no_more_gets_no_session(api: Api) -> None:
    shown = await ada(Passwords())
    await begun(shown, NOW)
    await repository.disable(shown.id, NOW)
    assert await accounts.start_session(shown, "127.0.0.1", "a browser", NOW) is None
    await repository.disable(shown.id, None)
    await repository.give_password(shown.id, HASHER.hash("other words of mine"))
    assert await accounts.start_session(shown, "127.0.0.1", "a browser", NOW) is None
    now = await accounts.find(shown.id)
    assert now is not None
    await begun(now, NOW)


async def test_a_session_ends_when_it_is_not_used_when_it_is_old_and_when_asked(api: Api) -> None:
    person = await ada(Passwords())
    cookie = await begun(person, NOW)
    assert await of_cookie(cookie, NOW) == person
    assert await of_cookie(cookie[:-1], NOW) is None
    assert await of_cookie(None, NOW) is None
    assert await of_cookie(cookie, NOW + accounts.IDLE) is None
    at = NOW
    while at < NOW + accounts.LIFE - timedelta(hours=6):
        assert await of_cookie(cookie, at) == person
        at += timedelta(hours=6)
    assert await of_cookie(cookie, NOW + accounts.LIFE) is None
    await accounts.end_session(cookie)
    assert await of_cookie(cookie, at) is None


async def test_ended_sessions_are_forgotten(api: Api) -> None:
    person = await ada(Passwords())
    await begun(person, NOW)
    kept = await begun(person, NOW + accounts.IDLE)
    assert await accounts.forget_ended(NOW + accounts.IDLE + timedelta(minutes=1)) == 1
    assert await of_cookie(kept, NOW + accounts.IDLE) == person


async def test_a_member_may_do_what_their_role_says_in_their_tenant_alone(api: Api) -> None:
    person = await ada(Passwords())
    acme, rival = await tenants.create("acme"), await tenants.create("rival")
    await tenants.add_member(acme.id, person.id, Role.DEVELOPER)
    with pytest.raises(Conflict):
        await tenants.add_member(acme.id, person.id, Role.OWNER)
    standing = await tenants.standing(str(person.id), "acme")
    assert standing is not None
    assert standing.role is Role.DEVELOPER
    assert standing.scopes == SCOPES_OF[Role.DEVELOPER]
    assert await tenants.standing(str(person.id), rival.name) is None
    assert await tenants.standing(str(uuid.uuid4()), "acme") is None
    assert await tenants.tenants_of(person.id) == [("acme", Role.DEVELOPER)]
