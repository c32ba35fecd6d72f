"""How connections leave a worker, so that no request is lost on the way."""

import asyncio
from typing import Final

from runtime.connection import Connection
from runtime.control import Control
from runtime.edge import Edge

RETRY_S: Final = 0.005  # until the kernel has taken what is written


class Departures:
    """Lets connections go once they are idle: back to the supervisor, or closed.

    control  where they are parked; None: nobody keeps them, they are closed
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, edge: Edge, control: Control | None
    ) -> None:
        self._loop, self._edge, self._control = loop, edge, control
        self._wanted = 0  # connections to shed; all of them while draining
        self._draining = False
        self._leaving: list[int] = []
        self._empty = asyncio.Event()
        edge.on_idle = self._soon
        edge.on_left = self._left

    def shed(self, count: int) -> None:
        """Park so many connections as they fall idle: a new worker is there to share them."""
        self._wanted += count
        self._start()

    async def drain(self, within_s: float) -> int:
        """Let every connection go, at the latest after so many seconds; gives how many were cut."""
        self._draining = True
        self._start()
        self._left()
        try:
            async with asyncio.timeout(within_s):
                await self._empty.wait()
        except TimeoutError:
            cut = len(self._edge.connections)
            for connection in tuple(self._edge.connections):
                connection.transport.abort()
            return cut
        return 0

    def _start(self) -> None:
        self._edge.leaving = True
        for connection in tuple(self._edge.connections):
            self._soon(connection)

    def _soon(self, connection: Connection) -> None:
        # Not at once: the caller may be amid a chunk whose rest is the next request.
        self._loop.call_soon(self._try, connection)

    def _try(self, connection: Connection) -> None:
        if not self._edge.leaving or not connection.open:
            return
        if connection.is_idle() and (self._control is not None or not connection.unread()):
            self._let_go(connection)
        elif connection.between and not connection.exchanges:
            self._loop.call_later(RETRY_S, self._try, connection)

    def _let_go(self, connection: Connection) -> None:
        if self._control is None:
            connection.end()
            return
        if not self._leaving:
            self._loop.call_soon(self._park)
        self._leaving.append(connection.detach())
        self._wanted -= 1
        if self._wanted <= 0 and not self._draining:
            self._edge.leaving = False

    def _park(self) -> None:
        descriptors, self._leaving = self._leaving, []
        if self._control is not None:
            self._control.park(descriptors)

    def _left(self) -> None:
        if self._draining and not self._edge.connections:
            self._loop.call_soon(self._check)

    def _check(self) -> None:
        if not self._edge.connections and not self._leaving:
            self._empty.set()
        else:
            self._left()
