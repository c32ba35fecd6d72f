"""What a worker tells the autoscaler each second."""

from runtime.edge import Edge
from runtime.gate import Gate
from runtime.metrics import Metrics
from runtime.revisions import Revisions


class Reports:
    """Turns running counts into what happened since the last report."""

    def __init__(self, revisions: Revisions, edge: Edge, metrics: Metrics, gate: Gate) -> None:
        self._revisions, self._edge = revisions, edge
        self._metrics, self._gate = metrics, gate
        self._errors: dict[str, int] = {}

    def stats(self, now: float) -> dict[str, object]:
        """Make the `stats` packet of ARCHITECTURE.md."""
        by_revision: dict[str, dict[str, float]] = {}
        concurrency, requests, errors = 0.0, 0, 0
        for revision in self._revisions.all:
            name = revision.launch.name
            average, arrived = revision.in_flight.report(now)
            failed = self._since(name, revision.counts.errors)
            by_revision[name] = {
                "concurrency": round(average, 6),
                "requests": arrived,
                "errors": failed,
            }
            concurrency, requests, errors = (
                concurrency + average,
                requests + arrived,
                errors + failed,
            )
        return {
            "t": "stats",
            "concurrency": round(concurrency, 6),
            "requests": requests,
            "in_flight": self._gate.admitted,
            "connections": len(self._edge.connections),
            "errors": errors,
            "revisions": by_revision,
        }

    def gauges(self) -> None:
        """Write what Prometheus reads as it is now."""
        self._metrics.in_flight = self._gate.running
        self._metrics.queued = self._gate.admitted - self._gate.running
        self._metrics.shed = self._gate.shed
        self._metrics.connections = len(self._edge.connections)
        self._metrics.streams = len(self._edge.streams.open)

    def _since(self, name: str, errors: int) -> int:
        before = self._errors.get(name, 0)
        self._errors[name] = errors
        return errors - before
