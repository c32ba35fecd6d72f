"""The builder as its pod runs it: a real process, signed addresses, nothing left behind."""

import hashlib
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import psutil
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.builder import remote
from controlplane.builder.instructions import STANDBY, VARIABLE, Form, Instructions, Standby
from controlplane.builder.remote_report import Sent, decode, with_plan
from controlplane.builder.report import GIB, MIB, Outcome
from tests import waiting
from tests.hostile.canaries import planted
from tests.hostile.corpus import ATTACKS
from tests.integration.bucket import Bucket, serving

WITHIN_S = 60.0
until = partial(waiting.until, within_s=WITHIN_S)
X, Y = load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("model") / "iris.joblib"
    joblib.dump(LogisticRegression(max_iter=300).fit(X, Y), path)
    return path.read_bytes()


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with serving() as found:
        yield found


def told(bucket: Bucket, upload: bytes, work: Path) -> Instructions:
    bucket.objects["/source"] = upload
    return Instructions(
        source=f"{bucket.url}/source?signature=1",
        plan=Form(f"{bucket.url}/b", {"policy": "signature 2", "key": "plan"}),
        report=Form(f"{bucket.url}/b", {"policy": "signature 3", "key": "report"}),
        answer=f"{bucket.url}/answer?signature=4",
        answer_s=5,
        sha256=hashlib.sha256(upload).hexdigest(),
        size_bytes=len(upload),
        work=str(work),
        deadline_s=60,
        memory_bytes=GIB,
        cpu_s=30,
        wall_s=30,
        decompressed_bytes=GIB,
        work_bytes=GIB,
        file_bytes=256 * MIB,
    )


def start(told: Instructions | Standby | str) -> "subprocess.Popen[bytes]":
    text = told if isinstance(told, str) else told.write()
    return subprocess.Popen(
        [sys.executable, "-m", "controlplane.builder.remote"],
        env={**os.environ, STANDBY if isinstance(told, Standby) else VARIABLE: text},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def ended(process: "subprocess.Popen[bytes]") -> tuple[int, str]:
    _, errors = process.communicate(timeout=WITHIN_S)
    return process.returncode, errors.decode()


def received(bucket: Bucket) -> Sent:
    return decode(bucket.objects["/b/report"], most_plan_bytes=GIB)


def test_a_model_becomes_a_plan_and_the_report_goes_last(
    bucket: Bucket, model: bytes, tmp_path: Path
) -> None:
    assert ended(start(told(bucket, model, tmp_path))) == (remote.DONE, "")
    assert bucket.requests == [("GET", "/source"), ("POST", "/b/plan"), ("POST", "/b/report")]
    assert str(tmp_path) not in bucket.objects["/b/report"].decode()
    sent, plan = received(bucket), bucket.objects["/b/plan"]
    assert (sent.plan_sha256, sent.plan_size_bytes) == (
        hashlib.sha256(plan).hexdigest(),
        len(plan),
    )
    path = tmp_path / "plan"
    path.write_bytes(plan)
    report = with_plan(sent, path)
    assert report.outcome is Outcome.PLAN
    assert report.signature is not None
    assert report.cost is not None
    assert len(report.signature.columns) == X.shape[1]
    assert {"seccomp", "rlimits", "no_new_privs"} <= set(report.sandbox)
    assert any(layer.startswith("landlock") for layer in report.sandbox)
    assert "namespaces" not in report.sandbox
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["exec_writes", "forges_its_result"])
def test_hostile_model_is_held_and_reported(name: str, bucket: Bucket, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    with planted() as canaries:
        assert ended(start(told(bucket, ATTACKS[name](canaries), work))) == (remote.DONE, "")
        sent = received(bucket)
        assert canaries.sung(repr(sent)) == []
    assert sent.report.outcome is Outcome.FAILED
    assert sent.report.reason
    assert "/b/plan" not in bucket.objects
    assert list(work.iterdir()) == []


def test_an_upload_that_differs_is_refused(bucket: Bucket, model: bytes, tmp_path: Path) -> None:
    instructions = told(bucket, model, tmp_path)
    flipped = bytearray(model)
    flipped[100] ^= 1
    bucket.objects["/source"] = bytes(flipped)
    code, errors = ended(start(instructions))
    assert code == remote.SOURCE
    assert "not the one announced" in errors

    bucket.objects["/source"] = model + b"more"
    code, errors = ended(start(instructions))
    assert code == remote.SOURCE
    assert "larger than" in errors
    assert "/b/report" not in bucket.objects


def test_a_redirect_is_not_followed(bucket: Bucket, model: bytes, tmp_path: Path) -> None:
    with serving() as elsewhere:
        elsewhere.objects["/source"] = model
        bucket.script["GET", "/source"] = [f"{elsewhere.url}/source"]
        code, errors = ended(start(told(bucket, model, tmp_path)))
        assert code == remote.STORE
        assert "307" in errors
        assert elsewhere.requests == []


def test_a_store_that_hesitates_is_asked_again(
    bucket: Bucket, model: bytes, tmp_path: Path
) -> None:
    bucket.script = {
        ("GET", "/source"): [503],
        ("POST", "/b/plan"): [500, 503],
        ("POST", "/b/report"): [503],
    }
    assert ended(start(told(bucket, model, tmp_path))) == (remote.DONE, "")
    assert received(bucket).report.outcome is Outcome.PLAN


def test_a_store_that_refuses_is_named_without_its_signature(
    bucket: Bucket, model: bytes, tmp_path: Path
) -> None:
    bucket.script["POST", "/b/plan"] = [403]
    code, errors = ended(start(told(bucket, model, tmp_path)))
    assert code == remote.STORE
    assert "403 AccessDenied for POST /b/plan" in errors
    assert "signature" not in errors
    assert "/b/report" not in bucket.objects


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not set"),
        ("{", "is not JSON"),
        ("[]", "is not an object"),
        ('{"source": "file:///etc/passwd"}', "other members"),
    ],
)
def test_bad_instructions_are_named(text: str, says: str) -> None:
    code, errors = ended(start(text))
    assert code == remote.INSTRUCTIONS
    assert says in errors


