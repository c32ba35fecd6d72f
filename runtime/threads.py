"""Threads for what is too slow for the loop: batches, pieces of large calls, bodies, answers."""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
Work = Callable[[], None]


class Threads:
    """Runs work in the order it came; gives results back on the loop.

    most  threads at most; each is started by the first work that no other is free for
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int) -> None:
        self._loop, self.most = loop, most
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._started = self._busy = 0  # busy: work that was taken and not given back yet

    def submit(self, work: Callable[[], T], done: Callable[[T | Exception], None]) -> None:
        """Run `work` in a thread, then `done` with its result or exception on the loop."""

        def back(result: T | Exception) -> None:
            self._busy -= 1
            done(result)

        def run() -> None:
            result: T | Exception
            try:
                result = work()
            except Exception as error:  # noqa: BLE001  (given to `done`, which answers for it)
                result = error
            try:
                self._loop.call_soon_threadsafe(back, result)
            except RuntimeError:  # the loop was closed at the end of a drain
                return

        self._busy += 1
        if self._started < min(self._busy, self.most):
            self._started += 1
            # A daemon, so that a call that never ends cannot keep a stopped worker alive.
            name = f"predict-{self._started}"
            threading.Thread(target=self._work, name=name, daemon=True).start()
        self._queue.put(run)

    def _work(self) -> None:
        while (work := self._queue.get()) is not None:
            work()

    def close(self) -> None:
        """Let the threads end after what they have."""
        for _ in range(self._started):
            self._queue.put(None)
