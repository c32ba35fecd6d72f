"""What workers write: read from a pipe each, stamped with time and replica, kept in two files."""

import asyncio
import contextlib
import json
import os
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from runtime.lines import spoken

MAX_BYTES = 10 * 1024 * 1024
MAX_LINE = 16 * 1024
READ = 64 * 1024

Follower = Callable[[str], None]


class EndpointLog:
    """One endpoint's log: `{"at", "replica", "text", "members"}` a line in PATH; older: PATH.1."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self.path, self._max_bytes = path, max_bytes
        self._older = path.with_name(path.name + ".1")
        self._removed = False
        self.followers: set[Follower] = set()

    def write(self, replica: str, text: str) -> None:
        """Append one line; a full disk loses log lines and nothing else."""
        said, members = spoken(text[:MAX_LINE])
        at = datetime.now(UTC).isoformat()
        line = json.dumps({"at": at, "replica": replica, "text": said, "members": members})
        # On a full disk serving goes on without a log; followers still see the line.
        with contextlib.suppress(OSError):
            if not self._removed:
                self._append(line)
        for follower in tuple(self.followers):
            follower(line)

    def _append(self, line: str) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                # A full disk or a power cut: what is there of a line would spoil this one.
                size = _whole(descriptor, size)
                os.ftruncate(descriptor, size)
            os.write(descriptor, line.encode() + b"\n")
        finally:
            os.close(descriptor)
        if size + len(line) > self._max_bytes:
            os.replace(self.path, self._older)

    def tail(self, count: int) -> list[str]:
        """Give the last lines, oldest first."""
        kept: deque[str] = deque(maxlen=max(0, count))
        for path in (self._older, self.path):
            try:
                with path.open(errors="replace") as file:
                    kept.extend(line.rstrip("\n") for line in file if line.endswith("\n"))
            except FileNotFoundError:
                continue
        return list(kept)

    def remove(self) -> None:
        """Forget the lines, and those of workers still draining: the endpoint is deleted."""
        self._removed = True
        self.path.unlink(missing_ok=True)
        self._older.unlink(missing_ok=True)


def _whole(descriptor: int, size: int) -> int:
    """Give where the last whole line ends."""
    while size:
        start = max(0, size - READ)
        at = os.pread(descriptor, size - start, start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        size = start
    return 0


class LineReader:
    """Reads one worker's output from a pipe, so that a line has its time and replica."""

    def __init__(self, log: EndpointLog, replica: str) -> None:
        """Open the pipe; `write_end` goes to the worker and is closed by whoever sends it."""
        self._read_end, self.write_end = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._read_end, False)
        self._log, self._replica = log, replica
        self._rest = b""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._read_end, self._readable)

    def _readable(self) -> None:
        try:
            self._read()
        except BlockingIOError:
            return

    def _read(self) -> bool:
        data = os.read(self._read_end, READ)
        if not data:
            self.close()
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_LINE:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._log.write(self._replica, line.decode(errors="replace"))
        return True

    def finish(self) -> None:
        """Take the last words of a worker that ended, and close."""
        while self._read_end >= 0:
            try:
                self._read()
            except BlockingIOError:
                self.close()  # a child of the worker still holds the other end

    def close(self) -> None:
        """Stop reading; twice is once."""
        if self._read_end < 0:
            return
        self._loop.remove_reader(self._read_end)
        os.close(self._read_end)
        self._read_end = -1
        if self._rest:
            self._log.write(self._replica, self._rest.decode(errors="replace"))
            self._rest = b""
