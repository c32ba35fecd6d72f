"""A revoked API key and the tokens of one end at running pods of a cluster within a minute."""

import time
import uuid
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.client import Client
from tests.cluster.kube import Cluster
from tests.cluster.platform import outside
from tests.conformance.platform import Platform, rows

X, Y = load_iris(return_X_y=True)
WITHIN_S = 60.0
# Pods that run already hear of a new key as they hear of one that was revoked.
KNOWN_WITHIN_S = 60.0


@pytest.fixture(scope="module")
def platform(cluster: Cluster, runtime_image: str, builder_image: str) -> Iterator[Platform]:
    instance = f"revoking-{uuid.uuid4().hex[:6]}"
    with outside(cluster, runtime_image, builder_image, instance=instance) as running:
        running.push(LogisticRegression(max_iter=500).fit(X, Y), "revoking")
        running.client.deploy("revoking", scaling={"min_scale": 1})
        yield running


def asking(platform: Platform, bearer: str) -> Callable[[], int]:
    """Give what asks the endpoint with a key or token; it gives the status."""
    endpoint = platform.client.endpoint("revoking")
    assert endpoint.url
    headers = {"authorization": f"Bearer {bearer}", "host": urlsplit(endpoint.url).netloc}
    base = platform.ingress or endpoint.url

    def ask() -> int:
        answer = httpx.post(
            f"{base}/v1/models/revoking:predict",
            content=rows(X[:1]),
            headers=headers,
            timeout=30,
            trust_env=False,
        )
        return answer.status_code

    return ask


def test_a_revoked_endpoint_key_is_refused_within_a_minute(platform: Platform) -> None:
    key = platform.client.create_api_key("robot", endpoint="revoking")
    ask = asking(platform, key.key or "")
    platform.until(lambda: ask() == 200, KNOWN_WITHIN_S)
    began = time.monotonic()
    platform.client.revoke_api_key(key.id)
    platform.until(lambda: ask() == 401, WITHIN_S)
    print(f"an endpoint key was refused {time.monotonic() - began:.1f} s after it was revoked")


def test_the_tokens_of_a_revoked_key_are_refused_within_a_minute(platform: Platform) -> None:
    key = platform.client.create_api_key("robot", scopes=["endpoints:read", "predict"])
    with Client(platform.client.url, api_key=key.key, ingress=platform.ingress) as theirs:
        assert theirs.predict("revoking", X[:1]).shape == (1,)
        token = theirs._core.tokens.fresh(theirs.endpoint("revoking").audience)
    assert token is not None
    ask = asking(platform, token)
    assert ask() == 200
    began = time.monotonic()
    platform.client.revoke_api_key(key.id)
    platform.until(lambda: ask() == 401, WITHIN_S)
    print(f"a key's token was refused {time.monotonic() - began:.1f} s after it was revoked")
