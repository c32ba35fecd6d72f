"""What the rollouts' routes take and give."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from controlplane.edge.operations import Document, Timestamp
from controlplane.loadtests.schemas import Load
from controlplane.rollouts.admitting import MOST_ROWS
from controlplane.rollouts.checks import Verdict
from controlplane.rollouts.states import State
from loadtests.slo import Objectives

Percent = Annotated[int, Field(strict=True, ge=1, le=100)]


class Shadow(BaseModel):
    """Compares predictions on copies of requests; a bound lets no traffic to who is beyond it."""

    model_config = ConfigDict(extra="forbid")

    share: float = Field(
        0.1, strict=True, gt=0, le=1, description="Of the running revision's requests."
    )
    max_flips: float | None = Field(
        None, strict=True, ge=0, lt=1, description="0.01: one row in a hundred."
    )
    max_shift: float | None = Field(
        None, strict=True, ge=0, le=1, description="The mean over rows."
    )
    rows: int = Field(
        200, strict=True, ge=20, le=1_000_000, description="That are compared at least."
    )


class Replay(BaseModel):
    """Rows that both are asked for before the candidate has traffic; bounds are of just these."""

    model_config = ConfigDict(extra="forbid")

    instances: list[Any] = Field(
        min_length=1, max_length=MOST_ROWS, description="Rows, as the V1 protocol has them."
    )
    max_flips: float | None = Field(
        None, strict=True, ge=0, lt=1, description="0.01: one row in a hundred."
    )
    max_shift: float | None = Field(
        None, strict=True, ge=0, le=1, description="The mean over rows."
    )


class NewRollout(BaseModel):
    """A rollout that is asked for; `slo: "endpoint"` holds it to what the endpoint promises."""

    model_config = ConfigDict(extra="forbid")

    model: str
    version: Annotated[int, Field(strict=True)] | str | None = None
    steps: list[Percent] = Field(default=[5, 25, 100], min_length=1, max_length=20)
    slo: Literal["endpoint"] | Objectives | None = None
    requests: int = Field(
        100, strict=True, ge=20, le=1_000_000, description="Of the candidate in each step."
    )
    step_s: float = Field(
        60, strict=True, ge=0, le=86_400, description="That a step lasts at least."
    )
    give_up_s: float = Field(
        3600,
        strict=True,
        ge=1,
        le=604_800,
        description="A step that proves nothing for so long is the end.",
    )
    shadow: Shadow | None = None
    replay: Replay | None = None
    loadtest: Load | None = Field(
        None, description="Comes first, without traffic; its objectives are the SLO if it has none."
    )


class RevisionNamed(Document):
    revision: str
    model: str
    version: int


class CheckMade(Document):
    """How one question of the present step was answered when it was asked last."""

    name: str
    verdict: Verdict
    message: str


class AnswersCounted(Document):
    """Answers in the present step, and in all; `needed`: so many of the candidate's, in a step."""

    candidate: int
    running: int
    needed: int
    candidate_in_all: int
    running_in_all: int


class WorstRow(Document):
    """A row of a request, and what each of both made of it; null: too wide to be shown."""

    row: list[Any] | None
    running: dict[str, Any]
    candidate: dict[str, Any]
    flipped: bool
    shift: float


class Difference(Document):
    """How the predictions differ. A row that the candidate did not answer is a flip too."""

    rows: int
    flips: int
    refused: int
    failed: int
    mean_shift: float
    max_shift: float
    not_copied: int = Field(description="Requests that the shadow was too slow for.")
    worst: list[WorstRow]


class Replayed(Document):
    """How far the replay is. `unanswered`: rows that the running revision did not answer."""

    rows: int
    replayed: int
    unanswered: int
    max_flips: float | None
    max_shift: float | None
    difference: Difference


class LoadTestAsked(Document):
    """The load test, `GET /v1/loadtests/{id}`; null: it has not been asked for yet."""

    id: str | None
    plan: dict[str, Any]


class StepPassed(Document):
    """A step that has passed, and by what."""

    step: int
    percent: int
    passed_at: Timestamp
    checks: list[CheckMade]


class Rollout(Document):
    """A rollout as it stands. `percent`: of the traffic that the candidate has by it."""

    number: int
    endpoint: str
    state: State
    candidate: RevisionNamed
    running: RevisionNamed
    steps: list[int]
    step: int = Field(description="From 1.")
    percent: int
    reason: str | None
    checks: list[CheckMade]
    passed: list[StepPassed]
    answers: AnswersCounted
    shadow: Shadow | None
    difference: Difference | None
    replay: Replayed | None
    loadtest: LoadTestAsked | None
    slo: Objectives | None
    requests: int
    step_s: float
    give_up_s: float
    created_at: Timestamp
    created_by: str
    created_by_name: str | None
    step_at: Timestamp
    ended_at: Timestamp | None
