"""One prediction on its way: a request of a connection, a job of a batch, an answer."""

from typing import TYPE_CHECKING

from runtime.exchange import Exchange, Settler
from runtime.heads import Head
from runtime.plan.ops import override

if TYPE_CHECKING:
    from runtime.codecs.request import Call
    from runtime.predictor import Predictor
    from runtime.revisions import Revision
    from runtime.routes import Route


class Prediction(Exchange):
    """A prediction request. `size`: bytes held in the gate while it is admitted."""

    __slots__ = (
        "admitted",
        "began",
        "call",
        "deadline",
        "known",
        "predictor",
        "revision",
        "route",
        "size",
    )

    head: Head
    call: "Call"
    revision: "Revision"

    def __init__(
        self,
        predictor: "Predictor",
        connection: Settler,
        head: Head,
        route: "Route",
        began: float,
        size: int,
    ) -> None:
        # Flat, without its parent's: this runs for each request.
        self.connection, self.head, self.close = connection, head, head.close
        self.answer, self.gone = None, False
        self.predictor, self.route, self.began, self.size = predictor, route, began, size
        self.admitted = self.known = False  # known: `revision` was chosen
        limit_s, asked_s = predictor.timeout_s, head.timeout_s
        self.deadline = began + (limit_s if asked_s is None else min(asked_s, limit_s))

    @override
    def abandon(self) -> None:
        self.predictor.abandon(self)
