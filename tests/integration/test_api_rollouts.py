"""Rollouts through the API on a real Postgres: steps, gates, ends, two leaders, restarts."""

import asyncio
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from controlplane.engines.engine import Cause, Compared, Condition, EndpointId, Measured, Status
from controlplane.loadtests import service as loadtests
from controlplane.loadtests.states import LoadTestState
from controlplane.rollouts import service as rollouts
from controlplane.rollouts.asking import Means
from controlplane.rollouts.proving import Questions, Replayed
from runtime.problems import EngineUnavailable
from tests.integration.api import Api
from tests.integration.test_api_registry import OCTETS, until_built
from tests.unit.rollouts.made import answers

PATH = "/v1/endpoints/iris/rollouts"
STEADY = {"kind": "steady", "rate": 10, "duration": "1s"}
LOAD = {"shape": STEADY, "objectives": {"p50": "1s"}}
QUICK = {"model": "iris", "version": 2, "step_s": 0, "requests": 20}


@pytest.fixture
async def api(quick_api: Api) -> Api:
    """Give the application with version 1 deployed and version 2 ready."""
    for number in (1, 2, 3):
        raw = b"\x80\x04N." + bytes(number)
        await quick_api.http.post("/v1/models/iris/versions", content=raw, headers=OCTETS)
        assert (await until_built(quick_api, "iris", number))["state"] == "ready"
    body = {"model": "iris", "version": 1}
    made = await quick_api.http.post("/v1/endpoints/iris/releases", json=body)
    assert made.status_code == 201, made.text
    return quick_api


async def begin(api: Api, **changes: Any) -> dict[str, Any]:
    answer = await api.http.post(PATH, json=QUICK | changes)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def newest(api: Api) -> dict[str, Any]:
    return dict((await api.http.get(PATH)).json()["items"][0])


