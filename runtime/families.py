"""The metric families of endpoints: one definition for the worker and for who adds workers up.

`tenant` and `endpoint` are labels of every series, so that one query filters on both engines: on
one machine the supervisor adds up the workers of an endpoint, on a cluster each pod tells its own.
Only whoever is asked for Prometheus' text imports prometheus_client: 30 ms that a cold start does
not owe.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

from runtime import latencies

if TYPE_CHECKING:
    from prometheus_client.core import Metric

BATCH: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
ENDPOINT: Final = ("tenant", "endpoint")
REVISION: Final = (*ENDPOINT, "revision")
# There from the start: a counter that appears with its first error has no increase to show.
ALWAYS: Final = (200, 500)


class RevisionCounts(NamedTuple):
    """What one revision did.

    codes    answers by status
    streams  of these, streams of rows, by how they ended
    latency  answers by bucket of `runtime.latencies`; latency_s: the sum
    batch    calls by bucket of `BATCH`; batch_requests: the requests in them
    """

    model: str
    version: int
    backend: str
    codes: Mapping[int, int]
    streams: Mapping[int, int]
    rows: int
    latency: Sequence[int]
    latency_s: float
    batch: Sequence[int]
    batch_requests: float


class EndpointCounts(NamedTuple):
    """What the workers of an endpoint did and do; `refused`: before a revision was chosen.

    start_s  phases of the newest start
    payloads  requests that were chosen for the payload log, by what became of them
    """

    tenant: str
    endpoint: str
    revisions: Mapping[str, RevisionCounts]
    refused: Mapping[int, int]
    in_flight: int
    queued: int
    shed: int
    connections: int
    streams_open: int
    cpu_s: float
    memory_bytes: int
    start_s: Mapping[str, float]
    payloads: Mapping[str, int]


def cumulative(bounds: Sequence[float], counts: Sequence[int]) -> list[tuple[str, float]]:
    """Give Prometheus' cumulative buckets; there is one count more than bounds."""
    named = (*map(str, bounds), "+Inf")
    return [(bound, float(n)) for bound, n in zip(named, accumulate(counts), strict=True)]


def shown(counts: Sequence[int]) -> list[tuple[str, float]]:
    """Give the buckets of latencies that Prometheus is shown."""
    rows = [(str(bound), float(count)) for bound, count in latencies.shown([*counts])]
    return [*rows, ("+Inf", float(sum(counts)))]


def families(endpoints: Iterable[EndpointCounts]) -> list["Metric"]:
    """Give the families with a series for each endpoint, revision, status and bucket."""
    from prometheus_client.core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
    )

    requests = CounterMetricFamily(
        "kubeserve_requests", "Prediction requests answered.", labels=[*REVISION, "code"]
    )
    streams = CounterMetricFamily(
        "kubeserve_streams", "Streams of rows, by how they ended.", labels=[*REVISION, "code"]
    )
    rows = CounterMetricFamily("kubeserve_rows", "Rows predicted.", labels=REVISION)
    latency = HistogramMetricFamily(
        "kubeserve_request_duration_seconds",
        "From the request's last byte to its answer.",
        labels=REVISION,
    )
    batch = HistogramMetricFamily(
        "kubeserve_batch_requests", "Requests predicted in one call.", labels=REVISION
    )
    info = GaugeMetricFamily(
        "kubeserve_revision_info",
        "Which version of which model a revision serves, by a plan or by scikit-learn (fallback).",
        labels=[*REVISION, "model", "version", "backend"],
    )
    start = GaugeMetricFamily(
        "kubeserve_start_seconds", "Phases of the newest start.", labels=[*ENDPOINT, "phase"]
    )
    gauges = {
        name: GaugeMetricFamily(f"kubeserve_{name}", said, labels=ENDPOINT)
        for name, said in GAUGES.items()
    }
    shed = CounterMetricFamily(
        "kubeserve_requests_shed", "Requests refused for want of capacity.", labels=ENDPOINT
    )
    cpu = CounterMetricFamily(
        "kubeserve_cpu_seconds", "Processor time of an endpoint's workers.", labels=ENDPOINT
    )
    payloads = CounterMetricFamily(
        "kubeserve_payload_log_requests",
        "Requests chosen for the payload log: taken, or dropped as it was full or they too large.",
        labels=[*ENDPOINT, "outcome"],
    )
    for one in endpoints:
        of = [one.tenant, one.endpoint]
        for name, counts in one.revisions.items():
            for code, count in {**dict.fromkeys(ALWAYS, 0), **counts.codes}.items():
                requests.add_metric([*of, name, str(code)], count)
            for code, count in counts.streams.items():
                streams.add_metric([*of, name, str(code)], count)
            rows.add_metric([*of, name], counts.rows)
            latency.add_metric([*of, name], shown(counts.latency), counts.latency_s)
            batch.add_metric([*of, name], cumulative(BATCH, counts.batch), counts.batch_requests)
            version = str(counts.version)
            info.add_metric([*of, name, counts.model, version, counts.backend], 1)
        for code, count in one.refused.items():
            requests.add_metric([*of, "", str(code)], count)
        for phase, seconds in one.start_s.items():
            start.add_metric([*of, phase], seconds)
        for outcome, count in one.payloads.items():
            payloads.add_metric([*of, outcome], count)
        for name, gauge in gauges.items():
            gauge.add_metric(of, getattr(one, FIELDS.get(name, name)))
        shed.add_metric(of, one.shed)
        cpu.add_metric(of, one.cpu_s)
    others = (shed, cpu, start, payloads)
    return [requests, streams, rows, latency, batch, info, *gauges.values(), *others]


GAUGES: Final = {
    "streams_open": "Streams of rows being predicted.",
    "requests_in_flight": "Requests being computed.",
    "requests_queued": "Requests waiting to be computed.",
    "connections": "Open client connections.",
    "memory_bytes": "Memory of an endpoint's workers, shared pages by their part.",
}
FIELDS: Final = {"requests_in_flight": "in_flight", "requests_queued": "queued"}
