"""Who the process is: an own uid where it was root, no capabilities, no new privileges."""

import ctypes
import os
import struct
from collections.abc import Iterable
from typing import Final

_SET_PDEATHSIG, _GET_PDEATHSIG, _SET_DUMPABLE, _SET_KEEPCAPS, _CAPBSET_DROP = 1, 2, 4, 8, 24
_SET_NO_NEW_PRIVS: Final = 38
_CAPABILITY_VERSION: Final = 0x20080522
_DAC_READ_SEARCH: Final = 1 << 2
_LAST_CAPABILITY: Final = 63
# One uid a process, so that sandboxes are strangers to each other and to the service. The number is
# free while the process lives because its pid is; nothing on a usual host is in this range.
_FIRST_UID: Final = 1_500_000_000
_NOBODY: Final = 65534


class PrivilegeError(OSError):
    """A privilege could not be given up."""


def die_with_parent(parent: int) -> None:
    """Get SIGKILL when the parent ends, also when it ended just now."""
    set_death_signal()
    if os.getppid() != parent:
        os._exit(1)


def set_death_signal() -> None:
    """Get SIGKILL when the parent ends; the caller looks whether it lives still."""
    _prctl(_SET_PDEATHSIG, 9)


def dies_with_parent() -> bool:
    """True when this process gets a signal at its parent's end."""
    signal = ctypes.c_int()
    ctypes.CDLL(None).prctl(_GET_PDEATHSIG, ctypes.byref(signal), 0, 0, 0)
    return signal.value != 0


def forbid_new() -> None:
    """Set no_new_privs, which the filters below need; and no core files, no tracing."""
    _prctl(_SET_NO_NEW_PRIVS, 1)
    _prctl(_SET_DUMPABLE, 0)


def may_become_another() -> bool:
    """True for a root that is not alone in a user namespace of a single number."""
    with open("/proc/self/uid_map", encoding="utf-8") as file:
        return os.geteuid() == 0 and sum(int(line.split()[2]) for line in file) > 1


def drop(
    readable: Iterable[str], writable: Iterable[str], *, number: int, may_read_all: bool
) -> bool:
    """Become an own uid and give up every capability; True when the uid changed.

    number        makes the uid; the process id, as the host counts, of whoever lives no shorter
    may_read_all  Landlock will restrict the paths, so the capability to read past file modes may
                  stay where Python or the work folder is in a folder only root may enter
    """
    keep = 0
    needed = (*readable, *(os.path.dirname(path) for path in writable))
    if any(_closed_to_others(path) for path in needed):
        if not may_read_all:
            give_up_capabilities()
            return False
        keep = _DAC_READ_SEARCH
    uid = _FIRST_UID + number
    for path in writable:
        os.chown(path, uid, uid)
    for capability in range(_LAST_CAPABILITY + 1):
        if _prctl(_CAPBSET_DROP, capability, check=False) != 0:
            break
    _prctl(_SET_KEEPCAPS, 1)
    _become(uid, writable)
    give_up_capabilities(keep)
    return True


def _become(uid: int, writable: Iterable[str]) -> None:
    os.setgroups([])
    try:
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    except OSError:  # the container maps fewer numbers
        for path in writable:
            os.chown(path, _NOBODY, _NOBODY)
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)


def _closed_to_others(path: str) -> bool:
    path = os.path.realpath(path)
    while True:
        try:
            if not os.stat(path).st_mode & 0o001 and os.path.isdir(path):
                return True
        except OSError:
            return False
        if path == "/":
            return False
        path = os.path.dirname(path)


def give_up_capabilities(keep: int = 0) -> None:
    """Give up every capability but those of the mask `keep`."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    sets = struct.pack("=6I", keep, keep, 0, 0, 0, 0)
    if libc.capset(header, sets) != 0:
        raise PrivilegeError(ctypes.get_errno(), "could not give up capabilities")


def _prctl(option: int, value: int, *, check: bool = True) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result = int(libc.prctl(option, value, 0, 0, 0))
    if check and result != 0:
        raise PrivilegeError(ctypes.get_errno(), f"prctl {option}: refused")
    return result
