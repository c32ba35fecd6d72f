"""What a worker tells the autoscaler each second, and what of it is kept of a pod."""

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
        self._before: dict[tuple[str, str], float] = {}
        self._latencies: dict[str, list[int]] = {}

    def stats(self, now: float) -> dict[str, object]:
        """Make the `stats` packet of ARCHITECTURE.md."""
        by_revision: dict[str, dict[str, object]] = {}
        sums = {"concurrency": 0.0, "requests": 0, "errors": 0, "rows": 0, "busy_s": 0.0}
        for revision in self._revisions.all:
            name, counts = revision.launch.name, revision.counts
            average, arrived = revision.in_flight.report(now)
            told = {
                "concurrency": round(average, 6),
                "requests": arrived,
                "errors": self._since(name, "errors", counts.errors),
            }
            by_revision[name] = {
                **told,
                "refusals": self._since(name, "refusals", counts.refusals),
                "latency": self._latency(name, counts.latency_s.counts),
            }
            more = {
                "rows": self._since(name, "rows", counts.rows),
                "busy_s": self._since(name, "busy_s", round(revision.in_flight.busy_s, 6)),
            }
            for what, value in {**told, **more}.items():
                sums[what] += value
        return {
            "t": "stats",
            **sums,
            "in_flight": self._gate.admitted,
            "connections": len(self._edge.connections),
            "revisions": by_revision,
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

    def _latency(self, revision: str, so_far: list[int]) -> dict[str, int]:
        """Give the new answers by bucket of `runtime.latencies`, where there are any."""
        before = self._latencies.get(revision) or [0] * len(so_far)
        self._latencies[revision] = [*so_far]
        new = enumerate(map(int.__sub__, so_far, before))
        return {str(bucket): count for bucket, count in new if count}

    def _since(self, revision: str, what: str, so_far: float) -> float:
        before = self._before.get((revision, what), 0)
        self._before[revision, what] = so_far
        return so_far - before


def answered(counts: RevisionMetrics) -> Answered:
    """Give what a revision answered so far."""
    buckets = enumerate(counts.latency_s.counts)
    latency = {str(bucket): count for bucket, count in buckets if count}
    return Answered(counts.errors, counts.refusals, latency)
