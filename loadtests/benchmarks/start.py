"""How soon a worker answers, from nothing and from the zygote, by phase; and what it weighs.

A start counts from the kernel's making of the process, or from the word to the zygote, to the last
byte of the first answer, whose client was there before. The reference of a start from nothing is
`python -c "import numpy"` from its making to its end, in turn with it. Both find the bytecode of
all they import, as in our images and behind pip; page cache warm.
"""

import contextlib
import http.client
import json
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sklearn.ensemble import RandomForestClassifier

from loadtests.benchmarks import load
from loadtests.benchmarks.examples import written
from loadtests.benchmarks.forks import Zygote, memory, ran_ms, zygote
from loadtests.benchmarks.load import Request
from loadtests.benchmarks.measuring import (
    LOAD_CORE,
    SERVER_CORE,
    Options,
    Raw,
    Row,
    alternating,
    at_most,
    environment_for_measuring,
    number,
    pinned,
    times,
)
from loadtests.benchmarks.samples import SAMPLES
from loadtests.benchmarks.serving import JSON
from runtime.launch import Launch
from runtime.plan import format as plan_format
from runtime.plan import load as load_plan
from runtime.plan.graph import build
from tests.integration.runtime_rig import ROW, Keys, digest_of, free_port, launch_of

OURS, NUMPY = "python -m runtime", "import numpy"
SPARE, FORK = "made in advance", "forked"
TREES: Final = 500
ROUNDS: Final = 4  # starts in each of the rounds that others take seconds for
WITHIN_S: Final = 30.0
PHASE: Final = re.compile(r'kubeserve_start_seconds\{.*phase="(\w+)".*\} (\S+)')


@dataclass(frozen=True, slots=True)
class Model:
    """A plan to start, and a request that it answers."""

    name: str
    launch: Launch
    request: Request


def limit_s(options: Options) -> float:
    """Give the seconds it takes at most."""
    return 50 + 2 * each_s(options)


def each_s(options: Options) -> float:
    """Give the seconds for starts from nothing, and as many for those from the zygote."""
    return 4.0 * options.rounds


def measure(options: Options) -> Raw:
    """Start again and again."""
    rounds = ROUNDS * options.rounds
    with tempfile.TemporaryDirectory() as name, pinned(LOAD_CORE):
        folder = Path(name)
        keys = Keys(folder)
        models = [small(folder, keys), forest(folder, keys)]
        env = with_bytecode(folder / "bytecode")
        found = {"process": from_nothing(models[0], env, rounds, each_s(options))}
        print(f"from nothing: {shown(found['process'])}", flush=True)
        found["zygote"] = from_zygote(folder, models, rounds, each_s(options))
        print(f"from the zygote: {shown(found['zygote'])}", flush=True)
        found["load"] = {model.name: loads(model, rounds) for model in models}
        print(f"plan files: {shown(found['load'])}", flush=True)
    return found


def small(folder: Path, keys: Keys) -> Model:
    """Give a logistic regression over iris."""
    return Model("small model", launch_of(folder, keys), asking(keys, [ROW]))


def forest(folder: Path, keys: Keys) -> Model:
    """Give a forest of 500 trees, grown to the end over a thousand rows."""
    sample, plan = SAMPLES["classes"](), folder / "forest.plan"
    written(RandomForestClassifier(TREES, random_state=0).fit(sample.x, sample.y), plan)
    launch = launch_of(folder, keys)
    (revision,) = launch.revisions
    revision = revision._replace(artifact=str(plan), sha256=digest_of(plan))
    rows = sample.rows(1).theirs.tolist()
    return Model(f"{TREES} trees", launch._replace(revisions=(revision,)), asking(keys, rows))


def asking(keys: Keys, rows: list[list[float]]) -> Request:
    """Make a request of some rows; its port is that of whoever listens."""
    headers = JSON | {"authorization": f"Bearer {keys.token()}"}
    return Request(0, "/predict", json.dumps(rows).encode(), headers)


def with_bytecode(folder: Path) -> dict[str, str]:
    """Give an environment in which a first start leaves bytecode for the next ones to find.

    Where nobody may write any, one side would have it from its installation, and the other not.
    """
    kept = environment_for_measuring()
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept | {"PYTHONPYCACHEPREFIX": str(folder), "PYTHONOPTIMIZE": "2"}