async def until_state(api: Api, *states: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            found = await newest(api)
            if found["state"] in states:
                return found
            await asyncio.sleep(0.02)


async def until_step(api: Api, step: int) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while (found := await newest(api))["step"] < step or not found["checks"]:
            await asyncio.sleep(0.02)
        return found


async def identity(api: Api) -> EndpointId:
    return EndpointId((await api.http.get("/v1/endpoints/iris")).json()["id"])


class Traffic:
    """What the engine tells that the two revisions answered."""

    def __init__(self, api: Api, key: EndpointId) -> None:
        self.api, self.key, self.counts = api, key, {"iris-00001": answers(0)}
        self.source = "a"

    def tell(self, running: Any, candidate: Any) -> None:
        counts = {"iris-00001": running, "iris-00002": candidate}
        self.api.engine.answered[self.key] = (Measured(self.source, counts),)


async def traffic(api: Api) -> list[tuple[int, int]]:
    found = (await api.http.get("/v1/endpoints/iris")).json()
    return [(one["version"], one["percent"]) for one in found["revisions"]]


async def test_a_good_candidate_gets_all_traffic_in_steps(api: Api) -> None:
    told = Traffic(api, await identity(api))
    told.tell(answers(500), answers(0))
    begun = await begin(api)
    assert (begun["state"], begun["percent"], begun["steps"]) == ("running", 5, [5, 25, 100])
    assert await traffic(api) == [(1, 95), (2, 5)]
    for step in (1, 2, 3):
        await until_step(api, step)
        told.tell(answers(500 + 100 * step), answers(30 * step))
    done = await until_state(api, "done", "rolled-back")
    assert done["state"] == "done", done
    assert await traffic(api) == [(2, 100)]
    listed = (await api.http.get("/v1/endpoints/iris/releases")).json()["items"]
    assert [one["action"] for one in listed] == ["rollout", "canary", "canary", "deploy"]
    assert listed[0]["created_by"] == "rollout:1"
    assert "step 3 of 3" in listed[0]["reason"]
    why = (await api.http.get("/v1/endpoints/iris/why")).json()
    assert why["ok"]
    back = await api.http.post("/v1/endpoints/iris/rollback", json={})
    assert [one["version"] for one in back.json()["revisions"]] == [1]


async def test_a_candidate_that_fails_is_taken_back_and_why_says_so(api: Api) -> None:
    told = Traffic(api, await identity(api))
    told.tell(answers(500), answers(0))
    await begin(api)
    await until_step(api, 1)
    told.tell(answers(900), answers(25, errors=20))
    ended = await until_state(api, "done", "rolled-back")
    assert ended["state"] == "rolled-back"
    assert "80.00% (20 of 25)" in ended["reason"]
    assert "step 1 of 3" in ended["reason"]
    assert await traffic(api) == [(1, 100)]
    release = (await api.http.get("/v1/endpoints/iris/releases")).json()["items"][0]
    assert (release["action"], release["current"]) == ("rollback", True)
    assert "(20 of 25)" in release["reason"]
    why = (await api.http.get("/v1/endpoints/iris/why")).json()
    assert (why["ok"], why["reason"]) == (False, "RolledBack")
    assert "(20 of 25)" in why["message"]
    event = (await api.http.get("/v1/audit")).json()["items"][0]
    assert (event["action"], event["subject"]) == ("endpoint.rollback", "rollout:1")
    # What somebody does then is their own doing, and all is well.
    await api.http.post("/v1/endpoints/iris/releases", json={"model": "iris", "version": 3})
    assert (await api.http.get("/v1/endpoints/iris/why")).json()["ok"]


async def test_what_proves_nothing_for_too_long_goes_back(api: Api) -> None:
    await begin(api, give_up_s=1)
    ended = await until_state(api, "done", "rolled-back")
    assert "0 of the 20 requests" in ended["reason"]
    assert await traffic(api) == [(1, 100)]


async def test_a_candidate_that_the_engine_cannot_serve_goes_back(api: Api) -> None:
    key = await identity(api)
    status = Status("Ready", Condition.FALSE, "BadPlan", "The plan is broken.", datetime.now(UTC))
    seen = api.engine._seen

    def broken(desired: Any) -> Any:
        found = seen(desired)
        if len(desired.revisions) == 1:
            return found
        return type(found)(found.id, found.observed_generation, found.url, 0, 1, (status,))

    api.engine._seen = broken
    await begin(api)
    ended = await until_state(api, "done", "rolled-back")
    assert "The plan is broken." in ended["reason"]
    assert api.engine.wanted[key].revisions[0].version == 1


async def test_it_is_held_to_what_the_endpoint_promises(api: Api) -> None:
    refused = await api.http.post(PATH, json=QUICK | {"slo": "endpoint"})
    assert (refused.status_code, "promises neither latency nor errors" in refused.text) == (
        422,
        True,
    )
    promise = {"p95": "20ms"}
    assert (await api.http.put("/v1/endpoints/iris/slo", json=promise)).status_code == 200
    found = (await api.http.get("/v1/endpoints/iris/slo")).json()
    assert found == promise
    assert (await api.http.get("/v1/endpoints/iris")).json()["slo"] == promise
    told = Traffic(api, await identity(api))
    told.tell(answers(500, 30), answers(0))
    begun = await begin(api, slo="endpoint")
    assert begun["answers"]["needed"] == 59
    # What is promised by then does not change what this rollout is held to.
    assert (await api.http.delete("/v1/endpoints/iris/slo")).status_code == 204
    await until_step(api, 1)
    told.tell(answers(900, 30), answers(60, 30))
    ended = await until_state(api, "done", "rolled-back")
    assert "answers after more than 20 ms" in ended["reason"]


async def test_one_at_a_time_and_whoever_moves_the_traffic_ends_it(api: Api) -> None:
    await begin(api)
    again = await api.http.post(PATH, json=QUICK)
    assert (again.status_code, "--cancel" in again.text) == (409, True)
    # A change of the scaling is no move of the traffic.
    wider = {"scaling": {"max_scale": 7}}
    assert (await api.http.post("/v1/endpoints/iris/releases", json=wider)).status_code == 201
    assert (await until_step(api, 1))["state"] == "running"
    await api.http.post("/v1/endpoints/iris/releases", json={"model": "iris", "version": 3})
    ended = await until_state(api, "superseded")
    assert "release 4 (deploy)" in ended["reason"]
    assert await traffic(api) == [(3, 100)]


async def test_cancelling_gives_the_traffic_back(api: Api) -> None:
    key = {"idempotency-key": "k"}
    begun = [await api.http.post(PATH, json=QUICK, headers=key) for _ in range(2)]
    assert [one.json()["number"] for one in begun] == [1, 1]
    ended = await api.http.post(f"{PATH}/1/cancel")
    assert (ended.status_code, ended.json()["state"]) == (200, "cancelled")
    assert await traffic(api) == [(1, 100)]
    again = await api.http.post(f"{PATH}/1/cancel")
    assert (again.status_code, "has ended" in again.text) == (409, True)
    assert (await api.http.get("/v1/endpoints/iris/why")).json()["ok"]
    assert (await api.http.get(f"{PATH}/2")).status_code == 404
    assert (await begin(api))["number"] == 2


BAD: list[tuple[dict[str, Any], int, str]] = [
    ({"version": 1}, 409, "serves iris:1 already"),
    ({"version": 9}, 404, "no version 9"),
    ({"model": "none"}, 404, "no model"),
    ({"steps": [25, 5, 100]}, 422, "must grow"),
    ({"steps": [5, 25]}, 422, "end with 100"),
    ({"steps": []}, 422, "steps"),
    ({"slo": {"p99": "-1ms"}}, 422, "p99"),
    ({"slo": {"p99": "50ms", "throughput": 5}}, 422, "latency and errors alone"),
    ({"slo": "mine"}, 422, "slo"),
    ({"requests": 3}, 422, "requests"),
    ({"more": 1}, 422, "more"),
    ({"loadtest": {"shape": STEADY}}, 422, "without objectives"),
    ({"loadtest": {"shape": STEADY, "objectives": {"cold_start": "1s"}}}, 422, "cold_start"),
    ({"loadtest": {"shape": {"kind": "wake"}, "objectives": {"p50": "1s"}}}, 422, "wake"),
    ({"loadtest": LOAD | {"shape": STEADY | {"rate": 5000}}}, 403, "loadtest_rate"),
    ({"loadtest": LOAD, "give_up_s": 1}, 422, "given up after 1 s"),
    ({"replay": {"instances": []}}, 422, "instances"),
    ({"replay": {"instances": [["a"]]}}, 422, "do not fit iris:1"),
    ({"replay": {"instances": [["\x00"]]}}, 422, "NUL"),
]


async def test_a_bad_rollout_changes_nothing(api: Api) -> None:
    for body, status, said in BAD:
        answer = await api.http.post(PATH, json=QUICK | body)
        assert (answer.status_code, said in answer.text) == (status, True), (body, answer.text)
    split = [{"version": 1, "percent": 50}, {"version": 2, "percent": 50}]
    await api.http.post("/v1/endpoints/iris/releases", json={"model": "iris", "version": 2})
    await api.http.post("/v1/endpoints/iris/releases", json={"traffic": split})
    answer = await api.http.post(PATH, json=QUICK | {"version": 3})
    assert (answer.status_code, "split already" in answer.text) == (409, True)
    api.engine.measures = False
    answer = await api.http.post(PATH, json=QUICK)
    assert (answer.status_code, "nothing could be judged" in answer.text) == (409, True)
    assert (await api.http.get(PATH)).json()["items"] == []


async def test_two_leaders_take_each_step_once(api: Api) -> None:
    """Carry on from many sides at once: a step is one release, whoever makes it."""
    key = await identity(api)
    told = Traffic(api, key)
    told.tell(answers(500), answers(0))
    await begin(api)
    await until_step(api, 1)
    for step in (1, 2, 3):
        told.tell(answers(500 + 100 * step), answers(30 * step))
        now = datetime.now(UTC)
        await asyncio.gather(
            *(rollouts.carry_on(uuid.UUID(key), api.engine, now) for _ in range(6))
        )
        await until_step(api, min(step + 1, 3))
    await until_state(api, "done")
    listed = (await api.http.get("/v1/endpoints/iris/releases")).json()["items"]
    assert [one["action"] for one in listed] == ["rollout", "canary", "canary", "deploy"]


class Died(Exception):
    """The process ended here."""


class Asks:
    """Answers for the two revisions: a row a look; the candidate labels each one otherwise.

    Of each two looks one dies before it can note what it was answered.
    """

    def __init__(self) -> None:
        self.looks = 0

    async def __call__(self, questions: Questions) -> tuple[Replayed, str | None]:
        self.looks += 1
        assert (questions.endpoint, questions.tag) == ("iris", "candidate")
        if self.looks % 2:
            raise Died
        ended = datetime.now(UTC).isoformat() if len(questions.rows) == 1 else None
        return Replayed(1, 0, ended, Compared("replay", 1, 1)), None


async def test_rows_are_replayed_once_whoever_dies_or_looks_beside(api: Api) -> None:
    key, asks = await identity(api), Asks()
    (row,) = await rows_of(api)
    await begin(api, replay={"instances": [row] * 9}, give_up_s=3600)
    assert await traffic(api) == [(1, 100), (2, 0)]
    async with asyncio.timeout(20):  # nothing answers at the address of the fake engine
        while "does not answer" not in json.dumps((await until_step(api, 1))["checks"]):
            await asyncio.sleep(0.02)
    api.app.state.parts.work.may_act = lambda: False

    async def look() -> Any:
        means = Means(asks=asks)
        return await rollouts.carry_on(uuid.UUID(key), api.engine, datetime.now(UTC), means)

    while (now := await newest(api))["step"] == 1:
        assert now["replay"]["difference"]["rows"] == now["replay"]["replayed"]
        ended = await asyncio.gather(*(look() for _ in range(4)), return_exceptions=True)
        assert {type(one) for one in ended} <= {bool, Died}
    assert asks.looks > 9
    assert (now["state"], now["replay"]["replayed"]) == ("running", 9)
    assert now["replay"]["difference"]["flips"] == 9
    assert await traffic(api) == [(1, 95), (2, 5)]
    assert "9 of 9 replayed rows" in now["passed"][0]["checks"][0]["message"]


async def rows_of(api: Api) -> list[list[float]]:
    """Give a row that version 1 takes."""
    signature = (await api.http.get("/v1/models/iris/versions/1")).json()["signature"]
    return [[0.0] * len(signature["columns"])]


async def test_a_load_test_is_asked_for_once_and_ends_with_its_rollout(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(_free: int) -> list[Any]:
        return []

    monkeypatch.setattr(loadtests, "take_waiting", none)
    key = await identity(api)
    begun = await begin(api, loadtest=LOAD, give_up_s=3600)
    assert begun["loadtest"]["id"] is None
    means = Means(quotas=api.app.state.quotas)

    async def look() -> None:
        await rollouts.carry_on(uuid.UUID(key), api.engine, datetime.now(UTC), means)

    for _ in range(3):
        await asyncio.gather(*(look() for _ in range(4)))
    (test,) = (await api.http.get("/v1/loadtests")).json()["items"]
    # Of those at once the last to write may have looked before it was asked for.
    async with asyncio.timeout(20):
        while "number 1 is queued" not in (now := await newest(api))["checks"][0]["message"]:
            await look()
    assert (now["loadtest"]["id"], now["step"]) == (test["id"], 1)
    assert (test["state"], test["plan"]["tag"]) == ("queued", "candidate")
    # One that the control plane did not outlive proves nothing: another is asked for.
    restarted = LoadTestState.INTERRUPTED, None, "The control plane was restarted.", ()
    await loadtests.begun(uuid.UUID(test["id"]))
    await loadtests.ended(uuid.UUID(test["id"]), *restarted)
    await look()
    await look()
    second, first = (await api.http.get("/v1/loadtests")).json()["items"]
    assert (second["state"], first["state"]) == ("queued", "interrupted")
    assert (await api.http.post(f"{PATH}/1/cancel")).status_code == 200
    ended = (await api.http.get(f"/v1/loadtests/{second['id']}")).json()
    assert (ended["state"], ended["reason"]) == ("interrupted", "It was cancelled.")


async def test_whoever_comes_after_a_crash_goes_on(api: Api, monkeypatch: Any) -> None:
    """Die at every await of a step that is due, then look again: it is taken once, and whole."""
    key = await identity(api)
    told = Traffic(api, key)
    told.tell(answers(500), answers(0))
    await begin(api)
    await until_step(api, 1)
    api.app.state.parts.work.may_act = lambda: False  # from here on only we carry it on
    # One that the leader began is waited for: it holds the row.
    await rollouts.carry_on(uuid.UUID(key), api.engine, datetime.now(UTC))
    told.tell(answers(900), answers(25, errors=20))
    deaths = 0
    for at in range(1, 200):
        try:
            await dies_at(at, rollouts.carry_on(uuid.UUID(key), api.engine, datetime.now(UTC)))
        except Died:
            deaths += 1
            assert await standing(api) in (
                ("running", [(1, 95), (2, 5)]),
                ("rolled-back", [(1, 100)]),
            )
        else:
            break
    assert deaths > 5
    assert (await newest(api))["state"] == "rolled-back"
    listed = (await api.http.get("/v1/endpoints/iris/releases")).json()["items"]
    assert [one["action"] for one in listed] == ["rollback", "canary", "deploy"]


async def standing(api: Api) -> tuple[str, list[tuple[int, int]]]:
    """Give state and traffic as they were at one moment: a commit may outlive who asked for it."""
    async with asyncio.timeout(20):
        while True:
            before, split = (await newest(api))["state"], await traffic(api)
            if (await newest(api))["state"] == before:
                return before, split


async def dies_at(number: int, step: Any) -> Any:
    """Run a coroutine up to the n-th time that it waits for something; then it ends."""

    class Steps:
        def __await__(self) -> Any:
            waited = 0
            try:
                while True:
                    future = step.throw(Died()) if waited == number else step.send(None)
                    waited += 1
                    yield future  # also while what was begun is rolled back
            except StopIteration as end:
                return end.value

    return await Steps()


async def test_an_engine_that_is_away_decides_nothing(api: Api) -> None:
    told = Traffic(api, await identity(api))
    told.tell(answers(500), answers(0))
    await begin(api, give_up_s=3600)
    await until_step(api, 1)
    api.engine.down = True
    told.tell(answers(900), answers(30))
    with pytest.raises(EngineUnavailable):
        await rollouts.carry_on(uuid.UUID(told.key), api.engine, datetime.now(UTC))
    assert (await newest(api))["step"] == 1
    api.engine.down = False
    assert (await until_step(api, 2))["percent"] == 25


async def test_a_deleted_endpoint_takes_its_rollout_along(api: Api) -> None:
    await begin(api)
    assert (await api.http.delete("/v1/endpoints/iris")).status_code == 204
    async with asyncio.timeout(10):
        while api.engine.wanted:
            await asyncio.sleep(0.02)
        while await rollouts.under_way():
            await asyncio.sleep(0.02)


async def test_a_refused_engine_is_told_beside_the_reason(api: Api) -> None:
    """An endpoint that is not well tells that first; the step is among the evidence."""
    await begin(api)
    api.engine.refusal = Cause("CrashLoop", False, "It dies.", ("exit code 1",))
    why = (await api.http.get("/v1/endpoints/iris/why")).json()
    assert why["reason"] == "CrashLoop"
    assert any("step 1 of 3" in fact for fact in why["evidence"])
