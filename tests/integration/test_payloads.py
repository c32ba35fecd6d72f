"""Logged requests from batches to Parquet and drift, and what crashes, limits and tenants do."""

import asyncio
import io
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from controlplane.artifacts.store import StoreUnavailable
from controlplane.endpoints import health
from controlplane.engines.engine import EndpointId
from controlplane.payloads import arrow, repository, taking
from controlplane.payloads.taking import Site, Taking
from controlplane.webhooks.states import Event
from runtime.payload_batches import entry
from runtime.payload_log import Counts, Head, Layout
from runtime.spool import Spool
from tests.integration.api import Api
from tests.integration.test_api_registry import OCTETS, until_built

BASE = "/v1/endpoints/iris"
EVERYTHING = Layout(("x0",), ())


@pytest.fixture
async def api(quick_api: Api) -> Api:
    """Give the application with an endpoint of one column, of which requests are logged."""
    await quick_api.http.post("/v1/models/iris/versions", content=b"\x80\x04N.", headers=OCTETS)
    assert (await until_built(quick_api, "iris", 1))["state"] == "ready"
    body = {"model": "iris"}
    assert (await quick_api.http.post(f"{BASE}/releases", json=body)).status_code == 201
    answer = await quick_api.http.put(f"{BASE}/payload-log", json={"sample": 1.0})
    assert answer.status_code == 200, answer.text
    return quick_api


def site_of(api: Api) -> Site:
    site = api.app.state.parts.work.duties.payloads
    assert isinstance(site, Site)
    return site


async def id_of(api: Api) -> str:
    return str((await api.http.get(BASE)).json()["id"])


class Worker:
    """Writes batches as a worker does."""

    def __init__(self, api: Api, endpoint: str) -> None:
        self.source = uuid.uuid4().hex
        self.endpoint = endpoint
        self.spool = Spool(api.home / "engine" / "payloads" / endpoint, self.source)
        self.sequence = self.sampled = 0

    def log(
        self,
        values: Sequence[float],
        *,
        layout: Layout = EVERYTHING,
        full: int = 0,
        held: int = 0,
        revision: str = "iris-00001",
        is_answered: bool = True,
    ) -> str:
        """Log a request of these rows; gives the batch's name."""
        self.sequence += 1
        self.sampled += 1
        rows = np.array(values, np.float64).reshape(-1, 1)
        at = datetime.now(UTC).timestamp()
        told = (at, f"r{self.sequence}", revision, 200, 0.25, len(rows))
        outputs = [("predict", rows[:, 0] * 2)] if is_answered else []
        raw = entry(told, rows.tobytes(), b"", outputs)
        counts = Counts(10 * self.sampled, self.sampled + full + held, self.sampled, full, 0)
        head = Head(self.endpoint, self.source, self.sequence, {revision: layout}, counts)
        name = f"{self.source}-{self.sequence:08d}"
        self.spool.take(name, head.write() + raw)
        self.spool.note(counts)
        return name


async def look(api: Api, later: timedelta = timedelta()) -> int:
    """Take what is there, however fresh."""
    site = site_of(api)
    at_once = Site(site.inbox, site.objects, site.storage, site.work, every_s=0.0)
    return await Taking(at_once).look(datetime.now(UTC) + later)


