"""A warm window on Knative: replicas without a request, no new Revision, and none afterwards."""

import uuid
from collections.abc import Iterator

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from tests.cluster.kube import Cluster
from tests.cluster.platform import outside
from tests.conformance.platform import Platform

X, Y = load_iris(return_X_y=True)
ALWAYS = {"cron": "* * * * *", "minutes": 60, "replicas": 2}
SETTLED_S = 240.0


@pytest.fixture(scope="module")
def platform(cluster: Cluster, runtime_image: str, builder_image: str) -> Iterator[Platform]:
    instance = f"warm-{uuid.uuid4().hex[:6]}"
    with outside(cluster, runtime_image, builder_image, instance=instance) as running:
        running.push(LogisticRegression(max_iter=500).fit(X, Y), "warm")
        yield running


def test_replicas_come_and_go_and_no_revision_is_made(platform: Platform, cluster: Cluster) -> None:
    client = platform.client
    client.deploy("warm", scaling=platform.short)
    host = (client.endpoint("warm").url or "").removeprefix("http://")
    namespace = host.split(".")[1]

    def revisions() -> list[str]:
        return [r["metadata"]["name"] for r in cluster.get("-n", namespace, "revisions")["items"]]

    before = revisions()
    platform.until(lambda: platform.at_zero("warm"), SETTLED_S)
    client.set_warm_windows("warm", [ALWAYS])
    platform.until(lambda: client.endpoint("warm").replicas == 2, SETTLED_S)
    assert client.predict("warm", X[:1]).tolist() == [0]
    assert revisions() == before
    # A release made meanwhile is kept warm as well, from its own start on.
    client.deploy("warm", scaling=platform.short | {"max_scale": 5})
    platform.until(lambda: client.endpoint("warm").replicas >= 2, SETTLED_S)
    client.set_warm_windows("warm", [])
    platform.until(lambda: platform.at_zero("warm"), SETTLED_S)
