"""Arrivals on uvloop, whose own server accepts one connection a turn."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import pytest
import uvloop

from runtime.listening import MOST_A_TURN, Arrivals

if TYPE_CHECKING:
    from runtime.connection import Connection

CLIENTS = 4 * MOST_A_TURN


class Met(asyncio.Protocol):
    """Keeps what it was given."""

    met: list[asyncio.Transport]

    def __init__(self, met: list[Any]) -> None:
        self.met = met

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.met.append(cast("asyncio.Transport", transport))


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as sock:
        yield sock


def clients(stack: contextlib.ExitStack, listener: socket.socket, count: int) -> list[Any]:
    at = listener.getsockname()
    return [stack.enter_context(socket.create_connection(at)) for _ in range(count)]


def arrivals(met: list[Any]) -> Arrivals:
    return Arrivals(asyncio.get_running_loop(), lambda: cast("Connection", Met(met)))


def test_a_burst_is_accepted_in_few_turns(listener: socket.socket) -> None:
    async def turns() -> int:
        found = 0
        mine = arrivals(met := [])
        mine.listen(listener)
        while len(met) < CLIENTS:
            found += 1
            await asyncio.sleep(0)
        mine.close()
        await mine.settled()
        for transport in met:
            assert transport.get_extra_info("socket").getsockopt(
                socket.IPPROTO_TCP, socket.TCP_NODELAY
            )
            transport.abort()
        return found

    with contextlib.ExitStack() as stack, asyncio.Runner(loop_factory=uvloop.new_event_loop) as run:
        clients(stack, listener, CLIENTS)
        assert run.run(turns()) < CLIENTS / 2


def test_nothing_is_accepted_once_it_is_closed(listener: socket.socket) -> None:
    async def closed() -> list[Any]:
        mine = arrivals(met := [])
        mine.listen(listener.dup())
        mine.close()
        for _ in range(20):
            await asyncio.sleep(0)
        await mine.settled()
        return met

    with contextlib.ExitStack() as stack, asyncio.Runner(loop_factory=uvloop.new_event_loop) as run:
        clients(stack, listener, 3)
        assert run.run(closed()) == []
        listener.accept()[0].close()  # whoever else has the socket gets them


class Short:
    """A listening socket of a process whose descriptors are used up at first."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock, self.refused = sock, 0

    def accept(self) -> Any:
        if not self.refused:
            self.refused += 1
            raise OSError(errno.EMFILE, "Too many open files")
        return self._sock.accept()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def test_who_comes_while_descriptors_are_used_up_is_accepted_later(listener: socket.socket) -> None:
    async def accepted() -> int:
        mine = arrivals(met := [])
        mine.listen(cast("socket.socket", short := Short(listener)))
        async with asyncio.timeout(20):
            while len(met) < 3:
                await asyncio.sleep(0.001)
        mine.close()
        for transport in met:
            transport.abort()
        return short.refused

    with contextlib.ExitStack() as stack, asyncio.Runner(loop_factory=uvloop.new_event_loop) as run:
        clients(stack, listener, 3)
        assert run.run(accepted()) == 1
