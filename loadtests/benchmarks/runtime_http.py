"""Requests a second and latency of the runtime, beside a constant-answer ASGI app under uvicorn.

    python -m loadtests.benchmarks.runtime_http [--seconds 4] [--rounds 5]

Servers run on core 0, the load generator on core 1, rounds alternate in one run. The runtime checks
the token, validates, predicts (a logistic regression over iris) and counts; the other app does
nothing. The generator also drives a server that answers without parsing, whose rate is its own
ceiling: nothing near it is to be trusted. On a machine with other work, believe the best round and
the processor time a request.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import uvloop

from runtime.plan.ops import override
from tests.integration.runtime_rig import ROW, Keys, free_port, serving

SERVER_CORE, CLIENT_CORE = 0, 1
CONSTANT = b'{"predictions":[0],"model":"iris","version":1,"revision":"iris-00001"}'


async def constant_app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]  # ASGI
    """Read the body, answer the same for ever."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(CONSTANT))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": CONSTANT})


class Blind(asyncio.Protocol):
    """Answers every chunk without looking: what the generator can drive at most."""

    answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(CONSTANT), CONSTANT)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    @override
    def data_received(self, data: bytes) -> None:  # noqa: ARG002
        self.transport.write(self.answer)  # type: ignore[attr-defined]  # a stream's


class Caller(asyncio.Protocol):
    """One connection: sends, waits for the whole answer, notes the time, sends again."""

    def __init__(self, request: bytes, until: float, times: list[float], done: "Counter") -> None:
        self.request, self.until, self.times, self.done = request, until, times, done
        self.wanted = -1  # bytes of an answer, learnt from the first
        self.got = 0
        self.first = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        self.sent = time.perf_counter()
        self.transport.write(self.request)  # type: ignore[attr-defined]  # a stream's

    @override
    def data_received(self, data: bytes) -> None:
        self.got += len(data)
        if self.wanted < 0:
            self.first += data
            self.wanted = whole(self.first)
        if self.got < self.wanted or self.wanted < 0:
            return
        now = time.perf_counter()
        if self.got != self.wanted or not data:
            raise RuntimeError("answers of different lengths: the generator lost count")
        self.times.append(now - self.sent)
        self.got = 0
        if now < self.until:
            self.send()
        else:
            self.transport.close()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None or self.got:
            raise RuntimeError("the server closed a connection") from exc
        self.done.one()


class Counter:
    """Tells when all callers are done."""

    def __init__(self, callers: int) -> None:
        self.left = callers
        self.event = asyncio.Event()

    def one(self) -> None:
        self.left -= 1
        if not self.left:
            self.event.set()


def whole(answer: bytes) -> int:
    """Give the length of a whole answer once its head is here; -1 before."""
    head, end, _ = answer.partition(b"\r\n\r\n")
    if not end:
        return -1
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(answer.decode())
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    return len(head) + 4 + length


