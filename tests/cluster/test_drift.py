"""What others do to our objects is repaired, what is theirs is left alone, nothing is orphaned."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane import postgres
from controlplane.artifacts.folder import FolderStore
from controlplane.client import DeployFailed
from controlplane.database import close_database, open_database
from controlplane.engines.knative import names
from controlplane.engines.knative.cluster import Cluster as Kubernetes
from controlplane.engines.knative.engine import KnativeEngine
from controlplane.engines.knative.install import Install
from controlplane.reconciler.sweep import sweep_endpoints
from tests.cluster import programs
from tests.cluster.kube import Cluster
from tests.cluster.platform import outside
from tests.cluster.processes import ClusterBroken
from tests.cluster.test_rig import service
from tests.conformance.platform import Platform, rows

X, Y = load_iris(return_X_y=True)
INSTANCE = f"drift-{uuid.uuid4().hex[:6]}"  # a sweep takes what is no endpoint of its own
INSTALL = Install("https://kube.example", "runtime", "builder", instance=INSTANCE)
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


def foreign(name: str, namespace: str, image: str, **labels: str) -> dict[str, Any]:
    """Make a KService that is not this installation's."""
    document = service(name, namespace, image)
    document["metadata"]["labels"] = labels
    return document


def test_a_service_of_somebody_else_is_not_touched_and_named(digit: Deployed) -> None:
    image, client = programs.image("hello", digit.cluster.home), digit.platform.client
    digit.cluster.apply(foreign("theirs", digit.namespace, image))
    before = digit.cluster.get("-n", digit.namespace, "ksvc/theirs")
    with pytest.raises(DeployFailed, match="not made by KubeServe"):
        client.deploy("digit", 1, "theirs", scaling=digit.platform.short)
    assert client.why("theirs").reason == "NameTaken"
    client.delete_endpoint("theirs")
    digit.platform.until(lambda: "theirs" not in {one.name for one in client.endpoints()})
    after = digit.cluster.get("-n", digit.namespace, "ksvc/theirs")
    for part in ("uid", "generation"):
        assert after["metadata"][part] == before["metadata"][part]
    digit.kubectl("delete", "ksvc/theirs")


async def test_a_sweep_takes_orphans_of_ours_and_nothing_of_another_installation(
    digit: Deployed,
) -> None:
    image, home = programs.image("hello", digit.cluster.home), digit.platform.home
    assert home is not None
    marks = {names.MANAGED: names.MANAGER, names.TENANT: "default"}

    def left(name: str, instance: str) -> list[dict[str, Any]]:
        labels = {**marks, names.INSTANCE: instance, names.ENDPOINT: str(uuid.uuid4())}
        metadata = {"name": name, "namespace": digit.namespace, "labels": labels}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
        return [secret, foreign(name, digit.namespace, image, **labels)]

    orphan, seen = left("orphan", INSTANCE), left("seen", INSTANCE)
    digit.cluster.apply(*left("neighbour", f"{INSTANCE}-other"), orphan[0], *seen)
    for kind in ("ksvc", "secret"):  # a KService is seen as it comes
        digit.cluster.wait("delete", "-n", digit.namespace, f"{kind}/seen")
    kubernetes = Kubernetes(digit.cluster.home.kubeconfig, INSTANCE)
    engine = KnativeEngine(kubernetes, FolderStore(home / "artifacts"), None, INSTALL)
    await open_database(postgres.url(home))
    try:
        assert await sweep_endpoints(engine) == 1
        digit.cluster.wait("delete", "-n", digit.namespace, "secret/orphan")
        assert await sweep_endpoints(engine) == 0
    finally:
        await close_database()
    for kind in ("ksvc", "secret"):
        found = digit.cluster.get("-n", digit.namespace, f"{kind}/neighbour")["metadata"]
        assert "deletionTimestamp" not in found
    assert digit.answer() == 2
    digit.kubectl("delete", "ksvc/neighbour", "secret/neighbour")


def test_a_deleted_endpoint_leaves_nothing(digit: Deployed) -> None:
    client, kinds = digit.platform.client, "ksvc,secrets,revisions,routes,configurations"
    client.deploy("digit", 1, "short-lived", scaling=digit.platform.short)
    labels = digit.cluster.get("-n", digit.namespace, "ksvc/short-lived")["metadata"]["labels"]
    selector = ("-l", f"{names.ENDPOINT}={labels[names.ENDPOINT]}")
    found = digit.cluster.get("-n", digit.namespace, kinds, *selector)["items"]
    assert {one["kind"] for one in found} >= {"Service", "Secret", "Revision"}
    client.delete_endpoint("short-lived")
    for kind in (*kinds.split(","), "deployments", "pods"):
        digit.cluster.wait("delete", "-n", digit.namespace, kind, *selector)
    digit.platform.until(lambda: "short-lived" not in {one.name for one in client.endpoints()})


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
