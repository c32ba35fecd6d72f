"""Greedy batching: what arrived in one tick of the event loop is one vectorised call. No timers.

A lone request never waits. While a slow call runs in the worker thread, the next batch collects.
"""

import asyncio
import sys
import traceback
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from runtime.codecs.request import Call, refused
from runtime.plan.ops import Array, Frame, InputRefused, Inputs
from runtime.problems import DeadlinePassed, Internal, Overloaded, Problem
from runtime.revisions import Revision

# A hop to the thread costs 120 to 220 us, so it pays above about 2 ms; a batch is cut at 10 ms so
# that what arrives meanwhile never waits longer for it (both measured).
INLINE_US: Final = 2_000.0
BATCH_US: Final = 10_000.0
MAX_QUEUED: Final = 4_096
QUEUE_FACTOR: Final = 10  # Knative's queue-proxy holds ten times the container concurrency

Results = dict[str, Array]
Answered = Callable[["Work", Results | Problem], None]


class Work:
    """One decoded request on its way to an answer."""

    __slots__ = ("call", "deadline", "done", "revision")

    def __init__(self, call: Call, revision: Revision, deadline: float, done: Answered) -> None:
        self.call, self.revision, self.deadline, self.done = call, revision, deadline, done


class Batcher:
    """Collects work and runs it. All methods belong to the event loop's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, container_concurrency: int) -> None:
        self._loop = loop
        self._concurrency = container_concurrency
        self._bound = (
            container_concurrency * (1 + QUEUE_FACTOR) if container_concurrency else MAX_QUEUED
        )
        self._queues: dict[tuple[Revision, tuple[str, ...]], deque[Work]] = {}
        self._running: set[tuple[Revision, tuple[str, ...]]] = set()
        self._scheduled = False
        self._thread: ThreadPoolExecutor | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.in_flight = 0
        self.batch_sizes: Callable[[Revision, int], None] = lambda _revision, _size: None

    def submit(self, work: Work) -> None:
        """Queue one request; raises Overloaded instead of queueing without end."""
        if self.in_flight >= self._bound:
            raise Overloaded(
                f"{self.in_flight} requests are queued or running, which is all this replica "
                "takes. Try again after the time in Retry-After.",
                retry_after_s=1,
            )
        self.in_flight += 1
        key = (work.revision, work.call.outputs)
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = deque()
        queue.append(work)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        for key in list(self._queues):
            if key not in self._running:
                self._start(key)

    def _start(self, key: tuple[Revision, tuple[str, ...]]) -> None:
        """Run one batch of a queue; what does not fit is the next batch, in the next tick."""
        queue = self._queues[key]
        batch = self._take(queue, key[0])
        if not queue:
            del self._queues[key]
        if not batch:
            return
        revision = key[0]
        self.batch_sizes(revision, len(batch))
        rows = sum(work.call.rows for work in batch)
        if revision.remote:
            self._running.add(key)
            self._keep(self._run_remote(key, batch))
        elif revision.backend.cost.of(rows) * len(key[1]) <= INLINE_US:
            self._finish(batch, self._run_safely(revision, key[1], batch))
            self._again()
        else:
            self._running.add(key)
            self._keep(self._run_in_thread(key, batch))

    def _take(self, queue: deque[Work], revision: Revision) -> list[Work]:
        """Take requests up to the batch's cost and the container concurrency, at least one."""
        cost, now = revision.backend.cost, self._loop.time()
        batch: list[Work] = []
        rows = 0
        while queue and (not self._concurrency or len(batch) < self._concurrency):
            work = queue[0]
            if batch and cost.of(rows + work.call.rows) > BATCH_US:
                break
            queue.popleft()
            if now > work.deadline:
                late = DeadlinePassed("The request waited longer than its deadline allows.")
                self._answer(work, late)
                continue
            rows += work.call.rows
            batch.append(work)
        return batch

    def _again(self) -> None:
        if self._queues and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _keep(self, coroutine: Coroutine[object, object, None]) -> None:
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_in_thread(
        self, key: tuple[Revision, tuple[str, ...]], batch: list[Work]
    ) -> None:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="predict")
        answers = await self._loop.run_in_executor(
            self._thread, self._run_safely, key[0], key[1], batch
        )
        self._running.discard(key)
        self._finish(batch, answers)
        self._again()

    async def _run_remote(self, key: tuple[Revision, tuple[str, ...]], batch: list[Work]) -> None:
        answers: list[Results | Problem]
        try:
            joined = join([work.call.inputs for work in batch])
            results = {
                name: await key[0].backend.run(name, joined)  # type: ignore[misc]  # remote
                for name in key[1]
            }
            answers = split(results, [work.call.rows for work in batch])
        except Exception as error:  # noqa: BLE001  (the boundary: each request gets its own answer)
            answers = await self._remote_alone(key, batch, error)
        self._running.discard(key)
        self._finish(batch, answers)
        self._again()

    async def _remote_alone(
        self, key: tuple[Revision, tuple[str, ...]], batch: list[Work], error: Exception
    ) -> list[Results | Problem]:
        """Run each request by itself, so that a poisoned one fails alone."""
        if len(batch) == 1 or not isinstance(error, InputRefused):
            return [problem_of(error, work) for work in batch]
        answers: list[Results | Problem] = []
        for work in batch:
            try:
                answers.append(
                    {
                        name: await key[0].backend.run(name, work.call.inputs)  # type: ignore[misc]  # remote
                        for name in key[1]
                    }
                )
            except Exception as alone:  # noqa: BLE001  (as above)
                answers.append(problem_of(alone, work))
        return answers

    def _run_safely(
        self, revision: Revision, outputs: tuple[str, ...], batch: list[Work]
    ) -> list[Results | Problem]:
        """Run a batch; if it fails, each request alone, so that a poisoned one fails alone."""
        try:
            joined = join([work.call.inputs for work in batch])
            results = run(revision, outputs, joined)
            return split(results, [work.call.rows for work in batch])
        except Exception as error:  # noqa: BLE001  (the boundary: each request gets its own answer)
            if len(batch) == 1:
                return [problem_of(error, batch[0])]
            return [self._run_safely(revision, outputs, [work])[0] for work in batch]

    def _finish(self, batch: list[Work], answers: list[Results | Problem]) -> None:
        for work, answer in zip(batch, answers, strict=True):
            self._answer(work, answer)

    def _answer(self, work: Work, answer: Results | Problem) -> None:
        self.in_flight -= 1
        work.done(work, answer)

    def close(self) -> None:
        """Let the thread go; nothing may be in flight."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)


def run(revision: Revision, outputs: tuple[str, ...], x: Inputs) -> Results:
    """Compute the outputs asked for."""
    backend = revision.backend
    return {name: backend.run(name, x) for name in outputs}  # type: ignore[misc]  # not remote


def join(inputs: list[Inputs]) -> Inputs:
    """Put the rows of several requests below each other."""
    if len(inputs) == 1:
        return inputs[0]
    if isinstance(inputs[0], Frame):
        frames = [frame.columns for frame in inputs if isinstance(frame, Frame)]
        return Frame(tuple(np.concatenate(column) for column in zip(*frames, strict=True)))
    return np.concatenate([x for x in inputs if isinstance(x, np.ndarray)])


def split(results: Results, rows: list[int]) -> list[Results | Problem]:
    """Give each request its own rows, as views."""
    if len(rows) == 1:
        return [results]
    answers: list[Results | Problem] = []
    first = 0
    for count in rows:
        end = first + count
        answers.append({name: array[first:end] for name, array in results.items()})
        first = end
    return answers


def problem_of(error: Exception, work: Work) -> Problem:
    """Turn what a model raised into an answer; only of a refused cell is its text told."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, InputRefused):
        columns = work.revision.backend.signature.columns
        fault: dict[str, object] = {"detail": error.detail}
        if error.column is not None:
            fault = {"column": columns[error.column].name, **fault}
        if error.row is not None:
            fault = {"row": error.row, **fault}
        return refused([fault])
    sys.stderr.write("".join(traceback.format_exception(error)))
    return Internal(f"The model failed on this input ({type(error).__name__}); the log says more.")
