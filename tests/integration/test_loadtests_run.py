"""Load tests that really run: a KubeServe of its own, its generator as a process, an endpoint."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.client import Client, LoadTest, Unreachable
from loadtests.benchmarks.installation import COMMAND, installation

WITHIN_S = 300.0  # of a machine that does much else
RATE, SECONDS = 20, 5
SHORT = {"kind": "steady", "rate": RATE, "duration": f"{SECONDS}s"}
FILES = {"report.html", "report.json", "junit.xml", "locust_stats.csv"}
LONG = {"kind": "steady", "rate": RATE, "duration": "10m"}


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Client, Path]]:
    with installation() as (client, home):
        model = home / "iris.joblib"
        joblib.dump(LogisticRegression(max_iter=500).fit(*load_iris(return_X_y=True)), model)
        client.push(model, "iris")
        client.deploy("iris")
        yield client, home


def until(found: Callable[[], Any]) -> Any:
    """Wait for something to be true; gives it."""
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        with contextlib.suppress(Unreachable):
            if value := found():
                return value
        time.sleep(0.1)
    raise AssertionError("it did not come to that in time")


def ended(client: Client, test: LoadTest) -> LoadTest:
    return until(lambda: now if (now := client.loadtest(test.id)).has_ended else None)


def until_it_sends(client: Client, test: LoadTest) -> None:
    for event in client.loadtest_events(test.id):
        if event.kind == "progress" and event.raw["sent"] > 0:
            return
        assert event.kind != "ended", event.raw


def pid_of(home: Path, test: LoadTest) -> int:
    return int((home / "work" / "loadtests" / test.id / "running").read_text())


def is_alive(pid: int) -> bool:
    try:
        return "(python" in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def test_a_test_is_run_told_judged_and_leaves_its_reports(running: tuple[Client, Path]) -> None:
    client, home = running
    objectives = {"p99": "30s", "error_rate": "50%"}
    test = client.start_loadtest("iris", SHORT, objectives, seed=7)
    events = list(client.loadtest_events(test.id))
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    kinds = [event.kind for event in events]
    assert kinds[:2] == ["queued", "started"]
    assert kinds[-2:] == ["finished", "ended"]
    assert set(kinds[2:-2]) == {"progress"}
    assert list(client.loadtest_events(test.id, after=3)) == events[3:]
    totals = events[-2].raw["totals"]
    assert totals["good"] == totals["sent"]
    assert 60 < totals["sent"] < 160  # arrivals are drawn: 100 are expected
    found = client.loadtest(test.id)
    assert found.state == "finished"
    # A busy machine may send late, and such a test never passes.
    assert found.verdict in ("passed", "inconclusive")
    assert found.verdict == events[-2].raw["verdict"]
    assert sorted(found.reports) == ["csv", "html", "json", "junit"]
    report = json.loads(client.loadtest_report(test.id, "json"))
    assert (report["endpoint"], report["totals"]["sent"]) == ("iris", totals["sent"])
    assert str(home) not in json.dumps([event.raw for event in events])
    assert b"iris" in client.loadtest_report(test.id, "html")
    suite = ElementTree.fromstring(client.loadtest_report(test.id, "junit"))
    assert len(suite.findall(".//testcase")) == len(objectives)
    assert client.loadtest_report(test.id, "csv").startswith(b"Type,Name,")
    assert not (home / "work" / "loadtests" / test.id).exists()


def test_the_generator_knows_one_endpoint_and_nothing_else_of_ours(
    running: tuple[Client, Path],
) -> None:
    client, home = running
    test = client.start_loadtest("iris", LONG)
    until_it_sends(client, test)
    pid = pid_of(home, test)
    environment = Path(f"/proc/{pid}/environ").read_bytes().decode()
    assert "KUBESERVE" not in environment
    secret = json.loads((home / "credentials.json").read_text())["client_secret"]
    assert secret not in environment
    assert secret not in Path(f"/proc/{pid}/cmdline").read_text()
    assert os.getpgid(pid) == pid
    assert os.getpriority(os.PRIO_PROCESS, pid) == 5
    client.cancel_loadtest(test.id)
    found = ended(client, test)
    assert (found.state, found.verdict) == ("interrupted", None)
    assert found.reason == "It was cancelled."
    assert sorted(found.reports) == ["csv", "html", "json", "junit"]
    until(lambda: not is_alive(pid))


def test_tests_run_one_after_the_other(running: tuple[Client, Path]) -> None:
    client, _ = running
    first, second = (client.start_loadtest("iris", LONG) for _ in range(2))
    until_it_sends(client, first)
    assert client.loadtest(second.id).state == "queued"
    client.cancel_loadtest(first.id)
    until_it_sends(client, second)
    assert client.loadtest(first.id).state == "interrupted"
    client.cancel_loadtest(second.id)
    ended(client, second)


def test_a_test_whose_control_plane_is_killed_is_interrupted_and_its_data_kept(
    running: tuple[Client, Path],
) -> None:
    client, home = running
    test = client.start_loadtest("iris", LONG)
    until_it_sends(client, test)
    pid = pid_of(home, test)
    os.kill(api_of(pid), signal.SIGKILL)
    until(lambda: not is_alive(pid))
    found = ended(client, test)
    assert found.state == "interrupted"
    assert "control plane was restarted" in str(found.reason)
    report = json.loads(client.loadtest_report(test.id, "json"))
    assert report["totals"]["sent"] > 0
    assert report["cut"] == "it was interrupted"
    events = list(client.loadtest_events(test.id))
    assert events[-1].raw["state"] == "interrupted"
    assert any(event.kind == "progress" for event in events)
    assert not (home / "work" / "loadtests" / test.id).exists()


def api_of(pid: int) -> int:
    """Give the process that started a generator."""
    (found,) = re.findall(r"^PPid:\s+(\d+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found)


def test_a_generator_that_dies_fails_its_test_and_the_next_one_runs(
    running: tuple[Client, Path],
) -> None:
    client, home = running
    test = client.start_loadtest("iris", LONG)
    until_it_sends(client, test)
    pid = pid_of(home, test)
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert children
    os.kill(pid, signal.SIGKILL)
    found = ended(client, test)
    assert found.state == "failed"
    assert "html" not in found.reports
    assert found.reason == "The load generator was ended by signal 9 and said nothing more."
    until(lambda: not any(is_alive(int(child)) for child in children))
    assert ended(client, client.start_loadtest("iris", SHORT)).state == "finished"


def test_a_test_whose_endpoint_is_deleted_fails_and_its_data_is_kept(
    running: tuple[Client, Path],
) -> None:
    client, _ = running
    client.deploy("iris", endpoint="short-lived")
    test = client.start_loadtest("short-lived", LONG)
    until_it_sends(client, test)
    client.delete_endpoint("short-lived")
    found = ended(client, test)
    assert (found.state, found.reason) == (
        "failed",
        "The endpoint was deleted while it was tested.",
    )
    assert "html" in found.reports
    assert client.loadtests("short-lived") == [found]


def test_bursts_wait_for_zero_as_the_engine_tells_it(running: tuple[Client, Path]) -> None:
    client, _ = running
    scaling = {"window_s": 6, "scale_to_zero_grace_period_s": 0}
    client.deploy("iris", endpoint="sleepy", scaling=scaling)
    test = client.start_loadtest("sleepy", {"kind": "wake", "burst": 3, "times": 1})
    found = ended(client, test)
    assert (found.state, found.reason) == ("finished", None)
    assert "waiting" in [event.kind for event in client.loadtest_events(test.id)]
    report = json.loads(client.loadtest_report(test.id, "json"))
    assert [(one["requests"], one["good"]) for one in report["wakes"]] == [(3, 3)]
    assert len(report["cold_starts"]) == 1
    client.delete_endpoint("sleepy")


def test_the_command_follows_it_fetches_the_reports_and_ends_by_the_verdict(
    running: tuple[Client, Path], tmp_path: Path
) -> None:
    client, home = running
    # One microsecond is too fast for anything: it fails, or, sent late, it cannot be told.
    (slo := tmp_path / "slo.toml").write_text('p50 = "1us"')
    (rows := tmp_path / "rows.csv").write_text("5.1,3.5,1.4,0.2\n6.2,3.4,5.4,2.3\n")
    earlier = next(one for one in client.loadtests("iris") if "json" in one.reports)
    (compared := tmp_path / "earlier.json").write_bytes(client.loadtest_report(earlier.id, "json"))
    command = [
        *COMMAND, "loadtest", "iris", "--remote", "--rate", str(RATE), "--duration",
        f"{SECONDS}s", "--slo", str(slo), "--sample", str(rows), "--compare", str(compared),
        "--out", str(tmp_path / "out"),
    ]  # fmt: skip
    env = {**os.environ, "KUBESERVE_HOME": str(home)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=WITHIN_S)
    newest = client.loadtests("iris")[0]
    assert newest.verdict in ("failed", "inconclusive")
    assert done.returncode == {"failed": 1, "inconclusive": 6}[str(newest.verdict)], done.stderr
    assert "p50" in done.stdout
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    assert json.loads((tmp_path / "out" / "report.json").read_text())["rows_from"] == "rows.csv"
    assert 'id="changes"' in (tmp_path / "out" / "report.html").read_text()
    listed = subprocess.run(
        [*COMMAND, "loadtests"], env=env, capture_output=True, text=True, check=True
    )
    assert newest.id in listed.stdout


def test_a_sample_that_does_not_fit_fails_the_test_with_the_row(
    running: tuple[Client, Path], tmp_path: Path
) -> None:
    client, _ = running
    (rows := tmp_path / "rows.csv").write_text("5.1,3.5,1.4,0.2\n6.2,3.4,long,2.3\n")
    found = ended(client, client.start_loadtest("iris", SHORT, sample=rows))
    assert (found.state, found.verdict) == ("failed", None)
    assert str(found.reason).startswith("rows.csv does not fit the endpoint: row 1")


def as_in_a_terminal() -> None:
    """Take SIGINT, which whoever runs the tests in the background ignores."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupted_command_cancels_its_test_and_still_gets_the_reports(
    running: tuple[Client, Path], tmp_path: Path
) -> None:
    client, home = running
    known = {test.id for test in client.loadtests("iris")}
    command = [
        *COMMAND, "--json", "loadtest", "iris", "--remote", "--rate", "5", "--duration", "10m",
        "--out", str(tmp_path / "out"),
    ]  # fmt: skip
    env = {**os.environ, "KUBESERVE_HOME": str(home)}
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, text=True, preexec_fn=as_in_a_terminal
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "progress" and event["sent"]:
                break
        process.send_signal(signal.SIGINT)
        rest = [json.loads(line)["event"] for line in process.stdout]
        assert process.wait(WITHIN_S) == 130
    assert rest[-1] == "finished"
    (test,) = [one for one in client.loadtests("iris") if one.id not in known]
    assert (test.state, test.reason) == ("interrupted", "It was cancelled.")
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
