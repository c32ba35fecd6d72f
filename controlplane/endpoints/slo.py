"""What an endpoint promises its callers: latency and errors, declared by its owner. Pure."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Final

# Latency objectives by the share of requests that must be within them.
QUANTILES: Final = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}


@dataclass(frozen=True, slots=True)
class Slo:
    """Service level objectives; None: nothing is promised.

    p50_ms, p95_ms, p99_ms  milliseconds within which that share of requests is answered
    error_rate              share of answers of 500 and above, at most: 0.001 is one in a thousand
    """

    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    error_rate: float | None = None

    @property
    def latencies_s(self) -> dict[float, float]:
        """Give the seconds of each quantile that is promised."""
        promised = {q: getattr(self, name) for name, q in QUANTILES.items()}
        return {q: ms / 1000 for q, ms in promised.items() if ms is not None}

    def to_json(self) -> dict[str, Any]:
        """Give what `slo_from` reads; what is not promised is left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def slo_from(document: dict[str, Any] | None) -> Slo | None:
    """Read an SLO; None: there is none."""
    if not document:
        return None
    return Slo(**{one.name: document.get(one.name) for one in fields(Slo)})
