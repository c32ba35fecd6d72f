"""Invitations, members and roles over HTTP, on a real Postgres."""

import asyncio
import re
import uuid
from contextlib import aclosing
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from controlplane.accounts import service as accounts
from controlplane.accounts.throttle import OF_ACCOUNT
from controlplane.permissions import Role
from controlplane.tenants import service as tenants
from tests.integration.api import Api
from tests.integration.test_oauth_grants import ada as granted_ada
from tests.integration.test_oauth_grants import application, authorize, redeem, refresh, works
from tests.integration.test_pages import PASSWORD, browser_of, sign_in, token_of


async def invited(caller: httpx.AsyncClient, email: str | None, role: str) -> httpx.Response:
    return await caller.post("/v1/invitations", json={"email": email, "role": role})


def secret_of(link: str) -> str:
    return parse_qs(urlsplit(link).query)["secret"][0]


async def join(browser: httpx.AsyncClient, link: str, **form: str) -> httpx.Response:
    fields = {"secret": secret_of(link), "name": "Ada", "password": PASSWORD, **form}
    return await browser.post("/invitations/accept", data=fields)


async def owner_of_default(api: Api, browser: httpx.AsyncClient, email: str) -> None:
    made = (await invited(api.http, email, "owner")).json()
    assert (await join(browser, made["link"])).status_code == 303


def alike(page: str) -> str:
    """Give a page but for who is invited to what."""
    for pattern in (
        r"secret[^\"&]*",
        r'value="[^"]*"',
        r"<strong>\w+</strong>",
        r"Join \w+",
        r"\w+@\S+",
    ):
        page = re.sub(pattern, "", page)
    return page


async def test_the_first_owner_comes_by_a_link_and_invites_the_others(api: Api) -> None:
    async with browser_of(api) as ada, browser_of(api) as bob:
        made = (await api.http.post("/v1/invitations", json={"role": "owner"})).json()
        page = await ada.get(made["link"])
        assert "owner" in page.text
        assert 'name="email"' in page.text
        bad = await join(ada, made["link"], email="ada@example.com", password="short")
        assert (bad.status_code, "12 to 1024" in bad.text) == (422, True)
        assert (await join(ada, made["link"], email="nobody")).status_code == 422
        done = await join(ada, made["link"], email="Ada@Example.com")
        assert (done.status_code, done.headers["location"]) == (303, "/account?done=joined")
        me = (await ada.get("/v1/me")).json()
        assert (me["email"], me["tenant"], me["role"]) == ("ada@example.com", "default", "owner")
        assert me["tenants"] == [{"name": "default", "role": "owner"}]
        assert (await join(bob, made["link"], email="bob@example.com")).status_code == 404

        second = await invited(api.http, "bob@example.com", "owner")
        assert second.status_code == 403  # a program makes the first owner only
        second = await invited(ada, "bob@example.com", "owner")
        assert (await join(bob, second.json()["link"], name="Bob")).status_code == 303
        listed = (await ada.get("/v1/members?limit=1")).json()
        rest = (await ada.get(f"/v1/members?limit=1&cursor={listed['next']}")).json()
        assert rest["next"] is None
        emails = {member["email"] for member in listed["items"] + rest["items"]}
        assert emails == {"ada@example.com", "bob@example.com"}
        assert (await ada.get("/v1/invitations")).json()["items"] == []
    actions = [event["action"] for event in await api.audited("default")]
    for action in ("invitation.create", "invitation.accept", "session.start"):
        assert actions.count(action) == 2
    told = str(await api.audited("default"))
    assert secret_of(made["link"]) not in told
    assert PASSWORD not in told


