"""The rest of a large body: the kernel writes it where it is read, without parser and copies.

A body of 2 MB that goes through the parser is copied three times on its way, which costs as much
as reading it from the socket.
"""

import asyncio
from typing import TYPE_CHECKING, Final

import numpy as np

from runtime.plan.ops import override

if TYPE_CHECKING:
    from runtime.reading import Reader

# What is missing of a body at least; below, it is here before this has been set up.
BULK_BYTES: Final = 128 * 1024


class Bulk(asyncio.BufferedProtocol):
    """In a reader's place while the rest of one body comes, never more than that.

    body  the whole body, of which `at` bytes are here. Its memory is taken as it is filled
    """

    def __init__(self, reader: "Reader", length: int, begun: bytes | bytearray) -> None:
        """Raises MemoryError."""
        self.body, self.at = np.empty(length, np.uint8).data, len(begun)
        self.body[: self.at] = begun
        self._reader = reader

    @override
    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  (asyncio's signature)
        return self.body[self.at :]

    @override
    def buffer_updated(self, nbytes: int) -> None:
        self.at += nbytes
        self._reader.came(self)

    def take(self) -> memoryview:
        """Give the whole body away. The loop keeps its last buffered protocol, which is us."""
        body, self.body = self.body, memoryview(b"")
        return body

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._reader.connection_lost(exc)

    @override
    def eof_received(self) -> bool:
        return self._reader.eof_received()

    @override
    def pause_writing(self) -> None:
        self._reader.pause_writing()

    @override
    def resume_writing(self) -> None:
        self._reader.resume_writing()