def cpu_s(pid: int) -> float:
    """Give the processor time of a process: what it would keep if its core were its own."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


async def drive(
    server: tuple[int, int], request: bytes, connections: int, seconds: float
) -> dict[str, float]:
    """Load a server, (port, pid); gives requests a second, latencies, its time a request."""
    port, pid = server
    loop = asyncio.get_running_loop()
    times: list[float] = []
    done = Counter(connections)
    began, cpu_began = time.perf_counter(), cpu_s(pid)
    for _ in range(connections):
        await loop.create_connection(
            lambda: Caller(request, began + seconds, times, done), "127.0.0.1", port
        )
    await done.event.wait()
    passed = time.perf_counter() - began
    ordered = sorted(times)
    return {
        "rps": len(times) / passed,
        "p50_us": 1e6 * ordered[len(ordered) // 2],
        "p99_us": 1e6 * ordered[int(0.99 * len(ordered))],
        "cpu_us": 1e6 * (cpu_s(pid) - cpu_began) / len(times),
    }


def start(stack: ExitStack, code: str, port: int) -> tuple[int, int]:
    """Run a server of the comparison on the servers' core until the end; gives (port, pid)."""
    process = subprocess.Popen([sys.executable, "-c", code])
    stack.callback(process.wait)
    stack.callback(process.kill)
    os.sched_setaffinity(process.pid, {SERVER_CORE})
    end = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return port, process.pid
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def measure(seconds: float, rounds: int) -> dict[str, dict[str, dict[str, float]]]:
    """Alternate between the servers; gives medians by connections, server and figure."""
    found: dict[str, dict[str, list[dict[str, float]]]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        keys = Keys(folder)
        worker = stack.enter_context(serving(folder, keys))
        os.sched_setaffinity(worker.process.pid, {SERVER_CORE})
        constant, blind = free_port(), free_port()
        constant_server = start(
            stack,
            "import uvicorn; from loadtests.benchmarks.runtime_http import constant_app as app;"
            f"uvicorn.run(app, port={constant}, loop='uvloop', http='httptools', lifespan='off',"
            "access_log=False, log_level='warning')",
            constant,
        )
        blind_server = start(
            stack,
            "import asyncio, uvloop\nfrom loadtests.benchmarks.runtime_http import Blind\n"
            "async def main():\n    loop = asyncio.get_running_loop()\n"
            f"    await (await loop.create_server(Blind, '127.0.0.1', {blind})).serve_forever()\n"
            "uvloop.run(main())",
            blind,
        )
        os.sched_setaffinity(0, {CLIENT_CORE})
        body = json.dumps([ROW]).encode()
        request = (
            b"POST /predict HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer "
            + keys.token().encode()
            + b"\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
            % (len(body), body)
        )
        servers = {
            "runtime": (worker.port, worker.process.pid),
            "uvicorn constant": constant_server,
            "generator's limit": blind_server,
        }
        for round_ in range(rounds + 1):
            for connections in (64, 1):
                for name, server in servers.items():
                    span = seconds if round_ else 0.5  # the first round only warms up
                    figures = uvloop.run(drive(server, request, connections, span))
                    if round_:
                        found.setdefault(str(connections), {}).setdefault(name, []).append(figures)
    return {
        connections: {
            name: {key: statistics.median(r[key] for r in runs) for key in runs[0]}
            | {
                "best_rps": max(r["rps"] for r in runs),
                "best_p50_us": min(r["p50_us"] for r in runs),
            }
            for name, runs in by_name.items()
        }
        for connections, by_name in found.items()
    }


def main() -> None:
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(name, None)
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    result = measure(options.seconds, options.rounds)
    figures = ("rps", "p50_us", "p99_us", "cpu_us", "best_rps", "best_p50_us")
    print(f"{'connections':>11} {'server':<18}" + "".join(f"{name:>13}" for name in figures))
    for connections, servers in result.items():
        for name, f in servers.items():
            print(f"{connections:>11} {name:<18}" + "".join(f"{f[key]:>13,.1f}" for key in figures))
    ours, theirs = "runtime", "uvicorn constant"
    many, one = result["64"], result["1"]
    ratios = {
        "rps_at_64": many[ours]["rps"] / many[theirs]["rps"],
        "best_rps_at_64": many[ours]["best_rps"] / many[theirs]["best_rps"],
        "requests_per_cpu_at_64": many[theirs]["cpu_us"] / many[ours]["cpu_us"],
        "p50_at_1": one[ours]["p50_us"] / one[theirs]["p50_us"],
        "best_p50_at_1": one[ours]["best_p50_us"] / one[theirs]["best_p50_us"],
        "of_generators_limit": many[ours]["best_rps"] / many["generator's limit"]["best_rps"],
    }
    print(json.dumps({"results": result, "ratios": ratios}, indent=2))


if __name__ == "__main__":
    main()
