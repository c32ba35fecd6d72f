"""Predictions as a stream: rows arrive, predictions leave, and only a piece of both is held.

A body of newline-delimited JSON is cut into pieces while it arrives. One piece at a time is read,
predicted as one job among others, and written; meanwhile no more than `HELD_BYTES` of the next is
read from the client. So a body of any length takes the same memory.

The answer begins with the first predicted row. What goes wrong before is told as for any request;
afterwards, since status 200 is out, as the last line.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from runtime.codecs import ndjson
from runtime.codecs.request import Call, outputs_asked
from runtime.compute import Outcome, Results, part
from runtime.connection import STREAM
from runtime.exchange import Exchange
from runtime.faults import problem_of
from runtime.plan.ops import InputRefused, override
from runtime.plan.signature import Signature
from runtime.problems import EngineUnavailable, InvalidInput, Problem
from runtime.responses import CLOSE, NOSNIFF, now, problem_answer
from runtime.streams import STREAM_BYTES, Piece, Streams

if TYPE_CHECKING:
    from runtime.connection import Connection
    from runtime.heads import Head
    from runtime.revisions import Revision

# A piece of the body: reading one takes about a millisecond, a hop to the thread a tenth of that.
PIECE_BYTES: Final = 64 * 1024
LOOP_BYTES: Final = 8 * 1024  # smaller ones are read on the loop
PIECE_ROWS: Final = 10_000
PIECE_CELLS: Final = 50_000  # of an answer; about a megabyte of text
LOOP_CELLS: Final = 2_000
LINE_BYTES: Final = 1024 * 1024
HELD_BYTES: Final = 256 * 1024  # of what was not begun yet, before the client is no longer read


def asked(query: bytes, signature: Signature) -> tuple[tuple[str, ...], int]:
    """Read `?outputs=predict,predict_proba&first=1000`: what is wanted, the first row's number."""
    try:
        found = parse_qs(query.decode("ascii"), keep_blank_values=True, max_num_fields=100)
    except ValueError as error:
        raise InvalidInput("The query cannot be read.") from error
    names = [name for value in found.get("outputs", ()) for name in value.split(",")]
    first = found.get("first", ["0"])[-1]
    if not (first.isascii() and first.isdigit() and len(first) <= 15):
        raise InvalidInput("first must be the number of a row.")
    return outputs_asked(names or None, signature), int(first)


