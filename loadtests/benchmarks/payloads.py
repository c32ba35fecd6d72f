"""Larger requests against what cannot be saved: the prediction itself, and a request on this stack.

In the same run: the plan in process, and uvicorn with two applications that get the very same
bodies, one that only reads them and one that makes a matrix of them. The rate that they would allow
together is 1 / (prediction + request).
"""

import contextlib
import http.client
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from loadtests.benchmarks import load
from loadtests.benchmarks.examples import written
from loadtests.benchmarks.load import Request
from loadtests.benchmarks.measuring import (
    SERVER_CORE,
    Options,
    Raw,
    Row,
    alternating,
    at_least,
    medians,
    number,
    pinned,
)
from loadtests.benchmarks.serving import JSON, Server, Side, ask, program, runtime, uvicorn
from runtime.plan import Plan
from runtime.plan import load as load_plan
from tests.integration.runtime_rig import Keys, digest_of, free_port, launch_of

COLUMNS: Final = 30
JSON_ROWS, BINARY_ROWS = 100, 10_000
JSON_BODY: Final = f"{JSON_ROWS} rows of {COLUMNS} columns, JSON"
BINARY_BODY: Final = f"{BINARY_ROWS:,} rows of {COLUMNS} columns, V2 binary"
OURS, PREDICT = "runtime", "in process"
READS, PARSES = "uvicorn reads", "uvicorn parses"
CONNECTIONS: Final = 4
SHARE: Final = 0.5  # of a round for each server; half of that for predictions in process
AIM: Final = 90.0
# It waits for what is in flight at the end, which is much where a request takes long.
BY: Final = "python"
EXTENSION: Final = "binary_tensor_data"
APPS: Final = "loadtests.benchmarks.apps"


@dataclass(frozen=True, slots=True)
class Sides:
    """One body's servers, and its prediction in process."""

    servers: dict[str, Side]
    plan: Plan
    rows: NDArray[np.float64]


def limit_s(options: Options) -> float:
    """Give the seconds it takes at most."""
    return 40 + 4 * each_s(options)


def each_s(options: Options) -> float:
    """Give the seconds at most for one body and one model."""
    return 4 + 1.2 * options.rounds * options.seconds


def measure(options: Options) -> Raw:
    """Measure two models, a linear one and a forest, with both bodies."""
    found: Raw = {"runs": {}, "skipped": {}}
    x, y = make_classification(2000, COLUMNS, n_informative=10, n_classes=3, random_state=0)
    models = {
        "linear model": LogisticRegression(max_iter=1000).fit(x, y),
        "forest of 100": RandomForestClassifier(100, random_state=0).fit(x, y),
    }
    for name, model in models.items():
        with tempfile.TemporaryDirectory() as folder, running(Path(folder), model) as bodies:
            for body, sides in bodies.items():
                what = f"{body}, {name}"
                if isinstance(sides, str):
                    found["skipped"][what] = sides
                    print(f"{what}: skipped, {sides}", flush=True)
                    continue
                found["runs"][what] = rounds_of(sides, options)
                show(what, found["runs"][what])
    return found


