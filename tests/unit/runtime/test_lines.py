"""What is written to logs: JSON with one set of member names, read back as it was."""

import json
import logging
from datetime import datetime

import pytest

from controlplane import telemetry
from controlplane.engines.embedded.logs import EndpointLog
from controlplane.engines.knative.logs import parsed
from controlplane.telemetry import JsonFormatter
from runtime import lines
from runtime.faults import problem_of
from runtime.lines import about, say, spoken

SHARED = {"at", "level", "logger", "message"}


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_about", {})


def test_a_line_is_one_object_with_what_the_process_is_of(capsys) -> None:
    about(tenant="acme", endpoint="iris")
    say("größe\nzwei", request_id="r1", trace_id=None)
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    line = json.loads(text)
    assert set(line) == {*SHARED, "tenant", "endpoint", "request_id"}
    assert (line["tenant"], line["message"], line["request_id"]) == ("acme", "größe\nzwei", "r1")
    assert datetime.fromisoformat(line["at"]).tzinfo is not None


def test_a_failure_names_request_revision_and_trace_and_nothing_of_the_caller(capsys) -> None:
    try:
        raise ValueError("canary of a caller")
    except ValueError as error:
        problem_of(error, None, "r1", "iris-00001", "0af7651916cd43dd8448eb211c80319c")
    text = capsys.readouterr().err
    line = json.loads(text)
    assert (line["request_id"], line["revision"]) == ("r1", "iris-00001")
    assert line["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert line["message"].startswith("ValueError at ")
    assert "canary" not in text


@pytest.mark.parametrize(
    "text", ["", "plain", "{", '{"a": 1}', '{"message": 3}', "[1]", "{" * 50_000], ids=len
)
def test_what_a_model_prints_stays_as_it_is(text: str) -> None:
    assert spoken(text) == (text, {})


def test_both_engines_read_it_back(tmp_path, capsys) -> None:
    say("serving iris:1", request_id="r1")
    raw = capsys.readouterr().err.strip()
    log = EndpointLog(tmp_path / "log")
    log.write("w-1", raw)
    kept = json.loads(log.tail(1)[0])
    assert (kept["text"], kept["members"]["request_id"]) == ("serving iris:1", "r1")
    line = parsed(f"2026-11-30T12:00:00.123456789Z {raw}", "pod")
    assert line is not None
    assert (line.text, dict(line.members)) == ("serving iris:1", kept["members"])


def record(message: str) -> logging.LogRecord:
    return logging.LogRecord("kubeserve", logging.WARNING, "", 0, message, (), None)


async def test_the_control_plane_writes_the_same_names_and_hides_credentials() -> None:
    telemetry.about(tenant="acme", endpoint="iris")
    said = "postgres://kube:hunter2000@db/x and Bearer abcdefgh12345678"
    line = json.loads(JsonFormatter().format(record(said)))
    assert set(line) >= SHARED
    assert (line["tenant"], line["endpoint"], line["level"]) == ("acme", "iris", "warning")
    assert "hunter2000" not in line["message"]
    assert "abcdefgh12345678" not in line["message"]
    caller = type("Caller", (), {"tenant": "acme"})()
    scope = {"state": {"caller": caller}, "path_params": {"endpoint": "iris"}}
    telemetry.about(request_id="r1", scope=scope)
    line = json.loads(JsonFormatter().format(record("x")))
    assert (line["request_id"], line["tenant"], line["endpoint"]) == ("r1", "acme", "iris")
