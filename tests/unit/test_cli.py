"""The command line without a server: what a mistyped or unreachable call says and ends with."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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
    (tmp_path / "keeper.pid").write_text(f"{os.getpid()} {started}\n")
    ended = kubeserve("up", "--gateway", home=tmp_path)
    assert ended.returncode == 1
    assert "kubeserve down && kubeserve up --gateway" in ended.stderr


def test_an_address_where_nothing_answers_is_exit_code_3(tmp_path: Path) -> None:
    credentials = {"url": "http://127.0.0.1:9", "client_id": "a", "client_secret": "b"}
    (tmp_path / "credentials.json").write_text(json.dumps(credentials))
    ended = kubeserve("endpoints", home=tmp_path)
    assert ended.returncode == 3
    assert "http://127.0.0.1:9" in ended.stderr


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
