"""Signing in and out in the audit log: who, from where, what failed; as much as a flood leaves."""

import re
from dataclasses import replace
from typing import Any

import pytest

from controlplane.accounts import service as accounts
from controlplane.accounts import throttle
from controlplane.accounts.browsers import KEPT_FAILURES
from controlplane.audit.denials import Sparing
from tests.integration.api import Api
from tests.integration.test_pages import ada, browser_of, sign_in, token_of


async def logged(api: Api, action: str) -> list[dict[str, Any]]:
    """Read events of the installation's own tenant over the API, oldest first."""
    answer = await api.http.get("/v1/audit", params={"action": action, "limit": 200})
    assert answer.status_code == 200, answer.text
    return list(reversed(answer.json()["items"]))


async def test_who_signs_in_and_out_is_in_it(api: Api) -> None:
    person = await ada()
    async with browser_of(api) as here, browser_of(api) as there:
        await sign_in(here)
        await sign_in(here)
        await sign_in(there)
        page = await here.get("/account")
        sessions = set(re.findall(r'name="session" value="(\w+)"', page.text))
        [other] = sessions - {accounts.digest(here.cookies["kubeserve"])}
        form = {"form_token": token_of(page)}
        await here.post("/account", data={**form, "do": "end-session", "session": other})
        await here.post("/account", data={**form, "do": "end-others"})
        await here.post("/logout", data=form)
        await here.post("/logout", data=form)  # nobody is signed in any more
    events = await logged(api, "session.")
    assert [(event["action"], event["detail"]) for event in events] == [
        ("session.start", {"by": "password", "replaced": False}),
        ("session.start", {"by": "password", "replaced": True}),
        ("session.start", {"by": "password", "replaced": False}),
        ("session.end", {"by": "account"}),
        ("session.end-others", {"sessions": 0}),
        ("session.end", {"by": "sign-out"}),
    ]
    assert {event["subject"] for event in events} == {person.subject}
    assert {event["subject_name"] for event in events} == {"ada@example.com"}
    assert {event["address"] for event in events} == {"127.0.0.1"}


async def test_failed_sign_ins_are_in_it_and_what_was_typed_is_not(api: Api) -> None:
    person = await ada()
    secret = "the password in the wrong field"
    async with browser_of(api) as browser:
        for email in ("ada@example.com", "eve@example.com", secret):
            for _ in range(2):
                assert (await sign_in(browser, email=email, password="wrong")).status_code == 422
        # Counted from the first: one row for each account and address in a while.
        for _ in range(11):
            last = await sign_in(browser, password="wrong")
        assert last.status_code == 429
    events = await logged(api, "session.deny")
    assert [(event["target"], event["detail"]["more"]) for event in events] == [
        (person.subject, 0),
        ("user:unknown", 1),
        ("user:unknown", 1),
    ]
    assert {event["subject"] for event in events} == {"anonymous"}
    assert {event["detail"]["why"] for event in events} == {"password"}
    told = str(events)
    assert "eve" not in told
    assert secret not in told


async def test_too_many_attempts_and_a_wrong_current_password_are_in_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await ada()
    every = Sparing(every_s=0, most=KEPT_FAILURES)
    monkeypatch.setattr(api.app.state, "browsers", replace(api.app.state.browsers, failures=every))
    async with browser_of(api) as browser:
        await sign_in(browser)
        page = await browser.get("/account")
        form = {"do": "password", "form_token": token_of(page), "new": "five words of my own"}
        assert (await browser.post("/account", data={**form, "current": "no"})).status_code == 422
    async with browser_of(api) as stranger:
        for _ in range(throttle.OF_ACCOUNT + 1):
            await sign_in(stranger, password="wrong")
    events = await logged(api, "session.deny")
    assert {event["target"] for event in events} == {person.subject}
    assert [event["detail"]["why"] for event in events] == [
        "current password",
        *["password"] * throttle.OF_ACCOUNT,
        "too many attempts",
    ]


def test_a_flood_of_failures_is_counted_and_not_kept() -> None:
    now = [0.0]
    sparing = Sparing(lambda: now[0], every_s=900, most=100)
    kept = [sparing.more("default", f"account {n}") for n in range(50_000)]
    assert kept[:100] == [0] * 100
    assert set(kept[100:]) == {None}
    assert sparing.more("rival", "account 0") == 0
    now[0] += 900
    assert sparing.more("default", "account 0") == 49_900
    assert sparing.more("default", "account 0") is None
    assert sparing.more("default", "account 1") == 1
