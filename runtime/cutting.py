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

# Calls after which another width is tried again: what kept it from gaining may be over.
TRIED_AGAIN: Final = 16


class Cuttable(Protocol):
    """A job that is computed in pieces."""

    call: Call
    gone: bool  # nobody waits for it any more


class Width:
    """Pieces that are computed at a time: as many as did the most rows a second when last tried.

    Threads do not always gain: what calls numpy for some microseconds at a time hands Python's lock
    to and fro, cores may share their units, and others have work too. So each width is tried, the
    widest first, then the best is kept and another tried now and then.
    """

    def __init__(self, most: int) -> None:
        self._widths = [most]
        while self._widths[-1] > 1:
            self._widths.append(self._widths[-1] // 2)
        self.now = most
        self._rates: dict[int, float] = {}
        self._calls = 0

    def learn(self, width: int, pieces: int, rows: int, wall_s: float) -> None:
        """Take in how a call went of which `width` pieces at a time were computed."""
        if pieces < width or len(self._widths) == 1:
            return
        rate = rows / max(wall_s, 1e-9)
        self._rates[width] = (self._rates.get(width, rate) + rate) / 2
        self._calls += 1
        untried = [width for width in self._widths if width not in self._rates]
        if untried:
            self.now = untried[0]
        elif self._calls % TRIED_AGAIN == 0:
            self.now = self._widths[self._calls // TRIED_AGAIN % len(self._widths)]
        else:
            self.now = max(self._rates, key=self._rates.__getitem__)


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
        self._wide = width.now
        self._starts = range(0, job.call.rows, rows)
        self._pieces: list[Results | None] = [None] * len(self._starts)
        self._begun = self._running = 0
        self._error: tuple[int, Exception] | None = None
        self._began_s = time.perf_counter()

    def go_on(self) -> None:
        """Begin as many pieces as may be computed at a time; tell when all are done."""
        stopped = self._job.gone or self._error is not None
        while not stopped and self._running < self._wide and self._begun < len(self._starts):
            self._begin(self._begun)
        if not self._running:
            self._end()

    def _begin(self, place: int) -> None:
        self._begun, self._running = self._begun + 1, self._running + 1
        self._threads.submit(
            lambda: self._compute(self._starts[place]), lambda found: self._have(place, found)
        )

    def _compute(self, start: int) -> Results:
        """Give some rows' answers."""
        call = self._job.call
        end = min(start + self._rows, call.rows)
        x = part(call.inputs, start, end)
        try:
            return {name: checked(self._backend.run(name, x), end - start) for name in call.outputs}
        except InputRefused as error:
            row = None if error.row is None else error.row + start
            raise InputRefused(row, error.column, error.detail) from error

    def _have(self, place: int, found: Results | Exception) -> None:
        self._running -= 1
        if not isinstance(found, Exception):
            self._pieces[place] = found
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
        call, took_s = self._job.call, time.perf_counter() - self._began_s
        self._width.learn(self._wide, len(pieces), call.rows, took_s)
        self._ended(
            {name: np.concatenate([piece[name] for piece in pieces]) for name in call.outputs}
        )
