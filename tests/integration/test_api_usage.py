"""Usage through the API: what was counted is shown once, whatever died between two readings."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controlplane.engines.engine import Counters, EndpointId, Metered
from controlplane.reconciler.metering import record_all
from controlplane.tenants import service as tenants
from controlplane.usage import repository, service
from controlplane.usage.metering import day_of
from controlplane.usage.service import Kept
from tests.integration.api import Api, running_api
from tests.integration.test_api_endpoints import ready_versions, until


def counters(requests: int, seconds: float = 0.0) -> Counters:
    return Counters(requests, 2 * requests, 1, 1, seconds / 4, 0.0, seconds, seconds)


async def deployed(api: Api, *names: str) -> list[EndpointId]:
    """Make endpoints; gives their ids."""
    await ready_versions(api)
    for name in names:
        url = f"/v1/endpoints/{name}/releases"
        assert (await api.http.post(url, json={"model": "iris"})).status_code == 201
    return [EndpointId((await until(api, name))["id"]) for name in names]


async def usage(api: Api, **query: str) -> list[dict[str, Any]]:
    answer = await api.http.get("/v1/usage", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def tell(api: Api, endpoint: EndpointId, source: str, counted: Counters) -> None:
    api.engine.metered[endpoint] = Metered(endpoint, source, counted)


async def test_a_reading_twice_late_or_by_two_at_once_counts_once(api: Api) -> None:
    (iris,) = await deployed(api, "iris")
    now = datetime.now(UTC)
    tell(api, iris, "a", counters(10, 40.0))
    await asyncio.gather(*(record_all(api.engine, now) for _ in range(4)))
    await record_all(api.engine, now)
    (row,) = await usage(api)
    assert (row["endpoint"], row["requests"], row["rows"], row["wakes"]) == ("iris", 10, 20, 1)
    assert (row["busy_s"], row["idle_s"], row["ready_s"]) == (10.0, 30.0, 40.0)

    tell(api, iris, "a", counters(15, 60.0))
    await asyncio.gather(*(record_all(api.engine, now + timedelta(seconds=20)) for _ in range(4)))
    (row,) = await usage(api)
    assert (row["requests"], row["ready_s"]) == (15, 60.0)

    # The supervisor lost its memory and counts from nothing, under another name.
    tell(api, iris, "b", counters(4, 10.0))
    await record_all(api.engine, now + timedelta(seconds=40))
    # A power cut gave it back an older one.
    tell(api, iris, "b", counters(1, 2.0))
    await record_all(api.engine, now + timedelta(seconds=60))
    tell(api, iris, "b", counters(6, 12.0))
    await record_all(api.engine, now + timedelta(seconds=80))
    (row,) = await usage(api)
    assert (row["requests"], row["ready_s"]) == (21, 72.0)


async def test_what_was_used_before_a_deletion_stays(api: Api) -> None:
    (iris,) = await deployed(api, "iris")
    tell(api, iris, "a", counters(7, 5.0))
    assert (await api.http.delete("/v1/endpoints/iris")).status_code == 204
    async with asyncio.timeout(10):
        while api.engine.wanted:
            await asyncio.sleep(0.02)
    (row,) = await usage(api)
    assert (row["endpoint"], row["endpoint_id"], row["requests"]) == ("iris", iris, 7)
    assert await record_all(api.engine, datetime.now(UTC)) == 0


async def test_hours_days_and_pages_sum_to_the_total(api: Api) -> None:
    names = ("a", "b", "c")
    for number, endpoint in enumerate(await deployed(api, *names), 1):
        tell(api, endpoint, "x", counters(number))
    begin = datetime.now(UTC)
    await record_all(api.engine, begin)
    for endpoint in tuple(api.engine.metered):
        tell(api, endpoint, "x", counters(1000))
    await record_all(api.engine, begin + timedelta(hours=30))
    period = {
        "from": (begin - timedelta(hours=1)).isoformat(),
        "to": (begin + timedelta(days=3)).isoformat(),
    }
    total = await usage(api, **period)
    assert [row["requests"] for row in total] == [1000] * 3
    for interval, least in (("day", 2), ("hour", 30)):
        rows = await usage(api, **period, interval=interval, limit="200", endpoint="b")
        assert len(rows) >= least
        assert sum(row["requests"] for row in rows) == 1000
        assert [row["start"] for row in rows] == sorted({row["start"] for row in rows})
    paged, cursor = [], None
    while True:
        query = {**period, "interval": "day", "limit": "2"}
        if cursor is not None:
            query["cursor"] = cursor
        answer = (await api.http.get("/v1/usage", params=query)).json()
        paged += answer["items"]
        cursor = answer["next"]
        if cursor is None:
            break
        assert len(answer["items"]) == 2
    assert sum(row["requests"] for row in paged) == 3000
    assert len({(row["start"], row["endpoint"]) for row in paged}) == len(paged)
    lasted = sum(row["lasted_s"] for row in paged if row["endpoint"] == "a")
    assert lasted == pytest.approx(30 * 3600, abs=120)


async def test_an_estimate_sets_what_was_used_against_one_that_is_kept_warm(
    postgres_server: str, tmp_path: Any
) -> None:
    prices = {"price_cpu_hour": 0.04, "price_gib_hour": 0.005}
    async with running_api(postgres_server, tmp_path, **prices) as api:
        (iris,) = await deployed(api, "iris")
        begin = datetime.now(UTC)
        await record_all(api.engine, begin)
        tell(api, iris, "x", counters(100, 360.0))
        await record_all(api.engine, begin + timedelta(hours=10))
        later = (begin + timedelta(hours=11)).isoformat()
        answer = (await api.http.get("/v1/usage", params={"to": later})).json()
        (row,) = answer["items"]
        used, warm = row["cost"]["used"], row["cost"]["kept_warm"]
        assert answer["prices"] == {"cpu_hour": 0.04, "gib_hour": 0.005}
        assert (used["replica_s"], used["cpu_s"]) == (360.0, 36.0)
        assert used["memory_gib_s"] == pytest.approx(360 * 66 / 1024)
        assert warm["replica_s"] == pytest.approx(36_000, abs=120)
        assert used["money"] == pytest.approx(
            (36 * 0.04 + 360 * 66 / 1024 * 0.005) / 3600, abs=1e-6
        )
        assert warm["money"] / used["money"] == pytest.approx(100, rel=0.05)


async def test_without_prices_there_is_no_money_and_null_is_what_nobody_counts(api: Api) -> None:
    (iris,) = await deployed(api, "iris")
    now = datetime.now(UTC)
    tell(api, iris, "first", Counters(None, None, 1, 1, None, 3.0, 7.0, 10.0))
    await record_all(api.engine, now)
    answer = (await api.http.get("/v1/usage")).json()
    (row,) = answer["items"]
    assert answer["prices"] is None
    assert row["cost"]["used"]["money"] is None
    assert (row["requests"], row["rows"], row["busy_s"], row["idle_s"]) == (None,) * 4
    assert (row["starting_s"], row["ready_s"]) == (3.0, 7.0)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"from": "2026-11-02T00:00:00Z", "to": "2026-11-01T00:00:00Z"}, "before to"),
        ({"from": "2026-11-01T00:00:00"}, "has its zone"),
        ({"to": "1.05"}, "has its zone"),
        ({"to": "1793491200"}, "has its zone"),
        ({"from": "2020-01-01T00:00:00Z"}, "400 days"),
        ({"from": "yesterday"}, "from"),
        ({"interval": "week"}, "interval"),
        ({"endpoint": "Not A Name"}, "lower-case"),
        ({"cursor": "bm90LW91cnM"}, "cursor"),
        ({"limit": "0"}, "limit"),
    ],
)
async def test_a_bad_question_is_refused_by_name(
    api: Api, query: dict[str, str], says: str
) -> None:
    answer = await api.http.get("/v1/usage", params=query)
    assert answer.status_code == 422, answer.text
    assert says in answer.json()["detail"]


async def test_a_tenant_sees_its_own_usage_alone(api: Api) -> None:
    (iris,) = await deployed(api, "iris")
    tell(api, iris, "a", counters(1))
    await record_all(api.engine, datetime.now(UTC))
    other = await api.another_tenant("rival")
    assert await usage(other) == []
    assert len(await usage(api)) == 1


async def test_old_hours_become_days_with_the_same_sums_and_the_oldest_go(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "STEP_ROWS", 7)
    (iris,) = await deployed(api, "iris")
    now = datetime.now(UTC)
    old = day_of(now - timedelta(days=100))
    tenant = (await tenants.get("default")).id
    hours = [old + timedelta(hours=hour) for hour in range(-5, 30)]
    gone = day_of(now - timedelta(days=1200))
    amounts = dict.fromkeys(repository.ADDED, 1)
    for hour in (*hours, gone):
        await repository.add(tenant, uuid.UUID(iris), "iris", hour, {**amounts, "busy_s": None})
    await repository.add(tenant, uuid.UUID(iris), "iris", hours[3], {**amounts, "rows": None})
    kept = Kept()

    async def row(**query: str) -> dict[str, Any]:
        return dict((await api.http.get("/v1/usage", params=query)).json())

    whole = {
        "from": (old - timedelta(days=1)).isoformat(),
        "to": (old + timedelta(days=2)).isoformat(),
    }
    before = await row(**whole)
    assert before["since"] == gone.isoformat().replace("+00:00", "Z")
    await asyncio.gather(*(service.forget_old(kept, now) for _ in range(3)))
    while await service.forget_old(kept, now):
        pass
    after = await row(**whole)
    assert after["items"] == before["items"]
    assert after["items"][0]["requests"] == 36
    assert after["items"][0]["busy_s"] == 1
    days = (await row(**whole, interval="hour"))["items"]
    assert [(datetime.fromisoformat(one["start"]), one["requests"]) for one in days] == [
        (old + timedelta(days=day), many) for day, many in ((-1, 6), (0, 24), (1, 6))
    ]
    assert after["since"] == (old - timedelta(days=1)).isoformat().replace("+00:00", "Z")
    assert datetime.fromisoformat(after["hours_since"]) == day_of(now - timedelta(days=92))
    # Where there are whole days alone, a period is of whole days.
    noon = {
        "from": (old + timedelta(hours=12)).isoformat(),
        "to": (old + timedelta(hours=13)).isoformat(),
    }
    part = await row(**noon)
    assert datetime.fromisoformat(part["start"]) == old
    assert datetime.fromisoformat(part["end"]) == old + timedelta(days=1)
    assert part["items"][0]["requests"] == 24
    assert await service.forget_old(kept, now) == 0


async def test_who_used_nothing_has_no_beginning(api: Api) -> None:
    assert (await api.http.get("/v1/usage")).json()["since"] is None
