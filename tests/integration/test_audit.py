"""The audit log: every change of every domain is in it once, with who, what and from where."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controlplane.app import routes_of
from controlplane.audit import service as audit
from controlplane.audit.denials import EVERY_S, MOST, Denials
from controlplane.callers import Caller
from tests.integration.api import Api
from tests.integration.test_api_endpoints import until
from tests.integration.test_api_registry import OCTETS, until_built

PICKLE = b"\x80\x04N."
LOAD = {"endpoint": "iris", "shape": {"kind": "steady", "rate": 1, "duration": "1s"}}
HOOK = {"url": "https://hooks.invalid/", "events": ["slo.*"]}
# In an order in which each finds what it changes: (route) → path, body, action, target.
CHANGES: dict[tuple[str, str], tuple[str, Any, str, str]] = {
    ("POST", "/v1/tenants"): ("/v1/tenants", {"name": "rival"}, "tenant.create", "tenant:rival"),
    ("PUT", "/v1/tenants/{tenant}/quota"): (
        "/v1/tenants/default/quota", {"replicas": 90}, "quota.set", "tenant:default"
    ),
    ("POST", "/v1/admin/keys/rotate"): ("/v1/admin/keys/rotate", {}, "keys.rotate", "signing-keys"),
    ("POST", "/v1/models"): ("/v1/models", {"name": "iris"}, "model.create", "model:iris"),
    ("POST", "/v1/models/{model}/versions"): (
        "/v1/models/iris/versions", PICKLE, "version.upload", "version:iris:1",
    ),
    ("PUT", "/v1/models/{model}/aliases/{alias}"): (
        "/v1/models/iris/aliases/production", {"version": 1}, "alias.set", "alias:iris:production",
    ),
    ("DELETE", "/v1/models/{model}/aliases/{alias}"): (
        "/v1/models/iris/aliases/production", None, "alias.delete", "alias:iris:production",
    ),
    ("POST", "/v1/endpoints/{endpoint}/releases"): (
        "/v1/endpoints/iris/releases", {"model": "iris"}, "endpoint.deploy", "endpoint:iris",
    ),
    ("POST", "/v1/endpoints/{endpoint}/rollback"): (
        "/v1/endpoints/iris/rollback", {"to": 1}, "endpoint.rollback", "endpoint:iris",
    ),
    ("PUT", "/v1/endpoints/{endpoint}/warm-windows"): (
        "/v1/endpoints/iris/warm-windows", {"windows": []}, "endpoint.warm", "endpoint:iris",
    ),
    ("PUT", "/v1/endpoints/{endpoint}/slo"): (
        "/v1/endpoints/iris/slo", {"p99": "50ms"}, "endpoint.slo", "endpoint:iris",
    ),
    ("DELETE", "/v1/endpoints/{endpoint}/slo"): (
        "/v1/endpoints/iris/slo", None, "endpoint.slo", "endpoint:iris",
    ),
    ("PUT", "/v1/endpoints/{endpoint}/payload-log"): (
        "/v1/endpoints/iris/payload-log", {"sample": 0.1}, "endpoint.payload-log", "endpoint:iris",
    ),
    ("DELETE", "/v1/endpoints/{endpoint}/payload-log"): (
        "/v1/endpoints/iris/payload-log", None, "endpoint.payload-log", "endpoint:iris",
    ),
    ("DELETE", "/v1/endpoints/{endpoint}/payloads"): (
        "/v1/endpoints/iris/payloads", None, "payloads.delete", "endpoint:iris",
    ),
    ("PUT", "/v1/endpoints/{endpoint}/drift/reference"): (
        "/v1/endpoints/iris/drift/reference", {"since": "2026-11-01T00:00:00Z"},
        "endpoint.drift-reference", "endpoint:iris",
    ),
    ("DELETE", "/v1/endpoints/{endpoint}/drift/reference"): (
        "/v1/endpoints/iris/drift/reference", None, "endpoint.drift-reference", "endpoint:iris",
    ),
    ("PUT", "/v1/models/{model}/versions/{version}/reference"): (
        "/v1/models/iris/versions/1/reference",
        {"rows": 3, "columns": {"x0": {"kind": "number", "counts": [3], "missing": 0}}},
        "version.reference", "version:iris:1",
    ),
    ("POST", "/v1/endpoints/{endpoint}/rollouts"): (
        "/v1/endpoints/iris/rollouts", {"model": "iris", "version": 2}, "endpoint.canary",
        "endpoint:iris",
    ),
    ("POST", "/v1/endpoints/{endpoint}/rollouts/{rollout}/cancel"): (
        "/v1/endpoints/iris/rollouts/1/cancel", None, "endpoint.cancel", "endpoint:iris",
    ),
    ("POST", "/v1/loadtests"): (
        "/v1/loadtests", LOAD, "loadtest.create", "loadtest:{loadtest}",
    ),
    ("POST", "/v1/loadtests/{loadtest}/cancel"): (
        "/v1/loadtests/{loadtest}/cancel", None, "loadtest.cancel", "loadtest:{loadtest}",
    ),
    ("POST", "/v1/keys"): ("/v1/keys", {"name": "robot"}, "key.create", "key:{key}"),
    ("DELETE", "/v1/keys/{key}"): ("/v1/keys/{key}", None, "key.revoke", "key:{key}"),
    ("POST", "/v1/webhooks"): ("/v1/webhooks", HOOK, "webhook.create", "webhook:{webhook}"),
    ("POST", "/v1/webhooks/{webhook}/rotate"): (
        "/v1/webhooks/{webhook}/rotate", {}, "webhook.rotate", "webhook:{webhook}",
    ),
    ("POST", "/v1/webhooks/{webhook}/test"): (
        "/v1/webhooks/{webhook}/test", None, "webhook.test", "webhook:{webhook}",
    ),
    ("POST", "/v1/webhooks/{webhook}/deliveries/{delivery}/redeliver"): (
        "/v1/webhooks/{webhook}/deliveries/1/redeliver", None, "webhook.redeliver",
        "webhook:{webhook}",
    ),
    ("PATCH", "/v1/webhooks/{webhook}"): (
        "/v1/webhooks/{webhook}", {"enabled": False}, "webhook.change", "webhook:{webhook}",
    ),
    ("DELETE", "/v1/webhooks/{webhook}"): (
        "/v1/webhooks/{webhook}", None, "webhook.delete", "webhook:{webhook}",
    ),
    ("POST", "/v1/clients"): ("/v1/clients", {"name": "robot"}, "client.create", "client:{client}"),
    ("DELETE", "/v1/clients/{client}"): (
        "/v1/clients/{client}", None, "client.revoke", "client:{client}",
    ),
    ("DELETE", "/v1/endpoints/{endpoint}"): (
        "/v1/endpoints/iris", None, "endpoint.delete", "endpoint:iris",
    ),
    ("DELETE", "/v1/models/{model}"): ("/v1/models/iris", None, "model.delete", "model:iris"),
}  # fmt: skip
# They change nothing that is kept.
CHANGE_NOTHING = {
    ("POST", path)
    for path in (
        "/oauth2/token",
        "/oauth2/introspect",
        "/oauth2/userinfo",
        "/device",
        "/v1/endpoints/{endpoint}/try",
    )
}
# What they write is in the tests of grants.
OF_GRANTS = {
    ("POST", path)
    for path in (
        "/oauth2/authorize",
        "/oauth2/device_authorization",
        "/oauth2/revoke",
        "/device/decision",
    )
}
# What they write is in the tests of people, members and pages, which need people to be there.
OF_PEOPLE = {
    ("POST", "/login"),
    ("POST", "/logout"),
    ("POST", "/account"),
    ("POST", "/account/password"),
    ("POST", "/invitations/accept"),
    ("PATCH", "/v1/people/{person}"),
    ("POST", "/v1/people/{person}/password-link"),
    ("PATCH", "/v1/members/{member}"),
    ("DELETE", "/v1/members/{member}"),
    ("POST", "/v1/invitations"),
    ("DELETE", "/v1/invitations/{invitation}"),
}


@pytest.fixture
async def api(quick_api: Api) -> Api:
    """Give the application without what its first start wrote."""
    await audit.forget(datetime.now(UTC) + timedelta(seconds=1))
    return quick_api


async def events(api: Api, **query: Any) -> list[dict[str, Any]]:
    answer = await api.http.get("/v1/audit", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def change(api: Api, route: tuple[str, str], named: dict[str, str]) -> Any:
    method, (path, body) = route[0], CHANGES[route][:2]
    sent: dict[str, Any] = {"json": body} if body is not None else {}
    if isinstance(body, bytes):
        sent = {"content": body, "headers": OCTETS}
    return await api.http.request(method, path.format(**named), **sent)


async def test_every_route_that_changes_something_writes_one_row(api: Api) -> None:
    changing = {key for key in routes_of(api.app) if key[0] not in ("GET", "HEAD", "OPTIONS")}
    assert changing - CHANGE_NOTHING - OF_PEOPLE - OF_GRANTS == set(CHANGES)
    named: dict[str, str] = {}
    for route, (_, body, action, target) in CHANGES.items():
        if route[1].endswith("/rollback"):
            await api.http.post("/v1/endpoints/iris/releases", json={"model": "iris"})
        if route[1].endswith("/rollouts"):
            await api.http.post("/v1/models/iris/versions", content=PICKLE + b"2", headers=OCTETS)
            assert (await until_built(api, "iris", 2))["state"] == "ready"
        before = await events(api)
        answer = await change(api, route, named)
        assert answer.status_code < 300, (route, answer.text)
        if answer.status_code == 201 and body in ({"name": "robot"}, LOAD, HOOK):
            named[route[1].rsplit("/", 1)[1].rstrip("s")] = answer.json()["id"]
        if body == PICKLE:
            assert (await until_built(api, "iris", 1))["state"] == "ready"
        now = await events(api)
        assert now[1:] == before, route
        newest = now[0]
        assert (newest["action"], newest["target"]) == (action, target.format(**named))
        assert newest["subject"] == f"client:{api.client_id}"
        assert newest["subject_name"] == "first administrator"
        assert newest["address"] == "127.0.0.1"
        assert newest["request_id"] == answer.headers["x-request-id"]


async def test_a_change_that_failed_or_was_done_before_is_not_in_it(api: Api) -> None:
    key = {"idempotency-key": "k"}
    for _ in range(2):
        await api.http.post("/v1/models", json={"name": "iris"}, headers=key)
    assert (await api.http.post("/v1/models", json={"name": "iris"})).status_code == 409
    assert (await api.http.delete("/v1/models/none")).status_code == 404
    assert (await api.http.delete("/v1/models/iris/aliases/none")).status_code == 404
    assert (await api.http.post("/v1/models", json={"name": "NO"})).status_code == 422
    assert [event["action"] for event in await events(api)] == ["model.create"]


async def test_it_is_paged_filtered_and_exported(api: Api) -> None:
    for number in range(7):
        await api.http.post("/v1/models", json={"name": f"m-{number}"})
    await api.http.delete("/v1/models/m-3")
    everything = await events(api, limit=200)
    assert [e["target"] for e in everything[:3]] == ["model:m-3", "model:m-6", "model:m-5"]
    found, cursor = [], None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        answer = (await api.http.get("/v1/audit", params=query)).json()
        found += answer["items"]
        if (cursor := answer["next"]) is None:
            break
    assert found == everything
    assert [e["target"] for e in await events(api, action="model.delete")] == ["model:m-3"]
    assert len(await events(api, action="model.")) == 8
    assert len(await events(api, target="model:m-3")) == 2
    assert len(await events(api, subject=f"client:{api.client_id}")) == 8
    assert await events(api, subject="client:nobody") == []
    middle = everything[4]["at"]
    assert await events(api, until=middle) == everything[5:]
    assert await events(api, since=middle) == everything[:5]
    export = await api.http.get("/v1/audit", params={"format": "ndjson", "action": "model."})
    assert export.headers["content-type"] == "application/x-ndjson"
    operation = (await api.http.get("/openapi.json")).json()["paths"]["/v1/audit"]["get"]
    assert {*operation["responses"]["200"]["content"]} >= {"application/x-ndjson"}
    assert [json.loads(line) for line in export.text.splitlines()] == everything


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"cursor": "???"},
        {"since": "yesterday"},
        {"since": "2026-01-01T00:00:00"},
        {"since": "2026-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
        {"format": "xml"},
        {"action": "a\0b"},
        {"target": "x" * 201},
    ],
    ids=str,
)
async def test_a_bad_question_is_refused(api: Api, query: dict[str, Any]) -> None:
    assert (await api.http.get("/v1/audit", params=query)).status_code == 422


async def test_a_large_export_is_cut_into_pieces(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "EXPORTED_AT_A_TIME", 2)
    for number in range(5):
        await api.http.post("/v1/models", json={"name": f"m-{number}"})
    export = await api.http.get("/v1/audit", params={"format": "ndjson"})
    assert len(export.text.splitlines()) == 5


async def test_what_the_installation_does_to_a_tenant_is_in_that_tenants_log(api: Api) -> None:
    rival = await api.another_tenant("rival")
    body = {"name": "boss", "tenant": "rival", "scopes": ["admin"]}
    boss = (await api.http.post("/v1/clients", json=body)).json()
    rival.client_id, rival.client_secret = boss["id"], boss["secret"]
    await rival.sign_in()
    theirs = await events(rival)
    assert [e["target"] for e in theirs][:1] == [f"client:{boss['id']}"]
    assert {e["detail"]["of_tenant"] for e in theirs} == {"default"}
    # Whoever that was, a tenant does not learn their name.
    assert {e["subject_name"] for e in theirs} == {"an administrator of this installation"}
    assert [e["action"] for e in await events(api)] == ["tenant.create"]
    assert (await rival.http.post("/v1/models", json={"name": "theirs"})).status_code == 201
    assert "theirs" not in json.dumps(await events(api))


async def test_refused_changes_are_in_it_but_not_as_often_as_somebody_asks(api: Api) -> None:
    body = {"name": "reader", "scopes": ["models:read"]}
    made = (await api.http.post("/v1/clients", json=body)).json()
    grant = {"grant_type": "client_credentials"}
    auth = (made["id"], made["secret"])
    token = (await api.http.post("/oauth2/token", data=grant, auth=auth)).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    for _ in range(3):
        refused = await api.http.delete("/v1/models/iris", headers=headers)
        assert refused.status_code == 403
        assert (await api.http.get("/v1/clients", headers=headers)).status_code == 403
    (denied,) = await events(api, action="request.denied")
    assert denied["target"] == "DELETE /v1/models/{model}"
    assert denied["subject_name"] == "reader"
    assert denied["detail"] == {"why": "This needs the scope models:write.", "more": 0}


async def test_a_flood_of_refusals_is_counted_and_not_kept(api: Api) -> None:
    now = [0.0]
    denials = Denials(clock=lambda: now[0])
    callers = [Caller("default", f"client:{n}", f"{n}", frozenset()) for n in range(MOST + 50)]
    for caller in callers:
        await denials.record(caller, "POST", "/v1/models", "no")
        await denials.record(caller, "GET", "/v1/models", "no")
    rival = Caller("rival", "client:r", "r", frozenset())
    await denials.record(rival, "POST", "/v1/models", "no")
    assert len(await events(api, action="request.denied", limit=200)) == MOST
    now[0] += EVERY_S
    await denials.record(callers[0], "POST", "/v1/models", "no")
    newest = (await events(api, action="request.denied"))[0]
    assert newest["detail"]["more"] == 50


async def test_old_events_are_forgotten(api: Api) -> None:
    await api.http.post("/v1/models", json={"name": "iris"})
    now = datetime.now(UTC)
    assert await audit.forget(now - timedelta(days=365)) == 0
    assert await audit.forget(now + timedelta(seconds=1)) == 1
    assert await events(api) == []


async def test_readable_names_stand_beside_subjects(api: Api) -> None:
    await api.http.post("/v1/models/iris/versions", content=PICKLE, headers=OCTETS)
    await until_built(api, "iris", 1)
    await api.http.post("/v1/endpoints/iris/releases", json={"model": "iris"})
    await until(api, "iris")
    for path in ("/v1/models/iris/versions", "/v1/endpoints/iris/releases"):
        (item,) = (await api.http.get(path)).json()["items"]
        assert item["created_by"] == f"client:{api.client_id}"
        assert item["created_by_name"] == "first administrator"
    one = (await api.http.get("/v1/models/iris/versions/1")).json()
    assert one["created_by_name"] == "first administrator"
