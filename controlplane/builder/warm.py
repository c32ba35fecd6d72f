"""The parent's side of the warm process: starts it, has it fork, watches and kills the forks."""

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from controlplane.builder.report import Limits
from controlplane.builder.zygote import BASE_BYTES, ENVIRONMENT, MESSAGE_BYTES
from runtime.foreign import command, environment

_POLL_S: Final = 0.05
_START_S: Final = 60.0


class WarmError(RuntimeError):
    """The warm process is gone or did not start; a fault of the host, not of a model."""


@dataclass(slots=True)
class Ended:
    """How a locked process ended. `stopped`: by which limit (time, cpu, memory, disk) or None."""

    status: int
    stopped: str | None
    output: str


@dataclass(slots=True)
class _Child:
    forked: asyncio.Future[tuple[int, int]]
    exited: asyncio.Future[tuple[int, str | None]]


@dataclass(slots=True)
class Warm:
    """One warm process; `run` may be called concurrently.

    pandas       import it too, in advance; without, the models that want it import it themselves
    interpreter  Python of an environment with another scikit-learn; None: ours
    """

    pandas: bool = True
    interpreter: str | None = None
    _control: socket.socket | None = None
    _process: asyncio.subprocess.Process | None = None
    _ready: asyncio.Future[None] | None = None
    _children: dict[int, _Child] = field(default_factory=dict)
    _next: int = 0
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self) -> None:
        """Start it if it does not run; returns when scikit-learn is imported."""
        async with self._starting:
            if self._control is not None:
                return
            if self._process is not None:  # one that died, or is dying of its closed socket
                await self._process.wait()
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours.setblocking(False)
            loop = asyncio.get_running_loop()
            self._ready = loop.create_future()
            self._control = ours
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *command(self.interpreter, "controlplane.builder.zygote"),
                    *(str(theirs.fileno()), str(os.getpid())),
                    *(("pandas",) if self.pandas else ()),
                    pass_fds=(theirs.fileno(),),
                    stdin=asyncio.subprocess.DEVNULL,
                    env=environment(self.interpreter, ENVIRONMENT),
                )
            finally:
                theirs.close()
            loop.add_reader(ours.fileno(), self._read)
            try:
                await asyncio.wait_for(asyncio.shield(self._ready), _START_S)
            except (TimeoutError, WarmError) as error:
                await self.close()
                raise WarmError(f"the builder did not start: {error}") from error

    async def close(self) -> None:
        """End it and everything it forked."""
        self._lost("the builder is closing")
        if self._process is not None:
            # It ends by itself at the end of its socket; not Process.kill, which polls and may
            # take the exit status away from asyncio's watcher.
            await self._process.wait()
            self._process = None

    async def run(
        self,
        role: str,
        files: Sequence[int],
        folder: Path,
        arguments: dict[str, Any],
        limits: Limits,
    ) -> Ended:
        """Fork a locked process for one role and wait for its end within the limits."""
        await self.start()
        os.mkdir(folder, mode=0o700)
        read, write = os.pipe()
        try:
            identity, child = self._order(role, files, folder, arguments, limits, write)
        except WarmError:
            os.close(read)
            raise
        finally:
            os.close(write)
        output = _Output(read, limits.output_bytes)
        try:
            pid, pidfd = await child.forked
            try:
                stopped = await _watch(child.exited, pid, pidfd, folder, limits)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
                os.close(pidfd)
            status, used_up = await child.exited
            return Ended(status, stopped or used_up, output.text())
        finally:
            self._children.pop(identity, None)
            output.close()

    def _order(
        self,
        role: str,
        files: Sequence[int],
        folder: Path,
        arguments: dict[str, Any],
        limits: Limits,
        output: int,
    ) -> tuple[int, _Child]:
        loop = asyncio.get_running_loop()
        if self._control is None:
            raise WarmError("the builder is not running")
        self._next += 1
        child = _Child(loop.create_future(), loop.create_future())
        self._children[self._next] = child
        order = {
            "id": self._next,
            "role": role,
            "work": str(folder),
            "arguments": arguments,
            "profile": {
                "memory_bytes": limits.memory_bytes,
                "cpu_s": limits.cpu_s,
                "file_bytes": limits.file_bytes,
                "namespaces": limits.namespaces,
                "degraded": limits.sandbox == "degraded",
            },
        }
        try:
            socket.send_fds(self._control, [json.dumps(order).encode()], [output, *files])
        except OSError as error:
            self._children.pop(self._next)
            self._lost("the builder's warm process ended")
            raise WarmError("the builder's warm process ended") from error
        return self._next, child

    def _read(self) -> None:
        if self._control is None:
            return
        try:
            raw, descriptors, _, _ = socket.recv_fds(self._control, MESSAGE_BYTES, 1)
        except BlockingIOError:
            return
        except OSError:
            raw, descriptors = b"", []
        if not raw:
            self._lost("the builder's warm process ended")
            return
        message = json.loads(raw)
        if "ready" in message:
            if self._ready is not None and not self._ready.done():
                self._ready.set_result(None)
            return
        child = self._children.get(message["id"])
        if "pid" in message:
            if child is None or child.forked.done():
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(descriptors[0], signal.SIGKILL)
                os.close(descriptors[0])
            else:
                child.forked.set_result((message["pid"], descriptors[0]))
        elif child is not None and not child.exited.done():
            child.exited.set_result((message["status"], message["used_up"]))

    def _lost(self, why: str) -> None:
        if self._control is None:
            return
        asyncio.get_running_loop().remove_reader(self._control.fileno())
        self._control.close()
        self._control = None
        waiting: list[asyncio.Future[Any]] = [
            future for c in self._children.values() for future in (c.forked, c.exited)
        ]
        if self._ready is not None:
            waiting.append(self._ready)
        for future in waiting:
            if not future.done():
                future.set_exception(WarmError(why))
                future.exception()  # whoever waits gets it; nobody waiting is no fault


