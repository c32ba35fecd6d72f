"""uvicorn's HTTP protocol with the bounds it leaves out: time, size and number of everything.

uvicorn waits for ever for the rest of a head or a body, takes heads of any size, and answers what
it cannot read in plain text.
"""

import asyncio
import functools
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final, cast

import orjson
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from controlplane.edge.lingering import Lingering
from controlplane.problems import MEDIA_TYPE, answer
from runtime.descriptors import MAX_CONNECTIONS
from runtime.problems import (
    HeadTooLarge,
    Malformed,
    Overloaded,
    Problem,
    TargetTooLong,
    TooSlow,
    VersionNotSupported,
)

COURTESY: Final = 256  # connections too many that are told so; what is beyond is cut
MAX_PIPELINED: Final = 64  # requests of one connection that wait for their turn


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one client may take; beside the bodies' bounds in `bodies.py`.

    head_s       from the first byte of a request, or the connection, to the end of its head
    window_s     a body is looked at after each such time
    window_bytes of it must have come meanwhile, unless we did not read
    write_s      for a client to take what was written to it
    connections  of all clients; more are answered 503
    """

    head_s: float = 15.0
    window_s: float = 30.0
    window_bytes: int = 15_000
    write_s: float = 60.0
    head_bytes: int = 64 * 1024
    fields: int = 100
    target_bytes: int = 8 * 1024
    connections: int = MAX_CONNECTIONS


class Part(Enum):
    """What of a request is being read."""

    NOTHING = auto()
    HEAD = auto()
    BODY = auto()


class _Refused(Exception):
    """Stops the parser; the problem is on the protocol."""


class BoundedProtocol(HttpToolsProtocol):
    """Reads requests within bounds and refuses what goes beyond with a problem."""

    def __init__(self, bounds: Bounds, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._bounds = bounds
        self._part = Part.NOTHING
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self._refusal: Problem | None = None
        self._begun = False  # in the chunk that is being read
        self._fields = self._named = self._read = 0
        self._came, self._held = 0, False  # of a body in this window; whether it began unread

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stands = Lingering(cast("asyncio.Transport", transport), self.loop, self._is_receiving)
        super().connection_made(cast("asyncio.Transport", stands))
        beyond = len(self.connections) - self._bounds.connections
        if beyond > COURTESY:
            self.transport.abort()
            return
        if beyond > 0:
            self.app = turned_away
        self._wait(self._bounds.head_s, self._head_is_late)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._stop_writing()
        super().connection_lost(exc)

    def _is_receiving(self) -> bool:
        return self._part is not Part.NOTHING

    # Time

    def _wait(self, seconds: float, late: Callable[[], None]) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, late)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @override
    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: offers to upgrade are ignored, which HTTP allows."""

    def _owes(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)  # none before the first request
        return cycle is not None and not cycle.response_complete

    def _head_is_late(self) -> None:
        within = self._bounds.head_s
        if self._owes():  # of an earlier request; this one has the connection for itself after it
            self._wait(within, self._head_is_late)
        elif self._part is Part.HEAD:
            self._refuse(TooSlow(f"The head of the request did not arrive within {within:g} s."))
        else:
            self.transport.close()

    def _look_at_body(self) -> None:
        came, self._came = self._came, 0
        held, self._held = self._held, self.flow.read_paused
        ours = held or self._held or self.cycle.waiting_for_100_continue
        if ours or came >= self._bounds.window_bytes:
            self._wait(self._bounds.window_s, self._look_at_body)
            return
        self._refuse(
            TooSlow(
                f"Only {came} bytes of the body arrived within {self._bounds.window_s:g} s, "
                f"{self._bounds.window_bytes} are the least; send it again."
            )
        )

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop_writing()
        self._writing = self.loop.call_later(self._bounds.write_s, self.transport.abort)

    @override
    def resume_writing(self) -> None:
        self._stop_writing()
        super().resume_writing()

    def _stop_writing(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    # What arrives

    @override
    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return  # read away
        self._begun = False
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._part is Part.HEAD and not self._begun:
            self._read += len(data)
            if self._read > self._bounds.head_bytes:
                self._refuse(self._head_too_large())
                return
        if self._timer is None and (self._part is Part.HEAD or not self._owes()):
            # uvicorn has just stopped its own clock, which is of idle connections.
            self._wait(self._bounds.head_s, self._head_is_late)

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._part, self._begun = Part.HEAD, True
        self._fields = self._named = self._read = 0

    @override
    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self._bounds.target_bytes:
            most = self._bounds.target_bytes
            self._stop(TargetTooLong(f"The address has more than {most} bytes.", limit=most))

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields += 1
        self._named += len(name) + len(value) + 4
        if self._fields > self._bounds.fields or self._named > self._bounds.head_bytes:
            self._stop(self._head_too_large())
        if self._part is Part.HEAD:  # fields behind a body are read away: nothing here uses them
            super().on_header(name, value)

    def _head_too_large(self) -> HeadTooLarge:
        fields, size = self._bounds.fields, self._bounds.head_bytes
        return HeadTooLarge(f"Send at most {fields} header fields in {size} bytes.", limit=size)

    @override
    def on_headers_complete(self) -> None:
        self._check_head()
        super().on_headers_complete()
        if self.parser.should_upgrade():
            self.cycle.keep_alive = False  # offers are ignored; what follows is not HTTP/1.1
        self._part = Part.BODY
        self._came, self._held = 0, False
        self._wait(self._bounds.window_s, self._look_at_body)

    def _check_head(self) -> None:
        version = self.parser.get_http_version()
        if version not in ("1.0", "1.1"):
            self._stop(VersionNotSupported(f"HTTP/{version} is not spoken here; HTTP/1.1 is."))
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and version == "1.1"):
            self._stop(Malformed("Send one Host header field."))
        if len(self.pipeline) >= MAX_PIPELINED:
            self._stop(Overloaded("Wait for answers before you send more requests."))

    @override
    def on_body(self, body: bytes) -> None:
        self._came += len(body)
        super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        self._part = Part.NOTHING
        self._stop_waiting()
        super().on_message_complete()

    @override
    def on_response_complete(self) -> None:
        if self._part is Part.BODY and not self.pipeline:
            self._close()  # answered early: the rest of the body is of no use to anybody
        super().on_response_complete()
        if self._part is Part.HEAD:
            self._unset_keepalive_if_required()  # the head has a clock of its own

    # Refusals

    def _stop(self, problem: Problem) -> None:
        self._refusal = problem
        raise _Refused

    @override
    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser did not take; uvicorn calls it."""
        self._refuse(self._refusal or Malformed("This is not a request of HTTP/1.1."))

    def _refuse(self, problem: Problem) -> None:
        self._stop_waiting()
        if self._is_about_the_body():
            # The request being refused has begun; whatever it still does has no reader.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        elif self._owes():
            self._end_after_answers()
            return
        self.transport.write(_written(problem))
        self._close()

    def _is_about_the_body(self) -> bool:
        """Tell whether a refusal can be the answer to the request whose body is read."""
        first = self._part is Part.BODY and self._owes() and not self.pipeline
        return first and not self.cycle.response_started

    def _end_after_answers(self) -> None:
        if self._part is Part.BODY:
            self.transport.abort()  # another answer is due first, or has begun
            return
        self.cycle.keep_alive = False
        self.flow.pause_reading()

    def _close(self) -> None:
        self.flow.resume_reading()
        self.transport.close()


def _written(problem: Problem) -> bytes:
    body = orjson.dumps({**problem.body(), "request_id": None})
    fields = {
        "content-type": MEDIA_TYPE,
        "content-length": str(len(body)),
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        "connection": "close",
        **problem.headers(),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return STATUS_LINE[problem.status] + lines.encode() + b"\r\n" + body


async def turned_away(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request on a connection too many."""
    problem = Overloaded("Too many connections are open; try again.", retry_after_s=1)
    response = answer(problem, Request(scope))
    response.headers["connection"] = "close"
    await response(scope, receive, send)


def protocol(bounds: Bounds) -> type[asyncio.Protocol]:
    """Give what uvicorn makes one of for each connection."""
    return cast("type[asyncio.Protocol]", functools.partial(BoundedProtocol, bounds))
