"""A recording of an autoscaler, replayed, decides the same to the pod."""

import itertools
import json
import random
from dataclasses import replace
from typing import Any

import pytest

from controlplane.autoscaler.policy import NANOSECONDS
from controlplane.autoscaler.recording import Recorder, merged
from controlplane.autoscaler.replay import replay
from controlplane.engines.embedded.scaler import Scaler
from controlplane.engines.engine import Scaling
from loadtests.deciding import autoscaling
from loadtests.result import Scale

BEGAN_NS = 1_234_567_890_123_456  # two weeks after the machine's start, to the nanosecond


def lived(scaling: Scaling, seconds: int, seed: int, kept: int = 10_000) -> Recorder:
    """Run a scaler under a load that jumps; workers come two seconds after they are wanted."""
    chance, recorder = random.Random(seed), Recorder(kept)
    scaler = Scaler(scaling, 0, BEGAN_NS, recorder=recorder)
    ready, coming, load = 1, [1, 1], 0.0
    for second in range(1, seconds):
        now = BEGAN_NS + second * NANOSECONDS + chance.randrange(1000)
        if chance.random() < 0.1:
            load = chance.choice([0.0, 1.0, 7.3, 40.0, 300.0])
        scaler.record(now, load * chance.random(), load)
        coming.append(scaler.tick(now, ready, waiting=False))
        ready = coming[-3]
        if second == seconds // 2:
            scaler.reconfigure(replace(scaling, target=3.0), 0, now)
    return recorder


def replayed(recording: dict[str, Any]) -> list[int]:
    return [row["desired_pods"] for row in replay(json.dumps(recording))]


@pytest.mark.parametrize("seed", range(5))
def test_every_decision_is_made_again_from_what_was_recorded(seed: int) -> None:
    scaling = Scaling(target=2.0, window_s=20, max_scale=50)
    recordings = lived(scaling, 400, seed).to_json(0.0)
    assert len(recordings) == 2, "another policy begins another"
    for one in recordings:
        assert replayed(one) == [step["decided"]["desired_pods"] for step in one["steps"]]
    assert any(step["decided"]["panicking"] for one in recordings for step in one["steps"])


def test_what_was_forgotten_does_not_matter() -> None:
    scaling = Scaling(target=2.0, window_s=20, max_scale=50)
    short = lived(scaling, 150, 3, kept=30).to_json(0.0)
    assert sum(len(one["steps"]) for one in short) == 30
    assert short[0]["initial"].get("panic_started_at_t_s"), "it begins in a panic"
    for one in short:
        assert replayed(one) == [step["decided"]["desired_pods"] for step in one["steps"]]


def test_looks_that_overlap_are_one_recording() -> None:
    scaling = Scaling(target=2.0, window_s=20, max_scale=50)
    (whole,) = lived(scaling, 150, 3).to_json(0.0)[:1]
    parts = [{**whole, "steps": whole["steps"][a:b]} for a, b in ((10, 30), (20, 40), (0, 15))]
    found: list[dict[str, Any]] = []
    for part in parts:
        found = merged(found, [part])
    assert [one["steps"] for one in found] == [whole["steps"][:40]]


def told(recordings: list[dict[str, Any]], desired: dict[float, int] | None = None) -> Any:
    begin = BEGAN_NS / NANOSECONDS
    seen = [
        Scale(at=step["t_s"] - begin + 0.2, ready=1, desired=step["wanted"], concurrency=0)
        for one in recordings
        for step in one["steps"]
    ]
    changed = [
        one.model_copy(update={"desired": desired[i]}) if desired and i in desired else one
        for i, one in enumerate(seen)
    ]
    return autoscaling(recordings, changed, begin, begin + 1000)


def test_a_report_says_where_replicas_are_not_what_the_metrics_ask_for() -> None:
    recordings = lived(Scaling(target=2.0, window_s=20, min_scale=1, max_scale=30), 200, 1).to_json(
        0.0
    )
    found = told(recordings)
    assert len(found.decisions) == sum(len(one["steps"]) for one in recordings)
    assert (found.differing, found.unexplained) == ([], [])
    assert found.seen == len(found.decisions)

    step = recordings[0]["steps"][20]
    step["decided"]["desired_pods"] += 1
    wrong = told(recordings, {50: 29})
    assert wrong.differing == [pytest.approx(step["t_s"] - BEGAN_NS / NANOSECONDS)]
    assert len(wrong.unexplained) == 1


def test_what_was_read_from_outside_may_be_a_tick_late() -> None:
    first, *_ = lived(Scaling(target=2.0, window_s=20, max_scale=30), 100, 1).to_json(0.0)
    steps = first["steps"]
    late = [{**now, "decided": before["decided"]} for before, now in itertools.pairwise(steps)]
    recording = {**first, "steps": late}
    assert told([recording]).differing
    assert told([{**recording, "sampled": True}]).differing == []
