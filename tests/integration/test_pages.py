"""Signing in and out over HTTP: cookies, forms of other sites, and where one is sent next."""

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from controlplane.accounts import service as accounts
from controlplane.accounts import throttle
from controlplane.accounts.passwords import Passwords
from controlplane.permissions import Role
from controlplane.tenants import service as tenants
from runtime.problems import RateLimited
from tests.integration.api import Api

PASSWORD = "four words of mine"
OURS = {"sec-fetch-site": "same-origin"}


async def ada() -> accounts.Person:
    return await accounts.create("ada@example.com", "Ada", await Passwords().hash(PASSWORD))


def browser_of(api: Api) -> httpx.AsyncClient:
    """Give a browser: cookies of its own, no token."""
    return httpx.AsyncClient(
        transport=api.http._transport, base_url=api.http.base_url, headers=OURS
    )


async def sign_in(browser: httpx.AsyncClient, **form: str) -> httpx.Response:
    return await browser.post(
        "/login", data={"email": "ada@example.com", "password": PASSWORD, **form}
    )


def token_of(page: httpx.Response) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', page.text)
    assert found, page.text
    return found[1]


async def test_who_signs_in_goes_on_from_where_they_were(api: Api) -> None:
    await ada()
    async with browser_of(api) as browser:
        assert (await browser.post("/logout", data={})).headers["location"] == "/login"
        page = await browser.get("/login?next=/logout")
        assert page.status_code == 200
        assert "script" not in page.text
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert 'name="next" value="/logout"' in page.text
        answer = await sign_in(browser, next="/account?tab=sessions")
        assert (answer.status_code, answer.headers["location"]) == (303, "/account?tab=sessions")
        assert (await browser.get("/login?next=/x")).headers["location"] == "/x"


ELSEWHERE = [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "evil",
    "",
    "javascript:alert(1)",
    "/a\r\nset-cookie: a=b",
    "/" + "a" * 5000,
    "/ünsafe",
]


@pytest.mark.parametrize("there", ELSEWHERE, ids=lambda there: ascii(there[:20]))
async def test_no_address_of_others_is_next(api: Api, there: str) -> None:
    await ada()
    async with browser_of(api) as browser:
        assert (await sign_in(browser, next=there)).headers["location"] == "/account"


async def test_the_cookie_is_hidden_from_scripts_and_new_at_each_sign_in(api: Api) -> None:
    await ada()
    async with browser_of(api) as browser:
        browser.cookies.set("kubeserve", "set by somebody else")
        answer = await sign_in(browser)
        kept = answer.headers["set-cookie"]
        for part in ("kubeserve=", "HttpOnly", "SameSite=lax", "Path=/", "Max-Age=604800"):
            assert part in kept
        assert "Secure" not in kept
        assert "set by somebody else" not in kept
        again = (await sign_in(browser)).headers["set-cookie"]
        assert again.partition(";")[0] != kept.partition(";")[0]


FOREIGN: dict[str, dict[str, Any]] = {
    "another site": {"sec-fetch-site": "cross-site"},
    "another host of the domain": {"sec-fetch-site": "same-site"},
    "an old browser on another site": {"origin": "https://evil.example"},
    "a page without origin": {"origin": "null"},
    "nothing said": {},
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
async def test_a_form_of_another_site_signs_nobody_in(api: Api, headers: dict[str, str]) -> None:
    await ada()
    async with browser_of(api) as browser:
        del browser.headers["sec-fetch-site"]
        browser.headers.update(headers)
        answer = await sign_in(browser)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
        assert answer.headers["content-type"].startswith("text/html")


async def test_an_old_browser_says_its_origin(api: Api) -> None:
    await ada()
    async with browser_of(api) as browser:
        del browser.headers["sec-fetch-site"]
        browser.headers["origin"] = str(api.http.base_url).rstrip("/")
        assert (await sign_in(browser)).status_code == 303


async def test_a_wrong_password_and_an_unknown_address_are_one_answer(api: Api) -> None:
    await ada()
    async with browser_of(api) as browser:
        answers = [
            await sign_in(browser, email=email, password="none of these words")
            for email in ("ada@example.com", "eve@example.com", "no address")
        ]
    assert {answer.status_code for answer in answers} == {422}
    bodies = {re.sub(r'value="[^"]*"', "", answer.text) for answer in answers}
    assert len(bodies) == 1
    assert "wrong" in bodies.pop()


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("email=a&email=b&password=c", "application/x-www-form-urlencoded", 400),
        ("email=%00&password=c", "application/x-www-form-urlencoded", 400),
        ("email", "application/x-www-form-urlencoded", 400),
        (b"email=\xff", "application/x-www-form-urlencoded", 400),
        ('{"email": "a"}', "application/json", 415),
        ("", "multipart/form-data", 415),
    ],
)
async def test_what_is_no_form_is_refused(
    api: Api, body: str | bytes, kind: str, status: int
) -> None:
    async with browser_of(api) as browser:
        answer = await browser.post("/login", content=body, headers={"content-type": kind})
    assert answer.status_code == status


