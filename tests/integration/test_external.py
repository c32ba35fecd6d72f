"""Signing in with an external OpenID provider: the real Hydra."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from controlplane.accounts import service as accounts
from controlplane.accounts.passwords import Passwords
from tests.integration import hydra_server
from tests.integration.api import Api, running_api
from tests.integration.hydra_server import Hydra
from tests.integration.test_members import invited, join, secret_of
from tests.integration.test_pages import PASSWORD, browser_of, sign_in, token_of

HOME = "http://127.0.0.1:8080"
ADA = {"email": "Ada@example.com", "email_verified": True, "name": "Ada L."}


@pytest.fixture(scope="module")
def hydra(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hydra]:
    """Give the provider."""
    if hydra_server.program() is None:
        pytest.skip("no Hydra: install it as `hydra`, or Go (1.24 or newer) to build it with")
    name = f"hydra{uuid.uuid4().hex[:8]}"
    asyncio.run(_make_database(postgres_server, name))
    sockets = parse_qs(urlsplit(postgres_server).query)["host"][0]
    database = f"postgres://postgres@/{name}?{urlencode({'host': sockets, 'sslmode': 'disable'})}"
    with hydra_server.running(tmp_path_factory.mktemp("hydra"), database) as running:
        yield running


async def _make_database(server: str, name: str) -> None:
    connection = await asyncpg.connect(server)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()


@pytest.fixture
async def api(postgres_server: str, tmp_path: Path, hydra: Hydra) -> AsyncIterator[Api]:
    """Give an application that is registered with Hydra."""
    client, secret = hydra.register(f"{HOME}/login/external/callback")
    async with running_api(
        postgres_server,
        tmp_path,
        oidc_issuer=hydra.issuer,
        oidc_client_id=client,
        oidc_client_secret=SecretStr(secret),
        oidc_name="Hydra",
    ) as running:
        yield running


async def come_back(
    browser: httpx.AsyncClient, hydra: Hydra, subject: str, claims: dict[str, Any], **query: str
) -> httpx.Response:
    """Leave for Hydra, sign in there, and come back."""
    left = await browser.get("/login/external", params=query)
    assert left.status_code == 303, left.text
    back = await asyncio.to_thread(hydra.sign_in, left.headers["location"], subject, claims)
    assert back.startswith(f"{HOME}/login/external/callback?"), back
    return await browser.get(back)


async def test_who_is_invited_signs_in_elsewhere_and_joins(api: Api, hydra: Hydra) -> None:
    made = (await invited(api.http, "ada@example.com", "owner")).json()
    async with browser_of(api) as browser:
        page = await browser.get(made["link"])
        assert "/login?next=" in page.text
        assert "Sign in with Hydra" in (await browser.get("/login")).text
        there = f"/invitations/accept?secret={secret_of(made['link'])}"
        answer = await come_back(browser, hydra, "ada-1", ADA, next=there)
        assert (answer.status_code, answer.headers["location"]) == (303, there)
        fields = {
            "secret": secret_of(made["link"]),
            "form_token": token_of(await browser.get(there)),
        }
        assert (await browser.post("/invitations/accept", data=fields)).status_code == 303
        me = (await browser.get("/v1/me")).json()
        assert (me["email"], me["name"], me["role"]) == ("ada@example.com", "Ada L.", "owner")
        account = (await browser.get("/account")).text
        assert hydra.issuer in account
        assert "Current password" not in account
    # Known by what the provider calls her, whatever her address there is now.
    async with browser_of(api) as later:
        changed = {**ADA, "email": "new@example.com"}
        assert (await come_back(later, hydra, "ada-1", changed)).status_code == 303
        assert (await later.get("/v1/me")).json()["email"] == "ada@example.com"
    links = [e for e in await api.audited("default") if e["action"] == "account.link"]
    assert [link["detail"] for link in links] == [{"issuer": hydra.issuer}]


async def test_an_account_with_a_password_is_linked_by_its_verified_address(
    api: Api, hydra: Hydra
) -> None:
    person = await accounts.create("ada@example.com", "Ada", await Passwords().hash(PASSWORD))
    async with browser_of(api) as browser:
        unverified = {**ADA, "email_verified": False}
        refused = await come_back(browser, hydra, "ada-2", unverified)
        assert (refused.status_code, "not verified" in refused.text) == (403, True)
        assert (await browser.get("/account")).status_code == 303
        assert (await come_back(browser, hydra, "ada-2", ADA)).status_code == 303
        assert (await browser.get("/v1/me")).json()["subject"] == person.subject
        await api.execute("UPDATE users SET disabled_at = now()")
        refused = await come_back(browser, hydra, "ada-2", ADA)
        assert (refused.status_code, "may not sign in" in refused.text) == (403, True)


async def test_who_took_an_address_that_is_not_theirs_keeps_nothing_of_the_account(
    api: Api, hydra: Hydra
) -> None:
    """An open link lets anybody type any address in; the provider knows whose it is."""
    open_link = (await invited(api.http, None, "viewer")).json()["link"]
    async with browser_of(api) as eve, browser_of(api) as ada, browser_of(api) as later:
        assert (await join(eve, open_link, email="ada@example.com")).status_code == 303
        key = (await eve.post("/v1/keys", json={"name": "kept"})).json()
        assert (await come_back(ada, hydra, "ada-4", ADA)).status_code == 303
        assert (await ada.get("/v1/me")).json()["email"] == "ada@example.com"
        assert (await eve.get("/v1/me")).status_code == 401
        assert (await sign_in(eve)).status_code == 422
        grant = {"grant_type": "client_credentials"}
        headers = {"authorization": ""}
        exchanged = await api.http.post(
            "/oauth2/token", data=grant, auth=(key["id"], key["key"]), headers=headers
        )
        assert exchanged.status_code == 401
        # Once it is proved hers, what she has begun stays.
        mine = await ada.post("/v1/keys", json={"name": "mine"})
        assert (await come_back(later, hydra, "ada-4", ADA)).status_code == 303
        assert [one["id"] for one in (await later.get("/v1/keys")).json()["items"]] == [
            mine.json()["id"]
        ]
        assert (await ada.get("/v1/me")).status_code == 200
    [told] = [e for e in await api.audited("default") if e["action"] == "account.hand-over"]
    assert told["detail"] == {"sessions": 1, "grants": 0, "keys": 1}


async def test_who_is_not_invited_gets_no_account(api: Api, hydra: Hydra) -> None:
    async with browser_of(api) as browser:
        refused = await come_back(browser, hydra, "eve", {**ADA, "email": "eve@example.com"})
        assert refused.status_code == 403
        assert "Nobody has invited eve@example.com" in refused.text
        left = await browser.get("/login/external", params={"again": "true"})
        assert "prompt=login" in left.headers["location"]
        back = await asyncio.to_thread(hydra.refuse, left.headers["location"])
        denied = await browser.get(back)
        assert (denied.status_code, "access_denied" in denied.text) == (403, True)
    assert await accounts.by_email("eve@example.com") is None
    [kept] = [e for e in await api.audited("default") if e["action"] == "session.deny"]
    assert (kept["target"], kept["detail"]["by"]) == ("user:unknown", hydra.issuer)
    assert "Nobody has invited" in kept["detail"]["why"]


async def test_an_answer_is_good_once_and_in_the_browser_that_asked(api: Api, hydra: Hydra) -> None:
    await accounts.create("ada@example.com", "Ada", None)
    async with browser_of(api) as hers, browser_of(api) as other:
        left = await hers.get("/login/external")
        back = await asyncio.to_thread(hydra.sign_in, left.headers["location"], "ada-3", ADA)
        # What an attacker would have her browser open: an answer to the attacker's question.
        assert (await other.get(back)).status_code == 403
        await other.get("/login/external")
        assert (await other.get(back)).status_code == 403
        foreign = f"{back}&iss=https://evil.example"
        assert (await hers.get(foreign)).status_code == 403
        cookie = hers.cookies["kubeserve-external"]
        assert (await hers.get(back)).status_code == 303
        hers.cookies.set("kubeserve-external", cookie)
        again = await hers.get(back)
        assert (again.status_code, "invalid_grant" in again.text) == (403, True)
