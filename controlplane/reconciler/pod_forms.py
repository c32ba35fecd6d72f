"""What pods tell with: signed forms below each tenant's prefix of the object store."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from controlplane.artifacts.exchange import Exchange
from runtime.telling import FORM

EXPIRES_S: Final = 24 * 3600.0
# A leader that is away for most of a day keeps no pod from telling.
RENEW_S: Final = 6 * 3600.0
AT_ONCE: Final = 16


class Signing(Protocol):
    """Signs what a tenant's pods write with."""

    async def sign_form(self, tenant: str, expires_s: float) -> bytes: ...


class PodForms:
    """Hands out forms; each tenant's again before it expires, and once by each new leader."""

    def __init__(
        self,
        exchange: Exchange,
        signing: Signing,
        clock: Callable[[], float] = time.monotonic,
        name: str = FORM,
    ) -> None:
        self._exchange, self._signing, self._clock, self._name = exchange, signing, clock, name
        self._handed: dict[str, float] = {}

    async def hand(self, tenants: Iterable[str]) -> None:
        """Give every tenant's pods a form; what fails is tried again with the next call."""
        now, wanted = self._clock(), set(tenants)
        self._handed = {name: at for name, at in self._handed.items() if name in wanted}
        due = [name for name in wanted if now - self._handed.get(name, now - RENEW_S) >= RENEW_S]
        free = asyncio.Semaphore(AT_ONCE)

        async def one(tenant: str) -> None:
            async with free:
                form = await self._signing.sign_form(tenant, EXPIRES_S)
                await self._exchange.hand(tenant, self._name, form)
            self._handed[tenant] = now

        async with asyncio.TaskGroup() as group:
            for tenant in due:
                group.create_task(one(tenant))
