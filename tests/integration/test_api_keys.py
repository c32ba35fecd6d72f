"""API keys: exchanged for tokens, or for one endpoint; never more than their maker may."""

import asyncio
import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from controlplane.accounts import service as accounts
from controlplane.permissions import Role
from controlplane.tenants import service as tenants
from runtime import api_keys
from runtime.problems import Unauthenticated
from runtime.tokens import TokenVerifier
from tests.integration.api import Api
from tests.integration.signing import token_for
from tests.integration.test_api_endpoints import until
from tests.integration.test_api_registry import OCTETS, until_built

GRANT = {"grant_type": "client_credentials"}


async def made(api: Api, **body: Any) -> dict[str, Any]:
    answer = await api.http.post("/v1/keys", json={"name": "robot", **body})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def exchange(api: Api, key: dict[str, Any], **form: str) -> httpx.Response:
    return await api.http.post("/oauth2/token", data=GRANT | form, auth=(key["id"], key["key"]))


async def get(api: Api, path: str, token: str) -> httpx.Response:
    return await api.http.get(path, headers={"authorization": f"Bearer {token}"})


@pytest.fixture
def api(quick_api: Api) -> Api:
    return quick_api


async def endpoint(api: Api) -> dict[str, Any]:
    await api.http.post("/v1/models/iris/versions", content=b"\x80\x04N.", headers=OCTETS)
    await until_built(api, "iris", 1)
    await api.http.post("/v1/endpoints/iris/releases", json={"model": "iris"})
    return dict(await until(api, "iris"))


async def database(api: Api, statement: str, *values: Any) -> list[Any]:
    url = api.app.state.settings.database_url.get_secret_value()
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(statement, *values))
    finally:
        await connection.close()


def verifier(api: Api, audience: str, folder: Path, tenant: str = "default") -> TokenVerifier:
    """Be the runtime of an endpoint: it has the file that its tenant gets."""
    file = folder / f"{uuid.uuid4().hex}.json"
    file.write_bytes(api.engine.keys_of.get(tenant, api.engine.keys[-1]))
    clock = lambda: datetime.now(UTC).timestamp()  # noqa: E731
    return TokenVerifier(file, str(api.http.base_url).rstrip("/"), audience, clock=clock)


