"""Guarded rollouts on the real thing: real models, real requests, candidates that must not pass."""

import io
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import httpx
import joblib
import numpy as np
import psutil
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression

from controlplane.client import ApiError, Client, ClientError, Rollout
from loadtests.benchmarks.installation import installation
from tests import waiting

X, Y = load_iris(return_X_y=True)
WITHIN_S = 240.0
until = partial(waiting.until, within_s=WITHIN_S)
# Answers of one row a time; enough of them in a few seconds, and both cores are not full.
PAUSE_S = 0.004


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Client, Any]]:
    with installation(20) as (client, home):
        yield client, home


@pytest.fixture
def client(place: tuple[Client, Any]) -> Client:
    return place[0]


def push(client: Client, model: Any, name: str) -> int:
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return client.push(file, name).number


def fitted(y: Any = Y, x: Any = X, **more: Any) -> Any:
    return LogisticRegression(max_iter=500, **more).fit(x, y)


class Callers:
    """Somebody who asks one row after the other; `answers` counts (status, revision, right)."""

    def __init__(self, client: Client, name: str, right: Callable[[int, Any], bool]) -> None:
        endpoint = client.endpoint(name)
        kept = {"grant_type": "client_credentials", "resource": endpoint.audience}
        account = client._core.account
        token = httpx.post(
            f"{account.url}/oauth2/token",
            data=kept,
            auth=(account.client_id, account.client_secret),
        ).json()["access_token"]
        self._url, self._right = f"{endpoint.url}/v1/models/{name}:predict", right
        self._headers = {"authorization": f"Bearer {token}"}
        self.answers: Counter[tuple[int, str, bool]] = Counter()

    @property
    def wrong(self) -> int:
        return sum(
            n for (status, _, right), n in self.answers.items() if status != 200 or not right
        )

    def asking(self) -> AbstractContextManager[None]:
        return waiting.beside(self._ask)

    def _ask(self, stop: threading.Event) -> None:
        with httpx.Client(headers=self._headers, timeout=30.0, trust_env=False) as http:
            at = 0
            while not stop.wait(PAUSE_S):
                at = (at + 7) % len(X)
                answer = http.post(self._url, content=json.dumps({"instances": [X[at].tolist()]}))
                right = answer.status_code == 200 and self._right(
                    at, answer.json()["predictions"][0]
                )
                revision = answer.headers.get("k-revision", "")
                self.answers[answer.status_code, revision, right] += 1


def ended(client: Client, begun: Rollout) -> Rollout:
    return client.wait_for_rollout(begun.endpoint, begun.number, timeout_s=WITHIN_S)


def deployed(client: Client, name: str, *models: Any) -> None:
    for model in models:
        push(client, model, name)
    client.deploy(name, 1)


def test_swapped_classes_are_stopped_before_a_caller_sees_one(client: Client) -> None:
    model = fitted()
    deployed(client, "swapped", model, fitted(np.array([0, 2, 1])[Y]))
    expected = model.predict(X)
    callers = Callers(client, "swapped", lambda at, said: said == expected[at])
    with callers.asking():
        asked = {"share": 1.0, "max_flips": 0.1, "rows": 20}
        begun = client.rollout("swapped:2", steps=[5, 25, 100], shadow=asked, requests=20, step_s=1)
        found = ended(client, begun)
    assert (found.state, found.step, found.steps) == ("rolled-back", 1, (0, 5, 25, 100))
    assert "rows with another label" in str(found.reason)
    told = found.raw["difference"]
    assert told["flips"] > told["rows"] / 3
    assert all(worst["flipped"] and len(worst["row"]) == 4 for worst in told["worst"])
    assert sum(callers.answers.values()) > 20
    assert callers.wrong == 0
    cause = client.why("swapped")
    assert (cause.ok, cause.reason) == (False, "RolledBack")
    assert "another label" in cause.message
    newest, *_ = client.releases("swapped")
    assert (newest.action, newest.current) == ("rollback", True)
    assert [(one.version, one.percent) for one in newest.revisions] == [(1, 100)]


