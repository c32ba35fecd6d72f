"""From a prediction request to its answer: who asks, which revision, decode, batch, encode."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol, cast

import numpy as np

from runtime.batching import Batcher, Job, LocalLane
from runtime.codecs.request import Body, Call
from runtime.codecs.v2_binary import Parts
from runtime.coding import inflate
from runtime.compute import Outcome, Results
from runtime.exchange import Exchange, Settler
from runtime.faults import problem_of
from runtime.heads import Head
from runtime.launch import Launch
from runtime.metrics import Metrics
from runtime.plan.ops import Array
from runtime.plan.signature import Signature
from runtime.prediction import Prediction
from runtime.repeats import MAX_BODY_BYTES, RepeatLane
from runtime.responses import CLOSE, KEEP_ALIVE, parts_head, problem_answer
from runtime.revisions import Revisions
from runtime.routes import Route
from runtime.sampling import Sampler
from runtime.streams import Streams
from runtime.tokens import TokenVerifier

if TYPE_CHECKING:
    from runtime.backend import LocalBackend
    from runtime.codecs.single import Single
    from runtime.payloads import Recorder

# Told of the first answer: the ids of its request and its trace.
First = Callable[[str | None, str | None], None]
DTYPES: Final = {
    "FP64": "f8",
    "FP32": "f4",
    "INT64": "i8",
    "INT32": "i4",
    "BOOL": "?",
    "BYTES": "O",
}


class Connected(Settler, Protocol):
    """A connection that answers in the order of its exchanges."""

    exchanges: deque[Exchange]


class Predictor:
    """Everything of a worker that a prediction passes through. Belongs to the event loop."""

    revisions: Revisions  # set once, when their backends are loaded

    def __init__(
        self, launch: Launch, tokens: TokenVerifier, batcher: Batcher, metrics: Metrics
    ) -> None:
        self.timeout_s, self._max_rows = launch.timeout_s, launch.max_rows
        self._max_body_bytes = launch.max_body_bytes
        self._verify, self._batcher = tokens.verify, batcher
        self._gate, self._metrics, self._clock = batcher.gate, metrics, batcher.clock
        batcher.answered = self.computed
        self.sampler = Sampler(batcher.loop)
        self.streams = Streams(self, batcher, launch.timeout_s)
        # Tokens and keys are looked at afresh each second, and a head is checked once in each: what
        # is revoked is refused as soon as the keys file is read again.
        self.second = 0
        self._repeats: dict[tuple[str, Single, bool], RepeatLane] = {}
        self.closing = False  # answers say that their connection ends
        self.recorder: Recorder | None = None  # of the payload log, where there is one
        self.on_first: First | None = None  # called once, after the first answer

    def tick(self) -> None:
        """Begin a second."""
        self.second += 1
        for lane in self._repeats.values():
            lane.second = -1 if self.closing else self.second

    def close(self) -> None:
        """From now on answers say that their connection ends."""
        self.closing = True
        for lane in self._repeats.values():
            lane.second = -1

    # In

    def admit(self, head: Head) -> None:
        """Raise what can be told before the body is here."""
        self._verify(head.authorization)
        if head.fault is not None:
            raise head.fault

    def predict(self, connection: Connected, head: Head, body: Body, now: float) -> None:
        """Take a whole request; its answer comes through its exchange."""
        route, size = head.route, len(body)
        if route is None:
            raise ValueError("not a prediction")
        prediction = Prediction(self, connection, head, route, now, size)
        connection.exchanges.append(prediction)
        try:
            if head.admitted != self.second:
                self.admit(head)
                head.admitted = self.second
                head.lane = self._lane_of(head, route)
            revision = self.revisions.choose(head.tag, route.version)
            prediction.revision, prediction.known = revision, True
            self._gate.enter(size)
            prediction.admitted = True
            revision.in_flight.enter(now)
            if size > route.thread_bytes and not (route.light and route.light(body)):
                if head.coding is not None:
                    self._inflate(prediction, head.coding, body)
                    return
                self._batcher.threads.submit(
                    lambda: self._decode(prediction, body),
                    lambda call: self._decoded(prediction, call),
                )
                return
            call = self._decode(prediction, body)
            prediction.call = call
            if self.sampler.revision == revision.launch.name:
                self.sampler.offer(route.decode, body)
        except Exception as error:  # noqa: BLE001  (the edge: every error becomes an answer here)
            self._fail(prediction, error)
            return
        if call.rows:
            revision.lane.put(prediction)
        else:
            self._nothing_asked(prediction)

    def _lane_of(self, head: Head, route: Route) -> RepeatLane | None:
        """Give the shortest way for requests with an admitted head; None: there is none."""
        revision = self.revisions.only
        plain = not (head.tag or head.special or head.http10 or route.version)
        small = head.length is not None and head.length <= MAX_BODY_BYTES
        if revision is None or not plain or not small or self._gate.limit or self.closing:
            return None
        if not isinstance(revision.lane, LocalLane):
            return None
        key = (revision.launch.name, route.single, head.unlogged)
        lane = self._repeats.get(key)
        if lane is None:
            local = cast("LocalBackend", revision.backend)
            lane = RepeatLane(self._batcher, revision, local, route, self.sampler)
            lane.recorder = None if head.unlogged else self.recorder
            self._repeats[key] = lane
        lane.second = self.second
        return lane

    def _decode(self, prediction: Prediction, body: Body) -> Call:
        signature = prediction.revision.backend.signature
        return prediction.route.decode(body, signature, max_rows=self._max_rows)

    def _inflate(self, prediction: Prediction, coding: bytes, packed: Body) -> None:
        def done(body: bytes | Exception) -> None:
            if prediction.gone:
                return
            try:
                if isinstance(body, Exception):
                    raise body
                self._gate.grow(len(body) - len(packed))
                prediction.size = len(body)
            except Exception as error:  # noqa: BLE001  (the edge, as in `predict`)
                self._fail(prediction, error)
                return
            decode = lambda: self._decode(prediction, body)  # noqa: E731
            self._batcher.threads.submit(decode, lambda call: self._decoded(prediction, call))

        self._batcher.threads.submit(lambda: inflate(packed, coding, self._max_body_bytes), done)

    def _decoded(self, prediction: Prediction, call: Call | Exception) -> None:
        if prediction.gone:
            return
        if isinstance(call, Exception):
            self._fail(prediction, call)
            return
        prediction.call = call
        if call.rows:
            prediction.revision.lane.put(prediction)
        else:
            self._nothing_asked(prediction)

    def _nothing_asked(self, prediction: Prediction) -> None:
        signature = prediction.revision.backend.signature
        nothing = {name: _nothing(signature, name) for name in prediction.call.outputs}
        self.computed([prediction], [nothing])

    # Out

    def computed(self, jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> None:
        """Answer a batch: with results, or with what went wrong."""
        if self.streams.open:
            jobs, outcomes = self.streams.take(jobs, outcomes)
        now = self._clock()
        for prediction, outcome in zip(cast("Sequence[Prediction]", jobs), outcomes, strict=True):
            if prediction.gone:
                continue
            if isinstance(outcome, Exception):
                self._fail(prediction, outcome)
                continue
            if prediction.call.rows > 1 and cells(outcome) > prediction.route.thread_cells:
                self._encode_elsewhere(prediction, outcome)
                continue
            try:
                body = prediction.route.encode(prediction.call, outcome, prediction.revision.info)
            except Exception as error:  # noqa: BLE001  (a model may answer what no format holds)
                self._fail(prediction, error)
            else:
                self._answer(prediction, body, now)

    def _encode_elsewhere(self, prediction: Prediction, results: Results) -> None:
        def done(body: bytes | Parts | Exception) -> None:
            if prediction.gone:
                return
            if isinstance(body, Exception):
                self._fail(prediction, body)
            else:
                self._answer(prediction, body, self._clock())

        call, info = prediction.call, prediction.revision.info
        self._batcher.threads.submit(lambda: prediction.route.encode(call, results, info), done)

    def _answer(self, prediction: Prediction, body: bytes | Parts, now: float) -> None:
        self._leave(prediction, 200, now)
        prefix, connection = prediction.revision.prefix, prediction.connection
        if self.closing and connection.is_last(prediction):
            prediction.close = True
        if not isinstance(body, bytes):
            end = CLOSE if prediction.close else KEEP_ALIVE if prediction.head.http10 else b""
            connection.put_parts(prediction, (parts_head(prefix, body, end), *body.buffers))
        elif prediction.close or prediction.head.http10:
            end = CLOSE if prediction.close else KEEP_ALIVE
            connection.put(prediction, b"%b%d\r\n%b\r\n%b" % (prefix, len(body), end, body))
        else:
            connection.put(prediction, b"%b%d\r\n\r\n%b" % (prefix, len(body), body))

    def _fail(self, prediction: Prediction, error: Exception) -> None:
        head = prediction.head
        revision = prediction.revision if prediction.known else None
        name = None if revision is None else revision.launch.name
        signature = None if revision is None else revision.backend.signature
        problem = problem_of(error, signature, head.request_id, name, head.trace)
        self._leave(prediction, problem.status, self._clock())
        if self.recorder is not None and revision is not None:
            self.recorder.failed(prediction, problem.status)
        if self.closing and prediction.connection.is_last(prediction):
            prediction.close = True
        end = CLOSE if prediction.close else KEEP_ALIVE if head.http10 else b""
        request_id = problem.members.get("request_id", head.request_id)
        prediction.put(problem_answer(problem, revision=name, request_id=request_id, end=end))

    def _leave(self, prediction: Prediction, code: int, now: float) -> None:
        """Count an answer, and make room for another request."""
        prediction.gone = True
        if not prediction.known:
            self._metrics.refused[code] += 1
            return
        revision = prediction.revision
        counts = revision.counts
        counts.by_code[code] += 1
        counts.latency_s.add(now - prediction.began)
        if prediction.admitted:
            prediction.admitted = False
            gate = self._gate
            gate.admitted -= 1
            gate.bytes -= prediction.size
            revision.in_flight.leave(now)
        if self.on_first is not None and code < 500:
            head = prediction.head
            self._batcher.loop.call_soon(self.on_first, head.request_id, head.trace)
            self.on_first = None

    def abandon(self, prediction: Prediction) -> None:
        """Forget a request whose client is gone; 499 is what nginx counts it as."""
        if not prediction.gone:
            self._leave(prediction, 499, self._clock())


def cells(results: Results) -> int:
    """Give how many values an answer holds."""
    return sum([array.size for array in results.values()])


def _nothing(signature: Signature, name: str) -> Array:
    """Give the answer to no rows."""
    output = signature.output(name)
    width = None if output is None else output.width
    datatype = "FP64" if output is None else output.datatype
    return np.empty(0 if width is None else (0, width), DTYPES[datatype])
