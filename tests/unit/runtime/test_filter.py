"""The sandbox's filter, run step by step: what it answers to every number there is."""

import re
import struct
from pathlib import Path

import pytest

from runtime.sandbox import seccomp
from runtime.sandbox.seccomp import ABSENT, ALLOWED, LOOKED_AT, numbers, program

PID = 4321
ALLOW, REFUSE, NOT_THERE, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
ARCHITECTURES = {"x86_64": (1, 0xC000003E), "aarch64": (2, 0xC00000B7)}
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
IN_HEADERS = {"newfstatat": "fstatat"}  # as the generic one spells it
NEW = 463  # the first that the filter's author did not know
MOST = 1024
of_each = pytest.mark.parametrize("machine", ARCHITECTURES)

THREAD = 0x003D0F00
FORK, VFORK, NAMESPACE = 17, 0x4111, THREAD | 0x00020000
ARGUMENTS = {
    "a thread": ("clone", (THREAD,), ALLOW),
    "a thread of musl": ("clone", (0x007D0F00,), ALLOW),
    "fork": ("clone", (FORK,), REFUSE),
    "vfork": ("clone", (VFORK,), REFUSE),
    "a thread in a namespace": ("clone", (NAMESPACE,), REFUSE),
    "a thread with a pidfd": ("clone", (THREAD | 0x1000,), REFUSE),
    "own limits": ("prlimit64", (0,), ALLOW),
    "own limits by number": ("prlimit64", (PID,), ALLOW),
    "another's limits": ("prlimit64", (PID + 1,), REFUSE),
    "own signal": ("tgkill", (PID,), ALLOW),
    "another's signal": ("tgkill", (PID + 1,), REFUSE),
    "a thread's name": ("prctl", (15,), ALLOW),
    "a signal at the parent's end": ("prctl", (1,), REFUSE),
    "dumpable": ("prctl", (4,), REFUSE),
    "a tracer": ("prctl", (0x59616D61,), REFUSE),
    "another's core": ("prctl", (62,), REFUSE),
    "flags of a descriptor": ("fcntl", (3, 1), ALLOW),
    "a lock": ("fcntl", (3, 6), REFUSE),
    "a lease": ("fcntl", (3, 1024), REFUSE),
    "signals at input": ("fcntl", (3, 8), REFUSE),
    "is it a terminal": ("ioctl", (0, 0x5401), ALLOW),
    "keys for a terminal": ("ioctl", (0, 0x5412), REFUSE),
    "flags of a file": ("ioctl", (3, 0x40086602), REFUSE),
}


def answer(machine: str, number: int, arguments: tuple[int, ...] = (), arch: int = 0) -> int:
    """Run the filter on one system call, as the kernel does."""
    filled = (*arguments, *[0] * (6 - len(arguments)))
    call = struct.pack("=iIQ6Q", number, arch or ARCHITECTURES[machine][1], 0, *filled)
    code = list(struct.iter_unpack("=HBBI", program(machine, PID)))
    at = held = 0
    while True:
        kind, true, false, value = code[at]
        at += 1
        if kind == 0x06:
            return int(value)
        if kind == 0x20:
            held = struct.unpack_from("=I", call, value)[0]
        else:
            holds = {
                0x15: held == value,
                0x25: held > value,
                0x35: held >= value,
                0x45: bool(held & value),
            }
            at += true if holds[kind] else false


@of_each
def test_every_number_outside_the_list_is_refused(machine: str) -> None:
    column = ARCHITECTURES[machine][0]
    allowed = set(numbers(ALLOWED, column).values())
    absent = set(numbers(ABSENT, column).values())
    closer = set(numbers(LOOKED_AT, column).values())
    for number in set(range(MOST)) - closer:
        expected = ALLOW if number in allowed else REFUSE
        if number in absent or number >= NEW:
            expected = NOT_THERE
        assert answer(machine, number) == expected, number


@of_each
@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_that_reach_past_the_process_are_refused(machine: str, name: str) -> None:
    call, arguments, expected = ARGUMENTS[name]
    number = numbers(LOOKED_AT, ARCHITECTURES[machine][0])[call]
    assert answer(machine, number, arguments) == expected


@of_each
def test_calls_of_another_architecture_end_the_process(machine: str) -> None:
    assert answer(machine, 0, arch=0x40000003) == KILL  # 32 bits
    assert answer(machine, 0x40000000) == KILL  # x32


@of_each
def test_every_call_whose_arguments_are_looked_at_is_tried(machine: str) -> None:
    tried = {call for call, _, _ in ARGUMENTS.values()}
    assert tried == set(numbers(LOOKED_AT, ARCHITECTURES[machine][0]))


@of_each
def test_numbers_are_those_of_the_kernels_headers(machine: str) -> None:
    if not HEADERS[machine].exists():
        pytest.skip("no kernel headers here")
    found = re.findall(
        r"#define __NR(?:3264)?_(\w+)\s+(\d+)$", HEADERS[machine].read_text(), re.MULTILINE
    )
    known = {name: int(number) for name, number in found}
    for listed in (ALLOWED, LOOKED_AT, ABSENT):
        for name, number in numbers(listed, ARCHITECTURES[machine][0]).items():
            spelled = name if name in known else IN_HEADERS.get(name, name)
            assert known.get(spelled, number) == number, name  # headers may be older than a call


def test_the_documents_say_how_many_calls_stay_open() -> None:
    counts = [len(numbers(ALLOWED, column)) + len(numbers(LOOKED_AT, column)) for column in (1, 2)]
    architecture = Path(seccomp.__file__).parents[2] / "ARCHITECTURE.md"
    assert f"{counts[0]} calls on x86_64, {counts[1]} on aarch64" in architecture.read_text()