async def files(api: Api) -> list[dict[str, Any]]:
    answer = await api.http.get(f"{BASE}/payloads")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def table_of(api: Api, file: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await api.http.get(f"{BASE}/payloads/{file['id']}")
    assert answer.status_code == 200, answer.text
    return list(pq.read_table(io.BytesIO(answer.content)).to_pylist())


async def test_batches_become_one_file_that_says_all_of_each_row(api: Api) -> None:
    worker = Worker(api, await id_of(api))
    worker.log([1.0, float("nan")])
    worker.log([3.0])
    assert await look(api) == 1
    (file,) = await files(api)
    assert (file["requests"], file["rows"], file["version"]) == (2, 3, 1)
    rows = await table_of(api, file)
    assert [row["request_id"] for row in rows] == ["r1", "r1", "r2"]
    assert [row["input.x0"] for row in rows] == [1.0, None, 3.0]
    assert [row["row"] for row in rows] == [0, 1, 0]
    assert rows[2]["output.predict"] == 6.0
    assert (rows[0]["status"], rows[0]["latency_ms"], rows[0]["model"]) == (200, 250.0, "iris")
    assert await look(api) == 0
    (day,) = (await api.http.get(f"{BASE}/payload-log")).json()["days"]
    assert (day["seen"], day["sampled"], day["logged"]) == (20, 2, 2)
    # It counts as the tenant's storage, and who read it is known.
    quota = (await api.http.get("/v1/quota")).json()["storage_bytes"]
    assert quota["used"] >= file["size_bytes"]
    read = (await api.http.get("/v1/audit", params={"action": "payloads.read"})).json()["items"]
    assert read[0]["detail"]["file"] == file["id"]


async def test_no_request_is_in_two_files_wherever_a_replica_dies(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, site = Worker(api, await id_of(api)), site_of(api)
    worker.log([1.0])

    class Killed(Exception):
        """Stands for a kill at the line that raises it."""

    def killed(*_: Any, **__: Any) -> Any:
        raise Killed

    for where, what in ((repository, "take"), (repository, "add_day"), (site.inbox, "remove")):
        with monkeypatch.context() as patch:
            patch.setattr(where, what, killed)
            await look(api)
    assert await look(api) == 0  # the last one died after it had noted all
    (file,) = await files(api)
    assert file["requests"] == 1
    assert await site.inbox.batches(worker.endpoint) == []
    # What the first two put into the store is this very file.
    assert await taking.sweep(site, datetime.now(UTC)) == 0


async def test_while_the_store_is_down_batches_stay_and_then_come(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, site = Worker(api, await id_of(api)), site_of(api)
    worker.log([1.0])

    async def down(*_: Any) -> None:
        raise StoreUnavailable("The store does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(site.objects, "put", down)
        assert await look(api) == 0
    assert len(await site.inbox.batches(worker.endpoint)) == 1
    assert await look(api) == 1
    assert (await files(api))[0]["requests"] == 1


async def test_parquet_is_not_made_again_and_again_for_a_store_that_is_down(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    Worker(api, await id_of(api)).log([1.0])
    asked: list[Any] = []

    async def ask(job: Any) -> Any:
        asked.append(job)
        raise arrow.NoAnswer("no")

    monkeypatch.setattr(arrow, "ask", ask)
    site = site_of(api)
    takes = Taking(Site(site.inbox, site.objects, site.storage, site.work, every_s=0.0))
    now = datetime.now(UTC)
    for second in range(60):
        await takes.look(now + timedelta(seconds=second))
    assert len(asked) == 4


async def test_what_is_left_out_now_is_left_out_of_what_was_written_before(api: Api) -> None:
    Worker(api, await id_of(api)).log([1.0])
    body = {"sample": 1.0, "redact": ["x0"], "predictions": False}
    await api.http.put(f"{BASE}/payload-log", json=body)
    await look(api)
    (row,) = await table_of(api, (await files(api))[0])
    assert "input.x0" not in row
    # Turned off, what was not written until then is not written.
    assert (await api.http.delete(f"{BASE}/payload-log")).status_code == 204
    Worker(api, await id_of(api)).log([2.0])
    await look(api)
    assert len(await files(api)) == 1
    assert (await api.http.get(f"{BASE}/payload-log")).json()["on"] is False


async def test_what_is_no_batch_ends_nothing_but_itself(api: Api) -> None:
    worker = Worker(api, await id_of(api))
    worker.log([1.0], layout=Layout(("age",), ()))
    worker.log([2.0])
    folder = api.home / "engine" / "payloads" / worker.endpoint
    (folder / f"{uuid.uuid4().hex}-00000001.batch").write_bytes(b"PAR1")
    assert await look(api) == 1
    assert [row["input.x0"] for row in await table_of(api, (await files(api))[0])] == [2.0]
    assert list(folder.glob("*.batch")) == []


async def test_limits_of_a_day_and_of_storage_drop_and_count(api: Api) -> None:
    worker = Worker(api, await id_of(api))
    settings = {"sample": 1.0, "max_bytes_per_day": 1 << 20}
    await api.http.put(f"{BASE}/payload-log", json=settings)
    worker.log(np.random.default_rng(0).normal(size=120_000).tolist())
    worker.log(np.random.default_rng(1).normal(size=120_000).tolist())
    await look(api)
    assert await files(api) == []
    await api.http.put("/v1/tenants/default/quota", json={"storage_bytes": 100})
    worker.log([1.0])
    await look(api)
    (day,) = (await api.http.get(f"{BASE}/payload-log")).json()["days"]
    assert (day["logged"], day["dropped"]["over_limit"]) == (0, 3)


async def test_what_a_killed_replica_held_is_counted_once_and_its_drops_are(api: Api) -> None:
    worker = Worker(api, await id_of(api))
    worker.log([1.0], full=4, held=3)
    await look(api)
    await look(api)
    days = (await api.http.get(f"{BASE}/payload-log")).json()["days"]
    assert days[0]["dropped"] == {"buffer_full": 4, "too_large": 0, "lost": 0, "over_limit": 0}
    worker.spool.close()  # as the kernel does
    await look(api)
    await look(api)
    (day,) = (await api.http.get(f"{BASE}/payload-log")).json()["days"]
    assert day["dropped"]["lost"] == 3
    assert day["sampled"] == day["logged"] + sum(day["dropped"].values())


async def test_files_go_when_they_are_old_or_asked_to_or_their_endpoint_is_gone(api: Api) -> None:
    worker, site, now = Worker(api, await id_of(api)), site_of(api), datetime.now(UTC)

    def there() -> list[Path]:
        return [*(api.home / "objects").rglob("*.parquet")]

    worker.log([1.0])
    await look(api)
    assert await taking.tidy(site, now + timedelta(days=30)) == 0
    settings = {"sample": 1.0, "retention_days": 3}
    await api.http.put(f"{BASE}/payload-log", json=settings)
    assert len(there()) == 1
    assert await taking.tidy(site, now + timedelta(days=5)) == 1
    assert there() == []
    worker.log([1.0])
    await look(api)
    answer = await api.http.delete(f"{BASE}/payloads")
    assert answer.json() == {"files": 1}
    assert await files(api) == []
    await taking.tidy(site, now)
    assert there() == []
    worker.log([1.0])
    await look(api)
    await api.http.delete(BASE)
    gone = uuid.UUID(worker.endpoint)
    await repository.doom_of_all(gone, now)
    await taking.tidy(site, now)
    await look(api)
    assert there() == []


BAD: list[tuple[dict[str, Any], str]] = [
    ({"sample": 0}, "sample"),
    ({"sample": 1.5}, "sample"),
    ({"sample": 0.5, "redact": ["age"]}, "Its columns are x0"),
    ({"sample": 0.5, "redact": ["x0"], "hash": ["x0"]}, "choose one"),
    ({"sample": 0.5, "colour": 1}, "colour"),
]


async def test_settings_that_make_no_sense_are_refused_in_words(api: Api) -> None:
    for body, said in BAD:
        answer = await api.http.put(f"{BASE}/payload-log", json=body)
        assert answer.status_code == 422
        assert said in answer.text


async def test_the_setting_is_told_to_the_engine_and_no_release_brings_it_back(api: Api) -> None:
    key = await id_of(api)
    body = {"sample": 0.25, "redact": ["x0"]}
    await api.http.put(f"{BASE}/payload-log", json=body)

    def log() -> Any:
        wanted = api.engine.wanted.get(EndpointId(key))
        return None if wanted is None else wanted.payload_log

    async with asyncio.timeout(20):
        while log() is None or log().sample != 0.25:
            await asyncio.sleep(0.02)
    assert (log().redact, len(log().key)) == (("x0",), 64)
    assert "key" not in (await api.http.get(f"{BASE}/payload-log")).text
    await api.http.delete(f"{BASE}/payload-log")
    await api.http.post(f"{BASE}/releases", json={"scaling": {"max_scale": 2}})
    await api.http.post(f"{BASE}/rollback", json={"to": 1})
    assert (await api.http.get(f"{BASE}/payload-log")).json()["on"] is False


async def test_drift_is_told_by_column_against_training_data(api: Api) -> None:
    empty = (await api.http.get(f"{BASE}/drift")).json()
    assert (empty["level"], empty["columns"]) == ("inconclusive", [])
    sketch = {"kind": "number", "edges": [0.0, 1.0], "counts": [400, 400, 200], "missing": 0}
    body = {"rows": 1000, "columns": {"x0": sketch}}
    path = "/v1/models/iris/versions/1/reference"
    assert (await api.http.put(path, json=body)).status_code == 200
    worker = Worker(api, await id_of(api))
    worker.log([*([-1.0] * 400), *([0.5] * 400), *([2.0] * 200)])
    await look(api)
    seen = (await api.http.get(f"{BASE}/drift")).json()
    (column,) = [one for one in seen["columns"] if one["role"] == "input"]
    assert (column["level"], column["psi"], column["rows"]) == ("stable", 0.0, 1000)
    worker.log([*([2.0] * 3000), *([float("nan")] * 1000)])
    await look(api)
    seen = (await api.http.get(f"{BASE}/drift")).json()
    (column,) = [one for one in seen["columns"] if one["role"] == "input"]
    assert (seen["level"], column["name"], column["level"]) == ("major", "x0", "major")
    assert column["missing"] == 0.2
    assert column["bins"][0]["label"] == "> 1"
    shown = {"authorization": f"Bearer {(api.home / 'metrics-token').read_text()}"}
    metrics = (await api.http.get("/metrics", headers=shown)).text
    assert 'kubeserve_drift_columns{endpoint="iris",level="major",tenant="default"} 2.0' in metrics
    why = (await api.http.get(f"{BASE}/why")).json()
    assert (why["reason"], why["ok"]) == ("Drifted", False)
    assert any(fact.startswith("input.x0: ") for fact in why["evidence"])
    # The first thousand rows are what predictions are measured against.
    (output,) = [one for one in seen["columns"] if one["role"] == "output"]
    assert (output["reference"], output["reference_rows"], output["rows"]) == ("first", 1000, 3000)


async def test_an_output_that_fewer_ask_for_does_not_drift(api: Api) -> None:
    worker, random = Worker(api, await id_of(api)), np.random.default_rng(0)
    for is_answered in (True, False, True, False, False, False):
        worker.log(random.normal(size=500).tolist(), is_answered=is_answered)
        await look(api)
    seen = (await api.http.get(f"{BASE}/drift")).json()
    levels = {one["role"]: (one["reference_rows"], one["rows"]) for one in seen["columns"]}
    assert levels == {"input": (1000, 2000), "output": (500, 500)}
    assert {one["missing"] for one in seen["columns"]} == {0.0}
    assert all(one["level"] in ("stable", "inconclusive") for one in seen["columns"])


async def test_what_one_version_drifts_is_not_another_ones(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = list[tuple[Event, dict[str, Any]]]()

    async def emit(_: Any, event: Event, said: dict[str, Any]) -> None:
        told.append((event, said))

    monkeypatch.setattr(health.webhooks, "emit", emit)
    sketch = {"kind": "number", "edges": [0.0], "counts": [500, 500], "missing": 0}
    body = {"rows": 1000, "columns": {"x0": sketch}}

    async def drifted(version: int) -> None:
        path = f"/v1/models/iris/versions/{version}/reference"
        assert (await api.http.put(path, json=body)).status_code == 200
        Worker(api, await id_of(api)).log([1.0] * 500, revision=f"iris-{version:05d}")
        await look(api)
        assert (await api.http.get(f"{BASE}/why")).json()["reason"] == "Drifted"

    await drifted(1)
    await api.http.post("/v1/models/iris/versions", content=b"\x80\x04K\x01.", headers=OCTETS)
    assert (await until_built(api, "iris", 2))["state"] == "ready"
    answer = await api.http.post(f"{BASE}/releases", json={"model": "iris", "version": 2})
    assert answer.status_code == 201
    # Of the second one nothing is known yet, and the first one is not served any more.
    await taking.follow_all(site_of(api), datetime.now(UTC))
    assert (await api.http.get(f"{BASE}/why")).json()["reason"] != "Drifted"
    await drifted(2)
    # Nor does anything drift that nobody looks for.
    assert (await api.http.delete(f"{BASE}/payload-log")).status_code in (200, 204)
    assert (await api.http.get(f"{BASE}/why")).json()["reason"] != "Drifted"
    assert [event for event, _ in told if event.startswith("drift.")] == [
        Event.DRIFT_DETECTED, Event.DRIFT_ENDED, Event.DRIFT_DETECTED, Event.DRIFT_ENDED
    ]  # fmt: skip
    first, ended, second, _ = (said for event, said in told if event.startswith("drift."))
    assert first["since"] == ended["since"] < second["since"]


async def test_a_window_of_its_own_is_a_reference(api: Api) -> None:
    worker, began = Worker(api, await id_of(api)), datetime.now(UTC)
    worker.log(np.random.default_rng(0).normal(size=500).tolist())
    await look(api)
    ended = datetime.now(UTC)
    worker.log(np.random.default_rng(1).normal(3, 1, size=500).tolist())
    await look(api)
    window = {"since": began.isoformat(), "until": ended.isoformat()}
    made = (await api.http.put(f"{BASE}/drift/reference", json=window)).json()
    assert (made["kind"], made["ready"]) == ("window", False)
    # It is made though nothing more is asked.
    await taking.follow_all(site_of(api), datetime.now(UTC))
    seen = (await api.http.get(f"{BASE}/drift")).json()
    assert {one["reference"] for one in seen["columns"]} == {"window"}
    assert {one["rows"] for one in seen["columns"]} == {500}  # not those it was made of
    assert seen["level"] == "major"
    assert (await api.http.delete(f"{BASE}/drift/reference")).status_code == 204
    (left,) = (await api.http.get(f"{BASE}/drift")).json()["references"]
    assert left["kind"] == "first"


BAD_SKETCHES: list[tuple[dict[str, Any], str]] = [
    ({"kind": "number", "edges": [1.0], "counts": [1], "missing": 0}, "count for each bin"),
    ({"kind": "number", "edges": [2.0, 1.0], "counts": [1, 1, 1], "missing": 0}, "grow"),
    ({"kind": "text", "values": ["a"], "counts": [1, -1], "missing": 0}, "no count"),
    ({"kind": "colour", "counts": [1], "missing": 0}, "kind"),
    ({"counts": [1]}, "no sketch"),
]


async def test_what_is_no_sketch_is_refused_in_words(api: Api) -> None:
    path = "/v1/models/iris/versions/1/reference"
    for sketch, said in BAD_SKETCHES:
        answer = await api.http.put(path, json={"rows": 1, "columns": {"x0": sketch}})
        assert answer.status_code == 422
        assert said in answer.text
    other = await api.http.put(path, json={"rows": 1, "columns": {"age": {}}})
    assert "has no column 'age'" in other.text
