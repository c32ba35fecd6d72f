"""An empty root of our own, in which only the given paths exist; needs an own mount namespace.

What Landlock does not cover is covered here: that a path exists, its size and times, a watch on it.
By the mount calls of Linux 5.12, which hold a place by its descriptor, so that nothing depends on
what lies over what while the new root is made.
"""

import contextlib
import ctypes
import os
import stat
import struct
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442  # the same on every architecture
_PIVOT_ROOT: Final = {"x86_64": 155, "aarch64": 41}
_HERE, _EMPTY_PATH, _RECURSIVE = -100, 0x1000, 0x8000
_CLONE, _CLOEXEC, _FROM_EMPTY_PATH = 1, 0o2000000, 4
_PRIVATE_AND_BELOW: Final = (1 << 18) | (1 << 14)
_DETACH: Final = 2
_READ_ONLY, _NO_SETUID, _NO_DEVICES, _NO_EXEC = 1, 2, 4, 8
# There on every system, and nothing needs it once the descriptors below are open.
_STAGE: Final = "/proc"
_MOST_LINKS: Final = 40


def make(readable: Iterable[str], writable: Iterable[str]) -> bool:
    """Leave the file system for one that holds these paths alone; False where that is not allowed.

    Paths that do not exist are left out; symbolic links on the way to one are kept. What is
    writable can have no programs, no devices. Where it fails the file system is as it was.
    """
    links: dict[str, str] = {}
    wanted = {_follow(path, links): _READ_ONLY | _NO_SETUID for path in readable}
    wanted |= {_follow(path, links): _NO_SETUID | _NO_DEVICES | _NO_EXEC for path in writable}
    with contextlib.ExitStack() as held, contextlib.suppress(OSError):
        _call("mount", None, b"/", None, _PRIVATE_AND_BELOW, None)
        trees = {}
        for path in _outermost(wanted):
            with contextlib.suppress(FileNotFoundError, PermissionError):
                trees[path] = _tree(path, wanted[path])
                held.callback(os.close, trees[path])
        _call("mount", b"tmpfs", _STAGE.encode(), b"tmpfs", 0, b"size=1m,mode=755")
        try:
            _fill(trees, links)
            _enter()
        except OSError:
            _call("umount2", _STAGE.encode(), _DETACH)
            raise
        return True
    return False


def _follow(path: str, links: dict[str, str]) -> str:
    """Give where a path really is, and add the symbolic links on the way."""
    here, rest = "/", deque(path.split("/"))
    followed = 0
    while rest:
        part = rest.popleft()
        if part == "..":
            here = os.path.dirname(here)
        elif part not in ("", "."):
            there = os.path.join(here, part)
            if not os.path.islink(there) or followed == _MOST_LINKS:
                here = there
                continue
            followed += 1
            links[there] = target = os.readlink(there)
            rest.extendleft(reversed(target.split("/")))
            here = "/" if target.startswith("/") else here
    return here


def _outermost(wanted: dict[str, int]) -> Iterator[str]:
    """Give the paths from the top down, without those that another brings along just so."""
    held: dict[str, int] = {}
    for path in sorted(wanted):
        if any(path.startswith(f"{up}/") and wanted[path] == held[up] for up in held):
            continue
        held[path] = wanted[path]
        yield path


def _tree(path: str, attributes: int) -> int:
    """Give a descriptor of a copy of what is mounted there, with these attributes."""
    tree = _system(_OPEN_TREE, _HERE, path.encode(), _CLONE | _CLOEXEC | _RECURSIVE)
    try:
        _set(tree, b"", _EMPTY_PATH | _RECURSIVE, attributes)
    except OSError:
        os.close(tree)
        raise
    return tree


def _set(folder: int, path: bytes, flags: int, attributes: int) -> None:
    wanted = struct.pack("=4Q", attributes, 0, 0, 0)
    _system(_MOUNT_SETATTR, folder, path, flags, wanted, len(wanted))


def _fill(trees: dict[str, int], links: dict[str, str]) -> None:
    for path, tree in trees.items():
        target = _STAGE + path
        if not os.path.lexists(target):  # else it lies in a tree that is there already
            _make_place(target, folder=stat.S_ISDIR(os.fstat(tree).st_mode))
        _system(_MOVE_MOUNT, tree, b"", _HERE, target.encode(), _FROM_EMPTY_PATH)
    for link, leads_to in links.items():
        if not os.path.lexists(_STAGE + link):
            os.makedirs(os.path.dirname(_STAGE + link), exist_ok=True)
            os.symlink(leads_to, _STAGE + link)


def _make_place(target: str, *, folder: bool) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if folder:
        os.mkdir(target)
    else:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444))


def _enter() -> None:
    os.chdir(_STAGE)
    _set(_HERE, b".", 0, _READ_ONLY | _NO_SETUID | _NO_DEVICES | _NO_EXEC)
    # The old root ends up over the new one, from where it is taken away: pivot_root(2).
    _system(_PIVOT_ROOT.get(os.uname().machine, -1), b".", b".")
    _call("umount2", b".", _DETACH)
    os.chdir("/")


def _system(number: int, *arguments: object) -> int:
    return _call("syscall", number, *arguments)


def _call(name: str, *arguments: object) -> int:
    result = int(getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return result
