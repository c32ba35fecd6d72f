"""Changes that were refused: kept too, but not as often as somebody cares to ask."""

import time
from collections.abc import Callable
from typing import Final

from controlplane.audit import service as audit
from controlplane.callers import Caller

ACTION: Final = "request.denied"
EVERY_S: Final = 60.0
MOST: Final = 100  # rows of a tenant in that time, by each replica
READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Denials:
    """At most one row a minute of one subject and route, and `MOST` of a tenant.

    What was left out is counted in the tenant's next row, as `more`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._told: dict[str, set[tuple[str, str, str]]] = {}
        self._more: dict[str, int] = {}

    async def record(self, caller: Caller, method: str, route: str, why: str) -> None:
        """Keep that a caller may not change what it asked to."""
        if method in READS or not self._is_new(caller, method, route):
            return
        more = self._more.pop(caller.tenant, 0)
        await audit.record(caller, ACTION, f"{method} {route}", why=why[:200], more=more)

    def _is_new(self, caller: Caller, method: str, route: str) -> bool:
        now = self._clock()
        if now - self._since >= EVERY_S:
            self._since = now
            self._told.clear()
        told = self._told.setdefault(caller.tenant, set())
        what = (caller.subject, method, route)
        if what in told or len(told) >= MOST:
            self._more[caller.tenant] = self._more.get(caller.tenant, 0) + 1
            return False
        told.add(what)
        return True
