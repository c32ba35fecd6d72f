"""What a tenant may have at a time, and how a refusal says it. Pure."""

from dataclasses import dataclass
from typing import Final

from runtime.problems import QuotaExceeded

BURST_S: Final = 10  # of its rate a tenant may ask for at once, after as long a silence


@dataclass(frozen=True, slots=True)
class Limits:
    """One tenant's quota.

    storage_bytes           uploads, plans, and artifacts that endpoints keep of deleted models
    builds                  running at a time; more wait
    replicas                of all endpoints at a time; on a cluster all pods of the namespace
    cpu_millis, memory_mib  requested by all pods of the namespace; a cluster alone bounds them
    requests_per_s          at the API, predictions not among them
    loadtests               that wait or run at a time
    loadtest_rate           requests a second of one, or at once
    loadtest_s              seconds of one
    webhooks                there are, also disabled ones
    """

    models: int
    storage_bytes: int
    endpoints: int
    builds: int
    replicas: int
    cpu_millis: int
    memory_mib: int
    requests_per_s: int
    loadtests: int
    loadtest_rate: int
    loadtest_s: int
    webhooks: int


RAISE: Final = "or ask the operator of this installation to raise the quota."
ADVICE: Final = {
    "models": "Delete models that are not needed,",
    "storage_bytes": "Delete models that are not needed and endpoints that still keep theirs,",
    "endpoints": "Delete endpoints that are not needed,",
    "replicas": "Keep fewer running with min_scale,",
    "webhooks": "Remove webhooks that are not needed,",
    "loadtests": "Wait for one to end or cancel it,",
}


def check(quota: str, limit: int, used: int, needed: int = 1) -> None:
    """Raise QuotaExceeded if `needed` more do not fit."""
    if used + needed <= limit:
        return
    raise QuotaExceeded(
        f"The tenant's quota of {_count(quota, limit)} does not take {needed} more: {used} are "
        f"used. {ADVICE[quota]} {RAISE}",
        quota=quota,
        limit=limit,
        used=used,
        needed=needed,
    )


def _count(quota: str, limit: int) -> str:
    return f"{limit} bytes of storage" if quota == "storage_bytes" else f"{limit} {quota}"
