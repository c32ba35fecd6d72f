"""What logging requests costs who asks, and what is left of it while the object store hangs.

First a worker by itself: nothing logged, a tenth, all, and a tenth of which nothing is taken any
more. Then a whole installation whose MinIO is stopped for minutes under load (SIGSTOP: it takes
connections and answers nothing), and goes on again.
"""

import contextlib
import http.client
import json
import os
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import joblib
import psutil
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from controlplane.client import Client
from loadtests.benchmarks import load
from loadtests.benchmarks.installation import installation
from loadtests.benchmarks.load import Request
from loadtests.benchmarks.measuring import (
    Options,
    Raw,
    Row,
    alternating,
    at_least,
    at_most,
    family_rss_mb,
    medians,
    number,
    quantile,
)
from loadtests.benchmarks.serving import JSON, Side, ask, runtime
from runtime import spool
from runtime.payload_log import PayloadLog
from tests.integration import minio_server
from tests.integration.runtime_rig import ROW, Keys, free_port, launch_of

OFF, TENTH, ALL, FULL = "off", "a tenth", "all", "a tenth, none taken"
SHARES: Final = {TENTH: 0.1, ALL: 1.0, FULL: 0.1}
CONNECTIONS: Final = 64
RATE, ROWS_EACH = 100, 200  # a second; of a request
BEFORE_S: Final = 30.0
SETTLED_S: Final = 180.0
MOST_GROWN_MB: Final = 12.0


def cost_limit_s(options: Options) -> float:
    """Give the seconds that costs take at most."""
    return 120 + 5 * len(SHARES) * options.rounds * options.seconds


def down_limit_s(options: Options) -> float:
    """Give the seconds that a store which hangs takes at most."""
    return 60 * options.minutes + 2 * BEFORE_S + SETTLED_S + 180


# A worker by itself


def cost(options: Options) -> Raw:
    """Let workers that log more and less take turns."""
    by = load.generator()
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in (OFF, *SHARES)}
    with contextlib.ExitStack() as stack:
        sides = {name: stack.enter_context(logging_worker(name)) for name in runs}
        for side in sides.values():
            load.drive(side.request, CONNECTIONS, 0.5, by=by)
        for _, name in alternating(list(runs), options.rounds):
            side = sides[name]
            runs[name].append(
                load.figures(side.request, side.server.pid, CONNECTIONS, options.seconds, by=by)
            )
    for name, rounds in runs.items():
        middle = medians(rounds)
        print(f"{name}: {', '.join(f'{k} {number(v)}' for k, v in middle.items())}", flush=True)
    return runs


@contextlib.contextmanager
def logging_worker(name: str) -> Iterator[Side]:
    """Serve iris, and take away what is logged, but where none is."""
    with tempfile.TemporaryDirectory() as made, contextlib.ExitStack() as stack:
        folder = Path(made)
        keys, put = Keys(folder), folder / "payloads"
        put.mkdir()
        launch = launch_of(folder, keys, port=free_port())
        if name != OFF:
            log = PayloadLog("bench", SHARES[name], folder=str(put))
            launch = launch._replace(payloads=log.write())
        if name == FULL:
            with (put / f"other{spool.BATCH}").open("wb") as file:
                file.truncate(spool.MOST_BYTES)
        else:
            stack.enter_context(taking(put))
        server = stack.enter_context(runtime(folder, launch, keys))
        headers = JSON | {"authorization": f"Bearer {keys.token()}"}
        request = Request(server.port, "/predict", json.dumps([ROW]).encode(), headers)
        if ask(request)["predictions"] != [0]:
            raise RuntimeError("the server does not predict what it should")
        yield Side(server, request)


@contextlib.contextmanager
def taking(folder: Path) -> Iterator[None]:
    """Remove batches as whoever makes files of them does."""
    ending = threading.Event()

    def take() -> None:
        while not ending.wait(1.0):
            for name, _ in spool.batches(folder):
                (folder / name).unlink(missing_ok=True)

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


# A store that hangs


@dataclass
class Phase:
    """What was seen of a stretch of time."""

    seconds: float
    latencies_s: list[float] = field(default_factory=list)
    wrong: int = 0
    late: int = 0
    engine_mb: list[float] = field(default_factory=list)
    api_mb: list[float] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """Give what is kept."""
        return {
            "seconds": self.seconds,
            "requests": len(self.latencies_s),
            "wrong": self.wrong,
            "late": self.late,
            "p50_ms": 1000 * statistics.median(self.latencies_s),
            "p99_ms": 1000 * quantile(self.latencies_s, 0.99),
            "engine_mb": self.engine_mb,
            "api_mb": self.api_mb,
        }


def down(options: Options) -> Raw:
    """Ask all the while; the store hangs for some minutes in the middle."""
    seconds = 60 * options.minutes
    if minio_server.program() is None:
        raise RuntimeError("no MinIO: install it as `minio`, or Go to build it with")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store = stack.enter_context(minio_server.running(folder))
        settings = {"store": store.url("kubeserve"), "payloads_every_s": "5"}
        client, home = stack.enter_context(installation(3, **settings))
        minio = listener(store.port)
        asker = prepared(client, folder)
        look = watch(home)
        found = {"before": asked(asker, min(BEFORE_S, seconds), look)}
        os.kill(minio, signal.SIGSTOP)
        try:
            found["down"] = asked(asker, seconds, look)
        finally:
            os.kill(minio, signal.SIGCONT)
        found["after"] = asked(asker, min(BEFORE_S, seconds), look)
        for name, phase in found.items():
            told = {k: v for k, v in phase.items() if not isinstance(v, list)}
            memory = f"{phase['engine_mb'][0]:.1f} to {max(phase['engine_mb']):.1f} MB"
            print(f"{name}: {told}, engine {memory}", flush=True)
        days = settled(client)
        print(f"counted: {days}", flush=True)
        return {**found, "counted": days}


