"""A call that is larger than one may be, in pieces: several at a time, each on a core of its own.

Where it is cut follows from its rows and from what its version costs, never from the cores, so that
the same request gets the same bits on every machine, busy or not.
"""

import time
from collections.abc import Callable
from typing import Final, Protocol

import numpy as np

from runtime.backend import LocalBackend
from runtime.codecs.request import Call
from runtime.compute import Results, checked, part
from runtime.plan.ops import InputRefused
from runtime.threads import Threads

# Calls after which more threads are tried again: what kept them from gaining may be over.
TRIED_AGAIN: Final = 16


class Cuttable(Protocol):
    """A job that is computed in pieces."""

    call: Call
    gone: bool  # nobody waits for it any more


class Width:
    """Pieces that are computed at a time: as many as got a core each when it was last tried.

    Threads that wait for the interpreter's lock, as those do that read texts in Python, or for a
    core that others have, take no processor time meanwhile. So what all pieces together took of it,
    by the time that passed, is how many threads would have been enough.
    """

    def __init__(self, most: int) -> None:
        self._most = self.now = most
        self._calls = 0

    def learn(self, pieces: int, cpu_s: float, wall_s: float) -> None:
        """Take in how a call of so many pieces went."""
        if self.now < self._most:
            self._calls += 1
            if self._calls == TRIED_AGAIN:
                self.now, self._calls = self._most, 0
        elif 1 < self.now <= pieces:
            self.now = max(1, min(self.now, round(cpu_s / wall_s)))


class Cut:
    """One call in pieces. Belongs to the loop; only what `_compute` does is done in threads.

    rows   of a piece, at most
    width  says how many pieces are begun before one has ended
    ended  is told the whole answer, or the error of the first row that is at fault
    """

    def __init__(
        self,
        job: Cuttable,
        rows: int,
        backend: LocalBackend,
        threads: Threads,
        width: Width,
        ended: Callable[[Results | Exception], None],
    ) -> None:
        self._job, self._rows, self._backend = job, rows, backend
        self._threads, self._width, self._ended = threads, width, ended
        self._starts = range(0, job.call.rows, rows)
        self._pieces: list[Results | None] = [None] * len(self._starts)
        self._begun = self._running = 0
        self._error: tuple[int, Exception] | None = None
        self._cpu_s, self._began_s = 0.0, time.perf_counter()

    def go_on(self) -> None:
        """Begin as many pieces as may be computed at a time; tell when all are done."""
        stopped = self._job.gone or self._error is not None
        while not stopped and self._running < self._width.now and self._begun < len(self._starts):
            self._begin(self._begun)
        if not self._running:
            self._end()

    def _begin(self, place: int) -> None:
        self._begun, self._running = self._begun + 1, self._running + 1
        self._threads.submit(
            lambda: self._compute(self._starts[place]), lambda found: self._have(place, found)
        )

    def _compute(self, start: int) -> tuple[Results, float]:
        """Give some rows' answers, and the processor seconds that they took."""
        began, call = time.thread_time(), self._job.call
        end = min(start + self._rows, call.rows)
        x = part(call.inputs, start, end)
        try:
            answers = {
                name: checked(self._backend.run(name, x), end - start) for name in call.outputs
            }
        except InputRefused as error:
            row = None if error.row is None else error.row + start
            raise InputRefused(row, error.column, error.detail) from error
        return answers, time.thread_time() - began

    def _have(self, place: int, found: tuple[Results, float] | Exception) -> None:
        self._running -= 1
        if not isinstance(found, Exception):
            self._pieces[place], spent_s = found
            self._cpu_s += spent_s
        # Pieces are begun in order, so of those before this one all are done or running.
        elif self._error is None or place < self._error[0]:
            self._error = place, found
        self.go_on()

    def _end(self) -> None:
        if self._error is not None:
            self._ended(self._error[1])
            return
        pieces = [piece for piece in self._pieces if piece is not None]
        if len(pieces) < len(self._pieces):
            self._ended({})
            return
        self._width.learn(len(pieces), self._cpu_s, time.perf_counter() - self._began_s)
        outputs = self._job.call.outputs
        self._ended({name: np.concatenate([piece[name] for piece in pieces]) for name in outputs})
