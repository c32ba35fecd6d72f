"""What goes on without the database, the control plane and the object store, and after them."""

import contextlib
import json
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator

import httpx
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from tests.cluster import minio
from tests.cluster.kube import Cluster
from tests.cluster.platform import outside
from tests.cluster.test_chaos import child_of_the_keeper
from tests.conformance.platform import Platform, rows
from tests.integration.test_api_registry import OCTETS, model_bytes

X, Y = load_iris(return_X_y=True)
PREDICT = "/v1/models/iris:predict"


@pytest.fixture(scope="module")
def platform(cluster: Cluster, runtime_image: str, builder_image: str) -> Iterator[Platform]:
    instance = f"outage-{uuid.uuid4().hex[:6]}"
    with outside(cluster, runtime_image, builder_image, instance=instance) as running:
        running.push(LogisticRegression(max_iter=500).fit(X, Y), "iris")
        running.client.deploy("iris", scaling=running.short)
        yield running


@contextlib.contextmanager
def without_control_plane(platform: Platform) -> Iterator[None]:
    """Stop API and database where they stand."""
    stopped = [child_of_the_keeper(platform, name) for name in ("api", "postgres")]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def without_store(cluster: Cluster) -> Iterator[None]:
    """Take the pods from behind the store's address; what they hold stays."""

    def choose(labels: dict[str, str]) -> None:
        patch = [{"op": "replace", "path": "/spec/selector", "value": labels}]
        cluster.kubectl(
            "-n", minio.NAMESPACE, "patch", "service/minio", "--type=json", "-p", json.dumps(patch)
        )

    url = f"http://{minio.host_address(cluster)}/minio/health/ready"

    def answers() -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(url, trust_env=False).status_code == 200
        return False

    choose({"app.kubernetes.io/name": "nobody"})
    try:
        while answers():
            pass
        # A connection that was made before goes on to the pod that it was given.
        host, _, port = minio.host_address(cluster).rpartition(":")
        subprocess.run(
            ["ss", "--kill", "dst", host, "dport", "=", port], check=True, capture_output=True
        )
        yield
    finally:
        choose(minio.LABELS)
        while not answers():
            pass


def test_without_control_plane_and_database_it_starts_from_zero_and_checks_tokens(
    platform: Platform,
) -> None:
    with platform.caller("iris") as caller:
        platform.until(lambda: platform.at_zero("iris"))
        with without_control_plane(platform):
            for given in ("", "Bearer nonsense"):
                refused = caller.post(PREDICT, content=rows(X), headers={"authorization": given})
                assert refused.status_code == 401
            assert caller.post(PREDICT, content=rows(X)).status_code == 200
    endpoint = platform.client.deploy("iris", scaling={**platform.short, "max_scale": 2})
    assert endpoint.is_ready


def test_without_the_store_small_models_start_and_a_push_is_refused_clearly(
    platform: Platform, cluster: Cluster
) -> None:
    signed = {"authorization": f"Bearer {platform.token()}"}
    with (
        httpx.Client(base_url=platform.client.url, headers=signed, trust_env=False) as api,
        platform.caller("iris") as caller,
    ):
        platform.until(lambda: platform.at_zero("iris"))
        url, model = "/v1/models/pushed/versions", model_bytes()
        with without_store(cluster):
            assert caller.post(PREDICT, content=rows(X)).status_code == 200
            refused = api.post(url, content=model, headers=OCTETS, timeout=60)
            assert refused.status_code == 503, refused.text
            assert "retry-after" in refused.headers
            assert "store" in refused.json()["detail"]
            platform.client.deploy("iris", 1, "another", scaling=platform.short, wait=False)
            platform.until(lambda: "store" in platform.client.why("another").message)
        platform.until(lambda: platform.client.endpoint("another").is_ready)
        assert api.post(url, content=model, headers=OCTETS).status_code == 201
    assert platform.client.wait_for_version("pushed", 1).state == "ready"
    assert platform.client.deploy("pushed", scaling=platform.short).is_ready
