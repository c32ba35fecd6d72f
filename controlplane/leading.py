"""Which of several replicas runs the loops: the one that keeps renewing a lease in its name.

Time is measured by each replica's own monotonic clock from what it saw itself, never by a time that
another wrote: clocks that differ make nobody lead twice.
"""

import asyncio
import contextlib
import logging
import os
import socket
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from prometheus_client import Gauge

from controlplane.telemetry import REGISTRY
from runtime.problems import Conflict, Problem

log = logging.getLogger("kubeserve.leading")
LEADER: Final = Gauge("kubeserve_leader", "1 in the replica that leads.", registry=REGISTRY)
STUCK_EXIT: Final = 70


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds.

    duration    others wait so long after the last renewal that they saw
    stop_after  the leader stops so long after it asked for its last renewal; the rest of the
                duration is for stopping, and for clocks that do not run alike
    again       between attempts of a leader whose renewal failed
    """

    duration: float = 10.0
    stop_after: float = 8.0
    renew: float = 3.0
    retry: float = 2.0
    again: float = 0.5
    request: float = 2.0


@dataclass(frozen=True, slots=True)
class Record:
    """What a lease says.

    holder   nobody: released
    renewals changes with every renewal; whoever looks sees by it that the holder is alive
    version  of the object, None when it is not there yet
    """

    holder: str = ""
    duration: float = 0.0
    transitions: int = 0
    renewals: str = ""
    version: str | None = None


class Leases(Protocol):
    """Where the lease is kept. Every method may raise a Problem, and then nothing is known."""

    async def get(self) -> Record:
        """Read it; an empty record when there is none."""

    async def put(self, record: Record) -> Record:
        """Write it over the `version` it has; raises Conflict when that is not the last one.

        `renewals` is set by this; `version` None makes it.
        """


class Election:
    """One replica's view. Pure: told what was read and written and when, it says what follows."""

    def __init__(self, identity: str, timings: Timings) -> None:
        self.identity, self._timings = identity, timings
        self._seen: Record | None = None
        self._seen_at = 0.0
        self._leads_until: float | None = None

    def leads(self, now: float) -> bool:
        """Tell whether this replica may act."""
        return self._leads_until is not None and now < self._leads_until

    def left(self, now: float) -> float:
        """Give the seconds it may still act without a renewal."""
        return 0.0 if self._leads_until is None else max(0.0, self._leads_until - now)

    def saw(self, record: Record, now: float) -> None:
        """Take note of what was read; `now` is after the answer, so rather late than early."""
        seen = self._seen
        alive = (record.holder, record.transitions, record.renewals)
        if seen is None or alive != (seen.holder, seen.transitions, seen.renewals):
            self._seen_at = now
        self._seen = record
        if record.holder != self.identity:
            self._leads_until = None

    def wanted(self, now: float) -> Record | None:
        """Give what to write to lead, or to go on leading; None while another does."""
        seen = self._seen
        if seen is None or self.opens_in(now) > 0:
            return None
        changes = seen.holder != self.identity
        return replace(
            seen,
            holder=self.identity,
            duration=self._timings.duration,
            transitions=seen.transitions + changes,
        )

    def opens_in(self, now: float) -> float:
        """Give the seconds until the lease may be taken."""
        seen = self._seen
        if seen is None or seen.holder in ("", self.identity):
            return 0.0
        # The holder's own promise, should it come from another release with another duration.
        held = max(seen.duration, self._timings.duration)
        return max(0.0, self._seen_at + held - now)

    def wrote(self, record: Record, asked_at: float) -> None:
        """Take note that a lease is ours, from when it was asked for: others count from later."""
        self._seen, self._seen_at = record, asked_at
        self._leads_until = asked_at + self._timings.stop_after

    def resigned(self) -> Record | None:
        """Stop leading; gives what to write so that another can lead at once."""
        self._leads_until = None
        seen = self._seen
        if seen is None or seen.holder != self.identity:
            return None
        return replace(seen, holder="", duration=1.0)


def own_identity() -> str:
    """Name this process; a container that was started again has the same host name."""
    return f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}"


def end_at_once() -> None:
    """End the process: better no leader for some seconds than two."""
    log.critical("the loops did not stop in time after the lease was lost")
    os._exit(STUCK_EXIT)


