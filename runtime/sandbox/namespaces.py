"""Own user, process, network, IPC, host-name, control-group and mount namespaces, where allowed.

A process cannot change its process namespace, only that of its children. So the process that asks
stays outside as a parent that runs none of a tenant's code, and a child of it goes on.
"""

import contextlib
import ctypes
import os
import resource
import select
import signal
from dataclasses import dataclass
from typing import Final, NoReturn

from runtime.sandbox.privileges import set_death_signal

PID_BYTES: Final = 8  # of a process id as it is reported, little endian
_NEWNS, _NEWCGROUP, _NEWUTS, _NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
_NEWUSER, _NEWPID, _NEWNET = 0x10000000, 0x20000000, 0x40000000
_KINDS: Final = _NEWNS | _NEWCGROUP | _NEWUTS | _NEWIPC | _NEWPID | _NEWNET


@dataclass(frozen=True, slots=True)
class Enclosure:
    """The namespaces this process is in.

    outside  process id of the parent that waits outside; free of others as long as we live
    alive    descriptor that hangs up when that parent ends
    """

    outside: int
    alive: int

    def die_with_it(self) -> None:
        """Get SIGKILL when the parent outside ends, also when it ended just now."""
        set_death_signal()
        poll = select.poll()
        poll.register(self.alive, 0)  # a hang-up is told without being asked for
        if poll.poll(0):
            os._exit(1)


def enclose(report: int | None = None, *, wanted: bool = True) -> Enclosure | None:
    """Go on in namespaces of our own; None where that is not allowed, and then nothing changed.

    Root goes directly. An ordinary user needs a user namespace around them, in which it keeps its
    own number; many hosts and most pods forbid that, so this layer is a bonus.

    The process must have a single thread. It must not hold what it gives up elsewhere: in the
    parent outside every descriptor is closed, and it ends as its child does.

    report  descriptor to which the id of the process that goes on is written, as our caller's
            parent sees it
    """
    outside = os.getpid()
    if not wanted or not _unshare():
        _tell(report, outside)
        return None
    alive, held = os.pipe()
    inner = os.fork()
    if inner:
        _stay_outside(inner, report, held)
    os.close(held)
    enclosure = Enclosure(outside, alive)
    enclosure.die_with_it()
    os.read(alive, 1)  # told by now
    return enclosure


def _unshare() -> bool:
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


def _tell(report: int | None, pid: int) -> None:
    if report is not None:
        os.write(report, pid.to_bytes(PID_BYTES, "little"))


def _stay_outside(inner: int, report: int | None, held: int) -> NoReturn:
    """Wait for the child and end in the same way; never returns into our caller."""
    code = 70
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _tell(report, inner)
        os.write(held, b"x")
        os.closerange(0, held)
        os.closerange(held + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        code = os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1])
        if code < 0:
            if -code != signal.SIGKILL:
                signal.signal(-code, signal.SIG_DFL)
            os.kill(os.getpid(), -code)
    finally:
        os._exit(code)
