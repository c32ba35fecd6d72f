"""No room for a pod within its deadline: Knative gives the release up, KubeServe does not."""

import uuid

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from tests.cluster.kube import Cluster
from tests.cluster.platform import outside

X, Y = load_iris(return_X_y=True)


def test_a_release_that_found_no_room_in_time_starts_when_there_is_some(
    cluster: Cluster, runtime_image: str, builder_image: str
) -> None:
    settings = {"instance": f"room-{uuid.uuid4().hex[:6]}", "start_deadline_s": "10"}
    with outside(cluster, runtime_image, builder_image, **settings) as platform:
        platform.push(LogisticRegression(max_iter=500).fit(X, Y), "iris")
        node = cluster.get("nodes")["items"][0]["metadata"]["name"]
        cluster.kubectl("cordon", node)
        try:
            platform.client.deploy("iris", scaling=platform.short, wait=False)

            platform.until(
                lambda: "deadline" in str(platform.client.endpoint("iris").ready).lower()
            )
            assert "started again" in platform.client.why("iris").next_step
        finally:
            cluster.kubectl("uncordon", node)
        platform.until(lambda: platform.client.endpoint("iris").is_ready, within_s=120)
        assert platform.client.predict("iris", X[:1]) is not None
