"""Models and versions through the API: what a tenant sees, what a bad upload leaves behind."""

import asyncio
import base64
import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import joblib
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.builder.environments import Tell
from controlplane.builder.job import Builder, Order
from controlplane.builder.report import Report
from tests.integration.api import Api, running_api

OCTETS = {"content-type": "application/octet-stream"}


def model_bytes(c: float = 1.0) -> bytes:
    x, y = load_iris(return_X_y=True)
    out = io.BytesIO()
    joblib.dump(LogisticRegression(C=c, max_iter=500).fit(x, y), out)
    return out.getvalue()


async def until_built(api: Api, model: str, number: int) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            found = (await api.http.get(f"/v1/models/{model}/versions/{number}")).json()
            if found["state"] in ("ready", "failed"):
                return dict(found)
            await asyncio.sleep(0.05)


def blobs(api: Api) -> list[str]:
    return [p.name for p in (api.home / "artifacts").rglob("*") if p.is_file()]


async def test_a_pushed_model_becomes_a_plan(api: Api) -> None:
    raw = model_bytes()
    digest = base64.b64encode(hashlib.sha256(raw).digest()).decode()
    pushed = await api.http.post(
        "/v1/models/iris/versions",
        content=raw,
        headers={**OCTETS, "content-digest": f"sha-256=:{digest}:"},
    )
    assert pushed.status_code == 201
    assert pushed.json()["number"] == 1
    built = await until_built(api, "iris", 1)
    assert built["state"] == "ready", built
    assert built["backend"] == "plan"
    assert built["estimator"].endswith("LogisticRegression")
    assert [c["name"] for c in built["signature"]["columns"]] == ["x0", "x1", "x2", "x3"]
    assert built["signature"]["outputs"][0]["name"] == "predict"


