"""The cluster itself: what every other test on it stands on."""

import concurrent.futures
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from tests.cluster import images, minio, programs
from tests.cluster.home import DOMAIN, NODE, NODE_IP
from tests.cluster.kube import Cluster

Json = dict[str, Any]
WINDOW = {"autoscaling.knative.dev/window": "6s"}


@pytest.fixture(scope="module")
def hello(cluster: Cluster) -> str:
    return programs.image("hello", cluster.home)


def service(name: str, namespace: str, image: str, **spec: Any) -> Json:
    # Name and probe as Knative would set them, so that the same template may be applied again.
    container = {
        "name": "user-container",
        "image": image,
        "imagePullPolicy": "Never",
        "readinessProbe": {"successThreshold": 1, "tcpSocket": {"port": 0}},
        **spec.pop("container", {}),
    }
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "template": {
                "metadata": {"annotations": WINDOW},
                "spec": {"containers": [container]},
            },
            **spec,
        },
    }


def test_the_node_is_ready_and_of_the_stated_version(cluster: Cluster) -> None:
    node = cluster.get(f"node/{NODE}")
    ready = {found["type"]: found["status"] for found in node["status"]["conditions"]}
    assert ready["Ready"] == "True"
    assert node["status"]["nodeInfo"]["kubeletVersion"].startswith("v1.34.")


def test_a_service_answers_scales_to_zero_and_wakes(
    cluster: Cluster, namespace: str, hello: str
) -> None:
    cluster.apply(service("hello", namespace, hello))
    cluster.wait("condition=Ready", "-n", namespace, "ksvc/hello")
    host = f"hello.{namespace}.{DOMAIN}"
    assert cluster.request(host).text == "hello\n"

    cluster.wait("delete", "-n", namespace, "pods", "--all", seconds=120)
    assert cluster.get("-n", namespace, "pods")["items"] == []
    assert cluster.request(host).text == "hello\n"
    assert len(cluster.get("-n", namespace, "pods")["items"]) == 1


def test_traffic_splits_by_percent_and_by_tag(cluster: Cluster, namespace: str, hello: str) -> None:
    first, second = "split-one", "split-two"
    for revision in (first, second):
        answer = {"env": [{"name": "ANSWER", "value": revision}]}
        document = service("split", namespace, hello, container=answer)
        document["spec"]["template"]["metadata"]["name"] = revision
        cluster.apply(document)
        cluster.wait("condition=Ready", "-n", namespace, "ksvc/split")
    document["spec"]["traffic"] = [
        {"revisionName": first, "percent": 75, "tag": "old"},
        {"revisionName": second, "percent": 25},
    ]
    cluster.apply(document)
    cluster.wait("jsonpath={.status.traffic[0].tag}=old", "-n", namespace, "ksvc/split")
    cluster.wait("condition=Ready", "-n", namespace, "ksvc/split")

    host = f"split.{namespace}.{DOMAIN}"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = Counter(pool.map(lambda _: cluster.request(host).text, range(400)))
    assert answers.keys() == {f"{first}\n", f"{second}\n"}
    assert 240 < answers[f"{first}\n"] < 360  # 300 ± 7 standard deviations
    assert cluster.request(f"old-{host}").text == f"{first}\n"


def test_an_image_is_known_by_its_digest(cluster: Cluster, hello: str) -> None:
    name, _, digest = hello.partition("@")
    assert name == f"{images.REGISTRY}/hello"
    assert digest.startswith("sha256:")
    assert hello in images.ctr(cluster.home, "images", "ls", "-q").split()
    assert programs.image("hello", cluster.home) == hello


def policy(name: str, namespace: str, **spec: Any) -> Json:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": {}, **spec},
    }


def test_pods_reach_only_what_policies_allow(cluster: Cluster, namespace: str, hello: str) -> None:
    document = service("prober", namespace, hello)
    document["spec"]["template"]["metadata"]["annotations"] = {
        "autoscaling.knative.dev/min-scale": "1"
    }
    cluster.apply(document)
    cluster.wait("condition=Ready", "-n", namespace, "ksvc/prober")
    store, service_ip = minio.pod_address(cluster), minio.host_address(cluster).partition(":")[0]

    def reaches(address: str, port: int) -> bool:
        answer = cluster.request(f"prober.{namespace}.{DOMAIN}", f"/reach/{address}/{port}")
        return answer.text == "yes\n"

    assert reaches(store, 9000)
    assert reaches(service_ip, 9000)
    assert reaches(NODE_IP, 6443)

    cluster.apply(policy("deny", namespace, policyTypes=["Egress"]))
    cluster.wait_for_policies(namespace)
    assert not reaches(store, 9000)
    assert not reaches(service_ip, 9000)
    assert not reaches(NODE_IP, 6443)
    peer = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": minio.NAMESPACE}},
        "podSelector": {"matchLabels": minio.LABELS},
    }
    egress = [{"to": [peer], "ports": [{"port": 9000}]}]
    cluster.apply(policy("store", namespace, policyTypes=["Egress"], egress=egress))
    cluster.wait_for_policies(namespace)
    assert reaches(store, 9000)
    assert reaches(service_ip, 9000)
    assert not reaches(store, 9001)
    assert not reaches(NODE_IP, 6443)


@pytest.mark.parametrize(("denied", "answer"), [(False, "yes\n"), (True, "no\n")])
def test_a_policy_holds_from_a_pods_first_packet(
    cluster: Cluster, namespace: str, hello: str, denied: bool, answer: str
) -> None:
    if denied:
        cluster.apply(policy("deny", namespace, policyTypes=["Egress"]))
        cluster.wait_for_policies(namespace)
    first = {"name": "FIRST", "value": f"{minio.pod_address(cluster)}/9000"}
    cluster.apply(service("first", namespace, hello, container={"env": [first]}))
    cluster.wait("condition=Ready", "-n", namespace, "ksvc/first")
    assert cluster.request(f"first.{namespace}.{DOMAIN}", "/first").text == answer


def test_status_says_what_runs(cluster: Cluster) -> None:
    command = [sys.executable, "-m", "tests.cluster", "status"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"export KUBECONFIG={cluster.home.kubeconfig}" in done.stdout
