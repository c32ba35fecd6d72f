"""Recordings answered by Knative's own autoscaler, replayed through ours.

`vectors/decisions` and `vectors/averages` made them from `knative.dev/serving/pkg/autoscaler`; each
says how to run it again.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from controlplane.autoscaler.replay import replay


def recorded(name: str) -> list[dict[str, Any]]:
    vectors: list[dict[str, Any]] = json.loads(Path(__file__).with_name(name).read_text())
    return vectors


DECISIONS = recorded("knative_decisions.json")
AVERAGES = recorded("knative_averages.json")


def test_there_are_recordings_of_both_kinds() -> None:
    assert len(DECISIONS) >= 50
    assert len(AVERAGES) >= 50


@pytest.mark.parametrize("vector", DECISIONS, ids=range(len(DECISIONS)))
def test_decisions_equal_knatives(vector: dict[str, Any]) -> None:
    ours = replay(json.dumps(vector["recording"]))
    for row in ours:
        row.pop("panicking")  # Knative keeps it to itself; it shows in the decisions that follow
    assert ours == vector["want"]


@pytest.mark.parametrize("vector", AVERAGES, ids=range(len(AVERAGES)))
def test_averages_equal_knatives(vector: dict[str, Any]) -> None:
    ours = replay(json.dumps(vector["recording"]))
    assert ours == pytest.approx(vector["want"], rel=1e-12, abs=1e-12)