def standing_by(bucket: Bucket, wait_s: float = WITHIN_S) -> "subprocess.Popen[bytes]":
    """Start a builder that waits; gives it when it looked for the first time."""
    process = start(Standby(f"{bucket.url}/told?signature=4", wait_s))
    until(lambda: bucket.requests or process.poll() is not None)
    return process


def test_a_builder_that_waits_builds_what_it_is_told(
    bucket: Bucket, model: bytes, tmp_path: Path
) -> None:
    bucket.script["GET", "/told"] = [403, 404, 503]  # none of these says that nothing will come
    process = standing_by(bucket)
    until(lambda: bucket.requests.count(("GET", "/told")) > 5)
    instructions = told(bucket, model, tmp_path)
    bucket.objects["/told"] = instructions.write().encode()
    assert ended(process) == (remote.DONE, "")
    asked = [one for one in bucket.requests if one != ("GET", "/told")]
    assert asked == [("GET", "/source"), ("POST", "/b/plan"), ("POST", "/b/report")]
    assert received(bucket).report.outcome is Outcome.PLAN
    assert list(tmp_path.iterdir()) == []


def test_a_builder_that_is_told_nothing_ends(bucket: Bucket) -> None:
    assert ended(standing_by(bucket, wait_s=1.0)) == (remote.DONE, "")
    assert set(bucket.requests) == {("GET", "/told")}


def test_a_builder_that_waits_ends_when_it_is_told_to(bucket: Bucket) -> None:
    process = standing_by(bucket)
    below = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == remote.ENDED
    assert psutil.wait_procs(below, timeout=WITHIN_S)[1] == []


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"{", remote.INSTRUCTIONS, "is not JSON"),
        (b"x" * (remote.INSTRUCTIONS_BYTES + 1), remote.STORE, "more than"),
    ],
)
def test_a_builder_that_is_told_nonsense_says_so(
    bucket: Bucket, content: bytes, code: int, says: str
) -> None:
    bucket.objects["/told"] = content
    found, errors = ended(standing_by(bucket))
    assert found == code
    assert says in errors


class Sleeps:
    def __reduce__(self) -> tuple[Any, ...]:
        return time.sleep, (3600,)


def busy(process: "subprocess.Popen[bytes]", work: Path) -> list[psutil.Process]:
    """Wait until the model's own code runs; gives every process below."""
    until(lambda: (work / "build" / "work" / "load").exists() or process.poll() is not None)
    assert process.poll() is None
    return psutil.Process(process.pid).children(recursive=True)


def test_told_to_end_it_leaves_no_process_and_no_file(bucket: Bucket, tmp_path: Path) -> None:
    process = start(told(bucket, pickle.dumps(Sleeps()), tmp_path))
    below = busy(process, tmp_path)
    process.send_signal(signal.SIGTERM)
    code, errors = ended(process)
    assert code == remote.ENDED
    assert "told to end" in errors
    assert psutil.wait_procs(below, timeout=WITHIN_S)[1] == []
    assert list(tmp_path.iterdir()) == []
    assert bucket.requests == [("GET", "/source")]


def test_killed_it_takes_the_models_code_with_it(bucket: Bucket, tmp_path: Path) -> None:
    process = start(told(bucket, pickle.dumps(Sleeps()), tmp_path))
    below = busy(process, tmp_path)
    process.kill()
    ended(process)
    assert psutil.wait_procs(below, timeout=WITHIN_S)[1] == []
    assert set(bucket.objects) == {"/source"}


def test_the_models_code_outlives_nobody_above_it(bucket: Bucket, tmp_path: Path) -> None:
    process = start(told(bucket, pickle.dumps(Sleeps()), tmp_path))
    below = busy(process, tmp_path)
    process.send_signal(signal.SIGSTOP)
    for one in psutil.Process(process.pid).children():
        one.kill()  # before it can end what it forked
    process.kill()
    ended(process)
    assert psutil.wait_procs(below, timeout=WITHIN_S)[1] == []


def test_the_deadline_ends_it(bucket: Bucket, tmp_path: Path) -> None:
    instructions = replace(told(bucket, pickle.dumps(Sleeps()), tmp_path), deadline_s=4.0)
    code, errors = ended(start(instructions))
    assert code == remote.LATE
    assert "4 s" in errors
    assert list(tmp_path.iterdir()) == []
