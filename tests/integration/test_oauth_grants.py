"""Codes, devices and refresh tokens: once each, for their own client, as long as allowed."""

import asyncio
import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from controlplane.accounts import service as accounts
from controlplane.oauth import exchange, redirects, repository
from controlplane.oauth.server import DEVICE_CODE
from controlplane.permissions import Role
from controlplane.tenants import service as tenants
from controlplane.tenants.tables import Member
from tests.integration.api import Api
from tests.integration.people import Browser, person, sent

CALLBACK = "https://app.example/callback"
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
CLI = "kubeserve-cli"


async def made(api: Api, **wanted: Any) -> dict[str, Any]:
    answer = await api.http.post("/v1/clients", json={"name": "app", **wanted})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def application(api: Api, **wanted: Any) -> dict[str, Any]:
    return await made(api, redirect_uris=[CALLBACK], public=True, **wanted)


async def ada(api: Api, **roles: Role) -> Browser:
    await person("ada@example.com", **(roles or {"default": Role.DEVELOPER}))
    browser = Browser(api)
    await browser.sign_in("ada@example.com")
    return browser


def authorize(client: str, **changed: str | None) -> str:
    asked: dict[str, str | None] = {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": CALLBACK,
        "scope": "models:read predict",
        "state": "s-1",
        "code_challenge": CHALLENGE.decode(),
        "code_challenge_method": "S256",
        **changed,
    }
    kept = {name: value for name, value in asked.items() if value is not None}
    return f"/oauth2/authorize?{urlencode(kept)}"


async def token(api: Api, **form: str) -> httpx.Response:
    return await api.http.post("/oauth2/token", data=form, headers={"authorization": ""})


async def redeem(api: Api, client: str, given: str, **changed: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "client_id": client,
        "code": given,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    return await token(api, **(form | changed))


async def refresh(api: Api, client: str, text: str, **more: str) -> httpx.Response:
    return await token(
        api, grant_type="refresh_token", client_id=client, refresh_token=text, **more
    )


async def signed_in(api: Api, client: str | None = None) -> tuple[str, dict[str, Any]]:
    """Give a client and what it got for a code of a person's."""
    client = client or (await application(api))["id"]
    browser = await ada(api)
    back = await browser.allow(authorize(client))
    answer = await redeem(api, client, back["code"])
    assert answer.status_code == 200, answer.text
    return client, answer.json()


async def works(api: Api, text: str) -> bool:
    headers = {"authorization": f"Bearer {text}"}
    return (await api.http.get("/v1/models", headers=headers)).status_code == 200


def claims(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text.split(".")[1] + "=="))
    return found


def revoked(api: Api, tenant: str = "default") -> dict[str, Any]:
    """Give what a tenant's runtimes are told was revoked."""
    told = json.loads(api.engine.keys_of.get(tenant, api.engine.keys[-1]))
    return dict(told["revoked"])


async def audited(tenant: str = "default") -> list[str]:
    from controlplane.audit.tables import AuditEvent

    return [row.action for row in await AuditEvent.filter(tenant=tenant).order_by("id")]


async def test_a_persons_token_has_what_was_asked_granted_and_still_is_theirs(api: Api) -> None:
    client = (await application(api))["id"]
    browser = await ada(api, default=Role.VIEWER)
    back = await browser.allow(authorize(client, scope="models:read models:write predict"))
    assert (back["state"], back["iss"]) == ("s-1", str(api.http.base_url).rstrip("/"))
    body = (await redeem(api, client, back["code"])).json()
    said = claims(body["access_token"])
    assert body["scope"] == said["scope"] == "models:read"
    assert said["sub"].startswith("user:")
    assert (said["tenant"], said["client_id"]) == ("default", client)
    assert "grant.create" in await audited()


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": "w" * 50},
        {"code_verifier": ""},
        {"code_verifier": CHALLENGE.decode()},
        {"redirect_uri": CALLBACK + "/"},
        {"redirect_uri": ""},
        {"code": "no such code"},
        {"client_id": CLI},
    ],
    ids=[
        "verifier",
        "no verifier",
        "the challenge",
        "other redirect",
        "no redirect",
        "code",
        "client",
    ],
)
async def test_a_code_is_of_no_use_without_all_that_belongs_to_it(
    api: Api, changed: dict[str, str]
) -> None:
    client = (await application(api))["id"]
    back = await (await ada(api)).allow(authorize(client))
    refused = await redeem(api, client, back["code"], **changed)
    assert refused.status_code in (400, 401), refused.text
    assert refused.json()["error"] in ("invalid_grant", "invalid_request", "unauthorized_client")
    assert "access_token" not in refused.text


async def test_a_code_of_another_client_is_refused_and_stays_good(api: Api) -> None:
    client, other = (await application(api))["id"], (await application(api))["id"]
    back = await (await ada(api)).allow(authorize(client))
    assert (await redeem(api, other, back["code"])).json()["error"] == "invalid_grant"
    assert (await redeem(api, client, back["code"])).status_code == 200


