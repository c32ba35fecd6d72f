"""Just enough of a supervisor to have workers forked from a zygote, one at a time, and timed."""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from loadtests.benchmarks.measuring import (
    SERVER_CORE,
    Raw,
    environment_for_measuring,
    pinned,
)
from runtime.control import Packet, receive, send
from runtime.launch import Launch

WITHIN_S: Final = 30.0
STILL_S: Final = 0.04  # without processor time: the spare has rehearsed and waits


class Channel:
    """One SEQPACKET socket, read in order."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def until(self, kind: str) -> Packet:
        """Read up to a packet of this kind; raises RuntimeError when there will be none."""
        while select.select([self.sock], [], [], WITHIN_S)[0]:
            packet, descriptors = receive(self.sock)
            for descriptor in descriptors:
                os.close(descriptor)
            if packet is None:
                raise RuntimeError(f"the other side ended before {kind}")
            if packet["t"] == kind:
                return packet
        raise RuntimeError(f"no {kind} within {WITHIN_S:.0f} s")


class Zygote:
    """A running zygote. `listener` is what its workers accept from."""

    def __init__(self, sock: socket.socket, process: subprocess.Popen[bytes], log: Path) -> None:
        self._channel, self._process, self._log = Channel(sock), process, log
        self._count = 0

    @contextlib.contextmanager
    def worker(self, launch: Launch, listener: socket.socket) -> Iterator[tuple[Channel, int]]:
        """Have a worker made; gives its control channel and its process, and ends it."""
        self._count += 1
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours:
            with theirs, self._log.open("ab") as log:
                packet = {"t": "fork", "id": f"w-{self._count}", "env": launch.to_env()}
                told = json.dumps(packet | {"first_byte": time.monotonic()}).encode()
                send(self._channel.sock, told, [listener.fileno(), theirs.fileno(), log.fileno()])
            yield Channel(ours), int(self._channel.until("forked")["pid"])
        self._channel.until("exited")

    def await_spare(self) -> float:
        """Wait until a worker made in advance has rehearsed; gives the milliseconds that it ran."""
        deadline = time.monotonic() + WITHIN_S
        spent, since = -1.0, time.monotonic()  # no process has run for less than nothing
        while time.monotonic() < deadline:
            now = self._spare_ms()
            if now != spent:
                spent, since = now, time.monotonic()
            elif spent >= 0 and time.monotonic() - since > STILL_S:
                return spent
            time.sleep(0.002)
        raise RuntimeError(f"no worker was made in advance: {self._log.read_text()[-2000:]}")

    def _spare_ms(self) -> float:
        """Tell how long the spare ran; -1 when there is none."""
        for child in psutil.Process(self._process.pid).children():
            with contextlib.suppress(OSError):
                if Path(f"/proc/{child.pid}/comm").read_text() == "spare\n":
                    return ran_ms(child.pid)
        return -1.0


@contextlib.contextmanager
def zygote(folder: Path) -> Iterator[Zygote]:
    """Run `python -m runtime.zygote`, and end it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    log = folder / "zygote.log"
    with ours:
        with theirs, pinned(SERVER_CORE), log.open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "runtime.zygote", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                env=environment_for_measuring(),
                stdout=out,
                stderr=out,
            )
        try:
            yield Zygote(ours, process, log)
        finally:
            ours.close()  # which it ends with
            try:
                process.wait(10)
            finally:
                process.kill()
                process.wait()


def ran_ms(pid: int) -> float:
    """Give the milliseconds that the threads of a process had a core, to the nanosecond."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e6


def memory(pid: int) -> Raw:
    """Give megabytes: resident, and of those what no other process shares."""
    info = psutil.Process(pid).memory_full_info()
    return {"rss_mb": info.rss / 1e6, "uss_mb": info.uss / 1e6}