class Stream(Exchange):
    """One request whose rows are predicted while they arrive.

    row  number of the next to be predicted
    """

    __slots__ = (
        "_busy",
        "_deadline_s",
        "_fault",
        "_lines",
        "_most_rows",
        "_outputs",
        "_piece",
        "_soon",
        "_started",
        "_streams",
        "_turn",
        "connection",
        "revision",
        "row",
    )

    connection: "Connection"
    head: "Head"

    def __init__(
        self,
        streams: Streams,
        connection: "Connection",
        head: "Head",
        revision: "Revision",
        outputs: tuple[str, ...],
        first: int,
    ) -> None:
        super().__init__(connection, head, close=head.close or head.http10)
        self._streams, self.revision, self._outputs = streams, revision, outputs
        self._lines = ndjson.Lines(LINE_BYTES)
        self._busy = self._turn = self._started = self._soon = False
        self._piece: Piece | None = None
        self._fault: Problem | None = None  # of the row behind those being predicted
        self.row = first
        limit_s = streams.timeout_s
        self._deadline_s = limit_s if head.timeout_s is None else min(head.timeout_s, limit_s)
        found = [revision.backend.signature.output(name) for name in outputs]
        cells = sum(1 if one is None or one.width is None else one.width for one in found)
        self._most_rows = max(1, min(PIECE_ROWS, PIECE_CELLS // max(1, cells)))
        revision.in_flight.enter(streams.batcher.clock())

    # In

    def feed(self, body: bytes) -> None:
        """Take what arrived of the body."""
        if self.gone:
            return
        self._lines.feed(body)
        if len(self._lines) > HELD_BYTES and (self._busy or not self._turn):
            self.connection.hold(STREAM)
        self.go_on()

    def finish(self) -> None:
        """Learn that the body is whole."""
        self._lines.ended = True
        self.go_on()

    @override
    def begin(self) -> None:
        self._turn = True
        self.go_on()

    def go_on(self) -> None:
        """Begin the next piece when nothing is under way; not at once, so that others come first.

        Called whenever something has changed: a turn, more of the body, a client that reads on.
        """
        if not (self._soon or self._busy or self.gone) and self._turn:
            self._soon = True
            self._streams.batcher.loop.call_soon(self._next)

    def _next(self) -> None:
        self._soon = False
        if self.gone or self._busy or self.connection.is_full:
            return
        if self._streams.closing:
            self.fail(_stopping(self.row))
            return
        try:
            lines = self._lines.take(PIECE_BYTES, self._most_rows)
        except Problem as problem:
            self.fail(problem)
            return
        if len(self._lines) <= HELD_BYTES or not lines:
            self.connection.release(STREAM)
        if lines:
            self._read(lines)
        elif self._lines.ended:
            self._end(200)

    def _read(self, lines: Sequence[bytes]) -> None:
        self._busy = True
        signature, outputs, first = self.revision.backend.signature, self._outputs, self.row

        def work() -> ndjson.Rows:
            return ndjson.decode(lines, signature, outputs, first)

        if sum(map(len, lines)) <= LOOP_BYTES:
            self._have(work())
        else:
            self._streams.batcher.threads.submit(work, self._have)

    def _have(self, rows: "ndjson.Rows | Exception") -> None:
        if self.gone:
            return
        if isinstance(rows, Exception):
            self.fail(rows)
            return
        self._fault = rows.problem
        if rows.call is not None:
            self._put(rows.call)
        else:
            self._behind_piece()

    def _put(self, call: Call) -> None:
        deadline = self._streams.batcher.clock() + self._deadline_s
        self._piece = Piece(self, call, deadline)
        self.revision.lane.put(self._piece)

    # Out

    def computed(self, piece: Piece, outcome: Outcome) -> None:
        """Take the predictions of a piece, or what went wrong with it."""
        if self.gone:
            return
        call = piece.call
        if isinstance(outcome, InputRefused) and 0 < (good := outcome.row or 0) < call.rows:
            # The model itself refused a row; those before it are predicted again, without it.
            self._fault = self._problem(outcome)
            self._put(Call(part(call.inputs, 0, good), good, call.outputs, picked=True))
        elif isinstance(outcome, Exception):
            self.fail(outcome)
        else:
            self._write(outcome, call.rows)

    def _write(self, results: Results, rows: int) -> None:
        outputs = self._outputs

        def work() -> bytes:
            return ndjson.encode_answer(outputs, results)

        def done(text: bytes | Exception) -> None:
            if self.gone:
                return
            if isinstance(text, Exception):
                self.fail(text)
                return
            self.row += rows
            self._send(text)
            self._behind_piece()

        if sum(array.size for array in results.values()) > LOOP_CELLS:
            self._streams.batcher.threads.submit(work, done)
            return
        try:
            text = work()
        except Exception as error:  # noqa: BLE001  (a model may answer what no format holds)
            self.fail(error)
        else:
            done(text)

    def _behind_piece(self) -> None:
        self._busy = False
        if self._fault is not None:
            self.fail(self._fault)
        else:
            self.go_on()

    def _send(self, text: bytes) -> None:
        """Write some lines, behind the head if they are the first."""
        parts = [] if self._started else [self._start()]
        chunked = not self.head.http10
        if text:
            parts += [b"%x\r\n" % len(text), text, b"\r\n"] if chunked else [text]
        self.connection.transport.writelines(parts)

    def _start(self) -> bytes:
        self._started = True
        self._streams.first(self.head)
        return stream_head(
            self.revision.launch.name, close=self.close, chunked=not self.head.http10
        )

    # Endings

    def fail(self, error: Exception) -> None:
        """End with an error: the answer's last line, or all of it where no row was predicted."""
        if self.gone:
            return
        problem = self._problem(error)
        problem.members.setdefault("row", self.row)
        if not self._lines.ended:
            self.close = True  # its rest would have to be read to find the next request
        if self._started:
            self._send(ndjson.encode_error(problem))
            self._end(problem.status)
            return
        self._leave(problem.status)
        request_id = problem.members.get("request_id", self.head.request_id)
        end = CLOSE if self.close else b""
        name = self.revision.launch.name
        self.put(problem_answer(problem, revision=name, request_id=request_id, end=end))

    def _problem(self, error: Exception) -> Problem:
        """Give the problem, its row counted from the beginning of the stream."""
        if isinstance(error, InputRefused) and error.row is not None:
            error = InputRefused(error.row + self.row, error.column, error.detail)
        signature = self.revision.backend.signature
        name = self.revision.launch.name
        return problem_of(error, signature, self.head.request_id, name, self.head.trace)

    def _end(self, status: int) -> None:
        if not self._started:
            self._send(b"")
        if not self.head.http10:
            self.connection.transport.write(b"0\r\n\r\n")
        self._leave(status)
        self.put(b"")

    @override
    def abandon(self) -> None:
        if not self.gone:
            self._leave(499)

    def _leave(self, status: int) -> None:
        """Count the stream, and give back what was held for it."""
        self.gone = True
        if self._piece is not None:
            self._piece.gone = True
        streams, revision = self._streams, self.revision
        streams.open.discard(self)
        gate = streams.batcher.gate
        gate.admitted -= 1
        gate.bytes -= STREAM_BYTES
        revision.in_flight.leave(streams.batcher.clock())
        revision.counts.by_code[status] += 1
        revision.counts.streams[status] += 1


def _stopping(row: int) -> EngineUnavailable:
    return EngineUnavailable(
        f"This replica is ending. Send the rows from row {row} on again.", retry_after_s=1
    )


def stream_head(revision: str, *, close: bool, chunked: bool) -> bytes:
    """Write the head of predictions that are not there yet."""
    lines = (
        f"HTTP/1.1 200 OK\r\ncontent-type: {ndjson.MEDIA}\r\n{NOSNIFF}"
        f"k-revision: {revision}\r\ndate: {now()}\r\n"
    )
    framing = b"transfer-encoding: chunked\r\n" if chunked else b""
    return lines.encode("latin-1") + framing + (CLOSE if close else b"") + b"\r\n"
