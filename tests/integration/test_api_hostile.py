"""Words nobody should send, on every route: each is refused in words, none is our failure."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey
from tortoise import connections

from controlplane.permissions import RULES, Role
from controlplane.telemetry import JsonFormatter
from tests.integration.api import Api
from tests.integration.people import Browser, person

WORDS = [
    "%00",
    "a%00b",
    "%C2%B2",
    "%D9%A3",
    "%FF",
    "%2e%2e",
    "%20",
    "9" * 30,
    "2147483648",
    "-1",
    "a" * 5000,
    "production'--",
]
BODIES: dict[str, list[Any]] = {
    "/v1/tenants": [{"name": "a\0b"}, {"name": 1}, {}, [], None],
    "/v1/clients": [
        {"name": "a\0b"},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["a\0b"]},
        {"name": "x", "tenant": "a\0b"},
        {"name": "x" * 201},
    ],
    "/v1/models": [{"name": "a\0b"}, {"name": "x", "description": "a\0b"}, 1, "x"],
    "/v1/endpoints/e/releases": [
        {"model": "a\0b"},
        {"model": "a" * 5000},
        {"model": "known", "version": "a\0b"},
        {"model": "known", "version": 2**40},
        {"model": "known", "version": "²"},
        {"model": "known", "version": ""},
        {"model": "known", "timeout_s": "NaN"},
        {"model": "known", "scaling": {"target": "inf"}},
        {"model": "known", "traffic": []},
        {"model": "known", "traffic": [{"version": 2**40, "percent": 100}]},
        {"model": "known", "traffic": [{"revision": "a\0b", "percent": 100}]},
        {"traffic": [{"revision": "a" * 5000, "percent": 100}]},
    ],
    "/v1/endpoints/e/rollback": [{"to": 2**40}, {"to": 0}, {"to": "x"}],
}


JSON = {"content-type": "application/json"}


def refused(status: int) -> bool:
    return 400 <= status < 500


async def test_no_word_in_an_address_is_our_failure(api: Api) -> None:
    await api.http.post("/v1/models", json={"name": "known"})
    for method, path in RULES:
        first = path.find("{")
        if first < 0:
            continue
        for word in WORDS:
            deep = path.count("{") > 1
            address = path.replace("{model}", "known") if deep else path
            while "{" in address:
                address = address[: address.index("{")] + word + address[address.index("}") + 1 :]
            answer = await api.http.request(method, address, json={"version": 1})
            assert refused(answer.status_code), (method, address, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"


async def test_no_body_is_our_failure(api: Api) -> None:
    await api.http.post("/v1/models", json={"name": "known"})
    for path, bodies in BODIES.items():
        for body in bodies:
            answer = await api.http.post(path, json=body)
            assert refused(answer.status_code), (path, body, answer.text)
            assert answer.json()["detail"], (path, body)
    for raw in (b"", b"{", b"\xff", b'{"name": "\xff"}', b'{"name": "\\ud800"}', b"[" * 100_000):
        answer = await api.http.post("/v1/models", content=raw, headers=JSON)
        assert refused(answer.status_code), (raw[:20], answer.text)


async def test_no_cursor_is_our_failure(api: Api) -> None:
    await api.http.post("/v1/models", json={"name": "known"})
    keys = [b"a\0b", "²".encode(), b"9" * 30, b"\xff", b"", b"a" * 5000]
    cursors = [base64.urlsafe_b64encode(key).decode().rstrip("=") for key in keys] + ["%", "é"]
    for path in ("/v1/models", "/v1/models/known/versions", "/v1/clients", "/v1/tenants"):
        for cursor in cursors:
            answer = await api.http.get(path, params={"cursor": cursor})
            assert answer.status_code in (200, 422), (path, cursor, answer.text)
        for limit in ("0", "201", "x", "-1", "9" * 30):
            assert (await api.http.get(path, params={"limit": limit})).status_code == 422


NEVER_KEPT = ("a\0b", "x\ud800", "\udfff")
PUBLIC_KEY = {**ECKey.generate_key("P-256").as_dict(private=False), "kid": "k"}


@pytest.mark.parametrize("text", NEVER_KEPT)
async def test_no_text_of_a_document_is_our_failure(api: Api, text: str) -> None:
    documents = [
        ("/v1/tenants", {"name": "rival", "owner": f"{text}@example.com"}),
        ("/v1/tenants", {"name": "rival", text: 1}),
        ("/v1/invitations", {"role": "viewer", "email": f"{text}@example.com"}),
        ("/v1/clients", {"name": "x", "scopes": [text]}),
        ("/v1/clients", {"name": "x", "redirect_uris": [f"https://example.com/{text}"]}),
        *(
            ("/v1/clients", {"name": "x", "jwks": {"keys": [{**PUBLIC_KEY, **changed}]}})
            for changed in ({"kid": text}, {"x5c": [text]}, {"more": {"of": text}}, {text: 1})
        ),
        ("/v1/keys", {"name": "x", "scopes": [text]}),
        ("/v1/endpoints/iris/releases", {"model": "iris", "version": text}),
        ("/v1/endpoints/iris/rollouts", {"model": "iris", "replay": {"instances": [[text]]}}),
        ("/v1/webhooks", {"url": "https://example.com", "events": [text]}),
    ]
    for path, document in documents:
        answer = await api.http.post(path, content=json.dumps(document), headers=JSON)
        assert answer.status_code == 422, (path, document, answer.text)
        assert "NUL" in answer.json()["detail"]


async def test_keys_of_a_client_are_kept_in_a_bounded_form(api: Api) -> None:
    async def create(**changed: Any) -> httpx.Response:
        jwks = {"keys": [{**PUBLIC_KEY, **changed}]}
        return await api.http.post("/v1/clients", json={"name": "x", "jwks": jwks})

    assert (await create(kid="k" * 256)).status_code == 422
    made = await create(x5c=["A" * 10_000], alg="ES256", more="x")
    assert made.status_code == 201, made.text
    rows = await connections.get("default").execute_query_dict(
        "SELECT jwks FROM oauth_clients WHERE id = $1", [made.json()["id"]]
    )
    (kept,) = json.loads(rows[0]["jwks"])["keys"]
    assert {*kept} == {"kty", "crv", "x", "y", "kid", "use"}


WORDS_OF_QUERIES = ["a%00b", "%ED%A0%80", "a" * 150, "a" * 4000]


async def test_no_word_in_a_query_is_our_failure(api: Api) -> None:
    await person("own@example.com", default=Role.OWNER)
    browser = Browser(api)
    await browser.sign_in("own@example.com")
    for path, operations in api.app.openapi()["paths"].items():
        if "get" not in operations or path == "/v1/endpoints/{endpoint}/logs":
            continue
        found = [one["name"] for one in operations["get"].get("parameters", ())]
        address = re.sub(r"\{\w+\}", "iris", path)
        for name in {*found, "kubeserve-tenant"}:
            for word in WORDS_OF_QUERIES:
                answer = await browser.http.get(f"{address}?{name}={word}")
                assert answer.status_code < 500, (address, name, word, answer.text)
    for word in ("a" * 4000, "é"):
        asked = {b"kubeserve-tenant": word.encode("latin-1")}
        answer = await browser.http.get("/v1/me", headers=asked)  # type: ignore[arg-type]
        assert answer.status_code == 403, answer.text


ENDS_OF_TIME = [
    "0001-01-01T00:00:00+23:59",
    "0001-01-01T00:00:00Z",
    "0002-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-23:59",
    "9999-12-31T23:59:59.999999Z",
    "9999-01-01T00:00:00Z",
]
FAR_AWAY = ["0002-01-01T00:00:00Z", "0002-01-01T00:00:00-23:59", "9998-12-31T23:59:59+23:59"]


async def test_no_time_is_our_failure(api: Api) -> None:
    asked = [
        ("GET", "/v1/audit", ("since", "until")),
        ("GET", "/v1/audit?format=ndjson", ("since", "until")),
        ("GET", "/v1/usage", ("from", "to")),
        ("GET", "/v1/endpoints/iris/payloads", ("since", "until")),
        ("DELETE", "/v1/endpoints/iris/payloads", ("before",)),
    ]
    for method, path, names in asked:
        for name in names:
            for time in (*ENDS_OF_TIME, *FAR_AWAY):
                address = httpx.URL(path).copy_merge_params({name: time})
                answer = await api.http.request(method, address)
                assert answer.status_code < 500, (method, path, name, time, answer.text)
                if time in ENDS_OF_TIME:
                    assert answer.status_code == 422, (method, path, name, time)
    for time in ENDS_OF_TIME:
        for window in ({"since": time}, {"since": "2026-11-01T00:00:00Z", "until": time}):
            answer = await api.http.put("/v1/endpoints/iris/drift/reference", json=window)
            assert answer.status_code == 422, (window, answer.text)


async def test_a_resource_of_any_length_is_no_failure_of_ours(api: Api) -> None:
    issuer = str(api.http.base_url).rstrip("/")
    form = {"client_id": "kubeserve-cli", "resource": f"{issuer}/"}
    device = Browser(api).http
    assert (await device.post("/oauth2/device_authorization", data=form)).status_code == 200
    for resource in (f"{issuer}//", issuer + "/" * 5000, f"{issuer}/endpoints/{'a' * 5000}"):
        asked = {**form, "resource": resource}
        answer = await device.post("/oauth2/device_authorization", data=asked)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")
        assert (await api.token(resource=resource)).json()["error"] == "invalid_target"


def credentials(api: Api) -> Iterator[tuple[dict[str, str], bytes, str]]:
    """Give form, Authorization header and OAuth's word for the refusal."""

    def basic(raw: bytes) -> bytes:
        return b"Basic " + base64.b64encode(raw)

    right = {"client_id": api.client_id, "client_secret": api.client_secret}
    ours = basic(f"{api.client_id}:{api.client_secret}".encode())
    for form in (
        {"client_id": "é", "client_secret": "é"},
        {"client_id": "a" * 5000, "client_secret": "x"},
        {**right, "client_secret": "é"},
        {**right, "client_secret": ""},
        {"client_id": api.client_id},
        {},
    ):
        yield form, b"", "invalid_client"
    for header in (
        b"Basic",
        b"Basic \xff",
        b"Basic ====",
        basic(b"a\0:b"),
        basic(b"\xff:b"),
        basic(b"no colon"),
        basic(api.client_id.encode()),
        b"Bearer " + ours[6:],
        b"Digest x",
    ):
        yield {}, header, "invalid_client"
    yield {"client_id": "a\0b", "client_secret": "x"}, b"", "invalid_request"
    yield right, ours, "invalid_request"
    yield {"client_id": "ks-0000000000000000"}, ours, "invalid_request"
    yield {"scope": '"'}, ours, "invalid_scope"
    yield {"scope": "models:read models:everything"}, ours, "invalid_scope"
    audience = f"{api.http.base_url}endpoints/"
    for resource in (audience, f"{audience}é", f"{audience}../x", "x", "http://[", f"{audience}0"):
        yield {"resource": resource}, ours, "invalid_target"


