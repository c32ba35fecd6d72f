"""Packets with descriptors: one JSON object a packet over SOCK_SEQPACKET (ARCHITECTURE.md, launch).

Never blocks: what the other side does not take now waits in memory and goes when it reads.
"""

import array
import asyncio
import json
import os
import socket
from collections import deque
from collections.abc import Callable
from typing import Any

MAX_PACKET = 64 * 1024
MAX_DESCRIPTORS = 16

Packet = dict[str, Any]
OnPacket = Callable[[Packet, list[int]], None]


class Channel:
    """One end. Descriptors given to `send` are the channel's: it closes them once they are sent."""

    def __init__(
        self, sock: socket.socket, on_packet: OnPacket, on_close: Callable[[list[int]], None]
    ) -> None:
        """Begin to read.

        on_close  called once at the end of file with the descriptors that were never sent
        """
        sock.setblocking(False)
        self._sock, self._on_packet, self._on_close = sock, on_packet, on_close
        self._waiting: deque[tuple[bytes, list[int]]] = deque()
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._loop.add_reader(sock.fileno(), self.read)

    def send(self, packet: Packet, descriptors: list[int] | None = None) -> bool:
        """Send or queue; False when it is gone: the descriptors stay the caller's."""
        if not self._open:
            return False
        self._waiting.append((json.dumps(packet).encode(), descriptors or []))
        if len(self._waiting) == 1:
            self._flush()
        return True

    def _flush(self) -> None:
        while self._waiting:
            data, descriptors = self._waiting[0]
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
            try:
                self._sock.sendmsg([data], rights if descriptors else [])
            except BlockingIOError:
                self._loop.add_writer(self._sock.fileno(), self._flush)
                return
            except OSError:
                # Gone while we wrote; what it still said comes first, then the end of file.
                self._loop.remove_writer(self._sock.fileno())
                return
            self._waiting.popleft()
            for descriptor in descriptors:
                os.close(descriptor)
        self._loop.remove_writer(self._sock.fileno())

    def read(self) -> None:
        """Take all that is there; called by the loop, and once more when the other side ended."""
        while self._open:
            try:
                data, ancillary, _flags, _from = self._sock.recvmsg(
                    MAX_PACKET, socket.CMSG_SPACE(MAX_DESCRIPTORS * 4), socket.MSG_CMSG_CLOEXEC
                )
            except BlockingIOError:
                return
            except OSError:
                data, ancillary = b"", []
            descriptors = _descriptors(ancillary)
            if not data:
                self.close()
                return
            try:
                packet = json.loads(data)
            except ValueError:
                packet = {"t": "unreadable"}
            self._on_packet(packet, descriptors)

    def close(self) -> None:
        """Stop; tells `on_close` once."""
        if not self._open:
            return
        self._open = False
        self._loop.remove_reader(self._sock.fileno())
        self._loop.remove_writer(self._sock.fileno())
        self._sock.close()
        unsent = [descriptor for _data, waiting in self._waiting for descriptor in waiting]
        self._waiting.clear()
        self._on_close(unsent)


def _descriptors(ancillary: list[tuple[int, int, bytes]]) -> list[int]:
    found = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return list(found)
