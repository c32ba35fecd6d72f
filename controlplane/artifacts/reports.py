"""What pods of endpoints tell of themselves by way of the store: what each of them counted."""

import json
from dataclasses import dataclass
from typing import Final, Protocol

# More is no pod's: sums of a whole hour of such still fit their columns.
MOST_COUNTED: Final = 10**12
MOST_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class Counted:
    """Of one process of a pod, since it began."""

    requests: int
    rows: int
    busy_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """One object.

    tenant    whose pod wrote it: sure, since the form was signed for that tenant's prefix
    endpoint, host, process   what the pod says of itself
    counted   None: it cannot be read
    """

    name: str
    tenant: str
    endpoint: str
    host: str
    process: str
    counted: Counted | None


class Reports(Protocol):
    """Objects `usage/TENANT/ENDPOINT/HOST/PROCESS`, written by pods with a form that is signed.

    Raises StoreUnavailable while the store does not answer; the same call again is harmless.
    """

    async def sign_form(self, tenant: str, expires_s: float) -> bytes:
        """Sign what a tenant's pods write reports with (`runtime.telling.Form`)."""

    async def read_all(self) -> tuple[Report, ...]:
        """Give every report that is there; what no pod of ours would write is removed."""

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
