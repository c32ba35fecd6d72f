"""Consent: asked for once where that is safe, shown, taken back; ended with a password."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from controlplane.accounts import repository as accounts_rows
from controlplane.accounts import service as accounts
from controlplane.accounts.passwords import HASHER, Passwords
from controlplane.accounts.tables import Session
from controlplane.oauth.tables import AuthorizationCode, DeviceCode
from controlplane.permissions import Role
from tests.integration.api import Api
from tests.integration.people import PASSWORD, Browser, person, sent
from tests.integration.test_oauth_grants import (
    CALLBACK,
    CLI,
    ada,
    application,
    authorize,
    claims,
    device,
    made,
    poll,
    redeem,
    refresh,
    works,
)

NEW = "five words of my own"
ENDPOINT = "6f1c1f0e-3f4e-4f55-9d0b-3f4c2d1b0a99"


@pytest.fixture
async def browser(api: Api) -> AsyncIterator[Browser]:
    """Give a browser that Ada, a developer of `default`, is signed in with."""
    found = await ada(api)
    yield found
    await found.http.aclose()


async def asked_about(browser: Browser, address: str) -> bool:
    """Tell whether a person is asked, or the browser goes back with a code at once."""
    answer = await browser.http.get(address)
    if answer.status_code == 200:
        assert "Allow" in answer.text
        return True
    assert "code" in sent(answer), answer.headers["location"]
    return False


async def actions(api: Api, tenant: str = "default") -> list[str]:
    return [event["action"] for event in await api.audited(tenant)]


async def test_the_same_or_less_is_not_asked_again_and_more_is(api: Api, browser: Browser) -> None:
    client = (await application(api))["id"]
    assert await asked_about(browser, authorize(client))
    back = await browser.allow(authorize(client, scope="models:read predict openid"))
    assert (await redeem(api, client, back["code"])).status_code == 200
    for scope in ("models:read predict", "predict", "openid models:read", "models:read"):
        assert not await asked_about(browser, authorize(client, scope=scope)), scope
    assert not await asked_about(browser, authorize(client, prompt="none", scope="predict"))
    assert await asked_about(browser, authorize(client, scope="models:read models:write"))
    for prompt in ("consent", "select_account", "consent select_account"):
        assert await asked_about(browser, authorize(client, prompt=prompt, scope="predict"))
    await browser.allow(authorize(client, scope="models:write"))
    assert not await asked_about(browser, authorize(client, scope="models:read models:write"))
    given = [event for event in await api.audited("default") if event["action"] == "consent.give"]
    assert [event["detail"]["scopes"] for event in given] == [
        ["models:read", "predict", "openid"],
        ["models:write"],
    ]
    assert {event["target"] for event in given} == {f"client:{client}"}


async def test_a_code_without_a_question_is_as_good_as_one_with(api: Api, browser: Browser) -> None:
    client = (await application(api))["id"]
    await browser.allow(authorize(client, scope="openid predict"))
    back = sent(await browser.http.get(authorize(client, scope="openid", nonce="n-2")))
    body = (await redeem(api, client, back["code"])).json()
    # It tells when the person signed in, not when the client asked.
    told, events = claims(body["id_token"]), await api.audited("default")
    started = next(event["at"] for event in events if event["action"] == "session.start")
    assert abs(told["auth_time"] - started.timestamp()) <= 1
    assert told["nonce"] == "n-2"


async def test_consent_is_for_one_person_client_and_tenant(api: Api, browser: Browser) -> None:
    client, other = (await application(api))["id"], (await application(api))["id"]
    await browser.allow(authorize(client))
    assert await asked_about(browser, authorize(other))
    await person("eve@example.com", default=Role.OWNER)
    eve = Browser(api)
    await eve.sign_in("eve@example.com")
    assert await asked_about(eve, authorize(client))


async def test_who_is_in_several_tenants_goes_on_in_the_one_they_chose(api: Api) -> None:
    client = (await application(api))["id"]
    browser = await ada(api, default=Role.DEVELOPER, rival=Role.DEVELOPER)
    await browser.allow(authorize(client), tenant="rival")
    back = sent(await browser.http.get(authorize(client)))
    body = (await redeem(api, client, back["code"])).json()
    assert claims(body["access_token"])["tenant"] == "rival"
    assert "consent.give" in await actions(api, "rival")
    assert "consent.give" not in await actions(api)
    # Since both are allowed, which one is a question again.
    await browser.allow(authorize(client, prompt="select_account"), tenant="default")
    assert await asked_about(browser, authorize(client))
    none = sent(await browser.http.get(authorize(client, prompt="none")))
    assert none["error"] == "consent_required"


async def test_consent_for_one_endpoint_is_not_consent_for_all(
    api: Api, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def exists(*_: object) -> bool:
        return True

    monkeypatch.setattr(api.app.state.oauth, "_endpoint_exists", exists)
    resource = f"{api.app.state.oauth.issuer}/endpoints/{ENDPOINT}"
    one, all_of_it = (await application(api))["id"], (await application(api))["id"]
    await browser.allow(authorize(one, scope="predict", resource=resource))
    assert not await asked_about(browser, authorize(one, scope="predict", resource=resource))
    assert await asked_about(browser, authorize(one, scope="predict"))
    other = resource[:-2] + "00"
    assert await asked_about(browser, authorize(one, scope="predict", resource=other))
    await browser.allow(authorize(all_of_it, scope="predict"))
    assert not await asked_about(browser, authorize(all_of_it, scope="predict", resource=resource))


UNSAFE = ["http://127.0.0.1/cb", "http://localhost:9/cb", "com.example.app:/cb", "https://[::1]/cb"]


@pytest.mark.parametrize("uri", UNSAFE)
async def test_where_any_program_could_answer_each_request_is_asked_about(
    api: Api, browser: Browser, uri: str
) -> None:
    client = (await made(api, redirect_uris=[uri], public=True))["id"]
    address = authorize(client, redirect_uri=uri)
    for _ in range(2):
        assert await asked_about(browser, address)
        await browser.allow(address)
    none = sent(await browser.http.get(authorize(client, redirect_uri=uri, prompt="none")))
    assert none["error"] == "consent_required"


async def test_a_client_that_shows_who_it_is_may_answer_on_loopback(
    api: Api, browser: Browser
) -> None:
    uri = "http://127.0.0.1/cb"
    client = (await made(api, redirect_uris=[uri]))["id"]
    await browser.allow(authorize(client, redirect_uri=uri))
    assert not await asked_about(browser, authorize(client, redirect_uri=uri))


async def test_who_shall_sign_in_again_does(api: Api, browser: Browser) -> None:
    client = (await application(api))["id"]
    await browser.allow(authorize(client, scope="openid"))
    answer = await browser.http.get(authorize(client, scope="openid", prompt="login"))
    assert not await asked_about(browser, await signed_in_again(browser, answer))


async def signed_in_again(browser: Browser, sent_to: httpx.Response) -> str:
    """Sign in where a browser is sent to do it; gives where it goes on."""
    page = await browser.http.get(sent_to.headers["location"])
    assert (page.status_code, "Sign in" in page.text) == (200, True)
    again = await browser.press(page, email="ada@example.com", password=PASSWORD)
    found = re.search(r'content="0; url=(/oauth2/authorize\?[^"]*)"', again.text)
    assert found, again.text
    return unescape(found[1])


async def test_who_signed_in_too_long_ago_signs_in_again(api: Api, browser: Browser) -> None:
    client = (await application(api))["id"]
    await browser.allow(authorize(client, scope="openid"))
    before = datetime.now(UTC) - timedelta(hours=1)
    await Session.all().update(created_at=before)
    assert not await asked_about(browser, authorize(client, scope="openid", max_age="3700"))
    none = await browser.http.get(authorize(client, scope="openid", max_age="3500", prompt="none"))
    assert sent(none)["error"] == "login_required"
    for age in ("3500", "0"):
        answer = await browser.http.get(authorize(client, scope="openid", max_age=age))
        there = await signed_in_again(browser, answer)
        back = sent(await browser.http.get(there))
        told = claims((await redeem(api, client, back["code"])).json()["id_token"])
        assert told["auth_time"] > before.timestamp() + 3500


async def test_who_is_not_signed_in_does_it_once(api: Api, browser: Browser) -> None:
    client = (await application(api))["id"]
    await browser.allow(authorize(client, scope="openid"))
    stranger = Browser(api)
    for asked in ({"prompt": "login"}, {"max_age": "0"}):
        stranger.http.cookies.clear()
        answer = await stranger.http.get(authorize(client, scope="openid", **asked))
        assert not await asked_about(stranger, await signed_in_again(stranger, answer))
    await stranger.http.aclose()


@pytest.mark.parametrize("words", [PASSWORD, NEW], ids=["kept in a better way", "replaced"])
async def test_a_password_is_changed_while_it_is_checked(
    words: str, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, check = await person("ada@example.com", default=Role.OWNER), Passwords.check

    async def changing(self: Passwords, password: str, kept: str | None) -> tuple[bool, bool]:
        found = await check(self, password, kept)
        monkeypatch.setattr(Passwords, "check", check)
        await accounts_rows.give_password(ada.id, HASHER.hash(words))
        return found

    monkeypatch.setattr(Passwords, "check", changing)
    form = {"email": ada.email, "password": PASSWORD}
    answer = await Browser(api).http.post("/login", data=form)
    assert answer.status_code == (303 if words == PASSWORD else 422)
    assert await Session.all().count() == (words == PASSWORD)


async def test_who_is_signed_out_while_they_allow_allows_nothing(
    api: Api, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, hold = (await application(api))["id"], accounts.hold
    await browser.allow(authorize(client, scope="predict"))
    codes = await AuthorizationCode.all().count()
    page = await browser.http.get(authorize(client, scope="models:read"))
    shown = await browser.press(
        await browser.http.get("/device"), user_code=(await device(api))["user_code"]
    )

    async def signing_out(who: accounts.SignedIn) -> None:
        await Session.all().delete()  # in their transaction: undone with it
        await hold(who)

    monkeypatch.setattr(accounts, "hold", signing_out)
    for answer in (
        await browser.press(page, decision="allow"),
        await browser.http.get(authorize(client, scope="predict")),
        await browser.press(shown, decision="allow"),
    ):
        assert (answer.status_code, "signed out meanwhile" in answer.text) == (403, True)
    assert await AuthorizationCode.all().count() == codes
    assert not await DeviceCode.filter(approved=True).exists()


async def test_a_refused_consent_is_in_the_audit_log(api: Api, browser: Browser) -> None:
    client = (await application(api))["id"]
    page = await browser.http.get(authorize(client))
    assert sent(await browser.press(page, decision="deny"))["error"] == "access_denied"
    newest = (await api.audited("default"))[-1]
    assert (newest["action"], newest["target"]) == ("consent.deny", f"client:{client}")
    assert newest["subject"].startswith("user:")
    assert await asked_about(browser, authorize(client))
    codes = await device(api)
    await browser.decide(codes["user_code"], "deny")
    assert (await api.audited("default"))[-1]["action"] == "device.deny"


async def test_applications_are_shown_at_the_account_and_ended_there(
    api: Api, browser: Browser
) -> None:
    client = (await application(api))["id"]
    await person("eve@example.com", default=Role.DEVELOPER)
    eve = Browser(api)
    await eve.sign_in("eve@example.com")
    tokens = {}
    for name, hers in (("ada", browser), ("eve", eve)):
        back = await hers.allow(authorize(client))
        tokens[name] = (await redeem(api, client, back["code"])).json()
    waiting = sent(await browser.http.get(authorize(client)))["code"]
    codes = await device(api)
    await browser.decide(codes["user_code"])
    cli = (await poll(api, codes)).json()
    page = (await browser.http.get("/account")).text
    assert "KubeServe command line" in page
    assert "Ask endpoints for predictions" in page
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', page)
    assert found
    form = {"do": "end-application", "client": client, "tenant": "default"}
    assert (await browser.http.post("/account", data=form)).status_code == 403
    form["form_token"] = found[1]
    for wrong in ({"tenant": "rival"}, {"client": "ks-0000000000000000"}):
        assert (await browser.http.post("/account", data=form | wrong)).status_code == 404
    done = await browser.http.post("/account", data=form)
    assert done.headers["location"] == "/account?done=end-application"
    assert not await works(api, tokens["ada"]["access_token"])
    ended = await refresh(api, client, tokens["ada"]["refresh_token"])
    assert ended.json()["error"] == "invalid_grant"
    assert (await redeem(api, client, waiting)).json()["error"] == "invalid_grant"
    assert (await refresh(api, client, tokens["eve"]["refresh_token"])).status_code == 200
    assert await works(api, cli["access_token"])
    assert await asked_about(browser, authorize(client))
    newest = [event for event in await api.audited("default") if "consent" in event["action"]][-1]
    assert (newest["action"], newest["detail"]) == ("consent.revoke", {"grants": 1})
    assert (await browser.http.post("/account", data=form)).status_code == 404


async def test_a_revoked_application_is_forgotten(api: Api, browser: Browser) -> None:
    client = (await application(api))["id"]
    await browser.allow(authorize(client))
    assert (await api.http.delete(f"/v1/clients/{client}")).status_code == 204
    assert "Applications that act" not in (await browser.http.get("/account")).text


async def change(api: Api, browser: Browser, how: str) -> None:
    """Give Ada another password, by herself or by a link."""
    if how == "by herself":
        page = (await browser.http.get("/account")).text
        found = re.search(r'name="form_token" value="([0-9a-f]{64})"', page)
        assert found
        form = {"do": "password", "form_token": found[1], "current": PASSWORD, "new": NEW}
        answer = await browser.http.post("/account", data=form)
    else:
        link = (await api.http.post("/v1/people/ada@example.com/password-link")).json()["link"]
        secret = parse_qs(urlsplit(link).query)["secret"][0]
        form = {"secret": secret, "password": NEW}
        answer = await Browser(api).http.post("/account/password", data=form)
    assert answer.status_code == 303, answer.text


@pytest.mark.parametrize("how", ["by herself", "by a link"])
async def test_another_password_ends_all_that_was_begun_with_the_old_one(
    api: Api, browser: Browser, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    async def exists(*_: object) -> bool:
        return True

    monkeypatch.setattr(api.app.state.oauth, "_endpoint_exists", exists)
    elsewhere = Browser(api)
    await elsewhere.sign_in("ada@example.com")
    client = (await application(api))["id"]
    back = await browser.allow(authorize(client))
    app = (await redeem(api, client, back["code"])).json()
    audience = f"{api.app.state.oauth.issuer}/endpoints/{ENDPOINT}"
    narrow = {"scope": "predict", "resource": audience}
    endpoint = (await refresh(api, client, app["refresh_token"], **narrow)).json()
    codes, waits = await device(api), await device(api)
    await browser.decide(codes["user_code"])
    cli = (await poll(api, codes)).json()
    waiting = sent(await browser.http.get(authorize(client)))["code"]
    await browser.decide(waits["user_code"])
    assert await works(api, app["access_token"])
    assert await works(api, cli["access_token"])
    await change(api, browser, how)
    for body, whose in ((app, client), (endpoint, client), (cli, CLI)):
        refused = await refresh(api, whose, body["refresh_token"])
        assert refused.json()["error"] == "invalid_grant"
    assert not await works(api, app["access_token"])
    assert not await works(api, cli["access_token"])
    # What the runtimes are told.
    revoked = await revoked_jtis(api)
    assert {claims(one["access_token"])["jti"] for one in (app, endpoint, cli)} <= revoked
    assert (await redeem(api, client, waiting)).json()["error"] == "invalid_grant"
    assert (await poll(api, waits)).json()["error"] == "expired_token"
    assert await AuthorizationCode.filter(grant_id=None).count() == 1
    assert (await elsewhere.http.get("/account")).status_code == 303
    here = await browser.http.get("/account")
    assert here.status_code == (200 if how == "by herself" else 303)
    event = next(e for e in await api.audited("default") if e["action"] == "account.password")
    assert event["detail"] == {
        "by": "password" if how == "by herself" else "link",
        "sessions": 2,
        "grants": 2,
    }


async def revoked_jtis(api: Api) -> set[str]:
    return set(json.loads(api.engine.keys_of["default"])["revoked"]["jtis"])


async def test_who_is_disabled_and_let_in_again_begins_anew(api: Api, browser: Browser) -> None:
    client = (await application(api))["id"]
    back = await browser.allow(authorize(client))
    body = (await redeem(api, client, back["code"])).json()
    for disabled in (True, False):
        path = "/v1/people/ada@example.com"
        assert (await api.http.patch(path, json={"disabled": disabled})).status_code == 200
    assert (await refresh(api, client, body["refresh_token"])).json()["error"] == "invalid_grant"


def test_the_callback_of_these_tests_is_one_that_is_remembered() -> None:
    from controlplane.oauth import redirects

    assert redirects.is_claimed(CALLBACK)
    for uri in (*UNSAFE, "https://a.localhost/cb", "https://127.9.9.9/cb", "http://app.example/"):
        assert not redirects.is_claimed(uri), uri
