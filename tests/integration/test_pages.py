"""Signing in and out over HTTP: cookies, forms of other sites, and where one is sent next."""

import re
from typing import Any

import httpx
import pytest

from controlplane.accounts import service as accounts
from controlplane.accounts.passwords import Passwords
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
