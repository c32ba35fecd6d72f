"""What pods answered is counted to the last request, though they are gone when it is read."""

import uuid
from collections.abc import Iterator

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.client import Usage
from tests.cluster.kube import Cluster
from tests.cluster.platform import outside
from tests.conformance.platform import Platform

X, Y = load_iris(return_X_y=True)
# A turn of the control plane, the end of a pod, and what a busy node takes for both.
COUNTED_WITHIN_S = 120.0


@pytest.fixture(scope="module")
def platform(cluster: Cluster, runtime_image: str, builder_image: str) -> Iterator[Platform]:
    instance = f"counting-{uuid.uuid4().hex[:6]}"
    with outside(cluster, runtime_image, builder_image, instance=instance) as running:
        running.push(LogisticRegression(max_iter=500).fit(X, Y), "counted")
        yield running


def until_counted(platform: Platform, name: str, requests: int, rows: int) -> Usage:
    def counted() -> Usage | None:
        found = platform.client.usage(endpoint=name)
        whole = bool(found) and (found[0].requests, found[0].rows) == (requests, rows)
        return found[0] if whole else None

    return platform.until(counted, COUNTED_WITHIN_S)


def test_every_request_of_pods_that_are_gone_is_counted_once(platform: Platform) -> None:
    platform.client.deploy("counted", scaling=platform.short)
    for asked in (1, 2):
        for height in (1, 3, 5):
            platform.client.predict("counted", X[:height])
        platform.until(lambda: platform.at_zero("counted"), COUNTED_WITHIN_S)
        found = until_counted(platform, "counted", 3 * asked, 9 * asked)
        assert found.busy_s
        assert 0 < found.busy_s <= found.ready_s + found.starting_s


def test_a_pod_that_stays_tells_while_it_runs(platform: Platform) -> None:
    platform.client.deploy("counted", endpoint="staying", scaling={"min_scale": 1})
    for expected in (4, 8):
        for _ in range(4):
            platform.client.predict("staying", X[:2])
        until_counted(platform, "staying", expected, 2 * expected)
    assert not platform.at_zero("staying")


def test_a_pod_that_is_killed_loses_nothing_that_it_told(
    platform: Platform, cluster: Cluster
) -> None:
    platform.client.deploy("counted", endpoint="killed", scaling={"min_scale": 1})
    platform.client.predict("killed", X[:2])
    until_counted(platform, "killed", 1, 2)
    endpoint = platform.client.endpoint("killed")
    selector = f"kubeserve.dev/endpoint={endpoint.id}"
    kill = ("delete", "pod", "--all-namespaces", "-l", selector, "--grace-period=0", "--force")
    cluster.kubectl(*kill)
    platform.client.predict("killed", X[:3])
    until_counted(platform, "killed", 2, 5)
