"""Keys for pods that have no volume: signed, below each tenant's prefix of the object store."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from controlplane.artifacts.exchange import Exchange
from runtime.renewal import NAME

AT_ONCE: Final = 16


class PodKeys:
    """Hands out the keys; each tenant's again when they changed, and once by each new leader."""

    def __init__(self, exchange: Exchange, sign: Callable[[bytes], bytes]) -> None:
        self._exchange, self._sign = exchange, sign
        self._handed: dict[str, bytes] = {}

    async def hand(self, document: bytes, tenants: Iterable[str]) -> None:
        """Give every tenant's pods the keys file; what fails is tried again with the next call."""
        due = [tenant for tenant in tenants if self._handed.get(tenant) != document]
        if not due:
            return
        signed, free = self._sign(document), asyncio.Semaphore(AT_ONCE)

        async def one(tenant: str) -> None:
            async with free:
                await self._exchange.hand(tenant, NAME, signed)
            self._handed[tenant] = document

        async with asyncio.TaskGroup() as group:
            for tenant in due:
                group.create_task(one(tenant))
