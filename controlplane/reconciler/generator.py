"""One load test as a process beside ours: `python -m loadtests told`, told on its standard input.

It has the token of one endpoint and nothing else of ours: no credential, no setting, an environment
of its own. It ends when its standard input does, and writes its reports all the same, so a test
that is cancelled and one whose control plane was killed leave what they measured.
"""

import asyncio
import contextlib
import fcntl
import importlib.util
import json
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from controlplane.loadtests.service import TestToRun
from controlplane.reconciler.programs import Way

# With SCHED_IDLE, or far down, a generator is starved by what it measures: where a load makes all
# processors busy it sends late, and every verdict that matters is inconclusive. As our equal, it
# takes half of a core from a worker. At 5 it gets a quarter of a contended core (weights 335 and
# 1024), at 14 us a request 17,000 a second, and the worker keeps three.
NICE: Final = 5
OURS: Final = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "TMPDIR")
LINE_BYTES: Final = 1 << 20
# A look at the endpoint that the program has no time to read is left out.
MOST_UNREAD_BYTES: Final = 256 * 1024
LOCK, ERRORS = "running", "program.log"
TOLD_BYTES: Final = 2000
ENDS_WITHIN_S: Final = 90.0
NEEDS_LOCUST: Final = (
    "This installation has no load generator: pip install 'kubeserve[loadtest]' beside it, or run"
    " `kubeserve loadtest ENDPOINT` where that is installed."
)


class Program:
    """A running generator. Made by `start`, in the thread that lives as long as we do."""

    def __init__(self, pid: int, out: int, told: int) -> None:
        self._pid, self._out_fd, self._in_fd = pid, out, told
        self._pidfd = os.pidfd_open(pid)
        self._reader = asyncio.StreamReader(limit=LINE_BYTES)
        self._out: asyncio.ReadTransport | None = None
        self._in: asyncio.WriteTransport | None = None
        self._code: int | None = None

    @classmethod
    async def start(cls, folder: Path, first: Mapping[str, Any]) -> "Program":
        """Start a test whose reports go to a folder."""
        program = cls(*_spawn(folder))
        await program._connect()
        program.tell(first)
        return program

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        self._out, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._reader), os.fdopen(self._out_fd, "rb", 0)
        )
        self._in, _ = await loop.connect_write_pipe(
            asyncio.BaseProtocol, os.fdopen(self._in_fd, "wb", 0)
        )

    def tell(self, line: Mapping[str, Any], *, passing: bool = False) -> None:
        """Tell it something. `passing`: a later line says more, so this one may be left out."""
        if self._in is None or self._in.is_closing():
            return
        if not passing or self._in.get_write_buffer_size() < MOST_UNREAD_BYTES:
            self._in.write(json.dumps(line).encode() + b"\n")

    def end(self) -> None:
        """Have it stop: it still says how the test was."""
        if self._in is not None:
            self._in.close()

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """Give what it tells until it ends; raises ValueError for what is no event."""
        while line := await self._reader.readline():
            event = json.loads(line)
            if not isinstance(event, dict) or not isinstance(event.get("event"), str):
                raise ValueError(f"the load generator told no event: {line[:200]!r}")
            yield event

    async def wait(self) -> int:
        """Wait until it has ended; gives its exit code, negative for a signal."""
        if self._code is None:
            await _readable(self._pidfd)
            _, status = os.waitpid(self._pid, 0)  # noqa: ASYNC222  (it has ended)
            self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def how(self, code: int) -> str:
        """Say how it ended that said nothing more."""
        how = f"by signal {-code}" if code < 0 else f"with {code}"
        return f"The load generator was ended {how} and said nothing more."

    async def kill(self) -> None:
        """End it and its generators now."""
        if self._code is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)
            await self.wait()

    async def leave(self) -> None:
        """Let go of it, whether or not it has ended."""
        self.end()
        if self._out is not None:
            self._out.close()
        os.close(self._pidfd)


def _spawn(folder: Path) -> tuple[int, int, int]:
    """Start the process; gives its id and our ends of its standard output and input."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    out, its_out = os.pipe()
    its_in, told = os.pipe()
    errors = os.open(folder / ERRORS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # The lock is the process's: it is free when the process has ended, however.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        environment = {name: os.environ[name] for name in OURS if name in os.environ}
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-P", "-m", "loadtests", "told", "--out", str(folder)],
            {**environment, "HOME": str(folder), "PYTHONUNBUFFERED": "1"},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, its_in, 0),
                (os.POSIX_SPAWN_DUP2, its_out, 1),
                (os.POSIX_SPAWN_DUP2, errors, 2),
                (os.POSIX_SPAWN_DUP2, lock, 3),
            ],
            setpgroup=0,
        )
        os.pwrite(lock, str(pid).encode(), 0)
    finally:
        for descriptor in (its_out, its_in, errors, lock):
            os.close(descriptor)
    os.setpriority(os.PRIO_PROCESS, pid, NICE)
    with contextlib.suppress(OSError):  # where memory runs out it goes before what serves
        Path(f"/proc/{pid}/oom_score_adj").write_text("1000")
    return pid, out, told


class LocalPrograms:
    """Implements `controlplane.reconciler.programs.Programs` on this machine."""

    look_every_s = 0.25
    around_s = 240.0

    @classmethod
    def or_why_not(cls) -> "LocalPrograms | str":
        """Make it; in words what is missing here."""
        return NEEDS_LOCUST if importlib.util.find_spec("locust") is None else cls()

    def way(self, tenant: str, endpoint: str, tag: str | None, url: str) -> Way:  # noqa: ARG002
        """Say how an endpoint is reached: at the address its engine gives it."""
        return Way(url, url)

    async def start(
        self,
        test: TestToRun,  # noqa: ARG002  (the protocol's)
        folder: Path,
        first: Mapping[str, Any],
    ) -> Program:
        """Start a test whose reports go to a folder."""
        return await Program.start(folder, first)

    async def again(
        self,
        test: TestToRun,  # noqa: ARG002  (the protocol's)
        folder: Path,
        after: int,  # noqa: ARG002  (the protocol's)
    ) -> None:
        """Wait for the process of a test whose input has ended, and so it."""
        await ended(folder, ENDS_WITHIN_S)

    async def forget(self, test: uuid.UUID, tenant: str) -> None:
        """Remove nothing: all of it is in the test's folder."""

    async def tidy(self, running: Callable[[], Awaitable[list[uuid.UUID]]]) -> int:  # noqa: ARG002
        """Remove nothing: processes end with us."""
        return 0

    def last_words(self, folder: Path) -> str:
        """Give the end of what the process of a folder wrote for operators."""
        try:
            return (folder / ERRORS).read_bytes()[-TOLD_BYTES:].decode("utf-8", "replace")
        except FileNotFoundError:
            return ""


async def _readable(descriptor: int) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


async def ended(folder: Path, within_s: float) -> None:
    """Wait for the process of a folder that nobody waits for; what takes longer is killed."""
    try:
        lock = os.open(folder / LOCK, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        await _gone(int(os.pread(lock, 20, 0)), within_s)
    finally:
        os.close(lock)


async def _gone(pid: int, within_s: float) -> None:
    """Wait for a process that holds its lock, so that its number is still its own."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        async with asyncio.timeout(within_s):
            await _readable(pidfd)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        await _readable(pidfd)
    finally:
        os.close(pidfd)
