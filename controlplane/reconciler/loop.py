"""A keyed work queue: one key serially, keys in parallel, backoff per key, resync as safety net.

Only keys are kept, no events: whoever runs looks at what is, so a lost or doubled wake is harmless.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, Generic, TypeVar

from controlplane import telemetry
from controlplane.telemetry import (
    RECONCILE_BACKLOG,
    RECONCILE_FAILING,
    RECONCILE_S,
    RECONCILES,
)
from runtime.problems import Problem

Key = TypeVar("Key", bound=Hashable)
FIRST_BACKOFF_S: Final = 0.2
MOST_BACKOFF_S: Final = 30.0
log = logging.getLogger("kubeserve.reconciler")


class Loop(Generic[Key]):
    """Runs `step(key)` whenever a key is woken, again after a failure, and for all keys at times.

    step      brings one key nearer to what is wanted; True: look again soon
    all_keys  every key there is, for the resync
    """

    def __init__(
        self,
        name: str,
        step: Callable[[Key], Awaitable[bool]],
        all_keys: Callable[[], Awaitable[list[Key]]],
        *,
        at_once: int = 4,
        resync_s: float = 30.0,
        soon_s: float = 0.05,
    ) -> None:
        self._name, self._step, self._all_keys = name, step, all_keys
        self._resync_s, self._soon_s = resync_s, soon_s
        self._slots = asyncio.Semaphore(at_once)
        self._running: set[Key] = set()
        self._again: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._due = asyncio.Event()
        for outcome in ("done", "failed"):
            RECONCILES.labels(name, outcome)
        self._tell()

    def _tell(self) -> None:
        RECONCILE_BACKLOG.labels(self._name).set(len(self._running))
        RECONCILE_FAILING.labels(self._name).set(len(self._failures))

    def look(self) -> None:
        """Look at all keys now, e.g. because wakes may have been missed."""
        self._due.set()

    def wake(self, key: Key) -> None:
        """Look at a key now; while it is being looked at, once more afterwards."""
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        if self._closed:
            return
        if key in self._running:
            self._again.add(key)
            return
        self._running.add(key)
        self._tell()
        task = asyncio.get_running_loop().create_task(self._run(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, key: Key) -> None:
        # Whoever woke it may have been a request, of which this is no part.
        telemetry.about(loop=self._name, key=str(key))
        async with self._slots:
            with RECONCILE_S.labels(self._name).time():
                delay = await self._attempt(key)
        self._running.discard(key)
        self._tell()
        if key in self._again:
            self._again.discard(key)
            self.wake(key)
        elif delay is not None and not self._closed:
            loop = asyncio.get_running_loop()
            self._timers[key] = loop.call_later(delay, self.wake, key)

    async def _attempt(self, key: Key) -> float | None:
        try:
            soon = await self._step(key)
        except Exception as error:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            RECONCILES.labels(self._name, "failed").inc()
            expected = isinstance(error, Problem)
            log.warning("%s %s: %s", self._name, key, error, exc_info=None if expected else error)
            most = min(MOST_BACKOFF_S, FIRST_BACKOFF_S * 2 ** min(failures - 1, 20))
            return random.uniform(most / 2, most)  # noqa: S311  (spreads retries, no secret)
        self._failures.pop(key, None)
        RECONCILES.labels(self._name, "done").inc()
        return self._soon_s if soon else None

    async def run(self) -> None:
        """Resync at once and then at times, until cancelled."""
        while True:
            self._due.clear()
            try:
                for key in await self._all_keys():
                    self.wake(key)
            except Exception:
                log.exception("%s: the keys could not be listed", self._name)
            pause = random.uniform(0.8, 1.2) * self._resync_s  # noqa: S311
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._due.wait()

    async def close(self) -> None:
        """Stop; what is running is cancelled and waited for."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # Another replica leads: what there is to do is told there.
        self._running.clear()
        self._failures.clear()
        self._tell()