async def test_a_link_is_for_its_address_once_and_until_it_is_taken_back(api: Api) -> None:
    async with browser_of(api) as ada, browser_of(api) as eve:
        await owner_of_default(api, ada, "ada@example.com")
        first = (await invited(ada, "eve@example.com", "viewer")).json()
        again = (await invited(ada, "EVE@example.com", "developer")).json()
        assert (await eve.get(first["link"])).status_code == 404
        [listed] = (await ada.get("/v1/invitations")).json()["items"]
        assert listed["id"] == again["id"]
        assert "link" not in listed
        wrong = await ada.get(again["link"])
        assert "this invitation is for eve@example.com" in wrong.text
        token = token_of(wrong)
        refused = await ada.post(
            "/invitations/accept", data={"secret": secret_of(again["link"]), "form_token": token}
        )
        assert refused.status_code == 403
        assert (await ada.delete(f"/v1/invitations/{again['id']}")).status_code == 204
        assert (await ada.delete(f"/v1/invitations/{again['id']}")).status_code == 404
        assert (await join(eve, again["link"])).status_code == 404
        assert (await eve.get("/invitations/accept?secret=ksi_none")).status_code == 404
        assert (await invited(ada, "ada@example.com", "viewer")).status_code == 409
        old = (await invited(ada, "eve@example.com", "viewer")).json()
        await api.execute("UPDATE invitations SET expires_at = now()")
        assert (await join(eve, old["link"])).status_code == 404


async def test_of_many_who_use_one_link_at_once_one_joins(api: Api) -> None:
    made = (await api.http.post("/v1/invitations", json={"role": "viewer"})).json()
    async with browser_of(api) as browser:
        answers = await asyncio.gather(
            *(join(browser, made["link"], email=f"{n}@example.com") for n in range(8))
        )
    assert sorted(answer.status_code for answer in answers) == [303] + [404] * 7
    assert len((await api.http.get("/v1/members")).json()["items"]) == 1


async def test_who_has_an_account_signs_in_to_join(api: Api) -> None:
    async with browser_of(api) as ada, browser_of(api) as again:
        await owner_of_default(api, ada, "ada@example.com")
        made = await api.http.post("/v1/tenants", json={"name": "acme", "owner": "ada@example.com"})
        link = made.json()["invitation"]
        # Whoever looks at the link does not learn from it who has an account.
        nobodys = (await invited(ada, "nobody@example.com", "viewer")).json()["link"]
        page = (await again.get(nobodys)).text
        assert 'name="password"' in page
        assert "I have an account" in page
        assert alike(page) == alike((await again.get(link)).text)
        told = await join(again, link, name="Ada Two")
        assert (told.status_code, 'value="Ada Two"' in told.text) == (422, True)
        assert "sign in first" in told.text
        there = f"/invitations/accept?secret={secret_of(link)}"
        assert (await sign_in(again, next=there)).headers["location"] == there
        page = await again.get(there)
        fields = {"secret": secret_of(link), "form_token": token_of(page)}
        assert (await again.post("/invitations/accept", data=fields)).status_code == 303
        me = (await again.get("/v1/me")).json()
        assert (me["tenant"], [joined["name"] for joined in me["tenants"]]) == (
            None,
            ["acme", "default"],
        )
        chosen = {"kubeserve-tenant": "acme"}
        assert (await again.get("/v1/me", headers=chosen)).json()["role"] == "owner"
    log = await api.audited("acme")
    assert [event["action"] for event in log] == ["invitation.create", "invitation.accept"]
    # The platform's own invitation: its log of the tenant says so, and the reader no name.
    assert [event["detail"].get("of_tenant") for event in log] == ["default", None]


async def test_an_open_link_does_not_tell_who_has_accounts_for_long(api: Api) -> None:
    async with browser_of(api) as ada, browser_of(api) as eve:
        await owner_of_default(api, ada, "ada@example.com")
        link = (await invited(ada, None, "viewer")).json()["link"]
        for _ in range(OF_ACCOUNT):
            told = await join(eve, link, email="ada@example.com")
            assert (told.status_code, "sign in first" in told.text) == (422, True)
            assert 'value="ada@example.com"' in told.text
        refused = await join(eve, link, email="new@example.com")
        assert (refused.status_code, "Too many attempts" in refused.text) == (429, True)
        assert int(refused.headers["retry-after"]) > 0
        # It kept nobody from signing in, and another link works.
        assert (await sign_in(eve)).status_code == 303
    other = (await invited(api.http, None, "viewer")).json()["link"]
    async with browser_of(api) as new:
        assert (await join(new, other, email="new@example.com")).status_code == 303


async def test_a_link_for_the_first_owner_ends_with_the_first_owner(api: Api) -> None:
    first, second = [(await invited(api.http, None, "owner")).json()["link"] for _ in range(2)]
    async with browser_of(api) as ada, browser_of(api) as eve:
        assert (await eve.get(second)).status_code == 200
        assert (await join(ada, first, email="ada@example.com")).status_code == 303
        shown = await eve.get(second)
        assert (shown.status_code, "there is one by now" in shown.text) == (404, True)
        assert (await join(eve, second, email="eve@example.com")).status_code == 404
        # An owner's own holds as long as they are one.
        theirs = (await invited(ada, None, "owner")).json()["link"]
        assert (await join(eve, theirs, email="eve@example.com")).status_code == 303