class _Output:
    """Reads what a child prints as it comes, keeps the first bytes, and never lets it block."""

    def __init__(self, descriptor: int, most: int) -> None:
        self._descriptor, self._most = descriptor, most
        self._kept = bytearray()
        os.set_blocking(descriptor, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(descriptor, self._read)

    def _read(self) -> bool:
        try:
            block = os.read(self._descriptor, 65536)
        except BlockingIOError:
            return False
        if not block:
            self._loop.remove_reader(self._descriptor)
            return False
        self._kept += block[: self._most - len(self._kept)]
        return True

    def text(self) -> str:
        while self._read():
            pass
        return printable(self._kept.decode("utf-8", "replace"))

    def close(self) -> None:
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)


def printable(text: str) -> str:
    """Remove control characters but newline and tab: a terminal would obey them."""
    return "".join(
        c if c in "\n\t" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text
    )


async def _watch(
    exited: asyncio.Future[tuple[int, str | None]],
    pid: int,
    pidfd: int,
    folder: Path,
    limits: Limits,
) -> str | None:
    """Wait for the end; kill for time, memory or disk, and say for which."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limits.wall_s
    while True:
        done, _ = await asyncio.wait(
            (exited,), timeout=min(_POLL_S, max(0.0, deadline - loop.time()))
        )
        if done:
            return None
        stopped = None
        if loop.time() >= deadline:
            stopped = "time"
        elif resident_bytes(pid) > limits.memory_bytes + BASE_BYTES:
            stopped = "memory"
        elif folder_bytes(folder) > limits.work_bytes:
            stopped = "disk"
        if stopped:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            return stopped


def resident_bytes(pid: int) -> int:
    """Memory a process has in use, 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def folder_bytes(folder: Path) -> int:
    """Bytes on disk in a folder of plain files."""
    total = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                total += entry.stat(follow_symlinks=False).st_blocks * 512
    except OSError:
        return total
    return total
