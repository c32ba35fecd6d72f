"""One request of a connection and its answer: answers leave in the order of their requests."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.codecs.request import Body
    from runtime.heads import Head


class Settler(Protocol):
    """The connection: told when an exchange has its answer."""

    def put(self, exchange: "Exchange", answer: bytes) -> None:
        """Write an answer, or keep it until its turn."""
        ...

    def put_parts(self, exchange: "Exchange", parts: "Sequence[Body]") -> None:
        """Write an answer that lies in several pieces, or keep it until its turn."""
        ...

    def is_last(self, exchange: "Exchange") -> bool:
        """True when no other request of the connection was read after this one."""
        ...


class Exchange:
    """A request being answered.

    answer  the bytes to write; None while it is computed
    close   the connection ends after this answer
    gone    the client is gone: whoever computes may stop
    """

    __slots__ = ("answer", "close", "connection", "gone", "head")

    def __init__(self, connection: Settler, head: "Head | None", *, close: bool) -> None:
        self.connection, self.head, self.close = connection, head, close
        self.answer: bytes | None = None
        self.gone = False

    def begin(self) -> None:
        """Start, or answer, what must wait for its turn; predictions are computed ahead of it."""

    def abandon(self) -> None:
        """Learn that the client is gone."""
        self.gone = True

    def put(self, answer: bytes) -> None:
        """Give the answer; it is written when its turn comes."""
        self.connection.put(self, answer)
