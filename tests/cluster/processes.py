"""Servers as processes of this host: started with a log and a pid file, stopped by them alone."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

STOP_WITHIN_S: Final = 3.0
# Held, because they run on when this program forgets them; another program may end them too.
_children: dict[int, "subprocess.Popen[bytes]"] = {}


class ClusterBroken(RuntimeError):
    """The cluster did not do what it should; the text says what, and shows the log."""


def start(
    run: Path, name: str, command: Sequence[str | Path], env: Mapping[str, str] | None = None
) -> None:
    """Start a server of its own session; it outlives this program."""
    with (run / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **(env or {})},
        )
    _children[process.pid] = process
    _put_down(run, name, process.pid)


def hold(run: Path, name: str) -> None:
    """Put this process down as the one that all in `run` goes with."""
    _put_down(run, name, os.getpid())


def was_held(run: Path, name: str) -> bool:
    """Tell whether some process was put down under this name, whether it lives or not."""
    return _pid_file(run, name).exists()


def alive(run: Path, name: str) -> int | None:
    """Give the pid of a server that runs; the time of its birth guards against reused pids."""
    try:
        pid, born = _pid_file(run, name).read_text().split()
    except (OSError, ValueError):
        return None
    return int(pid) if _born(int(pid)) == born else None


def must_live(run: Path, name: str) -> None:
    """Raise with the end of its log if a server has ended."""
    if alive(run, name) is None:
        raise ClusterBroken(f"{name} ended; the end of its log:\n{log_end(run, name)}")


def log_end(run: Path, name: str, lines: int = 15) -> str:
    """Give the last lines of a server's log."""
    try:
        return "\n".join((run / f"{name}.log").read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"


def stop(run: Path, name: str) -> None:
    """End a server: asked first, then killed; nothing there is success."""
    pid = alive(run, name)
    if pid is not None:
        end(pid)
    _pid_file(run, name).unlink(missing_ok=True)


def end(pid: int) -> None:
    """End one process and wait for it by its descriptor."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(descriptor, signal.SIGTERM)
        if not _ended(descriptor, pid, STOP_WITHIN_S):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            _ended(descriptor, pid, STOP_WITHIN_S)
    except ProcessLookupError:
        return
    finally:
        os.close(descriptor)


def _ended(descriptor: int, pid: int, seconds: float) -> bool:
    readable, _, _ = select.select([descriptor], [], [], seconds)
    if readable and (child := _children.pop(pid, None)):
        child.wait()
    return bool(readable)


class Deadline:
    """Tries a condition until it holds or time is up: for servers that have no way to call."""

    def __init__(self, what: str, seconds: float, pause_s: float = 0.1) -> None:
        self._what, self._end = what, time.monotonic() + seconds
        self._pause_s = pause_s

    def again(self, last: object = "") -> None:
        """Wait a moment, or raise with what was seen last."""
        if time.monotonic() > self._end:
            raise ClusterBroken(f"{self._what} did not happen in time. {last}")
        time.sleep(self._pause_s)


def _pid_file(run: Path, name: str) -> Path:
    return run / f"{name}.pid"


def _put_down(run: Path, name: str, pid: int) -> None:
    _pid_file(run, name).write_text(f"{pid} {_born(pid)}\n")


def _born(pid: int) -> str | None:
    try:
        # The command's name may hold spaces and brackets: count from the last bracket.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]
