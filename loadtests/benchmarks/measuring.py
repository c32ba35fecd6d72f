"""How everything here is measured: pinned, in pairs, with what ran beside the figures.

Servers have a core, what drives them another. A side and its reference alternate in one run, so
that what else the machine does meets both. On a shared machine believe ratios, the best of rounds,
and processor time, which counts only what a process was given.
"""

import contextlib
import importlib.metadata
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil

Raw = dict[str, Any]  # what is written to results.json

CORES: Final = tuple(sorted(os.sched_getaffinity(0)))
SERVER_CORE: Final = CORES[0]
LOAD_CORE: Final = CORES[min(1, len(CORES) - 1)]
# Both are set on some machines for the sake of old OpenBLAS builds, and slow this one down.
FORCED_KERNEL: Final = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
ONE_THREAD: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
PACKAGES: Final = (
    "numpy",
    "scikit-learn",
    "scipy",
    "uvicorn",
    "uvloop",
    "httptools",
    "fastapi",
    "pydantic",
    "joblib",
    "orjson",
)
ROOT: Final = Path(__file__).parents[2]
TIMES: Final = " \N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, slots=True)
class Options:
    """How long and how much is measured.

    seconds   of one round
    rounds    of each side
    minutes   of the soak
    rows      compared with scikit-learn's
    most_rows in one call of a plan
    families  names of estimators, or of peers; none: all
    """

    seconds: float = 2.0
    rounds: int = 5
    minutes: float = 2.0
    rows: int = 10_000
    most_rows: int = 10_000
    families: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a figure, what it should be, and whether it is."""

    what: str
    figure: str
    aim: str = ""
    met: bool | None = None
    note: str = ""


def at_least(what: str, value: float, aim: float, unit: str = TIMES, note: str = "") -> Row:
    """Make a line whose figure should not be smaller than the aim."""
    return Row(what, f"{number(value)}{unit}", f"≥ {aim:g}{unit}", value >= aim, note)


def at_most(what: str, value: float, aim: float, unit: str = TIMES, note: str = "") -> Row:
    """Make a line whose figure should not be larger than the aim."""
    return Row(what, f"{number(value)}{unit}", f"≤ {aim:g}{unit}", value <= aim, note)


def times(ratio: float) -> str:
    """Write a ratio."""
    return f"{number(ratio)}{TIMES}"


def number(value: float) -> str:
    """Write three digits, and all of those before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def environment_for_measuring() -> dict[str, str]:
    """Give the environment that whatever is measured runs in."""
    kept = {name: value for name, value in os.environ.items() if name not in FORCED_KERNEL}
    return kept | dict.fromkeys(ONE_THREAD, "1")


@contextlib.contextmanager
def pinned(*cores: int) -> Iterator[None]:
    """Run on these cores, and so do the processes and threads that are started meanwhile."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def alternating(
    sides: Sequence[str], rounds: int, within_s: float = math.inf
) -> Iterator[tuple[int, str]]:
    """Give (round, side), each round in the order opposite to that of the one before.

    On a machine that is busy rounds take longer; then there are fewer of them, at least one.
    """
    until = time.monotonic() + within_s
    for round_ in range(rounds):
        for side in sides if round_ % 2 == 0 else reversed(sides):
            yield round_, side
        if time.monotonic() > until:
            return


def family_cpu_s(pid: int) -> float:
    """Give the processor time of a process and of all below it."""
    parent = psutil.Process(pid)
    spent = 0.0
    for process in [parent, *parent.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            spent += times.user + times.system
    return spent


def stolen_s() -> float:
    """Give the seconds that the hypervisor has kept both cores from us, of each core's mean."""
    lines = [line.split() for line in Path("/proc/stat").read_text().splitlines()]
    cores = {f"cpu{core}" for core in (SERVER_CORE, LOAD_CORE)}
    ticks = [int(fields[8]) for fields in lines if fields[0] in cores]
    return sum(ticks) / len(ticks) / os.sysconf("SC_CLK_TCK")


def family_rss_mb(pid: int) -> float:
    """Give the resident memory of a process and of all below it."""
    parent = psutil.Process(pid)
    return sum(p.memory_info().rss for p in [parent, *parent.children(recursive=True)]) / 1e6


def quantile(values: Iterable[float], share: float) -> float:
    """Give the value that this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def medians(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    """Give the median of each figure over rounds."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def environment() -> Raw:
    """Tell what the figures depend on beside the code."""
    return {
        "cpu": cpu_model(),
        "cores": len(CORES),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := version_of(name))},
        "blas": blas_kernel(),
        "commit": commit(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "load_average": round(os.getloadavg()[0], 2),
    }


def cpu_model() -> str:
    """Give the processor's name for itself, with family and model, which name it better."""
    told: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        told.setdefault(key.strip(), value.strip())
    wide = "AVX-512" if "avx512f" in told.get("flags", "") else "no AVX-512"
    name = told.get("model name", platform.machine())
    return f"{name}, family {told.get('cpu family')} model {told.get('model')}, {wide}"


def version_of(package: str) -> str | None:
    """Give the installed version, if it is installed."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(package)
    return None


def blas_kernel() -> str:
    """Give numpy's matrix kernels; asked of a fresh process, since the import chooses them."""
    code = (
        "import numpy, threadpoolctl as t;"
        "print(next((f\"{i['internal_api']} {i['version']} {i.get('architecture')}\""
        " for i in t.threadpool_info() if i['user_api'] == 'blas'), 'none'))"
    )
    command = [sys.executable, "-c", code]
    env = environment_for_measuring()
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout[:-1]


def commit() -> str:
    """Give the commit that is measured; `+` when more was changed since than what we write."""
    ours = ("README.md", "loadtests/benchmarks/results.json", "loadtests/benchmarks/TABLES.md")
    changed = git("status", "--porcelain", "--", ".", *(f":!{path}" for path in ours))
    return (git("rev-parse", "--short=12", "HEAD") or "unknown") + ("+" if changed else "")


def git(*arguments: str) -> str:
    """Ask git about this repository; nothing where there is none."""
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