async def test_a_code_that_comes_again_ends_what_it_gave(api: Api) -> None:
    client = (await application(api))["id"]
    back = await (await ada(api)).allow(authorize(client))
    body = (await redeem(api, client, back["code"])).json()
    assert await works(api, body["access_token"])
    assert (await redeem(api, client, back["code"])).json()["error"] == "invalid_grant"
    assert not await works(api, body["access_token"])
    assert (await refresh(api, client, body["refresh_token"])).json()["error"] == "invalid_grant"
    await api.app.state.publish_keys()
    assert claims(body["access_token"])["jti"] in revoked(api)["jtis"]
    assert "grant.end" in await audited()


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": 'c"\u00e4'}, "unsupported_response_type"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
        ({"prompt": "none"}, "consent_required"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
    ],
)
async def test_a_clients_mistake_goes_back_to_it_with_state_and_issuer(
    api: Api, changed: dict[str, str | None], error: str
) -> None:
    client = (await application(api))["id"]
    browser = await ada(api)
    answer = await browser.http.get(authorize(client, **changed))
    assert answer.headers["location"].startswith(CALLBACK + "?")
    back = sent(answer)
    assert (back["error"], back["state"]) == (error, "s-1")
    assert back["iss"] == str(api.http.base_url).rstrip("/")
    assert "code" not in back


def near_misses() -> list[str]:
    """Give addresses that are nearly the one registered, and lead elsewhere."""
    host, path = "app.example", "/callback"
    places = [
        *(
            f"https://{host}{path}{end}"
            for end in ("/", "?", "?a=1", "#", "#a", "%2f", "x", ";", ".")
        ),
        *(
            f"https://{host}{path}{end}"
            for end in (" ", "\t", "\r\n", "\0", "%00", "\\", "/..", "/.")
        ),
        *(
            f"https://{host}/{there}"
            for there in ("Callback", "CALLBACK", "callbac", "callback%20")
        ),
        *(
            f"https://{host}{there}"
            for there in ("", "/", "//callback", "/x/../callback", "/./callback")
        ),
        *(f"https://{host}{there}" for there in ("/%63allback", "/callback/../x", "\\callback")),
        *(f"{scheme}://{host}{path}" for scheme in ("http", "HTTPS", "Https", "ftp", "javascript")),
        *(f"{scheme}:{host}{path}" for scheme in ("https", "data", "javascript", "file")),
        *(
            f"https://{before}{host}{path}"
            for before in ("a@", "a:b@", "evil.example@", "a.", "www.")
        ),
        *(
            f"https://{host}{after}{path}"
            for after in (".", ":443", ":80", ":8443", ".evil.example")
        ),
        *(
            f"https://{host}{after}{path}"
            for after in ("@evil.example", "%40evil.example", "\\@e.co")
        ),
        *(
            f"https://{host}{after}{path}"
            for after in ("%2eevil.example", "%00.evil.example", "\u3002co")
        ),
        *(
            f"https://{there}{path}"
            for there in ("APP.example", "app.Example", "app.exampl", "xapp.example")
        ),
        *(
            f"https://{there}{path}"
            for there in ("evil.example", "app-example", "app.example.co", "*")
        ),
        *(
            f"https://evil.example/{there}"
            for there in (CALLBACK, f"?u={CALLBACK}", f"#{CALLBACK}")
        ),
        *(
            f"{before}{CALLBACK}"
            for before in (" ", "\n", "//", "x", "https://evil.example/", "\ufeff")
        ),
        *(
            "//app.example/callback",
            "/callback",
            "callback",
            "",
            "null",
            "undefined",
            "*",
            "https://",
        ),
        *(
            f"http://127.0.0.1{there}"
            for there in (":80/callback", "/", "/callback", ":9/callback")
        ),
    ]
    letters = [CALLBACK[:at] + chr(ord(CALLBACK[at]) ^ 1) + CALLBACK[at + 1 :] for at in range(28)]
    dropped = [CALLBACK[:at] + CALLBACK[at + 1 :] for at in range(28)]
    doubled = [CALLBACK[:at] + CALLBACK[at] + CALLBACK[at:] for at in range(28)]
    encoded = [f"{CALLBACK[:at]}%{ord(CALLBACK[at]):02x}{CALLBACK[at + 1:]}" for at in range(28)]
    return sorted({*places, *letters, *dropped, *doubled, *encoded} - {CALLBACK})


async def test_no_near_miss_of_a_redirect_uri_is_gone_to_not_even_with_an_error(api: Api) -> None:
    client = (await application(api))["id"]
    browser = await ada(api)
    tried = near_misses()
    assert len(tried) >= 180
    for uri in tried:
        for more in ({}, {"scope": "nonsense"}, {"response_type": "token"}):
            answer = await browser.http.get(authorize(client, redirect_uri=uri, **more))
            assert answer.status_code in (400, 404), (uri, answer.text)
            assert "location" not in answer.headers


