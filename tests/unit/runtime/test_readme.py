"""The predictions that README asks for with curl are read by an endpoint."""

import re
import shlex
from pathlib import Path

import pytest

from runtime.heads import Head

README = Path(__file__).parents[3] / "README.md"
COMMANDS = re.findall(r"^    (curl (?:.*\\\n)*.*)$", README.read_text(), re.MULTILINE)
PREDICTIONS = [command for command in COMMANDS if "/predict" in command]


def test_there_are_some() -> None:
    assert len(PREDICTIONS) == 4


@pytest.mark.parametrize("command", PREDICTIONS)
def test_a_command_sends_what_is_read(command: str) -> None:
    words = shlex.split(command.replace("\\\n", " "))
    said = [words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H"]
    headers = {"Host": "127.0.0.1", **dict(said)}
    if "-d" in words:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")  # as curl does
    written = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    head = Head(b"POST", b"/predict", written, "1.1", close=False)
    assert head.broken is None
    assert head.fault is None
