"""What a worker counts: plain integers on the hot path, Prometheus text when it is asked for."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from time import process_time
from typing import TYPE_CHECKING, Final

from runtime import latencies
from runtime.plan.ops import override

if TYPE_CHECKING:
    from prometheus_client.core import Metric

GONE: Final = 499  # the client left before its answer
BATCH: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


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

    def cumulative(self) -> list[tuple[str, float]]:
        """Give Prometheus' cumulative buckets."""
        rows, sum_so_far = [], 0
        for bound, count in zip((*self.bounds, float("inf")), self.counts, strict=True):
            sum_so_far += count
            rows.append(("+Inf" if bound == float("inf") else str(bound), float(sum_so_far)))
        return rows


class Latencies(Histogram):
    """Latencies in fine buckets, of which Prometheus is shown some."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(latencies.BOUNDS_S)

    @override
    def cumulative(self) -> list[tuple[str, float]]:
        rows = [(str(bound), float(count)) for bound, count in latencies.shown(self.counts)]
        return [*rows, ("+Inf", float(sum(self.counts)))]


class RevisionMetrics:
    """Counts of one revision."""

    def __init__(self) -> None:
        self.by_code: Counter[int] = Counter()  # GONE: nobody waited for the answer
        self.streams: Counter[int] = Counter()  # of these, by what they ended with
        self.rows = 0
        self.latency_s = Latencies()
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

    def __init__(self) -> None:
        self.revisions: dict[str, RevisionMetrics] = {}
        self.refused: Counter[int] = Counter()  # before a revision was chosen
        self.in_flight = self.queued = self.shed = self.connections = self.streams = 0
        self.before_read: Callable[[], None] = lambda: None
        self.start_ms: dict[str, float] = {}

    def text(self) -> bytes:
        """Write Prometheus' text format."""
        # Imported by the first scrape: 30 ms that a cold start does not owe.
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import generate_latest

        self.before_read()
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator["Metric"]:
        """Give the metric families."""
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
        )

        requests = CounterMetricFamily(
            "kubeserve_requests", "Prediction requests answered.", labels=["revision", "code"]
        )
        streams = CounterMetricFamily(
            "kubeserve_streams", "Streams of rows, by how they ended.", labels=["revision", "code"]
        )
        rows = CounterMetricFamily("kubeserve_rows", "Rows predicted.", labels=["revision"])
        latency = HistogramMetricFamily(
            "kubeserve_request_duration_seconds",
            "From the request's last byte to its answer.",
            labels=["revision"],
        )
        batch = HistogramMetricFamily(
            "kubeserve_batch_requests", "Requests predicted in one call.", labels=["revision"]
        )
        for name, counted in self.revisions.items():
            for code, count in counted.by_code.items():
                requests.add_metric([name, str(code)], count)
            for code, count in counted.streams.items():
                streams.add_metric([name, str(code)], count)
            rows.add_metric([name], counted.rows)
            for family, histogram in ((latency, counted.latency_s), (batch, counted.batch)):
                family.add_metric([name], histogram.cumulative(), histogram.total)
        for code, count in self.refused.items():
            requests.add_metric(["", str(code)], count)
        yield from (requests, streams, rows, latency, batch)
        yield GaugeMetricFamily(
            "kubeserve_streams_open", "Streams of rows being predicted.", value=self.streams
        )
        yield GaugeMetricFamily(
            "kubeserve_requests_in_flight", "Requests being computed.", value=self.in_flight
        )
        yield GaugeMetricFamily(
            "kubeserve_requests_queued", "Requests waiting to be computed.", value=self.queued
        )
        yield CounterMetricFamily(
            "kubeserve_requests_shed", "Requests refused for want of capacity.", value=self.shed
        )
        yield GaugeMetricFamily(
            "kubeserve_connections", "Open client connections.", value=self.connections
        )
        yield CounterMetricFamily(
            "process_cpu_seconds", "Processor time of this worker.", value=process_time()
        )
        start = GaugeMetricFamily(
            "kubeserve_start_seconds", "Phases of this worker's start.", labels=["phase"]
        )
        for phase, ms in self.start_ms.items():
            start.add_metric([phase], ms / 1000)
        yield start
