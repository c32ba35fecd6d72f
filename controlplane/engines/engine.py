"""What an engine is to the rest of the control plane: desired state in, observed state out.

Level-triggered: `apply` may be called again with the same state and then does nothing.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NewType, Protocol

from controlplane.engines.history import Series
from controlplane.engines.metrics import EndpointMetrics

EndpointId = NewType("EndpointId", str)  # uuid, never reused


class BackendKind(StrEnum):
    PLAN = "plan"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Scaling:
    """Knative's autoscaling annotations, same names, same defaults, same ranges (KPA)."""

    min_scale: int = 0
    max_scale: int = 4
    initial_scale: int = 1
    activation_scale: int = 1
    metric: str = "concurrency"  # or "rps"
    target: float | None = None
    target_utilization_percentage: float = 70.0
    target_burst_capacity: float = -1.0
    window_s: float = 60.0
    panic_window_percentage: float = 10.0
    panic_threshold_percentage: float = 200.0
    scale_down_delay_s: float = 0.0
    scale_to_zero_grace_period_s: float = 30.0
    scale_to_zero_pod_retention_period_s: float = 0.0
    max_scale_up_rate: float = 1000.0
    max_scale_down_rate: float = 2.0


@dataclass(frozen=True, slots=True)
class TenantLimits:
    """What one tenant may run at a time.

    replicas                on a cluster all pods of its namespace, builds too
    cpu_millis, memory_mib  requested by them, queue-proxies included; on one machine not bounded
    """

    cpu_millis: int = 16_000
    memory_mib: int = 32 * 1024
    replicas: int = 100


@dataclass(frozen=True, slots=True)
class DesiredRevision:
    """One routed revision.

    artifact_sha256  blob in the artifact store: the plan, or the model file for the fallback
    signature        JSON document of `runtime.plan.signature`
    sklearn_version  that wrote the model file, which the fallback must load it with
    environment      recipe of the packages that the fallback needs beside it (`builder.needs`)
    """

    name: str
    model: str
    version: int
    backend: BackendKind
    artifact_sha256: str
    artifact_size_bytes: int
    signature: dict[str, object]
    percent: int = 100
    tag: str | None = None
    sklearn_version: str | None = None
    environment: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class DesiredShadow:
    """Two routed revisions that are compared on copies of requests.

    running    name of the revision whose requests are copied
    candidate  name of the one that answers them too, for nobody
    share      of its requests, 0 to 1
    """

    running: str
    candidate: str
    share: float


@dataclass(frozen=True, slots=True)
class DesiredPayloadLog:
    """What of an endpoint's requests is logged; as `runtime.payload_log.PayloadLog`."""

    sample: float
    redact: tuple[str, ...] = ()
    hashed: tuple[str, ...] = ()
    key: str = ""
    predictions: bool = True


@dataclass(frozen=True, slots=True)
class DesiredEndpoint:
    """All an engine needs to run an endpoint, read from one database row and its revisions.

    warm  replicas to be kept at least at this moment, as `min_scale`; changes within a generation.
          None: it never had warm windows
    """

    id: EndpointId
    tenant: str
    name: str
    generation: int
    audience: str
    revisions: tuple[DesiredRevision, ...]
    scaling: Scaling = field(default_factory=Scaling)
    container_concurrency: int = 0
    timeout_s: float = 60.0
    shadow: DesiredShadow | None = None
    warm: int | None = None
    payload_log: DesiredPayloadLog | None = None