def from_nothing(model: Model, env: dict[str, str], rounds: int, within_s: float) -> Raw:
    """Start processes in turn with the reference."""
    import_numpy(env)
    with process_of(model, env) as (began, port, _):
        answered(model.request, port, began)
        told_phases(model, port)
    found: Raw = {"ms": {OURS: [], NUMPY: []}, "cpu_ms": {OURS: [], NUMPY: []}}
    found |= {"phases": [], "memory": []}
    for _, side in alternating([OURS, NUMPY], rounds, within_s):
        if side == NUMPY:
            ms, cpu_ms = import_numpy(env)
        else:
            with process_of(model, env) as (began, port, pid):
                ms, cpu_ms = answered(model.request, port, began), ran_ms(pid)
                answered(model.request, port, time.perf_counter())  # it has tidied up by then
                found["memory"].append(memory(pid))  # before a scrape, which imports more
                found["phases"].append(told_phases(model, port))
        found["ms"][side].append(ms)
        found["cpu_ms"][side].append(cpu_ms)
    return found


def import_numpy(env: dict[str, str]) -> tuple[float, float]:
    """Give the milliseconds of a process that imports numpy and ends: by the clock, on the core."""
    before, began = children_s(), time.perf_counter()
    with pinned(SERVER_CORE):
        process = subprocess.Popen([sys.executable, "-c", "import numpy"], env=env)
    if process.wait():
        raise RuntimeError("numpy cannot be imported")
    return 1000 * (time.perf_counter() - began), 1000 * (children_s() - before)


def children_s() -> float:
    """Give the processor time of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@contextlib.contextmanager
def process_of(model: Model, env: dict[str, str]) -> Iterator[tuple[float, int, int]]:
    """Start `python -m runtime`; gives when that was, where it will listen, and the process."""
    launch = model.launch._replace(port=free_port())
    began = time.perf_counter()
    with pinned(SERVER_CORE):
        process = subprocess.Popen(
            [sys.executable, "-m", "runtime"],
            env=env | launch.to_env(),
            stderr=subprocess.DEVNULL,
        )
    try:
        yield began, launch.port, process.pid
    finally:
        process.kill()
        process.wait()


def answered(request: Request, port: int, began: float) -> float:
    """Knock until somebody listens, ask, and give the milliseconds to the end of the answer."""
    while time.perf_counter() - began < WITHIN_S:
        with (
            contextlib.suppress(ConnectionRefusedError),
            socket.create_connection(("127.0.0.1", port), WITHIN_S) as sock,
        ):
            sock.sendall(request.raw())
            return until_whole(sock, began)
        time.sleep(0.0005)
    raise RuntimeError(f"nobody listens within {WITHIN_S:.0f} s")


def until_whole(sock: socket.socket, began: float) -> float:
    """Read one answer, which must be a good one; gives the milliseconds to its end."""
    answer = b""
    while len(answer) < (length := load.whole(answer)) or length < 0:
        part = sock.recv(65536)
        if not part:
            raise RuntimeError("the worker closed the connection")
        answer += part
    return 1000 * (time.perf_counter() - began)


def told_phases(model: Model, port: int) -> dict[str, float]:
    """Ask a worker what its start consisted of, in milliseconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
    connection.request("GET", "/metrics", headers=model.request.headers)
    text = connection.getresponse().read().decode()
    connection.close()
    phases = {phase: 1000 * float(value) for phase, value in PHASE.findall(text)}
    if not phases:
        raise RuntimeError(f"the worker tells no phases of its start: {text[:200]}")
    return phases


def from_zygote(folder: Path, models: list[Model], rounds: int, within_s: float) -> Raw:
    """Start workers of each model in turn: one made in advance, and one forked there and then."""
    ways = {f"{model.name}, {way}": (model, way) for model in models for way in (SPARE, FORK)}
    found: dict[str, Raw] = {
        name: {"ms": [], "cpu_ms": [], "phases": [], "memory": []} for name in ways
    }
    with zygote(folder) as running:
        for _, name in alternating(list(ways), rounds, within_s):
            model, way = ways[name]
            before = running.await_spare()
            with contextlib.ExitStack() as stack:
                if way == FORK:  # somebody else takes the spare, and has not settled yet
                    unasked = stack.enter_context(listening())
                    other, _ = stack.enter_context(running.worker(models[0].launch, unasked))
                    other.until("ready")
                    before = 0.0
                woken(running, model, found[name])
            found[name]["cpu_ms"][-1] -= before
    return found


