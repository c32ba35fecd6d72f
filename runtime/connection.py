"""A client's connection below HTTP: answers in order, back-pressure, closing, changing hands."""

import array
import asyncio
import fcntl
import os
import termios
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from runtime.codecs.request import Body
from runtime.plan.ops import override

if TYPE_CHECKING:
    import socket

    from runtime.edge import Edge
    from runtime.exchange import Exchange

HEAD_S: Final = 15.0  # from the first byte of a request to the end of its head
IDLE_S: Final = 120.0  # above the 90 s that Go's clients (Knative's queue-proxy) keep connections
WRITE_S: Final = 60.0  # for a client to take any of what was written to it
LINGER_S: Final = 2.0
MAX_PIPELINED: Final = 64  # requests unanswered on one connection before it is not read further
WRITING, PIPELINE, STREAM = 1, 2, 4  # reasons not to read


class Connection(asyncio.Protocol):
    """What `HttpProtocol` stands on. `between` is True where no part of a request was read."""

    def __init__(self, edge: "Edge") -> None:
        self.edge = edge
        self.transport: asyncio.Transport = None  # type: ignore[assignment]  # connection_made
        self.exchanges: deque[Exchange] = deque()
        self.between = True
        self.ending = False  # nothing read from now on is answered
        self.open = False
        self.deadline = 0.0
        self._held = 0
        self._unwritten, self._write_by = 0, 0.0  # as the last look found it; when it must be less

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # a stream's is a Transport
        self.open = True
        self.deadline = self.edge.clock() + IDLE_S
        self.edge.connections.add(self)
        if len(self.edge.connections) > self.edge.max_connections:
            self.turn_away()
        elif self.edge.leaving:
            self.edge.idle(self)

    def turn_away(self) -> None:
        """See to a connection too many."""
        self.transport.abort()

    @override
    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  (asyncio's signature)
        self.open = False
        self.edge.connections.discard(self)
        for exchange in self.exchanges:
            exchange.abandon()
        self.exchanges.clear()
        self.edge.left(self)

    @override
    def eof_received(self) -> bool:
        # A client that has sent all it will may still read: close only when nothing is owed.
        self.ending = True
        return bool(self.exchanges)

    # Answers

    def put(self, exchange: "Exchange", answer: bytes) -> None:
        """Write an answer, or keep it until its turn."""
        exchanges = self.exchanges
        # Nearly always it is the only one, and nothing else is to be done.
        alone = len(exchanges) == 1 and exchanges[0] is exchange and self.open
        if alone and not (exchange.close or self.ending or self._held or self.edge.leaving):
            exchanges.popleft()
            self.transport.write(answer)
            return
        exchange.answer = answer
        self.settle()

    def answer_repeat(self, answer: bytes) -> None:
        """Write the answer to the only request there is."""
        exchanges = self.exchanges
        if not (self.ending or self._held or self.edge.leaving):
            exchanges.clear()
            self.transport.write(answer)
            return
        repeat = exchanges[0]
        repeat.answer = answer
        self.settle()
        repeat.answer = None

    def put_parts(self, exchange: "Exchange", parts: Sequence[Body]) -> None:
        """Write an answer that lies in several pieces, or keep it until its turn."""
        exchanges = self.exchanges
        if self.open and len(exchanges) == 1 and exchanges[0] is exchange:
            self.transport.writelines(parts)
            self.put(exchange, b"")
        else:
            self.put(exchange, b"".join(parts))

    def settle(self) -> None:
        """Write every answer whose turn it is, then begin what waited for its turn."""
        exchanges = self.exchanges
        if not self.open:
            return
        while exchanges:
            exchange = exchanges[0]
            if exchange.answer is None and not self._held & WRITING:
                exchange.begin()  # while nothing is taken, not: its answer would fill memory
            if exchange.answer is None:
                return
            exchanges.popleft()
            if exchange.answer:
                self.transport.write(exchange.answer)
            if exchange.close:
                self.end()
                return
        if self._held & PIPELINE:
            self.release(PIPELINE)
        if self.ending:
            self.end()
        elif self.edge.leaving and self.between:
            self.edge.idle(self)

    def is_last(self, exchange: "Exchange") -> bool:
        """True when no other request has arrived, in whole or in part, after this one."""
        last = self.between and bool(self.exchanges) and self.exchanges[-1] is exchange
        return last and not self.unread()

    def unread(self) -> int:
        """Give the bytes that the kernel holds for us: a request that has arrived."""
        waiting = array.array("i", [0])
        sock: socket.socket = self.transport.get_extra_info("socket")
        fcntl.ioctl(sock.fileno(), termios.FIONREAD, waiting)
        return waiting[0]

    def end(self) -> None:
        """Close when everything written is sent; later requests on it were never promised."""
        for exchange in self.exchanges:
            exchange.abandon()
        self.exchanges.clear()
        unread = not self.between and not self.transport.is_closing()
        self.ending = True
        if unread and self.transport.can_write_eof():
            # Closing with unread bytes makes the kernel reset the connection, and the client would
            # lose the answer: say that nothing follows and read its rest away for a moment.
            self.transport.write_eof()
            self.deadline = self.edge.clock() + LINGER_S
            self.hold_none()
            return
        self.transport.close()

    # Back-pressure

    @override
    def pause_writing(self) -> None:
        self.hold(WRITING)
        self._unwritten = 0

    @override
    def resume_writing(self) -> None:
        self.release(WRITING)
        if self.between:
            self.deadline = self.edge.clock() + IDLE_S
        if self.exchanges:
            self.settle()

    @property
    def is_full(self) -> bool:
        """True while the client does not take what is written to it."""
        return bool(self._held & WRITING)

    def hold(self, reason: int) -> None:
        """Stop reading for a reason."""
        if not self._held and not self.transport.is_closing():
            self.transport.pause_reading()
        self._held |= reason

    def release(self, reason: int) -> None:
        """Read again when no reason is left."""
        if self._held and not self._held & ~reason and not self.transport.is_closing():
            self.transport.resume_reading()
        self._held &= ~reason

    def hold_none(self) -> None:
        """Read on whatever was held."""
        self.release(WRITING | PIPELINE | STREAM)

    # Waiting and leaving

    def overdue(self, now: float) -> bool:
        """True when the client has kept us waiting too long; called about once a second."""
        if self._held & WRITING or self.ending:
            left = self.transport.get_write_buffer_size()
            before, self._unwritten = self._unwritten, left
            if left:
                if not before or left < before:  # slow is not idle
                    self._write_by = now + WRITE_S
                self.deadline = now + LINGER_S
                return now > self._write_by
        if self.exchanges and (self.between or self.ending or self._held & STREAM):
            self.deadline = now + IDLE_S  # it waits for us
        return now > self.deadline

    def is_idle(self) -> bool:
        """True when the connection can change hands: nothing unanswered, nothing half read."""
        return (
            self.open
            and self.between
            and not self.exchanges
            and not self.ending
            and not self.transport.is_closing()
            and self.transport.get_write_buffer_size() == 0
        )

    def detach(self) -> int:
        """Give an idle connection's descriptor away; what the kernel holds unread goes with it."""
        self.transport.pause_reading()
        sock: socket.socket = self.transport.get_extra_info("socket")
        descriptor = os.dup(sock.fileno())
        # Closing without shutdown: the duplicate keeps the connection alive for its next owner.
        self.ending = True
        self.transport.abort()
        return descriptor
