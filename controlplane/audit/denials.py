"""What was refused: kept too, but not as often as somebody cares to ask."""

import time
from collections.abc import Callable, Hashable
from typing import Final

from controlplane.audit import service as audit
from controlplane.callers import Caller

ACTION: Final = "request.denied"
EVERY_S: Final = 60.0
MOST: Final = 100  # rows of a tenant in that time, by each replica
READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Sparing:
    """Chooses which of many events are kept: one of a kind in `every_s`, `most` of a tenant.

    clock  seconds, from any start
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, every_s: float, most: int
    ) -> None:
        self._clock, self._every_s, self._most = clock, every_s, most
        self._since = clock()
        self._told: dict[str, set[Hashable]] = {}
        self._more: dict[str, int] = {}

    def more(self, tenant: str, kind: Hashable) -> int | None:
        """Say whether an event is to be kept: with how many that were left out; None: not."""
        now = self._clock()
        if now - self._since >= self._every_s:
            self._since = now
            self._told.clear()
        told = self._told.setdefault(tenant, set())
        if kind in told or len(told) >= self._most:
            self._more[tenant] = self._more.get(tenant, 0) + 1
            return None
        told.add(kind)
        return self._more.pop(tenant, 0)


class Denials:
    """Changes that were refused: one row a minute of one subject and route.

    What was left out is counted in the tenant's next row, as `more`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._sparing = Sparing(clock, every_s=EVERY_S, most=MOST)

    async def record(self, caller: Caller, method: str, route: str, why: str) -> None:
        """Keep that a caller may not change what it asked to."""
        if method in READS:
            return
        more = self._sparing.more(caller.tenant, (caller.subject, method, route))
        if more is not None:
            await audit.record(caller, ACTION, f"{method} {route}", why=why[:200], more=more)
