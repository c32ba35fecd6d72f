"""The metric families of an engine's endpoints, in Prometheus' words."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector
from typing_extensions import override

from controlplane.engines.metrics import START_S, EndpointMetrics
from runtime.families import ENDPOINT, cumulative, families

# About 90 series each, and 40 more for each further revision: what a small Prometheus takes well.
MOST_ENDPOINTS: Final = 1000


class Exposition(Collector):
    """What an engine told once, for one scrape: an endpoint that is gone has no series.

    Endpoints beyond `MOST_ENDPOINTS` are left out and counted. They are not added up under one
    name: a sum whose members change falls, which Prometheus takes for a counter that began anew.
    """

    def __init__(self, told: Sequence[EndpointMetrics], most: int = MOST_ENDPOINTS) -> None:
        self._told, self._omitted = told[:most], max(0, len(told) - most)

    @override
    def collect(self) -> Iterator[Metric]:
        """Give the families."""
        yield GaugeMetricFamily(
            "kubeserve_endpoints", "Endpoints that the engine runs, at zero too.",
            value=len(self._told) + self._omitted,
        )  # fmt: skip
        yield GaugeMetricFamily(
            "kubeserve_endpoints_omitted",
            "Endpoints that are left out here, since there are too many.",
            value=self._omitted,
        )
        yield from families(one.counts for one in self._told if one.counts is not None)
        yield from self._scaled()
        yield from self._started()

    def _scaled(self) -> Iterator[Metric]:
        of_metric = (*ENDPOINT, "metric")
        for name, said, value, labels in GAUGES:
            gauge = GaugeMetricFamily(
                f"kubeserve_{name}", said, labels=of_metric if labels else ENDPOINT
            )
            for one in self._told:
                found = value(one)
                if found is not None:
                    more = [one.scaled.metric] if labels else []
                    gauge.add_metric([one.tenant, one.endpoint, *more], found)
            yield gauge
        decided = CounterMetricFamily(
            "kubeserve_autoscaler_decisions", "Decisions of the autoscaler.", labels=ENDPOINT
        )
        for one in self._told:
            if one.scaled.decisions is not None:
                decided.add_metric([one.tenant, one.endpoint], one.scaled.decisions)
        yield decided

    def _started(self) -> Iterator[Metric]:
        counters = {
            name: CounterMetricFamily(f"kubeserve_{name}", said, labels=ENDPOINT)
            for name, said in COUNTERS.items()
        }
        cold = HistogramMetricFamily(
            "kubeserve_cold_start_seconds",
            "Cold starts, from a request's first byte to its answer.",
            labels=ENDPOINT,
        )
        phases = SummaryMetricFamily(
            "kubeserve_cold_start_phase_seconds",
            "Phases of cold starts.",
            labels=[*ENDPOINT, "phase"],
        )
        for one in self._told:
            of, starts = [one.tenant, one.endpoint], one.starts
            if starts is None:
                continue
            for name, counter in counters.items():
                counter.add_metric(of, getattr(starts, FIELDS[name]))
            cold.add_metric(of, cumulative(START_S, starts.cold), starts.cold_s)
            for phase, (count, seconds) in starts.phases.items():
                phases.add_metric([*of, phase], count, seconds)
        yield from (*counters.values(), cold, phases)


def _panicking(one: EndpointMetrics) -> float | None:
    return None if one.scaled.panicking is None else float(one.scaled.panicking)


Value = Callable[[EndpointMetrics], float | None]
GAUGES: Final[tuple[tuple[str, str, Value, bool], ...]] = (
    ("replicas_desired", "Replicas that are wanted.", lambda one: one.scaled.desired, False),
    ("replicas_ready", "Replicas that serve.", lambda one: one.scaled.ready, False),
    ("autoscaler_panic_mode", "1 while a panic holds back scale-down.", _panicking, False),
    ("autoscaler_stable", "Average over the stable window.", lambda one: one.scaled.stable, True),
    ("autoscaler_panic", "Average over the panic window.", lambda one: one.scaled.panic, True),
    ("autoscaler_target", "What one replica aims at.", lambda one: one.scaled.target, True),
    (
        "parked_connections",
        "Idle connections that are kept while no replica runs.",
        lambda one: one.parked,
        False,
    ),
)
COUNTERS: Final = {
    "replica_wakes": "Requests that found no replica and had one started.",
    "replica_starts": "Replicas started.",
    "replica_crashes": "Replicas that ended by themselves.",
}
FIELDS: Final = {
    "replica_wakes": "wakes",
    "replica_starts": "starts",
    "replica_crashes": "crashes",
}
