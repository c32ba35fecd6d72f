"""What pods tell their usage with: a signed form below each tenant's prefix of the object store."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final

from controlplane.artifacts.exchange import Exchange
from controlplane.artifacts.reports import Reports
from runtime.telling import FORM

EXPIRES_S: Final = 24 * 3600.0
# A leader that is away for most of a day keeps no pod from telling.
RENEW_S: Final = 6 * 3600.0
AT_ONCE: Final = 16


class UsageForms:
    """Hands out forms; each tenant's again before it expires, and once by each new leader."""

    def __init__(
        self, exchange: Exchange, reports: Reports, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._exchange, self._reports, self._clock = exchange, reports, clock
        self._handed: dict[str, float] = {}

    async def hand(self, tenants: Iterable[str]) -> None:
        """Give every tenant's pods a form; what fails is tried again with the next call."""
        now, wanted = self._clock(), set(tenants)
        self._handed = {name: at for name, at in self._handed.items() if name in wanted}
        due = [name for name in wanted if now - self._handed.get(name, now - RENEW_S) >= RENEW_S]
        free = asyncio.Semaphore(AT_ONCE)

        async def one(tenant: str) -> None:
            async with free:
                form = await self._reports.sign_form(tenant, EXPIRES_S)
                await self._exchange.hand(tenant, FORM, form)
            self._handed[tenant] = now

        async with asyncio.TaskGroup() as group:
            for tenant in due:
                group.create_task(one(tenant))
