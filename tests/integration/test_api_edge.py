"""What stands before the routes: headers, HEAD, OPTIONS, content types, other origins, pages."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.api import Api, running_api

PAGE = "https://app.example.com"


async def test_every_answer_tells_browsers_to_do_nothing_with_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(api.app.state.store, "put", broken)
    upload = {"content": b"x", "headers": {"content-type": "application/octet-stream"}}
    answers = [
        await api.http.get("/v1/models"),
        await api.http.get("/nothing"),
        await api.http.post("/v1/models", content=b"{"),
        await api.http.post("/v1/models/iris/versions", **upload),
        await api.token(),
        await api.http.get("/docs"),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 415, 500, 200, 200]
    for answer in answers:
        headers = answer.headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-request-id"]
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers
    assert all(answer.headers["cache-control"] == "no-store" for answer in answers[:5])
    keys = await api.http.get("/oauth2/jwks.json")
    assert keys.headers["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/oauth2/token"), ("POST", "/login"), ("GET", "/v1/models"), ("GET", "/docs")],
)
async def test_a_slash_too_many_sends_nobody_elsewhere(api: Api, method: str, path: str) -> None:
    form = {"secret": "s"} if method == "POST" else None
    answer = await api.http.request(method, f"{path}/", data=form, headers={"host": "evil.example"})
    assert answer.status_code == 404
    assert "location" not in answer.headers
    assert "evil.example" not in answer.text
    assert answer.json()["detail"].endswith(f"slash: {path}")


async def test_pages_load_nothing_from_elsewhere_and_have_no_script_within(api: Api) -> None:
    page = await api.http.get("/docs")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe-inline" not in page.headers["content-security-policy"].partition("style")[0]
    assert re.findall(r"<script(?! src=\"/)[^>]*>[^<]", page.text) == []
    assert "://" not in page.text
    for name in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        asset = await api.http.get(name, headers={"authorization": ""})
        assert asset.status_code == 200, name
        assert asset.content
        assert asset.headers["content-type"].split(";")[0] in (
            "text/javascript",
            "text/css",
            "image/png",
        )
    assert (await api.http.get("/openapi.json")).json()["info"]["title"] == "KubeServe"


async def test_head_is_get_without_its_body(api: Api) -> None:
    await api.http.post("/v1/models", json={"name": "iris"})
    for path in ("/v1/models/iris", "/healthz", "/v1/models/none", "/docs", "/v1/endpoints"):
        whole, head = await api.http.get(path), await api.http.head(path)
        assert head.status_code == whole.status_code, path
        assert head.content == b""
        for name in ("content-type", "etag"):
            assert head.headers.get(name) == whole.headers.get(name), path
    unknown = await api.http.head("/v1/models", headers={"authorization": ""})
    assert unknown.status_code == 401


async def test_an_address_tells_what_it_takes(api: Api) -> None:
    takes = {
        "/v1/models": "GET, POST, HEAD, OPTIONS",
        "/v1/models/iris": "GET, DELETE, HEAD, OPTIONS",
        "/v1/models/iris/aliases/best": "GET, PUT, DELETE, HEAD, OPTIONS",
        "/oauth2/token": "POST, OPTIONS",
    }
    for path, methods in takes.items():
        asked = await api.http.options(path, headers={"authorization": ""})
        assert (asked.status_code, asked.headers["allow"]) == (204, methods)
        wrong = await api.http.request("PATCH", path)
        assert (wrong.status_code, wrong.headers["allow"]) == (405, methods)
        assert wrong.json()["allow"] == methods.split(", ")
    assert (await api.http.options("/nothing")).status_code == 404


@pytest.mark.parametrize(
    "said",
    ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", ""],
)
async def test_what_is_not_json_is_told_what_to_send(api: Api, said: str) -> None:
    headers = {"content-type": said} if said else {}
    answer = await api.http.post("/v1/models", content=b'{"name": "x"}', headers=headers)
    assert answer.status_code == 415
    assert "Content-Type: application/json" in answer.json()["detail"]
    nobody = {**headers, "authorization": ""}
    refused = await api.http.post("/v1/models", content=b'{"name": "x"}', headers=nobody)
    assert refused.status_code == 401


async def test_json_in_utf_8_is_taken_however_it_is_written(api: Api) -> None:
    for number, said in enumerate(("application/json", "Application/JSON; Charset=UTF-8")):
        body = f'{{"name": "m-{number}"}}'.encode()
        answer = await api.http.post("/v1/models", content=body, headers={"content-type": said})
        assert answer.status_code == 201


async def preflight(http: httpx.AsyncClient, origin: str) -> httpx.Response:
    asks = {"origin": origin, "access-control-request-method": "POST"}
    return await http.options(
        "/v1/models", headers={**asks, "access-control-request-headers": "authorization"}
    )


async def test_other_origins_are_let_in_by_name_only(postgres_server: str, tmp_path: Path) -> None:
    async with running_api(
        postgres_server, tmp_path, cors_origins=f"{PAGE}, http://[::1]:3000"
    ) as api:
        allowed = await preflight(api.http, PAGE)
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == PAGE
        assert "authorization" in allowed.headers["access-control-allow-headers"].lower()
        assert "access-control-allow-credentials" not in allowed.headers
        read = await api.http.get("/v1/models", headers={"origin": PAGE})
        assert read.headers["access-control-allow-origin"] == PAGE
        assert "ETag".lower() in read.headers["access-control-expose-headers"].lower()
        for origin in (
            "https://evil.example.com",
            "null",
            f"{PAGE}.evil.com",
            "http://app.example.com",
        ):
            refused = await preflight(api.http, origin)
            assert "access-control-allow-origin" not in refused.headers
            answer = await api.http.get("/v1/models", headers={"origin": origin})
            assert "access-control-allow-origin" not in answer.headers


async def test_other_origins_are_not_let_in_unless_told(api: Api) -> None:
    answer = await preflight(api.http, PAGE)
    assert not [name for name in answer.headers if name.startswith("access-control")]
