"""A rehearsal is a whole request, and leaves nothing behind but what it warmed."""

import gc
import os
import signal

import pytest

import runtime.rehearsal as module
from runtime.rehearsal import rehearse


def held():
    gc.collect()  # the plan's mapping is part of a cycle
    return sorted(os.listdir("/proc/self/fd")), os.listdir("/proc/self/task")


def test_it_leaves_no_descriptor_thread_or_handler(capfd):
    rehearse()
    before = held(), [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    rehearse()
    assert (held(), [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]) == before
    assert capfd.readouterr() == ("", "")


def test_a_refused_request_is_an_error(monkeypatch):
    monkeypatch.setattr(module, "_keys", lambda key: b'{"keys": []}')
    with pytest.raises(RuntimeError, match="401"):
        rehearse()
