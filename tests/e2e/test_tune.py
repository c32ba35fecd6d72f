"""`kubeserve tune` on the real thing: a copy is measured, the proposal tested, then applied."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.client import Client
from loadtests.benchmarks.installation import COMMAND, installation
from tests.e2e.test_rollouts import push

WITHIN_S = 480.0
TELL = dict[str, Any]


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Client, Path]]:
    with installation() as (client, home):
        push(client, LogisticRegression(max_iter=500).fit(*load_iris(return_X_y=True)), "iris")
        client.deploy("iris", scaling={"window_s": 30})
        # Within a second: whether a busy machine is quick is no question of this test.
        client.set_slo("iris", p95="1s", error_rate="5%", throughput=100)
        yield client, home


def tune(
    home: Path, folder: Path, *options: str, seen: Callable[[TELL, Any], None] | None = None
) -> tuple[int, list[TELL]]:
    """Run the command to its end; gives its exit code and its events."""
    own = {name: value for name, value in os.environ.items() if "KUBESERVE_" not in name}
    with subprocess.Popen(
        [*COMMAND, "--json", "tune", "iris", *options, "--out", str(folder)],
        env={**own, "KUBESERVE_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
        # Whoever runs tests in the background ignores SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None
        events = []
        for line in process.stdout:
            events.append(json.loads(line))
            if seen is not None:
                seen(events[-1], process)
        return process.wait(WITHIN_S), events


def test_a_proposal_that_passes_its_test_becomes_a_release(
    place: tuple[Client, Path], tmp_path: Path
) -> None:
    client, home = place
    before = client.endpoint("iris")
    copies = set()

    def watch(event: TELL, _: Any) -> None:
        if event["event"] == "stage":
            copies.add(event["copy"])
            assert client.endpoint(event["copy"]).is_ready
            assert client.endpoint("iris").generation == before.generation

    options = ("--start", "20", "--rate", "40", "--duration", "3s", "--apply")
    code, events = tune(home, tmp_path, *options, seen=watch)
    done = events[-1]
    assert done["event"] == "finished", done
    stages = [event["stage"] for event in events if event["event"] == "stage"]
    assert stages[:3] == ["wake", "knee", "proof"]
    assert len(done["wakes"]) == 6
    assert done["steps"][0]["rate"] == 20
    assert (done["proposal"]["cpu_millis"] or 0) > 0
    assert {one["objective"] for one in done["proof"]} == {"p95", "error_rate", "throughput"}
    assert Path(done["reports"]["html"]).read_text().count("<figure") in (0, 2)
    assert copies == {"iris-tune"}
    assert [one.name for one in client.endpoints()] == ["iris"]
    now = client.endpoint("iris")
    # A busy machine may be too slow for its generator: then nothing is changed, and it says so.
    if done["verdict"] == "passed":
        assert code == 0
        assert now.raw["release"] == done["release"] == before.raw["release"] + 1
        wanted = done["proposal"]
        assert now.raw["container_concurrency"] == wanted["container_concurrency"]
        for name in ("metric", "target", "min_scale", "max_scale"):
            assert now.raw["scaling"][name] == wanted[name]
        assert now.raw["scaling"]["window_s"] == 30
        assert now.raw["scaling"]["max_scale"] >= 100 / wanted["rate"]
        assert now.revisions == before.revisions
    else:
        assert code == 1
        assert done["refused"] == f"the proposal is {done['verdict']}"
        assert now.generation == before.generation


def test_an_interrupted_tuning_changes_nothing_and_leaves_no_copy(
    place: tuple[Client, Path], tmp_path: Path
) -> None:
    client, home = place
    before = client.endpoint("iris").generation

    def interrupt(event: TELL, process: Any) -> None:
        if event["event"] == "waiting":
            process.send_signal(signal.SIGINT)

    code, events = tune(home, tmp_path, seen=interrupt)
    assert (code, events[-1]["event"]) == (130, "failed")
    assert "nothing was changed" in events[-1]["detail"]
    assert [one.name for one in client.endpoints()] == ["iris"]
    assert client.endpoint("iris").generation == before
