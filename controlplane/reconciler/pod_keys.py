"""Keys for pods that have no volume: signed, below each tenant's prefix of the object store."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from controlplane.artifacts.exchange import Exchange
from runtime.renewal import NAME

AT_ONCE: Final = 16


class PodKeys:
    """Hands out the keys; each tenant's again when they changed, and once by each new leader."""

    def __init__(self, exchange: Exchange, sign: Callable[[bytes], bytes]) -> None:
        self._exchange, self._sign = exchange, sign
        self._handed: dict[str, bytes] = {}

    async def hand(
        self, document: bytes, theirs: Mapping[str, bytes], tenants: Iterable[str]
    ) -> None:
        """Give every tenant's pods the keys file; what fails is tried again with the next call.

        theirs  of tenants that get another than `document`
        """
        wanted = {tenant: theirs.get(tenant, document) for tenant in tenants}
        due = [tenant for tenant in wanted if self._handed.get(tenant) != wanted[tenant]]
        # Most get the same, which is signed once.
        signed = {content: self._sign(content) for content in {wanted[tenant] for tenant in due}}
        free = asyncio.Semaphore(AT_ONCE)

        async def one(tenant: str) -> None:
            async with free:
                await self._exchange.hand(tenant, NAME, signed[wanted[tenant]])
            self._handed[tenant] = wanted[tenant]

        async with asyncio.TaskGroup() as group:
            for tenant in due:
                group.create_task(one(tenant))
