"""Warm windows on the real thing: replicas without a request, and none when it is over."""

from collections.abc import Iterator
from functools import partial

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.client import ApiError, Client
from loadtests.benchmarks.installation import installation
from tests import waiting
from tests.e2e.test_rollouts import push

WITHIN_S = 180.0
until = partial(waiting.until, within_s=WITHIN_S)
ALWAYS = {"cron": "* * * * *", "minutes": 60, "replicas": 2, "time_zone": "Europe/Berlin"}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with installation(20) as (client, _):
        yield client


def test_replicas_are_there_while_a_window_is_open_and_gone_afterwards(client: Client) -> None:
    x, y = load_iris(return_X_y=True)
    push(client, LogisticRegression(max_iter=500).fit(x, y), "warm")
    scaling = {"window_s": 6, "scale_to_zero_grace_period_s": 0, "max_scale": 3}
    deployed = client.deploy("warm", scaling=scaling)
    until(lambda: client.endpoint("warm").replicas == 0)
    (shown,) = client.set_warm_windows("warm", [ALWAYS])
    assert shown["open"]
    until(lambda: client.endpoint("warm").replicas == 2)
    # Its workers are of the same release: nothing was deployed, and none of them is replaced.
    endpoint = client.endpoint("warm")
    assert (endpoint.generation, endpoint.raw["warm_replicas"]) == (deployed.generation, 2)
    assert len(client.releases("warm")) == 1
    assert client.predict("warm", x[:1]).tolist() == [0]
    assert client.set_warm_windows("warm", []) == []
    until(lambda: client.endpoint("warm").replicas == 0)
    assert client.endpoint("warm").raw["warm_replicas"] == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cron": "at eight"}, "no cron expression"),
        ({"time_zone": "Europe/Nowhere"}, "no time zone"),
        ({"replicas": 101}, "must be at most 100"),
        ({"minutes": 0}, "must be at least 1"),
        ({"more": 1}, "more"),
    ],
)
def test_a_bad_window_is_refused(client: Client, change: dict[str, object], said: str) -> None:
    with pytest.raises(ApiError, match=said):
        client.set_warm_windows("warm", [ALWAYS | change])