async def test_an_account_is_named_and_its_password_changed_which_ends_other_sessions(
    api: Api,
) -> None:
    await ada()
    async with browser_of(api) as here, browser_of(api) as there:
        await sign_in(there)
        await sign_in(here)
        page = await here.get("/account")
        token = token_of(page)
        assert page.text.count("This browser") == 1
        assert page.text.count("Last seen".lower()) == 2
        named = await here.post(
            "/account", data={"do": "rename", "name": " <b>Ada</b>  L. ", "form_token": token}
        )
        assert named.status_code == 303
        page = await here.get(named.headers["location"])
        assert "Your name is changed." in page.text
        assert "&lt;b&gt;Ada&lt;/b&gt; L." in page.text
        change = {"do": "password", "form_token": token, "new": "five words of my own"}
        wrong = await here.post("/account", data={**change, "current": "not these words"})
        assert (wrong.status_code, "current password is wrong" in wrong.text) == (422, True)
        short = {**change, "current": PASSWORD, "new": "short"}
        assert "12 to 1024" in (await here.post("/account", data=short)).text
        before = here.cookies["kubeserve"]
        done = await here.post("/account", data={**change, "current": PASSWORD})
        assert done.status_code == 303
        assert here.cookies["kubeserve"] != before
        assert (await here.get("/account")).status_code == 200
        assert (await there.get("/account")).headers["location"] == "/login?next=%2Faccount"
        assert (await sign_in(there)).status_code == 422
        assert (await sign_in(there, password="five words of my own")).status_code == 303
    events = await api.audited("default")
    assert [event["action"] for event in events if event["action"].startswith("account")] == [
        "account.rename",
        "account.password",
    ]


async def test_sessions_are_ended_one_by_one_and_only_ones_own(api: Api) -> None:
    await ada()
    eve = await accounts.create("eve@example.com", "Eve", await Passwords().hash(PASSWORD))
    async with browser_of(api) as here, browser_of(api) as there, browser_of(api) as eves:
        await sign_in(there)
        await sign_in(here)
        await sign_in(eves, email=eve.email)
        page = await here.get("/account")
        others = set(re.findall(r'name="session" value="(\w+)"', page.text))
        mine = accounts.digest(here.cookies["kubeserve"])
        [other] = others - {mine}
        end = {"do": "end-session", "session": other}
        strange = {**end, "form_token": token_of(await eves.get("/account"))}
        assert (await eves.post("/account", data=strange)).status_code == 404
        foreign = await here.post("/account", data={**end, "form_token": strange["form_token"]})
        assert foreign.status_code == 403
        assert (await here.post("/account", data=end)).status_code == 403
        assert (await there.get("/account")).status_code == 200
        end["form_token"] = token_of(page)
        assert (await here.post("/account", data=end)).status_code == 303
        assert (await there.get("/account")).status_code == 303
        left = await here.post("/logout", data={"form_token": token_of(page)})
        assert left.status_code == 303
        assert (await here.get("/account")).status_code == 303
        assert (await eves.get("/account")).status_code == 200


