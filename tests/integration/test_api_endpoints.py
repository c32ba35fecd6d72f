"""Endpoints through the API: releases, traffic, rollback, deletion, and an engine that is away."""

import asyncio
from typing import Any

from tests.integration.api import Api
from tests.integration.test_api_registry import OCTETS, model_bytes, until_built


async def ready_versions(api: Api, count: int = 1) -> None:
    for number in range(1, count + 1):
        raw = model_bytes(float(number))
        await api.http.post("/v1/models/iris/versions", content=raw, headers=OCTETS)
        assert (await until_built(api, "iris", number))["state"] == "ready"


async def until(api: Api, endpoint: str, status: str = "True") -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            found = (await api.http.get(f"/v1/endpoints/{endpoint}")).json()
            if found["ready"]["status"] == status:
                return dict(found)
            await asyncio.sleep(0.02)


async def test_deploy_traffic_rollback_delete(api: Api) -> None:
    await ready_versions(api, 2)
    releases = "/v1/endpoints/iris/releases"
    for version in (1, 2):
        made = await api.http.post(releases, json={"model": "iris", "version": version})
        assert made.status_code == 201, made.text
    split = [{"version": 1, "percent": 90}, {"version": 2, "percent": 10, "tag": "canary"}]
    assert (await api.http.post(releases, json={"traffic": split})).status_code == 201
    found = await until(api, "iris")
    assert [(r["version"], r["percent"], r["tag"]) for r in found["revisions"]] == [
        (1, 90, None),
        (2, 10, "canary"),
    ]
    (wanted,) = api.engine.wanted.values()
    assert (wanted.generation, len(wanted.revisions)) == (3, 2)
    assert wanted.audience.endswith(found["id"])

    back = await api.http.post("/v1/endpoints/iris/rollback", json={"to": 1})
    assert [r["version"] for r in back.json()["revisions"]] == [1]
    listed = (await api.http.get(releases)).json()["items"]
    assert [(r["number"], r["action"], r["current"]) for r in listed] == [
        (4, "rollback", True),
        (3, "traffic", False),
        (2, "deploy", False),
        (1, "deploy", False),
    ]

    assert (await api.http.delete("/v1/endpoints/iris")).status_code == 204
    assert (await api.http.get("/v1/endpoints/iris")).status_code == 404
    async with asyncio.timeout(10):
        while api.engine.wanted:
            await asyncio.sleep(0.02)


async def test_a_tag_that_makes_no_host_name_with_the_endpoints_is_refused(api: Api) -> None:
    await ready_versions(api)
    releases = "/v1/endpoints/an-endpoint-of-a-long-name/releases"
    assert (await api.http.post(releases, json={"model": "iris"})).status_code == 201
    for tag, status in (("t" * 36, 201), ("t" * 37, 422)):
        split = [{"version": 1, "percent": 100, "tag": tag}]
        answer = await api.http.post(releases, json={"traffic": split})
        assert answer.status_code == status, answer.text
    assert "62 characters at most" in answer.text


BAD_RELEASES: list[tuple[dict[str, Any], int, str]] = [
    ({"model": "none"}, 404, "no model"),
    ({"model": "iris", "version": 9}, 404, "no version 9"),
    ({}, 404, "name a model"),
    ({"model": "iris", "scaling": {"window_s": 1}}, 422, "window_s"),
    ({"model": "iris", "scaling": {"min_scale": 5, "max_scale": 2}}, 422, "max_scale"),
    ({"model": "iris", "scaling": {"windows": 7}}, 422, "windows"),
    ({"model": "iris", "traffic": [{"version": 1, "percent": 50}]}, 422, "sum to 50"),
    ({"model": "iris", "traffic": [{"version": 7, "percent": 100}]}, 404, "never deployed"),
    ({"model": "iris", "traffic": [{"percent": 100}]}, 422, "revision or a version"),
]


