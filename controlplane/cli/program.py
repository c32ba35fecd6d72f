"""`python -m loadtests` as a process of a command: told a document, followed by lines of JSON."""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

import click

FAILED, INTERRUPTED = 1, 130
INSTALL: Final = (
    "Load tests from here need one more package: pip install 'kubeserve[loadtest]'. With --remote"
    " the installation runs them."
)


def command(name: str) -> list[str]:
    """Give the command line of one of its commands; raises click.ClickException."""
    if importlib.util.find_spec("locust") is None:
        raise click.ClickException(INSTALL)
    return [sys.executable, "-m", "loadtests", name, "-"]


@dataclass(frozen=True, slots=True)
class Running:
    """The process while it runs."""

    process: subprocess.Popen[str]

    def events(self) -> Iterator[dict[str, Any]]:
        """Give what it tells, to its end."""
        if self.process.stdout is None:
            raise AssertionError("it is a pipe")
        yield from map(json.loads, self.process.stdout)

    def wait(self) -> int:
        """Wait for its end; gives the exit code of the command."""
        code = self.process.wait()
        if code == -signal.SIGINT:  # before it had begun
            return INTERRUPTED
        return FAILED if code < 0 else code


@contextlib.contextmanager
def started(argv: list[str], document: dict[str, Any], url: str | None) -> Iterator[Running]:
    """Start it. SIGINT and SIGTERM are its own meanwhile: it ends early and says how it was.

    A terminal's Ctrl-C reaches it anyway; what is sent to us alone is passed on. So there is no
    line of ours that an interrupt could break off.
    """
    asked: list[int] = []
    process: subprocess.Popen[str] | None = None

    def pass_on(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  (as signal calls it)
        asked.append(number)
        if process is not None and process.poll() is None:
            process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    env = {**os.environ, **({"KUBESERVE_URL": url} if url else {})}
    try:
        with subprocess.Popen(  # noqa: S603  (our own program)
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True
        ) as process:
            for number in asked:
                process.send_signal(number)
            _tell(process, document)
            try:
                yield Running(process)
            except BaseException:
                process.terminate()  # nobody listens any more
                raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(process: subprocess.Popen[str], document: dict[str, Any]) -> None:
    if process.stdin is None:
        raise AssertionError("it is a pipe")
    with contextlib.suppress(BrokenPipeError):  # it has ended already, and its code says how
        process.stdin.write(json.dumps(document))
        process.stdin.close()


def silent(code: int) -> str:
    """Say in words that it ended without a word."""
    if code == INTERRUPTED:
        return "It was interrupted before it began."
    return f"The load generator ended with {code} and said nothing more."
