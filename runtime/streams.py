"""The open streams of a worker: who begins them, hands them their answers, and ends them.

One stream is `runtime/stream.py`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from runtime.codecs.request import Call
from runtime.compute import Outcome

if TYPE_CHECKING:
    from runtime.batching import Batcher, Job
    from runtime.connection import Connection
    from runtime.heads import Head
    from runtime.predictor import Predictor
    from runtime.stream import Stream

# What the gate counts for a stream: a line, what one more read brings, a piece and its answer.
STREAM_BYTES: Final = 2 * 1024 * 1024


class Piece:
    """Some rows of a stream: a job of a batch."""

    __slots__ = ("call", "deadline", "gone", "stream")

    def __init__(self, stream: "Stream", call: Call, deadline: float) -> None:
        self.stream, self.call, self.deadline = stream, call, deadline
        self.gone = False


class Streams:
    """The open streams of a worker."""

    def __init__(self, predictor: "Predictor", batcher: "Batcher", timeout_s: float) -> None:
        self.batcher, self.timeout_s = batcher, timeout_s
        self._predictor = predictor
        self.open: set[Stream] = set()
        self.closing = False

    def begin(self, connection: "Connection", head: "Head") -> "Stream":
        """Take a stream whose head was read; raises a Problem where it is not served."""
        from runtime.stream import Stream, asked

        predictor = self._predictor
        predictor.admit(head)
        revision = predictor.revisions.choose(head.tag)
        outputs, first = asked(head.query, revision.backend.signature)
        self.batcher.gate.enter(STREAM_BYTES)
        stream = Stream(self, connection, head, revision, outputs, first)
        self.open.add(stream)
        return stream

    def take(
        self, jobs: Sequence["Job"], outcomes: Sequence[Outcome]
    ) -> tuple[list["Job"], list[Outcome]]:
        """Give the pieces among some jobs their outcomes, and the others back."""
        others = []
        for job, outcome in zip(jobs, outcomes, strict=True):
            if not isinstance(job, Piece):
                others.append((job, outcome))
            elif not job.gone:
                job.gone = True
                job.stream.computed(job, outcome)
        return [job for job, _ in others], [outcome for _, outcome in others]

    def first(self, head: "Head") -> None:
        """Tell who waits for a worker's first answer that a stream has begun."""
        told, self._predictor.on_first = self._predictor.on_first, None
        if told is not None:
            self.batcher.loop.call_soon(told, head.request_id, head.trace)

    def stop(self) -> None:
        """End every stream behind the row it has reached: the worker ends soon."""
        self.closing = True
        for stream in tuple(self.open):
            stream.go_on()
