"""`/metrics` of the control plane: who may read it, and that its series are bounded."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.api import Api, running_api

TOKEN = "scrape-me-0123456789"


async def read(api: Api) -> str:
    sent = {"authorization": f"Bearer {(api.home / 'metrics-token').read_text()}"}
    answer = await api.http.get("/metrics", headers=sent)
    assert answer.status_code == 200
    return answer.text


def samples(text: str, name: str) -> list[dict[str, str]]:
    found = text_string_to_metric_families(text)
    return [one.labels for family in found for one in family.samples if one.name == name]


async def test_a_token_is_made_where_only_we_read_it(api: Api) -> None:
    file = api.home / "metrics-token"
    assert file.stat().st_mode & 0o777 == 0o600
    sent = {"authorization": f"Bearer {file.read_text()}"}
    answer = await api.http.get("/metrics", headers=sent)
    assert answer.status_code == 200
    assert "kubeserve_info" in answer.text
    # An administrator's token is for the API; of a tenant it would tell of all others.
    refused = await api.http.get("/metrics")
    assert refused.status_code == 401
    assert "metrics-token" in refused.json()["detail"]
    reference = (await api.http.get("/openapi.json")).json()["paths"]["/metrics"]["get"]
    assert reference["security"] == [{"metrics": []}]
    assert "401" in reference["responses"]


async def test_a_token_that_was_set_is_the_one(postgres_server: str, tmp_path: Path) -> None:
    async with running_api(postgres_server, tmp_path, metrics_token=TOKEN) as api:
        sent = {"authorization": f"Bearer {TOKEN}"}
        assert (await api.http.get("/metrics", headers=sent)).status_code == 200
        assert not (tmp_path / "metrics-token").exists()
        for wrong in ("", f"Bearer {TOKEN}x", TOKEN, "Bearer", f"Basic {TOKEN}"):
            answer = await api.http.get("/metrics", headers={"authorization": wrong})
            assert answer.status_code == 401
        # Runtimes learn who may ask them, and not what is sent.
        async with asyncio.timeout(20):
            while not api.engine.keys:
                await asyncio.sleep(0.02)
        assert TOKEN.encode() not in api.engine.keys[0]
        assert b'"metrics"' in api.engine.keys[0]


async def test_callers_cannot_invent_series(api: Api) -> None:
    for number in range(50):
        await api.http.request(f"MADEUP{number}", "/v1/models")
        await api.http.get(f"/made/up/{number}")
        await api.http.get(f"/v1/models/made-up-{number}")
    text = await read(api)
    told = samples(text, "kubeserve_api_requests_total")
    assert "made-up" not in text.lower()
    assert "madeup" not in text.lower()
    assert {"other", "GET"} <= {labels["method"] for labels in told}
    assert "/v1/models/{model}" in {labels["route"] for labels in told}


async def test_the_control_plane_tells_what_it_stands_on(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away() -> None:
        raise OSError("the disk is gone")

    parts = api.app.state.parts.scraping
    monkeypatch.setattr(api.app.state.store, "ping", away)
    api.engine.down = True
    for name, check in (("store", api.app.state.store.ping), ("engine", api.engine.observe_all)):
        await parts._ask(name, check)
    text = await read(api)
    assert 'kubeserve_dependency_up{dependency="database"} 1.0' in text
    assert 'kubeserve_dependency_up{dependency="store"} 0.0' in text
    assert 'kubeserve_dependency_up{dependency="engine"} 0.0' in text
    assert 'kubeserve_scrape_part_up{part="engine"} 0.0' in text, "the rest is told all the same"
    assert 'kubeserve_database_connections{state="used"}' in text
    assert 'kubeserve_build_queue{state="waiting"} 0.0' in text
    assert 'kubeserve_reconcile_backlog{loop="endpoints"}' in text
    assert "kubeserve_leader 1.0" in text
    api.engine.down = False
    assert 'kubeserve_scrape_part_up{part="engine"} 1.0' in await read(api)
