"""How many cores this process may use: by its affinity, and by the quotas of its control groups."""

import contextlib
import os
from collections.abc import Iterator
from typing import Final

# Texts, not `Path`s: pathlib would be a tenth of a start.
GROUPS: Final = "/sys/fs/cgroup"
OWN: Final = "/proc/self/cgroup"


def usable(groups: str = GROUPS, own: str = OWN) -> int:
    """Give the whole cores there are for us, at least one.

    A part of a core is not counted: threads that use a quota up are all stopped until its period
    ends, and the loop is among them.

    groups  where the control groups are mounted
    own     the file that names the groups of this process
    """
    most = float(len(os.sched_getaffinity(0)))
    return max(1, int(min([most, *_quotas(groups, own)])))


def _quotas(groups: str, own: str) -> Iterator[float]:
    """Give the cores that each of our groups, and each that it is in, may use."""
    with contextlib.suppress(OSError):
        for line in _read(own).splitlines():
            _, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            if not controllers:
                for folder in _above(groups, path):
                    yield from _of_version_2(folder)
            elif "cpu" in controllers.split(","):
                for folder in _above(f"{groups}/cpu", path):
                    yield from _of_version_1(folder)


def _above(mount: str, path: str) -> Iterator[str]:
    """Give the folder of a group, and those of the groups it is in."""
    parts = [part for part in path.split("/") if part]
    for depth in range(len(parts), -1, -1):
        yield "/".join([mount, *parts[:depth]])


def _read(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.read()


def _of_version_2(folder: str) -> Iterator[float]:
    with contextlib.suppress(OSError, ValueError):  # no limit is written as "max"
        quota, period = _read(f"{folder}/cpu.max").split()
        yield int(quota) / int(period)


def _of_version_1(folder: str) -> Iterator[float]:
    with contextlib.suppress(OSError, ValueError):
        quota = int(_read(f"{folder}/cpu.cfs_quota_us"))
        if quota > 0:  # -1: no limit
            yield quota / int(_read(f"{folder}/cpu.cfs_period_us"))