def woken(running: Zygote, model: Model, into: Raw) -> None:
    """Have one worker made for a client that waits."""
    with listening() as listener, socket.create_connection(listener.getsockname()) as client:
        client.settimeout(WITHIN_S)
        client.sendall(model.request.raw())
        began = time.perf_counter()
        with running.worker(model.launch, listener) as (control, pid):
            into["ms"].append(until_whole(client, began))
            into["cpu_ms"].append(ran_ms(pid))
            into["phases"].append(control.until("first_answer")["phases"])
            into["memory"].append(memory(pid))


def listening() -> socket.socket:
    """Listen on a free port."""
    return socket.create_server(("127.0.0.1", 0), backlog=16)


def loads(model: Model, rounds: int) -> Raw:
    """Give the milliseconds of a plan file's load as a worker does it, whole and by step.

    thorough  how it is loaded when it was just built: every index checked, and rows predicted
    """
    path = model.launch.revisions[0].artifact
    taken: dict[str, list[float]] = {"thorough": [], "load": [], "read": [], "build": []}
    for _ in range(rounds + 1):
        started = time.perf_counter()
        load_plan(path)
        began = time.perf_counter()
        load_plan(path, thorough=False)
        loaded = time.perf_counter()
        file = plan_format.read(path)
        read = time.perf_counter()
        build(file.header["graph"], file.tensors, thorough=False)
        built = time.perf_counter()
        for step, ms in (
            ("thorough", began - started),
            ("load", loaded - began),
            ("read", read - loaded),
            ("build", built - read),
        ):
            taken[step].append(1000 * ms)
    # The first pays for what is done once.
    return {
        "ms": {step: ms[1:] for step, ms in taken.items()},
        "size_bytes": Path(path).stat().st_size,
    }


def shown(found: Any) -> str:
    """Write medians of whatever lists there are."""
    if isinstance(found, dict):
        return ", ".join(f"{name} {shown(part)}" for name, part in found.items())
    if isinstance(found, list) and isinstance(found[0], dict):
        return f"({shown({name: [part[name] for part in found] for name in found[0]})})"
    return number(statistics.median(found)) if isinstance(found, list) else number(found)


def rows(raw: Raw) -> list[Row]:
    """Hold starts, memory and loads against their aims."""
    process, forks = raw["process"], raw["zygote"]
    ours, numpy = (statistics.median(process["ms"][side]) for side in (OURS, NUMPY))
    cpu = [statistics.median(process["cpu_ms"][side]) for side in (OURS, NUMPY)]
    parts = (
        f"{ours:.0f} against {numpy:.0f} ms, of the processor's time {times(cpu[0] / cpu[1])};"
        f" {by_phase(process['phases'])}"
    )
    lines = [
        at_most(
            'process start to first answer against `python -c "import numpy"`',
            ours / numpy,
            2.0,
            note=parts,
        )
    ]
    for name, found in forks.items():
        aim = 25.0 if name.startswith(str(TREES)) else 15.0
        ms = found["ms"]
        cpu_ms = statistics.median(found["cpu_ms"])
        note = f"worst {max(ms):.1f}; on the core {cpu_ms:.1f}; {by_phase(found['phases'])}"
        what = f"zygote to first answer, {name}"
        lines.append(at_most(what, statistics.median(ms), aim, " ms", note))
    alone = statistics.median(each["rss_mb"] for each in process["memory"])
    private = statistics.median(each["uss_mb"] for each in forks[f"small model, {FORK}"]["memory"])
    note = f"{private:.1f} MB of its own when forked"
    lines.append(at_most("resident memory of a small model's worker", alone, 50.0, " MB", note))
    for name, found in raw["load"].items():
        steps = {step: statistics.median(ms) for step, ms in found["ms"].items()}
        note = (
            f"of it read {steps['read']:.2f}, build {steps['build']:.2f}; checked from end to end, "
            f"as after a build, {steps['thorough']:.2f}; {size(found)}"
        )
        lines.append(at_most(f"plan file load, {name}", steps["load"], 2.0, " ms", note))
    return lines


def by_phase(phases: list[dict[str, float]]) -> str:
    """Write the median of each phase."""
    middle = {name: statistics.median(p[name] for p in phases) for name in phases[0]}
    return ", ".join(f"{name} {ms:.1f}" for name, ms in middle.items() if name != "total")


def size(found: Raw) -> str:
    """Write a file's size."""
    return f"{found['size_bytes'] / 1e6:.2g} MB"
