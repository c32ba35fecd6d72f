"""What the routes of load tests take and give."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from controlplane.edge.operations import Document, Timestamp
from controlplane.loadtests.states import LoadTestState
from controlplane.rest import Text
from loadtests.plan import Format, Plan, plan_from
from loadtests.shapes import Arrivals, Shape
from loadtests.slo import Objectives
from loadtests.units import Duration

MOST_CONNECTIONS: Final = 1000
ReportFormat = Literal["html", "json", "junit", "csv"]


class NewLoadTest(BaseModel):
    """A test. Where its requests go the installation decides.

    processes  that send; left out, as many as the rate needs
    """

    model_config = ConfigDict(extra="forbid")

    endpoint: Annotated[Text, Field(min_length=1, max_length=40)]
    shape: Shape
    objectives: Objectives = Objectives()
    format: Format = "v2"
    rows: Annotated[int, Field(ge=1, le=10_000)] = 1
    output: Annotated[Text | None, Field(max_length=100)] = None
    arrivals: Arrivals = "poisson"
    processes: Annotated[int | None, Field(ge=1, le=64)] = None
    connections: Annotated[int, Field(ge=1, le=MOST_CONNECTIONS)] = 512
    timeout: Annotated[Duration, Field(gt=0, le=60)] = 10.0
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 1

    @model_validator(mode="after")
    def _possible(self) -> Self:
        self.plan()
        return self

    def plan(self) -> Plan:
        """Give it as the program reads it; raises ValueError with every fault."""
        return plan_from(self.model_dump(mode="json", exclude_unset=True))


class LoadTest(Document):
    """A test. `reason`: why it failed, was interrupted or ended early.

    verdict  on all objectives; null: there were none, or it did not come to that
    reports  formats that `…/report` has
    """

    id: str
    number: int
    endpoint: str
    endpoint_id: str
    plan: dict[str, Any]
    state: LoadTestState
    verdict: Literal["passed", "failed", "inconclusive"] | None
    reason: str | None
    reports: list[ReportFormat]
    created_at: Timestamp
    created_by: str
    created_by_name: str | None
    cancelled_at: Timestamp | None
    started_at: Timestamp | None
    ended_at: Timestamp | None
