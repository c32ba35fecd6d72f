"""Signing in at one KubeServe with another as its OpenID provider: two real servers over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from controlplane.accounts import repository
from controlplane.accounts import service as accounts
from controlplane.permissions import Role
from loadtests.benchmarks.installation import free_port, installation
from tests.fuzz.principals import Platform, pressed
from tests.integration.api import Api, running_api
from tests.integration.people import person

EMAIL = "owner@example.com"


@pytest.fixture(scope="module")
def provider() -> Iterator[Platform]:
    """Give the one that people sign in with, as its administrator."""
    with installation() as (client, home):
        kept = json.loads((home / "credentials.json").read_text())
        with closing(Platform(client.url, kept["client_id"], kept["client_secret"])) as found:
            yield found


@dataclass
class Relying:
    """The one that people sign in at. Another name of the same machine: cookies know no ports."""

    api: Api
    url: str

    @property
    def callback(self) -> str:
        return f"{self.url}/login/external/callback"


async def administered(provider: Platform, what: str, body: dict[str, object]) -> Any:
    headers = await asyncio.to_thread(lambda: provider.administrator)
    async with httpx.AsyncClient(headers=headers) as http:
        answer = await http.post(f"{provider.url}/v1/{what}", json=body)
    return answer.raise_for_status().json()


@pytest.fixture
async def relying(
    postgres_server: str, tmp_path: Path, provider: Platform
) -> AsyncIterator[Relying]:
    port = free_port()
    url = f"http://localhost:{port}"
    asked = {"name": "The other one", "redirect_uris": [f"{url}/login/external/callback"]}
    client = await administered(provider, "clients", asked)
    async with (
        running_api(
            postgres_server,
            tmp_path,
            listen=f"127.0.0.1:{port}",
            issuer=url,
            oidc_issuer=provider.url,
            oidc_client_id=client["id"],
            oidc_client_secret=SecretStr(client["secret"]),
            oidc_name="The first one",
        ) as api,
        api.on_a_socket(port),
    ):
        yield Relying(api, url)


@pytest.fixture
async def browser(provider: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """Give the browser of somebody who is signed in at the provider."""
    known = provider.person(Role.OWNER)
    async with httpx.AsyncClient(
        cookies=known.cookies, headers={"sec-fetch-site": "same-origin"}
    ) as found:
        yield found


async def sent_back(
    browser: httpx.AsyncClient, provider: Platform, relying: Relying, decision: str = "allow"
) -> str:
    """Leave for the provider and decide there; gives where the browser is sent back to."""
    left = await browser.get(f"{relying.url}/login/external", params={"next": "/account"})
    assert left.status_code == 303, left.text
    there = left.headers["location"]
    assert there.startswith(f"{provider.url}/oauth2/authorize?")
    decided = await browser.get(there)
    if decided.status_code == 200:  # what was allowed once is not asked again
        action, fields = pressed(decided, decision=decision)
        decided = await browser.post(f"{provider.url}{action}", data=fields)
    assert decided.status_code == 303, decided.text
    back = str(decided.headers["location"])
    assert back.startswith(f"{relying.callback}?")
    assert parse_qs(urlsplit(back).query)["iss"] == [provider.url]
    return back


async def test_who_is_known_by_the_providers_name_signs_in(
    browser: httpx.AsyncClient, provider: Platform, relying: Relying
) -> None:
    known = await person(EMAIL, default=Role.DEVELOPER)
    subject = str((await browser.get(f"{provider.url}/v1/me")).json()["subject"])
    # A KubeServe sends no mail, so it says of no address that it is verified.
    refused = await browser.get(await sent_back(browser, provider, relying))
    assert (refused.status_code, "not verified" in refused.text) == (403, True)
    assert (await browser.get(f"{relying.url}/v1/me")).status_code == 401
    await repository.link(known.id, provider.url, subject)
    back = await sent_back(browser, provider, relying)
    done = await browser.get(back)
    assert (done.status_code, done.headers["location"]) == (303, "/account"), done.text
    me = (await browser.get(f"{relying.url}/v1/me")).json()
    assert (me["email"], me["role"], me["subject"]) == (EMAIL, "developer", known.subject)
    assert (await browser.get(back)).status_code == 403, "an answer is good once"
    events = [event["action"] for event in await relying.api.audited("default")]
    assert events.count("session.start") == 1


async def test_a_new_signing_key_of_the_provider_is_taken(
    browser: httpx.AsyncClient, provider: Platform, relying: Relying
) -> None:
    known = await person(EMAIL, default=Role.VIEWER)
    subject = str((await browser.get(f"{provider.url}/v1/me")).json()["subject"])
    await repository.link(known.id, provider.url, subject)
    for _ in range(2):
        done = await browser.get(await sent_back(browser, provider, relying))
        assert done.status_code == 303, done.text
        await administered(provider, "admin/keys/rotate", {"now": True})


async def test_who_says_no_there_is_not_signed_in_here(
    browser: httpx.AsyncClient, provider: Platform, relying: Relying
) -> None:
    denied = await browser.get(await sent_back(browser, provider, relying, "deny"))
    assert (denied.status_code, "access_denied" in denied.text) == (403, True)
    assert await accounts.by_email(EMAIL) is None