def test_rows_that_are_replayed_stop_swapped_classes_before_anybody_asks(client: Client) -> None:
    deployed(client, "replayed", fitted(), fitted(np.array([0, 2, 1])[Y]))
    with pytest.raises(ApiError, match=r"do not fit replayed:1.*row 1"):
        client.rollout("replayed:2", replay={"instances": [X[0].tolist(), [1.0]]})
    asked = {"instances": X.tolist(), "max_flips": 0.1}
    found = ended(client, client.rollout("replayed:2", replay=asked, step_s=0))
    assert (found.state, found.step, found.answers) == ("rolled-back", 1, 0)
    assert "replayed rows with another label" in str(found.reason)
    told = found.raw["replay"]["difference"]
    assert told["flips"] >= 90
    assert all(worst["flipped"] for worst in told["worst"])
    assert "another label" in client.why("replayed").message


def test_what_a_candidate_refuses_of_a_replay_is_told_row_by_row(client: Client) -> None:
    deployed(client, "refuses", fitted(), fitted(x=np.hstack([X, X[:, :1]])))
    asked = {"instances": X[:20].tolist(), "max_shift": 0.5}
    found = ended(client, client.rollout("refuses:2", replay=asked, step_s=0))
    assert found.state == "rolled-back"
    told = found.raw["replay"]["difference"]
    assert (told["rows"], told["refused"]) == (20, 20)


def test_a_load_test_decides_before_any_traffic_moves(client: Client) -> None:
    deployed(client, "loaded", fitted(), fitted(random_state=3))
    load = {"shape": {"kind": "steady", "rate": 100, "duration": "1s"}, "format": "v1"}
    asked = {**load, "objectives": {"p50": "1us"}}
    found = ended(client, client.rollout("loaded:2", loadtest=asked, step_s=0))
    assert (found.state, found.step, found.answers) == ("rolled-back", 1, 0)
    test = client.loadtest(found.raw["loadtest"]["id"])
    # A machine that is too busy to send in time proves nothing, which ends it too.
    assert test.verdict in ("failed", "inconclusive"), test.raw
    assert test.raw["plan"]["tag"] == "candidate"
    report = json.loads(client.loadtest_report(test.id, "json"))
    assert report["totals"]["good"] == report["totals"]["sent"] > 50
    assert "load test 1: p50" in str(found.reason)
    assert f"loadtests report {test.id}" in client.why("loaded").message
    # The other way: what it proved stays with the rollout when the next step is on its way.
    slow = {**load, "objectives": {"p50": "30s", "error_rate": "50%"}}
    same = {"instances": X.tolist(), "max_flips": 0.0}
    begun = client.rollout("loaded:2", steps=[5, 100], loadtest=slow, replay=same, step_s=0)
    until(lambda: newest(client, "loaded").step > 1 or newest(client, "loaded").is_over)
    now = newest(client, "loaded")
    test = client.loadtest(now.raw["loadtest"]["id"])
    if test.verdict == "passed":
        verdicts = {one.name: one.verdict for one in now.passed[0].checks}
        assert verdicts["load test p50"] == verdicts["replay flips"] == "passed"
        assert [one.tag for one in client.endpoint("loaded").revisions] == [None, None]
        client.cancel_rollout("loaded", begun.number)
    else:
        assert (test.verdict, now.state) == ("inconclusive", "rolled-back")
        assert "inconclusive" in str(now.reason)


def newest(client: Client, name: str) -> Rollout:
    found = client.newest_rollout(name)
    assert found is not None
    return found


