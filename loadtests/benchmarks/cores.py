"""A call of seconds on one core and on two, and who else is answered meanwhile.

It is cut into pieces of some milliseconds, and they share the worker's cores. Between two pieces
there is room for other requests, which come here all the time: a row, and whether it is ready.
"""

import contextlib
import http.client
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier

from loadtests.benchmarks.examples import written
from loadtests.benchmarks.load import LoadFailed, Request
from loadtests.benchmarks.measuring import (
    CORES,
    Options,
    Raw,
    Row,
    alternating,
    at_most,
    number,
    quantile,
    times,
)
from loadtests.benchmarks.payloads import COLUMNS, binary, cost_of
from loadtests.benchmarks.serving import JSON, ask, runtime
from runtime.plan import load as load_plan
from tests.integration.runtime_rig import Keys, digest_of, free_port, launch_of

ROWS: Final = 10_000  # as many as one call may hold
TREES: Final = 1_000
ONE, TWO = "one core", "two cores"
PAUSE_S: Final = 0.005  # between two small requests
WITHIN_S: Final = 60.0
LATE_MS: Final = 100.0
ROW: Final = "a row"
READY: Final = "readiness"


def limit_s(options: Options) -> float:
    """Give the seconds it takes at most."""
    return 30 + each_s(options)


def each_s(options: Options) -> float:
    """Give the seconds for all rounds."""
    return 6 * options.seconds


def measure(options: Options) -> Raw:
    """Send the same call to both in turn."""
    if len(CORES) < 2:
        return {"skipped": "this machine has one core"}
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as sides:
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
        for large, small in sides.values():
            round_of(large, small)
        for _, name in alternating(list(sides), options.rounds, each_s(options)):
            found = round_of(*sides[name])
            runs[name].append(found)
            cells = ", ".join(f"{figure} {number(value)}" for figure, value in found.items())
            print(f"{name}: {cells}", flush=True)
    return {"runs": runs}


@contextlib.contextmanager
def running(folder: Path) -> Iterator[dict[str, tuple[Request, Request]]]:
    """Serve a forest on one core and on two; gives a large request and a small one of each."""
    keys, path = Keys(folder), folder / "forest.plan"
    x, y = make_classification(2000, COLUMNS, n_informative=10, n_classes=3, random_state=0)
    model = RandomForestClassifier(TREES, random_state=0).fit(x, y)
    written(model, path)
    written(model, path, cost_of(load_plan(path)))
    many = np.random.default_rng(0).normal(size=(ROWS, COLUMNS))
    expected = load_plan(path).run("predict", many[:1]).tolist()
    token = {"authorization": f"Bearer {keys.token()}"}
    sides: dict[str, tuple[Request, Request]] = {}
    with contextlib.ExitStack() as stack:
        for name, cores in ((ONE, CORES[:1]), (TWO, CORES[:2])):
            launch = launch_of(folder, keys, port=free_port())
            revision = launch.revisions[0]._replace(artifact=str(path), sha256=digest_of(path))
            launch = launch._replace(revisions=(revision,))
            stack.enter_context(runtime(folder, launch, keys, cores))
            body = json.dumps(many[:1].tolist()).encode()
            small = Request(launch.port, "/predict", body, JSON | token)
            if ask(small)["predictions"] != expected:
                raise RuntimeError("the server does not predict what the plan does")
            sides[name] = binary(launch.port, launch.endpoint, many, token), small
        yield sides


def round_of(large: Request, small: Request) -> dict[str, float]:
    """Have the large one answered, and small ones meanwhile; gives seconds and milliseconds."""
    found: dict[str, list[float]] = {ROW: [], READY: []}
    connection = http.client.HTTPConnection("127.0.0.1", small.port, timeout=WITHIN_S)
    with contextlib.closing(connection), ThreadPoolExecutor(1) as pool:
        asked("POST", small, connection)
        asking = pool.submit(timed, large)
        while not asking.done():
            found[ROW].append(asked("POST", small, connection))
            found[READY].append(asked("GET", replace(small, path="/v2/health/ready"), connection))
            time.sleep(PAUSE_S)
    return {"s": asking.result()} | {
        f"{name}, {called}, ms": 1000 * value
        for name, seconds in found.items()
        for called, value in (
            ("median", statistics.median(seconds)),
            ("p99", quantile(seconds, 0.99)),
            ("worst", max(seconds)),
        )
    }


def timed(request: Request) -> float:
    """Give the seconds of one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", request.port, timeout=WITHIN_S)
    with contextlib.closing(connection):
        return asked("POST", request, connection)


def asked(method: str, request: Request, connection: http.client.HTTPConnection) -> float:
    """Give the seconds until a request was answered well."""
    began = time.perf_counter()
    body = request.body if method == "POST" else None
    connection.request(method, request.path, body, request.headers)
    answer = connection.getresponse()
    told = answer.read()
    if answer.status != 200:
        raise LoadFailed(f"{request.path}: {answer.status} {told[:200]!r}")
    return time.perf_counter() - began


def rows(raw: Raw) -> list[Row]:
    """Compare both, and tell how long small requests waited."""
    what = f"{ROWS:,} rows through {TREES} trees, one core against two"
    if "skipped" in raw:
        return [Row(what, "skipped", note=raw["skipped"])]
    seconds = {
        name: statistics.median(run["s"] for run in raw["runs"][name]) for name in (ONE, TWO)
    }
    note = f"{number(seconds[ONE])} against {number(seconds[TWO])} s"
    lines = [Row(what, times(seconds[ONE] / seconds[TWO]), note=note)]
    for name in (ROW, READY):
        late = {
            side: max(run[f"{name}, p99, ms"] for run in raw["runs"][side]) for side in (ONE, TWO)
        }
        middle = statistics.median(run[f"{name}, median, ms"] for run in raw["runs"][ONE])
        worst = max(run[f"{name}, worst, ms"] for run in raw["runs"][ONE])
        told = (
            f"median {number(middle)}, worst {number(worst)}; on two cores {number(late[TWO])} ms"
        )
        called = f"{name} meanwhile on one core, 99th percentile of the worst round"
        lines.append(at_most(called, late[ONE], LATE_MS, " ms", told))
    return lines
