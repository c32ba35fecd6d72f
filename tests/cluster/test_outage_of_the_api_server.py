"""A minute without the API server: who serves goes on, and what was said yes to comes."""

import contextlib
import os
import uuid
from collections.abc import Iterator

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.client import Client
from controlplane.client.errors import ApiError
from tests.cluster import node, processes
from tests.cluster.kube import Cluster
from tests.cluster.platform import outside
from tests.cluster.test_chaos import Caller
from tests.conformance.platform import Platform

X, Y = load_iris(return_X_y=True)
DOWN_S = float(os.environ.get("TEST_DOWN_S", "20"))  # a minute in earnest


def answers(client: Client) -> bool:
    with contextlib.suppress(ApiError):
        return client.predict("comes", X[:2]) is not None
    return False


@pytest.fixture(scope="module")
def platform(cluster: Cluster, runtime_image: str, builder_image: str) -> Iterator[Platform]:
    settings = {"instance": f"api-{uuid.uuid4().hex[:6]}", "predict_token_s": "3600"}
    with outside(cluster, runtime_image, builder_image, **settings) as running:
        for c in (1.0, 2.0):
            running.push(LogisticRegression(C=c, max_iter=500).fit(X, Y), "iris")
        scaling = {**running.short, "min_scale": 1, "max_scale": 1}
        running.client.deploy("iris", 1, "steady", scaling=scaling)
        running.client.deploy("iris", 1, "goes", scaling=running.short)
        yield running


def test_what_was_taken_meanwhile_is_there_afterwards(platform: Platform, cluster: Cluster) -> None:
    client, caller = platform.client, Caller(platform, "steady")
    with caller.calling():
        processes.stop(cluster.home.run, "apiserver")
        try:
            outage = processes.Deadline("The end of the outage", 2 * DOWN_S + 60)
            client.deploy("iris", 2, "steady", wait=False)
            client.deploy("iris", 2, "comes", scaling=platform.short, wait=False)
            client.delete_endpoint("goes")
            enough = caller.answered + int(DOWN_S / 0.06)  # it asks each 0.05 s and a moment
            while caller.answered < enough:
                outage.again()
            assert not caller.failed, caller.failed[:3]
        finally:
            node.start_apiserver(cluster.home)
        platform.until(lambda: {one.name for one in client.endpoints()} == {"steady", "comes"})
        # Knative's own controllers take a minute or two to come back from a long outage.
        platform.until(lambda: all(one.is_ready for one in client.endpoints()), within_s=300)
        (revision,) = client.endpoint("steady").revisions
        assert (revision.version, revision.percent) == (2, 100)
        # The ingress hears of a new way a moment after Knative does.
        platform.until(lambda: answers(client))
    # While Knative's parts come back, one by one, its activator may drop a request: told, not held.
    print(f"{caller.answered} answered, failed afterwards: {caller.failed}")
