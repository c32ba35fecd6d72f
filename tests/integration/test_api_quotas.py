"""Quotas through the API: shown, set, and held against many at once."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from controlplane.builder.environments import Tell
from controlplane.builder.job import Builder, Order
from controlplane.builder.report import Limits, Outcome, Report
from runtime.plan.ops import override
from tests.integration.api import Api, running_api
from tests.integration.test_api_endpoints import ready_versions
from tests.integration.test_api_registry import OCTETS, blobs, model_bytes, until_built


async def limit(api: Api, tenant: str = "default", **limits: int | None) -> dict[str, Any]:
    answer = await api.http.put(f"/v1/tenants/{tenant}/quota", json=limits)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def used(api: Api, name: str) -> Any:
    return (await api.http.get("/v1/quota")).json()[name]["used"]


def announced(raw: bytes) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(raw).digest()).decode()
    return {**OCTETS, "content-digest": f"sha-256=:{digest}:"}


async def push(api: Api, model: str, raw: bytes) -> httpx.Response:
    url = f"/v1/models/{model}/versions"
    return await api.http.post(url, content=raw, headers=announced(raw))


async def test_a_quota_is_the_installations_until_something_is_set(api: Api) -> None:
    shown = (await api.http.get("/v1/quota")).json()
    assert shown["tenant"] == "default"
    assert shown["models"] == {"limit": 1000, "used": 0, "own": False}
    assert shown["replicas"] == {"limit": 100, "used": 0, "own": False}
    assert shown["cpu_millis"]["used"] is None

    answer = await api.http.get("/v1/tenants/default/quota")
    changed = await api.http.put(
        "/v1/tenants/default/quota",
        json={"models": 3, "replicas": 7},
        headers={"if-match": answer.headers["etag"]},
    )
    assert changed.json()["models"] == {"limit": 3, "used": 0, "own": True}
    assert changed.json()["endpoints"]["own"] is False
    late = await api.http.put(
        "/v1/tenants/default/quota", json={}, headers={"if-match": answer.headers["etag"]}
    )
    assert late.status_code == 412
    assert api.engine.limits["default"].replicas == 7
    assert api.engine.limits[""].replicas == 100

    url = api.app.state.settings.database_url.get_secret_value()
    connection = await asyncpg.connect(url)
    try:
        (row,) = await connection.fetch("SELECT * FROM audit_events WHERE action = 'quota.set'")
    finally:
        await connection.close()
    assert (row["subject"], row["target"]) == (f"client:{api.client_id}", "tenant:default")
    assert json.loads(row["detail"]) == {"limits": {"models": 3, "replicas": 7}}

    assert (await limit(api))["models"] == {"limit": 1000, "used": 0, "own": False}
    assert api.engine.limits["default"].replicas == 100


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"models": -1}, "models"),
        ({"builds": 0}, "builds"),
        ({"storage_bytes": 1 << 53}, "storage_bytes"),
        ({"requests_per_s": "many"}, "requests_per_s"),
        ({"loadtests": True}, "loadtests"),
        ({"model": 3}, "model"),
    ],
)
async def test_a_bad_quota_is_refused_by_name(api: Api, body: dict[str, Any], field: str) -> None:
    answer = await api.http.put("/v1/tenants/default/quota", json=body)
    assert answer.status_code == 422
    assert field in answer.json()["detail"]
    assert (await api.http.put("/v1/tenants/nobody/quota", json={})).status_code == 404


async def test_a_tenant_sees_its_own_quota_and_sets_none(api: Api) -> None:
    other = await api.another_tenant("rival")
    await limit(api, "rival", models=1)
    assert (await other.http.get("/v1/quota")).json()["models"]["limit"] == 1
    assert (await api.http.get("/v1/quota")).json()["models"]["limit"] == 1000
    for answer in (
        await other.http.put("/v1/tenants/rival/quota", json={"models": 100}),
        await other.http.get("/v1/tenants/default/quota"),
    ):
        assert answer.status_code == 403


async def test_the_last_place_goes_to_one_of_many_at_once(api: Api) -> None:
    await ready_versions(api)
    await limit(api, models=3, endpoints=2)

    async def make_model(at: int) -> httpx.Response:
        return await api.http.post("/v1/models", json={"name": f"model-{at}"})

    async def push_model(at: int) -> httpx.Response:
        return await push(api, f"pushed-{at}", model_bytes(float(at)))

    async def deploy(at: int) -> httpx.Response:
        url = f"/v1/endpoints/endpoint-{at}/releases"
        return await api.http.post(url, json={"model": "iris", "version": 1})

    async def refused(make: Callable[[int], Awaitable[httpx.Response]], room: int) -> Any:
        answers = await asyncio.gather(*(make(at) for at in range(1, 7)))
        codes = sorted(answer.status_code for answer in answers)
        assert codes == [201] * room + [403] * (6 - room), [a.text for a in answers]
        return next(a.json() for a in answers if a.status_code == 403)

    problem = await refused(make_model, 2)
    assert problem["type"] == "/problems/quota-exceeded"
    assert (problem["quota"], problem["limit"], problem["used"]) == ("models", 3, 3)
    assert "Delete models that are not needed" in problem["detail"]
    await limit(api, models=5, endpoints=2)
    await refused(push_model, 2)
    problem = await refused(deploy, 2)
    assert (problem["quota"], problem["limit"], problem["used"]) == ("endpoints", 2, 2)
    assert (await used(api, "models"), await used(api, "endpoints")) == (5, 2)

    warm = {"model": "iris", "version": 1, "scaling": {"min_scale": 4}}
    await limit(api, models=5, endpoints=9, replicas=3)
    answer = await api.http.post("/v1/endpoints/warm/releases", json=warm)
    assert (answer.status_code, answer.json()["quota"]) == (403, "replicas")
    await limit(api, models=5, endpoints=2)

    # What is there goes on: another version, another release.
    assert (await push(api, "iris", model_bytes(9.0))).status_code == 201
    names = [e["name"] for e in (await api.http.get("/v1/endpoints")).json()["items"]]
    again = await api.http.post(f"/v1/endpoints/{names[0]}/releases", json={"model": "iris"})
    assert again.status_code == 201, again.text
    assert (await api.http.delete(f"/v1/endpoints/{names[0]}")).status_code == 204
    assert (await deploy(9)).status_code == 201


async def test_storage_is_uploads_and_plans_the_same_content_once(api: Api) -> None:
    raw, other = model_bytes(1.0), model_bytes(2.0)
    assert (await push(api, "iris", raw)).status_code == 201
    version = await until_built(api, "iris", 1)
    held = len(raw) + version["plan_size_bytes"]
    assert await used(api, "storage_bytes") == held
    assert (await push(api, "again", raw)).status_code == 201
    # The plan of the other build is another one: it says what it cost when it was measured.
    held += (await until_built(api, "again", 1))["plan_size_bytes"]
    assert await used(api, "storage_bytes") == held

    before = sorted(blobs(api))
    await limit(api, storage_bytes=held + len(other) - 1)
    refused = await push(api, "iris", other)
    assert refused.status_code == 403
    assert refused.json()["quota"] == "storage_bytes"
    assert (refused.json()["limit"], refused.json()["used"]) == (held + len(other) - 1, held)

    async def unannounced() -> Any:
        for at in range(0, len(other), 100):
            yield other[at : at + 100]

    streamed = await api.http.post(
        "/v1/models/iris/versions", content=unannounced(), headers=OCTETS
    )
    assert streamed.status_code == 403, streamed.text
    assert sorted(blobs(api)) == before
    assert (await push(api, "iris", raw)).status_code == 200  # nothing new


async def test_two_uploads_at_once_do_not_both_take_the_last_bytes(api: Api) -> None:
    files = [model_bytes(float(at)) for at in range(1, 5)]
    await limit(api, storage_bytes=max(map(len, files)))
    answers = await asyncio.gather(*(push(api, f"model-{at}", raw) for at, raw in enumerate(files)))
    assert sorted(a.status_code for a in answers) == [201, 403, 403, 403]


async def test_a_plan_without_room_fails_the_version_and_says_why(api: Api) -> None:
    raw = model_bytes(1.0)
    await limit(api, storage_bytes=len(raw) + 10)
    assert (await push(api, "iris", raw)).status_code == 201
    failed = await until_built(api, "iris", 1)
    assert failed["state"] == "failed"
    assert "bytes of storage" in failed["reason"]
    await limit(api)
    assert (await push(api, "iris", raw)).status_code == 200
    assert (await until_built(api, "iris", 1))["state"] == "ready"


async def test_what_endpoints_keep_of_a_deleted_model_still_counts(api: Api) -> None:
    await ready_versions(api)
    plan = (await api.http.get("/v1/models/iris/versions/1")).json()["plan_size_bytes"]
    made = await api.http.post("/v1/endpoints/iris/releases", json={"model": "iris"})
    assert made.status_code == 201
    assert (await api.http.delete("/v1/models/iris")).status_code == 204
    assert await used(api, "storage_bytes") == plan


class Gated(Builder):
    """Builds nothing, in the order that it is asked; each waits until it is let go."""

    def __init__(self) -> None:
        super().__init__(Limits(), warm=False)
        self.begun: list[str] = []
        self.going = asyncio.Semaphore(0)

    @override
    async def build(
        self, source: Path, work: Path, tell: Tell | None = None, order: Order | None = None
    ) -> Report:
        """Note whose it is."""
        assert order is not None
        self.begun.append(order.tenant)
        await self.going.acquire()
        return Report(Outcome.FAILED, "It was not tried.")


async def test_a_tenant_with_many_builds_does_not_delay_anothers_one(
    postgres_server: str, tmp_path: Path
) -> None:
    builder = Gated()
    async with running_api(postgres_server, tmp_path, builder) as api:
        other = await api.another_tenant("rival")
        files = [model_bytes(float(at)) for at in range(1, 21)]
        for raw in files:
            assert (await push(api, "many", raw)).status_code == 201
        assert (await push(other, "one", files[0])).status_code == 201
        assert await used(api, "builds") == 1
        for _ in range(21):
            builder.going.release()
        await until_built(other, "one", 1)
        assert builder.begun[1] == "rival"
        await until_built(api, "many", 20)
        assert builder.begun.count("default") == 20


async def test_builds_side_by_side_of_one_tenant_are_bounded(
    postgres_server: str, tmp_path: Path
) -> None:
    builder = Gated()
    async with running_api(postgres_server, tmp_path, builder, builds_at_once=4) as api:
        other = await api.another_tenant("rival")
        await limit(api, builds=2)
        for at in range(1, 5):
            assert (await push(api, "many", model_bytes(float(at)))).status_code == 201
        assert (await push(other, "one", model_bytes(1.0))).status_code == 201
        async with asyncio.timeout(20):
            while len(builder.begun) < 3:
                await asyncio.sleep(0.02)
        assert sorted(builder.begun) == ["default", "default", "rival"]
        assert await used(api, "builds") == 2
        for _ in range(5):
            builder.going.release()
        await until_built(api, "many", 4)


async def test_who_asks_too_often_is_told_when_to_come_again(
    postgres_server: str, tmp_path: Path
) -> None:
    async with running_api(postgres_server, tmp_path, tenant_requests_per_s=1) as api:
        answers = [await api.http.get("/v1/models") for _ in range(12)]
        codes = [answer.status_code for answer in answers]
        assert codes.count(429) >= 1
        first = answers[0]
        assert first.headers["ratelimit-limit"] == "10"
        assert first.headers["ratelimit-policy"] == "10;w=10"
        assert int(first.headers["ratelimit-remaining"]) < 10
        refused = answers[codes.index(429)]
        assert refused.json()["type"] == "/problems/rate-limited"
        assert 1 <= int(refused.headers["retry-after"]) <= 2
        assert refused.headers["ratelimit-remaining"] == "0"
        # Who has no token yet, and whoever looks whether we live, is no tenant.
        assert (await api.http.get("/healthz")).status_code == 200
        assert (await api.token()).status_code == 200
