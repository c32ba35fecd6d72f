"""From a prediction request to its answer: who asks, which revision, decode, batch, encode."""

from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from runtime.batching import Batcher
from runtime.codecs.request import Call
from runtime.compute import Outcome
from runtime.exchange import Exchange, Settler
from runtime.faults import problem_of
from runtime.heads import Head
from runtime.launch import Launch
from runtime.metrics import Metrics
from runtime.plan.ops import Array
from runtime.plan.signature import Signature
from runtime.prediction import Prediction
from runtime.problems import Problem, UnsupportedMediaType
from runtime.responses import CLOSE, KEEP_ALIVE, problem_answer
from runtime.revisions import Revisions
from runtime.tokens import TokenVerifier

if TYPE_CHECKING:
    from collections.abc import Callable

# Above this, decoding or encoding would hold up the loop for more than about 2 ms.
THREAD_BYTES: Final = 128 * 1024
THREAD_CELLS: Final = 50_000


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

    def __init__(
        self,
        launch: Launch,
        tokens: TokenVerifier,
        revisions: Revisions,
        batcher: Batcher,
        metrics: Metrics,
    ) -> None:
        self.timeout_s, self._max_rows = launch.timeout_s, launch.max_rows
        self._tokens, self._revisions, self._batcher = tokens, revisions, batcher
        self._gate, self._metrics, self._clock = batcher.gate, metrics, batcher.clock
        self.closing = False  # answers say that their connection ends
        self.on_first: Callable[[], None] | None = None  # called once, after the first answer

    def admit(self, head: Head) -> None:
        """Raise what can be told before the body is here."""
        self._tokens.verify(head.authorization)
        if head.fault is not None:
            raise head.fault
        if head.csv and (head.route is None or head.route.csv is None):
            raise UnsupportedMediaType("text/csv is read at /predict only. Send application/json.")

    def predict(self, connection: Connected, head: Head, body: bytes) -> None:
        """Take a whole request; its answer comes through its exchange."""
        route = head.route
        if route is None:
            raise ValueError("not a prediction")
        now = self._clock()
        prediction = Prediction(self, connection, head, now, len(body))
        connection.exchanges.append(prediction)
        try:
            self.admit(head)
            revision = self._revisions.choose(head.tag, route.version)
            prediction.revision, prediction.known = revision, True
            self._gate.enter(len(body))
            prediction.admitted = True
            revision.in_flight.enter(now)
            decode = route.csv if head.csv and route.csv is not None else route.decode
            signature, max_rows = revision.backend.signature, self._max_rows
            if len(body) > THREAD_BYTES:
                self._batcher.thread.submit(
                    lambda: decode(body, signature, max_rows=max_rows),
                    lambda call: self._decoded(prediction, call),
                )
                return
            call = decode(body, signature, max_rows=max_rows)
        except Exception as error:  # noqa: BLE001  (the edge: every error becomes an answer here)
            self._fail(prediction, error)
            return
        self._enqueue(prediction, call)

    def _decoded(self, prediction: Prediction, call: Call | Exception) -> None:
        if prediction.gone:
            return
        if isinstance(call, Exception):
            self._fail(prediction, call)
        else:
            self._enqueue(prediction, call)

    def _enqueue(self, prediction: Prediction, call: Call) -> None:
        prediction.call = call
        revision = prediction.revision
        if call.rows:
            revision.lane.put(prediction)
        else:
            signature = revision.backend.signature
            self.settle(prediction, {name: _nothing(signature, name) for name in call.outputs})

    def settle(self, prediction: Prediction, outcome: Outcome) -> None:
        """Answer with results or with what went wrong."""
        if isinstance(outcome, Exception):
            self._fail(prediction, outcome)
            return
        call, revision = prediction.call, prediction.revision
        encode = prediction.head.route.encode  # type: ignore[union-attr]  # checked in predict
        if call.rows > 1 and sum([array.size for array in outcome.values()]) > THREAD_CELLS:
            prediction.gone = True  # of the lane: its deadline can no longer be kept
            self._batcher.thread.submit(
                lambda: encode(call, outcome, revision.info),
                lambda body: self._encoded(prediction, body),
            )
            return
        try:
            body = encode(call, outcome, revision.info)
        except Exception as error:  # noqa: BLE001  (a model may answer what no format holds)
            body = error
        self._encoded(prediction, body)

    def _encoded(self, prediction: Prediction, body: bytes | Exception) -> None:
        if isinstance(body, Exception):
            self._fail(prediction, body)
            return
        head, end = prediction.head, b""
        if self.closing and prediction.connection.is_last(prediction):
            prediction.close = True
        if prediction.close or head.http10:
            end = CLOSE if prediction.close else KEEP_ALIVE
        revision = prediction.revision
        self._leave(prediction, 200)
        prediction.put(b"%b%d\r\n%b\r\n%b" % (revision.prefix, len(body), end, body))

    def _fail(self, prediction: Prediction, error: Exception) -> None:
        head = prediction.head
        revision = prediction.revision if prediction.known else None
        name = None if revision is None else revision.launch.name
        if isinstance(error, Problem):
            problem = error
        else:
            signature = None if revision is None else revision.backend.signature
            problem = problem_of(error, signature, head.request_id, f"revision={name}")
        self._leave(prediction, problem.status)
        end = CLOSE if prediction.close else KEEP_ALIVE if head.http10 else b""
        prediction.put(
            problem_answer(
                problem,
                revision=name,
                request_id=problem.members.get("request_id", head.request_id),
                end=end,
            )
        )

    def _leave(self, prediction: Prediction, code: int) -> None:
        """Count an answer, and make room for another request."""
        prediction.gone = True
        if not prediction.known:
            self._metrics.refused[code] += 1
            return
        revision = prediction.revision
        now = self._clock()
        revision.counts.by_code[code] += 1
        revision.counts.latency_s.add(now - prediction.began)
        if prediction.admitted:
            prediction.admitted = False
            self._gate.leave(prediction.size)
            revision.in_flight.leave(now)
        if self.on_first is not None and code < 500:
            self._batcher.loop.call_soon(self.on_first)
            self.on_first = None

    def abandon(self, prediction: Prediction) -> None:
        """Forget a request whose client is gone; 499 is what nginx counts it as."""
        if not prediction.gone:
            self._leave(prediction, 499)


def _nothing(signature: Signature, name: str) -> Array:
    """Give the answer to no rows."""
    output = signature.output(name)
    width = None if output is None else output.width
    datatype = "FP64" if output is None else output.datatype
    return np.empty(0 if width is None else (0, width), DTYPES[datatype])
