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

import ctypes
import gc
import importlib
import json
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

import uvloop
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from runtime.control import Packet, receive, send
from runtime.launch import Exit, LaunchError, from_env
from runtime.loading import Phases
from runtime.server import Inherited, run

# What a worker imports late in its life or at its first connection, request or scrape.
LATE: Final = (
    "cryptography.hazmat.backends.openssl.backend",
    "prometheus_client.exposition",
    "uvicorn.lifespan.off",
)


PR_SET_PDEATHSIG: Final = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


class Zygote:
    """Forks on request and tells how each worker ends."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._selector = selectors.DefaultSelector()
        self._selector.register(sock, selectors.EVENT_READ)
        self._ids: dict[int, str] = {}

    def run(self) -> None:
        """Serve until the supervisor is gone."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._sock:
                    try:
                        packet, descriptors = receive(self._sock)
                    except ConnectionError:  # it ended before it had read everything
                        return
                    if packet is None:
                        return
                    self._packet(packet, descriptors)
                else:
                    self._reap(key.fd, key.data)

    def _packet(self, packet: Packet, descriptors: list[int]) -> None:
        asked = time.monotonic()
        worker = str(packet.get("id"))
        try:
            if packet.get("t") != "fork" or len(descriptors) != 3:
                self._tell("exited", worker, 0, code=Exit.BAD_LAUNCH, signal=None)
                return
            zygote = os.getpid()
            try:
                pid = os.fork()
            except OSError as error:
                sys.stderr.write(f"cannot fork {worker}: {error}\n")
                self._tell("exited", worker, 0, code=Exit.CRASH, signal=None)
                return
            if pid == 0:
                self._child(zygote, packet, descriptors, asked)
            self._watch(pid, worker)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _watch(self, pid: int, worker: str) -> None:
        self._ids[pid] = worker
        self._tell("forked", worker, pid)
        # A zombie can still be opened, so a worker that ended at once is seen too.
        self._selector.register(os.pidfd_open(pid), selectors.EVENT_READ, pid)

    def _reap(self, handle: int, pid: int) -> None:
        _, status = os.waitpid(pid, 0)
        self._selector.unregister(handle)
        os.close(handle)
        code = os.waitstatus_to_exitcode(status)
        worker = self._ids.pop(pid)
        if code < 0:
            self._tell("exited", worker, pid, code=None, signal=-code)
        else:
            self._tell("exited", worker, pid, code=code, signal=None)

    def _tell(self, kind: str, worker: str, pid: int, **more: int | None) -> None:
        packet = {"t": kind, "id": worker, "pid": pid, **more}
        send(self._sock, json.dumps(packet).encode(), ())

    def _child(
        self, zygote: int, packet: Packet, descriptors: Sequence[int], asked: float
    ) -> NoReturn:
        die_with_parent(zygote)
        code: int = Exit.CRASH
        try:
            listener, control, log = descriptors
            self._inherit(log)
            code = work(packet.get("env", {}), packet.get("first_byte"), listener, control, asked)
        except BaseException:  # noqa: BLE001  (nothing of the zygote may run in a worker)
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _inherit(self, log: int) -> None:
        """Keep of the zygote's descriptors only the worker's own."""
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        for key in tuple(self._selector.get_map().values()):
            if key.fileobj is not self._sock:
                os.close(key.fd)
        self._sock.close()
        self._selector.close()


def work(
    env: Mapping[str, Any], first_byte: float | None, listener: int, control: int, asked: float
) -> int:
    """Be a worker; gives its exit code."""
    phases = Phases(asked)
    try:
        launch = from_env({name: str(value) for name, value in env.items()})
    except LaunchError as error:
        sys.stderr.write(f"cannot start: {error}\n")
        return Exit.BAD_LAUNCH
    inherited = Inherited(
        socket.socket(fileno=listener),
        socket.socket(fileno=control),
        phases,
        asked if first_byte is None else float(first_byte),
    )
    phases.end("spawn")
    return run(launch, inherited)


def die_with_parent(parent: int) -> None:
    """Get SIGKILL when the parent ends, also when it ended just now."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(Exit.SUPERVISOR_GONE)


def rehearse() -> None:
    """Check a signature once: OpenSSL fetches its algorithms at first use, 2 ms that are shared."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_numbers().public_key()
    public.verify(key.sign(b"", ec.ECDSA(SHA256())), b"", ec.ECDSA(SHA256()))
    uvloop.new_event_loop().close()


def main() -> None:
    """Import, freeze, serve."""
    sock = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(sock.fileno(), False)
    for name in LATE:
        importlib.import_module(name)
    rehearse()
    # Stopping by signal is the supervisor's to decide; a Ctrl-C in its terminal is for it alone.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Frozen objects are never looked at by a worker's collector, so their pages stay shared.
    gc.collect()
    gc.freeze()
    Zygote(sock).run()


if __name__ == "__main__":
    main()