class Condition(StrEnum):
    """Knative's three-valued status."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Status:
    """One condition: Ready or Active. `reason` is one CamelCase word, `message` a sentence."""

    type: str
    status: Condition
    reason: str
    message: str
    since: datetime


@dataclass(frozen=True, slots=True)
class ColdStart:
    """The phases of one start in order; `total_ms` from first byte to first answer."""

    at: datetime
    total_ms: float
    phases_ms: dict[str, float]


@dataclass(frozen=True, slots=True)
class ObservedEndpoint:
    """What an engine sees of an endpoint it runs.

    warm      of what it was told last, `DesiredEndpoint.warm`
    tag_urls  by tag, where its revision answers requests with the header `Knative-Serving-Tag`
    """

    id: EndpointId
    observed_generation: int
    url: str
    replicas: int
    desired_replicas: int
    conditions: tuple[Status, ...]
    concurrency: float = 0.0
    requests_total: int = 0
    starts_total: int = 0
    cold_start: ColdStart | None = None
    tag_urls: Mapping[str, str] = field(default_factory=dict)
    warm: int = 0

    def condition(self, kind: str) -> Status | None:
        """Find a condition by type."""
        return next((c for c in self.conditions if c.type == kind), None)


def refused(
    endpoint: EndpointId, seen: ObservedEndpoint | None, generation: int, ready: Status
) -> ObservedEndpoint:
    """Say of an endpoint that a generation of it was looked at and not taken; the rest goes on."""
    if seen is None:
        return ObservedEndpoint(endpoint, generation, "", 0, 0, (ready,))
    others = tuple(one for one in seen.conditions if one.type != ready.type)
    return replace(seen, observed_generation=generation, conditions=(ready, *others))


@dataclass(frozen=True, slots=True)
class Counters:
    """What an endpoint used; None is what its engine cannot count.

    wakes       times that no replica ran and one was started
    starts      replicas started
    busy_s      of ready replicas with a request in flight
    starting_s  of replicas that were not ready yet, one second each
    ready_s     of replicas that were, until they ended
    active_s    with at least one replica
    """

    requests: int | None
    rows: int | None
    wakes: int
    starts: int
    busy_s: float | None
    starting_s: float
    ready_s: float
    active_s: float


@dataclass(frozen=True, slots=True)
class Metered:
    """Counters of one endpoint since `source` began; from one source they only grow.

    hosts  of the replicas that were there, where requests, rows and busy seconds are told by these
           themselves (`artifacts.reports`); None: all is in the counters
    """

    endpoint: EndpointId
    source: str
    counters: Counters
    hosts: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """What a revision answered.

    errors    of 500 and above
    refusals  of 400 to 498: requests that it could not take
    latency   answers by bucket of `runtime.latencies`, `BUCKETS` of them; of all statuses
    """

    errors: int
    refusals: int
    latency: tuple[int, ...]

    @property
    def count(self) -> int:
        """All answers."""
        return sum(self.latency)


@dataclass(frozen=True, slots=True)
class Measured:
    """Answers by revision since `source` began; from one source they only grow."""

    source: str
    revisions: Mapping[str, Answers]


@dataclass(frozen=True, slots=True)
class Compared:
    """How the answers of a shadow's two revisions differ, since `source` began; sums only grow.

    rows         that were answered by both, or by the running revision alone
    flips        with another label; of models without labels none
    refused, failed  rows that the candidate did not take, or failed on; each is a flip too
    shift_sum, shift_squares, shift_most  over rows, see `runtime.comparing.Comparison`
    not_copied   requests that were to be compared and were not, because the shadow was behind
    worst        the rows that differ most: row, running, candidate, flipped, shift
    trouble      why nothing is compared; None: it goes on
    """

    source: str
    rows: int = 0
    flips: int = 0
    refused: int = 0
    failed: int = 0
    shift_sum: float = 0.0
    shift_squares: float = 0.0
    shift_most: float = 0.0
    not_copied: int = 0
    worst: tuple[Mapping[str, object], ...] = ()
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What an engine measured of an endpoint's revisions, and compared, from each source."""

    measured: tuple[Measured, ...] = ()
    compared: tuple[Compared, ...] = ()


SUMS: Final = (
    "rows", "flips", "refused", "failed", "shift_sum", "shift_squares", "not_copied"
)  # fmt: skip
WORST: Final = 5  # rows that are kept


def summed(first: Compared, *others: Compared) -> Compared:
    """Add up what several told; source and trouble are the first one's."""
    each = (first, *others)
    sums = {name: sum(getattr(one, name) for one in each) for name in SUMS}
    worst = sorted((row for one in each for row in one.worst), key=_apart, reverse=True)
    most = max(one.shift_most for one in each)
    return replace(first, **sums, shift_most=most, worst=tuple(worst[:WORST]))