async def test_a_password_is_tried_a_few_times_only_but_not_against_a_known_device(
    api: Api,
) -> None:
    await ada()
    async with browser_of(api) as hers, browser_of(api) as stranger:
        await sign_in(hers)
        hers.cookies.delete("kubeserve")
        answers = await asyncio.gather(
            *(sign_in(stranger, password=f"guess number {n}") for n in range(14))
        )
        assert sorted(a.status_code for a in answers) == [422] * 10 + [429] * 4
        refused = await sign_in(stranger)
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 900
        unknown = [await sign_in(stranger, email="eve@example.com") for _ in range(11)]
        assert [a.status_code for a in unknown] == [422] * 10 + [429]
        assert (await sign_in(hers)).status_code == 303
        # A device that she signed in with is none of another person's.
        stranger.cookies.set("kubeserve-device", hers.cookies["kubeserve-device"])
        assert (await sign_in(stranger, email="eve@example.com")).status_code == 429


async def test_attempts_count_no_more_after_a_while_nor_after_success(api: Api) -> None:
    await ada()
    start = datetime(2026, 11, 29, 12, tzinfo=UTC)
    passwords = Passwords()

    async def tries(count: int, at: datetime, password: str = "wrong words here") -> None:
        for _ in range(count):
            attempt = throttle.attempt("ada@example.com", "192.0.2.7", None, at)
            await accounts.sign_in(passwords, attempt, "ada@example.com", password)

    await tries(9, start)
    await tries(1, start, PASSWORD)
    await tries(10, start)
    with pytest.raises(RateLimited, match="15 minutes"):
        await tries(1, start, PASSWORD)
    await tries(1, start + throttle.WINDOW, PASSWORD)
    await accounts.forget_ended(start + throttle.WINDOW * 3)


async def test_an_address_may_try_a_bounded_number_of_accounts(api: Api) -> None:
    now = datetime(2026, 11, 29, 12, tzinfo=UTC)
    for number in range(throttle.OF_ADDRESS):
        await throttle.attempt(f"{number}@example.com", "2001:db8::1", None, now).count()
    with pytest.raises(RateLimited):
        await throttle.attempt("last@example.com", "2001:db8::ffff", None, now).count()
    await throttle.attempt("last@example.com", "2001:db8:0:1::1", None, now).count()


async def test_a_disabled_person_is_out_at_once(api: Api) -> None:
    person = await ada()
    async with browser_of(api) as browser:
        await sign_in(browser)
        await api.execute("UPDATE users SET disabled_at = now() WHERE id = $1", person.id)
        assert (await browser.get("/account")).status_code == 303
        answer = await sign_in(browser)
        assert (answer.status_code, "is wrong" in answer.text) == (422, True)


async def test_a_browser_calls_the_api_in_one_of_its_tenants(api: Api) -> None:
    person = await ada()
    async with browser_of(api) as browser:
        assert (await browser.get("/v1/models")).status_code == 401
        await sign_in(browser)
        assert (await browser.get("/v1/models")).status_code == 403
        acme = await tenants.create("acme")
        await tenants.add_member(acme.id, person.id, Role.DEVELOPER)
        assert (await browser.get("/v1/models")).status_code == 200
        assert (await browser.post("/v1/models", json={"name": "iris"})).status_code == 201
        assert (await browser.get("/v1/clients")).status_code == 403
        foreign = {"sec-fetch-site": "cross-site"}
        refused = await browser.post("/v1/models", json={"name": "b"}, headers=foreign)
        assert refused.status_code == 403
        other = {"kubeserve-tenant": "default"}
        assert (await browser.get("/v1/models", headers=other)).status_code == 403
        await tenants.add_member((await tenants.get("default")).id, person.id, Role.VIEWER)
        asked = await browser.get("/v1/models")
        assert (asked.status_code, asked.json()["tenants"]) == (422, ["acme", "default"])
        assert (await browser.get("/v1/models", headers=other)).json()["items"] == []
        # What the browser itself opens has no header: its address may say it.
        opened = await browser.get("/v1/models", params=other)
        assert opened.json()["items"] == []
        assert (await browser.get("/v1/models", params={"kubeserve-tenant": "no"})).is_error
        asked = await browser.post("/v1/models", json={"name": "b"}, params=other)
        assert asked.status_code == 422
        new = {"json": {"name": "b"}, "headers": other}
        assert (await browser.post("/v1/models", **new)).status_code == 403
        token = {"authorization": "Bearer nonsense"}
        assert (await browser.get("/v1/models", headers=token)).status_code == 401
