"""What endpoints used since this process began, for Prometheus; each replica tells its own part.

One endpoint is ten series. Of endpoints beyond `MOST` what they use is added up under the name
`_other` of their tenant: a sum that only grows, since nothing ever leaves it.
"""

from collections.abc import Iterator, Mapping
from typing import Final
from uuid import UUID

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from controlplane.telemetry import REGISTRY

MOST: Final = 2000
OTHER: Final = "_other"  # no endpoint can be called so
FAMILIES: Final = {
    "requests": ("kubeserve_usage_requests", "Requests metered."),
    "rows": ("kubeserve_usage_rows", "Rows metered."),
    "wakes": ("kubeserve_usage_wakes", "Times that no replica ran and one was started."),
    "busy_s": ("kubeserve_usage_busy_seconds", "Of ready replicas with a request in flight."),
    "starting_s": ("kubeserve_usage_starting_seconds", "Of replicas that were not ready yet."),
    "ready_s": ("kubeserve_usage_ready_seconds", "Of ready replicas; less busy ones: idle."),
}
Name = tuple[str, str]


class Totals(Collector):
    """Sums by endpoint."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._names: dict[UUID, Name] = {}
        self._of: dict[Name, dict[str, float]] = {}
        self._others: dict[str, dict[str, float]] = {}

    def add(self, endpoint: UUID, name: Name, amounts: Mapping[str, float | None]) -> None:
        """Add what an endpoint used; `name`: of its tenant, and its own."""
        if name in self._of or len(self._of) < self._most:
            self._names[endpoint] = name
            sums = self._of.setdefault(name, dict.fromkeys(FAMILIES, 0.0))
        else:
            sums = self._others.setdefault(name[0], dict.fromkeys(FAMILIES, 0.0))
        for what in FAMILIES:
            sums[what] += max(0.0, amounts.get(what) or 0.0)

    def forget(self, endpoint: UUID) -> None:
        """Leave out an endpoint that is gone."""
        name = self._names.pop(endpoint, None)
        if name is not None:
            self._of.pop(name, None)

    def clear(self) -> None:
        """Leave out all: another replica meters from now on, and learns what is gone."""
        self._names.clear()
        self._of.clear()
        self._others.clear()

    @override
    def collect(self) -> Iterator[Metric]:
        """Give the families."""
        rows = [
            *self._of.items(),
            *(((tenant, OTHER), sums) for tenant, sums in self._others.items()),
        ]
        for what, (name, said) in FAMILIES.items():
            family = CounterMetricFamily(name, said, labels=["tenant", "endpoint"])
            for labels, sums in rows:
                family.add_metric([*labels], sums[what])
            yield family


TOTALS: Final = Totals()
REGISTRY.register(TOTALS)
