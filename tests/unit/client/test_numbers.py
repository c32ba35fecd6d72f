"""Numbers that JSON has none of: null in their place would take a promise or a bound away."""

import json
import math

import pytest

ROLLOUT = {
    "number": 1, "endpoint": "iris", "state": "running", "steps": [100],
    "candidate": None, "running": None,
}  # fmt: skip


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf], ids=str)
def test_what_is_not_finite_is_refused_before_it_is_sent(api, client, number):
    for call, place in (
        (lambda: client.set_slo("iris", throughput=number), "throughput"),
        (lambda: client.rollout("iris", shadow={"max_flips": number}), "shadow.max_flips"),
        (lambda: client.deploy("iris", scaling={"target": number}), "scaling.target"),
        (lambda: client.start_loadtest("iris", {"rate": number}), "shape.rate"),
    ):
        with pytest.raises(ValueError, match=f"^{place} must be a finite number, not"):
            call()
    assert not [path for _, path, *_ in api.seen if path != "/oauth2/token"]


def test_missing_values_of_rows_that_are_replayed_stay_missing(api, client):
    path = "/v1/endpoints/iris/rollouts"
    api.misbehave(path, (201, ROLLOUT))
    rows = [[1.0, math.nan], {"x0": math.nan, "x1": "a"}, 5]
    client.rollout("iris", replay={"instances": rows})
    (sent,) = [body for _, asked, _, body, _ in api.seen if asked == path]
    assert json.loads(sent)["replay"]["instances"] == [[1.0, None], {"x0": None, "x1": "a"}, 5]
    with pytest.raises(ValueError, match=r"^replay.instances.0.1 must be a finite number, not inf"):
        client.rollout("iris", replay={"instances": [[1.0, math.inf]]})
