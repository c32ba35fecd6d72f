"""What a worker says at its end, and where."""

import json

import pytest

from runtime import last_words


@pytest.fixture
def termination_log(tmp_path, monkeypatch):
    path = tmp_path / "termination-log"
    monkeypatch.setattr(last_words, "TERMINATION_LOG", str(path))
    return path


def test_the_log_and_the_kubelet_are_told(termination_log, capsys):
    termination_log.write_text("what an earlier start said, and more of it")
    last_words.tell("cannot serve: no plan")
    line = json.loads(capsys.readouterr().err)
    assert (line["message"], line["level"]) == ("cannot serve: no plan", "error")
    assert termination_log.read_text() == "cannot serve: no plan"


def test_what_the_kubelet_would_cut_is_cut(termination_log):
    termination_log.touch()
    last_words.tell("ü" * 5000)
    assert termination_log.stat().st_size == last_words.MOST


def test_outside_of_a_pod_no_file_is_made(termination_log, capsys):
    last_words.tell("cannot serve")
    assert not termination_log.exists()
    assert "cannot serve" in capsys.readouterr().err
