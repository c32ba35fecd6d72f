"""Idle client connections, kept open while no worker serves them."""

import asyncio
import os
import socket
from collections.abc import Callable


class Parking:
    """The parked connections of one endpoint. One with data in it, or a new one, calls `on_data`.

    A parked descriptor costs one entry in the loop's epoll set and nothing else.
    """

    def __init__(self, on_data: Callable[[], None]) -> None:
        self._on_data = on_data
        self._loop = asyncio.get_running_loop()
        self._watched: set[int] = set()
        self._ready: dict[int, None] = {}

    def __len__(self) -> int:
        return len(self._watched) + len(self._ready)

    @property
    def has_data(self) -> bool:
        """Tell whether a request waits in a parked connection."""
        return bool(self._ready)

    def park(self, descriptor: int) -> None:
        """Keep a connection. Unread bytes in it wake at once: the watch is level-triggered."""
        os.set_blocking(descriptor, False)
        self._watched.add(descriptor)
        self._loop.add_reader(descriptor, self._readable, descriptor)

    def _readable(self, descriptor: int) -> None:
        # A peek tells "the client hung up" from "a request"; half-closed with data is a request.
        peek = socket.socket(fileno=descriptor)
        try:
            gone = not peek.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            gone = True
        finally:
            peek.detach()
        self._unwatch(descriptor)
        if gone:
            os.close(descriptor)
            return
        self._ready[descriptor] = None
        self._on_data()

    def _unwatch(self, descriptor: int) -> None:
        self._watched.discard(descriptor)
        self._loop.remove_reader(descriptor)

    def take(self, *, only_ready: bool = False) -> list[int]:
        """Give the connections away, those with data first."""
        taken = list(self._ready)
        self._ready.clear()
        if not only_ready:
            idle = list(self._watched)
            for descriptor in idle:
                self._unwatch(descriptor)
            taken += idle
        return taken

    def close(self) -> None:
        """Hang up on everyone: the endpoint is deleted."""
        for descriptor in self.take():
            os.close(descriptor)
