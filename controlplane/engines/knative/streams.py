"""A blocking stream of the API server as an async one, read by a thread that nothing waits for."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")
AHEAD = 1000  # items read before anyone took them


class Stream(Generic[Item]):
    """`async for item in Stream(open)`; once closed, the thread ends with the next item.

    A daemon thread: neither the pool of `asyncio.to_thread` nor the end of the program waits for
    a watch on which nothing happens.
    """

    def __init__(self, open_stream: Callable[[], Iterator[Item]]) -> None:
        self._open = open_stream
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Item | BaseException | None] = asyncio.Queue()
        self._room = threading.Semaphore(AHEAD)
        self._closed = False
        threading.Thread(target=self._read, daemon=True, name="kube-stream").start()

    def _read(self) -> None:
        last: BaseException | None = None
        try:
            for item in self._open():
                self._room.acquire()
                if self._closed:
                    return
                self._put(item)
        except Exception as error:  # noqa: BLE001  (raised again where it is awaited)
            last = error
        self._put(last)

    def _put(self, item: Item | BaseException | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)
        except RuntimeError:
            self._closed = True  # the loop has ended

    def close(self) -> None:
        """Want no more."""
        self._closed = True
        self._room.release()

    async def __aiter__(self) -> AsyncIterator[Item]:
        try:
            while (item := await self._queue.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                self._room.release()
                yield item
        finally:
            self.close()