def _apart(row: Mapping[str, Any]) -> float:
    return float(row["flipped"]) + float(row["shift"])


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a worker of the endpoint wrote.

    members  what it said of itself beside its text: level, request_id, trace_id, …
    """

    at: datetime
    replica: str
    text: str
    members: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something is as it is: the one thing to know, and what to do about it.

    reason     one CamelCase word
    ok         idle, starting and serving are no faults
    message    a sentence
    evidence   facts as they were found: conditions, events, exit codes, last log lines, figures
    next_step  what whoever reads it does next; empty: nothing
    """

    reason: str
    ok: bool
    message: str
    evidence: tuple[str, ...] = ()
    next_step: str = ""

    def document(self, about: str) -> dict[str, Any]:
        """Give it as the API, the command line and the dashboard show it.

        about  what it explains, such as `endpoint:iris`
        """
        return {
            "about": about,
            "reason": self.reason,
            "ok": self.ok,
            "message": self.message,
            "evidence": list(self.evidence),
            "next_step": self.next_step,
        }


class Engine(Protocol):
    """Every method raises `EngineUnavailable` when the engine cannot be reached.

    drifts    others can change what it runs, so `apply` is called at every look
    measures  it can tell what each revision answered
    shadows   it can compare revisions on copies of requests
    lag_s     by which answers are counted, at most, later than they are given
    """

    drifts: bool
    measures: bool
    shadows: bool
    lag_s: float

    async def apply(self, desired: DesiredEndpoint) -> None:
        """Make the endpoint so; returns once the engine has it durably, not once ready."""

    async def observe(self, endpoint: EndpointId) -> ObservedEndpoint | None:
        """Tell what is there; None when nothing is."""

    async def observe_all(self) -> tuple[ObservedEndpoint, ...]:
        """Tell everything that is there, for lists and for the sweep of orphans."""

    async def delete(self, endpoint: EndpointId) -> None:
        """Remove the endpoint and all that belongs to it; nothing there is success."""

    async def publish_keys(self, document: bytes, tenants: Mapping[str, bytes]) -> None:
        """Hand the keys file (JWKS + revocations) to every worker, present and future.

        tenants  for workers of these tenants in place of `document`: with their API keys
        """

    async def publish_limits(
        self, otherwise: TenantLimits, limits: Mapping[str, TenantLimits]
    ) -> None:
        """Hand over what each tenant may run, by name; `otherwise` for who is not named."""

    async def explain(self, desired: DesiredEndpoint) -> Cause:
        """Name the cause of the state an endpoint is in; asked now, changes nothing.

        Takes what is wanted: an engine that refuses it, or has not got it yet, knows nothing of it.
        """

    async def usage(self, since: Mapping[EndpointId, datetime]) -> tuple[Metered, ...]:
        """Read the counters of every endpoint that is there; the same twice is harmless.

        since  when each endpoint was recorded last; what is not in it was never recorded
        """

    async def told(self, endpoint: EndpointId) -> Told:
        """Read what each revision answered, and how a shadow's differ; twice is harmless."""

    async def decisions(self, endpoint: EndpointId) -> tuple[Mapping[str, Any], ...]:
        """Tell what the autoscaler saw and decided lately (`autoscaler.recording`); it may forget.

        Where it is another's, each call reads it once.
        """

    async def series(self, endpoint: EndpointId, minutes: int) -> Series:
        """Tell what was measured of an endpoint in the last minutes (at most `MOST_MINUTES`).

        Nothing is known of an endpoint that is not there, nor of a time before the engine began.
        """

    async def metrics(self) -> tuple[EndpointMetrics, ...]:
        """Tell what Prometheus is shown of each endpoint that is there."""

    def logs(self, endpoint: EndpointId, *, tail: int, follow: bool) -> AsyncIterator[LogLine]:
        """Give the last lines, then new ones while `follow`."""
