"""One worker process and the socket to it: start, exchange a frame, end. No scikit-learn here."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from typing import Any, Final

from numpy.typing import NDArray

from runtime import frames
from runtime.foreign import command, environment
from runtime.sandbox import cgroups
from runtime.sandbox.namespaces import PID_BYTES

MOST_BYTES: Final = 256 << 20
# Interpreter and libraries; the limit of the address space is exact, that of the group is not.
_BASE_BYTES: Final = 512 << 20
_LOG_BYTES: Final = 64 * 1024
_ENVIRONMENT: Final = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JOBLIB_MULTIPROCESSING": "0",
}


class Crashed(Exception):
    """The process ended, or wrote what is no frame."""


class Worker:
    """A running worker; `exchange` is called by one task at a time."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        group: cgroups.Group | None,
    ) -> None:
        self._process, self._reader, self._writer = process, reader, writer
        self._group = group
        self._pid = process.pid
        self._pidfd = os.pidfd_open(process.pid)
        self._log = asyncio.create_task(_copy_log(process))

    @classmethod
    async def start(
        cls, artifact: str, options: dict[str, Any], interpreter: str | None = None
    ) -> "Worker":
        """Spawn it; `receive` gives the first frame, which says whether the model is loaded.

        options      for the worker; its `memory_bytes` is the limit of its control group too
        interpreter  Python of an environment with another scikit-learn; None: ours
        """
        ours, theirs = socket.socketpair()
        try:
            model = os.open(artifact, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            ours.close()
            theirs.close()
            raise
        group = await asyncio.to_thread(
            cgroups.make, memory_bytes=options["memory_bytes"] + _BASE_BYTES
        )
        options = {**options, "group": cgroups.to_words(group)}
        try:
            process = await asyncio.create_subprocess_exec(
                *command(interpreter, "runtime.fallback.confined"),
                *(str(theirs.fileno()), str(model), str(os.getpid()), json.dumps(options)),
                pass_fds=(theirs.fileno(), model),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=environment(interpreter, _ENVIRONMENT),
            )
        except BaseException:
            ours.close()
            if group is not None:
                group.remove()
            raise
        finally:
            theirs.close()
            os.close(model)
        ours.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=ours)
        return cls(process, reader, writer, group)

    async def locate(self) -> None:
        """Learn which process computes: a child of the one that was spawned; raises Crashed."""
        try:
            told = await self._reader.readexactly(PID_BYTES)
            pid = int.from_bytes(told, "little")
            pidfd = os.pidfd_open(pid)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise Crashed("the model's process ended before it began") from error
        os.close(self._pidfd)
        self._pid, self._pidfd = pid, pidfd

    @property
    def alive(self) -> bool:
        """True while the process runs and has not closed its end."""
        return self._process.returncode is None and not self._reader.at_eof()

    @property
    def pid(self) -> int:
        """Process id of what computes."""
        return self._pid

    async def receive(self) -> tuple[dict[str, Any], frames.Arrays]:
        """Read one frame; raises Crashed."""
        try:
            prefix = await self._reader.readexactly(frames.PREFIX.size)
            rest = await self._reader.readexactly(sum(frames.sizes(prefix, MOST_BYTES)))
            return frames.decode(prefix + rest, MOST_BYTES)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Crashed("the model's process ended") from error
        except frames.FrameError as error:
            raise Crashed(f"the model's process answered what is no frame: {error}") from error

    async def exchange(
        self, meta: dict[str, Any], arrays: list[NDArray[Any]]
    ) -> tuple[dict[str, Any], frames.Arrays]:
        """Send one frame and read the answer; raises Crashed."""
        try:
            self._writer.write(frames.encode(meta, arrays))
            await self._writer.drain()
        except (ConnectionError, RuntimeError) as error:
            raise Crashed("the model's process ended") from error
        return await self.receive()

    async def end(self) -> None:
        """Kill it and wait until it is gone."""
        self._writer.close()
        # Not Process.kill: it polls, and may take the exit status away from asyncio's watcher.
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        os.close(self._pidfd)
        await self._process.wait()
        if self._group is not None:
            await asyncio.to_thread(self._group.remove)
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
        await self._log


async def _copy_log(process: asyncio.subprocess.Process) -> None:
    """Pass what the model prints to the tenant's own log: bounded, no control characters."""
    left = _LOG_BYTES
    assert process.stdout is not None  # noqa: S101  asked for a pipe
    while block := await process.stdout.read(8192):
        text = block[:left].decode("utf-8", "replace")
        left -= min(left, len(block))
        sys.stderr.write("".join(c for c in text if c in "\n\t" or c.isprintable()))
