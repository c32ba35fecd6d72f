"""The servers of a comparison: on the servers' core, up before they are asked, gone afterwards."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from loadtests.benchmarks.load import Request
from loadtests.benchmarks.measuring import ROOT, SERVER_CORE, environment_for_measuring, pinned
from runtime.launch import Launch
from tests.integration.runtime_rig import Keys, served

UP_WITHIN_S: Final = 60.0
JSON: Final = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Server:
    """A process that listens."""

    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class Side:
    """A server, and what it is asked."""

    server: Server
    request: Request


@contextlib.contextmanager
def runtime(
    folder: Path, launch: Launch, keys: Keys, cores: Sequence[int] = (SERVER_CORE,)
) -> Iterator[Server]:
    """Run `python -m runtime`; gives it once it is ready."""
    with contextlib.ExitStack() as stack:
        with pinned(*cores):
            worker = stack.enter_context(served(launch, keys, folder / "worker.log"))
        yield Server(worker.port, worker.process.pid)


@contextlib.contextmanager
def program(
    argv: Sequence[str],
    port: int,
    env: Mapping[str, str] | None = None,
    within_s: float = UP_WITHIN_S,
) -> Iterator[Server]:
    """Run a server; gives it once it listens. Its output is shown only if it fails."""
    log = Path(f"/proc/self/fd/{os.memfd_create('log')}")
    with log.open("w+b") as out, pinned(SERVER_CORE):
        process = subprocess.Popen(
            argv,
            env={**environment_for_measuring(), **(env or {})},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _await_port(process, port, log, within_s)
        yield Server(port, process.pid)
    except Exception as error:
        error.add_note(f"{argv[0]} said: {log.read_text()[-2000:]}")
        raise
    finally:
        end(process)


def _await_port(process: subprocess.Popen[bytes], port: int, log: Path, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while True:
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            connection.connect()
            connection.close()
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} does not listen: {log.read_text()[-2000:]}")
        time.sleep(0.05)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all below it, also what made itself a group of its own."""
    family: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    process.kill()
    process.wait()
    for child in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def uvicorn(app: str, port: int, python: str = sys.executable) -> list[str]:
    """Give the command that serves an ASGI application as fast as uvicorn can."""
    fast = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    return [python, "-m", "uvicorn", app, "--port", str(port), *fast]


def module(name: str, *arguments: str) -> list[str]:
    """Give the command that runs one of our modules."""
    return [sys.executable, "-m", name, *arguments]


def ask(request: Request, within_s: float = UP_WITHIN_S) -> Any:
    """Make one request, which must be answered well; waits for a server that is still loading."""
    deadline = time.monotonic() + within_s
    while True:
        status, body = _answer(request)
        if status == 200:
            return json.loads(body)
        if status not in (0, 404, 503) or time.monotonic() > deadline:
            raise RuntimeError(f"{request.path} at {request.port}: {status} {body[:500]!r}")
        time.sleep(0.1)


def _answer(request: Request) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", request.port, timeout=10)
    try:
        connection.request("POST", request.path, request.body, request.headers)
        response = connection.getresponse()
        return response.status, response.read()
    except OSError as error:
        return 0, str(error).encode()
    finally:
        connection.close()
