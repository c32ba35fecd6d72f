"""An engine in memory, for tests of what is above engines."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

from controlplane.engines.engine import (
    Cause,
    Compared,
    Condition,
    Counters,
    DesiredEndpoint,
    EndpointId,
    LogLine,
    Measured,
    Metered,
    ObservedEndpoint,
    Status,
    TenantLimits,
    Told,
)
from controlplane.engines.history import Series, unknown
from controlplane.engines.metrics import Autoscaled, EndpointMetrics
from runtime.problems import EngineUnavailable

NOTHING = Counters(0, 0, 0, 0, 0.0, 0.0, 0.0, 0.0)


class FakeEngine:
    """Runs nothing; says of every endpoint that it is ready. `down` makes it unreachable."""

    def __init__(self) -> None:
        self.wanted: dict[EndpointId, DesiredEndpoint] = {}
        self.keys: list[bytes] = []
        self.limits: dict[str, TenantLimits] = {}
        self.metered: dict[EndpointId, Metered] = {}
        self.keys_of: Mapping[str, bytes] = {}
        self.down = False
        self.refusal: Cause | None = None
        self.listings = 0
        self.drifts = False
        self.measures = self.shadows = True
        self.lag_s = 0.0
        self.differences: dict[EndpointId, tuple[Compared, ...]] = {}
        self.answered: dict[EndpointId, tuple[Measured, ...]] = {}

    def _check(self) -> None:
        if self.down:
            raise EngineUnavailable("The fake engine is down.")

    async def apply(self, desired: DesiredEndpoint) -> None:
        self._check()
        self.wanted[desired.id] = desired

    async def observe(self, endpoint: EndpointId) -> ObservedEndpoint | None:
        self._check()
        found = self.wanted.get(endpoint)
        return None if found is None else self._seen(found)

    async def observe_all(self) -> tuple[ObservedEndpoint, ...]:
        self.listings += 1
        self._check()
        return tuple(map(self._seen, self.wanted.values()))

    async def delete(self, endpoint: EndpointId) -> None:
        self._check()
        self.wanted.pop(endpoint, None)

    async def publish_keys(self, document: bytes, tenants: Mapping[str, bytes]) -> None:
        self._check()
        self.keys.append(document)
        self.keys_of = tenants

    async def publish_limits(
        self, otherwise: TenantLimits, limits: Mapping[str, TenantLimits]
    ) -> None:
        self._check()
        self.limits = {"": otherwise, **limits}

    async def usage(self, since: Mapping[EndpointId, datetime]) -> tuple[Metered, ...]:
        self._check()
        return tuple(self.metered.get(key, Metered(key, "fake", NOTHING)) for key in self.wanted)

    async def decisions(self, endpoint: EndpointId) -> tuple[Mapping[str, Any], ...]:
        return ()

    async def series(self, endpoint: EndpointId, minutes: int) -> Series:
        self._check()
        return unknown(datetime.now(UTC).timestamp(), minutes)

    async def metrics(self) -> tuple[EndpointMetrics, ...]:
        self._check()
        return tuple(
            EndpointMetrics(one.tenant, one.name, Autoscaled(1, 1)) for one in self.wanted.values()
        )

    async def told(self, endpoint: EndpointId) -> Told:
        self._check()
        return Told(self.answered.get(endpoint, ()), self.differences.get(endpoint, ()))

    async def explain(self, desired: DesiredEndpoint) -> Cause:
        self._check()
        if self.refusal is not None:
            return self.refusal
        if desired.id not in self.wanted:
            return Cause("NotTaken", False, "The engine has not taken it over yet.")
        return Cause("Serving", True, "1 worker(s) ready.", ("replicas: 1 of 1",))

    async def logs(
        self, endpoint: EndpointId, *, tail: int, follow: bool
    ) -> AsyncIterator[LogLine]:
        self._check()
        yield LogLine(datetime.now(UTC), "w-1", f"hello from {endpoint}")

    def _seen(self, desired: DesiredEndpoint) -> ObservedEndpoint:
        now = datetime.now(UTC)
        return ObservedEndpoint(
            id=desired.id,
            observed_generation=desired.generation,
            url="http://127.0.0.1:1",
            replicas=1,
            desired_replicas=1,
            warm=desired.warm or 0,
            tag_urls={one.tag: "http://127.0.0.1:1" for one in desired.revisions if one.tag},
            conditions=(
                Status("Ready", Condition.TRUE, "Serving", "1 worker(s) ready.", now),
                Status("Active", Condition.TRUE, "Serving", "Requests are being served.", now),
            ),
        )
