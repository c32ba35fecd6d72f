"""One prediction on its way: a request of a connection, a job of a batch, an answer."""

from typing import TYPE_CHECKING

from runtime.compute import Outcome
from runtime.exchange import Exchange, Settler
from runtime.heads import Head
from runtime.plan.ops import override

if TYPE_CHECKING:
    from runtime.codecs.request import Call
    from runtime.predictor import Predictor
    from runtime.revisions import Revision


class Prediction(Exchange):
    """A prediction request. `size`: bytes held in the gate while it is admitted."""

    __slots__ = ("admitted", "began", "call", "deadline", "known", "predictor", "revision", "size")

    head: Head
    call: "Call"
    revision: "Revision"

    def __init__(
        self, predictor: "Predictor", connection: Settler, head: Head, began: float, size: int
    ) -> None:
        super().__init__(connection, head, close=head.close)
        self.predictor, self.began, self.size = predictor, began, size
        self.admitted = False
        self.known = False  # `revision` was chosen
        limit_s = predictor.timeout_s
        self.deadline = began + (
            limit_s if head.timeout_s is None else min(head.timeout_s, limit_s)
        )

    def settle_with(self, outcome: Outcome) -> None:
        """Take the results or what went wrong."""
        self.predictor.settle(self, outcome)

    @override
    def abandon(self) -> None:
        self.predictor.abandon(self)
