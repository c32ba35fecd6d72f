"""Quota and usage: what may be used, what was, and what that cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from controlplane.client.core import Core
from controlplane.client.errors import BadAnswer
from controlplane.client.results import time_text
from controlplane.client.steps import Flow, members

Raw = Mapping[str, Any]
Interval = Literal["total", "day", "hour"]
NOT_LIMITS = frozenset({"tenant"})


@dataclass(frozen=True, slots=True)
class Limit:
    """What a tenant may have of something. `used` is None where the installation cannot say.

    own  set for this tenant; otherwise it is the installation's
    """

    limit: int
    used: int | None
    own: bool


@dataclass(frozen=True, slots=True)
class Quota:
    """Every limit of a tenant by name: models, storage_bytes, endpoints, builds, …"""

    tenant: str
    limits: Mapping[str, Limit]
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "Quota":
        """Read the API's document."""
        try:
            limits = {
                name: Limit(one["limit"], one["used"], one["own"])
                for name, one in raw.items()
                if name not in NOT_LIMITS
            }
            return cls(raw["tenant"], limits, raw)
        except (KeyError, TypeError) as error:
            raise BadAnswer(f"The server's answer is no quota: {str(dict(raw))[:200]}") from error


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of replicas, CPUs and GiB of memory; money if the installation has prices."""

    replica_s: float
    cpu_s: float
    memory_gib_s: float
    money: float | None


@dataclass(frozen=True, slots=True)
class Usage:
    """What one endpoint used from `start` on; None: its engine cannot count it.

    wakes       requests that found no replica, and started one
    busy_s      of ready replicas with a request in flight; idle_s without
    lasted_s    that there was the endpoint; active_s with at least one replica
    kept_warm   what it would have cost with one replica running also while there was none
    """

    endpoint: str
    endpoint_id: str
    start: datetime
    requests: int | None
    rows: int | None
    wakes: int
    starts: int
    busy_s: float | None
    idle_s: float | None
    starting_s: float
    ready_s: float
    active_s: float
    lasted_s: float
    used: Cost
    kept_warm: Cost
    raw: Raw = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Raw) -> "Usage":
        """Read the API's document."""
        try:
            plain = {name: raw[name] for name in cls.__slots__ if name in raw}
            cost = raw["cost"]
            return cls(
                **{**plain, "start": datetime.fromisoformat(raw["start"])},
                used=Cost(**cost["used"]),
                kept_warm=Cost(**cost["kept_warm"]),
                raw=raw,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadAnswer(f"The server's answer is no usage: {str(dict(raw))[:200]}") from error


class Metering:
    """Flows of quota and usage."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def quota(self, tenant: str | None) -> Flow[Quota]:
        """Read a quota; one's own if None."""
        return Quota.read((yield from self._core.get(self._url(tenant))))

    def set_quota(self, tenant: str, limits: Mapping[str, int | None]) -> Flow[Quota]:
        """Replace what is set for a tenant."""
        url = self._url(tenant)
        answer = yield from self._core.call("PUT", url, dict(limits))
        return Quota.read(members(answer, url))

    def _url(self, tenant: str | None) -> str:
        core = self._core
        return core.url("quota") if tenant is None else core.url("tenants", tenant, "quota")

    def usage(
        self,
        start: datetime | None,
        end: datetime | None,
        endpoint: str | None,
        interval: Interval,
    ) -> Flow[list[Usage]]:
        """Read all pages of usage."""
        asked = {
            "from": time_text(start),
            "to": time_text(end),
            "endpoint": endpoint,
            "interval": interval,
        }
        return list(map(Usage.read, (yield from self._core.listed("usage", **asked))))
