"""The zygote as the supervisor sees it: asked for forks, restarted when it dies."""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from controlplane.engines.embedded.channel import Channel, Packet

PR_SET_PDEATHSIG = 1
ZYGOTE = (sys.executable, "-m", "runtime.zygote")
UNSEEN = "the zygote died before it could tell the exit code"
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Exited:
    """How a worker ended; nobody saw it where `code` and `signal` are None: `unseen` says why."""

    code: int | None
    signal: int | None
    unseen: str = UNSEEN


class Forker:
    """Owns the zygote process and tells each worker's owner of its pid and its end."""

    def __init__(self, command: tuple[str, ...] = ZYGOTE) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._owners: dict[str, tuple[Callable[[int], None], Callable[[Exited], None]]] = {}
        self._handles: dict[str, int] = {}

    @property
    def pid(self) -> int | None:
        """Give the zygote's pid, for tests and for `observe`."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the zygote unless it runs."""
        if self._channel is not None:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with contextlib.ExitStack() as unstarted, theirs:
            unstarted.callback(ours.close)
            theirs.set_inheritable(True)
            supervisor = os.getpid()
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
                [*self._command, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                preexec_fn=lambda: _die_with(supervisor),
            )
            unstarted.pop_all()
        self._channel = Channel(ours, self._packet, self._gone)

    def fork(
        self,
        worker: str,
        env: Mapping[str, str],
        descriptors: list[int],
        first_byte: float | None,
        on_pid: Callable[[int], None],
        on_exit: Callable[[Exited], None],
    ) -> None:
        """Ask for a worker. `descriptors` (listen, control, log) are the forker's from now on."""
        self._owners[worker] = (on_pid, on_exit)
        packet = {"t": "fork", "id": worker, "env": dict(env), "first_byte": first_byte}
        why = UNSEEN
        try:
            self.start()
        except OSError as error:
            why = f"the zygote could not be started ({error.strerror})"
        if self._channel is None or not self._channel.send(packet, descriptors):
            for descriptor in descriptors:
                os.close(descriptor)
            self._end(worker, Exited(None, None, why))

    def kill(self, worker: str) -> None:
        """Kill a worker that does not end by itself."""
        handle = self._handles.get(worker)
        if handle is None:
            if worker in self._owners and self._process is not None:
                # Asked for and never forked: the zygote hangs, and nothing would start any more.
                self._process.kill()
            return
        try:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        except ProcessLookupError:
            return  # it ended a moment ago; its end is told by the channel

    def will_tell(self, worker: str) -> bool:
        """Tell whether the end of this worker is still to come from the zygote."""
        return worker in self._owners

    def forget(self, worker: str) -> None:
        """Drop a worker whose end was seen another way."""
        self._owners.pop(worker, None)
        self._close_handle(worker)

    def _close_handle(self, worker: str) -> None:
        handle = self._handles.pop(worker, None)
        if handle is not None:
            os.close(handle)

    def _packet(self, packet: Packet, descriptors: list[int]) -> None:
        for descriptor in descriptors:
            os.close(descriptor)
        worker = str(packet.get("id"))
        if packet.get("t") == "forked" and worker in self._owners:
            # A handle, not the number: after the zygote dies nobody keeps the number ours.
            # One that ended already has none; `exited` follows.
            with contextlib.suppress(ProcessLookupError):
                self._handles[worker] = os.pidfd_open(int(packet["pid"]))
            self._owners[worker][0](int(packet["pid"]))
        elif packet.get("t") == "exited":
            self._end(worker, Exited(packet.get("code"), packet.get("signal")))

    def _end(self, worker: str, how: Exited) -> None:
        self._close_handle(worker)
        owner = self._owners.pop(worker, None)
        if owner is not None:
            # Later, so that whoever asked for the fork has finished its own bookkeeping.
            asyncio.get_running_loop().call_soon(owner[1], how)

    def _gone(self, unsent: list[int]) -> None:
        for descriptor in unsent:
            os.close(descriptor)
        self._channel = None
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        for worker in tuple(self._owners):
            if worker in self._handles:
                # It runs on without its parent; its control channel tells its end.
                del self._owners[worker]
            else:
                self._end(worker, Exited(None, None))

    def close(self) -> None:
        """End the zygote, and with it every worker."""
        if self._channel is not None:
            self._channel.close()


def _die_with(parent: int) -> None:
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
