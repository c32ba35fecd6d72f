"""The same model on other servers, each in an environment of its own, in turn with ours.

`uv` installs them once, from wheels, below the cache folder. All serve a logistic regression over
iris with one process, on one core; each is asked in its own format, after it has answered one
request rightly. None of them checks a token, ours does. What cannot be installed or does not
answer is named with the reason.
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from loadtests.benchmarks import load
from loadtests.benchmarks.load import LoadFailed, Request
from loadtests.benchmarks.measuring import (
    ROOT,
    Options,
    Raw,
    Row,
    alternating,
    environment_for_measuring,
    medians,
    number,
    times,
)
from loadtests.benchmarks.serving import JSON, Side, ask, program, runtime, uvicorn
from tests.integration.runtime_rig import ROW, Keys, free_port, launch_of

OURS: Final = "runtime"
CONNECTIONS: Final = (1, 64)
INSTALL_S: Final = 900.0
UP_S: Final = 180.0  # some import for long
APPS: Final = ROOT / "loadtests" / "benchmarks" / "apps"
# They would look for their makers' servers.
SILENT: Final = {
    "BENTOML_DO_NOT_TRACK": "1",
    "DO_NOT_TRACK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
_SAVE_FOR_MLFLOW: Final = """
import sys, joblib, mlflow.sklearn
mlflow.sklearn.save_model(joblib.load(sys.argv[1]), sys.argv[2])
"""
_VERSIONS: Final = """
import importlib.metadata as m, json, sys
print(json.dumps({name: m.version(name) for name in sys.argv[1:]}))
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a peer runs: its environment, a folder with the model, its port."""

    bin: Path
    folder: Path
    port: int

    @property
    def model(self) -> Path:
        """Give the model's file."""
        return self.folder / "model.joblib"

    def run(self, *arguments: str) -> str:
        """Run its Python; gives what it printed."""
        command = [str(self.bin / "python"), *arguments]
        ran = subprocess.run(
            command, env=environment_of(self), cwd=ROOT, capture_output=True, text=True, check=False
        )
        if ran.returncode:
            raise RuntimeError(f"{command} failed: {ran.stderr[-1000:]}")
        return ran.stdout


@dataclass(frozen=True, slots=True)
class Peer:
    """Another server.

    requirements  what is installed; the first names its version
    command       starts it, once `prepare` is done
    predictions   where they are in an answer
    """

    requirements: tuple[str, ...]
    command: Callable[[Place], list[str]]
    path: str
    body: dict[str, Any]
    predictions: Callable[[Any], list[int]]
    prepare: Callable[[Place], object] = field(default=lambda _: None)


def mlserver_settings(place: Place) -> None:
    """Configure MLServer to predict in its own process, which on one core is the fastest."""
    ports = {"http_port": place.port, "grpc_port": free_port(), "metrics_port": free_port()}
    settings = ports | {"parallel_workers": 0, "debug": False}
    model = {
        "name": "iris",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": str(place.model)},
    }
    (place.folder / "settings.json").write_text(json.dumps(settings))
    (place.folder / "model-settings.json").write_text(json.dumps(model))


TENSOR: Final = {"name": "rows", "shape": [1, 4], "datatype": "FP64", "data": ROW}
INSTANCES: Final = {"instances": [ROW]}
PEERS: Final[dict[str, Peer]] = {
    "FastAPI, joblib, pydantic": Peer(
        ("fastapi", "uvicorn[standard]", "joblib", "scikit-learn"),
        lambda p: [*uvicorn("naive:app", p.port, f"{p.bin}/python"), "--app-dir", str(APPS)],
        "/predict",
        INSTANCES,
        lambda answer: list(answer["predictions"]),
    ),
    "MLServer": Peer(
        ("mlserver==1.7.1", "mlserver-sklearn==1.7.1", "scikit-learn", "joblib"),
        lambda p: [str(p.bin / "mlserver"), "start", str(p.folder)],
        "/v2/models/iris/infer",
        {"inputs": [TENSOR]},
        lambda answer: list(answer["outputs"][0]["data"]),
        mlserver_settings,
    ),
    "KServe": Peer(
        ("kserve==0.21.0", "scikit-learn", "joblib"),
        lambda p: [str(p.bin / "python"), str(APPS / "with_kserve.py"), str(p.model), str(p.port)],
        "/v1/models/iris:predict",
        INSTANCES,
        lambda answer: list(answer["predictions"]),
    ),
    "BentoML": Peer(
        ("bentoml==1.4.40", "scikit-learn", "joblib"),
        lambda p: f"{p.bin}/bentoml serve with_bentoml:Iris --port {p.port}"
        f" --working-dir {APPS}".split(" "),
        "/predict",
        INSTANCES,
        list,
    ),
    "MLflow": Peer(
        ("mlflow==3.17.2", "scikit-learn", "joblib"),
        lambda p: f"{p.bin}/mlflow models serve -m {p.folder}/mlflow --env-manager local"
        f" --port {p.port}".split(" "),
        "/invocations",
        {"inputs": [ROW]},
        lambda answer: list(answer["predictions"]),
        lambda p: p.run("-c", _SAVE_FOR_MLFLOW, str(p.model), str(p.folder / "mlflow")),
    ),
}


def limit_s(options: Options) -> float:
    """Give the seconds it takes at most, with everything to install."""
    each = (
        INSTALL_S / 3 + UP_S + len(CONNECTIONS) * 2 * (options.rounds + 1) * (options.seconds + 1)
    )
    return len(PEERS) * each


