"""Keeps Postgres, supervisor and API running on one machine; everything ends with it.

One thread, one loop: start what is missing, wait for a child to end or a signal, start it again
after a backoff. No server is imported here, so that it stays small.
"""

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from controlplane import postgres
from controlplane.settings import EngineKind, Settings
from runtime.lines import say

FIRST_BACKOFF_S: Final = 0.1
MOST_BACKOFF_S: Final = 10.0
STEADY_S: Final = 30.0  # a child that ran this long starts with a fresh backoff
STOP_WITHIN_S: Final = 15.0
WARNING: Final = {"level": "warning", "logger": "kubeserve.keeper"}


@dataclass
class Child:
    """One process to keep. `stop_with`: the signal of its graceful end."""

    name: str
    start: Callable[[], "subprocess.Popen[bytes]"]
    stop_with: signal.Signals = signal.SIGTERM
    process: "subprocess.Popen[bytes] | None" = None
    failures: int = 0
    started_at: float = 0.0
    retry_at: float = 0.0


def main(settings: Settings, check: Callable[[], None] = lambda: None) -> None:
    """Run until SIGTERM or SIGINT; exits 75 when another keeper has this home folder.

    check  called once the home folder is ours; ends the start if something could never come up
    """
    home = settings.home
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    (home / "logs").mkdir(exist_ok=True)
    with lock(home):
        check()
        _write_pid(home / "keeper.pid", settings)
        try:
            Keeper(settings).run()
        finally:
            (home / "keeper.pid").unlink(missing_ok=True)


@contextlib.contextmanager
def lock(home: Path) -> Iterator[None]:
    """Hold the home folder; the kernel lets go when we die."""
    with (home / "keeper.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write(f"another KubeServe runs in {home}; stop it with: kubeserve down\n")
            raise SystemExit(75) from None
        yield


def _write_pid(path: Path, settings: Settings) -> None:
    """Say which process keeps this folder, and where its API is: on this machine, and for all."""
    started = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    part = path.with_suffix(".part")
    part.write_text(f"{os.getpid()} {started} {settings.local_url} {settings.public_url}\n")
    part.rename(path)


class Keeper:
    """The children, in the order they are started."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._home = settings, settings.home
        self._env = {
            **os.environ,
            "KUBESERVE_HOME": str(self._home),
            "KUBESERVE_KEEPER_PID": str(os.getpid()),
        }
        log = self._home / "logs"
        self._children = [Child("api", lambda: self._program("api"))]
        if settings.engine is EngineKind.EMBEDDED:
            self._children.insert(0, Child("supervisor", lambda: self._program("supervisor")))
            if settings.gateway:
                self._children.append(Child("gateway", lambda: self._program("gateway")))
        if settings.database_url is None:
            own = Child(
                "postgres",
                lambda: postgres.start(self._home, log / "postgres.log"),
                stop_with=signal.SIGINT,
            )
            self._children.insert(0, own)
        self._stopping = False

    def _program(self, role: str) -> "subprocess.Popen[bytes]":
        with (self._home / "logs" / f"{role}.log").open("ab") as sink:
            return subprocess.Popen(  # noqa: S603  (our own module, no shell)
                [sys.executable, "-m", "controlplane", role],
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )

    def run(self) -> None:
        """Keep the children until a signal says stop."""
        woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            while not self._stopping:
                self._start_missing()
                if select.select([woken], [], [], self._wait_s())[0]:
                    os.read(woken, 4096)
        finally:
            self._stop()

    def _on_stop(self, *_: object) -> None:
        self._stopping = True

    def _start_missing(self) -> None:
        now = time.monotonic()
        # Postgres last: making its folder takes as long as the API takes to import, and the API
        # waits for it.
        for child in reversed(self._children):
            if child.process is not None and child.process.poll() is not None:
                self._ended(child, now)
            if child.process is None and now >= child.retry_at:
                self._start(child, now)

    def _start(self, child: Child, now: float) -> None:
        try:
            child.process, child.started_at = child.start(), now
        except (OSError, subprocess.SubprocessError) as error:
            say(f"{child.name} could not be started: {error}", **WARNING)
            child.failures += 1
            child.retry_at = now + self._backoff_s(child)

    def _ended(self, child: Child, now: float) -> None:
        code = child.process.returncode if child.process else 0
        child.process = None
        if now - child.started_at > STEADY_S:
            child.failures = 0
        child.retry_at = now + (self._backoff_s(child) if child.failures else 0)
        child.failures += 1
        say(f"{child.name} ended with {code}; starting it again", **WARNING)

    def _backoff_s(self, child: Child) -> float:
        return float(min(MOST_BACKOFF_S, FIRST_BACKOFF_S * 2 ** min(child.failures, 20)))

    def _wait_s(self) -> float:
        now = time.monotonic()
        waiting = [c.retry_at - now for c in self._children if c.process is None]
        return max(0.01, min(waiting, default=3600.0))

    def _stop(self) -> None:
        """Stop in reverse order; whoever does not stop in time is killed."""
        for child in reversed(self._children):
            if child.process is None or child.process.poll() is not None:
                continue
            child.process.send_signal(child.stop_with)
            try:
                child.process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                say(
                    f"{child.name} did not stop within {STOP_WITHIN_S:.0f} s and is killed",
                    **WARNING,
                )
                child.process.kill()
                child.process.wait()
