"""A control group of a locked process: memory and processes it may have, whatever it does.

Made below our own group, or beside it where version 2 allows no groups below one that has
processes, so all limits above stay. Where the groups are not ours to write (most containers, whose
own group is the limit there) this layer is missing.
"""

import contextlib
import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from runtime.cores import GROUPS, OWN

PREFIX: Final = "kubeserve-"
_counter = itertools.count()


@dataclass(frozen=True, slots=True)
class Group:
    """The folders of a group: one in version 2, one for each controller in version 1."""

    version: int
    folders: tuple[str, ...]

    def join(self) -> None:
        """Put this process in; raises OSError."""
        for folder in self.folders:
            _write(folder, "cgroup.procs", "0")

    def memory_was_used_up(self) -> bool:
        """True when the kernel ended a process of the group because its memory was used up."""
        for folder in self.folders:
            for name in ("memory.events", "memory.oom_control"):
                with contextlib.suppress(OSError):
                    counts = dict(line.split() for line in _read(folder, name).splitlines())
                    if int(counts.get("oom_kill", 0)) > 0:
                        return True
        return False

    def remove(self) -> None:
        """Take it away, after its last process; what stays is swept by the next `make`."""
        for folder in self.folders:
            with contextlib.suppress(OSError):
                os.rmdir(folder)


def to_words(group: Group | None) -> tuple[str, ...]:
    """Give a group as words of a command line; none for no group."""
    return () if group is None else (str(group.version), *group.folders)


def from_words(words: Sequence[str]) -> Group | None:
    """Read what `to_words` gave."""
    return Group(int(words[0]), tuple(words[1:])) if words else None


def joined(group: Group | None) -> Group | None:
    """Put this process into the group; None where there is none or it does not let us in."""
    if group is not None:
        try:
            group.join()
        except OSError:
            return None
    return group


def make(
    *, memory_bytes: int, processes: int = 64, groups: str = GROUPS, own: str = OWN
) -> Group | None:
    """Make a group with these limits; None where groups are not ours to make.

    groups  where the control groups are mounted
    own     the file that names the groups of this process
    """
    for version, parents in _places(groups, own):
        group = Group(version, tuple(f"{parent}/{_name()}" for parent in parents))
        try:
            for parent in parents:
                _sweep(parent)
            for folder in group.folders:
                os.mkdir(folder)
                _limit(folder, memory_bytes, processes)
        except OSError:
            group.remove()
            continue
        return group
    return None


def _name() -> str:
    return f"{PREFIX}{os.getpid()}-{next(_counter)}"


def _places(groups: str, own: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Give the folders in which a group may perhaps be made, by version."""
    with contextlib.suppress(OSError):
        with open(own, encoding="utf-8") as file:
            lines = [line.rstrip("\n").split(":", 2) for line in file]
        ours = {name: path for _, names, path in lines for name in names.split(",")}
        if "" in ours:
            folder = (groups + ours[""]).rstrip("/")
            for parent in (folder, os.path.dirname(folder)):
                if parent.startswith(groups) and _hands_down(parent):
                    yield 2, (parent,)
        if "memory" in ours:
            named = [name for name in ("memory", "pids") if name in ours]
            yield 1, tuple(f"{groups}/{name}{ours[name]}".rstrip("/") for name in named)


def _hands_down(parent: str) -> bool:
    """True where groups below are given memory and processes to limit."""
    with contextlib.suppress(OSError):
        return {"memory", "pids"} <= set(_read(parent, "cgroup.subtree_control").split())
    return False


def _limit(folder: str, memory_bytes: int, processes: int) -> None:
    limits = {
        "memory.max": str(memory_bytes),
        "memory.swap.max": "0",
        "memory.limit_in_bytes": str(memory_bytes),
        "memory.memsw.limit_in_bytes": str(memory_bytes),
        "pids.max": str(processes),
    }
    held = [name for name in limits if os.path.exists(f"{folder}/{name}")]
    for name in held:
        _write(folder, name, limits[name])
    if not held:
        raise FileNotFoundError(f"{folder} limits nothing")


def _sweep(parent: str) -> None:
    """Remove the empty groups of processes that are gone."""
    for name in os.listdir(parent):
        pid = name.removeprefix(PREFIX).partition("-")[0]
        if name.startswith(PREFIX) and not os.path.exists(f"/proc/{pid}"):
            with contextlib.suppress(OSError):
                os.rmdir(f"{parent}/{name}")


def _read(folder: str, name: str) -> str:
    with open(f"{folder}/{name}", encoding="ascii") as file:
        return file.read()


def _write(folder: str, name: str, text: str) -> None:
    with open(f"{folder}/{name}", "w", encoding="ascii") as file:
        file.write(text)
