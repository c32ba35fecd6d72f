"""Load tests as rows: who may ask for what, in which bounds, and how they are followed."""

import asyncio
import base64
import hashlib
import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from controlplane.assembly import NEEDS_IMAGE
from controlplane.client.testing import EventReader
from controlplane.loadtests import service
from controlplane.loadtests.service import KEPT, Report
from controlplane.loadtests.states import LoadTestState
from runtime.problems import Forbidden
from tests.integration.api import Api
from tests.integration.test_api_registry import until_built
from tests.integration.test_audit import OCTETS, PICKLE

STEADY = {"kind": "steady", "rate": 10, "duration": "5s"}
PATH = "/v1/loadtests"


@pytest.fixture
async def api(quick_api: Api) -> Api:
    """Give the application with an endpoint, and a quota of two tests."""
    await quick_api.http.post("/v1/models/iris/versions", content=PICKLE, headers=OCTETS)
    await until_built(quick_api, "iris", 1)
    await quick_api.http.post("/v1/endpoints/iris/releases", json={"model": "iris"})
    await limit(quick_api, loadtests=2, loadtest_rate=100, loadtest_s=60)
    return quick_api


async def limit(api: Api, **limits: int) -> None:
    answer = await api.http.put("/v1/tenants/default/quota", json=limits)
    assert answer.status_code == 200, answer.text


async def ask(api: Api, status: int = 201, **changes: Any) -> Any:
    body = {"endpoint": "iris", "shape": STEADY, **changes}
    answer = await api.http.post(PATH, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def told(api: Api, key: str, after: int | None = None) -> list[Any]:
    """Read the events of a test that has ended, as a client reads them."""
    headers = {} if after is None else {"last-event-id": str(after)}
    answer = await api.http.get(f"{PATH}/{key}/events", headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    reader = EventReader()
    return [event for line in answer.text.split("\n") if (event := reader.feed(line))]


async def test_what_is_asked_for_is_kept_as_the_program_reads_it(api: Api) -> None:
    made = await ask(api, objectives={"p95": "50ms", "error_rate": "0.1%"})
    assert (made["state"], made["verdict"], made["reports"]) == ("queued", None, [])
    assert made["plan"]["objectives"] == {"p95": "50ms", "error_rate": 0.001}
    assert made["plan"]["shape"] == {"kind": "steady", "rate": 10, "duration": "5s"}
    assert "address" not in made["plan"]
    assert made["created_by_name"] == "first administrator"
    assert (await api.http.get(f"{PATH}/{made['id']}")).json() == made


async def test_where_nothing_is_asked_the_endpoint_is_held_to_what_it_promises(api: Api) -> None:
    promise = {"p99": "50ms", "cold_start": "1s"}
    assert (await api.http.put("/v1/endpoints/iris/slo", json=promise)).status_code == 200
    made = await ask(api)
    assert (made["plan"]["slo"], made["plan"]["objectives"]) == ("endpoint", {"p99": "50ms"})
    own = await ask(api, objectives={"p50": "5ms"})
    assert own["plan"]["objectives"] == {"p50": "5ms"}


async def test_files_that_come_with_a_test_are_kept_with_it_and_are_no_reports(api: Api) -> None:
    content = base64.b64encode(b"1,2,3,4").decode()
    files = {kind: {"name": f"{kind}.json", "content": content} for kind in ("sample", "compare")}
    made = await ask(api, **files)
    assert (made["plan"]["sample"], made["reports"]) == ("sample.json", [])
    missing = await api.http.get(f"{PATH}/{made['id']}/report?format=html")
    assert "it has left none" in missing.text
    assert await service.report_in_use(hashlib.sha256(b"1,2,3,4").hexdigest())


async def test_the_same_request_with_the_same_key_is_one_test(api: Api) -> None:
    body = {"endpoint": "iris", "shape": STEADY}
    answers = [
        await api.http.post(PATH, json=body, headers={"idempotency-key": "k"}) for _ in range(3)
    ]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await api.http.get(PATH)).json()["items"]) == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"endpoint": "none"}, "no endpoint"),
        ({"shape": {**STEADY, "rate": 101}}, "loadtest_rate is 100"),
        ({"shape": {**STEADY, "duration": "61s"}}, "loadtest_s is 60"),
        ({"shape": {"kind": "spike", "rate": 1, "peak": 200}}, "loadtest_rate"),
        ({"shape": {"kind": "wake", "burst": 200, "times": 1}}, "requests at once"),
        ({"shape": {"kind": "wake", "burst": 2, "times": 6}}, "loadtest_s"),
        ({"shape": {"kind": "knee", "most": 1000}}, "loadtest_rate"),
        ({"shape": {"kind": "steady", "rate": 1, "duration": 60}}, "with its unit"),
        ({"objectives": {"cold_start": "1s"}}, "shape wake"),
        ({"address": "http://169.254.169.254"}, "address"),
        ({"processes": 8}, "processes"),
        ({"connections": 5000}, "connections"),
        ({"slo": "endpoint"}, "iris promises nothing"),
        ({"sample": {"name": "../rows.csv", "content": ""}}, "name"),
        ({"sample": {"name": "rows.parquet", "content": ""}}, "name"),
        ({"sample": {"name": "rows.csv", "content": "{"}}, "in base64"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else value,
)
async def test_what_cannot_be_or_is_too_much_is_refused_with_the_reason(
    api: Api, changes: dict[str, Any], says: str
) -> None:
    answer = await api.http.post(PATH, json={"endpoint": "iris", "shape": STEADY, **changes})
    assert answer.status_code in (403, 404, 422)
    assert says in answer.text
    assert (await api.http.get(PATH)).json()["items"] == []


