"""The worker's end of its control channel: JSON packets, descriptors beside them, in order."""

import array
import asyncio
import json
import os
import socket
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

MAX_PACKET: Final = 64 * 1024
MAX_DESCRIPTORS: Final = 16

Packet = dict[str, Any]


class Control:
    """One SEQPACKET socket. End of file or an error means that the supervisor is gone."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        on_packet: Callable[[Packet, list[int]], None],
        on_gone: Callable[[], None],
    ) -> None:
        sock.setblocking(False)
        self._loop, self._sock = loop, sock
        self._on_packet, self._on_gone = on_packet, on_gone
        self._unsent: deque[tuple[bytes, list[int]]] = deque()
        self._all_sent: asyncio.Future[None] | None = None
        loop.add_reader(sock.fileno(), self.read)

    def send(self, packet: Mapping[str, object], descriptors: Sequence[int] = ()) -> None:
        """Send a packet; its descriptors are the channel's from now on, closed once sent."""
        self._unsent.append((json.dumps(packet).encode(), list(descriptors)))
        if len(self._unsent) == 1:
            self._flush()

    def park(self, descriptors: Sequence[int]) -> None:
        """Hand connections back."""
        for at in range(0, len(descriptors), MAX_DESCRIPTORS):
            self.send({"t": "park"}, descriptors[at : at + MAX_DESCRIPTORS])

    def read(self) -> None:
        """Take every packet that is there."""
        while True:
            try:
                packet, descriptors = receive(self._sock)
            except BlockingIOError:
                return
            except OSError:
                packet, descriptors = None, []
            if packet is None:
                self._loop.remove_reader(self._sock.fileno())
                self._on_gone()
                return
            self._on_packet(packet, descriptors)

    async def sent(self) -> None:
        """Wait until everything is with the kernel."""
        if self._unsent:
            self._all_sent = self._loop.create_future()
            await self._all_sent

    def _flush(self) -> None:
        while self._unsent:
            packet, descriptors = self._unsent[0]
            try:
                send(self._sock, packet, descriptors)
            except BlockingIOError:
                self._loop.add_writer(self._sock.fileno(), self._flush)
                return
            except OSError:
                self._on_gone()
                return
            self._unsent.popleft()
            for descriptor in descriptors:
                os.close(descriptor)
        self._loop.remove_writer(self._sock.fileno())
        if self._all_sent is not None and not self._all_sent.done():
            self._all_sent.set_result(None)


def send(sock: socket.socket, packet: bytes, descriptors: Sequence[int]) -> None:
    """Send one packet with descriptors."""
    ancillary = []
    if descriptors:
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
    sock.sendmsg([packet], ancillary, socket.MSG_NOSIGNAL)


def receive(sock: socket.socket) -> tuple[Packet | None, list[int]]:
    """Receive one packet with its descriptors; None at end of file."""
    space = socket.CMSG_SPACE(MAX_DESCRIPTORS * array.array("i").itemsize)
    raw, ancillary, _flags, _address = sock.recvmsg(MAX_PACKET, space, socket.MSG_CMSG_CLOEXEC)
    descriptors = array.array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(content[: len(content) - len(content) % descriptors.itemsize])
    if not raw:
        return None, list(descriptors)
    packet = json.loads(raw)
    return (packet if isinstance(packet, dict) else {}), list(descriptors)
