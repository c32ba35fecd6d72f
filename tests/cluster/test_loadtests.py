"""Load tests in pods on a real cluster: generators, network policies, the autoscaler's metrics."""

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.client import Client, LoadTest, Unreachable
from tests.cluster.home import NODE_IP
from tests.cluster.kube import Cluster
from tests.cluster.platform import outside
from tests.cluster.test_chaos import child_of_the_keeper
from tests.conformance.platform import Platform

SPIKE = {"kind": "spike", "rate": 5, "peak": 40, "duration": "30s", "rest": "6s"}
SCALING = {"metric": "rps", "target": 16, "window_s": 6, "min_scale": 1, "max_scale": 3}
WITHIN_S = 240.0


@pytest.fixture(scope="module")
def platform(
    cluster: Cluster, runtime_image: str, builder_image: str, controlplane_image: str
) -> Iterator[Platform]:
    autoscaler = cluster.get("-n", "knative-serving", "service/autoscaler")["spec"]["clusterIP"]
    settings = {
        "loadtest_image": controlplane_image,
        "loadtest_reach": f"{NODE_IP}/32",  # where the ingress of this rig runs
        "loadtest_cpu_millis": "100",
        "autoscaler_metrics": f"http://{autoscaler}:9090/metrics",
    }
    with outside(cluster, runtime_image, builder_image, **settings) as running:
        running.push(LogisticRegression(max_iter=500).fit(*load_iris(return_X_y=True)), "iris")
        running.client.deploy("iris", scaling=SCALING)
        yield running


def pods(cluster: Cluster, test: LoadTest, kind: str = "pods") -> list[dict[str, Any]]:
    selector = f"kubeserve.dev/loadtest={test.id}"
    return list(cluster.get(kind, "--all-namespaces", "-l", selector)["items"])


def until_it_sends(client: Client, test: LoadTest, after_s: float = 0.0) -> None:
    for event in client.loadtest_events(test.id):
        if event.kind == "progress" and event.raw["sent"] > 0 and event.raw["at_s"] >= after_s:
            return
        assert event.kind != "ended", event.raw


def ended(platform: Platform, test: LoadTest) -> LoadTest:
    def over() -> LoadTest | None:
        with contextlib.suppress(Unreachable):  # while it restarts
            found = platform.client.loadtest(test.id)
            return found if found.has_ended else None
        return None

    found: LoadTest = platform.until(over, WITHIN_S)
    return found


def test_two_pods_send_while_the_control_plane_restarts_and_replicas_follow_the_kpa(
    platform: Platform, cluster: Cluster
) -> None:
    client = platform.client
    test = client.start_loadtest("iris", SPIKE, processes=2)
    until_it_sends(client, test)
    running = pods(cluster, test)
    assert sorted(pod["metadata"]["labels"]["kubeserve.dev/loadtest-pod"] for pod in running) == [
        "0",
        "1",
        "2",
    ]
    until_it_sends(client, test, after_s=22)  # the autoscaler has answered the peak
    os.kill(child_of_the_keeper(platform, "api"), signal.SIGKILL)
    found = ended(platform, test)
    assert (found.state, found.reason) == ("finished", None)
    events = list(client.loadtest_events(test.id))
    numbers = [event.raw["n"] for event in events if "n" in event.raw]
    assert numbers == sorted(set(numbers)), "no event was kept twice"
    report = json.loads(client.loadtest_report(test.id, "json"))
    assert report["generated"]["processes"] == 2
    assert report["totals"]["good"] == report["totals"]["sent"] > 800
    assert max(one["ready"] for one in report["scale"]) > 1
    again = report["autoscaling"]
    assert again["sampled"]
    assert max(one["recomputed"] for one in again["decisions"]) > 1
    # A metric and the replicas it was decided for are read at two moments: see the README.
    assert len(again["differing"]) <= len(again["decisions"]) // 10, again
    assert len(again["unexplained"]) <= again["seen"] // 10, again
    platform.until(lambda: not pods(cluster, test, "jobs"), WITHIN_S)


def test_a_test_that_is_cancelled_leaves_its_reports_and_no_pods(
    platform: Platform, cluster: Cluster
) -> None:
    client = platform.client
    test = client.start_loadtest("iris", {"kind": "steady", "rate": 10, "duration": "10m"})
    until_it_sends(client, test)
    client.cancel_loadtest(test.id)
    found = ended(platform, test)
    assert (found.state, found.reason) == ("interrupted", "It was cancelled.")
    assert sorted(found.reports) == ["csv", "html", "json", "junit"]
    platform.until(lambda: not pods(cluster, test, "jobs") and not pods(cluster, test), WITHIN_S)
