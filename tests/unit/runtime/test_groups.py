"""Where control groups of locked processes are made: below ours, beside ours, or nowhere."""

from pathlib import Path

import pytest

from runtime.sandbox import cgroups


def places(groups: Path, own: str) -> list[tuple[int, tuple[str, ...]]]:
    (groups / "own").write_text(own)
    found = cgroups._places(str(groups), str(groups / "own"))
    return [(version, tuple(p.removeprefix(str(groups)) for p in ps)) for version, ps in found]


def hands_down(folder: Path, controllers: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup.subtree_control").write_text(controllers)


def test_version_2_below_a_group_that_hands_down(tmp_path: Path) -> None:
    hands_down(tmp_path / "service", "cpu memory pids\n")
    assert places(tmp_path, "0::/service\n") == [(2, ("/service",))]


def test_version_2_beside_a_group_that_has_processes(tmp_path: Path) -> None:
    hands_down(tmp_path / "slice", "memory pids\n")
    hands_down(tmp_path / "slice/scope", "\n")
    assert places(tmp_path, "0::/slice/scope\n") == [(2, ("/slice",))]


def test_version_2_never_leaves_the_mount(tmp_path: Path) -> None:
    hands_down(tmp_path.parent, "memory pids\n")
    hands_down(tmp_path, "\n")
    assert places(tmp_path, "0::/\n") == []


@pytest.mark.parametrize("controllers", ["", "cpu", "memory", "pids cpu"])
def test_version_2_that_limits_not_both_is_none(controllers: str, tmp_path: Path) -> None:
    hands_down(tmp_path / "service", controllers)
    assert places(tmp_path, "0::/service\n") == []


def test_version_1_has_a_folder_for_each_controller(tmp_path: Path) -> None:
    own = "9:name=systemd:/\n8:pids:/\n4:memory:/some/where\n0::/\n"
    assert places(tmp_path, own) == [(1, ("/memory/some/where", "/pids"))]


def test_nothing_is_made_where_the_kernel_limits_nothing(tmp_path: Path) -> None:
    hands_down(tmp_path / "service", "memory pids")
    (tmp_path / "own").write_text("0::/service\n")
    made = cgroups.make(memory_bytes=1, groups=str(tmp_path), own=str(tmp_path / "own"))
    assert made is None
    assert [path.name for path in (tmp_path / "service").iterdir()] == ["cgroup.subtree_control"]


def test_a_group_goes_through_a_command_line() -> None:
    group = cgroups.Group(1, ("/a", "/b"))
    assert cgroups.from_words(cgroups.to_words(group)) == group
    assert cgroups.from_words(cgroups.to_words(None)) is None