async def test_a_knee_that_was_not_told_how_far_goes_as_far_as_it_may(api: Api) -> None:
    made = await ask(api, shape={"kind": "knee", "start": 20, "step": "5s"})
    assert made["plan"]["shape"]["most"] == 100


async def test_a_tenant_has_no_more_tests_at_a_time_than_its_quota(api: Api) -> None:
    first = await ask(api)
    await ask(api)
    refused = await ask(api, 403)
    assert refused["type"] == "/problems/quota-exceeded"
    assert (refused["quota"], refused["limit"], refused["used"]) == ("loadtests", 2, 2)
    assert "Wait for one to end or cancel it" in refused["detail"]
    quota = (await api.http.get("/v1/quota")).json()
    assert quota["loadtests"] == {"limit": 2, "used": 2, "own": True}
    assert (await api.http.post(f"{PATH}/{first['id']}/cancel")).status_code == 202
    await ask(api)


async def test_of_many_that_ask_at_once_no_more_get_a_place_than_there_are(api: Api) -> None:
    body = {"endpoint": "iris", "shape": STEADY}
    answers = await asyncio.gather(*(api.http.post(PATH, json=body) for _ in range(8)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201, 201, *[403] * 6]


async def test_a_test_that_waits_is_cancelled_at_once_and_once(api: Api) -> None:
    key = (await ask(api))["id"]
    cancelled = await api.http.post(f"{PATH}/{key}/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (202, "interrupted")
    again = await api.http.post(f"{PATH}/{key}/cancel")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/conflict")
    kinds = [event.kind for event in await told(api, key)]
    assert kinds == ["queued", "ended"]


async def test_events_go_on_behind_the_last_one_that_was_read(api: Api) -> None:
    key = (await ask(api))["id"]
    for second in range(3):
        await service.told(uuid.UUID(key), {"event": "progress", "at_s": second})
    await api.http.post(f"{PATH}/{key}/cancel")
    everything = await told(api, key)
    assert [event.number for event in everything] == [1, 2, 3, 4, 5]
    assert await told(api, key, after=3) == everything[3:]
    assert await told(api, key, after=5) == []
    headers = {"last-event-id": "x"}
    assert (await api.http.get(f"{PATH}/{key}/events", headers=headers)).status_code == 422


async def test_who_follows_over_a_socket_hears_of_events_as_they_come(api: Api) -> None:
    key = (await ask(api))["id"]
    async with (
        api.on_a_socket() as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=api.http.headers) as http,
        http.stream("GET", f"{PATH}/{key}/events", timeout=30) as stream,
    ):
        lines = stream.aiter_lines()

        async def next_event() -> Any:
            reader = EventReader()
            async for line in lines:
                if event := reader.feed(line):
                    return event
            return None

        assert (await next_event()).kind == "queued"
        await service.told(uuid.UUID(key), {"event": "progress", "at_s": 1})
        assert (await next_event()).raw["at_s"] == 1
        await api.http.post(f"{PATH}/{key}/cancel")
        last = await next_event()
        assert (last.kind, last.raw["state"]) == ("ended", "interrupted")
        assert await next_event() is None


async def test_they_are_listed_newest_first_by_page_and_endpoint(api: Api) -> None:
    await limit(api, loadtests=20, loadtest_rate=100, loadtest_s=60)
    keys = [(await ask(api))["id"] for _ in range(5)]
    found, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await api.http.get(PATH, params=query)).json()
        found += [item["id"] for item in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert found == keys[::-1]
    assert len((await api.http.get(PATH, params={"endpoint": "iris"})).json()["items"]) == 5
    assert (await api.http.get(PATH, params={"endpoint": "other"})).json()["items"] == []


async def test_other_tenants_see_and_test_nothing_of_it(api: Api) -> None:
    key = (await ask(api))["id"]
    rival = await api.another_tenant("rival")
    assert (await rival.http.get(PATH)).json()["items"] == []
    for method, path in (
        ("GET", f"{PATH}/{key}"),
        ("GET", f"{PATH}/{key}/events"),
        ("GET", f"{PATH}/{key}/report"),
    ):
        assert (await rival.http.request(method, path)).status_code == 404
    body = {
        "name": "theirs",
        "tenant": "rival",
        "scopes": ["predict", "endpoints:read", "endpoints:write"],
    }
    made = (await api.http.post("/v1/clients", json=body)).json()
    rival.client_id, rival.client_secret = made["id"], made["secret"]
    await rival.sign_in()
    await ask(rival, 404)
    assert (await rival.http.post(f"{PATH}/{key}/cancel")).status_code == 404


async def test_who_may_not_predict_may_not_have_it_done(api: Api) -> None:
    body = {"name": "deployer", "scopes": ["endpoints:read", "endpoints:write"]}
    made = (await api.http.post("/v1/clients", json=body)).json()
    api.client_id, api.client_secret = made["id"], made["secret"]
    await api.sign_in()
    refused = await ask(api, 403)
    assert "needs the scope predict too" in refused["detail"]


async def end(api: Api, key: str, tmp_path: Path, text: str) -> str:
    """End a test as the runner does, with one report; gives its digest."""
    path = tmp_path / f"{key}.html"
    path.write_text(text)
    blob = await api.app.state.store.put_file(path)
    await service.begun(uuid.UUID(key))
    report = Report("html", blob.sha256, blob.size_bytes)
    await service.ended(uuid.UUID(key), LoadTestState.FINISHED, "passed", None, (report,))
    return str(blob.sha256)


async def test_a_report_is_shown_as_a_page_that_runs_nothing(api: Api, tmp_path: Path) -> None:
    key = (await ask(api))["id"]
    missing = await api.http.get(f"{PATH}/{key}/report")
    assert missing.status_code == 404
    assert "not ended yet" in missing.json()["detail"]
    await end(api, key, tmp_path, "<p>fast</p>")
    report = await api.http.get(f"{PATH}/{key}/report")
    assert (report.status_code, report.text) == (200, "<p>fast</p>")
    assert "sandbox" in report.headers["content-security-policy"]
    other = await api.http.get(f"{PATH}/{key}/report", params={"format": "csv"})
    assert "there are ['html']" in other.json()["detail"]
    assert (await api.http.get(f"{PATH}/{key}/report", params={"format": "exe"})).status_code == 422
    document = (await api.http.get(f"{PATH}/{key}")).json()
    assert (document["state"], document["verdict"]) == ("finished", "passed")
    assert document["reports"] == ["html"]


async def test_an_end_is_an_end(api: Api, tmp_path: Path) -> None:
    key = (await ask(api))["id"]
    await end(api, key, tmp_path, "x")
    await service.ended(uuid.UUID(key), LoadTestState.FAILED, None, "late", ())
    assert (await api.http.get(f"{PATH}/{key}")).json()["state"] == "finished"


async def test_old_tests_go_with_their_reports_and_younger_ones_stay(
    api: Api, tmp_path: Path
) -> None:
    old, young = (await ask(api))["id"], (await ask(api))["id"]
    store = api.app.state.store
    gone, kept = await end(api, old, tmp_path, "old"), await end(api, young, tmp_path, "young")
    await api.execute(
        "UPDATE loadtests SET ended_at = now() - $2::interval - interval '1 day' WHERE id = $1",
        uuid.UUID(old),
        KEPT,
    )
    assert await service.forget(store, datetime.now(UTC)) == 1
    assert [item["id"] for item in (await api.http.get(PATH)).json()["items"]] == [young]
    assert (store.path(gone).exists(), store.path(kept).exists()) == (False, True)
    assert await service.report_in_use(kept)


async def test_no_more_tests_are_kept_of_a_tenant_than_there_is_room_for(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "KEPT_OF_A_TENANT", 1)
    keys = [(await ask(api))["id"] for _ in range(2)]
    for key in keys:
        await end(api, key, tmp_path, key)
    assert await service.forget(api.app.state.store, datetime.now(UTC)) == 1
    assert [item["id"] for item in (await api.http.get(PATH)).json()["items"]] == keys[1:]


async def test_a_test_has_a_token_of_its_endpoint_for_as_long_as_its_starter_may_predict(
    api: Api,
) -> None:
    oauth = api.app.state.oauth
    made = (await api.http.post("/v1/clients", json={"name": "ci", "scopes": ["predict"]})).json()
    by, endpoint = (f"client:{made['id']}", made["id"]), uuid.uuid4()
    token = await oauth.token_for(by, "default", endpoint)
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["aud"] == f"{oauth.issuer}/endpoints/{endpoint}"
    assert (claims["sub"], claims["client_id"]) == by
    assert (claims["scope"], claims["tenant"]) == ("predict", "default")
    assert claims["exp"] - claims["iat"] == oauth.predict_token_s
    await api.http.delete(f"/v1/clients/{made['id']}")
    with pytest.raises(Forbidden, match="may not predict any more"):
        await oauth.token_for(by, "default", endpoint)


async def test_where_none_can_be_run_the_answer_says_what_to_do(api: Api) -> None:
    api.app.state.no_loadtests = NEEDS_IMAGE
    refused = await ask(api, 501)
    assert refused["type"] == "/problems/not-implemented"
    assert "kubeserve loadtest ENDPOINT" in refused["detail"]
