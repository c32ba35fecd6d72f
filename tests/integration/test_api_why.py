"""`/v1/endpoints/{endpoint}/why`: what is above the engine, what the engine says, who may ask."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from controlplane.endpoints import explaining
from controlplane.engines.engine import Cause, DesiredEndpoint
from runtime.problems import Conflict
from tests.integration.api import Api
from tests.integration.test_api_endpoints import ready_versions, until
from tests.integration.test_api_registry import OCTETS, until_built


async def why(api: Api, name: str = "iris") -> dict[str, Any]:
    answer = await api.http.get(f"/v1/endpoints/{name}/why")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_model_without_an_endpoint_and_a_name_of_nothing(api: Api) -> None:
    assert (await api.http.get("/v1/endpoints/iris/why")).status_code == 404
    assert (await api.http.get("/v1/endpoints/No!/why")).status_code == 404
    await ready_versions(api)
    found = await why(api)
    assert (found["reason"], found["ok"]) == ("NotDeployed", False)
    assert "kubeserve deploy iris" in found["next_step"]


async def test_a_build_that_failed_is_the_cause_and_a_newer_one_is_evidence(api: Api) -> None:
    await ready_versions(api)
    await api.http.post("/v1/endpoints/iris/releases", json={"model": "iris"})
    await until(api, "iris")
    bad = b"\x80\x05not a pickle"
    pushed = await api.http.post("/v1/models/iris/versions", content=bad, headers=OCTETS)
    number = pushed.json()["number"]
    assert (await until_built(api, "iris", number))["state"] == "failed"
    serving = await why(api)
    assert (serving["reason"], serving["ok"]) == ("Serving", True)
    assert f"iris:{number} is failed" in serving["evidence"][-1]
    await api.http.delete("/v1/endpoints/iris")
    async with asyncio.timeout(10):
        while (found := await why(api))["reason"] != "BuildFailed":
            assert found["reason"] == "Deleting"
            await asyncio.sleep(0.02)
    assert found["ok"] is False


async def test_what_the_engine_names_is_passed_on_and_its_absence_is_a_cause(api: Api) -> None:
    await ready_versions(api)
    await api.http.post("/v1/endpoints/iris/releases", json={"model": "iris"})
    await until(api, "iris")
    api.engine.refusal = Cause("QuotaExceeded", False, "Full.", ("used: 2 of 2",), "Delete one.")
    assert await why(api) == {
        "about": "endpoint:iris",
        "endpoint": "iris",
        "reason": "QuotaExceeded",
        "ok": False,
        "message": "Full.",
        "evidence": ["used: 2 of 2"],
        "next_step": "Delete one.",
    }
    api.engine.down = True
    assert (await why(api))["reason"] == "EngineUnavailable"


async def test_a_release_that_is_refused_is_not_ready_on_every_replica(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explaining, "NORMAL", timedelta(0))
    await ready_versions(api)

    async def refuse(desired: DesiredEndpoint) -> None:
        raise Conflict("quota")

    monkeypatch.setattr(api.engine, "apply", refuse)
    api.engine.refusal = Cause("QuotaExceeded", False, "Full.", ("used: 2 of 2",), "Delete one.")
    made = await api.http.post("/v1/endpoints/iris/releases", json={"model": "iris"})
    assert made.status_code == 201
    found = await until(api, "iris", "False")
    assert (found["ready"]["reason"], found["ready"]["message"]) == ("QuotaExceeded", "Full.")
    assert found["observed_generation"] == found["generation"]
    assert (await why(api))["reason"] == "QuotaExceeded"


async def test_another_tenant_learns_nothing(api: Api) -> None:
    await ready_versions(api)
    await api.http.post("/v1/endpoints/iris/releases", json={"model": "iris"})
    other = await api.another_tenant("other")
    assert (await other.http.get("/v1/endpoints/iris/why")).status_code == 404
