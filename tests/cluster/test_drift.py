"""What others do to our objects is repaired, what is theirs is left alone, nothing is orphaned."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.engines.knative import names
from tests.cluster.kube import Cluster
from tests.cluster.platform import outside
from tests.cluster.processes import ClusterBroken
from tests.conformance.platform import Platform, rows

X, Y = load_iris(return_X_y=True)
INSTANCE = f"drift-{uuid.uuid4().hex[:6]}"  # a sweep takes what is no endpoint of its own
RESYNCED_S = 60.0  # the loop looks at everything every 24 to 36 s


@pytest.fixture(scope="module")
def platform(cluster: Cluster, runtime_image: str, builder_image: str) -> Iterator[Platform]:
    with outside(cluster, runtime_image, builder_image, instance=INSTANCE) as running:
        for value in (1, 2):
            running.push(constant(value), "digit")
        yield running


def constant(value: int) -> Any:
    """Make a model whose answer tells which version it is."""
    return LogisticRegression(max_iter=500).fit(X, 10 * value + Y)


class Deployed:
    """An endpoint with all that is in the cluster for it."""

    def __init__(self, platform: Platform, cluster: Cluster, name: str) -> None:
        self.platform, self.cluster, self.name = platform, cluster, name
        host = (platform.client.endpoint(name).url or "").removeprefix("http://")
        self.namespace = host.split(".")[1]

    def kubectl(self, *arguments: str) -> str:
        return self.cluster.kubectl("-n", self.namespace, *arguments)

    def all_of(self, kinds: str) -> list[dict[str, Any]]:
        return list(self.cluster.get("-n", self.namespace, kinds)["items"])

    def service(self) -> dict[str, Any]:
        return self.cluster.get("-n", self.namespace, f"ksvc/{self.name}")

    def patch(self, *operations: dict[str, Any]) -> None:
        self.kubectl("patch", f"ksvc/{self.name}", "--type=json", "-p", json.dumps(operations))

    def answer(self) -> int:
        with self.platform.caller(self.name) as caller:
            answer = caller.post(f"/v1/models/{self.name}:predict", content=rows(X[:1]))
            assert answer.status_code == 200, answer.text
            return int(answer.json()["predictions"][0]) // 10

    def comes_back(self, holds: Callable[[], Any], within_s: float = RESYNCED_S) -> None:
        """Wait for a repair; what is gone for a moment is not there yet."""

        def held() -> Any:
            try:
                return holds()
            except ClusterBroken:
                return False

        try:
            self.platform.until(held, within_s)
        except AssertionError as error:
            assert self.platform.home is not None
            log = (self.platform.home / "logs" / "api.log").read_text()
            why = self.platform.client.why(self.name)
            raise AssertionError(f"{error}: {why}\n{log[-3000:]}") from error


@pytest.fixture(scope="module")
def digit(platform: Platform, cluster: Cluster) -> Deployed:
    """Give the endpoint that all of it happens to: the node is small."""
    platform.client.deploy("digit", 2, scaling=platform.short)
    return Deployed(platform, cluster, "digit")


def spec(digit: Deployed) -> Any:
    """Give what we say about a KService, without what others may add."""
    template = digit.service()["spec"]["template"]
    return template["metadata"], template["spec"], digit.service()["spec"]["traffic"]


TEMPLATE = "/spec/template"
CONTAINER = f"{TEMPLATE}/spec/containers/0"
EDITS: dict[str, list[dict[str, Any]]] = {
    "environment": [
        {"op": "replace", "path": f"{CONTAINER}/env/0/value", "value": "edited"},
        {"op": "add", "path": f"{CONTAINER}/env/-", "value": {"name": "EXTRA", "value": "1"}},
    ],
    "image": [
        {"op": "replace", "path": f"{CONTAINER}/image", "value": "dev.local/no@sha256:" + "0" * 64},
    ],
    "annotation": [
        {"op": "add", "path": f"{TEMPLATE}/metadata/annotations/somebody", "value": "was here"},
        {"op": "replace", "path": f"{TEMPLATE}/spec/timeoutSeconds", "value": 7},
    ],
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edited_service_is_as_it_was_and_answers_meanwhile(
    digit: Deployed, edit: list[dict[str, Any]]
) -> None:
    before = spec(digit)
    renamed = {"op": "remove", "path": f"{TEMPLATE}/metadata/name"}  # or Knative refuses the edit
    digit.patch(renamed, *edit)
    assert digit.answer() == 2
    digit.comes_back(lambda: spec(digit) == before)
    assert digit.answer() == 2
    digit.platform.until(lambda: digit.platform.client.endpoint(digit.name).is_ready)


def test_edited_traffic_and_annotations_are_as_they_were(digit: Deployed) -> None:
    before = digit.service()
    other = before["spec"]["traffic"][0] | {"revisionName": f"{digit.name}-nothing"}
    digit.patch(
        {"op": "replace", "path": "/spec/traffic", "value": [other]},
        {"op": "replace", "path": "/metadata/annotations/kubeserve.dev~1generation", "value": "9"},
        {"op": "add", "path": "/metadata/annotations/somebody", "value": "was here"},
    )
    digit.comes_back(lambda: digit.service()["spec"]["traffic"] == before["spec"]["traffic"])
    annotations = digit.service()["metadata"]["annotations"]
    generation = names.GENERATION
    assert annotations[generation] == before["metadata"]["annotations"][generation]
    assert annotations["somebody"] == "was here"  # what we say nothing about is nobody's business
    assert digit.answer() == 2


def test_a_deleted_service_comes_back(digit: Deployed) -> None:
    uid = digit.service()["metadata"]["uid"]
    digit.kubectl("delete", f"ksvc/{digit.name}", "--wait=false")
    digit.comes_back(lambda: digit.service()["metadata"]["uid"] != uid)
    digit.cluster.wait("condition=Ready", "-n", digit.namespace, f"ksvc/{digit.name}")
    assert digit.answer() == 2


def test_everything_else_that_was_deleted_comes_back(digit: Deployed) -> None:
    kinds = "secrets,configmaps,networkpolicies,limitranges,resourcequotas,serviceaccounts"
    selector = ("-l", names.owned(INSTANCE))

    def present() -> set[tuple[str, str]]:
        found = digit.cluster.get("-n", digit.namespace, kinds, *selector)["items"]
        return {(one["kind"], one["metadata"]["name"]) for one in found}

    before = present()
    assert {kind for kind, _ in before} >= {"Secret", "ConfigMap", "NetworkPolicy", "LimitRange"}
    digit.kubectl("delete", kinds, *selector)
    digit.comes_back(lambda: present() >= before)
    digit.platform.until(lambda: digit.platform.at_zero(digit.name))
    assert digit.answer() == 2  # by a pod that was started with what came back


def test_a_deleted_namespace_comes_back_with_what_was_in_it(digit: Deployed) -> None:
    uid = digit.cluster.get(f"namespace/{digit.namespace}")["metadata"]["uid"]
    digit.cluster.kubectl("delete", "namespace", digit.namespace, "--wait=false")
    digit.comes_back(
        lambda: digit.cluster.get(f"namespace/{digit.namespace}")["metadata"]["uid"] != uid,
        within_s=2 * RESYNCED_S,  # pods have half a minute to end
    )
    digit.comes_back(lambda: digit.service()["metadata"]["uid"])
    digit.cluster.wait("condition=Ready", "-n", digit.namespace, f"ksvc/{digit.name}")
    assert digit.answer() == 2
