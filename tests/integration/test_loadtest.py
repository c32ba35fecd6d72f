"""`kubeserve loadtest` against a KubeServe of its own: generators, verdicts, reports, faults."""

import contextlib
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import joblib
import pytest
from playwright.sync_api import Page, sync_playwright
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.client import Client
from loadtests.benchmarks.installation import COMMAND, free_port, installation

SHORT_WINDOWS = {"window_s": 6, "scale_to_zero_grace_period_s": 0, "max_scale": 2}
ENDS_WITHIN_S = 240


class Platform(NamedTuple):
    client: Client
    home: Path


class Ended(NamedTuple):
    code: int
    events: list[dict[str, Any]]
    folder: Path

    @property
    def last(self) -> dict[str, Any]:
        return self.events[-1]

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "report.json").read_text())
        return found


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    x, y = load_iris(return_X_y=True)
    file = tmp_path_factory.mktemp("model") / "iris.joblib"
    joblib.dump(LogisticRegression(max_iter=1000).fit(x, y), file)
    with installation() as (client, home):
        client.push(file, "iris")
        client.deploy("iris", scaling=SHORT_WINDOWS)
        yield Platform(client, home)


@pytest.fixture(scope="module")
def steady(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A test that passes: two generators, raw tensors, rows from a file."""
    folder = tmp_path_factory.mktemp("steady")
    sample = folder / "rows.csv"
    sample.write_text("\n".join(",".join(map(str, row)) for row in load_iris().data.tolist()))
    return loadtest(
        platform, folder / "out", "iris", "--rate", "60", "--duration", "5s", "--p50", "2s",
        "--error-rate", "5%", "--format", "v2-binary", "--rows", "3", "--processes", "2",
        "--sample", str(sample),
    )  # fmt: skip


def loadtest(
    platform: Platform,
    folder: Path,
    *arguments: str,
    command: str = "loadtest",
    meanwhile: Callable[[dict[str, Any], subprocess.Popen[str]], None] | None = None,
    **env: str,
) -> Ended:
    """Run a command to its end.

    meanwhile  called with each event
    """
    own = {name: value for name, value in os.environ.items() if "KUBESERVE_" not in name}
    process = subprocess.Popen(
        [*COMMAND, "--json", command, *arguments, "--out", str(folder)],
        env={**own, "KUBESERVE_HOME": str(platform.home), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    stop = threading.Timer(ENDS_WITHIN_S, process.kill)
    stop.start()
    events = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            events.append(json.loads(line))
            if meanwhile is not None:
                meanwhile(events[-1], process)
        _, said = process.communicate()
    finally:
        stop.cancel()
        process.kill()
        process.wait()
    return Ended(process.returncode, events or [{"event": "said", "detail": said}], folder)


def test_a_load_that_is_borne_passes(steady: Ended) -> None:
    assert steady.code == 0, steady.events
    assert [event["event"] for event in (steady.events[0], steady.last)] == ["started", "finished"]
    assert any(event["event"] == "progress" and event["sent"] for event in steady.events)
    assert steady.last["verdict"] == "passed"
    totals = steady.report["totals"]
    assert 200 < totals["sent"] == totals["good"] < 400
    assert steady.report["generated"]["processes"] == 2
    assert steady.report["scale"][-1]["ready"] == 1
    assert steady.report["rows_from"] == "rows.csv"


def test_all_reports_tell_of_the_same_requests(steady: Ended) -> None:
    sent = steady.report["totals"]["sent"]
    text = (steady.folder / "locust_stats.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["Name"]: int(row["Request Count"]) for row in rows} == {
        "/v2/models/iris/infer": sent,
        "Aggregated": sent,
    }
    assert sum(count for _, count in steady.report["counts"]) == sent
    suite = ElementTree.parse(steady.folder / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "0", "0")


def test_the_endpoint_counted_as_many(platform: Platform, steady: Ended) -> None:
    counted = platform.client.endpoint("iris").requests_total
    assert counted >= steady.report["totals"]["sent"]


def test_what_is_not_answered_in_time_fails_and_is_compared(
    platform: Platform, steady: Ended, tmp_path: Path
) -> None:
    ended = loadtest(
        platform, tmp_path, "iris", "--rate", "50", "--duration", "3s", "--timeout", "0.01ms",
        "--error-rate", "1%", "--compare", str(steady.folder / "report.json"),
    )  # fmt: skip
    assert (ended.code, ended.last["verdict"]) == (1, "failed"), ended.events
    assert "no answer within 1e-05 s" in ended.report["totals"]["errors"]
    text = (tmp_path / "report.html").read_text()
    assert 'id="changes"' in text
    assert "The loads differ in shape, format, rows" in text


def test_too_few_samples_are_inconclusive(platform: Platform, tmp_path: Path) -> None:
    ended = loadtest(platform, tmp_path, "iris", "--rate", "20", "--duration", "2s", "--p99", "9s")
    assert (ended.code, ended.last["verdict"]) == (6, "inconclusive"), ended.events
    assert "not bounded by fewer than 368" in ended.last["verdicts"][0]["because"]


def test_a_knee_is_looked_for_step_by_step(platform: Platform, tmp_path: Path) -> None:
    ended = loadtest(
        platform, tmp_path, "iris", "--shape", "knee", "--start", "20", "--peak", "50",
        "--duration", "3s", "--p50", "5s",
    )  # fmt: skip
    steps = ended.report["phases"]
    assert [step["start_rate"] for step in steps] == [20, 30, 45][: len(steps)]
    assert len(steps) == 3 or not steps[-1]["holds"]
    assert ended.report["knee"] == max(step["end_rate"] for step in steps if step["holds"])


def test_replicas_under_a_spike_are_those_the_kpa_decides_of_the_recorded_metrics(
    platform: Platform, tmp_path: Path
) -> None:
    scaling = {"metric": "rps", "target": 20, "window_s": 6, "min_scale": 1, "max_scale": 4}
    platform.client.deploy("iris", endpoint="spiky", scaling=scaling)
    ended = loadtest(
        platform, tmp_path, "spiky", "--shape", "spike", "--rate", "5", "--peak", "50",
        "--duration", "6s", "--rest", "3s",
    )  # fmt: skip
    found = ended.report["autoscaling"]
    assert not found["sampled"]
    decisions = found["decisions"]
    assert [one["desired"] for one in decisions] == [one["recomputed"] for one in decisions]
    assert max(one["bounded"] for one in decisions) > 1, "the spike asked for more"
    assert (found["differing"], found["unexplained"]) == ([], [])
    assert found["seen"] > 0.8 * len(ended.report["scale"]) > 10
    page = (tmp_path / "report.html").read_text()
    assert f"all {len(decisions)} are equal" in page
    assert "recomputed from metrics" in page


def test_bursts_wait_for_zero_and_wake_the_endpoint(platform: Platform, tmp_path: Path) -> None:
    ended = loadtest(
        platform, tmp_path, "iris", "--shape", "wake", "--burst", "5", "--times", "2",
        "--cold-start", "20s",
    )  # fmt: skip
    assert ended.code == 6, ended.events  # two wakes bound no median
    report = ended.report
    assert [(burst["requests"], burst["good"]) for burst in report["wakes"]] == [(5, 5)] * 2
    assert all(0 < burst["first"] <= burst["last"] for burst in report["wakes"])
    assert report["cold_starts"]
    assert all("spawn" in start["phases_ms"] for start in report["cold_starts"])
    assert 'id="starts"' in (tmp_path / "report.html").read_text()


def test_an_interrupted_test_keeps_what_it_measured(platform: Platform, tmp_path: Path) -> None:
    def interrupt(event: dict[str, Any], process: subprocess.Popen[str]) -> None:
        if event["event"] == "progress" and event["sent"] > 50 and not told:
            told.append(event)
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does

    told: list[dict[str, Any]] = []
    ended = loadtest(
        platform, tmp_path, "iris", "--rate", "50", "--duration", "2m", "--p50", "9s",
        meanwhile=interrupt,
    )  # fmt: skip
    assert (ended.code, ended.last["cut"]) == (130, "it was interrupted"), ended.events
    assert ended.last["verdict"] == "inconclusive"
    assert ended.report["totals"]["sent"] > 50


def test_an_endpoint_that_is_deleted_ends_its_test(platform: Platform, tmp_path: Path) -> None:
    def delete(event: dict[str, Any], _process: subprocess.Popen[str]) -> None:
        if event["event"] == "progress" and event["sent"] > 50 and not told:
            told.append(event)
            platform.client.delete_endpoint("doomed")

    told: list[dict[str, Any]] = []
    platform.client.deploy("iris", endpoint="doomed", scaling=SHORT_WINDOWS)
    ended = loadtest(
        platform, tmp_path, "doomed", "--rate", "50", "--duration", "2m", "--p50", "9s",
        meanwhile=delete,
    )  # fmt: skip
    assert (ended.code, ended.last["cut"]) == (6, "the endpoint was deleted"), ended.events
    assert ended.report["totals"]["good"] > 50


def test_generators_elsewhere_share_a_load_and_one_that_is_lost_ends_it(
    platform: Platform, tmp_path: Path
) -> None:
    """Three come where two are wanted; then all are killed."""
    at = f"127.0.0.1:{free_port()}"
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "endpoint: iris\nshape: {kind: steady, rate: 40, duration: 2m}\nprocesses: 2\n"
        "objectives: {p50: 9s}\n"
    )
    module = [sys.executable, "-m", "loadtests"]
    env = {**os.environ, "KUBESERVE_HOME": str(platform.home)}
    run = [*module, "run", str(plan), "--out", str(tmp_path / "out"), "--bind", at]
    with contextlib.ExitStack() as stack:
        started = stack.enter_context(
            subprocess.Popen(run, env=env, stdout=subprocess.PIPE, text=True)
        )
        stack.callback(started.kill)
        workers = []
        for _ in range(3):  # without credentials, and without standard input
            workers.append(
                stack.enter_context(
                    subprocess.Popen(
                        [*module, "worker", at],
                        env={"PATH": os.environ["PATH"]},
                        stdin=subprocess.DEVNULL,
                    )
                )
            )
            stack.callback(workers[-1].kill)
        events = []
        assert started.stdout is not None
        for line in started.stdout:
            events.append(json.loads(line))
            if events[-1]["event"] == "progress" and events[-1]["sent"] > 50:
                for worker in workers:
                    worker.kill()
    assert started.returncode == 6, events
    assert (events[-1]["cut"], events[-1]["verdict"]) == ("a generator was lost", "inconclusive")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["totals"]["good"] > 50


FAULTS = {
    "no such endpoint": (["wine", "--rate", "5"], 4, "wine"),
    "a limit without a unit": (["iris", "--rate", "5", "--p95", "50"], 2, "with its unit"),
    "no rate": (["iris"], 2, None),
    "an option of another shape": (["iris", "--rate", "5", "--peak", "9"], 2, None),
    "no such output": (["iris", "--rate", "5", "--output", "odds"], 2, "it has predict"),
    "no sample": (["iris", "--rate", "5", "--sample", "none.csv"], 2, "cannot be read"),
}


@pytest.mark.parametrize(("arguments", "code", "said"), FAULTS.values(), ids=FAULTS)
def test_a_test_that_cannot_be_is_refused(
    platform: Platform, tmp_path: Path, arguments: list[str], code: int, said: str | None
) -> None:
    ended = loadtest(platform, tmp_path, *arguments)
    assert ended.code == code, ended.events
    if said is not None:
        assert ended.last["event"] == "failed"
        assert said in ended.last["detail"]


def test_rows_that_do_not_fit_are_named_before_anything_is_sent(
    platform: Platform, tmp_path: Path
) -> None:
    sample = tmp_path / "rows.json"
    sample.write_text('[[5.1, 3.5, 1.4, 0.2], [5.1, "wide", 1.4]]')
    before = platform.client.endpoint("iris").requests_total
    ended = loadtest(platform, tmp_path, "iris", "--rate", "5", "--sample", str(sample))
    assert (ended.code, ended.last["event"]) == (2, "failed"), ended.events
    assert "row 1: has 3 values, this model takes 4" in ended.last["detail"]
    assert platform.client.endpoint("iris").requests_total == before


def test_a_control_plane_that_is_away_is_said_so(platform: Platform, tmp_path: Path) -> None:
    away = {"KUBESERVE_URL": f"http://127.0.0.1:{free_port()}", "KUBESERVE_CLIENT_ID": "c",
            "KUBESERVE_CLIENT_SECRET": "s"}  # fmt: skip
    ended = loadtest(platform, tmp_path, "iris", "--rate", "5", **away)
    assert ended.code == 3
    assert "Nothing answers at" in ended.last["detail"]


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no browser: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_browser_shows_the_report_and_its_charts(
    steady: Ended, page: Page, width: int, scheme: Any
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    address = (steady.folder / "report.html").as_uri()
    page.goto(address)
    assert {url for url in asked if not url.startswith("data:")} == {address}
    assert page.locator("h1").inner_text() == "Load test of iris"
    assert "passed" in page.locator(".badge").inner_text()
    charts = page.get_by_role("img", name="Latency over time")
    assert charts.count() == 1
    assert page.locator("figure.chart").count() == 5
    for chart in page.locator("figure.chart svg").all():
        box = chart.bounding_box()
        assert box is not None
        assert box["width"] > 150
        assert box["height"] > 150
        assert chart.locator("path.line, rect.bar").count() > 0
    assert page.locator("#verdicts tbody tr").count() == 2
    # Wide tables scroll in themselves; the page never does.
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_tuning_measures_a_copy_and_makes_a_release_of_what_passes(
    platform: Platform, tmp_path: Path
) -> None:
    client = platform.client
    # Within a second: whether a busy machine is quick is no question of this test.
    client.deploy("iris", endpoint="sized", scaling={"window_s": 30})
    client.set_slo("sized", p95="1s", error_rate="5%", throughput=100)
    before, names = client.endpoint("sized"), {one.name for one in client.endpoints()}
    copies = set()

    def watch(event: dict[str, Any], _: Any) -> None:
        if event["event"] == "stage":
            copies.add(event["copy"])
            assert client.endpoint(event["copy"]).is_ready
            assert client.endpoint("sized").generation == before.generation

    done = loadtest(
        platform, tmp_path, "sized", "--start", "20", "--rate", "40", "--duration", "3s", "--apply",
        command="tune", meanwhile=watch,
    )  # fmt: skip
    last = done.last
    assert last["event"] == "finished", last
    stages = [event["stage"] for event in done.events if event["event"] == "stage"]
    assert stages[:3] == ["wake", "knee", "proof"]
    assert len(last["wakes"]) == 6
    assert last["steps"][0]["rate"] == 20
    assert (last["proposal"]["cpu_millis"] or 0) > 0
    assert {one["objective"] for one in last["proof"]} == {"p95", "error_rate", "throughput"}
    assert "<figure" in Path(last["reports"]["html"]).read_text()
    assert copies == {"sized-tune"}
    assert {one.name for one in client.endpoints()} == names
    now = client.endpoint("sized")
    # A busy machine may be too slow for its generator: then nothing is changed, and it says so.
    if last["verdict"] == "passed":
        assert done.code == 0
        assert now.raw["release"] == last["release"] == before.raw["release"] + 1
        wanted = last["proposal"]
        assert now.raw["container_concurrency"] == wanted["container_concurrency"]
        for name in ("metric", "target", "min_scale", "max_scale"):
            assert now.raw["scaling"][name] == wanted[name]
        assert now.raw["scaling"]["window_s"] == 30
        assert now.raw["scaling"]["max_scale"] >= 100 / wanted["rate"]
        assert now.revisions == before.revisions
    else:
        assert done.code == 1
        assert last["refused"] == f"the proposal is {last['verdict']}"
        assert now.generation == before.generation


def test_an_interrupted_tuning_changes_nothing_and_leaves_no_copy(
    platform: Platform, tmp_path: Path
) -> None:
    before = platform.client.endpoint("iris").generation
    names = {one.name for one in platform.client.endpoints()}

    def interrupt(event: dict[str, Any], process: subprocess.Popen[str]) -> None:
        if event["event"] == "waiting":
            # To the command alone, which passes it on to the program, and that to its test.
            process.send_signal(signal.SIGTERM)

    done = loadtest(
        platform, tmp_path, "iris", "--p95", "1s", command="tune", meanwhile=interrupt
    )  # fmt: skip
    assert (done.code, done.last["event"]) == (130, "failed")
    assert "nothing was changed" in done.last["detail"]
    assert {one.name for one in platform.client.endpoints()} == names
    assert platform.client.endpoint("iris").generation == before


def test_a_tuning_of_what_promises_nothing_says_what_to_say(
    platform: Platform, tmp_path: Path
) -> None:
    for endpoint, code, said in (("iris", 2, "--p95 50ms"), ("nobody", 4, "no endpoint")):
        done = loadtest(platform, tmp_path, endpoint, command="tune")
        assert (done.code, said in done.last["detail"]) == (code, True), done.last