async def test_no_credentials_are_our_failure(api: Api) -> None:
    for form, header, error in credentials(api):
        answer = await api.http.post(
            "/oauth2/token",
            data={"grant_type": "client_credentials", **form},
            headers={b"authorization": header},  # type: ignore[arg-type]  # httpx takes bytes
        )
        assert answer.status_code == (401 if error == "invalid_client" else 400), (form, header)
        assert answer.json()["error"] == error, (form, header, answer.text)
        assert answer.headers["cache-control"] == "no-store"
        if answer.status_code == 401:
            assert answer.headers["www-authenticate"].startswith("Basic")
            assert answer.json()["error_description"] == "Client authentication failed."


@pytest.mark.parametrize("token", ["", "a b", "\xff", "a." * 1000, "A" * 200_000, "..", "e30.e30."])
async def test_no_token_is_our_failure(api: Api, token: str) -> None:
    header = {b"authorization": b"Bearer " + token.encode("latin-1")}
    answer = await api.http.get("/v1/models", headers=header)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert json.loads(answer.text)["type"] == "/problems/unauthenticated"


async def test_our_failure_is_told_by_its_id_alone(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(api.app.state.store, "put", broken)
    answer = await api.http.post(
        "/v1/models/iris/versions",
        content=b"x",
        headers={"content-type": "application/octet-stream", "x-request-id": "r-1"},
    )
    assert answer.status_code == 500
    assert answer.json()["request_id"] == "r-1"
    assert "hunter2" not in answer.text
    logged = [r for r in caplog.records if getattr(r, "members", {}).get("request_id") == "r-1"]
    assert "hunter2" in JsonFormatter().format(logged[0])
