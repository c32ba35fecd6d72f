"""What pods of endpoints tell of themselves by way of the store: what each of them counted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from runtime.latencies import BUCKETS

# More is no pod's: sums of a whole hour of such still fit their columns.
MOST_COUNTED: Final = 10**12
MOST_BYTES: Final = 2048
MOST_REVISIONS: Final = 4  # of one process; a pod has one
MOST_NAME: Final = 63


@dataclass(frozen=True, slots=True)
class Counted:
    """Of one process of a pod, since it began."""

    requests: int
    rows: int
    busy_s: float


@dataclass(frozen=True, slots=True)
class Answered:
    """What one process of a pod answered with a revision, since it began.

    latency  answers by bucket of `runtime.latencies`, all of them
    """

    errors: int
    refusals: int
    latency: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """One object.

    tenant    whose pod wrote it: sure, since the form was signed for that tenant's prefix
    endpoint, host, process   what the pod says of itself
    counted   None: it cannot be read
    answered  by revision, as far as it can be read
    """

    name: str
    tenant: str
    endpoint: str
    host: str
    process: str
    counted: Counted | None
    answered: Mapping[str, Answered] = field(default_factory=dict)


class Reports(Protocol):
    """Objects `usage/TENANT/ENDPOINT/HOST/PROCESS`, written by pods with a form that is signed.

    Raises StoreUnavailable while the store does not answer; the same call again is harmless.
    """

    async def sign_form(self, tenant: str, expires_s: float) -> bytes:
        """Sign what a tenant's pods write reports with (`runtime.telling.Form`)."""

    async def read_all(self) -> tuple[Report, ...]:
        """Give every report that is there; what no pod of ours would write is removed."""

    async def read_of(self, tenant: str, endpoint: str) -> tuple[Report, ...]:
        """Give the reports of one endpoint's pods."""

    async def remove(self, names: list[str]) -> None:
        """Remove reports; one that is not there is success."""


def read_counted(raw: bytes) -> Counted | None:
    """Read what a pod wrote, which is not to be trusted; None: no counts."""
    try:
        found = json.loads(raw)
        requests, rows, busy_s = (found[name] for name in ("requests", "rows", "busy_s"))
        if type(requests) is not int or type(rows) is not int:
            return None
        if not all(0 <= value <= MOST_COUNTED for value in (requests, rows, busy_s)):
            return None
        return Counted(requests, rows, float(busy_s))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def read_answered(raw: bytes) -> dict[str, Answered]:
    """Read what a pod wrote of its revisions, which is not to be trusted; nothing: no counts."""
    try:
        found = json.loads(raw)["revisions"]
        if len(found) > MOST_REVISIONS or any(len(name) > MOST_NAME for name in found):
            return {}
        return {name: _answered(one) for name, one in found.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _answered(one: Any) -> Answered:
    latency = [0] * BUCKETS
    for bucket, count in one["latency"].items():
        latency[range(BUCKETS).index(int(bucket))] = _count(count)
    return Answered(_count(one["errors"]), _count(one["refusals"]), tuple(latency))


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MOST_COUNTED:
        raise ValueError("no count")
    return value