def measure(options: Options) -> Raw:
    """Compare with each in turn; those that cannot be are named."""
    by = load.generator()
    found: Raw = {"generator": by, "peers": {}, "without": {}}
    for name, peer in PEERS.items():
        if options.families and name not in options.families:
            continue
        try:
            with tempfile.TemporaryDirectory() as folder:
                found["peers"][name] = compared(name, peer, Path(folder), options, by)
        except (RuntimeError, subprocess.SubprocessError, LoadFailed) as error:
            found["without"][name] = str(error)[-300:]
            notes = getattr(error, "__notes__", [])
            print("\n".join([f"{name}: not compared, {error}", *notes]), flush=True)
    return found


def compared(name: str, peer: Peer, folder: Path, options: Options, by: str) -> Raw:
    """Install a peer where it is not yet, start it beside ours, and let them take turns."""
    place = Place(installed(peer) / "bin", folder, free_port())
    versions = json.loads(place.run("-c", _VERSIONS, *names(peer)))
    runs: dict[str, dict[str, list[dict[str, float]]]] = {}
    with started(name, peer, place) as sides:
        for connections in CONNECTIONS:
            of: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
            for side in sides.values():
                load.drive(side.request, connections, options.seconds, by=by)
            for _, which in alternating(list(of), options.rounds):
                side = sides[which]
                of[which].append(
                    load.figures(side.request, side.server.pid, connections, options.seconds, by=by)
                )
            runs[str(connections)] = of
            told = ", ".join(
                f"{side} {number(m['rps'])}/s {number(m['p50_us'])} µs"
                for side, m in ((side, medians(rounds)) for side, rounds in of.items())
            )
            print(f"{name}, {connections} connections: {told}", flush=True)
    return {"versions": versions, "runs": runs}


@contextlib.contextmanager
def started(name: str, peer: Peer, place: Place) -> Iterator[dict[str, Side]]:
    """Start ours and a peer; both have answered rightly."""
    keys = Keys(place.folder)
    place.run(str(APPS / "iris.py"), str(place.model))
    peer.prepare(place)
    token = {"authorization": f"Bearer {keys.token()}"}
    launch = launch_of(place.folder, keys, port=free_port())
    env = environment_of(place)
    with (
        runtime(place.folder, launch, keys) as ours,
        program(peer.command(place), place.port, env, within_s=UP_S) as theirs,
    ):
        body = json.dumps(peer.body).encode()
        sides = {
            OURS: Side(
                ours, Request(ours.port, "/predict", json.dumps([ROW]).encode(), JSON | token)
            ),
            name: Side(theirs, Request(place.port, peer.path, body, JSON)),
        }
        predicted = {
            OURS: ask(sides[OURS].request)["predictions"],
            name: peer.predictions(ask(sides[name].request, UP_S)),
        }
        if any(predictions != [0] for predictions in predicted.values()):
            raise RuntimeError(f"wrong predictions: {predicted}")
        yield sides


def environment_of(place: Place) -> dict[str, str]:
    """Give a peer's environment: its own programs first."""
    path = f"{place.bin}{os.pathsep}{os.environ.get('PATH', '')}"
    return environment_for_measuring() | SILENT | {"PATH": path, "MODEL": str(place.model)}


def cache_folder() -> Path:
    """Give the folder in which environments stay."""
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / "kubeserve-benchmarks"


def installed(peer: Peer) -> Path:
    """Give a peer's environment, made now if it is not there; raises RuntimeError."""
    wanted = json.dumps([peer.requirements, sys.version_info[:3]])
    title = peer.requirements[0].partition("=")[0]
    home = cache_folder() / f"{title}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    complete = home / "complete"
    if complete.exists():
        return home
    shutil.rmtree(home, ignore_errors=True)
    print(f"installing {', '.join(peer.requirements)}", flush=True)
    uv(["venv", "--python", sys.executable, str(home)])
    python = str(home / "bin" / "python")
    uv(["pip", "install", "--only-binary", ":all:", "--python", python, *peer.requirements])
    complete.touch()
    return home


def uv(arguments: list[str]) -> None:
    """Run uv; raises RuntimeError with what it says."""
    program = shutil.which("uv")
    if program is None:
        raise RuntimeError("uv is not on the path")
    ran = subprocess.run(
        [program, *arguments], capture_output=True, text=True, timeout=INSTALL_S, check=False
    )
    if ran.returncode:
        raise RuntimeError(f"uv {arguments[0]} failed: {ran.stderr.strip()[-500:]}")


def names(peer: Peer) -> list[str]:
    """Give the packages without versions and extras."""
    return [wanted.partition("=")[0].partition("[")[0] for wanted in peer.requirements]


def rows(raw: Raw) -> list[Row]:
    """Tell how much more ours answers."""
    lines = []
    for name, found in raw["peers"].items():
        version = next(iter(found["versions"].items()))
        for connections, runs in found["runs"].items():
            ours, theirs = medians(runs[OURS]), medians(runs[name])
            note = (
                f"{number(ours['rps'])} against {number(theirs['rps'])}; median"
                f" {number(ours['p50_us'])} against {number(theirs['p50_us'])} µs; per processor"
                f" second {times(theirs['cpu_us'] / ours['cpu_us'])}"
            )
            many = "1 connection" if connections == "1" else f"{connections} connections"
            what = f"requests/s against {name} ({' '.join(version)}), {many}, 1 row"
            lines.append(Row(what, times(ours["rps"] / theirs["rps"]), note=note))
    lines += [Row(name, "not compared", note=reason) for name, reason in raw["without"].items()]
    return lines
