"""The program behind a command: interrupts are passed on, so that it still says how it was."""

import os
import signal
import sys

import pytest

from controlplane.cli import program

PROGRAM = """
import json, signal, sys
plan = json.load(sys.stdin)
def end(number, frame):
    print(json.dumps({"event": "finished", "by": number}), flush=True)
    sys.exit(plan["code"])
signal.signal(signal.SIGINT, end)
signal.signal(signal.SIGTERM, end)
print(json.dumps({"event": "started"}), flush=True)
while True:
    signal.pause()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_program_and_not_the_command(number):
    before = signal.getsignal(number)
    found = []
    with program.started([sys.executable, "-c", PROGRAM], {"code": 6}, None) as running:
        for event in running.events():
            found.append(event)
            if event["event"] == "started":
                os.kill(os.getpid(), number)
        assert running.wait() == 6
    assert found == [{"event": "started"}, {"event": "finished", "by": number}]
    assert signal.getsignal(number) is before


def test_a_program_that_reads_nothing_has_its_exit_code():
    with program.started([sys.executable, "-c", "raise SystemExit(3)"], {}, None) as running:
        assert list(running.events()) == []
        assert running.wait() == 3


def test_a_command_that_fails_leaves_no_program_behind():
    with (
        pytest.raises(KeyError),
        program.started([sys.executable, "-c", PROGRAM], {"code": 0}, None) as running,
    ):
        raise KeyError
    assert running.process.returncode is not None
