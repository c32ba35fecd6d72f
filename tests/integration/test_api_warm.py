"""Warm windows through the API: what the engine is told, when, and what is refused."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controlplane.engines.engine import ColdStart, ObservedEndpoint
from controlplane.reconciler.endpoints import MOST_AHEAD, UNMEASURED, WARM_EVERY, ahead, reconcile
from tests.integration.api import Api
from tests.integration.test_api_registry import OCTETS, until_built

PATH = "/v1/endpoints/iris/warm-windows"
ALWAYS = {"cron": "* * * * *", "minutes": 60, "replicas": 3, "time_zone": "Europe/Berlin"}


@pytest.fixture
async def api(quick_api: Api) -> Api:
    """Give the application with an endpoint."""
    await quick_api.http.post("/v1/models/iris/versions", content=b"\x80\x04N.", headers=OCTETS)
    assert (await until_built(quick_api, "iris", 1))["state"] == "ready"
    body = {"model": "iris", "scaling": {"max_scale": 5}}
    assert (await quick_api.http.post("/v1/endpoints/iris/releases", json=body)).status_code == 201
    return quick_api


async def until_warm(api: Api, replicas: int | None) -> None:
    async with asyncio.timeout(20):
        while [one.warm for one in api.engine.wanted.values()] != [replicas]:
            await asyncio.sleep(0.02)


async def test_the_engine_is_told_at_once_and_nothing_is_released(api: Api) -> None:
    await until_warm(api, None)
    answer = await api.http.put(PATH, json={"windows": [ALWAYS]})
    assert answer.status_code == 200, answer.text
    (shown,) = answer.json()["windows"]
    assert (shown["open"], shown["replicas"]) == (True, 3)
    assert datetime.fromisoformat(shown["next_start"]) > datetime.now(UTC) - timedelta(minutes=1)
    await until_warm(api, 3)
    (wanted,) = api.engine.wanted.values()
    assert (wanted.generation, wanted.scaling.min_scale) == (1, 0)
    assert (await api.http.get("/v1/endpoints/iris")).json()["warm_replicas"] == 3
    assert (await api.http.get(PATH)).json()["windows"][0]["cron"] == "* * * * *"
    assert (await api.http.put(PATH, json={"windows": []})).json() == {"windows": []}
    await until_warm(api, 0)
    assert len((await api.http.get("/v1/endpoints/iris/releases")).json()["items"]) == 1


async def test_nothing_is_told_again_while_nothing_changes(api: Api) -> None:
    await api.http.put(PATH, json={"windows": [ALWAYS]})
    await until_warm(api, 3)
    (key,) = api.engine.wanted
    told, apply = list[Any](), api.engine.apply

    async def counted(desired: Any) -> None:
        told.append(desired)
        await apply(desired)

    api.engine.apply = counted  # type: ignore[method-assign]
    for _ in range(5):
        assert not await reconcile(uuid.UUID(key), api.engine, "http://k")
    assert told == []


BAD: list[tuple[dict[str, Any], int, str]] = [
    ({"cron": "at eight"}, 422, "no cron expression"),
    ({"cron": "0 0 30 2 *"}, 422, "0 0 30 2 *"),
    ({"time_zone": "Europe/Nowhere"}, 422, "no time zone"),
    ({"time_zone": "../etc/passwd"}, 422, "no time zone"),
    ({"minutes": 0}, 422, "minutes"),
    ({"minutes": 10_081}, 422, "minutes"),
    ({"replicas": 0}, 422, "replicas"),
    ({"more": 1}, 422, "more"),
]


async def test_a_bad_window_changes_nothing(api: Api) -> None:
    for change, status, said in BAD:
        answer = await api.http.put(PATH, json={"windows": [ALWAYS | change]})
        assert (answer.status_code, said in answer.text) == (status, True), answer.text
    many = await api.http.put(PATH, json={"windows": [ALWAYS] * 21})
    assert many.status_code == 422
    assert (await api.http.get(PATH)).json() == {"windows": []}
    nowhere = await api.http.put("/v1/endpoints/none/warm-windows", json={"windows": []})
    assert nowhere.status_code == 404


async def test_it_wants_no_more_than_the_tenant_may_have(api: Api) -> None:
    await api.http.put("/v1/tenants/default/quota", json={"replicas": 2})
    answer = await api.http.put(PATH, json={"windows": [ALWAYS]})
    assert (answer.status_code, answer.json()["quota"]) == (403, "replicas")


def test_it_opens_ahead_by_the_cold_start_that_was_measured() -> None:
    def seen(total_ms: float) -> ObservedEndpoint:
        start = ColdStart(datetime.now(UTC), total_ms, {})
        return ObservedEndpoint("x", 1, "", 0, 0, (), cold_start=start)  # type: ignore[arg-type]

    assert ahead(None) == UNMEASURED + WARM_EVERY
    assert ahead(seen(4_000)) == timedelta(seconds=8) + WARM_EVERY
    assert ahead(seen(3_600_000)) == MOST_AHEAD
