"""A transport whose end does not take the last answer from a client that still sends."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

LINGER_S: Final = 2.0
TAKEN_WITHIN_S: Final = 60.0  # by a client, of what was written to it


class Lingering:
    """Stands for `transport`; `close` half-closes while the client sends, and waits a little.

    A socket that is closed with bytes unread is reset, and a reset throws away what the client
    has not read yet: the answer that says why.

    is_receiving  whether a request is on its way that is not there in whole
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        is_receiving: Callable[[], bool],
    ) -> None:
        self._transport, self._loop, self._is_receiving = transport, loop, is_receiving
        self._closing = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Tell whether nothing more is to be written."""
        return self._closing or self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Write, unless the end was announced."""
        if not self.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """End the connection once what was written is on its way."""
        if self.is_closing():
            return
        self._closing = True
        if self._is_receiving() and self._transport.can_write_eof():
            self._transport.write_eof()
            self._loop.call_later(LINGER_S, self._end)
        else:
            self._end()

    def _end(self) -> None:
        self._transport.close()
        if self._transport.get_write_buffer_size():
            # Closing waits for a client to read, however long it takes.
            self._loop.call_later(TAKEN_WITHIN_S, self._transport.abort)
