"""People of the installation: who may sign in, and links for who forgot a password."""

from contextlib import aclosing
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from controlplane.accounts import service as accounts
from controlplane.permissions import Role
from controlplane.tenants import service as tenants
from tests.integration.api import Api
from tests.integration.test_pages import PASSWORD, ada, browser_of, sign_in

NEW = "five words of my own"


async def set_password(browser: httpx.AsyncClient, link: str, password: str) -> httpx.Response:
    secret = parse_qs(urlsplit(link).query)["secret"][0]
    return await browser.post("/account/password", data={"secret": secret, "password": password})


async def test_a_forgotten_password_is_set_anew_once(api: Api) -> None:
    await ada()
    async with browser_of(api) as elsewhere, browser_of(api) as here:
        await sign_in(elsewhere)
        made = (await api.http.post("/v1/people/ada@example.com/password-link")).json()
        second = (await api.http.post("/v1/people/ada@example.com/password-link")).json()
        assert "ada@example.com" in (await here.get(made["link"])).text
        assert "12 to 1024" in (await set_password(here, made["link"], "short")).text
        foreign = {"sec-fetch-site": "cross-site"}
        there = await here.post("/account/password", data={}, headers=foreign)
        assert there.status_code == 403
        done = await set_password(here, made["link"], NEW)
        assert (done.status_code, done.headers["location"]) == (303, "/account?done=password")
        assert (await here.get("/account")).status_code == 200
        assert (await elsewhere.get("/account")).status_code == 303
        for link in (made["link"], second["link"], made["link"][:-1], made["link"] + "0"):
            assert (await set_password(here, link, NEW + "!")).status_code == 404
        assert (await sign_in(elsewhere)).status_code == 422
        assert (await sign_in(elsewhere, password=NEW)).status_code == 303
    told = str(await api.audited("default"))
    assert "account.password-link" in told
    assert parse_qs(urlsplit(made["link"]).query)["secret"][0] not in told


@pytest.mark.parametrize("secret", ["", "x", "..", "x.1.y", "%00", "0" * 32 + ".9" * 40])
async def test_what_is_no_link_is_told(api: Api, secret: str) -> None:
    async with browser_of(api) as browser:
        assert (await browser.get(f"/account/password?secret={secret}")).status_code == 404


async def test_who_is_disabled_is_out_and_may_come_back(api: Api) -> None:
    person = await ada()
    await tenants.add_member((await tenants.get("default")).id, person.id, Role.OWNER)
    async with browser_of(api) as browser:
        await sign_in(browser)
        myself = await browser.patch("/v1/people/ada@example.com", json={"disabled": True})
        assert myself.status_code == 409
        off = await api.http.patch(f"/v1/people/{person.id}", json={"disabled": True})
        assert (off.status_code, off.json()["disabled"]) == (200, True)
        assert (await browser.get("/v1/me")).status_code == 401
        assert (await sign_in(browser)).status_code == 422
        link = await api.http.post("/v1/people/ada@example.com/password-link")
        assert (link.status_code, "disabled" in link.json()["detail"]) == (409, True)
        on = await api.http.patch("/v1/people/ADA@example.com", json={"disabled": False})
        assert on.json()["disabled"] is False
        assert (await sign_in(browser)).status_code == 303
    actions = [event["action"] for event in await api.audited("default")]
    assert actions.count("account.disable") == actions.count("account.enable") == 1


async def test_only_the_installations_owners_see_people(api: Api) -> None:
    hashed = await api.app.state.passwords.hash(PASSWORD)
    acme, default = await tenants.create("acme"), await tenants.get("default")
    for email, tenant, role, expected in (
        ("admin@example.com", default, Role.ADMIN, 403),
        ("owner@acme.example", acme, Role.OWNER, 403),
        ("owner@example.com", default, Role.OWNER, 200),
    ):
        person = await accounts.create(email, "Somebody", hashed)
        await tenants.add_member(tenant.id, person.id, role)
        async with aclosing(browser_of(api)) as browser:
            await sign_in(browser, email=email)
            assert (await browser.get("/v1/people")).status_code == expected, email
            made = await browser.post(f"/v1/people/{email}/password-link")
            assert made.status_code == (201 if expected == 200 else 403), email
    listed = (await api.http.get("/v1/people?limit=2")).json()
    rest = (await api.http.get(f"/v1/people?limit=2&cursor={listed['next']}")).json()
    assert len(listed["items"] + rest["items"]) == 3
    assert "password" not in str(listed)
    assert (await api.http.patch("/v1/people/no@b", json={"disabled": True})).status_code == 404
    assert (await api.http.patch("/v1/people/x", json={"disabled": 3})).status_code == 422


async def test_what_an_administrator_makes_does_nothing_that_is_for_owners(api: Api) -> None:
    hashed = await api.app.state.passwords.hash(PASSWORD)
    default = await tenants.get("default")
    for role in (Role.OWNER, Role.ADMIN):
        person = await accounts.create(f"{role}@example.com", str(role), hashed)
        await tenants.add_member(default.id, person.id, role)
    async with aclosing(browser_of(api)) as admin:
        await sign_in(admin, email="admin@example.com")
        wanted = {"name": "robot", "scopes": ["admin"]}
        key = (await admin.post("/v1/keys", json=wanted)).json()
        client = (await admin.post("/v1/clients", json=wanted)).json()
    for made in ((key["id"], key["key"]), (client["id"], client["secret"])):
        grant = {"grant_type": "client_credentials"}
        token = (await api.http.post("/oauth2/token", data=grant, auth=made)).json()
        headers = {"authorization": f"Bearer {token['access_token']}"}
        for method, path, body in (
            ("POST", "/v1/people/owner@example.com/password-link", None),
            ("PATCH", "/v1/people/owner@example.com", {"disabled": True}),
            ("GET", "/v1/people", None),
            ("POST", "/v1/invitations", {"role": "owner"}),
            ("PATCH", "/v1/members/admin@example.com", {"role": "owner"}),
            ("DELETE", "/v1/members/owner@example.com", None),
        ):
            answer = await api.http.request(method, path, json=body, headers=headers)
            assert answer.status_code == 403, (made[0], path, answer.text)
        assert (await api.http.get("/v1/members", headers=headers)).status_code == 200
    assert (await api.http.post("/v1/people/owner@example.com/password-link")).status_code == 201


async def test_the_first_owner_is_made_by_the_installation_alone(api: Api) -> None:
    made = (await api.http.post("/v1/clients", json={"name": "r", "scopes": ["admin"]})).json()
    grant, auth = {"grant_type": "client_credentials"}, (made["id"], made["secret"])
    token = (await api.http.post("/oauth2/token", data=grant, auth=auth)).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    wanted = {"role": "owner"}
    refused = await api.http.post("/v1/invitations", json=wanted, headers=headers)
    assert refused.status_code == 403
    # Of other tenants, whoever makes them does.
    acme = {"name": "acme", "owner": "ada@example.com"}
    assert (await api.http.post("/v1/tenants", json=acme, headers=headers)).status_code == 201
    assert (await api.http.post("/v1/invitations", json=wanted)).status_code == 201
