"""How a load test stands, for whoever asked for one to decide something by it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controlplane.loadtests.states import LoadTestState


@dataclass(frozen=True, slots=True)
class Outcome:
    """A load test as it stands. `number`: of its tenant; `verdicts`: as `loadtests.slo` has them.

    cancelled  by somebody
    """

    id: str
    number: int
    state: LoadTestState
    verdict: str | None
    reason: str | None
    cancelled: bool
    ended_at: datetime | None
    verdicts: tuple[Mapping[str, Any], ...] = ()

    @property
    def was_cut_off(self) -> bool:
        """Tell whether it ended with the control plane that ran it, and proved nothing."""
        return self.state is LoadTestState.INTERRUPTED and not self.cancelled