def test_loopback_ports_are_free_and_nothing_else_is() -> None:
    registered = ["http://127.0.0.1/cb", "http://[::1]:1/cb"]
    for good in ("http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb", "http://[::1]/cb"):
        assert redirects.matches(good, registered), good
    for bad in (
        *("http://127.0.0.1:0/cb", "http://127.0.0.1:65536/cb", "http://127.0.0.1:80@e.co/cb"),
        *(
            "http://127.0.0.2:1/cb",
            "http://localhost:1/cb",
            "http://127.0.0.1:1/cb/",
            "http://127.1/cb",
        ),
        *("https://127.0.0.1:1/cb", "http://127.0.0.1:1/cb?x", "http://127.0.0.1:1/cb#x"),
        *("http://127.0.0.1:/cb", "http://127.0.0.1:1", "http://127.0.0.1.evil.example:1/cb"),
    ):
        assert not redirects.matches(bad, registered), bad


@pytest.mark.parametrize(
    "uri",
    [
        *(
            "http://app.example/cb",
            "https://app.example/cb#x",
            "https://*.example/cb",
            "https:///cb",
        ),
        *("https://a@app.example/cb", "javascript:alert(1)", "app:/cb", "https://app.example/\\cb"),
        *("", "https://app.example/c b", "https://\u00e4.example/", "data:text/html,x"),
        *("http://127.0.0.1.evil.example/", "http://localhost.evil.example/"),
    ],
)
async def test_what_cannot_be_a_redirect_uri_is_not_registered(api: Api, uri: str) -> None:
    wanted = {"name": "app", "redirect_uris": [uri], "public": True}
    answer = await api.http.post("/v1/clients", json=wanted)
    assert answer.status_code == 422, answer.text
    assert "redirect URI" in answer.json()["detail"]


async def test_a_person_of_several_tenants_chooses_one_and_no_other(api: Api) -> None:
    client = (await application(api))["id"]
    browser = await ada(api, acme=Role.DEVELOPER, rival=Role.VIEWER)
    await tenants.create("foreign")
    page = await browser.http.get(authorize(client))
    assert "<option>acme</option><option>rival</option>" in page.text
    refused = await browser.press(page, decision="allow", tenant="foreign")
    assert refused.status_code == 422
    back = sent(await browser.press(page, decision="allow", tenant="rival"))
    body = (await redeem(api, client, back["code"])).json()
    assert claims(body["access_token"])["tenant"] == "rival"
    denied = sent(await browser.press(page, decision="deny", tenant="rival"))
    assert denied["error"] == "access_denied"


async def test_a_page_decides_on_what_it_showed_and_for_whom(api: Api) -> None:
    client = (await application(api))["id"]
    browser = await ada(api)
    page = await browser.http.get(authorize(client))
    assert "form-action 'self' https://app.example;" in page.headers["content-security-policy"]
    changed = authorize(client, scope="admin").partition("?")[2]
    assert (await browser.press(page, decision="allow", request=changed)).status_code == 400
    await person("eve@example.com", default=Role.OWNER)
    eve = Browser(api)
    await eve.sign_in("eve@example.com")
    assert (await eve.press(page, decision="allow")).status_code == 403
    crossed = await browser.http.post(
        "/oauth2/authorize", data={}, headers={"sec-fetch-site": "cross-site"}
    )
    assert crossed.status_code == 403


async def test_nobody_signed_in_is_sent_to_sign_in_or_back_if_nobody_may_be_asked(api: Api) -> None:
    client = (await application(api))["id"]
    browser = Browser(api)
    there = (await browser.http.get(authorize(client))).headers["location"]
    assert there.startswith("/login?next=%2Foauth2%2Fauthorize%3F")
    assert (
        sent(await browser.http.get(authorize(client, prompt="none")))["error"] == "login_required"
    )


async def test_refresh_tokens_are_used_once_with_ten_seconds_of_grace(api: Api) -> None:
    client, body = await signed_in(api)
    first = body["refresh_token"]
    second = (await refresh(api, client, first)).json()["refresh_token"]
    again = await refresh(api, client, first)
    assert again.json()["refresh_token"] == second != first
    third = (await refresh(api, client, second)).json()["refresh_token"]
    await exchange_used(first, ago=exchange.GRACE + timedelta(seconds=1))
    reused = await refresh(api, client, first)
    assert (reused.status_code, reused.json()["error"]) == (400, "invalid_grant")
    for dead in (second, third):
        assert (await refresh(api, client, dead)).json()["error"] == "invalid_grant"
    assert not await works(api, body["access_token"])


