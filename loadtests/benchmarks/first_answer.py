"""Seconds from `push` to the first answered prediction, and from first byte to answer at a wake.

    python -m loadtests.benchmarks.first_answer MODEL.joblib '[[5.1, 3.5, 1.4, 0.2]]'

Pushes the file, deploys it, calls it; then stops its worker again and again (scale to zero with the
shortest windows) and wakes it with one request over a connection that stays open. Page cache warm.
Ten endpoints are woken in turn: alone, a moment apart, and in a burst, each right after the other.
"""

import json
import statistics
import sys
import time
from pathlib import Path

from controlplane.client import Client, ColdStart
from loadtests.benchmarks.installation import installation

WAKES = 5
APART_S = 0.15
SHORT = {"window_s": 6, "scale_to_zero_grace_period_s": 0}
WAIT_S = 60.0


def until_zero(client: Client, name: str) -> None:
    """Wait until nothing runs for the endpoint."""
    deadline = time.perf_counter() + WAIT_S
    while client.endpoint(name).replicas:
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{name} has not fallen to zero within {WAIT_S:.0f} s")
        time.sleep(0.1)


def told_anew(client: Client, name: str, before: ColdStart | None) -> ColdStart:
    """Wait for the engine's figure of the last start, which it is told after the answer."""
    deadline = time.perf_counter() + WAIT_S
    while (start := client.endpoint(name).cold_start) in (None, before):
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{name} answered without a cold start")
        time.sleep(0.02)
    assert start is not None
    return start


def push_to_answer(client: Client, path: Path, rows: object, name: str) -> float:
    """Give the seconds from the call of push to the first answer."""
    began = time.perf_counter()
    client.push(path, name)
    client.deploy(name, scaling=SHORT)
    client.predict(name, rows)
    return time.perf_counter() - began


def wakes(
    client: Client, names: list[str], rows: object, apart_s: float
) -> tuple[list[float], list[float]]:
    """Give (client-seen, engine-measured) milliseconds of cold starts, all endpoints in turn."""
    seen, measured = [], []
    for _ in range(WAKES):
        told = {name: client.endpoint(name).cold_start for name in names}
        for name in names:
            until_zero(client, name)
        for name in names:
            time.sleep(apart_s)
            began = time.perf_counter()
            client.predict(name, rows)
            seen.append(1000 * (time.perf_counter() - began))
        measured += [told_anew(client, name, told[name]).total_ms for name in names]
    return seen, measured


def summary(values: list[float]) -> dict[str, float]:
    """Give count, median, 99th percentile and maximum."""
    ordered = sorted(values)
    return {
        "n": len(ordered),
        "p50": round(statistics.median(ordered), 2),
        "p99": round(ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))], 2),
        "max": round(ordered[-1], 2),
    }


def main() -> None:
    path, rows = Path(sys.argv[1]), json.loads(sys.argv[2])
    names = [f"bench-{i}" for i in range(10)]
    with installation(endpoints=20) as (client, _):
        pushes = [push_to_answer(client, path, rows, name) for name in names]
        alone = wakes(client, names, rows, APART_S)
        burst = wakes(client, names, rows, 0.0)
    result = {
        "push_to_first_answer_s": {k: round(v, 3) for k, v in summary(pushes).items()},
        "cold_start_client_ms": summary(alone[0]),
        "cold_start_engine_ms": summary(alone[1]),
        "cold_start_client_burst_ms": summary(burst[0]),
        "cold_start_engine_burst_ms": summary(burst[1]),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
