"""The fork server: imports everything a worker needs once, then makes workers in milliseconds.

    python -m runtime.zygote FD        FD: a SEQPACKET socket to the supervisor

Single-threaded for ever, since threads do not survive a fork. It ends with its supervisor, and its
workers end with it.
"""

import os
import time

# Before numpy, which would otherwise start threads that no worker inherits.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"

import runtime.lean  # noqa: F401  (before all that imports asyncio)

# isort: split
import ctypes
import gc
import json
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from runtime import shadow
from runtime.control import Packet, receive, send
from runtime.late import import_all
from runtime.launch import Exit, LaunchError, from_env
from runtime.lines import say
from runtime.loading import Phases
from runtime.memory import give_back
from runtime.rehearsal import rehearse
from runtime.server import Inherited, run

# From an answer to the making of the next spare. A wake on the heels of another could not use it
# yet, and would share the processor with its rehearsal.
QUIET_S: Final = 0.03

PR_SET_PDEATHSIG: Final = 1
PR_SET_NAME: Final = 15
_LIBC = ctypes.CDLL(None, use_errno=True)


class Zygote:
    """Makes a worker on request and tells how each ends.

    One worker is made in advance and has rehearsed: most of a start are page faults, which it has
    behind it. The next is made once the one before has answered, so that nobody waits for it.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._selector = selectors.DefaultSelector()
        self._selector.register(sock, selectors.EVENT_READ, self._asked)
        self._ids: dict[int, str] = {}
        self._spare: Child | None = None
        self._rehearsing: Child | None = None
        self._starting: set[Child] = set()
        self._due: float | None = None  # when the next spare is made
        self._over = False

    def run(self) -> None:
        """Serve until the supervisor is gone."""
        self._keep_spare()
        while not self._over:
            left = None if self._due is None else self._due - time.monotonic()
            for key, _ in self._selector.select(left):
                key.data()
            if self._due is not None and time.monotonic() >= self._due:
                self._due = None
                self._keep_spare()

    def _asked(self) -> None:
        try:
            packet, descriptors = receive(self._sock)
        except ConnectionError:  # it ended before it had read everything
            packet, descriptors = None, []
        if packet is None:
            self._over = True
            return
        try:
            self._packet({**packet, "asked": time.monotonic()}, descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _packet(self, packet: Packet, descriptors: list[int]) -> None:
        worker = str(packet.get("id"))
        if packet.get("t") != "fork" or len(descriptors) != 3:
            self._tell("exited", worker, 0, code=Exit.BAD_LAUNCH, signal=None)
            return
        # One amid its rehearsal is left to it: a fork is sooner there.
        child, self._spare = self._spare, None
        if child is None or not child.launch(packet, descriptors):
            try:
                child = self._make(descriptors)
            except OSError as error:
                say(f"cannot fork {worker}: {error}", level="error")
                self._tell("exited", worker, 0, code=Exit.CRASH, signal=None)
                return
            child.launch(packet, descriptors)
        self._starting.add(child)
        self._ids[child.pid] = worker
        self._tell("forked", worker, child.pid)

    def _keep_spare(self) -> None:
        if self._spare is None and self._rehearsing is None and not self._starting:
            try:
                self._rehearsing = self._make()
            except OSError as error:
                say(f"no worker can be made in advance: {error}", level="warning")

    def _make(self, at_hand: Sequence[int] = ()) -> "Child":
        """Fork; without descriptors at hand nobody waits for it yet, and it rehearses."""
        zygote = os.getpid()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                pid = os.fork()
            except OSError:
                ours.close()
                raise
            if pid == 0:
                ours.close()
                self._child(zygote, theirs, at_hand)
        child = Child(pid, ours)
        # A zombie can still be opened, so a worker that ended at once is seen too.
        handle = os.pidfd_open(pid)
        self._selector.register(handle, selectors.EVENT_READ, lambda: self._reap(handle, pid))
        self._selector.register(ours, selectors.EVENT_READ, lambda: self._heard(child))
        return child

    def _heard(self, child: "Child") -> None:
        if child.has_rehearsed():
            self._spare, self._rehearsing = child, None
            return
        self._selector.unregister(child.sock)
        child.sock.close()
        if child in self._starting:
            self._starting.remove(child)
            self._due = time.monotonic() + QUIET_S
        else:  # it ended before it had anything to do; one made at once might end at once
            self._spare = self._rehearsing = None

    def _reap(self, handle: int, pid: int) -> None:
        _, status = os.waitpid(pid, 0)
        self._selector.unregister(handle)
        os.close(handle)
        code = os.waitstatus_to_exitcode(status)
        worker = self._ids.pop(pid, None)
        if worker is None:  # it was a spare
            return
        if code < 0:
            self._tell("exited", worker, pid, code=None, signal=-code)
        else:
            self._tell("exited", worker, pid, code=code, signal=None)

    def _tell(self, kind: str, worker: str, pid: int, **more: int | None) -> None:
        packet = {"t": kind, "id": worker, "pid": pid, **more}
        send(self._sock, json.dumps(packet).encode(), ())

    def _child(self, zygote: int, sock: socket.socket, at_hand: Sequence[int]) -> NoReturn:
        die_with_parent(zygote)
        code: int = Exit.CRASH
        try:
            watched = [key.fd for key in self._selector.get_map().values()]
            for descriptor in (*watched, *at_hand):
                os.close(descriptor)
            self._selector.close()
            if not at_hand:
                call_itself(b"spare")
                try_rehearsal()
                sock.send(b".")
            code = wait_and_work(sock)
        except BaseException:  # noqa: BLE001  (nothing of the zygote may run in a worker)
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


@dataclass(frozen=True, slots=True, eq=False)
class Child:
    """A process that waits for its launch.

    One byte from it says that it has rehearsed; the end of file, that it has answered, or ended.
    """

    pid: int
    sock: socket.socket

    def launch(self, packet: Packet, descriptors: Sequence[int]) -> bool:
        """Tell it what to serve; False when it is gone."""
        try:
            # Without spaces it is no longer than it came, so that it fits where it fitted before.
            send(self.sock, json.dumps(packet, separators=(",", ":")).encode(), descriptors)
        except OSError:
            return False
        return True

    def has_rehearsed(self) -> bool:
        """Read what it says; False at the end of file."""
        try:
            return bool(self.sock.recv(1))
        except ConnectionError:  # it ended before it had read everything
            return False


def wait_and_work(sock: socket.socket) -> int:
    """Wait for the launch and be that worker; gives its exit code."""
    packet, descriptors = receive(sock)
    if packet is None:
        return Exit.SUPERVISOR_GONE
    call_itself(b"worker")
    listener, control, log = descriptors
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    return work(packet, listener, control, sock.close)


def work(packet: Packet, listener: int, control: int, settled: Callable[[], None]) -> int:
    """Be a worker; gives its exit code."""
    asked, first_byte = packet["asked"], packet.get("first_byte")
    phases = Phases(asked)
    try:
        launch = from_env({name: str(value) for name, value in packet.get("env", {}).items()})
    except LaunchError as error:
        say(f"cannot start: {error}", level="error")
        return Exit.BAD_LAUNCH
    inherited = Inherited(
        socket.socket(fileno=listener),
        socket.socket(fileno=control),
        phases,
        asked if first_byte is None else float(first_byte),
        settled,
    )
    phases.end("spawn")
    return shadow.run(launch, inherited) if launch.compares else run(launch, inherited)


def die_with_parent(parent: int) -> None:
    """Get SIGKILL when the parent ends, also when it ended just now."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(Exit.SUPERVISOR_GONE)


def call_itself(name: bytes) -> None:
    """Set the name that `ps` and `top` show, so that nobody takes a spare for a worker."""
    _LIBC.prctl(PR_SET_NAME, name, 0, 0, 0)


def try_rehearsal() -> None:
    """Rehearse; without it a worker is slower to answer, and no worse."""
    try:
        rehearse()
    except Exception:  # noqa: BLE001  (logged, and what it was may be well by the time it matters)
        traceback.print_exc()


def main() -> None:
    """Import, freeze, serve."""
    sock = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(sock.fileno(), False)
    import_all()
    try_rehearsal()
    # Stopping by signal is the supervisor's to decide; a Ctrl-C in its terminal is for it alone.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Frozen objects are never looked at by a worker's collector, so their pages stay shared.
    gc.collect()
    give_back()
    gc.freeze()
    Zygote(sock).run()


if __name__ == "__main__":
    main()