def listener(port: int) -> int:
    """Find our own MinIO by its port."""
    found = [
        one.pid
        for one in psutil.net_connections("tcp")
        if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port
    ]
    return int(next(filter(None, found)))


def prepared(client: Client, folder: Path) -> Callable[[], tuple[int, bytes]]:
    """Deploy a model of which all is logged; gives what asks it once."""
    x, y = load_iris(return_X_y=True)
    file = folder / "iris.joblib"
    joblib.dump(LogisticRegression(max_iter=500).fit(x, y), file)
    client.push(file, "iris")
    client.deploy("iris", scaling={"min_scale": 1, "max_scale": 1})
    client.set_payload_log("iris", 1.0, redact=["x3"])
    url = client.wait_for_endpoint("iris").url or ""
    address, rows = urlsplit(url), x[:1].tolist() * ROWS_EACH
    body = json.dumps(rows).encode()
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)

    def ask_once() -> tuple[int, bytes]:
        headers = JSON | {"authorization": f"Bearer {client.token('iris')}"}
        connection.request("POST", "/predict", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    if ask_once()[0] != 200:
        raise RuntimeError("the endpoint does not answer")
    return ask_once


def watch(home: Path) -> Callable[[], tuple[float, float]]:
    """Give what tells the memory of engine and workers, and of the API."""
    keeper = psutil.Process(int((home / "keeper.pid").read_text().split()[0]))
    children = {" ".join(one.cmdline()): one.pid for one in keeper.children()}
    engine = next(pid for line, pid in children.items() if "supervisor" in line)
    api = next(pid for line, pid in children.items() if line.rstrip().endswith("api"))
    return lambda: (family_rss_mb(engine), psutil.Process(api).memory_info().rss / 1e6)


def asked(
    ask_once: Callable[[], tuple[int, bytes]],
    seconds: float,
    look: Callable[[], tuple[float, float]],
) -> dict[str, Any]:
    """Ask at a steady rate; latencies count from when a request was due."""
    phase, clock = Phase(seconds), time.perf_counter
    start = clock()
    usual = json.dumps([0] * ROWS_EACH).replace(" ", "")
    for number_ in range(int(seconds * RATE)):
        due = start + number_ / RATE
        if number_ % (2 * RATE) == 0:
            engine_mb, api_mb = look()
            phase.engine_mb.append(engine_mb)
            phase.api_mb.append(api_mb)
        pause = due - clock()
        if pause > 0:
            time.sleep(pause)
        phase.late += clock() - due > 1 / RATE
        began = clock()
        status, body = ask_once()
        phase.latencies_s.append(clock() - began)
        phase.wrong += status != 200 or usual.encode() not in body.replace(b" ", b"")
    return phase.told()


def settled(client: Client) -> dict[str, int]:
    """Wait until all that was chosen is in a file, or counted as dropped; gives the sums."""
    until = time.monotonic() + SETTLED_S
    while True:
        sums = counted(client.payload_log("iris")["days"])
        if sums["sampled"] == sums["logged"] + sums["dropped"] or time.monotonic() > until:
            return sums
        time.sleep(1)


def counted(days: list[dict[str, Any]]) -> dict[str, int]:
    """Add up days."""
    sums = {name: sum(day[name] for day in days) for name in ("seen", "sampled", "logged")}
    reasons = [day["dropped"] for day in days]
    dropped = {name: sum(one[name] for one in reasons) for name in reasons[0]} if reasons else {}
    return {**sums, **dropped, "dropped": sum(dropped.values())}


# What it shows


def cost_rows(raw: Raw) -> list[Row]:
    """Hold processor time against that without, the best of rounds."""
    best = {name: min(one["cpu_us"] for one in rounds) for name, rounds in raw.items()}
    rates = {name: medians(rounds)["rps"] for name, rounds in raw.items()}
    lines = []
    for name, least in ((TENTH, 0.9), (FULL, 0.9), (ALL, 0.5)):
        note = (
            f"{number(best[name])} and {number(best[OFF])} µs of processor time;"
            f" {number(rates[name])} and {number(rates[OFF])} requests/s"
        )
        called = f"requests that a core answers, logging {name}, against logging nothing"
        lines.append(at_least(called, best[OFF] / best[name], least, note=note))
    return lines


def down_rows(found: Raw) -> list[Row]:
    """Hold latencies and memory against those before."""
    before, hung, sums = found["before"], found["down"], found["counted"]
    minutes = number(hung["seconds"] / 60)
    what = f"object store hangs for {minutes} minutes at {RATE}/s of {ROWS_EACH} rows, all logged"
    note = (
        f"median {before['p50_ms']:.2f} and {hung['p50_ms']:.2f} ms, 99th percentile"
        f" {before['p99_ms']:.2f} and {hung['p99_ms']:.2f}; {hung['wrong']} wrong answers"
    )
    grown = max(hung["engine_mb"]) - max(before["engine_mb"])
    adds_up = sums["sampled"] == sums["logged"] + sums["dropped"]
    told = f"{sums['sampled']:,} chosen, {sums['logged']:,} logged, {sums['dropped']:,} dropped"
    return [
        at_most(f"median latency, {what}", hung["p50_ms"] / before["p50_ms"], 1.2, note=note),
        at_most("memory that engine and workers grew by meanwhile", grown, MOST_GROWN_MB, " MB"),
        Row("chosen requests that are neither in a file nor counted as dropped",
            number(sums["sampled"] - sums["logged"] - sums["dropped"]), "0", adds_up, told),
    ]  # fmt: skip
