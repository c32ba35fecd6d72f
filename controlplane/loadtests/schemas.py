"""What the routes of load tests take and give."""

import base64
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from controlplane.edge.operations import Document, Timestamp
from controlplane.loadtests.states import LoadTestState
from loadtests.plan import TAG, Format, Plan, plan_from
from loadtests.shapes import Arrivals, Shape
from loadtests.slo import Objectives
from loadtests.units import Duration

MOST_CONNECTIONS: Final = 1000
ReportFormat = Literal["html", "json", "junit", "csv"]
_BASE64: Final = {"type": "string", "contentEncoding": "base64"}
_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9_. -]{0,90}"


def _decoded(value: object) -> bytes:
    try:
        return base64.b64decode(value if isinstance(value, str) else "?", validate=True)
    except ValueError as error:
        raise ValueError("write the bytes of the file in base64") from error


class GivenFile(BaseModel):
    """A file that comes with a test: base64 of its bytes, or of them compressed with gzip."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=f"{_NAME}$")]
    content: Annotated[bytes, PlainValidator(_decoded), WithJsonSchema(_BASE64)]


class Sample(GivenFile):
    """Rows that fit the endpoint's signature."""

    name: Annotated[str, Field(pattern=rf"{_NAME}\.(csv|json|ndjson|jsonl)$")]


class Load(BaseModel):
    """What is sent and asked; where it goes the installation decides.

    processes  that send; left out, as many as the rate needs
    """

    model_config = ConfigDict(extra="forbid")

    shape: Shape
    objectives: Objectives = Objectives()
    format: Format = "v2"
    rows: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 1
    output: Annotated[str | None, Field(max_length=100)] = None
    arrivals: Arrivals = "poisson"
    processes: Annotated[int | None, Field(strict=True, ge=1, le=64)] = None
    connections: Annotated[int, Field(strict=True, ge=1, le=MOST_CONNECTIONS)] = 512
    timeout: Annotated[Duration, Field(gt=0, le=60)] = 10.0
    seed: Annotated[int, Field(strict=True, ge=0, lt=1 << 32)] = 1

    @model_validator(mode="after")
    def _possible(self) -> Self:
        self.plan(endpoint="any")
        return self

    def plan(self, **more: Any) -> Plan:
        """Give it, and more, as the program reads it; raises ValueError with every fault."""
        own = self.model_dump(
            mode="json", exclude_unset=True, exclude_none=True, exclude={"sample", "compare"}
        )
        return plan_from({**own, **more})


class NewLoadTest(Load):
    """A test of an endpoint, or of its revision with a tag; the engine says where that is.

    slo      `endpoint`: what the endpoint promises is asked too; so it is where `objectives` is
             left out
    sample   rows to send; drawn from the signature if left out
    compare  report.json of an earlier test of this endpoint
    """

    endpoint: Annotated[str, Field(min_length=1, max_length=40)]
    tag: Annotated[str | None, Field(pattern=TAG)] = None
    slo: Literal["endpoint"] | None = None
    sample: Sample | None = None
    compare: GivenFile | None = None

    def files(self) -> dict[str, GivenFile]:
        """Give the files that came with it."""
        given = {"sample": self.sample, "compare": self.compare}
        return {kind: file for kind, file in given.items() if file is not None}


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
