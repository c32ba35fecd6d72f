"""The worker as a process: what it imports, how it ends, whom it chooses, when it sheds."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from runtime.launch import Exit, Launch, RevisionLaunch
from tests.integration.runtime_rig import (
    ROW,
    Keys,
    digest_of,
    free_port,
    launch_of,
    linear_plan,
    serving,
)
from tests.integration.test_runtime_http import Wire

FORBIDDEN = ("sklearn", "scipy", "joblib", "pandas", "pydantic", "fastapi", "pickletools")

GUARD = """
import runtime.server, sys, threading, http.client, json, os, signal, time
from runtime import __main__ as program

def answer(path, body):
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=5)
    headers = {"authorization": os.environ["TOKEN"]}
    connection.request("POST" if body else "GET", path, body, headers)
    response = connection.getresponse()
    response.read()
    return response.status

def client():
    try:
        while answer("/readyz", None) != 200:
            time.sleep(0.02)
        codes.append(answer("/predict", os.environ["BODY"]))
        codes.append(answer("/metrics", None))
    finally:
        os.kill(os.getpid(), signal.SIGTERM)

codes = []
original = runtime.server.Worker._started
def started(worker):
    original(worker)
    threading.Thread(target=client).start()
runtime.server.Worker._started = started
code = program.main()
print(json.dumps({"codes": codes, "modules": sorted(sys.modules)}))
sys.exit(code)
"""


def run_to_end(launch: Launch, *command: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *command],
        env={**os.environ, **launch.to_env(), **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_worker_that_answered_has_imported_nothing_heavy(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    launch = launch_of(tmp_path, keys, port=free_port())
    extra = {"TOKEN": f"Bearer {keys.token()}", "BODY": json.dumps([ROW])}
    ended = run_to_end(launch, "-c", GUARD, **extra)
    assert ended.returncode == Exit.OK, ended.stderr
    said = json.loads(ended.stdout)
    assert said["codes"] == [200, 200]
    modules = said["modules"]
    heavy = [m for m in modules if m.partition(".")[0] in FORBIDDEN or m.startswith("controlplane")]
    assert heavy == []


def test_a_wrong_environment_is_told_at_once(tmp_path: Path) -> None:
    launch = launch_of(tmp_path, Keys(tmp_path))
    ended = run_to_end(launch, "-m", "runtime", KUBESERVE_TIMEOUT_S="never")
    assert ended.returncode == Exit.BAD_LAUNCH
    assert "KUBESERVE_TIMEOUT_S" in ended.stderr


def test_a_bad_plan_and_a_taken_port_have_their_own_codes(tmp_path: Path) -> None:
    launch = launch_of(tmp_path, Keys(tmp_path), port=free_port())
    with serving(tmp_path) as other:
        taken = run_to_end(launch._replace(port=other.port), "-m", "runtime")
        assert taken.returncode == Exit.NO_PORT
        assert str(other.port) in taken.stderr
    Path(launch.revisions[0].artifact).write_bytes(b"no plan")
    bad = run_to_end(launch, "-m", "runtime")
    assert bad.returncode == Exit.BAD_PLAN
    assert "iris-00001" in bad.stderr


def test_sigterm_answers_what_was_read_then_exits(tmp_path: Path) -> None:
    plan = linear_plan(tmp_path / "slow", cost=(5000.0, 1.0))
    slow = RevisionLaunch("iris-00002", "iris", 2, str(plan), digest_of(plan))
    with serving(tmp_path, revisions=(slow,)) as worker, Wire(worker) as busy, Wire(worker) as idle:
        idle.serves_on()
        half = busy.request()
        busy.send(half[:-3])
        assert worker.ask("/livez")[0] == 200  # the half was read before this was answered
        worker.process.send_signal(signal.SIGTERM)
        assert idle.ended()
        busy.send(half[-3:])
        status, headers, answer = busy.answer()
        assert (status, answer["predictions"], headers["connection"]) == (200, [0], "close")
        assert worker.process.wait(10) == Exit.OK


def test_a_client_that_never_ends_its_request_cannot_hold_up_the_end(tmp_path: Path) -> None:
    with serving(tmp_path, drain_s=1.0) as worker, Wire(worker) as stuck:
        stuck.send(stuck.request()[:-3])
        assert worker.ask("/livez")[0] == 200
        assert worker.stop() == Exit.OK
        assert "1 connections were cut" in worker.log.read_text()


def test_percentages_and_tags_choose_the_revision(tmp_path: Path) -> None:
    plans = [str(linear_plan(tmp_path / f"p{i}", bias=-100.0 * i)) for i in range(2)]
    revisions = (
        RevisionLaunch("iris-00001", "iris", 1, plans[0], digest_of(plans[0]), percent=80),
        RevisionLaunch(
            "iris-00002", "iris", 2, plans[1], digest_of(plans[1]), percent=20, tag="next"
        ),
    )
    with serving(tmp_path, revisions=revisions) as worker, Wire(worker) as wire:
        seen: Counter[str] = Counter()
        for _ in range(200):
            wire.send(wire.request())
            _, headers, answer = wire.answer()
            assert answer["revision"] == headers["k-revision"]
            assert answer["predictions"] == ([0] if answer["version"] == 1 else [1])
            seen[headers["k-revision"]] += 1
        assert abs(seen["iris-00002"] - 40) <= 2
        wire.send(wire.request(extra="knative-serving-tag: next\r\n"))
        assert wire.answer()[2]["version"] == 2
        body = {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP64", "data": ROW}]}
        wire.send(wire.request(body, "/v2/models/iris/versions/2/infer"))
        assert wire.answer()[1]["k-revision"] == "iris-00002"


def test_a_revoked_token_is_refused_soon_after_the_keys_file_says_so(tmp_path: Path) -> None:
    with serving(tmp_path) as worker, Wire(worker) as wire:
        wire.serves_on()
        document = json.loads(worker.keys.file.read_text())
        document["revoked"]["jtis"]["j1"] = 1 << 33
        fresh = tmp_path / "fresh.json"
        fresh.write_text(json.dumps(document))
        fresh.replace(worker.keys.file)
        for _ in range(100_000):
            wire.send(wire.request())
            if wire.answer()[0] == 401:
                return
        pytest.fail("the token was never refused")


def test_one_request_too_many_is_shed_and_the_others_are_answered(tmp_path: Path) -> None:
    # One request computed at a time, ten waiting; each is large enough to be decoded in the thread,
    # so that all of them are in flight together.
    rows: Any = [ROW] * 9000
    with serving(tmp_path, container_concurrency=1) as worker:
        start = threading.Barrier(40)

        def call(_: int) -> int:
            with Wire(worker) as wire:
                whole = wire.request(rows)
                start.wait(20)
                wire.send(whole)
                status, headers, _ = wire.answer()
                if status == 503:
                    assert headers["retry-after"] == "1"
                return status

        with ThreadPoolExecutor(40) as pool:
            codes = Counter(pool.map(call, range(40)))
        assert set(codes) == {200, 503}
        assert codes[200] >= 11
        assert worker.ask("/readyz")[0] == 200


def test_behind_an_ingress_metrics_are_for_prometheus_and_for_callers(tmp_path: Path) -> None:
    keys, token = Keys(tmp_path), "scrape-me-0123456789"
    told = json.loads(keys.file.read_text())
    told["metrics"] = hashlib.sha256(token.encode()).hexdigest()
    keys.file.write_text(json.dumps(told))
    with serving(tmp_path, keys, chosen_before=True) as worker:
        for authorization, status in (
            ("", 401),
            ("Bearer wrong", 401),
            (f"Bearer {told['metrics']}", 401),
            (f"Bearer {keys.token(aud='https://kube.example/endpoints/other')}", 401),
            (f"Bearer {token}", 200),
            (f"Bearer {keys.token()}", 200),
        ):
            answer = worker.ask("/metrics", authorization=authorization)
            assert answer[0] == status, authorization
        # It opens nothing else.
        assert worker.ask(body={"instances": [ROW]}, authorization=f"Bearer {token}")[0] == 401
