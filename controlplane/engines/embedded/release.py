"""Which generation is served: the newest, or the last that worked while the newest fails."""

import time

from controlplane.engines.embedded.backoff import Backoff
from controlplane.engines.embedded.conditions import Verdict, ready_of
from controlplane.engines.embedded.forker import Exited
from controlplane.engines.embedded.ledger import Entry
from controlplane.engines.embedded.wire import LocalEndpoint
from controlplane.engines.embedded.words import Trouble, trouble_of

LASTING = 2  # deaths in a row from which an endpoint is not well


class Release:
    """The newest state of an endpoint on trial, and what went wrong with it."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.trouble: Trouble | None = None
        self.backoff = Backoff()

    @property
    def failed(self) -> bool:
        """Tell that starting the newest state again cannot help."""
        return self.trouble is not None and self.trouble.final

    @property
    def proven(self) -> bool:
        """Tell whether a worker of the newest generation was ready once."""
        proven = self.entry.proven
        return proven is not None and proven.generation == self.entry.desired.generation

    @property
    def nothing_works(self) -> bool:
        """Tell that the newest state failed and there is no older one that worked."""
        return self.failed and (self.entry.proven is None or self.proven)

    @property
    def serving(self) -> LocalEndpoint:
        """Give what new workers serve."""
        proven = self.entry.proven
        return proven if self.failed and proven is not None else self.entry.desired

    def left(self) -> float:
        """Give the seconds until a worker may be started."""
        return self.backoff.left(time.monotonic())

    @property
    def looping(self) -> bool:
        """Tell that workers die one after the other, and the next start is some time away."""
        return self.backoff.failures > LASTING and self.left() > 0

    def apply(self, desired: LocalEndpoint) -> bool:
        """Put a state on trial; True when the trouble of another one is over with it."""
        self.entry.desired = desired
        if self.trouble is None or self.trouble.generation == desired.generation:
            return False
        self.trouble = None
        self.backoff.forget()
        return True

    def works(self, generation: int) -> bool:
        """Learn that a worker is ready; True when that proves the newest state."""
        if generation != self.entry.desired.generation:
            return False
        self.trouble = None
        if self.proven:
            return False
        self.entry.proven = self.entry.desired
        return True

    def died(self, how: Exited, generation: int, ready_at: float | None) -> Trouble | None:
        """Learn that a worker ended unasked; gives the trouble if it is one of the newest state."""
        trouble = trouble_of(how, generation, was_ready=ready_at is not None)
        now = time.monotonic()
        self.backoff.failed(now, 0.0 if ready_at is None else now - ready_at)
        if trouble is None or generation != self.entry.desired.generation:
            return None
        self.trouble = trouble
        if trouble.final:
            self.backoff.forget()
        return trouble

    def ended_well(self) -> None:
        """Learn that a worker that was ready ended because it was told to."""
        self.backoff.forget()

    def verdict(self, taken: str | None, ready: int) -> Verdict:
        """Give the condition Ready."""
        proven = self.entry.proven
        return ready_of(
            taken,
            self.trouble,
            lasting=self.failed or self.backoff.failures >= LASTING,
            proven=None if proven is None else proven.generation,
            newest=self.entry.desired.generation,
            ready=ready,
        )
