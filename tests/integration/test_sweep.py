"""The sweep takes what nothing names, and nothing else."""

import os
from dataclasses import replace
from pathlib import Path

from controlplane.endpoints import service as endpoints
from controlplane.engines.engine import EndpointId
from controlplane.reconciler.sweep import sweep_blobs, sweep_endpoints
from tests.integration.api import Api
from tests.integration.test_api_endpoints import ready_versions, until
from tests.integration.test_api_registry import blobs


def age(api: Api) -> None:
    for path in (api.home / "artifacts").glob("??/*"):
        os.utime(path, (0, 0))


async def stored(api: Api, folder: Path, text: bytes) -> str:
    file = folder / "file"
    file.write_bytes(text)
    return str((await api.app.state.store.put_file(file)).sha256)


async def test_blobs_that_no_version_and_no_endpoint_names_go_when_they_are_old(
    api: Api, tmp_path: Path
) -> None:
    await ready_versions(api)
    await api.http.post("/v1/endpoints/iris/releases", json={"model": "iris"})
    named = set(blobs(api))
    orphan = await stored(api, tmp_path, b"orphan")
    assert await sweep_blobs(api.app.state.store) == 0, "it is young: its row may be on the way"
    age(api)
    assert await sweep_blobs(api.app.state.store) == 1
    assert set(blobs(api)) == named
    assert orphan not in named

    plan = (await api.http.get("/v1/models/iris/versions/1")).json()["plan_sha256"]
    await api.http.delete("/v1/models/iris")
    age(api)
    await sweep_blobs(api.app.state.store)
    assert blobs(api) == [plan], "the endpoint serves on without its model"


async def test_what_the_engine_runs_without_a_row_is_taken_down(api: Api) -> None:
    await ready_versions(api)
    await api.http.post("/v1/endpoints/iris/releases", json={"model": "iris"})
    await until(api, "iris")
    (wanted,) = api.engine.wanted.values()
    orphan = replace(wanted, id=EndpointId("orphan"))
    await api.engine.apply(orphan)
    assert await sweep_endpoints(api.engine) == 1
    assert list(api.engine.wanted) == [wanted.id]


async def test_what_is_deployed_while_the_sweep_looks_is_no_orphan(api: Api) -> None:
    await ready_versions(api)
    look = api.engine.observe_all

    async def deployed_meanwhile():
        seen = await look()
        await api.http.post("/v1/endpoints/new/releases", json={"model": "iris"})
        await until(api, "new")
        return seen

    api.engine.observe_all = deployed_meanwhile  # type: ignore[method-assign]
    assert await sweep_endpoints(api.engine) == 0
    assert len(await endpoints.all_ids()) == len(api.engine.wanted) == 1