async def test_of_two_first_owners_at_once_there_is_one(api: Api) -> None:
    links = [(await invited(api.http, None, "owner")).json()["link"] for _ in range(4)]
    async with browser_of(api) as browser:
        answers = await asyncio.gather(
            *(join(browser, link, email=f"{n}@example.com") for n, link in enumerate(links))
        )
    assert sorted(answer.status_code for answer in answers) == [303, 404, 404, 404]


async def test_who_was_taken_out_and_is_invited_again_begins_anew(api: Api) -> None:
    client = (await application(api))["id"]
    browser = await granted_ada(api)
    back = await browser.allow(authorize(client))
    tokens = (await redeem(api, client, back["code"])).json()
    page = await browser.http.get("/v1/me")
    here = f"/v1/members/{page.json()['subject'].partition(':')[2]}"
    key = (
        await browser.http.post("/v1/keys", json={"name": "k", "scopes": ["models:read"]})
    ).json()
    grant, auth = {"grant_type": "client_credentials"}, (key["id"], key["key"])
    exchanged = await api.http.post("/oauth2/token", data=grant, auth=auth)
    by_key = exchanged.json()["access_token"]
    elsewhere = await tenants.create("acme")
    person = await accounts.get("ada@example.com")
    await tenants.add_member(elsewhere.id, person.id, Role.DEVELOPER)
    there = {"kubeserve-tenant": "acme"}
    kept = await browser.http.post("/v1/keys", json={"name": "kept"}, headers=there)
    assert (await api.http.delete(here)).status_code == 204
    link = (await invited(api.http, "ada@example.com", "developer")).json()["link"]
    secret = {"secret": secret_of(link), "form_token": token_of(await browser.http.get(link))}
    assert (await browser.http.post("/invitations/accept", data=secret)).status_code == 303
    assert not await works(api, tokens["access_token"])
    ended = await refresh(api, client, tokens["refresh_token"])
    assert ended.json()["error"] == "invalid_grant"
    assert not await works(api, by_key)
    assert (await api.http.post("/oauth2/token", data=grant, auth=auth)).status_code == 401
    assert (await browser.http.get(authorize(client))).status_code == 200  # asked once more
    [still] = (await browser.http.get("/v1/keys", headers=there)).json()["items"]
    assert still["id"] == kept.json()["id"]
    [told] = [e for e in await api.audited("default") if e["action"] == "member.remove"]
    assert (told["detail"]["grants"], told["detail"]["keys"]) == (1, 1)


async def test_a_tenant_made_twice_with_one_key_has_one_owners_link(api: Api) -> None:
    body = {"name": "acme", "owner": "ada@example.com"}
    key = {"idempotency-key": "once"}
    first = await api.http.post("/v1/tenants", json=body, headers=key)
    second = await api.http.post("/v1/tenants", json=body, headers=key)
    assert first.json() == second.json()
    bad = await api.http.post("/v1/tenants", json={"name": "rival", "owner": "no address"})
    assert bad.status_code == 422
    assert (await api.http.get("/v1/tenants/rival")).status_code == 404


@pytest.fixture
async def team(api: Api) -> dict[Role, accounts.Person]:
    """Give a tenant `acme` with a member of each role, all with the same password."""
    hashed = await api.app.state.passwords.hash(PASSWORD)
    acme = await tenants.create("acme")
    made = {}
    for role in Role:
        made[role] = await accounts.create(f"{role}@example.com", str(role), hashed)
        await tenants.add_member(acme.id, made[role].id, role)
    return made


async def as_member(api: Api, role: Role) -> httpx.AsyncClient:
    browser = browser_of(api)
    assert (await sign_in(browser, email=f"{role}@example.com")).status_code == 303
    return browser


