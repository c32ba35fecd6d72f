"""How many cores this process may use: by its affinity, and by the quotas of its control groups."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

GROUPS: Final = Path("/sys/fs/cgroup")
OWN: Final = Path("/proc/self/cgroup")


def usable(groups: Path = GROUPS, own: Path = OWN) -> int:
    """Give the whole cores there are for us, at least one.

    A part of a core is not counted: threads that use a quota up are all stopped until its period
    ends, and the loop is among them.

    groups  where the control groups are mounted
    own     the file that names the groups of this process
    """
    most = float(len(os.sched_getaffinity(0)))
    return max(1, int(min([most, *_quotas(groups, own)])))


def _quotas(groups: Path, own: Path) -> Iterator[float]:
    """Give the cores that each of our groups, and each that it is in, may use."""
    with contextlib.suppress(OSError):
        for line in own.read_text().splitlines():
            _, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            if not controllers:
                for folder in _above(groups, path):
                    yield from _of_version_2(folder)
            elif "cpu" in controllers.split(","):
                for folder in _above(groups / "cpu", path):
                    yield from _of_version_1(folder)


def _above(mount: Path, path: str) -> Iterator[Path]:
    """Give the folder of a group, and those of the groups it is in."""
    folder = mount / path.lstrip("/")
    yield folder
    while folder != mount and mount in folder.parents:
        folder = folder.parent
        yield folder


def _of_version_2(folder: Path) -> Iterator[float]:
    with contextlib.suppress(OSError, ValueError):  # no limit is written as "max"
        quota, period = (folder / "cpu.max").read_text().split()
        yield int(quota) / int(period)


def _of_version_1(folder: Path) -> Iterator[float]:
    with contextlib.suppress(OSError, ValueError):
        quota = int((folder / "cpu.cfs_quota_us").read_text())
        if quota > 0:  # -1: no limit
            yield quota / int((folder / "cpu.cfs_period_us").read_text())