def rounds_of(sides: Sides, options: Options) -> dict[str, list[dict[str, float]]]:
    """Let servers and the plan take turns."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in (*sides.servers, PREDICT)}
    for side in sides.servers.values():
        load.drive(side.request, CONNECTIONS, 0.5, by=BY)
    for _, name in alternating(list(runs), options.rounds, each_s(options) - 4):
        if name == PREDICT:
            runs[name].append(predicted(sides, SHARE * SHARE * options.seconds))
        else:
            side = sides.servers[name]
            span = SHARE * options.seconds
            run = load.figures(side.request, side.server.pid, CONNECTIONS, span, by=BY)
            runs[name].append(run)
    return runs


def predicted(sides: Sides, seconds: float) -> dict[str, float]:
    """Give the microseconds of a prediction: by the clock, and on the core."""
    wall, cpu = list[float](), list[float]()
    with pinned(SERVER_CORE):
        until = time.perf_counter() + seconds
        while time.perf_counter() < until or not wall:
            began, spent = time.perf_counter(), time.process_time()
            sides.plan.run("predict", sides.rows)
            cpu.append(time.process_time() - spent)
            wall.append(time.perf_counter() - began)
    return {"us": 1e6 * statistics.median(wall), "cpu_us": 1e6 * statistics.median(cpu)}


@contextlib.contextmanager
def running(folder: Path, model: Any) -> Iterator[dict[str, Sides | str]]:
    """Serve a model; gives the sides of both bodies, or why one cannot be sent."""
    keys, path = Keys(folder), folder / "model.plan"
    written(model, path)
    written(model, path, cost_of(load_plan(path)))
    plan, rows = load_plan(path), np.random.default_rng(0).normal(size=(BINARY_ROWS, COLUMNS))
    token = {"authorization": f"Bearer {keys.token()}"}
    launch = launch_of(folder, keys, port=free_port())
    revision = launch.revisions[0]._replace(artifact=str(path), sha256=digest_of(path))
    launch = launch._replace(revisions=(revision,))
    with contextlib.ExitStack() as stack:
        servers = {OURS: stack.enter_context(runtime(folder, launch, keys))}
        for name, app in ((READS, "constant"), (PARSES, "parsing")):
            command = uvicorn(f"{APPS}.constant:{app}", port := free_port())
            servers[name] = stack.enter_context(program(command, port))
        few = rows[:JSON_ROWS]
        small = Request(launch.port, "/predict", json.dumps(few.tolist()).encode(), JSON | token)
        if ask(small)["predictions"] != plan.run("predict", few).tolist():
            raise RuntimeError("the server does not predict what the plan does")
        found: dict[str, Sides | str] = {JSON_BODY: Sides(asked(servers, small), plan, few)}
        if EXTENSION in extensions(launch.port, token):
            large = binary(launch.port, launch.endpoint, rows, token)
            readers = {name: servers[name] for name in (OURS, READS)}
            found[BINARY_BODY] = Sides(asked(readers, large), plan, rows)
        else:
            found[BINARY_BODY] = f"the server does not list {EXTENSION}"
        yield found


def asked(servers: dict[str, Server], request: Request) -> dict[str, Side]:
    """Ask all the same."""
    return {
        name: Side(server, replace(request, port=server.port)) for name, server in servers.items()
    }


def cost_of(plan: Plan) -> dict[str, float]:
    """Measure what a build would: by it the runtime chooses between its loop and its thread."""
    rows = np.zeros((256, COLUMNS))
    best = {}
    for count in (1, 256):
        taken = []
        for _ in range(7):
            began = time.perf_counter()
            plan.run("predict", rows[:count])
            taken.append(1e6 * (time.perf_counter() - began))
        best[count] = min(taken)
    per_row = max(0.0, (best[256] - best[1]) / 255)
    return {"c0_us": max(0.1, best[1] - per_row), "c1_us": per_row}


def extensions(port: int, token: dict[str, str]) -> list[str]:
    """Ask the server what it knows beside JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/v2", headers=token)
    told = json.loads(connection.getresponse().read())
    connection.close()
    return list(told["extensions"])


def binary(port: int, model: str, rows: NDArray[np.float64], token: dict[str, str]) -> Request:
    """Write rows as one raw tensor behind its description, and ask for the answer raw as well."""
    tensor = {"name": "rows", "datatype": "FP64", "shape": list(rows.shape)}
    raw = rows.astype("<f8").tobytes()
    output = {"name": "predict", "parameters": {"binary_data": True}}
    head = json.dumps(
        {
            "inputs": [tensor | {"parameters": {"binary_data_size": len(raw)}}],
            "outputs": [output],
        }
    ).encode()
    head += b" " * (-len(head) % 8)
    headers = {
        "content-type": "application/octet-stream",
        "inference-header-content-length": str(len(head)),
    }
    return Request(port, f"/v2/models/{model}/infer", head + raw, headers | token)


def show(what: str, runs: dict[str, list[dict[str, float]]]) -> None:
    """Print medians."""
    print(what)
    for name, rounds in runs.items():
        middle = medians(rounds)
        cells = ", ".join(f"{figure} {number(value)}" for figure, value in middle.items())
        print(f"  {name:<15}{cells}", flush=True)


def rows(raw: Raw) -> list[Row]:
    """Hold rates against what prediction and request would allow together."""
    lines = []
    for what, runs in raw["runs"].items():
        for floor, called in ((READS, "reads it"), (PARSES, "makes a matrix of it")):
            if floor in runs:
                lines.append(share(f"{what}, uvicorn {called}", runs, floor))
    lines += [
        Row(name, "skipped", f"≥ {AIM:g} %", None, reason)
        for name, reason in raw["skipped"].items()
    ]
    return lines


def share(what: str, runs: dict[str, list[dict[str, float]]], floor: str) -> Row:
    """Tell how much of the possible rate is reached."""
    ours, least, predict = (medians(runs[name]) for name in (OURS, floor, PREDICT))
    possible = 1e6 / (predict["us"] + 1e6 / least["rps"])
    on_core = 100 * (predict["cpu_us"] + least["cpu_us"]) / ours["cpu_us"]
    note = (
        f"{number(ours['rps'])} of {number(possible)} requests/s, prediction"
        f" {number(predict['us'])} µs; by processor time {number(on_core)} %"
    )
    called = f"share of what prediction and request allow: {what}"
    return at_least(called, 100 * ours["rps"] / possible, AIM, " %", note)
