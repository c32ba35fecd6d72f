"""Load tests in the SDK and the command line: events line by line, exit codes by state."""

import base64
import gzip
import os
from pathlib import Path

import pytest

from controlplane.cli.remote_loadtest import code_of
from controlplane.client import BadAnswer, LoadTest
from controlplane.client.testing import MOST_PACKED_BYTES, EventReader, plan_of

RAW = {
    "id": "x", "endpoint": "iris", "state": "finished", "verdict": "passed", "reason": None,
    "reports": ["html"], "created_by": "client:ks", "created_by_name": None,
    "created_at": "2026-11-29T20:00:00+00:00", "ended_at": None,
}  # fmt: skip


def test_events_are_read_line_by_line_between_comments() -> None:
    reader = EventReader()
    text = ': nothing new\n\nid: 7\nevent: progress\ndata: {"at_s": 1.5}\n\n: nothing new\n\n'
    found = [event for line in text.split("\n") if (event := reader.feed(line))]
    assert [(one.number, one.kind, dict(one.raw)) for one in found] == [
        (7, "progress", {"at_s": 1.5})
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ["data: {}", ""],
        ["id: x", "event: e", "data: {}", ""],
        ["id: 1", "event: e", "data: {", ""],
    ],
    ids=str,
)
def test_what_is_no_event_is_a_bad_answer(lines: list[str]) -> None:
    reader = EventReader()
    for line in lines[:-1]:
        assert reader.feed(line) is None
    with pytest.raises(BadAnswer, match="not an event"):
        reader.feed(lines[-1])


@pytest.mark.parametrize(
    ("state", "verdict", "reason", "code"),
    [
        ("finished", "passed", None, 0),
        ("finished", "failed", None, 1),
        ("finished", "inconclusive", None, 6),
        ("finished", None, None, 0),
        ("finished", None, "a generator was lost", 6),
        ("failed", None, "deleted", 1),
        ("failed", "passed", "deleted", 1),
        ("interrupted", None, "It was cancelled.", 130),
    ],
)
def test_exit_codes_are_those_of_a_test_from_here(
    state: str, verdict: str | None, reason: str | None, code: int
) -> None:
    test = LoadTest.read({**RAW, "state": state, "verdict": verdict, "reason": reason})
    assert code_of(test) == code
    assert test.has_ended


def test_an_answer_that_is_no_load_test_is_said_to_be_none() -> None:
    for raw in ({}, {**RAW, "reports": None}, {**RAW, "created_at": "yesterday"}):
        with pytest.raises(BadAnswer, match="no load test"):
            LoadTest.read(raw)


def test_files_come_with_a_test_packed_up_to_what_a_document_takes(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("5.1,3.5,1.4,0.2\n" * 10_000)
    plan = plan_of("iris", {}, None, {"sample": rows, "compare": None}, {"rows": 2})
    assert set(plan) == {"endpoint", "shape", "sample", "rows"}
    assert plan["sample"]["name"] == "rows.csv"
    assert gzip.decompress(base64.b64decode(plan["sample"]["content"])) == rows.read_bytes()
    rows.write_bytes(os.urandom(MOST_PACKED_BYTES))
    with pytest.raises(ValueError, match="too large"):
        plan_of("iris", {}, None, {"sample": rows}, {})
