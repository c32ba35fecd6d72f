"""HTTP/1.1 on a connection: the hot path. Predictions go to the predictor, the rest to `App`."""

from typing import TYPE_CHECKING

from runtime.codecs.request import Body
from runtime.connection import IDLE_S, MAX_PIPELINED, PIPELINE
from runtime.heads import Head
from runtime.plan.ops import override
from runtime.reading import Reader
from runtime.repeats import Repeat

if TYPE_CHECKING:
    from runtime.edge import Edge


class HttpProtocol(Reader):
    """Gives requests away, those that repeat the last head of their connection the short way."""

    def __init__(self, edge: "Edge") -> None:
        super().__init__(edge)
        self._predict, self._batcher = edge.predict, edge.batcher
        # The last head on this connection as bytes: callers repeat theirs, and what is equal to the
        # last byte needs no second reading (40 % of the parsing, measured).
        self._known: Head
        self._known_bytes, self._known_size, self._known_total = b"", 0, -1
        self._repeat = Repeat(self)
        self._clock, self._connections = edge.clock, edge.connections

    @override
    def data_received(self, data: bytes) -> None:
        if self.ending:
            return
        self.arrived = now = self._clock()
        self.deadline = now + IDLE_S
        if self.between and len(data) == self._known_total and data.startswith(self._known_bytes):
            head = self._known
            lane = head.lane
            if lane is not None and lane.second == head.admitted and not self.exchanges:
                repeat = self._repeat
                repeat.body, repeat.began = data[self._known_size :], now
                self.exchanges.append(repeat)
                lane.put(repeat, alone=len(self._connections) == 1)
                return
            self._back()
            batcher = self._batcher
            batcher.alone = len(self.edge.connections) == 1
            self._predict(self, self._known, data[self._known_size :], now)
            batcher.alone = False
            if len(self.exchanges) >= MAX_PIPELINED:
                self.hold(PIPELINE)
            return
        self._back()
        fresh = self.between
        self._completed, self._chunk, self._begun = 0, len(data), False
        if self._start:
            self._start += data
        else:
            self._start, self._placed = data, fresh
        self._feed(data)
        self._after(fresh, data)

    @property
    def request_id(self) -> str | None:
        """Give the id that the caller gave the requests that repeat the last head."""
        return self._known.request_id

    def _back(self) -> None:
        if self.exchanges and self.exchanges[0] is self._repeat:
            self.take_back(self._repeat)

    def take_back(self, repeat: Repeat) -> None:
        """Let the only request there is go the ordinary way."""
        self.exchanges.clear()
        repeat.gone = True  # its lane may still list it, so the next is another
        self._repeat = Repeat(self)
        self._predict(self, self._known, repeat.body, repeat.began)

    def _after(self, fresh: bool, data: bytes) -> None:
        if self.ending or self.between or self._head is not None:
            self._start = b""
        if self.ending:
            return
        if not self.between:
            self._unfinished()
        elif fresh and self._completed == 1:
            self._remember(data)

    def _remember(self, data: bytes) -> None:
        head = self._head
        if head is None or head.route is None or not head.length or head.expects or head.close:
            return
        if head.streamed:
            return
        size = len(data) - head.length
        # Only where this chunk was exactly that head and its body.
        if data.find(b"\r\n\r\n") + 4 == size and head.fault is None:
            self._known, self._known_bytes, self._known_size = head, data[:size], size
            self._known_total = len(data)

    @override
    def give(self, head: Head, body: Body) -> None:
        if head.route is None:
            self.edge.visit(self, head)
        else:
            self._predict(self, head, body, self.arrived)
        if len(self.exchanges) >= MAX_PIPELINED:
            self.hold(PIPELINE)
