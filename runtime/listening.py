"""Accepting connections: in one turn of the loop as many as wait, up to a bound.

libuv, and so uvloop's server, accepts one a turn since its 1.45. Where a turn computes for 10 ms,
the last of 400 clients who come together would wait 4 s, while the first are answered on and on.
"""

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from typing import Final

from runtime.connection import Connection

# Of a burst, workers that share a socket should each get a part.
MOST_A_TURN: Final = 32
# When descriptors or memory are used up: accepting again at once would only fail again.
PAUSE_S: Final = 0.1
USED_UP: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Arrivals:
    """Every connection a worker gets: accepted here, or handed over."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: Callable[[], Connection]) -> None:
        self._loop, self._protocol = loop, protocol
        self._sock: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def listen(self, sock: socket.socket) -> None:
        """Accept from a listening socket, which is ours from now on."""
        sock.setblocking(False)
        self._sock = sock
        self._go_on()

    def adopt(self, descriptors: Sequence[int]) -> None:
        """Serve connections that were accepted elsewhere."""
        for descriptor in descriptors:
            self._serve(socket.socket(fileno=descriptor))

    def close(self) -> None:
        """Accept no more; who waits in the kernel is for who else has the socket."""
        if self._sock is not None:
            self._loop.remove_reader(self._sock.fileno())
            self._sock.close()
            self._sock = None

    async def settled(self) -> None:
        """Wait until all that arrived is served."""
        await asyncio.gather(*self._tasks)

    def _go_on(self) -> None:
        if self._sock is not None:
            self._loop.add_reader(self._sock.fileno(), self._accept, self._sock)

    def _accept(self, sock: socket.socket) -> None:
        for _ in range(MOST_A_TURN):
            try:
                accepted, _ = sock.accept()
            except BlockingIOError:
                return  # that was all, or another worker was quicker
            except OSError as error:
                if error.errno in USED_UP:
                    self._loop.remove_reader(sock.fileno())
                    self._loop.call_later(PAUSE_S, self._go_on)
                    return
                continue  # of this client alone, who is gone
            self._serve(accepted)

    def _serve(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        task = self._loop.create_task(self._connect(sock))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, sock: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._protocol, sock)
        except OSError:  # the client went away while nobody looked
            sock.close()