async def exchange_used(text: str, *, ago: timedelta) -> None:
    """Have a refresh token been used a while ago."""
    from controlplane.oauth.tables import RefreshToken

    digest = hashlib.sha256(text.encode()).hexdigest()
    await RefreshToken.filter(token_sha256=digest).update(used_at=datetime.now(UTC) - ago)


async def test_a_refresh_token_of_another_client_is_refused(api: Api) -> None:
    client, body = await signed_in(api)
    other = (await application(api))["id"]
    assert (await refresh(api, other, body["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await refresh(api, client, body["refresh_token"])).status_code == 200


@pytest.mark.parametrize("column", ["refresh", "grant"])
async def test_a_sign_in_ends_when_idle_and_when_old(api: Api, column: str) -> None:
    from controlplane.oauth.tables import Grant, RefreshToken

    client, body = await signed_in(api)
    table = RefreshToken if column == "refresh" else Grant
    row = await table.first()
    assert row is not None
    life = exchange.IDLE if column == "refresh" else exchange.LIFE
    assert abs(row.expires_at - datetime.now(UTC) - life) < timedelta(minutes=5)
    await table.all().update(expires_at=datetime.now(UTC))
    assert (await refresh(api, client, body["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_refresh_may_narrow_scopes_and_never_widen_them(api: Api) -> None:
    client, body = await signed_in(api)
    wider = await refresh(api, client, body["refresh_token"], scope="models:read admin")
    assert wider.json()["error"] == "invalid_scope"
    same = await refresh(api, client, body["refresh_token"], scope="models:read")
    assert same.json()["scope"] == "models:read"


async def test_who_was_removed_or_disabled_gets_nothing_more(api: Api) -> None:
    client, body = await signed_in(api)
    user = (await accounts.by_email("ada@example.com")).id  # type: ignore[union-attr]
    await Member.filter(user_id=user).delete()
    assert not await works(api, body["access_token"])
    assert (await refresh(api, client, body["refresh_token"])).json()["error"] == "invalid_grant"
    await accounts.note_fewer_rights(user, "default", datetime.now(UTC))
    await api.app.state.publish_keys()
    assert f"user:{user}" in revoked(api)["subjects"]


async def test_a_revoked_client_takes_its_peoples_tokens_along(api: Api) -> None:
    client, body = await signed_in(api)
    assert (await api.http.delete(f"/v1/clients/{client}")).status_code == 204
    assert not await works(api, body["access_token"])
    assert (await refresh(api, client, body["refresh_token"])).json()["error"] == "invalid_client"
    assert "client.revoke" in await audited()


async def test_of_many_with_one_code_one_is_served(api: Api) -> None:
    client = (await application(api))["id"]
    back = await (await ada(api)).allow(authorize(client))
    answers = await asyncio.gather(*(redeem(api, client, back["code"]) for _ in range(500)))
    assert sorted(a.status_code for a in answers) == [200] + [400] * 499
    # The others were reuse of a code: what it gave has ended.
    good = next(a for a in answers if a.status_code == 200).json()
    assert not await works(api, good["access_token"])


async def test_of_many_with_one_refresh_token_there_is_one_successor(api: Api) -> None:
    client, body = await signed_in(api)
    text = body["refresh_token"]
    answers = await asyncio.gather(*(refresh(api, client, text) for _ in range(500)))
    served = [a.json() for a in answers if a.status_code == 200]
    # The machine may take longer than the grace; who came later ended the family.
    assert len({a["refresh_token"] for a in served}) == 1
    assert {a.status_code for a in answers} <= {200, 400}
    await exchange_used(text, ago=exchange.GRACE)
    assert (await refresh(api, client, text)).json()["error"] == "invalid_grant"
    last = await refresh(api, client, served[0]["refresh_token"])
    assert last.json()["error"] == "invalid_grant"


async def device(api: Api, client: str = CLI, **form: str) -> dict[str, Any]:
    answer = await api.http.post(
        "/oauth2/device_authorization",
        data={"client_id": client, **form},
        headers={"authorization": ""},
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def poll(api: Api, codes: dict[str, Any], client: str = CLI) -> httpx.Response:
    return await token(
        api, grant_type=DEVICE_CODE, client_id=client, device_code=codes["device_code"]
    )


async def test_of_many_polls_of_an_allowed_device_one_is_served(api: Api) -> None:
    codes = await device(api)
    await (await ada(api)).decide(codes["user_code"])
    answers = await asyncio.gather(*(poll(api, codes) for _ in range(500)))
    assert sorted(a.status_code for a in answers) == [200] + [400] * 499
    assert {a.json()["error"] for a in answers if a.status_code == 400} == {"invalid_grant"}


async def test_a_device_that_asks_too_often_is_slowed_down(api: Api) -> None:
    codes = await device(api)
    said = [(await poll(api, codes)).json()["error"] for _ in range(3)]
    assert said == ["authorization_pending", "slow_down", "slow_down"]
    digest = hashlib.sha256(codes["device_code"].encode()).hexdigest()
    row = await repository.lock_device_of_all(digest)
    assert row is not None
    assert row.interval_s == 15


async def test_devices_that_wait_are_bounded_for_an_address_and_in_all(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bound in ("MOST_DEVICES_OF_ADDRESS", "MOST_DEVICES"):
        with monkeypatch.context() as bounded:
            bounded.setattr(f"controlplane.oauth.service.{bound}", 2)
            codes = [await device(api) for _ in range(2)]
            form = {"client_id": CLI}
            refused = await api.http.post(
                "/oauth2/device_authorization", data=form, headers={"authorization": ""}
            )
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "600")
            assert "Too many devices wait" in refused.json()["error_description"]
            # One that was answered waits no longer.
            denied = await (await ada(api)).decide(codes[0]["user_code"], "deny")
            assert "Denied" in denied.text
            await device(api)
            await api.execute("DELETE FROM oauth_device_codes")
            await api.execute("DELETE FROM users")


async def test_who_is_refused_too_often_has_to_wait_and_nobody_else(api: Api) -> None:
    wrong = {"grant_type": "client_credentials", "client_id": CLI}
    kind = {"authorization": "", "content-type": "application/x-www-form-urlencoded"}

    async def ask(address: str, path: str = "token", **form: str) -> httpx.Response:
        transport = httpx.ASGITransport(api.app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url=api.http.base_url) as http:
            sent = urlencode(wrong | form)
            return await http.post(f"/oauth2/{path}", content=sent, headers=kind)

    throttle = api.app.state.oauth._throttle
    for _ in range(1000):
        await throttle.spend("203.0.113.7")
    for path in ("token", "revoke", "introspect", "device_authorization"):
        refused = await ask("203.0.113.7", path)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 30
        assert refused.json()["error"] == "temporarily_unavailable"
        assert "Try again in" in refused.json()["error_description"]
    assert (await ask("203.0.113.8")).status_code == 401
    browser = await ada(api)
    page = await browser.http.get(authorize((await application(api))["id"]))
    for _ in range(1000):
        await throttle.spend("127.0.0.1")
    assert (await browser.press(page, decision="allow")).status_code == 429


async def test_an_error_always_says_what_is_wrong(api: Api) -> None:
    codes = await device(api)
    other = (await application(api))["id"]
    _, body = await signed_in(api)
    kind = {"authorization": "", "content-type": "application/x-www-form-urlencoded"}
    text = urlencode({"grant_type": "client_credentials", "client_id": api.client_id})
    answers = {
        "authorization_pending": await poll(api, codes),
        "slow_down": await poll(api, codes),
        "invalid_grant": await api.http.post(
            "/oauth2/revoke",
            data={"client_id": other, "token": body["access_token"]},
            headers={"authorization": ""},
        ),
        "unsupported_grant_type": await token(api, grant_type="no", client_id=other),
        "invalid_client": await token(
            api, grant_type="client_credentials", client_id=api.client_id, client_secret="x"
        ),
    }
    for error, answer in answers.items():
        assert answer.json()["error"] == error
        assert answer.json()["error_description"], error
    assert (
        answers["invalid_client"]
        .headers["www-authenticate"]
        .startswith('Basic realm="KubeServe", error="invalid_client"')
    )
    for headers in (
        kind | {"content-type": "text/plain"},
        kind | {"content-type": "application/json"},
        {"authorization": ""},
    ):
        refused = await api.http.post("/oauth2/token", content=text, headers=headers)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
        assert "x-www-form-urlencoded" in refused.json()["error_description"]
    missing = await token(api, client_id=other)
    assert missing.json()["error"] == "invalid_request"
    assert "grant_type" in missing.json()["error_description"]


async def test_an_application_is_refused_where_it_may_ask_for_nothing_it_asks_for(
    api: Api,
) -> None:
    client = (await application(api, scopes=["models:read"]))["id"]
    browser = await ada(api)
    answer = await browser.http.get(authorize(client, scope="predict"))
    assert answer.status_code == 303
    assert "error=invalid_scope" in answer.headers["location"]
    assert "models%3Aread" in answer.headers["location"]
    form = {"client_id": client, "scope": "predict"}
    headers = {"authorization": ""}
    refused = await api.http.post("/oauth2/device_authorization", data=form, headers=headers)
    assert refused.json()["error"] == "invalid_scope"


async def test_a_tenant_has_so_many_clients_and_invitations_and_no_more(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controlplane.oauth.clients.MOST_LIVE", 2)
    monkeypatch.setattr("controlplane.tenants.invitations.MOST_OPEN", 1)
    client = await made(api)
    for path, body in (("clients", {"name": "app"}), ("invitations", {"role": "viewer"})):
        if path == "invitations":
            assert (await api.http.post("/v1/invitations", json=body)).status_code == 201
        refused = await api.http.post(f"/v1/{path}", json=body)
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/quota-exceeded")
    await api.http.delete(f"/v1/clients/{client['id']}")
    await made(api)


async def test_introspection_tells_what_a_token_is_good_for_now(api: Api) -> None:
    _, body = await signed_in(api)
    auth = (api.client_id, api.client_secret)

    async def shown(text: str) -> dict[str, Any]:
        answer = await api.http.post("/oauth2/introspect", data={"token": text}, auth=auth)
        return dict(answer.json())

    texts = [body["access_token"], body["refresh_token"]]
    assert [(await shown(text))["active"] for text in texts] == [True, True]
    await api.execute('UPDATE oauth_grants SET scopes = \'["models:read", "models:write"]\'::jsonb')
    assert (await shown(body["refresh_token"]))["scope"] == "models:read models:write"
    await api.execute("UPDATE members SET role = 'viewer'")
    assert (await shown(body["refresh_token"]))["scope"] == "models:read"
    await api.execute("DELETE FROM members")
    assert [await shown(text) for text in texts] == [{"active": False}] * 2


async def test_a_denied_and_an_expired_device_are_told_so(api: Api) -> None:
    from controlplane.oauth.tables import DeviceCode

    browser = await ada(api)
    denied, late = await device(api), await device(api)
    assert "Denied" in (await browser.decide(denied["user_code"], "deny")).text
    assert (await poll(api, denied)).json()["error"] == "access_denied"
    digest = hashlib.sha256(late["device_code"].encode()).hexdigest()
    await DeviceCode.filter(code_sha256=digest).update(expires_at=datetime.now(UTC))
    assert (await poll(api, late)).json()["error"] == "expired_token"
    page = await browser.http.get("/device")
    gone = await browser.press(page, user_code=late["user_code"])
    assert gone.status_code == 404
    other = (await made(api, public=True))["id"]
    assert (await poll(api, await device(api), other)).json()["error"] == "invalid_grant"


async def test_user_codes_cannot_be_guessed(api: Api) -> None:
    codes = await device(api)
    browser = await ada(api)
    page = await browser.http.get(f"/device?user_code={codes['user_code']}")
    assert "Allow" not in page.text  # a link never allows by itself
    said = [
        (await browser.press(page, user_code=f"BBBB-BBB{last}")).status_code for last in "BCDFGH"
    ]
    assert said == [404] * 5 + [429]
    assert (await browser.press(page, user_code=codes["user_code"])).status_code == 429


async def test_a_device_of_the_first_party_is_asked_about_too(api: Api) -> None:
    codes = await device(api)
    browser = await ada(api)
    page = await browser.http.get("/device")
    spelled = codes["user_code"].lower().replace("-", " ")
    shown = await browser.press(page, user_code=spelled)
    assert codes["user_code"] in shown.text
    assert "KubeServe command line" in shown.text
    assert (await poll(api, codes)).json()["error"] == "authorization_pending"
    await browser.press(shown, decision="allow")
    body = (await poll(api, codes)).json()
    assert claims(body["access_token"])["client_id"] == CLI
    assert "device.allow" in await audited()


async def test_introspection_tells_a_tenant_of_its_own_tokens_only(api: Api) -> None:
    _, body = await signed_in(api)
    other = await api.another_tenant("rival")
    for text in (body["access_token"], body["refresh_token"]):
        asked = {"token": text, "token_type_hint": "nonsense"}
        answers = []
        for who in (api, other):
            auth = (who.client_id, who.client_secret)
            answers.append(await api.http.post("/oauth2/introspect", data=asked, auth=auth))
        assert [a.json()["active"] for a in answers] == [True, False]
        assert answers[1].json() == {"active": False}
    for junk in ("", "a.b.c", "ksr_none", "x" * 20_000, "\u00e4"):
        auth = (api.client_id, api.client_secret)
        answer = await api.http.post("/oauth2/introspect", data={"token": junk}, auth=auth)
        assert answer.status_code == (400 if not junk else 200)
        assert not answer.json().get("active")
    nobody = await api.http.post(
        "/oauth2/introspect",
        data={"token": body["access_token"], "client_id": CLI},
        headers={"authorization": ""},
    )
    assert nobody.status_code == 401


async def test_only_its_own_client_revokes_a_token(api: Api) -> None:
    client, body = await signed_in(api)
    other = (await application(api))["id"]

    async def revoke(who: str, text: str) -> int:
        form = {"client_id": who, "token": text}
        headers = {"authorization": ""}
        return (await api.http.post("/oauth2/revoke", data=form, headers=headers)).status_code

    assert await revoke(other, body["access_token"]) == 400
    assert await works(api, body["access_token"])
    assert await revoke(client, "nonsense") == 200
    assert await revoke(client, body["access_token"]) == 200
    assert await revoke(client, body["access_token"]) == 200
    assert not await works(api, body["access_token"])
    assert (await audited()).count("token.revoke") == 1
    fresh = (await refresh(api, client, body["refresh_token"])).json()
    assert await works(api, fresh["access_token"])
    assert await revoke(client, fresh["refresh_token"]) == 200
    assert not await works(api, fresh["access_token"])
    jtis = {claims(t["access_token"])["jti"] for t in (body, fresh)}
    assert jtis <= set(revoked(api)["jtis"])


async def test_what_one_tenant_revokes_never_touches_tokens_of_another(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controlplane.oauth.service.MOST_NAMED", 2)
    monkeypatch.setattr("controlplane.oauth.revoked.MOST_NAMED", 2)
    rival = await api.another_tenant("rival")
    own = (rival.client_id, rival.client_secret)
    texts = [(await rival.token()).json()["access_token"] for _ in range(4)]
    for text in texts:
        answer = await rival.http.post("/oauth2/revoke", data={"token": text}, auth=own)
        assert answer.status_code == 200
    assert revoked(api) == {"jtis": {}, "clients": {}, "subjects": {}}
    theirs = revoked(api, "rival")
    # The newest are still named, so that only tokens from before the others are lost.
    assert set(theirs["jtis"]) == {claims(text)["jti"] for text in texts[2:]}
    assert claims(texts[1])["iat"] < theirs["before"] <= datetime.now(UTC).timestamp() + 1
    assert texts[0] not in api.engine.keys[-1].decode()


async def test_a_revoked_token_stays_so_while_runtimes_take_it_past_its_end(api: Api) -> None:
    text = (await api.token()).json()["access_token"]
    auth = (api.client_id, api.client_secret)
    await api.http.post("/oauth2/revoke", data={"token": text}, auth=auth)
    just_now = datetime.now(UTC) - timedelta(seconds=20)
    await api.execute("UPDATE oauth_access_tokens SET expires_at = $1", just_now)
    await api.app.state.oauth.forget(datetime.now(UTC))
    await api.app.state.publish_keys()
    assert claims(text)["jti"] in revoked(api)["jtis"]
    await api.execute("UPDATE oauth_access_tokens SET expires_at = $1", just_now - timedelta(20))
    assert await api.app.state.oauth.forget(datetime.now(UTC)) == 1


async def test_a_person_with_fewer_rights_in_one_tenant_keeps_their_tokens_of_another(
    api: Api,
) -> None:
    await api.another_tenant("rival")
    browser = await ada(api, default=Role.ADMIN, rival=Role.ADMIN)
    subject = f"user:{(await accounts.by_email('ada@example.com')).id}"  # type: ignore[union-attr]
    answer = await api.http.patch("/v1/members/ada@example.com", json={"role": "viewer"})
    assert answer.status_code == 200, answer.text
    await api.app.state.publish_keys()
    assert subject in revoked(api)["subjects"]
    assert revoked(api, "rival")["subjects"] == {}
    api.http.headers["authorization"] = ""
    await browser.http.aclose()


KEY = ECKey.generate_key("P-256")
OTHER = ECKey.generate_key("P-256")


def assertion(client: str, issuer: str, key: ECKey = KEY, **changed: Any) -> str:
    now = int(datetime.now(UTC).timestamp())
    said = {"iss": client, "sub": client, "aud": issuer, "exp": now + 60, "jti": "j-1", **changed}
    header = {"alg": "ES256", "kid": said.pop("kid", "k-1")}
    claims = json.dumps({n: v for n, v in said.items() if v is not None})
    return jws.serialize_compact(header, claims, key)


async def test_an_assertion_is_for_us_by_the_clients_key_and_once(api: Api) -> None:
    public = {**KEY.as_dict(private=False), "kid": "k-1"}
    client = (await made(api, jwks={"keys": [public]}))["id"]
    issuer = str(api.http.base_url).rstrip("/")

    async def ask(text: str, **more: str) -> httpx.Response:
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        form = {"client_assertion": text, "client_assertion_type": kind, **more}
        return await token(api, grant_type="client_credentials", **form)

    now = int(datetime.now(UTC).timestamp())
    for bad in (
        assertion(client, f"{issuer}/oauth2/token"),
        assertion(client, issuer, aud=[issuer]),
        assertion(client, issuer + "/"),
        assertion(client, issuer, key=OTHER),
        assertion(client, issuer, kid="k-2"),
        assertion(client, issuer, jti="\ud800"),
        assertion(client, issuer, jti="a\0b"),
        assertion(client, issuer, iss="another"),
        assertion(client, issuer, exp=now - 31),
        assertion(client, issuer, exp=now + 3700),
        assertion(client, issuer, exp=None),
        assertion(client, issuer, jti=None),
        assertion(client, issuer, nbf=now + 60),
        assertion(api.client_id, issuer),
        "a.b.c",
        "",
    ):
        refused = await ask(bad)
        assert refused.status_code in (400, 401), refused.text
        assert refused.json()["error"] in ("invalid_client", "invalid_request")
    good = assertion(client, issuer)
    assert (await ask(good, client_secret="x")).json()["error"] == "invalid_request"
    assert (await ask(good)).status_code == 200
    again = await ask(good)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
    assert "before" in again.json()["error_description"]
    many = await asyncio.gather(*(ask(assertion(client, issuer, jti="j-2")) for _ in range(50)))
    assert sorted(a.status_code for a in many) == [200] + [401] * 49


async def test_a_public_client_gets_no_token_for_itself(api: Api) -> None:
    client = (await application(api))["id"]
    for form in ({"client_id": client}, {"client_id": client, "client_secret": "x"}):
        refused = await token(api, grant_type="client_credentials", **form)
        assert refused.json()["error"] == "invalid_client"
    service = await made(api)
    for grant in ("authorization_code", "refresh_token", DEVICE_CODE):
        form = {"grant_type": grant, "code": "x", "refresh_token": "x", "device_code": "x"}
        auth = (service["id"], service["secret"])
        refused = await api.http.post("/oauth2/token", data=form, auth=auth)
        assert refused.json()["error"] == "unauthorized_client"


async def allowed(api: Api, browser: Browser, scopes: list[str]) -> dict[str, str]:
    """Have an application that was allowed these scopes; gives its Authorization header."""
    client = (await application(api, scopes=[one for one in scopes if one != "openid"] or None))[
        "id"
    ]
    back = await browser.allow(authorize(client, scope=" ".join(scopes)))
    given = (await redeem(api, client, back["code"])).json()
    return {"authorization": f"Bearer {given['access_token']}"}


async def test_an_application_does_nothing_that_is_a_persons_own(api: Api) -> None:
    browser = await ada(api)
    me = (await browser.http.get("/v1/me")).json()["subject"].partition(":")[2]
    key = (await browser.http.post("/v1/keys", json={"name": "mine"})).json()["id"]
    all_but_predict = ["models:read", "models:write", "endpoints:read", "endpoints:write"]
    for scopes in (["openid"], [*all_but_predict, "payloads:read"]):
        headers = await allowed(api, browser, scopes)
        for method, path, body in (
            ("GET", "/v1/keys", None),
            ("DELETE", f"/v1/keys/{key}", None),
            ("POST", "/v1/keys", {"name": "k", "endpoint": "iris"}),
            ("POST", "/v1/keys", {"name": "k"}),
            ("DELETE", f"/v1/members/{me}", None),
        ):
            answer = await api.http.request(method, path, json=body, headers=headers)
            assert answer.status_code == 403, (scopes, method, path, answer.text)
        told = (await api.http.get("/v1/me", headers=headers)).raise_for_status().json()
        assert (told["subject"], told["email"], told["tenants"]) == (f"user:{me}", None, [])
    # The person does, with KubeServe's own programs.
    codes = await device(api)
    await browser.decide(codes["user_code"])
    own = {"authorization": f"Bearer {(await poll(api, codes)).json()['access_token']}"}
    assert (await api.http.delete(f"/v1/keys/{key}", headers=own)).status_code == 204


async def test_an_applications_administrator_makes_no_key_for_a_person(api: Api) -> None:
    browser = await ada(api, default=Role.ADMIN)
    headers = await allowed(api, browser, ["admin"])
    assert (await api.http.get("/v1/keys", headers=headers)).status_code == 200
    refused = await api.http.post("/v1/keys", json={"name": "k"}, headers=headers)
    assert (refused.status_code, "kubeserve keys create" in refused.text) == (403, True)


async def test_an_application_predicts_as_a_person_only_if_it_may(api: Api) -> None:
    browser = await ada(api)
    test = {"endpoint": "nowhere", "shape": {"kind": "steady", "rate": 1, "duration": "1s"}}
    rollout = {"model": "iris", "loadtest": {"shape": test["shape"]}}
    for scopes, status in (
        (["endpoints:write"], 403),
        (["endpoints:write", "predict"], 404),  # which is what comes next
    ):
        headers = await allowed(api, browser, scopes)
        for path, body in (("loadtests", test), ("endpoints/nowhere/rollouts", rollout)):
            answer = await api.http.post(f"/v1/{path}", json=body, headers=headers)
            assert answer.status_code == status, (path, scopes, answer.text)
    me = (await browser.http.get("/v1/me")).json()["subject"]
    oauth, client = api.app.state.oauth, claims(headers["authorization"])["client_id"]
    assert await oauth.may_predict((me, client), "default")
    assert await repository.end_grants(datetime.now(UTC), "test", client_id=client) == 1
    assert not await oauth.may_predict((me, client), "default")
