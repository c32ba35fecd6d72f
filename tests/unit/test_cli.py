"""The command line: what it prints, what a mistyped or unreachable call says and ends with."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.unit.client.fake_api import FakeApi

REPLAY = {
    "config": {"target_value": 10, "total_value": 100},
    "steps": [{"t_s": 0, "ready_pods": 1, "stable": 25, "panic": 25}],
}


def kubeserve(*arguments: str, home: Path, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, "KUBESERVE_HOME": str(home)}
    command = [sys.executable, "-m", "controlplane.cli.main", *arguments]
    return subprocess.run(command, env=env, input=stdin, text=True, capture_output=True)


def test_replay_prints_decisions(tmp_path: Path) -> None:
    file = tmp_path / "recording.json"
    file.write_text(json.dumps(REPLAY))
    for ended in (
        kubeserve("autoscaler", "replay", str(file), home=tmp_path),
        kubeserve("autoscaler", "replay", "-", home=tmp_path, stdin=json.dumps(REPLAY)),
    ):
        assert ended.returncode == 0, ended.stderr
        assert json.loads(ended.stdout) == [
            {
                "valid": True,
                "desired_pods": 3,
                "excess_burst_capacity": -1,
                "panicking": True,
            }
        ]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["autoscaler", "replay", "-"], 1, "not JSON"),
        (["push", "nothing.joblib"], 2, "does not exist"),
        (["predict", "iris"], 2, "either as --data or as a file"),
        (["predict", "iris", "--data", "{"], 2, "not JSON"),
        (["traffic", "iris", "half"], 2, "VERSION=PERCENT"),
        (["endpoints"], 1, "kubeserve up"),
        (["status"], 3, "not running"),
        (["down"], 0, "Nothing is running"),
        (["frobnicate"], 2, "No such command"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_errors_say_what_to_do(arguments: list[str], code: int, said: str, tmp_path: Path) -> None:
    ended = kubeserve(*arguments, home=tmp_path, stdin="{")
    assert ended.returncode == code, ended.stderr
    assert said in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_gateway_is_not_added_to_what_runs_without(tmp_path: Path) -> None:
    started = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    keeper = f"{os.getpid()} {started} http://127.0.0.1:9 http://127.0.0.1:9\n"
    (tmp_path / "keeper.pid").write_text(keeper)
    ended = kubeserve("up", "--gateway", home=tmp_path)
    assert ended.returncode == 1
    assert "kubeserve down && kubeserve up --gateway" in ended.stderr


def test_an_address_where_nothing_answers_is_exit_code_3(tmp_path: Path) -> None:
    credentials = {"url": "http://127.0.0.1:9", "client_id": "a", "client_secret": "b"}
    (tmp_path / "credentials.json").write_text(json.dumps(credentials))
    ended = kubeserve("endpoints", home=tmp_path)
    assert ended.returncode == 3
    assert "http://127.0.0.1:9" in ended.stderr


def test_a_scope_that_was_not_granted_is_exit_code_5(tmp_path: Path) -> None:
    api = FakeApi()
    credentials = {"url": api.url, "client_id": "c-1", "client_secret": "s:cret /"}
    (tmp_path / "credentials.json").write_text(json.dumps(credentials))
    told = {"error": "invalid_scope", "error_description": "This needs the scope predict."}
    api.misbehave("/oauth2/token", (400, told))
    try:
        ended = kubeserve("predict", "iris", "--data", "[[1, 2]]", home=tmp_path)
        assert (ended.returncode, ended.stderr) == (5, "error: This needs the scope predict.\n")
    finally:
        api.close()


def test_rows_of_a_line_each_are_predicted_a_line_each(tmp_path: Path) -> None:
    api = FakeApi()
    credentials = {"url": api.url, "client_id": "c-1", "client_secret": "s:cret /"}
    (tmp_path / "credentials.json").write_text(json.dumps(credentials))
    rows = tmp_path / "rows.ndjson"
    rows.write_text("[1, 2]\n\n" + '{"x1": 3, "x0": 4}\n' * 200)
    try:
        ended = kubeserve("predict", "iris", str(rows), home=tmp_path)
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout == "3.0\n" + "7.0\n" * 200
        piped = ["predict", "iris", "-", "--lines", "--output", "predict", "--output", "again"]
        ended = kubeserve(*piped, home=tmp_path, stdin="[1, 2]\n[3, 4]")
        assert list(map(json.loads, ended.stdout.splitlines())) == [
            {"predict": 3.0, "again": 3.0},
            {"predict": 7.0, "again": 7.0},
        ]
        ended = kubeserve(
            "predict", "iris", "-", "--lines", home=tmp_path, stdin='[1, 2]\n[1, "x"]'
        )
        assert (ended.returncode, ended.stdout) == (1, "3.0\n")
        assert 'row 1, column "x1": "x" is not a number' in ended.stderr
        ended = kubeserve("predict", "iris", "-", "--lines", home=tmp_path, stdin="[1, 2]\n[1,")
        assert ended.returncode == 2
        assert "line 2 of - is not JSON" in ended.stderr
    finally:
        api.close()


def test_a_model_is_pushed_with_code_requirements_and_wheels(tmp_path: Path) -> None:
    api = FakeApi()
    credentials = {"url": api.url, "client_id": "c-1", "client_secret": "s:cret /"}
    (tmp_path / "credentials.json").write_text(json.dumps(credentials))
    for name in ("model.joblib", "mine.py", "requirements.txt", "my-1.0-py3-none-any.whl"):
        (tmp_path / name).write_text("x = 1\n")
    given = ["push", str(tmp_path / "model.joblib"), "churn", "--code", str(tmp_path / "mine.py")]
    given += ["--requirements", str(tmp_path / "requirements.txt")]
    given += ["--wheel", str(tmp_path / "my-1.0-py3-none-any.whl"), "--no-wait"]
    try:
        ended = kubeserve(*given, home=tmp_path)
        assert ended.returncode == 0, ended.stderr
        assert "churn version 1" in ended.stdout
        with zipfile.ZipFile(io.BytesIO(api.blobs[1])) as bundle:
            assert bundle.namelist() == [
                "code/mine.py",
                "model.joblib",
                "requirements.txt",
                "wheels/my-1.0-py3-none-any.whl",
            ]
        ended = kubeserve(*given, "--name", "other", home=tmp_path)
        assert ended.returncode == 2
        assert "named twice: churn and other" in ended.stderr
    finally:
        api.close()


def test_help_names_every_command(tmp_path: Path) -> None:
    shown = kubeserve("--help", home=tmp_path).stdout
    for command in [
        "up",
        "down",
        "push",
        "models",
        "deploy",
        "predict",
        "endpoints",
        "logs",
        "releases",
        "rollback",
        "why",
    ]:
        assert command in shown
