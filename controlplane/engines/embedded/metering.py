"""What an endpoint used on this machine: counters that only grow, and outlive the supervisor."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from controlplane.engines.engine import Counters, EndpointId, Metered


@dataclass(slots=True)
class Meter:
    """Counters since `source` began, which is named anew when the counters were lost.

    ready_s   of workers that were ready or ended in peace, one second each
    active_s  with at least one worker, starting ones too
    """

    source: str = field(default_factory=lambda: uuid.uuid4().hex, compare=False)
    requests: int = 0
    rows: int = 0
    wakes: int = 0
    starts: int = 0
    busy_s: float = 0.0
    starting_s: float = 0.0
    ready_s: float = 0.0
    active_s: float = 0.0
    _since: float | None = field(default=None, repr=False, compare=False)
    _starting: int = field(default=0, repr=False, compare=False)
    _ready: int = field(default=0, repr=False, compare=False)

    def workers(self, now: float, starting: int, ready: int) -> None:
        """Take the number of workers from now on; `now` in monotonic seconds."""
        if self._since is not None:
            passed = now - self._since
            self.starting_s += passed * self._starting
            self.ready_s += passed * self._ready
            self.active_s += passed if self._starting or self._ready else 0.0
        self._since, self._starting, self._ready = now, starting, ready

    def add(self, stats: Mapping[str, Any]) -> None:
        """Add what a worker did since it last told."""
        self.requests += int(stats.get("requests", 0))
        self.rows += int(stats.get("rows", 0))
        self.busy_s += float(stats.get("busy_s", 0.0))

    def read(self, endpoint: EndpointId) -> Metered:
        """Give the counters."""
        counters = Counters(
            requests=self.requests,
            rows=self.rows,
            wakes=self.wakes,
            starts=self.starts,
            # Of requests that overlap others of the same worker some time may be counted twice.
            busy_s=min(self.busy_s, self.ready_s),
            starting_s=self.starting_s,
            ready_s=self.ready_s,
            active_s=self.active_s,
        )
        return Metered(endpoint, self.source, counters)

    def to_json(self) -> dict[str, Any]:
        """Give what `meter_from` reads back to an equal meter."""
        return {name: value for name, value in asdict(self).items() if name[0] != "_"}


def meter_from(document: Mapping[str, Any]) -> Meter:
    """Read a meter; raises KeyError, TypeError, ValueError."""
    fresh = Meter().to_json()
    return Meter(**{name: type(value)(document[name]) for name, value in fresh.items()})
