"""The connections of a worker, and the way from each request to who answers it."""

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, cast

from uvicorn._types import ASGI3Application, HTTPScope
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from runtime.batching import Batcher
from runtime.connection import Connection
from runtime.exchange import Exchange
from runtime.heads import Head
from runtime.metrics import Metrics
from runtime.plan.ops import override
from runtime.predictor import Predictor
from runtime.problems import Problem
from runtime.protocol import HttpProtocol
from runtime.routes import Route, suited

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.streams import Streams

LOG: Final = logging.getLogger("uvicorn.error")
SWEEP_S: Final = 1.0


class Edge:
    """What every connection of a worker shares.

    leaving  connections go as they fall idle; `on_idle` then takes them
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
        self.leaving = False
        self.on_idle: Callable[[Connection], None] = lambda connection: connection.end()
        self.on_left: Callable[[], None] = lambda: None
        self.max_body_bytes, self.body_s = 0, 0.0
        self.predict, self.admit, self.keep = predictor.predict, predictor.admit, self.gate.keep
        self.streams: Streams  # set once, by who makes a worker
        self.app: ASGI3Application | None = None
        self.default_headers: list[tuple[bytes, bytes]] = []
        self.tasks: set[asyncio.Task[None]] = set()
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
        """Let the ASGI application answer, when it is this request's turn."""
        connection.exchanges.append(Visit(self, connection, head))
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

    def sweep(self, date: str) -> None:
        """End connections whose clients keep us waiting; called each second."""
        self.default_headers[:] = [(b"date", date.encode())]
        moment = self.clock()
        for connection in tuple(self.connections):
            if connection.overdue(moment):
                cast("HttpProtocol", connection).too_slow()


class Visit(Exchange):
    """A request that the ASGI application answers through uvicorn's own machinery."""

    __slots__ = ("_edge", "_started")

    head: Head

    def __init__(self, edge: Edge, connection: Connection, head: Head) -> None:
        super().__init__(connection, head, close=head.close)
        self._edge, self._started = edge, False

    @override
    def begin(self) -> None:
        if self._started:
            return
        self._started = True
        edge, connection = self._edge, cast("Connection", self.connection)
        event = asyncio.Event()
        event.set()
        cycle = RequestResponseCycle(
            scope=_scope(self.head),
            transport=connection.transport,
            flow=FlowControl(connection.transport),
            logger=LOG,
            access_logger=LOG,
            access_log=False,
            default_headers=edge.default_headers
            + ([KEPT] if self.head.http10 and not self.close else []),
            message_event=event,
            expect_100_continue=False,
            keep_alive=not self.close,
            on_response=self._done,
        )
        cycle.more_body = False
        task = edge.loop.create_task(cycle.run_asgi(cast("ASGI3Application", edge.app)))
        edge.tasks.add(task)
        task.add_done_callback(edge.tasks.discard)

    def _done(self) -> None:
        self.put(b"")


KEPT: Final = (b"connection", b"keep-alive")


def _scope(head: Head) -> HTTPScope:
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.0" if head.http10 else "1.1",
        "method": head.method.decode("ascii"),
        "scheme": "http",
        "path": head.path.decode("utf-8", "replace"),
        "raw_path": head.target.partition(b"?")[0],
        "query_string": head.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in head.headers],
        "client": None,
        "server": None,
    }
    return cast("HTTPScope", scope)
