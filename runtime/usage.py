"""What a pod counted outlives it: told to the object store at times, and once more when it ends."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from typing import Final, NamedTuple

from runtime.last_words import tell
from runtime.launch import Launch, LaunchError

# Of the end of a pod, for a store that is slow or away.
LAST_WITHIN_S: Final = 5.0
TAKEN_WITHIN_S: Final = 10.0


class Answered(NamedTuple):
    """What a revision answered since this process began, as `stats` has it.

    latency  answers by bucket of `runtime.latencies`, where there are any
    """

    errors: int
    refusals: int
    latency: dict[str, int]


class Counted(NamedTuple):
    """Since this process began; `busy_s` with a request in flight, of each revision."""

    requests: int
    rows: int
    busy_s: float
    revisions: dict[str, Answered] = {}  # noqa: RUF012  (nobody changes it)

    def to_json(self) -> dict[str, object]:
        """Give what is told."""
        answered = {name: one._asdict() for name, one in self.revisions.items()}
        return {**self._asdict(), "revisions": answered}


class Usage:
    """Tells counters from a thread of its own, so that no request waits for the store.

    count  called in the loop
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, launch: Launch, count: Callable[[], Counted]
    ) -> None:
        self._loop, self._count = loop, count
        self._endpoint = launch.audience.rpartition("/")[2]
        self._ending = threading.Event()
        self._over = asyncio.Event()
        self._taken = False
        self._thread = threading.Thread(target=self._run, name="usage", daemon=True)

    def begin(self) -> None:
        """Tell now and then from here on; may be called again."""
        if self._thread.ident is None:
            self._thread.start()

    async def end(self) -> bool:
        """Tell the last counts; False: the store did not take them in time."""
        self._ending.set()
        if self._thread.ident is None and not self._count().requests:
            return True
        self.begin()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WITHIN_S):
                await self._over.wait()
        return self._taken

    def _run(self) -> None:
        # Only here: an HTTP client takes as long to import as a small plan to load.
        from runtime.telling import Telling

        try:
            Telling(os.environ, self._endpoint, self._counted).run(self._ending)
            self._taken = True
        except LaunchError as error:
            tell(f"usage is not told: {error}")
        self._loop.call_soon_threadsafe(self._over.set)

    def _counted(self) -> Counted:
        async def count() -> Counted:
            return self._count()

        return asyncio.run_coroutine_threadsafe(count(), self._loop).result(TAKEN_WITHIN_S)
