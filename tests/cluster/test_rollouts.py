"""Guarded rollouts on Knative: traffic by named revision, judged by what pods tell."""

import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.client import ApiError, Rollout
from tests.cluster.home import NODE_IP
from tests.cluster.kube import Cluster
from tests.cluster.platform import INGRESS, outside
from tests.conformance.platform import Platform, rows
from tests.waiting import beside

X, Y = load_iris(return_X_y=True)
WITHIN_S = 240.0
PAUSE_S = 0.01
LOAD = {"shape": {"kind": "steady", "rate": 10, "duration": "5s"}, "objectives": {"p50": "2s"}}


def fitted(x=X, y=Y, seed: int = 0) -> LogisticRegression:
    return LogisticRegression(max_iter=500, random_state=seed).fit(x, y)


@pytest.fixture(scope="module")
def platform(
    cluster: Cluster, runtime_image: str, builder_image: str, controlplane_image: str
) -> Iterator[Platform]:
    settings = {
        "instance": f"rolling-{uuid.uuid4().hex[:6]}",
        "ingress_url": INGRESS,
        "loadtest_image": controlplane_image,
        "loadtest_reach": f"{NODE_IP}/32",  # where the ingress of this rig runs
        "loadtest_cpu_millis": "100",
    }
    with outside(cluster, runtime_image, builder_image, **settings) as running:
        running.push(fitted(), "iris")
        running.push(fitted(y=np.array([0, 2, 1])[Y]), "iris")  # two classes swapped
        running.push(fitted(np.hstack([X, X[:, :1]])), "iris")  # takes a column more
        running.push(fitted(seed=7), "iris")  # other bytes, the same numbers
        running.client.deploy("iris", 1, scaling={"min_scale": 1})
        yield running


class Callers:
    """Somebody who asks one row after the other; counts (status, revision)."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self.answers: Counter[tuple[int, str]] = Counter()

    def asking(self) -> AbstractContextManager[None]:
        return beside(self._ask)

    def _ask(self, stop: threading.Event) -> None:
        with self._platform.caller("iris") as http:
            while not stop.wait(PAUSE_S):
                answer = http.post("/v1/models/iris:predict", content=rows(X[:1]))
                # Ours, without the digest of a template behind it.
                revision = answer.headers.get("k-revision", "").rpartition("-")[0]
                self.answers[answer.status_code, revision] += 1


def ended(platform: Platform, begun: Rollout) -> Rollout:
    return platform.client.wait_for_rollout("iris", begun.number, timeout_s=WITHIN_S)


def serves(platform: Platform, version: int) -> None:
    found = platform.client.endpoint("iris")
    assert [(one.version, one.percent, one.tag) for one in found.revisions] == [
        (version, 100, None)
    ]


def test_swapped_classes_are_stopped_before_a_caller_sees_one(platform: Platform) -> None:
    with pytest.raises(ApiError, match="replay"):
        platform.client.rollout("iris:2", shadow={"max_flips": 0.1})
    callers = Callers(platform)
    with callers.asking():
        asked = {"instances": X.tolist(), "max_flips": 0.1}
        found = ended(platform, platform.client.rollout("iris:2", replay=asked))
    assert (found.state, found.step, found.steps) == ("rolled-back", 1, (0, 5, 25, 100))
    assert "replayed rows with another label" in str(found.reason)
    assert {revision for _, revision in callers.answers} == {"iris-00001"}
    cause = platform.client.why("iris")
    assert (cause.ok, cause.reason) == (False, "RolledBack")
    serves(platform, 1)


def test_a_candidate_of_other_columns_goes_back_by_what_its_pods_tell(platform: Platform) -> None:
    callers = Callers(platform)
    with callers.asking():
        begun = platform.client.rollout("iris:3", steps=[25, 100], requests=20, step_s=0)
        found = ended(platform, begun)
    assert (found.state, found.step) == ("rolled-back", 1), found.reason
    assert "refused" in str(found.reason)
    assert found.answers >= 20
    assert {status for status, revision in callers.answers if revision == "iris-00001"} == {200}
    serves(platform, 1)


def test_an_identical_model_shows_no_flip_and_gets_all_traffic(platform: Platform) -> None:
    callers = Callers(platform)
    with callers.asking():
        asked = {"instances": X.tolist(), "max_flips": 0.0, "max_shift": 0.0}
        begun = platform.client.rollout(
            "iris:4", steps=[50, 100], requests=20, step_s=0, replay=asked, loadtest=LOAD
        )
        found = ended(platform, begun)
    assert found.state == "done", found.reason
    told = found.raw["replay"]["difference"]
    assert (told["rows"], told["flips"], told["max_shift"]) == (len(X), 0, 0.0)
    assert [step.percent for step in found.passed] == [0, 50, 100]
    proved = [check.message for check in found.passed[0].checks]
    assert any("load test 1: p50" in one for one in proved), proved
    assert {status for status, _ in callers.answers} == {200}
    serves(platform, 4)
