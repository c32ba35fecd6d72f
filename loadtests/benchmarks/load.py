"""Load on a server: `wrk` where it is or can be had, otherwise a loop of our own.

Both keep a number of connections, one request in flight on each, and take about 8 µs a request. How
much that comes to is measured against a server that answers without looking; what comes near it
says little about the server.
"""

import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from loadtests.benchmarks.measuring import LOAD_CORE, family_cpu_s, pinned, quantile

NEAR: Final = 0.8  # of the generator's limit: above it a figure is the generator's
INSTALL_S: Final = 120.0

_SCRIPT: Final = """\
local file = assert(io.open({body}, "rb"))
wrk.method, wrk.path, wrk.body = "POST", {path}, file:read("*a")
file:close()
{headers}
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\\n{{"requests": %d, "seconds": %f, "p50_us": %f, "p99_us": %f, "errors": %d}}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


class LoadFailed(RuntimeError):
    """The server refused, closed or did not answer; such a round says nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent again and again."""

    port: int
    path: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def raw(self) -> bytes:
        """Give the bytes on the wire."""
        lines = [f"POST {self.path} HTTP/1.1", "host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines.append(f"content-length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True, slots=True)
class Driven:
    """What a round showed.

    busy  share of its core that the generator took; near 1 it is the limit
    """

    requests: int
    seconds: float
    p50_us: float
    p99_us: float
    busy: float

    @property
    def rps(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def generator() -> str:
    """Give the name of what drives; installs `wrk` where that is one command."""
    if shutil.which("wrk") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("installing the load generator: apt-get install wrk", flush=True)
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(
                ["apt-get", "install", "-y", "-q", "wrk"],
                check=False,
                timeout=INSTALL_S,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
    return "python" if shutil.which("wrk") is None else "wrk"


def drive(request: Request, connections: int, seconds: float, *, by: str) -> Driven:
    """Load a server with as many requests as it answers; raises LoadFailed."""
    with pinned(LOAD_CORE):
        return (_wrk if by == "wrk" else _python)(request, connections, seconds)


def _wrk(request: Request, connections: int, seconds: float) -> Driven:
    with tempfile.TemporaryDirectory() as folder:
        body, script = Path(folder, "body"), Path(folder, "script.lua")
        body.write_bytes(request.body)
        headers = "\n".join(
            f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}"
            for name, value in request.headers.items()
        )
        script.write_text(
            _SCRIPT.format(
                body=json.dumps(str(body)), path=json.dumps(request.path), headers=headers
            )
        )
        span, address = max(1, round(seconds)), f"http://127.0.0.1:{request.port}"
        spent = _children_s()
        ran = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{span}s", "-s", str(script), address],
            capture_output=True,
            text=True,
            timeout=seconds + 30,
            check=False,
        )
        spent = _children_s() - spent
    if ran.returncode:
        raise LoadFailed(ran.stdout + ran.stderr)
    told = json.loads(ran.stdout.splitlines()[-1])
    if told["errors"] or not told["requests"]:
        raise LoadFailed(ran.stdout)
    took = told["seconds"]
    return Driven(told["requests"], took, told["p50_us"], told["p99_us"], spent / took)


def _children_s() -> float:
    """Processor time of the children that have ended."""
    times = os.times()
    return times.children_user + times.children_system


class Link:
    """One connection with at most one request in flight."""

    __slots__ = ("_first", "_got", "_raw", "_rest", "_wanted", "began", "sock")

    def __init__(self, request: Request) -> None:
        self.sock = socket.create_connection(("127.0.0.1", request.port), timeout=10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setblocking(False)
        self._raw = request.raw()
        self._rest = memoryview(b"")
        self._wanted = -1  # bytes of an answer, learnt from the first
        self._got = 0
        self._first = b""
        self.began = 0.0

    def send(self, began: float) -> bool:
        """Begin a request; False when `more` must be called once there is room."""
        self.began = began
        sent = self.sock.send(self._raw)
        if sent == len(self._raw):
            return True
        self._rest = memoryview(self._raw)[sent:]
        return False

    def more(self) -> bool:
        """Go on with a request that found no room; True once it is out."""
        self._rest = self._rest[self.sock.send(self._rest) :]
        return not self._rest

    def answered(self) -> bool:
        """Read what is there; True when the answer is whole."""
        data = self.sock.recv(1 << 20)
        self._got += len(data)
        if self._wanted < 0:
            self._first += data
            self._wanted = whole(self._first)
        if self._got == self._wanted:
            self._got = 0
            return True
        if not data or self._got > self._wanted >= 0:
            raise LoadFailed("the server closed a connection, or its answers differ in length")
        return False


def whole(answer: bytes) -> int:
    """Give the length of a whole answer once its head is here; -1 before."""
    head, end, _ = answer.partition(b"\r\n\r\n")
    if not end:
        return -1
    if not head.startswith(b"HTTP/1.1 200"):
        raise LoadFailed(answer.decode(errors="replace"))
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    return len(head) + 4 + length


@contextlib.contextmanager
def links(request: Request, connections: int) -> Iterator[tuple[select.epoll, dict[int, Link]]]:
    """Open connections and a poll that tells which has something to read."""
    with contextlib.ExitStack() as stack:
        poll = stack.enter_context(select.epoll())
        opened: dict[int, Link] = {}
        for _ in range(connections):
            link = Link(request)
            stack.callback(link.sock.close)
            opened[link.sock.fileno()] = link
            poll.register(link.sock.fileno(), select.EPOLLIN)
        yield poll, opened


def begin(poll: select.epoll, link: Link, began: float) -> None:
    """Send on a connection, and be told when there is room for the rest."""
    if not link.send(began):
        poll.modify(link.sock.fileno(), select.EPOLLIN | select.EPOLLOUT)


def step(poll: select.epoll, link: Link, events: int) -> bool:
    """Do what a connection is ready for; True when its answer is whole."""
    if events & select.EPOLLOUT and link.more():
        poll.modify(link.sock.fileno(), select.EPOLLIN)
    return bool(events & ~select.EPOLLOUT) and link.answered()


def _python(request: Request, connections: int, seconds: float) -> Driven:
    clock, times = time.perf_counter, list[float]()
    spent = time.process_time()
    with links(request, connections) as (poll, opened):
        start = clock()
        for link in opened.values():
            begin(poll, link, clock())
        left, until = connections, start + seconds
        while left:
            ready = poll.poll(10)
            if not ready:
                raise LoadFailed("no answer for 10 seconds")
            for descriptor, events in ready:
                link = opened[descriptor]
                if not step(poll, link, events):
                    continue
                now = clock()
                times.append(now - link.began)
                if now < until:
                    begin(poll, link, now)
                else:
                    left -= 1
        took = clock() - start
    spent = time.process_time() - spent
    middle, late = quantile(times, 0.5), quantile(times, 0.99)
    return Driven(len(times), took, 1e6 * middle, 1e6 * late, spent / took)


def figures(
    request: Request, pid: int, connections: int, seconds: float, *, by: str
) -> dict[str, float]:
    """Load a server for a round; gives rates, latencies and its processor time a request."""
    before = family_cpu_s(pid)
    driven = drive(request, connections, seconds, by=by)
    spent = family_cpu_s(pid) - before
    return {
        "rps": driven.rps,
        "p50_us": driven.p50_us,
        "p99_us": driven.p99_us,
        "cpu_us": 1e6 * spent / driven.requests,
        "generator_busy": driven.busy,
    }