async def test_a_bad_release_changes_nothing(api: Api) -> None:
    await ready_versions(api)
    for body, status, said in BAD_RELEASES:
        answer = await api.http.post("/v1/endpoints/iris/releases", json=body)
        assert answer.status_code == status, (body, answer.text)
        assert said in answer.text
    assert (await api.http.get("/v1/endpoints")).json()["items"] == []


async def test_a_release_while_the_engine_is_away_is_carried_out_when_it_is_back(api: Api) -> None:
    await ready_versions(api)
    api.engine.down = True
    made = await api.http.post("/v1/endpoints/iris/releases", json={"model": "iris"})
    assert made.status_code == 201
    away = (await api.http.get("/v1/endpoints/iris")).json()
    assert away["ready"]["reason"] == "EngineUnavailable"
    api.engine.down = False
    assert (await until(api, "iris"))["url"]


async def test_logs_are_lines_of_json(api: Api) -> None:
    await ready_versions(api)
    await api.http.post("/v1/endpoints/iris/releases", json={"model": "iris"})
    answer = await api.http.get("/v1/endpoints/iris/logs")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert "hello from" in answer.text


async def test_a_post_sent_twice_with_one_key_happens_once(api: Api) -> None:
    await ready_versions(api)
    releases, key = "/v1/endpoints/iris/releases", {"idempotency-key": "k-1"}
    both = await asyncio.gather(
        *(api.http.post(releases, json={"model": "iris"}, headers=key) for _ in range(2))
    )
    assert [answer.status_code for answer in both] == [201, 201]
    assert both[0].json() == both[1].json()
    assert len((await api.http.get(releases)).json()["items"]) == 1
    other = await api.http.post(releases, json={"model": "iris", "version": 1}, headers=key)
    assert other.status_code == 409
    refused = {"idempotency-key": "k-2"}
    bad = await api.http.post(releases, json={"model": "none"}, headers=refused)
    good = await api.http.post(releases, json={"model": "iris"}, headers=refused)
    assert (bad.status_code, good.status_code) == (404, 201)


async def test_a_change_of_an_endpoint_that_has_changed_is_refused(api: Api) -> None:
    await ready_versions(api)
    releases = "/v1/endpoints/iris/releases"
    await api.http.post(releases, json={"model": "iris"})
    seen = (await api.http.get("/v1/endpoints/iris")).headers["etag"]
    await until(api, "iris")
    match = {"if-match": seen}
    wider = {"scaling": {"max_scale": 7}}
    assert (await api.http.post(releases, json=wider, headers=match)).status_code == 201
    for refused in (
        await api.http.post(releases, json=wider, headers=match),
        await api.http.post("/v1/endpoints/iris/rollback", json={}, headers=match),
        await api.http.delete("/v1/endpoints/iris", headers=match),
    ):
        assert refused.status_code == 412, refused.text
    assert len((await api.http.get(releases)).json()["items"]) == 2


async def test_releases_at_once_are_numbered_one_by_one(api: Api) -> None:
    await ready_versions(api)
    releases = "/v1/endpoints/iris/releases"
    made = await asyncio.gather(
        *(api.http.post(releases, json={"model": "iris"}) for _ in range(8))
    )
    assert {answer.status_code for answer in made} == {201}
    listed = (await api.http.get(releases)).json()["items"]
    assert [release["number"] for release in listed] == list(range(8, 0, -1))
    assert {line["name"] for release in listed for line in release["revisions"]} == {"iris-00001"}


async def test_a_list_asks_the_engine_once(api: Api) -> None:
    await ready_versions(api)
    for name in ("a", "b", "c"):
        await api.http.post(f"/v1/endpoints/{name}/releases", json={"model": "iris"})
        await until(api, name)
    api.engine.listings = 0
    first = (await api.http.get("/v1/endpoints", params={"limit": 2})).json()
    assert api.engine.listings == 1
    assert [(e["name"], e["ready"]["status"]) for e in first["items"]] == [
        ("a", "True"),
        ("b", "True"),
    ]
    rest = (await api.http.get("/v1/endpoints", params={"cursor": first["next"]})).json()
    assert [e["name"] for e in rest["items"]] == ["c"]