async def test_a_build_that_takes_long_says_why(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, build = asyncio.Event(), Builder.build

    async def slowly(
        self: Builder, source: Path, work: Path, tell: Tell | None, order: Order
    ) -> Report:
        assert tell is not None
        await tell("Preparing scikit-learn 1.3.2.")
        await go_on.wait()
        return await build(self, source, work, tell, order)

    monkeypatch.setattr(Builder, "build", slowly)
    await api.http.post("/v1/models/iris/versions", content=model_bytes(), headers=OCTETS)
    async with asyncio.timeout(30):
        while True:
            found = (await api.http.get("/v1/models/iris/versions/1")).json()
            if found["reason"]:
                break
            await asyncio.sleep(0.01)
    assert (found["state"], found["reason"]) == ("building", "Preparing scikit-learn 1.3.2.")
    go_on.set()
    built = await until_built(api, "iris", 1)
    assert (built["state"], built["reason"]) == ("ready", None)


async def test_the_same_bytes_twice_are_one_version(api: Api) -> None:
    raw = model_bytes()
    first = await api.http.post("/v1/models/iris/versions", content=raw, headers=OCTETS)
    second = await api.http.post("/v1/models/iris/versions", content=raw, headers=OCTETS)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["number"] == 1
    assert hashlib.sha256(raw).hexdigest() in blobs(api)


@pytest.mark.parametrize(
    ("content", "headers", "status", "said"),
    [
        (b"", {}, 422, "empty"),
        (b"Rar!\x1a\x07 an archive", {}, 422, "joblib.dump"),
        (b"\x80\x04x", {"content-type": "application/json"}, 415, "octet-stream"),
        (
            b"\x80\x04x",
            {"content-digest": f"sha-256=:{base64.b64encode(b'x' * 32).decode()}:"},
            400,
            "send the file again",
        ),
        (b"\x80\x04x", {"content-digest": "md5=:eA==:"}, 422, "Content-Digest"),
    ],
    ids=["empty", "archive", "wrong type", "other digest", "unknown digest"],
)
async def test_a_bad_upload_leaves_nothing_behind(
    api: Api, content: bytes, headers: dict[str, str], status: int, said: str
) -> None:
    answer = await api.http.post(
        "/v1/models/bad/versions", content=content, headers={**OCTETS, **headers}
    )
    assert answer.status_code == status
    assert said in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert blobs(api) == []
    assert (await api.http.get("/v1/models/bad")).status_code == 404


async def test_an_interrupted_upload_leaves_nothing_behind(api: Api) -> None:
    async with api.on_a_socket() as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        authorization = api.http.headers["authorization"]
        writer.write(
            b"POST /v1/models/gone/versions HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n"
            b"content-type: application/octet-stream\r\n"
            + f"authorization: {authorization}\r\n\r\n".encode()
            + b"\x80\x04"
            + bytes(5000)
        )
        await writer.drain()
        async with asyncio.timeout(10):
            while not blobs(api):  # its first bytes have arrived
                await asyncio.sleep(0.01)
            writer.transport.abort()
            while blobs(api):
                await asyncio.sleep(0.01)
    assert (await api.http.get("/v1/models/gone")).status_code == 404


async def test_too_large_is_refused_while_it_is_read(postgres_server: str, tmp_path: Any) -> None:
    async with running_api(postgres_server, tmp_path, max_upload_bytes=1000) as api:

        async def endless() -> AsyncIterator[bytes]:
            for _ in range(10):
                yield b"\x80\x04" + bytes(500)

        answer = await api.http.post("/v1/models/big/versions", content=endless(), headers=OCTETS)
        assert answer.status_code == 413
        assert answer.json()["limit"] == 1000
        assert blobs(api) == []


@pytest.mark.parametrize("name", ["Iris", "1iris", "iris-", "a" * 41, "ir is"])
async def test_a_bad_name_is_told_with_the_rule(api: Api, name: str) -> None:
    answer = await api.http.post("/v1/models", json={"name": name})
    assert answer.status_code == 422
    assert "lower-case letters" in answer.json()["detail"]


async def test_a_hostile_pickle_fails_with_a_reason(api: Api) -> None:
    hostile = b"cos\nsystem\n(S'touch /tmp/should-not-be'\ntR."
    answer = await api.http.post(
        "/v1/models/evil/versions", content=b"\x80\x04" + hostile, headers=OCTETS
    )
    assert answer.status_code == 201
    failed = await until_built(api, "evil", 1)
    assert failed["state"] == "failed"
    assert failed["reason"]


async def test_a_failed_version_is_tried_again_when_pushed_again(api: Api) -> None:
    raw = b"\x80\x04N."  # a pickle of None
    for status in (201, 200):
        answer = await api.http.post("/v1/models/none/versions", content=raw, headers=OCTETS)
        assert answer.status_code == status
        assert answer.json()["state"] == "uploaded"
        assert (await until_built(api, "none", 1))["state"] == "failed"


async def test_aliases_move_and_only_to_ready_versions(api: Api) -> None:
    for c in (1.0, 0.5):
        await api.http.post("/v1/models/iris/versions", content=model_bytes(c), headers=OCTETS)
    alias = "/v1/models/iris/aliases/production"
    for number in (1, 2):
        await until_built(api, "iris", number)
        assert (await api.http.put(alias, json={"version": number})).status_code == 200
        assert (await api.http.get(alias)).json()["version"] == number
    found = await api.http.get("/v1/models/iris/versions/production")
    assert found.json()["number"] == 2
    assert found.json()["aliases"] == ["production"]
    assert (await api.http.put(alias, json={"version": 9})).status_code == 404
    assert (await api.http.delete(alias)).status_code == 204
    assert (await api.http.get("/v1/models/iris/versions/production")).status_code == 404


async def test_lists_are_paged_by_cursor(api: Api) -> None:
    for name in ("a", "b", "c"):
        await api.http.post("/v1/models", json={"name": name})
    first = (await api.http.get("/v1/models", params={"limit": 2})).json()
    rest = (await api.http.get("/v1/models", params={"limit": 2, "cursor": first["next"]})).json()
    names = [m["name"] for m in first["items"] + rest["items"]]
    assert (names, rest["next"]) == (["a", "b", "c"], None)
    assert (await api.http.get("/v1/models", params={"cursor": "%%%"})).status_code == 422


async def test_a_list_takes_as_many_queries_however_many_it_shows(
    quick_api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    async def queries() -> tuple[int, list[Any]]:
        caplog.clear()
        with caplog.at_level("DEBUG", "tortoise.db_client"):
            shown = (await quick_api.http.get("/v1/models")).json()["items"]
        said = [record.getMessage() for record in caplog.records]
        # Not those of the loop that builds, which looks at versions of all models.
        asked = [one for one in said if "model_id" in one and "JOIN" not in one]
        return len(asked), shown

    await quick_api.http.post("/v1/models", json={"name": "empty"})
    one, _ = await queries()
    for name in ("iris", "wine"):
        for c in (1.0, 0.5):
            at = f"/v1/models/{name}/versions"
            await quick_api.http.post(at, content=model_bytes(c), headers=OCTETS)
        await until_built(quick_api, name, 1)
        alias = f"/v1/models/{name}/aliases/production"
        assert (await quick_api.http.put(alias, json={"version": 1})).status_code == 200
        await until_built(quick_api, name, 2)
    three, shown = await queries()
    assert [(m["latest_state"], m["aliases"]) for m in shown] == [
        (None, {}),
        ("ready", {"production": 1}),
        ("ready", {"production": 1}),
    ]
    assert shown[0]["latest_at"] is None
    second = (await quick_api.http.get("/v1/models/wine/versions/2")).json()
    assert shown[2]["latest_at"] == second["created_at"]
    assert 0 < three == one


async def test_a_change_of_what_has_changed_is_refused(api: Api) -> None:
    await api.http.post("/v1/models", json={"name": "iris"})
    seen = (await api.http.get("/v1/models/iris")).headers["etag"]
    await api.http.post("/v1/models/iris/versions", content=model_bytes(), headers=OCTETS)
    stale = await api.http.delete("/v1/models/iris", headers={"if-match": seen})
    assert stale.status_code == 412
    assert (await api.http.delete("/v1/models/iris")).status_code == 204


async def test_uploads_at_once_are_numbered_one_by_one_and_the_same_bytes_are_one(api: Api) -> None:
    files = [b"\x80\x04K%c." % n for n in range(4) for _ in range(3)]
    answers = await asyncio.gather(
        *(api.http.post("/v1/models/new/versions", content=raw, headers=OCTETS) for raw in files)
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 8 + [201] * 4
    numbers = {
        raw: {answers[i].json()["number"] for i, r in enumerate(files) if r == raw} for raw in files
    }
    assert sorted(next(iter(found)) for found in numbers.values()) == [1, 2, 3, 4]
    assert all(len(found) == 1 for found in numbers.values())
    assert (await api.http.get("/v1/models/new")).json()["versions"] == 4


async def test_a_model_deleted_while_it_is_pushed_to_is_never_our_failure(api: Api) -> None:
    for n in range(5):
        pushed, deleted = await asyncio.gather(
            api.http.post("/v1/models/brief/versions", content=b"\x80\x04K%c." % n, headers=OCTETS),
            api.http.delete("/v1/models/brief"),
        )
        assert pushed.status_code in (201, 409), pushed.text
        assert deleted.status_code in (204, 404), deleted.text
