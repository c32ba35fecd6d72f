"""The one thread for what is too slow for the loop: batches, large bodies, large answers."""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
Piece = Callable[[], None]


class WorkerThread:
    """Runs work in order; gives results back on the loop. Started by its first work."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: queue.SimpleQueue[Piece | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, work: Callable[[], T], done: Callable[[T | Exception], None]) -> None:
        """Run `work` in the thread, then `done` with its result or exception on the loop."""

        def run() -> None:
            result: T | Exception
            try:
                result = work()
            except Exception as error:  # noqa: BLE001  (given to `done`, which answers for it)
                result = error
            try:
                self._loop.call_soon_threadsafe(done, result)
            except RuntimeError:  # the loop was closed at the end of a drain
                return

        if self._thread is None:
            # A daemon, so that a call that never ends cannot keep a stopped worker alive.
            self._thread = threading.Thread(target=self._work, name="predict", daemon=True)
            self._thread.start()
        self._queue.put(run)

    def _work(self) -> None:
        while (piece := self._queue.get()) is not None:
            piece()

    def close(self) -> None:
        """Let the thread end after what it has."""
        if self._thread is not None:
            self._queue.put(None)