async def test_a_key_is_shown_once_exchanged_listed_and_revoked(api: Api) -> None:
    key = await made(api, scopes=["models:read"], expires_in_days=7)
    assert api_keys.public_id(key["key"]) == key["id"]
    lasts = datetime.fromisoformat(key["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=6, hours=23) < lasts < timedelta(days=7)
    answer = await exchange(api, key)
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    assert (await get(api, "/v1/models", token)).status_code == 200
    assert (await get(api, "/v1/endpoints", token)).status_code == 403
    (listed,) = (await api.http.get("/v1/keys")).json()["items"]
    assert "key" not in listed
    assert (listed["name"], listed["scopes"]) == ("robot", ["models:read"])
    assert listed["created_by_name"] == "first administrator"
    assert listed["last_used_at"] is not None
    assert (await api.http.delete(f"/v1/keys/{key['id']}")).status_code == 204
    assert (await get(api, "/v1/models", token)).status_code == 401
    assert (await exchange(api, key)).status_code == 401
    assert (await api.http.get("/v1/keys")).json()["items"] == []
    assert (await api.http.delete(f"/v1/keys/{key['id']}")).status_code == 404


async def test_a_key_is_kept_as_a_digest_alone(api: Api) -> None:
    same = {"idempotency-key": "k-1"}
    answers = [
        (await api.http.post("/v1/keys", json={"name": "robot"}, headers=same)).json()
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    secret = answers[0]["key"].rsplit("_", 1)[1]
    for table in ("api_keys", "idempotency_keys", "audit_events"):
        rows = await database(api, f"SELECT t::text AS row FROM {table} t")
        assert rows
        assert all(secret not in row["row"] for row in rows)


async def test_last_use_is_written_at_most_once_a_minute(api: Api) -> None:
    key = await made(api)
    seen = set()
    for _ in range(3):
        assert (await exchange(api, key)).status_code == 200
        (row,) = await database(api, "SELECT last_used_at FROM api_keys")
        seen.add(row["last_used_at"])
    assert len(seen) == 1
    await database(api, "UPDATE api_keys SET last_used_at = last_used_at - interval '61 s'")
    assert (await exchange(api, key)).status_code == 200
    (row,) = await database(api, "SELECT last_used_at FROM api_keys")
    assert row["last_used_at"] >= seen.pop()


async def test_a_mistyped_key_is_refused_without_a_query(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await made(api)

    async def never(*_: object) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr("controlplane.api_keys.repository.live_of_all", never)
    for wrong in (key["key"][:-1] + "!", key["key"][:-1], key["key"].swapcase(), "x"):
        answer = await exchange(api, {**key, "key": wrong})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert (await exchange(api, {**key, "id": "ks_api_" + "0" * 16})).status_code == 401


async def test_an_expired_key_is_no_key_and_its_tokens_do_not_outlive_it(api: Api) -> None:
    key = await made(api)
    await database(api, "UPDATE api_keys SET expires_at = now() + interval '100 s'")
    assert 90 <= (await exchange(api, key)).json()["expires_in"] <= 100
    token = (await exchange(api, key)).json()["access_token"]
    await database(api, "UPDATE api_keys SET expires_at = now()")
    assert (await exchange(api, key)).status_code == 401
    assert (await get(api, "/v1/models", token)).status_code == 401
    assert (await api.http.get("/v1/keys")).json()["items"][0]["expired"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"scopes": ["everything"]}, 422),
        ({"scopes": []}, 422),
        ({"name": ""}, 422),
        ({"name": "a\0b"}, 422),
        ({"expires_in_days": 0}, 422),
        ({"expires_in_days": 367}, 422),
        ({"endpoint": "nowhere"}, 404),
        ({"endpoint": "nowhere", "scopes": ["models:read"]}, 422),
        ({"more": 1}, 422),
    ],
    ids=str,
)
async def test_a_bad_wish_is_refused(api: Api, body: dict[str, Any], status: int) -> None:
    answer = await api.http.post("/v1/keys", json={"name": "robot", **body})
    assert answer.status_code == status, answer.text
    assert (await api.http.get("/v1/keys")).json()["items"] == []


async def test_a_key_never_has_more_than_its_maker_and_loses_what_its_maker_loses(
    api: Api,
) -> None:
    person = await accounts.create("ada@example.com", "Ada", None)
    tenant = await tenants.get("default")
    await tenants.add_member(tenant.id, person.id, Role.DEVELOPER)
    api.http.headers["authorization"] = f"Bearer {token_for(api, person.subject)}"
    refused = await api.http.post("/v1/keys", json={"name": "more", "scopes": ["admin"]})
    assert refused.status_code == 403
    key = await made(api, scopes=["models:write", "models:read", "predict"])
    token = (await exchange(api, key)).json()["access_token"]
    await database(api, "UPDATE members SET role = 'viewer'")
    assert (await get(api, "/v1/models", token)).status_code == 200
    assert (await exchange(api, key)).json()["scope"] == "models:read"
    headers = {"authorization": f"Bearer {token}"}
    push = await api.http.post("/v1/models", json={"name": "iris"}, headers=headers)
    assert push.status_code == 403
    await database(api, "DELETE FROM members")
    assert (await get(api, "/v1/models", token)).status_code == 401
    assert (await exchange(api, key)).status_code == 401


async def test_a_token_asked_for_with_less_makes_no_key_with_more(api: Api) -> None:
    client = (
        await api.http.post(
            "/v1/clients", json={"name": "c", "scopes": ["models:read", "models:write", "predict"]}
        )
    ).json()
    auth = (client["id"], client["secret"])
    for asked, statuses in (("models:read", (201, 403, 403)), ("", (201, 201, 201))):
        form = GRANT | ({"scope": asked} if asked else {})
        token = (await api.http.post("/oauth2/token", data=form, auth=auth)).json()["access_token"]
        headers = {"authorization": f"Bearer {token}"}
        for scope, status in zip(("models:read", "models:write", "predict"), statuses, strict=True):
            body = {"name": "k", "scopes": [scope]}
            answer = await api.http.post("/v1/keys", json=body, headers=headers)
            assert answer.status_code == status, (asked, scope, answer.text)


async def test_a_key_makes_no_other_and_revokes_itself(api: Api) -> None:
    key = await made(api, scopes=["models:read"])
    other = await made(api, scopes=["models:read"])
    token = (await exchange(api, key)).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    more = await api.http.post("/v1/keys", json={"name": "more"}, headers=headers)
    assert more.status_code == 403
    assert "makes no other" in more.json()["detail"]
    for wanted, status in ((other["id"], 404), (key["id"], 204)):
        gone = await api.http.delete(f"/v1/keys/{wanted}", headers=headers)
        assert gone.status_code == status
    assert (await get(api, "/v1/models", token)).status_code == 401


async def test_keys_of_others_are_not_there(api: Api) -> None:
    mine = await made(api)
    client = (
        await api.http.post("/v1/clients", json={"name": "c", "scopes": ["models:read"]})
    ).json()
    rival = await api.another_tenant("rival")
    token = await api.http.post("/oauth2/token", data=GRANT, auth=(client["id"], client["secret"]))
    theirs = {"authorization": f"Bearer {token.json()['access_token']}"}
    for http, headers in ((api.http, theirs), (rival.http, {})):
        assert (await http.get("/v1/keys", headers=headers)).json()["items"] == []
        gone = await http.delete(f"/v1/keys/{mine['id']}", headers=headers)
        never = await http.delete("/v1/keys/ks_api_0000000000000000", headers=headers)
        assert gone.status_code == never.status_code == 404
        detail = gone.json()["detail"]
        assert detail.replace(mine["id"], "") == never.json()["detail"].replace(
            "ks_api_0000000000000000", ""
        )
    assert (await exchange(api, mine)).status_code == 200


async def test_an_account_wide_key_gives_tokens_for_endpoints(api: Api, tmp_path: Path) -> None:
    audience = (await endpoint(api))["audience"]
    key = await made(api)
    answer = (await exchange(api, key, resource=audience, scope="predict")).json()
    assert answer["expires_in"] == 300
    claims = verifier(api, audience, tmp_path).verify(f"Bearer {answer['access_token']}")
    assert (claims.subject, claims.client) == (f"key:{key['id']}", key["id"])
    await api.http.delete(f"/v1/keys/{key['id']}")
    with pytest.raises(Unauthenticated, match="revoked"):
        verifier(api, audience, tmp_path).verify(f"Bearer {answer['access_token']}")


async def test_an_endpoint_key_opens_its_endpoint_alone(api: Api, tmp_path: Path) -> None:
    audience = (await endpoint(api))["audience"]
    await api.http.post("/v1/endpoints/other/releases", json={"model": "iris"})
    others = (await until(api, "other"))["audience"]
    rival = await api.another_tenant("rival")
    key = await made(api, endpoint="iris")
    assert key["id"].startswith("ks_ep_")
    assert (key["endpoint"], key["scopes"]) == ("iris", ["predict"])
    listed = (await api.http.get("/v1/keys")).json()["items"]
    assert [(one["id"], one["endpoint"]) for one in listed] == [(key["id"], "iris")]
    claims = verifier(api, audience, tmp_path).verify(f"Bearer {key['key']}")
    assert (claims.client, claims.scopes, claims.tenant) == (key["id"], {"predict"}, "default")
    with pytest.raises(Unauthenticated, match="another endpoint"):
        verifier(api, others, tmp_path).verify(f"Bearer {key['key']}")
    # The files of other tenants say nothing of it.
    digest = api_keys.digest(key["key"])
    assert digest in api.engine.keys_of["default"].decode()
    assert digest not in api.engine.keys[-1].decode()
    assert "rival" not in api.engine.keys_of
    # The API takes it neither as a token nor as a client.
    refused = await get(api, "/v1/models", key["key"])
    assert refused.status_code == 401
    assert "send it there" in refused.json()["detail"]
    assert (await exchange(api, key)).status_code == 401
    assert (await exchange(api, key, resource=audience)).status_code == 401
    await rival.http.delete(f"/v1/keys/{key['id']}")
    assert verifier(api, audience, tmp_path).verify(f"Bearer {key['key']}")
    await api.http.delete(f"/v1/keys/{key['id']}")
    with pytest.raises(Unauthenticated, match="revoked"):
        verifier(api, audience, tmp_path).verify(f"Bearer {key['key']}")


async def test_an_endpoint_key_goes_with_its_maker(api: Api, tmp_path: Path) -> None:
    audience = (await endpoint(api))["audience"]
    client = (
        await api.http.post(
            "/v1/clients", json={"name": "c", "scopes": ["endpoints:read", "predict"]}
        )
    ).json()
    token = await api.http.post("/oauth2/token", data=GRANT, auth=(client["id"], client["secret"]))
    headers = {"authorization": f"Bearer {token.json()['access_token']}"}
    body = {"name": "k", "endpoint": "iris"}
    key = (await api.http.post("/v1/keys", json=body, headers=headers)).json()
    assert verifier(api, audience, tmp_path).verify(f"Bearer {key['key']}")
    assert (await api.http.delete(f"/v1/clients/{client['id']}")).status_code == 204
    with pytest.raises(Unauthenticated, match="revoked"):
        verifier(api, audience, tmp_path).verify(f"Bearer {key['key']}")


async def test_an_account_wide_key_is_told_what_to_do_instead_of_being_sent(
    api: Api, tmp_path: Path
) -> None:
    audience = (await endpoint(api))["audience"]
    key = await made(api)
    refused = await get(api, "/v1/models", key["key"])
    assert refused.status_code == 401
    assert f"client_id={key['id']}" in refused.json()["detail"]
    assert key["key"] not in refused.text
    with pytest.raises(Unauthenticated, match="no endpoint may see it"):
        verifier(api, audience, tmp_path).verify(f"Bearer {key['key']}")


async def test_a_tenant_has_so_many_keys_and_no_more(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controlplane.api_keys.service.MOST_LIVE", 2)
    await made(api)
    last = await made(api)
    refused = await api.http.post("/v1/keys", json={"name": "robot"})
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/quota-exceeded")
    await api.http.delete(f"/v1/keys/{last['id']}")
    await made(api)


async def test_deleting_an_endpoint_takes_its_keys_along(api: Api) -> None:
    await endpoint(api)
    await made(api, endpoint="iris")
    await api.http.delete("/v1/endpoints/iris")
    async with asyncio.timeout(10):
        while (await api.http.get("/v1/keys")).json()["items"]:
            await asyncio.sleep(0.02)
    assert "api_keys" not in json.loads(api.engine.keys[-1])
