"""Clients and their tokens; who may do what is in the access matrix."""

import base64
import json
import uuid

import asyncpg
import pytest

from tests.integration.api import Api
from tests.integration.test_api_endpoints import ready_versions, until


async def call(api: Api, method: str, path: str, token: str | None) -> int:
    headers = {"authorization": f"Bearer {token}"} if token else {"authorization": ""}
    return (await api.http.request(method, path, headers=headers)).status_code


async def test_another_tenants_things_are_not_there(api: Api) -> None:
    await api.http.post("/v1/models", json={"name": "iris"})
    other = await api.another_tenant("rival")
    for path in ("/v1/models/iris", "/v1/models/iris/versions", "/v1/endpoints/iris"):
        assert (await other.http.get(path)).status_code == 404, path
    assert (await other.http.delete("/v1/models/iris")).status_code == 404
    assert (await other.http.get("/v1/models")).json()["items"] == []
    assert (await api.http.get("/v1/models/iris")).status_code == 200


async def test_an_administrator_of_a_tenant_does_not_administer_the_installation(api: Api) -> None:
    other = await api.another_tenant("rival")
    made = await api.http.post(
        "/v1/clients", json={"name": "boss", "tenant": "rival", "scopes": ["admin"]}
    )
    other.client_id, other.client_secret = made.json()["id"], made.json()["secret"]
    await other.sign_in()
    assert (await other.http.get("/v1/tenants")).status_code == 403
    assert (await other.http.post("/v1/tenants", json={"name": "mine"})).status_code == 403
    grab = {"name": "grab", "tenant": "default"}
    assert (await other.http.post("/v1/clients", json=grab)).status_code == 403


async def test_no_token_is_for_another_tenants_endpoint(api: Api) -> None:
    await ready_versions(api, 1)
    await api.http.post("/v1/endpoints/iris/releases", json={"model": "iris"})
    audience = (await until(api, "iris"))["audience"]
    other = await api.another_tenant("rival")
    assert (await other.token(resource=audience)).json()["error"] == "invalid_target"
    assert (await api.token(resource=audience, scope="predict")).status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"scope": "predict"}, "invalid_scope"),
        ({"resource": "http://elsewhere/endpoints/x"}, "invalid_target"),
    ],
    ids=["grant", "unknown scope", "predict without endpoint", "foreign resource"],
)
async def test_a_bad_token_request_is_told_in_oauths_words(
    api: Api, form: dict[str, str], error: str
) -> None:
    answer = await api.token(**form)
    assert answer.status_code == 400
    assert answer.json()["error"] == error


async def test_an_unknown_client_and_a_wrong_secret_are_one_answer(api: Api) -> None:
    answers = [
        await api.http.post(
            "/oauth2/token", data={"grant_type": "client_credentials"}, auth=(who, "kss_wrong")
        )
        for who in (api.client_id, f"ks-{uuid.uuid4().hex[:16]}")
    ]
    assert [a.status_code for a in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()


async def test_parameters_twice_or_in_the_address_are_refused(api: Api) -> None:
    body = "grant_type=client_credentials&grant_type=client_credentials"
    kind = {"content-type": "application/x-www-form-urlencoded"}
    twice = await api.http.post("/oauth2/token", content=body, headers=kind)
    assert twice.json()["error"] == "invalid_request"
    asked = await api.http.post("/oauth2/token?grant_type=client_credentials", data={"a": "b"})
    assert asked.json()["error"] == "invalid_request"


async def test_a_token_says_what_rfc_9068_wants(api: Api) -> None:
    token = (await api.token()).json()["access_token"]
    header, claims = (
        json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]
    )
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    assert claims["aud"] == claims["iss"] == str(api.http.base_url).rstrip("/")
    assert claims["sub"] == f"client:{api.client_id}"
    assert claims["exp"] - claims["iat"] == 900
    assert "predict" not in claims["scope"].split()
    kids = [k["kid"] for k in (await api.http.get("/oauth2/jwks.json")).json()["keys"]]
    assert header["kid"] in kids


async def test_a_revoked_clients_token_ends_at_once_and_the_runtimes_hear_of_it(api: Api) -> None:
    other = await api.another_tenant("rival")
    made = await api.http.post("/v1/clients", json={"name": "short-lived"})
    token = (
        await api.http.post(
            "/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=(made.json()["id"], made.json()["secret"]),
        )
    ).json()["access_token"]
    assert await call(api, "GET", "/v1/models", token) == 200
    assert (await other.http.delete(f"/v1/clients/{made.json()['id']}")).status_code == 403
    gone = await api.http.delete(f"/v1/clients/{made.json()['id']}")
    assert gone.status_code == 204
    assert await call(api, "GET", "/v1/models", token) == 401
    assert made.json()["id"] in json.loads(api.engine.keys_of["default"])["revoked"]["clients"]


async def test_a_client_made_twice_with_one_key_is_one_whose_secret_is_not_readable(
    api: Api,
) -> None:
    key = {"idempotency-key": "k-1"}
    first, second = [
        (await api.http.post("/v1/clients", json={"name": "robot"}, headers=key)).json()
        for _ in range(2)
    ]
    assert first == second
    auth = (second["id"], second["secret"])
    grant = {"grant_type": "client_credentials"}
    assert (await api.http.post("/oauth2/token", data=grant, auth=auth)).status_code == 200
    listed = (await api.http.get("/v1/clients")).json()["items"]
    assert [c["name"] for c in listed].count("robot") == 1
    assert all("secret" not in client for client in listed)
    url = api.app.state.settings.database_url.get_secret_value()
    connection = await asyncpg.connect(url)
    try:
        for table in ("idempotency_keys", "oauth_clients", "oauth_signing_keys"):
            rows = await connection.fetch(f"SELECT t::text AS row FROM {table} t")
            assert rows
            assert all(second["secret"] not in row["row"] for row in rows)
    finally:
        await connection.close()
