"""Endpoints that are watched: what the leader tells of them, once, and what `why` says."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from controlplane.engines.engine import Answers, EndpointId, Measured
from controlplane.reconciler import watching
from runtime.latencies import BOUNDS_S, BUCKETS
from tests.integration.api import Api
from tests.integration.receiver import receiver
from tests.integration.test_api_endpoints import until as until_ready
from tests.integration.test_api_registry import until_built
from tests.integration.test_webhooks import added, api, must, push, until  # noqa: F401

NOW = datetime.now(UTC)


def answers(fast: int, slow: int) -> tuple[Measured, ...]:
    latency = [0] * BUCKETS
    latency[BOUNDS_S.index(0.01)], latency[BOUNDS_S.index(0.1)] = fast, slow
    return (Measured("worker", {"iris-00001": Answers(0, 0, tuple(latency))}),)


async def test_readiness_and_a_broken_slo_are_told_once_and_explained(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch  # noqa: F811  (the fixture)
) -> None:
    monkeypatch.setattr(watching, "EVERY_S", 3600.0)  # the looks are ours alone
    await push(api)
    await until_built(api, "iris", 1)
    with receiver() as hook:
        made = await added(api, hook, "endpoint.*", "slo.*")

        def told() -> list[tuple[str, Any]]:
            found = [one.verified(made["secret"]) for one in [*hook.came]]
            return sorted((one["type"], one["data"].get("release")) for one in found)

        await must(api, "POST", "/v1/endpoints/iris/releases", {"model": "iris"}, 201)
        seen = await until_ready(api, "iris")
        key = EndpointId(seen["id"])
        for _ in range(3):
            await watching.look(api.engine, NOW)
        await until(lambda: told() == [("endpoint.ready", 1)])
        await must(api, "PUT", "/v1/endpoints/iris/slo", {"p99": "50ms"})
        for look, (fast, slow) in enumerate([(0, 0), (100, 0), (150, 50), (200, 100)]):
            api.engine.answered[key] = answers(fast, slow)
            await watching.look(api.engine, NOW + look * timedelta(seconds=10))
        await until(lambda: ("slo.breached", None) in told())
        why = await must(api, "GET", "/v1/endpoints/iris/why")
        assert (why["about"], why["reason"], why["ok"]) == ("endpoint:iris", "SloBreached", False)
        assert "p99: 33.33% (100 of 300)" in why["evidence"][0]
        assert "kubeserve tune" in why["next_step"]
        for look in range(40):  # with good answers alone it is over
            api.engine.answered[key] = answers(200 + 100 * look, 100)
            at = NOW + timedelta(minutes=1) + look * timedelta(seconds=10)
            await watching.look(api.engine, at)
        await until(lambda: len(told()) == 3)
        assert told() == [("endpoint.ready", 1), ("slo.breached", None), ("slo.recovered", None)]
        assert (await must(api, "GET", "/v1/endpoints/iris/why"))["reason"] == "Serving"
        data = next(d for d in _data(hook, made) if d["type"] == "slo.recovered")["data"]
        assert (data["endpoint"], data["slo"]) == ("iris", {"p99": "50ms"})
        assert data["breached_at"] is not None
        await must(api, "DELETE", "/v1/endpoints/iris/slo", status=204)
        await must(api, "POST", "/v1/endpoints/iris/releases", {"model": "iris"}, 201)
        await until_ready(api, "iris")
        await watching.look(api.engine, NOW)
        await until(lambda: ("endpoint.ready", 2) in told())


def _data(hook: Any, made: dict[str, Any]) -> list[dict[str, Any]]:
    return [one.verified(made["secret"]) for one in hook.came]
