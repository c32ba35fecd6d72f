"""Greedy batching: what arrived in one tick of the event loop is one vectorised call. No timers.

A lone request never waits. While a slow call runs elsewhere, the next batch collects.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Final, Protocol, cast

from runtime.backend import LocalBackend, RemoteBackend
from runtime.codecs.request import Call
from runtime.compute import Outcome, checked, compute, compute_remote, together
from runtime.cutting import Cut, Width
from runtime.gate import Gate
from runtime.plan.ops import Frame, override
from runtime.plan.plan import Cost
from runtime.plan.signature import Kind
from runtime.problems import DeadlinePassed
from runtime.threads import Threads

# A hop to the thread costs 120 to 220 us, so it pays above about 2 ms; a call is bounded at 10 ms
# so that what arrives meanwhile does not wait longer for it (both measured).
INLINE_US: Final = 2_000.0
CALL_US: Final = 10_000.0
SWEEP_S: Final = 0.05
# A text counts as one row for every so many characters: those on which the builder measures what a
# row costs have 200 to 400 in the mean (`controlplane/builder/landmarks.py`).
ROW_CHARACTERS: Final = 300
# Putting rows below each other copies them, row by row: 3 ns a cell (measured). It saves a call's
# fixed part, so a request with more cells than that pays for is computed by itself.
COPY_US: Final = 0.003


class Job(Protocol):
    """A request to compute; `answered` is told its outcome, on the loop."""

    call: Call
    deadline: float
    gone: bool  # nobody waits for it any more, or it has its answer


Answered = Callable[[Sequence[Job], Sequence[Outcome]], None]


class Lane:
    """The jobs of one revision: one batch at a time, and the next collects meanwhile."""

    def __init__(self, batcher: "Batcher", cost: Cost) -> None:
        self._batcher = batcher
        self._answered = batcher.answered
        self._queue: deque[Job] = deque()
        self._armed = False
        self.running: Sequence[Job] = ()  # a batch elsewhere
        # A job in pieces: while it is computed no other is cut, and smaller ones overtake it.
        self.large: Job | None = None
        self.most_rows = rows_in_a_call(cost)
        self.most_joined = self.most_rows  # rows of a job that is put together with others
        self.on_batch: Callable[[int, int], None] = lambda _requests, _rows: None

    def put(self, job: Job) -> None:
        """Queue one job; it is part of this tick's batch."""
        self._queue.append(job)
        if not self._armed:
            self.arm()

    def arm(self) -> None:
        """See to the queue in this tick."""
        if not self._armed:
            self._armed = True
            self._batcher.loop.call_soon(self._flush)

    def late(self, now: float) -> None:
        """Answer for what has passed its deadline, waiting or running."""
        large = () if self.large is None else (self.large,)
        for job in (*self.running, *large, *self._queue):
            if not job.gone and now > job.deadline:
                self._answered([job], [DeadlinePassed("No answer was ready before the deadline.")])

    def waits(self) -> bool:
        """True when something is queued or running elsewhere."""
        return bool(self._queue or self.running or self.large)

    def _flush(self) -> None:
        self._armed = False
        if self.running or not self._queue:
            return
        if self._batcher.gate.room() <= 0:
            self._batcher.starved.add(self)
            return
        jobs = self._take(self._batcher.clock())
        if jobs and self._queue:
            self.arm()
        if jobs:
            self._start(jobs)

    def _take(self, now: float) -> list[Job]:
        """Take from the queue what one call answers: the same outputs, as many rows as it may."""
        room, queue, rows = self._batcher.gate.room(), self._queue, 0
        jobs: list[Job] = []
        others: list[Job] = []
        while queue and len(jobs) < room:
            job = queue.popleft()
            if job.gone:
                continue
            if now > job.deadline:
                late = DeadlinePassed("The deadline passed before it could be started.")
                self._answered([job], [late])
            elif self.large is not None and self._is_large(job):
                others.append(job)
            elif not jobs or job.call.outputs == jobs[0].call.outputs:
                if jobs and not self._may_join(job, jobs[0], rows):
                    others.append(job)
                    break
                rows += job.call.rows
                jobs.append(job)
            else:
                others.append(job)
        queue.extendleft(reversed(others))
        return jobs

    def _may_join(self, job: Job, first: Job, rows: int) -> bool:
        """True when a job fits into one call with others, which have so many rows, and gains."""
        larger = max(first.call.rows, job.call.rows)
        return larger <= self.most_joined and rows + job.call.rows <= self.most_rows

    def _is_large(self, job: Job) -> bool:
        """True when a job is more than one call may be."""
        return job.call.rows > self.most_rows

    def _begin(self, jobs: list[Job]) -> int:
        """Count a call that starts; gives its rows."""
        rows = sum([job.call.rows for job in jobs])
        self._batcher.gate.running += len(jobs)
        self.on_batch(len(jobs), rows)
        return rows

    def _start(self, jobs: list[Job]) -> None:
        raise NotImplementedError

    def _came_back(self, jobs: Sequence[Job], outcomes: Sequence[Outcome] | Exception) -> None:
        self.running = ()
        self._finish(jobs, outcomes)

    def _finish(self, jobs: Sequence[Job], outcomes: Sequence[Outcome] | Exception) -> None:
        self._batcher.finished(len(jobs))
        if isinstance(outcomes, Exception):
            outcomes = [outcomes] * len(jobs)
        self._answered(jobs, outcomes)
        if self._queue:
            self.arm()


