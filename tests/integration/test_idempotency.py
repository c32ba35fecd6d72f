"""`Idempotency-Key`: of one caller with what they may do now; nobody else gets its answer."""

from typing import Any

import httpx
import pytest

from controlplane.permissions import Role
from tests.integration.api import Api
from tests.integration.people import Browser, person

KEY = {"idempotency-key": "ci-2026"}


async def member(api: Api, role: Role) -> httpx.AsyncClient:
    await person(f"{role}@example.com", default=role)
    browser = Browser(api)
    await browser.sign_in(f"{role}@example.com")
    return browser.http


@pytest.mark.parametrize(
    ("first", "path", "body", "second"),
    [
        (Role.ADMIN, "/v1/keys", {"name": "ci", "scopes": ["admin"]}, Role.VIEWER),
        (Role.OWNER, "/v1/invitations", {"role": "owner"}, Role.ADMIN),
    ],
    ids=["a key", "an owner's link"],
)
async def test_who_may_less_gets_no_answer_of_who_may(
    api: Api, first: Role, path: str, body: dict[str, Any], second: Role
) -> None:
    may, may_not = await member(api, first), await member(api, second)
    made = await may.post(path, json=body, headers=KEY)
    assert made.status_code == 201, made.text
    assert (await may_not.post(path, json=body, headers=KEY)).status_code == 403
    # Nor is it known that there was such a request.
    other = await may_not.post(path, json=body | {"name": "x"}, headers=KEY)
    assert other.status_code in (403, 422)
    assert (await may.post(path, json=body, headers=KEY)).json() == made.json()


async def test_two_callers_with_one_key_ask_for_two_things(api: Api) -> None:
    ours, theirs = await member(api, Role.DEVELOPER), await member(api, Role.ADMIN)
    made = [
        (await http.post("/v1/keys", json={"name": "ci"}, headers=KEY)).json()["id"]
        for http in (ours, theirs, ours, theirs)
    ]
    assert (made[:2], len(set(made))) == (made[2:], 2)


async def test_who_may_less_by_now_does_not_get_what_they_got_before(api: Api) -> None:
    http = await member(api, Role.ADMIN)
    body = {"name": "ci", "scopes": ["admin"]}
    assert (await http.post("/v1/keys", json=body, headers=KEY)).status_code == 201
    await api.execute("UPDATE members SET role = 'viewer'")
    assert (await http.post("/v1/keys", json=body, headers=KEY)).status_code == 403
