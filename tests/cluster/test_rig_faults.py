"""Parts of the cluster that go and come back."""

import httpx
import pytest

from tests.cluster import knative, node, processes, programs
from tests.cluster.home import DOMAIN
from tests.cluster.kube import Cluster
from tests.cluster.test_rig import service


@pytest.fixture
def answering(cluster: Cluster, namespace: str) -> str:
    """Give the host name of a service that keeps a pod."""
    document = service("hello", namespace, programs.image("hello", cluster.home))
    document["spec"]["template"]["metadata"]["annotations"] = {
        "autoscaling.knative.dev/min-scale": "1"
    }
    cluster.apply(document)
    cluster.wait("condition=Ready", "-n", namespace, "ksvc/hello")
    return f"hello.{namespace}.{DOMAIN}"


def reply(cluster: Cluster, host: str) -> str:
    """Ask once, without patience; gives what came, be it an error."""
    try:
        return cluster.request(host, timeout=5).text
    except httpx.TransportError as error:
        return repr(error)


def test_without_the_api_server_services_answer_and_afterwards_new_ones_come_up(
    cluster: Cluster, namespace: str, answering: str
) -> None:
    processes.stop(cluster.home.run, "apiserver")
    try:
        assert cluster.request(answering).text == "hello\n"
        with pytest.raises(processes.ClusterBroken, match="refused"):
            cluster.get("nodes")
    finally:
        node.start_apiserver(cluster.home)
    cluster.apply(service("next", namespace, programs.image("hello", cluster.home)))
    cluster.wait("condition=Ready", "-n", namespace, "ksvc/next", seconds=120)
    # Ready is the controller's word. The activator and the rest of Knative list and watch on their
    # own; after an outage each tries again at growing pauses of up to 30 s (client-go's reflector).
    deadline = processes.Deadline("The first answer of the new service", 240)
    while (said := reply(cluster, f"next.{namespace}.{DOMAIN}")) != "hello\n":
        deadline.again(said)
    assert cluster.request(answering).text == "hello\n"


def test_an_ingress_that_was_killed_serves_the_same_when_it_is_back(
    cluster: Cluster, answering: str
) -> None:
    pid = processes.alive(cluster.home.run, "envoy")
    assert pid is not None
    processes.stop(cluster.home.run, "ingress")
    deadline = processes.Deadline("Envoy's end with its translator", 10)
    while processes.alive(cluster.home.run, "envoy"):
        deadline.again()
    knative.start_ingress(cluster.home)
    deadline = processes.Deadline("The routes' return", 30)
    while (answer := cluster.request(answering)).status_code == 404:
        deadline.again(answer.status_code)
    assert answer.text == "hello\n"


def test_no_pod_starts_without_the_firewall(cluster: Cluster, namespace: str) -> None:
    image = programs.image("hello", cluster.home)
    processes.stop(cluster.home.run, "firewall")
    try:
        cluster.apply(service("waits", namespace, image))
        reason = "jsonpath={.items[?(@.reason=='FailedCreatePodSandBox')].reason}"
        deadline = processes.Deadline("The sandbox's refusal", 60)
        while not cluster.kubectl("-n", namespace, "get", "events", "-o", reason):
            deadline.again()
    finally:
        node.start_firewall(cluster.home)
    cluster.wait("condition=Ready", "-n", namespace, "ksvc/waits", seconds=120)
