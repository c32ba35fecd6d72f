"""What processes take of the machine, as the kernel counts it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from runtime.consumption import (
    Consumption,
    behind,
    cpu_s,
    resident_bytes,
    shared_out_bytes,
)

# Has a child of its own, tells its pid, works for a moment and waits.
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
sum(n * n for n in range(2_000_000))
print(child.pid, flush=True)
input()
"""
GONE = 2**22 + 1  # above the greatest pid there is


@pytest.fixture
def parent() -> Iterator[tuple[int, int]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    with process:
        yield process.pid, int(process.stdout.readline())
        process.stdin.close()
        process.kill()


def test_a_process_and_all_it_started_are_found(parent: tuple[int, int]) -> None:
    assert behind(parent[0]) == {*parent}
    assert {*parent} < behind(os.getpid())
    assert behind(GONE) == {GONE}


def test_time_and_memory_are_what_the_kernel_says(parent: tuple[int, int]) -> None:
    assert 0 < cpu_s(parent[0]) < 60
    for pid in parent:
        assert 1 << 20 < shared_out_bytes(pid) < 1 << 28
    assert resident_bytes(parent) > resident_bytes(()) > 1 << 20


def test_what_a_process_used_stays_counted_when_it_is_gone(parent: tuple[int, int]) -> None:
    consumption = Consumption()
    before, began = time.process_time(), consumption.cpu_s([parent[0]])
    assert began > before
    # It ended, and another came in its place.
    after = consumption.cpu_s([GONE])
    assert after >= began
    assert consumption.cpu_s([]) >= after


def test_a_process_that_is_gone_takes_nothing() -> None:
    assert cpu_s(GONE) == 0
    assert shared_out_bytes(GONE) == 0
