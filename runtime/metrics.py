"""What a worker counts: plain integers on the hot path, Prometheus text when it is asked for."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from time import process_time
from typing import TYPE_CHECKING, Final

from runtime import latencies
from runtime.families import BATCH, EndpointCounts, RevisionCounts, families
from runtime.launch import RevisionLaunch

if TYPE_CHECKING:
    from prometheus_client.core import Metric

GONE: Final = 499  # the client left before its answer


class Histogram:
    """Counts in fixed buckets, upper bounds inclusive."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def add_all(self, values: Sequence[float]) -> None:
        """Count some values; those of one tick are nearly always in one bucket."""
        first = bisect_left(self.bounds, min(values))
        if first == bisect_left(self.bounds, max(values)):
            self.counts[first] += len(values)
            self.total += sum(values)
        else:
            for value in values:
                self.add(value)


class RevisionMetrics:
    """Counts of one revision."""

    def __init__(self) -> None:
        self.by_code: Counter[int] = Counter()  # GONE: nobody waited for the answer
        self.streams: Counter[int] = Counter()  # of these, by what they ended with
        self.rows = 0
        self.latency_s = Histogram(latencies.BOUNDS_S)
        self.batch = Histogram(BATCH)

    def answered(self, seconds: Sequence[float]) -> None:
        """Count requests of one row each, predicted in one call, by how long they took."""
        count = len(seconds)
        self.by_code[200] += count
        self.rows += count
        self.batch.add(count)
        self.latency_s.add_all(seconds)

    @property
    def errors(self) -> int:
        """Answers of 500 and above so far."""
        return sum(count for code, count in self.by_code.items() if code >= 500)

    @property
    def refusals(self) -> int:
        """Answers of 400 to 498 so far: what this revision could not take."""
        return sum(count for code, count in self.by_code.items() if 400 <= code < GONE)


class Metrics:
    """Counts of one worker; also a Prometheus collector, whose gauges are read when asked."""

    def __init__(self, tenant: str, endpoint: str) -> None:
        self._tenant, self._endpoint = tenant, endpoint
        self.revisions: dict[str, tuple[RevisionLaunch, RevisionMetrics]] = {}
        self.refused: Counter[int] = Counter()  # before a revision was chosen
        self.in_flight = self.queued = self.shed = self.connections = self.streams = 0
        self.cpu_s, self.memory_bytes = 0.0, 0
        self.before_read: Callable[[], None] = lambda: None
        self.start_ms: dict[str, float] = {}
        self.payloads: Callable[[], dict[str, int]] = dict  # of the payload log, where there is one

    def text(self) -> bytes:
        """Write Prometheus' text format."""
        # Imported by the first scrape: 30 ms that a cold start does not owe.
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import generate_latest

        self.before_read()
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)

    def counts(self) -> EndpointCounts:
        """Give all of it as it is now."""
        return EndpointCounts(
            tenant=self._tenant,
            endpoint=self._endpoint,
            revisions={name: _counts(*of) for name, of in self.revisions.items()},
            refused=self.refused,
            in_flight=self.in_flight,
            queued=self.queued,
            shed=self.shed,
            connections=self.connections,
            streams_open=self.streams,
            cpu_s=self.cpu_s,
            memory_bytes=self.memory_bytes,
            start_s={phase: ms / 1000 for phase, ms in self.start_ms.items()},
            payloads=self.payloads(),
        )

    def collect(self) -> Iterator["Metric"]:
        """Give the metric families."""
        from prometheus_client.core import CounterMetricFamily

        yield from families([self.counts()])
        yield CounterMetricFamily(
            "process_cpu_seconds", "Processor time of this worker.", value=process_time()
        )


def _counts(launch: RevisionLaunch, counted: RevisionMetrics) -> RevisionCounts:
    return RevisionCounts(
        model=launch.model,
        version=launch.version,
        backend=str(launch.backend),
        codes=counted.by_code,
        streams=counted.streams,
        rows=counted.rows,
        latency=counted.latency_s.counts,
        latency_s=counted.latency_s.total,
        batch=counted.batch.counts,
        batch_requests=counted.batch.total,
    )
