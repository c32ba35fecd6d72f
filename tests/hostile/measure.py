"""A control plane before and after the corpus: `python -m tests.hostile.measure`.

A whole KubeServe of its own is sent every hostile upload through its API, as a tenant would. Before
and after: memory of the API's process and of the builder's warm process, the time of a request, the
time of an honest model's push until it is ready, what processes and control groups there are.
Exit code 0 only if no canary sang and no figure grew by more than a tenth. Five minutes, on a
machine that does nothing else: times are of the clock.
"""

import io
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final

import joblib
import numpy as np
import psutil
from sklearn.ensemble import RandomForestClassifier

from controlplane.client import Client
from controlplane.client.errors import ClientError, TimedOut, Unreachable
from loadtests.benchmarks.installation import installation
from tests.hostile.canaries import SECRET, planted
from tests.hostile.corpus import ATTACKS

REQUESTS: Final = 200
PUSHES: Final = 7
SETTINGS: Final = {"build_wall_s": "3", "build_memory_bytes": str(256 << 20)}
# A tenth more at most; beneath these it is the clock's and the allocator's noise.
GROWTH: Final = 1.1
NOISE: Final = {"api_mib": 8.0, "warm_mib": 4.0, "request_ms": 1.0, "push_ms": 50.0}


@dataclass(frozen=True, slots=True)
class Figures:
    """One look at the control plane; times are medians."""

    api_mib: float
    warm_mib: float
    request_ms: float
    push_ms: float
    processes: int
    groups: int


def look(client: Client, home: Path, name: str) -> Figures:
    """Measure all of it; every push is of new content, since the same is built once."""
    pushes = [honest(f"{name}{n}") for n in range(PUSHES)]
    pushed = [seconds(partial(client.push, push, name)) for push in pushes]
    asked = [seconds(client.models) for _ in range(REQUESTS)]
    family = processes_of(home)
    return Figures(
        api_mib=memory(family, "api"),
        warm_mib=memory(family, "controlplane.builder.zygote"),
        request_ms=round(statistics.median(asked) * 1e3, 2),
        push_ms=round(statistics.median(pushed) * 1e3),
        processes=len(family),
        groups=sum(groups_of(one.pid) for one in family),
    )


def honest(seed: str) -> bytes:
    random = np.random.default_rng(list(seed.encode()))
    model = RandomForestClassifier(10, random_state=0).fit(
        random.random((60, 4)), np.arange(60) % 2
    )
    file = io.BytesIO()
    joblib.dump(model, file)
    return file.getvalue()


def seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def processes_of(home: Path) -> list[psutil.Process]:
    """Give the processes of an installation: what it started, and what these started."""
    roots = [one for one in psutil.process_iter() if str(home) in environment(one).values()]
    family = {one.pid: one for root in roots for one in (root, *root.children(recursive=True))}
    # Postgres makes and ends processes as it likes.
    return [one for one in family.values() if "postgres" not in one.name()]


def groups_of(pid: int) -> int:
    """Count the control groups that a process made and that are still there."""
    return sum(1 for _ in Path("/sys/fs/cgroup").rglob(f"kubeserve-{pid}-*"))


def environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:
        return {}


def memory(family: list[psutil.Process], word: str) -> float:
    held = [one.memory_full_info().uss for one in family if word in one.cmdline()]
    return round(max(held) / (1 << 20), 1)


def attacked(client: Client) -> list[str]:
    """Push the whole corpus; gives what went wrong."""
    wrong = []
    with planted() as canaries:
        for name, attack in ATTACKS.items():
            said = ""
            try:
                version = client.push(attack(canaries), "hostile")
                said = str(version.raw)
            except (Unreachable, TimedOut) as lost:
                wrong.append(f"{name}: the control plane is gone ({lost})")
            except ClientError as refused:  # the build failed, or the file was refused
                said = str(refused)
            sung = canaries.sung(said)
            wrong += [f"{name}: {', '.join(sung)}"] if sung else []
            wrong += [f"{name}: the secret"] if SECRET in said else []
    return wrong


def grown(before: Figures, after: Figures) -> list[str]:
    old, new = asdict(before), asdict(after)
    most = {name: max(GROWTH * old[name], old[name] + NOISE.get(name, 0)) for name in old}
    more = [name for name in old if new[name] > most[name]]
    return [f"{name} grew from {old[name]} to {new[name]}" for name in more]


def main() -> int:
    with installation(**SETTINGS) as (client, home):
        look(client, home, "warming")
        before = look(client, home, "before")
        started = time.perf_counter()
        wrong = attacked(client)
        took = time.perf_counter() - started
        after = look(client, home, "after")
    wrong += grown(before, after)
    print(f"{len(ATTACKS)} hostile uploads in {took:.0f} s")
    print(f"before {before}\nafter  {after}")
    print("\n".join(wrong) or "all contained; time and memory unchanged")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
