"""Where the clients of an endpoint wait: its listening socket, and its parked connections.

At zero this is all there is of an endpoint, held by the kernel. The backlog is the queue of an
activation: new connections wait in it until a worker accepts them.
"""

import asyncio
import socket
from collections.abc import Callable

from controlplane.engines.embedded.parking import Parking
from controlplane.engines.embedded.refusal import refuse

BACKLOG = 4096
AGAIN_S = 2.0
REST_S = 0.5


class Door:
    """One port of 127.0.0.1.

    on_demand  a request waits: a new connection while watched, or data in a parked one
    on_change  the port could be listened on, or could not (`taken` says why)
    """

    def __init__(
        self, port: int, on_demand: Callable[[], None], on_change: Callable[[], None]
    ) -> None:
        self.port = port
        self.taken: str | None = None
        self.listener: socket.socket | None = None
        self.parking = Parking(on_demand)
        self._on_demand, self._on_change = on_demand, on_change
        self._loop = asyncio.get_running_loop()
        self._wanted = self._watching = False
        self._again: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Listen; somebody else's port is tried again until it is free."""
        try:
            listener = _listen(self.port)
        except OSError as error:
            self.taken = (
                f"port {self.port} cannot be listened on ({error.strerror}): another process has "
                f"it; it is tried again every {AGAIN_S:g} seconds"
            )
            self._again = self._loop.call_later(AGAIN_S, self.open)
        else:
            self.taken, self._again, self.listener = None, None, listener
        self._on_change()

    def watch(self) -> None:
        """Tell `on_demand` of the next new connection: no worker accepts it."""
        self._wanted = True
        if self.listener is not None and not self._watching and self._again is None:
            self._watching = True
            self._loop.add_reader(self.listener.fileno(), self._knocked)

    def unwatch(self) -> None:
        """Leave new connections to the workers."""
        self._wanted = False
        if self._watching and self.listener is not None:
            self._loop.remove_reader(self.listener.fileno())
        self._watching = False

    def _knocked(self) -> None:
        self.unwatch()
        self._on_demand()

    def refuse(self, why: str, retry_s: float | None) -> None:
        """Answer everyone who waits with a 503.

        retry_s  seconds after which to come again; None: only a new deploy helps
        """
        if self.listener is None:
            return
        if not refuse(self.listener, self.parking.take(only_ready=True), why, retry_s):
            # Out of descriptors: who still waits would wake us at once, again and again.
            self.unwatch()
            self._again = self._loop.call_later(REST_S, self._rested)

    def _rested(self) -> None:
        self._again = None
        if self._wanted:
            self.watch()

    def close(self) -> None:
        """Hang up on everyone: the endpoint is deleted."""
        self.unwatch()
        if self._again is not None:
            self._again.cancel()
        if self.listener is not None:
            self.listener.close()
            self.listener = None
        self.parking.close()


def is_free(port: int) -> bool:
    """Tell whether a port could be listened on now."""
    try:
        _listen(port).close()
    except OSError:
        return False
    return True


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
