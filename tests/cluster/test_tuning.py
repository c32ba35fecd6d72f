"""`kubeserve tune` of an endpoint on a real Knative: ten minutes, so it is run when asked for.

TEST_TUNING=1 pytest tests/cluster/test_tuning.py
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from tests.cluster.kube import Cluster
from tests.cluster.platform import INGRESS, outside
from tests.conformance.platform import Platform
from tests.integration import test_loadtest
from tests.integration.test_loadtest import loadtest

pytestmark = pytest.mark.skipif("TEST_TUNING" not in os.environ, reason="ten minutes")
WITHIN_S = 900.0


@pytest.fixture(scope="module")
def platform(cluster: Cluster, runtime_image: str, builder_image: str) -> Iterator[Platform]:
    with outside(cluster, runtime_image, builder_image) as running:
        running.push(LogisticRegression(max_iter=500).fit(*load_iris(return_X_y=True)), "iris")
        running.client.deploy("iris", scaling={"window_s": 6})
        yield running


def test_a_copy_of_pods_is_measured_and_the_proposal_is_tried_again(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = platform.client
    monkeypatch.setattr(test_loadtest, "ENDS_WITHIN_S", WITHIN_S)
    names = {one.name for one in client.endpoints()}
    done = loadtest(
        platform, tmp_path, "iris", "--p95", "2s", "--start", "10", "--rate", "40",
        "--duration", "4s", "--apply", command="tune", KUBESERVE_INGRESS=INGRESS,
    )  # fmt: skip
    last = done.last
    assert last["event"] == "finished", last
    print(last["verdict"], last["because"], last["proposal"], last["wakes"])
    assert len(last["wakes"]) == 6
    assert min(last["wakes"]) > 0.1, "a pod takes longer: it was none that was there already"
    assert last["steps"][0]["rate"] == 10
    assert {one["objective"] for one in last["proof"]} >= {"p95"}
    assert {one.name for one in client.endpoints()} == names
    # A busy machine may be too slow for its generator: then nothing is changed, and it says so.
    if last["verdict"] == "passed":
        assert (done.code, client.endpoint("iris").raw["release"]) == (0, last["release"])
