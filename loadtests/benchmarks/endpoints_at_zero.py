"""What many endpoints at zero cost: memory, processor time, processes, threads, descriptors.

python -m loadtests.benchmarks.endpoints_at_zero MODEL.joblib [COUNT]
"""

import json
import sys
import time
from pathlib import Path

import psutil

from loadtests.benchmarks.installation import installation

IDLE_S = 10.0
WITHIN_S = 120.0


def family(supervisor: psutil.Process) -> list[psutil.Process]:
    """Give the supervisor and everything below it."""
    return [supervisor, *supervisor.children(recursive=True)]


def cost(processes: list[psutil.Process]) -> dict[str, float]:
    """Add up what processes hold now."""
    return {
        "processes": len(processes),
        "threads": sum(p.num_threads() for p in processes),
        "descriptors": sum(p.num_fds() for p in processes),
        "resident_mb": round(sum(p.memory_info().rss for p in processes) / 1e6, 1),
        "cpu_s": round(sum(sum(p.cpu_times()[:2]) for p in processes), 3),
    }


def main() -> None:
    path, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 500
    with installation(endpoints=count + 10) as (client, home):
        keeper = psutil.Process(int((home / "keeper.pid").read_text().split()[0]))
        (supervisor,) = [p for p in keeper.children() if "supervisor" in " ".join(p.cmdline())]
        before = cost(family(supervisor))
        client.push(path, "model")
        for i in range(count):
            client.deploy("model", endpoint=f"e{i}", scaling={"initial_scale": 0}, wait=False)
        deadline = time.perf_counter() + WITHIN_S
        while sum(e.url is not None for e in client.endpoints()) < count:
            if time.perf_counter() > deadline:
                raise TimeoutError("not every endpoint listens")
            time.sleep(0.5)
        idle = cost(family(supervisor))
        time.sleep(IDLE_S)  # the measurement itself
        after = cost(family(supervisor))
    busy = (after["cpu_s"] - idle["cpu_s"]) / IDLE_S
    result = {"none": before, str(count): after, "cpu_share_while_idle": round(busy, 4)}
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
