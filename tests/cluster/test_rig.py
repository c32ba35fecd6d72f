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


def test_pods_reach_only_what_policies_allow(cluster: Cluster, namespace: str, hello: str) -> None:
    document = service("prober", namespace, hello)
    document["spec"]["template"]["metadata"]["annotations"] = {
        "autoscaling.knative.dev/min-scale": "1"
    }
    cluster.apply(document)
    cluster.wait("condition=Ready", "-n", namespace, "ksvc/prober")
    (pod,) = cluster.get("-n", minio.NAMESPACE, "pods")["items"]
    store = pod["status"]["podIP"]

    def reaches(address: str, port: int) -> bool:
        answer = cluster.request(f"prober.{namespace}.{DOMAIN}", f"/reach/{address}/{port}")
        return answer.text == "yes\n"

    service_ip = minio.host_address(cluster).partition(":")[0]
    assert reaches(store, 9000)
    assert reaches(service_ip, 9000)
    assert reaches(NODE_IP, 6443)

    def policy(name: str, **spec: Any) -> None:
        cluster.apply(
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {"podSelector": {}, **spec},
            }
        )
        cluster.wait_for_policies(namespace)

    policy("deny", policyTypes=["Egress"])
    assert not reaches(store, 9000)
    assert not reaches(service_ip, 9000)
    assert not reaches(NODE_IP, 6443)
    peer = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": minio.NAMESPACE}},
        "podSelector": {"matchLabels": minio.LABELS},
    }
    policy("store", policyTypes=["Egress"], egress=[{"to": [peer], "ports": [{"port": 9000}]}])
    assert reaches(store, 9000)
    assert reaches(service_ip, 9000)
    assert not reaches(store, 9001)
    assert not reaches(NODE_IP, 6443)


def test_status_says_what_runs(cluster: Cluster) -> None:
    command = [sys.executable, "-m", "tests.cluster", "status"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"export KUBECONFIG={cluster.home.kubeconfig}" in done.stdout
