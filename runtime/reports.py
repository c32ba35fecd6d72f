"""What a worker tells the autoscaler each second, and what of it is kept of a pod."""

from collections.abc import Mapping
from typing import Any

from runtime.consumption import Consumption, resident_bytes
from runtime.edge import Edge
from runtime.gate import Gate
from runtime.metrics import Metrics, RevisionMetrics
from runtime.revisions import Revisions
from runtime.sampling import Sampler
from runtime.usage import Answered, Counted


class Reports:
    """Turns running counts into what happened since the last report."""

    def __init__(
        self, revisions: Revisions, edge: Edge, metrics: Metrics, gate: Gate, sampler: Sampler
    ) -> None:
        self._revisions, self._edge = revisions, edge
        self._metrics, self._gate, self._sampler = metrics, gate, sampler
        self._consumption = Consumption()
        self._before: dict[tuple[str, str], float] = {}
        self._counts: dict[tuple[str, str], Mapping[Any, int]] = {}

    def stats(self, now: float) -> dict[str, object]:
        """Make the `stats` packet of ARCHITECTURE.md."""
        by_revision: dict[str, dict[str, object]] = {}
        sums = {"concurrency": 0.0, "requests": 0, "errors": 0, "rows": 0, "busy_s": 0.0}
        for revision in self._revisions.all:
            name, counts = revision.launch.name, revision.counts
            average, arrived = revision.in_flight.report(now)
            rows = self._since(name, "rows", counts.rows)
            told = {
                "concurrency": round(average, 6),
                "requests": arrived,
                "errors": self._since(name, "errors", counts.errors),
            }
            by_revision[name] = {
                **told,
                "refusals": self._since(name, "refusals", counts.refusals),
                "latency": self._new(name, "latency", dict(enumerate(counts.latency_s.counts))),
                "batch": self._new(name, "batch", dict(enumerate(counts.batch.counts))),
                "codes": self._new(name, "codes", counts.by_code),
                "streams": self._new(name, "streams", counts.streams),
                "latency_s": self._since(name, "latency_s", round(counts.latency_s.total, 6)),
                "batch_requests": self._since(name, "batch_requests", counts.batch.total),
                "rows": rows,
            }
            more = {
                "rows": rows,
                "busy_s": self._since(name, "busy_s", round(revision.in_flight.busy_s, 6)),
            }
            for what, value in {**told, **more}.items():
                sums[what] += value
        cpu_s = round(self._consumption.cpu_s(self._behind()), 6)
        return {
            "t": "stats",
            **sums,
            "in_flight": self._gate.admitted,
            "running": self._gate.running,
            "connections": len(self._edge.connections),
            "streams_open": len(self._edge.streams.open),
            "refused": self._new("", "refused", self._metrics.refused),
            "shed": self._since("", "shed", self._gate.shed),
            "cpu_s": self._since("", "cpu_s", cpu_s),
            "revisions": by_revision,
            "payloads": self._new("", "payloads", self._metrics.payloads()),
            "not_copied": self._since("", "dropped", self._sampler.dropped),
        }

    def counted(self, now: float) -> Counted:
        """Give what was counted since the start."""
        revisions = self._revisions.all
        return Counted(
            sum(revision.in_flight.total for revision in revisions),
            sum(revision.counts.rows for revision in revisions),
            round(sum(revision.in_flight.busy_until(now) for revision in revisions), 3),
            {one.launch.name: answered(one.counts) for one in revisions},
        )

    def gauges(self) -> None:
        """Write what Prometheus reads as it is now."""
        self._metrics.in_flight = self._gate.running
        self._metrics.queued = self._gate.admitted - self._gate.running
        self._metrics.shed = self._gate.shed
        self._metrics.connections = len(self._edge.connections)
        self._metrics.streams = len(self._edge.streams.open)
        behind = self._behind()
        self._metrics.cpu_s = self._consumption.cpu_s(behind)
        self._metrics.memory_bytes = resident_bytes(behind)

    def _behind(self) -> list[int]:
        """Name the processes that compute for this one."""
        pids = [getattr(one.backend, "pid", None) for one in self._revisions.all]
        return [pid for pid in pids if pid is not None]

    def _new(self, revision: str, what: str, so_far: Mapping[Any, int]) -> dict[str, int]:
        """Give what is new of some counts, where there is any."""
        before = self._counts.get((revision, what), {})
        self._counts[revision, what] = dict(so_far)
        new = ((key, count - before.get(key, 0)) for key, count in so_far.items())
        return {str(key): count for key, count in new if count}

    def _since(self, revision: str, what: str, so_far: float) -> float:
        before = self._before.get((revision, what), 0)
        self._before[revision, what] = so_far
        return so_far - before


def answered(counts: RevisionMetrics) -> Answered:
    """Give what a revision answered so far."""
    buckets = enumerate(counts.latency_s.counts)
    latency = {str(bucket): count for bucket, count in buckets if count}
    return Answered(counts.errors, counts.refusals, latency)
