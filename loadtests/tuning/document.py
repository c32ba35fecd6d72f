"""What a tuning is told, and what it leaves."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from loadtests.plan import Load
from loadtests.shapes import Rate, Span
from loadtests.slo import Outcome, Verdict
from loadtests.tuning.proposing import Proposal, Step


class Tuning(Load):
    """How an endpoint is to be sized.

    start     requests a second that the search begins with
    rate      the greatest that it tries
    duration  of each step
    metric    that the autoscaler is to count by; None: what says more
    apply     make a release of the proposal, where its test passes
    """

    start: Rate = 50.0
    rate: Rate = 5000.0
    duration: Span = 10.0
    metric: Literal["concurrency", "rps"] | None = None
    apply: bool = False


class Tuned(BaseModel):
    """A tuning, done.

    verdict    of the proposal's test; inconclusive where the generator was the limit of the search
    because    the verdict in words
    steps      of one replica, by rate
    proposal   None: no rate held
    proof      verdicts of the proposal's test
    tests      folders of the load tests' reports, by what they were for
    release    that applied it; None: nothing was changed, `refused` says why if it was asked for
    """

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    endpoint: str
    revision: str
    started_at: datetime
    verdict: Outcome
    because: str
    objectives: dict[str, Any]
    steps: list[Step]
    wakes: list[float | None]
    cold_start: Verdict | None
    proposal: Proposal | None
    proof: list[Verdict]
    proof_seconds: float | None
    cpu_used_millis: float | None
    tests: dict[str, str]
    release: int | None
    refused: str | None
    environment: dict[str, str]
    notes: list[str]
