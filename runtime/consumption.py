"""What a worker and the processes behind it take of the machine, as the kernel counts it."""

import os
from collections.abc import Iterable
from time import process_time
from typing import Final

TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
# Of /proc/PID/stat behind the name, which may hold anything: fields 14 and 15, utime and stime.
USER, SYSTEM = 11, 12


def cpu_s(pid: int | str) -> float:
    """Give the processor time of a process; 0 of one that is gone."""
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return (int(fields[USER]) + int(fields[SYSTEM])) / TICKS_A_SECOND if fields else 0.0


class Consumption:
    """Adds up the processor time of this process and of others behind it, which come and go."""

    def __init__(self) -> None:
        self._seen: dict[int, float] = {}
        self._others_s = 0.0

    def cpu_s(self, others: Iterable[int]) -> float:
        """Give what was used so far."""
        seen = {pid: cpu_s(pid) for pid in others}
        self._others_s += sum(max(0.0, s - self._seen.get(pid, 0.0)) for pid, s in seen.items())
        self._seen = seen
        return process_time() + self._others_s


def resident_bytes(others: Iterable[int]) -> int:
    """Give what this process and others behind it have in memory; shared pages count in each."""
    return _resident("self") + sum(map(_resident, others))


def shared_out_bytes(pid: int) -> int:
    """Give the memory of a process, shared pages by their part (PSS); takes a millisecond.

    Where that is not told, of a process that nobody may look into, all that is resident.
    """
    for line in _read(pid, "smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return _resident(pid)


def behind(pid: int) -> set[int]:
    """Name a process and all that it started."""
    found, ahead = {pid}, [pid]
    while ahead:
        parent = ahead.pop()
        for task in _tasks(parent):
            children = {int(child) for child in _read(parent, f"task/{task}/children").split()}
            ahead += children - found
            found |= children
    return found


def _tasks(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def _resident(pid: int | str) -> int:
    pages = _read(pid, "statm").split()
    return int(pages[1]) * PAGE_BYTES if pages else 0


def _read(pid: int | str, name: str) -> bytes:
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except OSError:  # it ended, or belongs to somebody else
        return b""
