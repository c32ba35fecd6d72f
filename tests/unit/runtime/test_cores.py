"""The cores of a process, by folders like the kernel's."""

import os
from pathlib import Path

import pytest

from runtime.cores import usable

ALL = len(os.sched_getaffinity(0))


def groups(folder: Path, own: str, files: dict[str, str]) -> tuple[str, str]:
    for name, text in files.items():
        path = folder / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "own").write_text(own)
    return str(folder / "groups"), str(folder / "own")


@pytest.mark.parametrize(
    ("own", "files", "cores"),
    [
        ("0::/\n", {"cpu.max": "max 100000\n"}, ALL),
        ("0::/\n", {"cpu.max": "100000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "50000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "190000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "1000000000 100000\n"}, ALL),
        ("0::/a/b\n", {"a/cpu.max": "100000 100000\n", "a/b/cpu.max": "max 100000\n"}, 1),
        ("3:cpu,cpuacct:/a\n", {"cpu/a/cpu.cfs_quota_us": "-1\n"}, ALL),
        (
            "3:cpu,cpuacct:/a\n2:cpuset:/b\n",
            {"cpu/a/cpu.cfs_quota_us": "150000\n", "cpu/a/cpu.cfs_period_us": "100000\n"},
            1,
        ),
        ("0::/\n", {"cpu.max": "nonsense\n"}, ALL),
        ("0::/elsewhere\n", {}, ALL),
        ("", {}, ALL),
    ],
    ids=[
        "no limit",
        "one core",
        "half a core",
        "a core and a part",
        "more than there are",
        "of the group above",
        "version 1 without",
        "version 1",
        "unreadable",
        "no such group",
        "no groups",
    ],
)
def test_the_cores_are_what_affinity_and_quotas_leave(
    tmp_path: Path, own: str, files: dict[str, str], cores: int
) -> None:
    assert usable(*groups(tmp_path, own, files)) == cores


def test_the_cores_of_this_machine_can_be_told() -> None:
    assert 1 <= usable() <= ALL


def test_affinity_bounds_them() -> None:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert usable() == 1
    finally:
        os.sched_setaffinity(0, before)