def test_an_identical_model_shows_no_flip_and_gets_all_traffic(client: Client) -> None:
    model = fitted()
    deployed(client, "same", model, fitted(random_state=7))  # other bytes, the same numbers
    expected = model.predict(X)
    callers = Callers(client, "same", lambda at, said: said == expected[at])
    with callers.asking():
        asked = {"share": 1.0, "max_flips": 0.0, "max_shift": 0.0, "rows": 40}
        begun = client.rollout("same:2", steps=[25, 100], shadow=asked, requests=20, step_s=1)
        found = ended(client, begun)
    assert found.state == "done", found
    told = found.raw["difference"]
    assert (told["flips"], told["max_shift"], told["worst"]) == (0, 0.0, [])
    assert told["rows"] >= 40
    assert callers.wrong == 0
    assert {revision for _, revision, _ in callers.answers} == {"same-00001", "same-00002"}
    assert client.why("same").ok
    assert [(one.version, one.percent) for one in client.endpoint("same").revisions] == [(2, 100)]


def test_a_candidate_of_other_columns_goes_back_within_a_few_answers(client: Client) -> None:
    wider = fitted(x=np.hstack([X, X[:, :1]]))
    deployed(client, "wider", fitted(), wider)
    callers = Callers(client, "wider", lambda _at, _said: True)
    with callers.asking():
        begun = client.rollout("wider:2", steps=[5, 100], requests=20, step_s=1)
        found = ended(client, begun)
    assert (found.state, found.step) == ("rolled-back", 1)
    assert "refused" in str(found.reason)
    refused = sum(n for (status, *_), n in callers.answers.items() if status == 422)
    assert refused >= 20
    # Of the time that it was served: a look each second, and one second for workers to tell.
    assert refused < sum(callers.answers.values()) * 0.06
    assert client.endpoint("wider").revisions[0].version == 1


def test_values_of_a_regressor_are_bounded_by_their_shift(client: Client) -> None:
    x, y = load_diabetes(return_X_y=True)
    x = x[:, :4]
    deployed(client, "values", LinearRegression().fit(x, y), LinearRegression().fit(x, y * 1.5))
    with pytest.raises(ApiError, match="predicts no labels"):
        client.rollout("values:2", shadow={"max_flips": 0.01})
    callers = Callers(client, "values", lambda _at, _said: True)
    with callers.asking():
        asked = {"share": 1.0, "max_shift": 0.05, "rows": 20}
        found = ended(client, client.rollout("values:2", steps=[100], shadow=asked, step_s=1))
    assert (found.state, found.step) == ("rolled-back", 1)
    assert found.raw["difference"]["mean_shift"] == pytest.approx(1 / 3, abs=0.01)


def test_it_goes_on_after_the_api_and_the_supervisor_were_killed(place: tuple[Client, Any]) -> None:
    client, home = place
    model = fitted()
    deployed(client, "killed", model, fitted(random_state=9))
    expected = model.predict(X)
    callers = Callers(client, "killed", lambda at, said: said == expected[at])
    asked = {"share": 1.0, "max_flips": 0.1, "rows": 20}
    begun = client.rollout("killed:2", steps=[50, 100], shadow=asked, requests=20, step_s=1)
    for victim in ("api", "supervisor"):
        kill(home, victim)
    until(lambda: reachable(client, "killed"))
    with callers.asking():
        found = ended(client, begun)
    assert found.state == "done", found
    actions = [one.action for one in client.releases("killed")]
    assert actions == ["rollout", "canary", "canary", "deploy"]


def kill(home: Any, role: str) -> None:
    """Kill one of the processes of an installation, wherever it is."""
    for process in psutil.process_iter(["cmdline", "environ"]):
        command = process.info["cmdline"] or []
        mine = (process.info["environ"] or {}).get("KUBESERVE_HOME") == str(home)
        if mine and role in command:
            os.kill(process.pid, signal.SIGKILL)
            return
    raise AssertionError(f"no {role} runs")


def reachable(client: Client, name: str) -> bool:
    try:
        return client.endpoint(name).is_ready
    except ClientError:  # it is being started again
        return False
