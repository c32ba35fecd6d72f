"""Words nobody should send, on every route: each is refused in words, none is our failure."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from controlplane.permissions import RULES
from controlplane.telemetry import JsonFormatter
from tests.integration.api import Api

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
    kind = {"content-type": "application/json"}
    for raw in (b"", b"{", b"\xff", b'{"name": "\xff"}', b'{"name": "\\ud800"}', b"[" * 100_000):
        answer = await api.http.post("/v1/models", content=raw, headers=kind)
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
