"""The connections of a worker, and the way from each request to who answers it."""

from typing import TYPE_CHECKING, Final, cast

from runtime.batching import Batcher
from runtime.connection import Connection
from runtime.descriptors import MAX_CONNECTIONS
from runtime.exchange import Exchange
from runtime.heads import Head
from runtime.metrics import Metrics
from runtime.plan.ops import override
from runtime.predictor import Predictor
from runtime.problems import Problem
from runtime.protocol import HttpProtocol
from runtime.responses import CLOSE, KEEP_ALIVE
from runtime.routes import Route, suited

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.streams import Streams

SWEEP_S: Final = 1.0


class Edge:
    """What every connection of a worker shares.

    leaving  connections go as they fall idle; `on_idle` then takes them
    closing  they are closed then, and answers say so
    bulky    a large body came since who looks at it last put it back
    """

    def __init__(
        self,
        predictor: Predictor,
        routes: dict[bytes, Route],
        batcher: Batcher,
        metrics: Metrics,
    ) -> None:
        self.loop, self.batcher, self.metrics = batcher.loop, batcher, metrics
        self.clock, self.gate = batcher.clock, batcher.gate
        self.connections: set[Connection] = set()
        self.leaving = self.closing = self.bulky = False
        self.on_idle: Callable[[Connection], None] = lambda connection: connection.end()
        self.on_left: Callable[[], None] = lambda: None
        self.max_connections = MAX_CONNECTIONS
        self.max_body_bytes, self.body_s = 0, 0.0
        self.predict, self.admit, self.keep = predictor.predict, predictor.admit, self.gate.keep
        self.streams: Streams  # set once, by who makes a worker
        # What answers the rest; told what the answer's head shall say of the connection. Set once.
        self.app: Callable[[Head, bytes], bytes]
        self._routes = routes

    def protocol(self) -> HttpProtocol:
        """Make the protocol of a new connection."""
        return HttpProtocol(self)

    def route(self, head: Head) -> Route | None:
        """Find the prediction address a request is for; None: it is for the application."""
        if head.method != b"POST":
            return None
        route = self._routes.get(head.target) or self._routes.get(head.path)
        if route is not None and head.special:
            try:
                return suited(route, head)
            except Problem as problem:
                head.fault = head.fault or problem
        return route

    def visit(self, connection: Connection, head: Head) -> None:
        """Let the application answer, when it is this request's turn."""
        connection.exchanges.append(Visit(self, connection, head))
        if self.closing:
            # Not at once: whether this is the last request shows when the whole chunk was read.
            self.loop.call_soon(connection.settle)
        else:
            connection.settle()

    def refused(self, status: int) -> None:
        """Count an answer to what was not a whole request."""
        self.metrics.refused[status] += 1

    def idle(self, connection: Connection) -> None:
        """See to a connection that fell idle while connections are leaving."""
        self.on_idle(connection)

    def left(self, connection: Connection) -> None:  # noqa: ARG002  (who counts asks `connections`)
        """Learn that a connection is gone."""
        if self.leaving:
            self.on_left()

    def sweep(self) -> None:
        """End connections whose clients keep us waiting; called each second."""
        moment = self.clock()
        for connection in tuple(self.connections):
            if connection.overdue(moment):
                cast("HttpProtocol", connection).too_slow()


class Visit(Exchange):
    """A request that the application answers, as it is when the request's turn has come."""

    __slots__ = ("_edge",)

    head: Head

    def __init__(self, edge: Edge, connection: Connection, head: Head) -> None:
        super().__init__(connection, head, close=head.close)
        self._edge = edge

    @override
    def begin(self) -> None:
        if self._edge.closing and self.connection.is_last(self):
            self.close = True
        end = CLOSE if self.close else KEEP_ALIVE if self.head.http10 else b""
        self.answer = self._edge.app(self.head, end)
