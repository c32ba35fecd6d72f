"""What the workers of an endpoint counted on this machine, since the supervisor started.

Workers come and go; what they counted stays, so that a counter does not fall when one ends.
"""

import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from controlplane.engines.engine import Answers, Measured
from controlplane.engines.metrics import PAYLOADS, Starts
from runtime.families import BATCH, RevisionCounts
from runtime.latencies import BUCKETS
from runtime.launch import RevisionLaunch


@dataclass(slots=True)
class Counts:
    """What one revision did; see `engine.Answers` and `families.RevisionCounts`."""

    errors: int = 0
    refusals: int = 0
    latency: list[int] = field(default_factory=lambda: [0] * BUCKETS)
    latency_s: float = 0.0
    rows: int = 0
    batch: list[int] = field(default_factory=lambda: [0] * (len(BATCH) + 1))
    batch_requests: float = 0.0
    codes: Counter[int] = field(default_factory=Counter)
    streams: Counter[int] = field(default_factory=Counter)

    def add(self, told: Mapping[str, Any]) -> None:
        """Add what a worker answered since it last told."""
        self.errors += int(told.get("errors", 0))
        self.refusals += int(told.get("refusals", 0))
        self.latency_s += float(told.get("latency_s", 0.0))
        self.rows += int(told.get("rows", 0))
        self.batch_requests += float(told.get("batch_requests", 0.0))
        for counts, name in ((self.latency, "latency"), (self.batch, "batch")):
            for bucket, count in told.get(name, {}).items():
                counts[int(bucket)] += int(count)
        for by_code, name in ((self.codes, "codes"), (self.streams, "streams")):
            for code, count in told.get(name, {}).items():
                by_code[int(code)] += int(count)

    def told(self, launch: RevisionLaunch) -> RevisionCounts:
        """Give what Prometheus is shown."""
        return RevisionCounts(
            model=launch.model,
            version=launch.version,
            backend=str(launch.backend),
            codes=self.codes,
            streams=self.streams,
            rows=self.rows,
            latency=self.latency,
            latency_s=round(self.latency_s, 6),
            batch=self.batch,
            batch_requests=self.batch_requests,
        )


@dataclass(slots=True)
class Measures:
    """Counters that only grow; a supervisor that starts anew is another source.

    refused  before a revision was chosen, by status
    starts   but for wakes and starts, which the meter counts
    start_s  phases of the newest start
    payloads  requests chosen for the payload log, by what became of them; empty: none was
    """

    source: str = field(default_factory=lambda: uuid.uuid4().hex)
    revisions: dict[str, Counts] = field(default_factory=dict)
    refused: Counter[int] = field(default_factory=Counter)
    shed: int = 0
    cpu_s: float = 0.0
    starts: Starts = field(default_factory=Starts)
    start_s: dict[str, float] = field(default_factory=dict)
    payloads: dict[str, int] = field(default_factory=dict)

    def add(self, stats: Mapping[str, Any]) -> None:
        """Add a worker's `stats` packet."""
        for name, told in stats.get("revisions", {}).items():
            self.revisions.setdefault(name, Counts()).add(told)
        for code, count in stats.get("refused", {}).items():
            self.refused[int(code)] += int(count)
        if told := stats.get("payloads"):
            self.payloads = {
                name: self.payloads.get(name, 0) + int(told.get(name, 0)) for name in PAYLOADS
            }
        self.shed += int(stats.get("shed", 0))
        self.cpu_s += float(stats.get("cpu_s", 0.0))

    def started(self, phases_ms: Mapping[str, float], total_ms: float | None = None) -> None:
        """Note a start; `total_ms` of one that a caller waited for, to its first answer."""
        self.start_s = {name: ms / 1000 for name, ms in phases_ms.items()}
        if total_ms is not None:
            self.start_s["total"] = total_ms / 1000
            self.starts.add(phases_ms, total_ms)

    def keep(self, revisions: set[str]) -> None:
        """Forget what is routed no more."""
        for name in self.revisions.keys() - revisions:
            del self.revisions[name]

    def to_json(self) -> dict[str, Any]:
        """Give what `measured_from` reads."""
        revisions = {
            name: {"errors": one.errors, "refusals": one.refusals, "latency": one.latency}
            for name, one in self.revisions.items()
        }
        return {"source": self.source, "revisions": revisions}


def measured_from(document: Mapping[str, Any]) -> Measured:
    """Read what the supervisor measured."""
    revisions = {
        name: Answers(one["errors"], one["refusals"], tuple(one["latency"]))
        for name, one in document["revisions"].items()
    }
    return Measured(document["source"], revisions)
