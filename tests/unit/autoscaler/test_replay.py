"""A recording that cannot be replayed says what is wrong with it."""

import json
from typing import Any

import pytest

from controlplane.autoscaler.replay import ReplayError, replay

CONFIG = {"target_value": 1.0, "total_value": 1.0}
STEP = {"t_s": 0, "ready_pods": 1, "stable": 1, "panic": 1}


def recording(**members: Any) -> str:
    return json.dumps({"config": CONFIG, **members})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "must be a JSON object"),
        (recording(), '"steps" or "ops"'),
        (recording(steps=[], ops=[]), '"steps" or "ops"'),
        (recording(steps=[1]), "steps[0] must be an object"),
        (recording(steps=[{**STEP, "stable": "x"}]), "steps[0]: stable must be a number"),
        (recording(steps=[{**STEP, "ready_pods": 1.5}]), "ready_pods must be a whole number"),
        (recording(steps=[{**STEP, "update_config": {"taget_value": 1}}]), "unknown settings"),
        (json.dumps({"config": {"target_value": 0}, "steps": []}), "above zero"),
        (json.dumps({"config": {"window_s": 6}, "ops": [{"op": "x", "t_s": 0}]}), "op must be"),
        (json.dumps({"config": {"window_s": 0}, "ops": []}), "must be positive"),
        (json.dumps({"config": {"window_s": 6, "algorithm": "y"}, "ops": []}), "unknown algorithm"),
    ],
)
def test_bad_recordings_say_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ReplayError, match=said.replace("[", r"\[")):
        replay(text)


def test_a_decision_carries_the_panic() -> None:
    assert replay(recording(steps=[{**STEP, "stable": 5, "panic": 5}])) == [
        {"valid": True, "desired_pods": 5, "excess_burst_capacity": -1, "panicking": True}
    ]


def test_missing_pods_count_as_none_and_other_errors_as_no_decision() -> None:
    steps = [{**STEP, "pod_count_error": e} for e in ("not_found", "internal", True)]
    steps.append({**STEP, "metric_error": True})
    assert [row["valid"] for row in replay(recording(steps=steps))] == [True, False, False, False]


def test_resize_keeps_the_newest_buckets() -> None:
    ops = [{"op": "record", "t_s": t, "value": t} for t in range(1, 5)]
    ops += [{"op": "resize", "t_s": 4, "window_s": 2}, {"op": "average", "t_s": 4}]
    text = json.dumps({"config": {"window_s": 4, "granularity_s": 1}, "ops": ops})
    assert replay(text) == [3.5]
