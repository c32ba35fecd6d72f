"""Own network, IPC, host-name and mount namespaces, where the system lets us have them."""

import contextlib
import ctypes
import os
from typing import Final

_NEWNS, _NEWUTS, _NEWIPC = 0x00020000, 0x04000000, 0x08000000
_NEWUSER, _NEWNET = 0x10000000, 0x40000000
_KINDS: Final = _NEWNS | _NEWUTS | _NEWIPC | _NEWNET


def enter() -> bool:
    """Leave the host's namespaces for empty ones; False where that is not allowed.

    Root goes directly. An ordinary user needs a user namespace around them, in which it keeps its
    own number; many hosts and most pods forbid that, so this layer is a bonus.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_KINDS) == 0:
        return True
    uid, gid = os.geteuid(), os.getegid()
    if libc.unshare(_NEWUSER | _KINDS) != 0:
        return False
    # Without its number mapped the process sees itself as nobody; what it may open stays the same.
    with contextlib.suppress(OSError):
        _map("setgroups", "deny")
        _map("uid_map", f"{uid} {uid} 1")
        _map("gid_map", f"{gid} {gid} 1")
    return True


def _map(name: str, text: str) -> None:
    with open(f"/proc/self/{name}", "w", encoding="utf-8") as file:
        file.write(text)
