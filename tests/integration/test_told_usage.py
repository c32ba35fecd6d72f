"""What replicas tell of themselves is counted once, whoever reads it, whatever dies between."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from controlplane.artifacts.reports import (
    MOST_COUNTED,
    Counted,
    Report,
    read_answered,
    read_counted,
)
from controlplane.artifacts.store import StoreUnavailable
from controlplane.engines.engine import Counters, EndpointId, Metered
from controlplane.reconciler.metering import record_all, record_one
from tests.integration.api import Api
from tests.integration.test_api_usage import deployed, usage

A, B = "a" * 32, "b" * 32


@dataclass
class Told:
    """Reports as they would be listed; keeps what was removed."""

    there: list[Report] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    away: bool = False

    def tell(
        self,
        endpoint: EndpointId,
        process: str,
        requests: int | None,
        *,
        host: str = "pod-1",
        tenant: str = "default",
    ) -> None:
        counted = None if requests is None else Counted(requests, 3 * requests, requests / 10)
        name = f"usage/{tenant}/{endpoint}/{host}/{process}"
        self.there = [one for one in self.there if one.name != name]
        self.there.append(Report(name, tenant, endpoint, host, process, counted))

    async def sign_form(self, tenant: str, expires_s: float) -> bytes:
        return f"{tenant} {expires_s:g}".encode()

    async def read_all(self) -> tuple[Report, ...]:
        if self.away:
            raise StoreUnavailable("The object store does not answer.")
        return tuple(self.there)

    async def read_of(self, tenant: str, endpoint: str) -> tuple[Report, ...]:
        raise AssertionError("nobody asks")

    async def remove(self, names: list[str]) -> None:
        self.removed += names
        self.there = [one for one in self.there if one.name not in names]


@pytest.fixture
def told() -> Told:
    return Told()


def seen(api: Api, endpoint: EndpointId, *hosts: str, source: str = "first") -> None:
    """Have the engine see these replicas, and nothing of what they counted."""
    counters = Counters(None, None, 0, 0, None, 0.0, 0.0, 0.0)
    api.engine.metered[endpoint] = Metered(endpoint, source, counters, frozenset(hosts))


async def counted(api: Api) -> tuple[int, int, float]:
    (row,) = await usage(api)
    return row["requests"], row["rows"], row["busy_s"]


async def test_replicas_are_summed_and_each_is_counted_once(api: Api, told: Told) -> None:
    (iris,) = await deployed(api, "iris")
    now = datetime.now(UTC)
    seen(api, iris, "pod-1", "pod-2")
    told.tell(iris, A, 10)
    told.tell(iris, B, 4, host="pod-2")
    await asyncio.gather(*(record_all(api.engine, now, told) for _ in range(4)))
    assert await counted(api) == (14, 42, 1.4)
    # Each interval of the engine is a source of its own; processes go on all the same.
    seen(api, iris, "pod-1", "pod-2", source="second")
    told.tell(iris, A, 15)
    later = now + timedelta(seconds=20)
    await asyncio.gather(*(record_all(api.engine, later, told) for _ in range(4)))
    assert await counted(api) == (19, 57, 1.9)
    assert told.removed == []


async def test_the_last_word_of_a_replica_is_counted_and_then_removed(api: Api, told: Told) -> None:
    (iris,) = await deployed(api, "iris")
    now = datetime.now(UTC)
    seen(api, iris, "pod-1")
    told.tell(iris, A, 10)
    await record_all(api.engine, now, told)
    seen(api, iris, source="second")
    told.tell(iris, A, 12)
    await record_all(api.engine, now + timedelta(seconds=20), told)
    assert await counted(api) == (12, 36, 1.2)
    assert len(told.removed) == 1
    # Removing failed, so it is listed once more: noted, and not counted again.
    told.tell(iris, A, 12)
    await record_all(api.engine, now + timedelta(seconds=40), told)
    assert await counted(api) == (12, 36, 1.2)
    assert told.there == []


async def test_a_replica_that_came_and_went_unseen_is_counted(api: Api, told: Told) -> None:
    (iris,) = await deployed(api, "iris")
    told.tell(iris, A, 5)
    api.engine.metered[iris] = Metered(iris, "x", Counters(None, None, 0, 0, None, 0, 0, 0))
    wanted = api.engine.wanted.pop(EndpointId(iris))
    await record_all(api.engine, datetime.now(UTC), told)
    api.engine.wanted[EndpointId(iris)] = wanted
    assert await counted(api) == (5, 15, 0.5)
    assert told.there == []


async def test_an_older_look_that_comes_late_changes_nothing(api: Api, told: Told) -> None:
    (iris,) = await deployed(api, "iris")
    now = datetime.now(UTC)
    seen(api, iris, "pod-1", "pod-2")
    told.tell(iris, A, 10)
    old = Told([*told.there])
    told.tell(iris, B, 7, host="pod-2")
    await record_all(api.engine, now + timedelta(seconds=20), told)
    await record_all(api.engine, now, old)
    await record_all(api.engine, now + timedelta(seconds=40), told)
    assert (await counted(api))[0] == 17


async def test_a_store_that_is_away_loses_nothing(api: Api, told: Told) -> None:
    (iris,) = await deployed(api, "iris")
    now = datetime.now(UTC)
    seen(api, iris, "pod-1")
    told.tell(iris, A, 10)
    await record_all(api.engine, now, told)
    told.away = True
    seen(api, iris, "pod-1", source="second")
    await record_all(api.engine, now + timedelta(minutes=6), told)
    told.away = False
    told.tell(iris, A, 11)
    await record_all(api.engine, now + timedelta(minutes=7), told)
    assert (await counted(api))[0] == 11


async def test_what_cannot_be_read_keeps_what_was_noted(api: Api, told: Told) -> None:
    (iris,) = await deployed(api, "iris")
    now = datetime.now(UTC)
    seen(api, iris, "pod-1")
    for seconds, requests in enumerate((10, None, 3, 12)):
        told.tell(iris, A, requests)
        await record_all(api.engine, now + timedelta(seconds=seconds), told)
    assert (await counted(api))[0] == 12


async def test_what_pods_of_another_tenant_tell_is_nobodys(api: Api, told: Told) -> None:
    (iris,) = await deployed(api, "iris")
    await api.another_tenant("rival")
    now = datetime.now(UTC)
    seen(api, iris, "pod-1")
    told.tell(iris, A, 5)
    told.tell(iris, A, 1000, tenant="rival")
    told.tell(iris, B, 1000, tenant="rival", host="no-such-pod")
    await record_all(api.engine, now, told)
    assert (await counted(api))[0] == 5
    assert [name.split("/")[1] for name in told.removed] == ["rival"]


async def test_before_a_deletion_it_is_read_once_more_and_then_forgotten(
    api: Api, told: Told
) -> None:
    (iris,) = await deployed(api, "iris")
    seen(api, iris, "pod-1")
    told.tell(iris, A, 5)
    await record_one(api.engine, iris, datetime.now(UTC), told)
    assert (await counted(api))[0] == 5
    assert (await api.http.delete("/v1/endpoints/iris")).status_code == 204
    async with asyncio.timeout(10):
        while api.engine.wanted:
            await asyncio.sleep(0.02)
    await api.execute("DELETE FROM endpoints")
    told.tell(iris, A, 6)
    assert await record_all(api.engine, datetime.now(UTC), told) == 0
    assert told.there == []
    assert (await counted(api))[0] == 5


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"[" * 1000,
        b'{"requests": 1, "rows": 1}',
        b'{"requests": -1, "rows": 1, "busy_s": 0}',
        b'{"requests": 1.5, "rows": 1, "busy_s": 0}',
        b'{"requests": true, "rows": 1, "busy_s": 0}',
        b'{"requests": 1, "rows": 1, "busy_s": NaN}',
        b'{"requests": 1, "rows": 1, "busy_s": "1"}',
        f'{{"requests": {MOST_COUNTED + 1}, "rows": 1, "busy_s": 0}}'.encode(),
        b'{"requests": 1, "rows": 1, "busy_s": 1e999}',
    ],
    ids=range(11),
)
def test_what_no_pod_of_ours_writes_is_no_count(raw: bytes) -> None:
    assert read_counted(raw) is None


def test_counts_are_read_as_pods_write_them() -> None:
    raw = b'{"requests": 3, "rows": 9, "busy_s": 0.25}'
    assert read_counted(raw) == Counted(3, 9, 0.25)
    assert read_answered(raw) == {}


@pytest.mark.parametrize(
    "revisions",
    [
        [],
        "iris",
        {"iris": 3},
        {"iris": {"errors": -1, "refusals": 0, "latency": {}}},
        {"iris": {"errors": 0, "refusals": True, "latency": {}}},
        {"iris": {"errors": 0, "refusals": 0, "latency": {"80": 1}}},
        {"iris": {"errors": 0, "refusals": 0, "latency": {"-1": 1}}},
        {"iris": {"errors": 0, "refusals": 0, "latency": {"1": 0.5}}},
        {"i" * 64: {"errors": 0, "refusals": 0, "latency": {}}},
        {str(i): {"errors": 0, "refusals": 0, "latency": {}} for i in range(5)},
    ],
    ids=range(10),
)
def test_what_no_pod_of_ours_answered_is_no_answer(revisions: object) -> None:
    assert read_answered(json.dumps({"revisions": revisions}).encode()) == {}
