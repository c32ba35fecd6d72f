"""Minutes or an hour at 70 % of the highest rate: are answers steady, and does memory stay?

Requests arrive by themselves (`arrivals.py`). What the generator adds is measured at the same rate
against a server that answers without looking.
"""

import contextlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from loadtests.benchmarks import load
from loadtests.benchmarks.arrivals import Minute, Soak
from loadtests.benchmarks.load import Request
from loadtests.benchmarks.measuring import (
    Options,
    Raw,
    Row,
    at_most,
    family_cpu_s,
    family_rss_mb,
    number,
    stolen_s,
    times,
)
from loadtests.benchmarks.serving import JSON, Side, ask, module, program, runtime
from tests.integration.runtime_rig import ROW, Keys, free_port, launch_of

SHARE: Final = 0.7
CONNECTIONS: Final = 64
RATE_ROUNDS: Final = 3
PILED_UP: Final = 0.1
ALONE_S: Final = 3.0  # against the blind server
SETTLED_S: Final = 1.0  # of the load itself, before memory is first looked at
APPS: Final = "loadtests.benchmarks.apps"


def limit_s(options: Options) -> float:
    """Give the seconds it takes at most."""
    return 60 * options.minutes + 48 + (RATE_ROUNDS + 1) * options.seconds


def measure(options: Options) -> Raw:
    """Find the highest rate, then keep to a share of it."""
    by = load.generator()
    with tempfile.TemporaryDirectory() as folder, sides(Path(folder), options) as (ours, blind):
        highest = max(
            load.drive(ours.request, CONNECTIONS, options.seconds, by=by).rps
            for _ in range(RATE_ROUNDS)
        )
        ceiling = load.drive(blind.request, CONNECTIONS, options.seconds, by="python").rps
        rate = SHARE * highest
        print(f"{highest:,.0f} requests/s at most; {rate:,.0f} of {ceiling:,.0f}", flush=True)
        alone = soaked(blind, rate, min(ALONE_S, 60 * options.minutes))
        print(f"without looking: {shown(alone)}", flush=True)
        soaked(ours, rate, SETTLED_S)
        found = soaked(ours, rate, 60 * options.minutes)
        print(f"runtime: {shown(found)}", flush=True)
    return {"highest": highest, "ceiling": ceiling, "rate": rate, "alone": alone, "soak": found}


@contextlib.contextmanager
def sides(folder: Path, options: Options) -> Iterator[tuple[Side, Side]]:
    """Start the runtime and the blind server."""
    keys = Keys(folder)
    until = datetime.now(UTC).timestamp() + 60 * options.minutes + 600
    headers = JSON | {"authorization": f"Bearer {keys.token(exp=int(until))}"}
    body, port = json.dumps([ROW]).encode(), free_port()
    with (
        runtime(folder, launch_of(folder, keys, port=free_port()), keys) as ours,
        program(module(f"{APPS}.blind", str(port)), port) as blind,
    ):
        served = Side(ours, Request(ours.port, "/predict", body, headers))
        if ask(served.request)["predictions"] != [0]:
            raise RuntimeError("the server does not predict what it should")
        yield served, Side(blind, Request(port, "/predict", body, headers))


def soaked(side: Side, rate: float, seconds: float) -> Raw:
    """Keep to a rate; gives latencies, and memory and processor time before and after."""
    pid = side.server.pid
    rss, cpu, stolen = [family_rss_mb(pid)], family_cpu_s(pid), stolen_s()

    def each_minute(minute: Minute) -> None:
        rss.append(family_rss_mb(pid))
        told = f"{minute.requests:,} requests, median {minute.p50_us:.0f} µs"
        print(f"  {told}, 99th {minute.p99_us:.0f} µs, {rss[-1]:.2f} MB", flush=True)

    soak = Soak(rate, seconds, each_minute)
    soak.run(side.request, CONNECTIONS)
    return {
        "requests": soak.latencies.total,
        "seconds": seconds,
        "waited": soak.waited / soak.latencies.total,
        "p50_us": soak.latencies.quantile_us(0.5),
        "p99_us": soak.latencies.quantile_us(0.99),
        "p999_us": soak.latencies.quantile_us(0.999),
        "minutes": [[m.requests, m.p50_us, m.p99_us] for m in soak.minutes],
        "rss_mb": rss,
        "stolen": (stolen_s() - stolen) / seconds,
        "cpu_us": 1e6 * (family_cpu_s(pid) - cpu) / soak.latencies.total,
    }


def shown(found: Raw) -> str:
    """Write the main figures."""
    return f"median {number(found['p50_us'])} µs, 99th percentile {number(found['p99_us'])} µs"


def rows(raw: Raw) -> list[Row]:
    """Hold latencies and memory against their aims."""
    found, alone = raw["soak"], raw["alone"]
    quietest = min(late / middle for _, middle, late in found["minutes"])
    notes = [
        f"{shown(found)}, 99.9th {number(found['p999_us'])}; best minute {times(quietest)}",
        f"the generator's own: {shown(alone)}",
    ]
    if found["stolen"]:
        # What comes meanwhile waits, and so does what comes while that is made up for.
        notes.append(f"the hypervisor took {100 * found['stolen']:.2f} % of both cores' time")
    if raw["rate"] > load.NEAR * raw["ceiling"]:
        notes.append(f"generator-bound: it drives {raw['ceiling']:,.0f} at most")
    # Where requests pile up, all of them wait about as long, and a ratio says nothing.
    keeps_up = found["waited"] < PILED_UP
    if not keeps_up:
        notes.append(f"{found['waited']:.0%} of all found no free connection: it did not keep up")
    minutes = number(found["seconds"] / 60)
    what = (
        f"99th percentile against the median, {minutes} minutes of {raw['rate']:,.0f} requests/s"
        f" ({SHARE:.0%} of the highest rate) that come by themselves"
    )
    first, last = found["rss_mb"][0], found["rss_mb"][-1]
    grown = 100 * abs(last / first - 1)
    steady = at_most(what, found["p99_us"] / found["p50_us"], 5.0, note="; ".join(notes))
    return [
        replace(steady, met=bool(steady.met) and keeps_up),
        at_most(
            "memory at its end against its beginning",
            grown,
            2.0,
            " %",
            f"{first:.1f}, {last:.1f} MB",
        ),
    ]
