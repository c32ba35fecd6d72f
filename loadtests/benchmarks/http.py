"""One row over HTTP: token check, validation and metrics on, against what the stack itself costs.

References in the same run: uvicorn with an application that answers the same for ever, and FastAPI
with joblib and pydantic as people write it first, and without its thread pool. The servers take
turns on one core.
"""

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from loadtests.benchmarks import load
from loadtests.benchmarks.load import Request
from loadtests.benchmarks.measuring import (
    Options,
    Raw,
    Row,
    alternating,
    at_least,
    at_most,
    environment_for_measuring,
    medians,
    times,
)
from loadtests.benchmarks.serving import JSON, Side, ask, module, program, runtime, uvicorn
from tests.integration.runtime_rig import ROW, Keys, free_port, launch_of

CONNECTIONS: Final = (1, 16, 64)
START_S: Final = 60.0
OURS, FLOOR, CEILING = "runtime", "uvicorn constant", "generator's limit"
NAIVE, TUNED = "naive FastAPI", "tuned FastAPI"
APPS: Final = "loadtests.benchmarks.apps"
SHOWN: Final = ("rps", "p50_us", "p99_us", "cpu_us", "generator_busy")


def limit_s(options: Options) -> float:
    """Give the seconds it takes at most."""
    return START_S + len(CONNECTIONS) * each_s(options)


def each_s(options: Options) -> float:
    """Give the seconds at most for one number of connections."""
    return 16 + 4 * options.rounds * (options.seconds + 0.5)


def measure(options: Options) -> Raw:
    """Load all servers in turn, at each number of connections."""
    by = load.generator()
    runs: dict[str, dict[str, list[dict[str, float]]]] = {}
    print(f"{'connections':>11} {'server':<18}" + "".join(f"{name:>15}" for name in SHOWN))
    with tempfile.TemporaryDirectory() as folder, sides(Path(folder)) as found:
        for connections in CONNECTIONS:
            of: dict[str, list[dict[str, float]]] = {name: [] for name in found}
            for side in found.values():  # connections, caches and branch predictors of each
                load.drive(side.request, connections, 0.5, by=by)
            for _, name in alternating(list(found), options.rounds, each_s(options) - 16):
                of[name].append(round_of(found[name], connections, options.seconds, by))
            runs[str(connections)] = of
            for name, rounds in of.items():
                show(connections, name, medians(rounds))
    return {"generator": by, "runs": runs}


def round_of(side: Side, connections: int, seconds: float, by: str) -> dict[str, float]:
    """Load one side for one round."""
    return load.figures(side.request, side.server.pid, connections, seconds, by=by)


def show(connections: int, name: str, run: dict[str, float]) -> None:
    """Print a line of figures."""
    cells = "".join(f"{run[key]:>15,.2f}" for key in SHOWN)
    print(f"{connections:>11} {name:<18}{cells}", flush=True)


@contextlib.contextmanager
def sides(folder: Path) -> Iterator[dict[str, Side]]:
    """Start all servers; gives each with its request, which it has answered once."""
    keys = Keys(folder)
    model = folder / "model.joblib"
    fit = module(f"{APPS}.iris", str(model))
    subprocess.run(fit, env=environment_for_measuring(), check=True)
    headers = JSON | {"authorization": f"Bearer {keys.token()}"}
    body = json.dumps([ROW]).encode()
    with contextlib.ExitStack() as stack:

        def start(command: list[str], port: int, sent: bytes) -> Side:
            env = {"MODEL": str(model)}
            server = stack.enter_context(program(command, port, env))
            return Side(server, Request(port, "/predict", sent, headers))

        ours = stack.enter_context(runtime(folder, launch_of(folder, keys, port=free_port()), keys))
        floor, naive, blind = free_port(), free_port(), free_port()
        named = json.dumps({"instances": [ROW]}).encode()
        found = {
            OURS: Side(ours, Request(ours.port, "/predict", body, headers)),
            FLOOR: start(uvicorn(f"{APPS}.constant:constant", floor), floor, body),
            NAIVE: start(uvicorn(f"{APPS}.naive:app", naive), naive, named),
            CEILING: start(module(f"{APPS}.blind", str(blind)), blind, body),
        }
        found[TUNED] = Side(found[NAIVE].server, Request(naive, "/tuned", named, headers))
        for side in found.values():
            if ask(side.request)["predictions"] != [0]:
                raise RuntimeError(f"{side.request.port} does not predict what it should")
        yield found


def rows(raw: Raw) -> list[Row]:
    """Hold the ratios against what they should be."""
    return [
        rate(raw, 64, FLOOR, "uvicorn's constant answer", 3.0),
        rate(raw, 16, FLOOR, "uvicorn's constant answer", 2.0),
        latency(raw),
        rate(raw, 64, NAIVE, "FastAPI with joblib and pydantic", 40.0),
        rate(raw, 64, TUNED, "the same without its thread pool"),
    ]


def rate(raw: Raw, connections: int, other: str, called: str, aim: float | None = None) -> Row:
    """Compare requests a second."""
    runs = raw["runs"][str(connections)]
    ours, theirs = medians(runs[OURS]), medians(runs[other])
    notes = [
        f"{ours['rps']:,.0f} against {theirs['rps']:,.0f}",
        f"best round {times(best(runs, OURS) / best(runs, other))}",
        f"per processor second {times(theirs['cpu_us'] / ours['cpu_us'])}",
    ]
    if best(runs, OURS) > load.NEAR * best(runs, CEILING):
        notes.append(f"generator-bound: it drives {best(runs, CEILING):,.0f} at most")
    if raw["generator"] != "wrk":
        notes.append("driven by Python: wrk could not be had")
    what = f"requests/s against {called}, {connections} connections, 1 row"
    ratio, note = ours["rps"] / theirs["rps"], "; ".join(notes)
    return (
        Row(what, times(ratio), note=note) if aim is None else at_least(what, ratio, aim, note=note)
    )


def latency(raw: Raw) -> Row:
    """Compare the median at one connection."""
    ours, floor = (medians(raw["runs"]["1"][name])["p50_us"] for name in (OURS, FLOOR))
    what = "median latency against uvicorn's constant answer, 1 connection, 1 row"
    return at_most(what, ours / floor, 1.0, note=f"{ours:.0f} against {floor:.0f} µs")


def best(runs: dict[str, list[dict[str, float]]], name: str) -> float:
    """Give the highest rate of all rounds."""
    return max(run["rps"] for run in runs[name])