async def test_only_owners_make_and_unmake_owners(
    api: Api, team: dict[Role, accounts.Person]
) -> None:
    owner, admin = await as_member(api, Role.OWNER), await as_member(api, Role.ADMIN)
    platform = {"json": {"role": "owner", "tenant": "acme"}}
    async with aclosing(owner), aclosing(admin):
        up = {"json": {"role": "owner"}}
        assert (await admin.patch("/v1/members/admin@example.com", **up)).status_code == 403
        down = {"json": {"role": "viewer"}}
        assert (await admin.patch("/v1/members/owner@example.com", **down)).status_code == 403
        assert (await admin.delete("/v1/members/owner@example.com")).status_code == 403
        assert (await invited(admin, "x@example.com", "owner")).status_code == 403
        assert (await api.http.post("/v1/invitations", **platform)).status_code == 403
        theirs = (await invited(owner, "x@example.com", "owner")).json()
        assert (await admin.delete(f"/v1/invitations/{theirs['id']}")).status_code == 403
        assert (await invited(admin, theirs["email"], "viewer")).status_code == 403
        changed = await admin.patch("/v1/members/viewer@example.com", json={"role": "admin"})
        assert (changed.status_code, changed.json()["role"]) == (200, "admin")
        assert (await owner.patch("/v1/members/admin@example.com", **up)).status_code == 200
        assert (await admin.patch("/v1/members/owner@example.com", **down)).status_code == 200
        assert (await owner.get("/v1/members")).status_code == 403  # a viewer since


async def test_the_last_owner_stays(api: Api, team: dict[Role, accounts.Person]) -> None:
    owner = await as_member(api, Role.OWNER)
    async with aclosing(owner):
        here = f"/v1/members/{team[Role.OWNER].id}"
        assert (await owner.delete(here)).status_code == 409
        refused = await owner.patch(here, json={"role": "admin"})
        assert (refused.status_code, "only owner" in refused.json()["detail"]) == (409, True)
        second = f"/v1/members/{team[Role.ADMIN].id}"
        assert (await owner.patch(second, json={"role": "owner"})).status_code == 200
        # Both leave at once: one of them has to stay.
        admin = await as_member(api, Role.ADMIN)
        async with aclosing(admin):
            left = await asyncio.gather(owner.delete(here), admin.delete(second))
        assert sorted(answer.status_code for answer in left) == [204, 409]


async def test_a_member_leaves_and_takes_nobody_along(
    api: Api, team: dict[Role, accounts.Person]
) -> None:
    viewer = await as_member(api, Role.VIEWER)
    async with aclosing(viewer):
        for path in (f"/v1/members/{team[Role.ADMIN].id}", "/v1/members/nobody@example.com"):
            assert (await viewer.delete(path)).status_code == 403
        assert (await viewer.delete(f"/v1/members/{team[Role.VIEWER].id}")).status_code == 204
        assert (await viewer.get("/v1/models")).status_code == 403
        assert (await viewer.get("/v1/me")).json()["tenants"] == []


async def test_members_of_other_tenants_are_not_there(
    api: Api, team: dict[Role, accounts.Person]
) -> None:
    for which in (str(team[Role.VIEWER].id), "viewer@example.com", str(uuid.uuid4()), "x", "%00"):
        answer = await api.http.patch(f"/v1/members/{which}", json={"role": "admin"})
        assert answer.status_code == 404, which
        assert (await api.http.delete(f"/v1/members/{which}")).status_code == 404, which
    owner = await as_member(api, Role.OWNER)
    async with aclosing(owner):
        made = (await invited(owner, "x@example.com", "viewer")).json()
        assert (await api.http.delete(f"/v1/invitations/{made['id']}")).status_code == 404
        grab = {"email": "y@example.com", "role": "viewer", "tenant": "default"}
        assert (await owner.post("/v1/invitations", json=grab)).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"role": "king"},
        {"role": "viewer", "email": "no address"},
        {"role": "viewer", "email": "a@b\u0000"},
        {"role": "viewer", "email": "a" * 300 + "@example.com"},
        {"role": "viewer", "more": 1},
    ],
    ids=str,
)
async def test_a_bad_invitation_is_told(api: Api, body: dict[str, object]) -> None:
    assert (await api.http.post("/v1/invitations", json=body)).status_code == 422


async def test_a_program_knows_who_it_is(api: Api) -> None:
    me = (await api.http.get("/v1/me")).json()
    assert (me["subject"], me["email"]) == (f"client:{api.client_id}", None)
    assert (me["tenant"], me["role"], me["tenants"]) == ("default", None, [])
    assert "admin" in me["scopes"]