class Leading:
    """Runs `lead` whenever this replica is the leader, and stops it before another can be.

    leases  None: there is no other replica
    lead    runs the loops until cancelled
    stuck   called when `lead` has not ended when others may begin
    """

    def __init__(
        self,
        leases: Leases | None,
        lead: Callable[[], Awaitable[None]],
        *,
        timings: Timings | None = None,
        identity: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        stuck: Callable[[], None] = end_at_once,
    ) -> None:
        self._leases, self._lead, self._clock, self._stuck = leases, lead, clock, stuck
        self._timings = timings or Timings()
        self._election = Election(identity or own_identity(), self._timings)
        self._look = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._writing: asyncio.Future[Record] | None = None

    @property
    def identity(self) -> str:
        """Name of this replica in the lease."""
        return self._election.identity

    def leads(self) -> bool:
        """Tell whether this replica may act now."""
        return self._leases is None or self._election.leads(self._clock())

    def look(self) -> None:
        """Look at the lease now, e.g. because its holder said that it goes."""
        self._look.set()

    async def run(self) -> None:
        """Lead when possible until cancelled; then stop the loops and give the lease back."""
        try:
            while self._leases is None:
                LEADER.set(1)
                await self._led()
                await asyncio.sleep(self._timings.retry)
            await self._contend(self._leases)
        finally:
            await self._stop()
            if self._leases is not None:
                await self._release(self._leases)

    async def _contend(self, leases: Leases) -> None:
        while True:
            renewed = await self._attempt(leases)
            left = self._election.left(self._clock())
            if left:
                self._start()
                pause = min(self._timings.renew if renewed else self._timings.again, left)
            else:
                await self._stop()
                opens = self._election.opens_in(self._clock())
                pause = min(self._timings.retry, opens or self._timings.retry)
            await self._sleep(pause)
            if not self.leads():
                await self._stop()  # before asking again, which may take until others lead

    async def _sleep(self, pause: float) -> None:
        self._look.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._look.wait()

    async def _attempt(self, leases: Leases) -> bool:
        """Renew or take the lease; in vain is no fault, the next attempt follows."""
        election, clock = self._election, self._clock
        # Never wait for an answer past the time to stop.
        limit = min(self._timings.request, election.left(clock()) or self._timings.request)
        try:
            async with asyncio.timeout(limit):
                election.saw(await leases.get(), clock())
                wanted, asked_at = election.wanted(clock()), clock()
                if wanted is None:
                    return False
                election.wrote(await self._write(leases, wanted), asked_at)
        except Conflict:
            log.info("another replica wrote the lease")
        except TimeoutError:
            log.warning("the lease cannot be reached: no answer in %.1f s", limit)
        except (Problem, OSError) as error:
            log.warning("the lease cannot be reached: %s", error)
        else:
            return True
        return False

    async def _write(self, leases: Leases, wanted: Record) -> Record:
        """Write what may arrive even when nobody waits for the answer any more."""
        self._writing = asyncio.ensure_future(leases.put(wanted))
        self._writing.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(self._writing)

    def _start(self) -> None:
        if self._task is None:
            log.info("%s leads", self.identity)
        if self._task is None or self._task.done():
            LEADER.set(1)
            self._task = asyncio.create_task(self._led())

    async def _led(self) -> None:
        try:
            await self._lead()
        except Exception:
            log.exception("the loops ended; they start again while this replica leads")

    async def _stop(self) -> None:
        LEADER.set(0)
        task, self._task = self._task, None
        if task is None:
            return
        log.info("%s leads no more", self.identity)
        task.cancel()
        margin = self._timings.duration - self._timings.stop_after
        left = self._election.left(self._clock())
        _, pending = await asyncio.wait([task], timeout=left + margin)
        if pending:
            self._stuck()

    async def _release(self, leases: Leases) -> None:
        try:
            async with asyncio.timeout(self._timings.request):
                if self._writing is not None:  # cut off in the middle of it, and perhaps ours now
                    await asyncio.wait([self._writing])
                self._election.saw(await leases.get(), self._clock())
                resigned = self._election.resigned()
                if resigned is not None:
                    await leases.put(resigned)
        except (Problem, TimeoutError, OSError) as error:
            log.warning("the lease could not be given back, it ends by itself: %s", error)