class LocalLane(Lane):
    """Computes in this process: on the loop what is quick, in the thread what is not."""

    def __init__(self, batcher: "Batcher", backend: LocalBackend) -> None:
        super().__init__(batcher, backend.cost)
        self._backend = backend
        self._width = Width(batcher.threads.most)
        cost = backend.cost
        self.most_joined = int(cost.c0_us / (COPY_US * max(1, len(backend.signature.columns))))
        self._inline_rows = (INLINE_US - cost.c0_us) / max(cost.c1_us, 1e-9)
        # Texts to be read are among the strings that may not be missing.
        columns = enumerate(backend.signature.columns)
        self._texts = [i for i, c in columns if c.kind is Kind.STRING and not c.missing]

    @override
    def put(self, job: Job) -> None:
        # Nothing else can arrive in this tick, so it need not end first: a lone caller is spared
        # one turn of the loop, 10 us of its 80.
        call, batcher = job.call, self._batcher
        quick = len(call.outputs) == 1 and self._weight(call) <= self._inline_rows
        if batcher.alone and quick and not self.waits() and batcher.gate.room() > 0:
            self._at_once(job, call)
        else:
            super().put(job)

    def _weight(self, call: Call) -> int:
        """Give the rows, or more where its texts are longer than those of so many rows."""
        if not self._texts or not isinstance(call.inputs, Frame):
            return call.rows
        columns = call.inputs.columns
        characters = sum(sum(map(len, columns[place].tolist())) for place in self._texts)
        return max(call.rows, characters // ROW_CHARACTERS)

    def _at_once(self, job: Job, call: Call) -> None:
        self.on_batch(1, call.rows)
        name = call.outputs[0]
        outcome: Outcome
        try:
            outcome = {name: checked(self._backend.run(name, call.inputs), call.rows)}
        except Exception as error:  # noqa: BLE001  (a model may raise anything)
            outcome = error
        self._answered((job,), (outcome,))

    @override
    def _is_large(self, job: Job) -> bool:
        return self._weight(job.call) > self.most_rows

    @override
    def _start(self, jobs: list[Job]) -> None:
        rows = self._begin(jobs)
        weight = sum([self._weight(job.call) for job in jobs]) if self._texts else rows
        cost_us = self._backend.cost.of(weight) * len(jobs[0].call.outputs)
        if cost_us <= INLINE_US:
            self._now(jobs)
        elif len(jobs) == 1 and weight > self.most_rows:
            self._in_pieces(jobs[0], max(1, self.most_rows * rows // weight))
        else:
            self._elsewhere(jobs)

    def _now(self, jobs: list[Job]) -> None:
        outcomes: list[Outcome]
        try:
            outcomes = together(self._backend, jobs)
        except Exception as error:  # noqa: BLE001  (a model may raise anything)
            if len(jobs) > 1:  # to find the poisoned one takes many calls
                self._elsewhere(jobs)
                return
            outcomes = [error]
        self._finish(jobs, outcomes)

    def _elsewhere(self, jobs: list[Job]) -> None:
        self.running = jobs
        self._batcher.watch()
        self._batcher.threads.submit(
            lambda: compute(self._backend, jobs), lambda outcomes: self._came_back(jobs, outcomes)
        )

    def _in_pieces(self, job: Job, rows: int) -> None:
        """Compute one job by so many rows at a time, letting smaller ones overtake it."""

        def ended(outcome: Outcome) -> None:
            self.large = None
            self._finish([job], [outcome])

        self.large = job
        self._batcher.watch()
        Cut(job, rows, self._backend, self._batcher.threads, self._width, ended).go_on()


class RemoteLane(Lane):
    """Waits for another process."""

    def __init__(self, batcher: "Batcher", backend: RemoteBackend) -> None:
        super().__init__(batcher, backend.cost)
        self._backend = backend

    @override
    def _start(self, jobs: list[Job]) -> None:
        self._begin(jobs)
        self.running = jobs
        self._batcher.watch()
        self._batcher.spawn(self._wait(jobs))

    async def _wait(self, jobs: list[Job]) -> None:
        self._came_back(jobs, await compute_remote(self._backend, jobs))


class Batcher:
    """The lanes of a worker and what they share."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        gate: Gate,
        clock: Callable[[], float],
        cores: int = 1,
    ) -> None:
        self.loop, self.gate, self.clock = loop, gate, clock
        self.answered: Answered = lambda _jobs, _outcomes: None  # set before a lane is opened
        self.threads = Threads(loop, cores)
        # No other request can arrive in this tick: one connection, all of its bytes read.
        self.alone = False
        self.lanes: list[Lane] = []
        self.starved: set[Lane] = set()  # they found no room under the container concurrency
        self._tasks: set[asyncio.Task[None]] = set()
        self._watching = False

    def lane(self, backend: LocalBackend | RemoteBackend, *, remote: bool) -> Lane:
        """Open the lane of one revision."""
        lane: Lane
        if remote:
            lane = RemoteLane(self, cast("RemoteBackend", backend))
        else:
            lane = LocalLane(self, cast("LocalBackend", backend))
        self.lanes.append(lane)
        return lane

    def finished(self, jobs: int) -> None:
        """Make room, and let lanes that waited for it look again."""
        self.gate.running -= jobs
        while self.starved:
            self.starved.pop().arm()

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Run a coroutine and keep hold of it."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def watch(self) -> None:
        """Look after deadlines while something runs elsewhere: one timer for all requests."""
        if not self._watching:
            self._watching = True
            self.loop.call_later(SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        now = self.clock()
        for lane in self.lanes:
            lane.late(now)
        self._watching = any(lane.waits() for lane in self.lanes)
        if self._watching:
            self.loop.call_later(SWEEP_S, self._sweep)

    async def close(self) -> None:
        """Stop what runs elsewhere."""
        self.threads.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def rows_in_a_call(cost: Cost) -> int:
    """Rows that one call may have: up to 10 ms, or as long as its fixed part where that is more."""
    spare_us = max(CALL_US - cost.c0_us, cost.c0_us)
    return max(1, int(spare_us / cost.c1_us)) if cost.c1_us else 1 << 30
