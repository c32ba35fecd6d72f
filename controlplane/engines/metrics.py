"""What an engine tells of its endpoints for Prometheus. Standard library only."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from runtime.families import EndpointCounts, RevisionCounts

# What becomes of a request that was chosen for the payload log (`runtime.payload_log.Counts`).
PAYLOADS: Final = ("taken", "full", "large")
# Upper bounds of cold starts in seconds, inclusive: from a fork to a pod on a new node.
START_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
# Of a start from the zygote: their counters are there before the first one, or it would not show.
PHASES: Final = ("fork", "spawn", "load", "warm", "answer")
MOST_PHASES: Final = 16


@dataclass(frozen=True, slots=True)
class Autoscaled:
    """What the autoscaler of an endpoint sees and decides; None is what its engine does not tell.

    metric     what it is scaled by: concurrency or rps
    target     of one replica
    stable, panic  averages over the two windows, of all replicas
    decisions  made so far
    """

    desired: int
    ready: int
    metric: str = "concurrency"
    target: float | None = None
    stable: float | None = None
    panic: float | None = None
    panicking: bool | None = None
    decisions: int | None = None


@dataclass(slots=True)
class Starts:
    """Starts of replicas so far.

    wakes      requests that found no replica
    starts     replicas started
    crashes    replicas that ended by themselves
    cold       cold starts by bucket of `START_S`; cold_s: the sum
    phases     by name: how many, and their sum in seconds
    """

    wakes: int = 0
    starts: int = 0
    crashes: int = 0
    cold: list[int] = field(default_factory=lambda: [0] * (len(START_S) + 1))
    cold_s: float = 0.0
    phases: dict[str, tuple[int, float]] = field(
        default_factory=lambda: dict.fromkeys(PHASES, (0, 0.0))
    )

    def add(self, phases_ms: Mapping[str, float], total_ms: float) -> None:
        """Count a cold start."""
        self.cold[bisect_left(START_S, total_ms / 1000)] += 1
        self.cold_s += total_ms / 1000
        for name, ms in phases_ms.items():
            if name in self.phases or len(self.phases) < MOST_PHASES:
                count, seconds = self.phases.get(name, (0, 0.0))
                self.phases[name] = count + 1, seconds + ms / 1000


@dataclass(frozen=True, slots=True)
class EndpointMetrics:
    """One endpoint.

    counts  of its workers; None: they are asked themselves
    starts, parked  None: the engine does not count them; parked: idle connections without a worker
    """

    tenant: str
    endpoint: str
    scaled: Autoscaled
    counts: EndpointCounts | None = None
    starts: Starts | None = None
    parked: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Give what `metrics_from` reads back to equal metrics."""
        counts = None
        if self.counts is not None:
            of = self.counts.revisions.items()
            counts = {
                **self.counts._asdict(),
                "revisions": {name: one._asdict() for name, one in of},
            }
        return {
            "tenant": self.tenant,
            "endpoint": self.endpoint,
            "scaled": asdict(self.scaled),
            "counts": counts,
            "starts": None if self.starts is None else asdict(self.starts),
            "parked": self.parked,
        }


def metrics_from(document: Mapping[str, Any]) -> EndpointMetrics:
    """Read what the supervisor tells of an endpoint."""
    counts, starts = document["counts"], document["starts"]
    return EndpointMetrics(
        tenant=document["tenant"],
        endpoint=document["endpoint"],
        scaled=Autoscaled(**document["scaled"]),
        counts=None if counts is None else _counts_from(counts),
        starts=None if starts is None else _starts_from(starts),
        parked=document["parked"],
    )


def _counts_from(document: Mapping[str, Any]) -> EndpointCounts:
    revisions = {
        name: RevisionCounts(
            **{**one, "codes": _by_number(one["codes"]), "streams": _by_number(one["streams"])}
        )
        for name, one in document["revisions"].items()
    }
    refused = _by_number(document["refused"])
    return EndpointCounts(**{**document, "revisions": revisions, "refused": refused})


def _starts_from(document: Mapping[str, Any]) -> Starts:
    phases = {name: (count, seconds) for name, (count, seconds) in document["phases"].items()}
    return Starts(**{**document, "phases": phases})


def _by_number(document: Mapping[str, int]) -> dict[int, int]:
    return {int(key): count for key, count in document.items()}
