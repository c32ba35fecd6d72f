"""What the endpoints' routes take and give."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from controlplane.edge.operations import Document, Timestamp, Why
from controlplane.endpoints.windows import A_WEEK, MOST
from controlplane.engines.engine import Condition
from loadtests.slo import Objectives


class ScalingChange(BaseModel):
    """Knative's settings; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    min_scale: int | None = Field(None, strict=True, ge=0, le=100)
    max_scale: int | None = Field(None, strict=True, ge=1, le=100)
    initial_scale: int | None = Field(None, strict=True, ge=0, le=100)
    activation_scale: int | None = Field(None, strict=True, ge=1, le=100)
    metric: str | None = Field(None, pattern="^(concurrency|rps)$")
    target: float | None = Field(None, strict=True, ge=0.01, le=1e6)
    target_utilization_percentage: float | None = Field(None, strict=True, ge=1, le=100)
    target_burst_capacity: float | None = Field(None, strict=True, ge=-1)
    window_s: float | None = Field(None, strict=True, ge=6, le=3600)
    panic_window_percentage: float | None = Field(None, strict=True, ge=1, le=100)
    panic_threshold_percentage: float | None = Field(None, strict=True, ge=110, le=1000)
    scale_down_delay_s: float | None = Field(None, strict=True, ge=0, le=3600)
    scale_to_zero_grace_period_s: float | None = Field(None, strict=True, ge=0, le=3600)
    scale_to_zero_pod_retention_period_s: float | None = Field(None, strict=True, ge=0, le=3600)
    max_scale_up_rate: float | None = Field(None, strict=True, gt=1)
    max_scale_down_rate: float | None = Field(None, strict=True, gt=1)


class Target(BaseModel):
    model_config = ConfigDict(extra="forbid")

    revision: str | None = Field(None, max_length=63)
    version: int | None = Field(None, strict=True, ge=1, lt=1 << 31)
    percent: int = Field(strict=True, ge=0, le=100)
    tag: str | None = Field(None, pattern="^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")


class NewRelease(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: str | None = None
    version: Annotated[int, Field(strict=True)] | str | None = None
    scaling: ScalingChange = Field(default_factory=lambda: ScalingChange())
    container_concurrency: int | None = Field(None, strict=True, ge=0, le=1000)
    timeout_s: float | None = Field(None, strict=True, gt=0, le=600)
    traffic: list[Target] | None = None


class Rollback(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to: int | None = Field(None, strict=True, ge=1, lt=1 << 31)


class WarmWindow(BaseModel):
    """When how many replicas are kept, however few requests there are."""

    model_config = ConfigDict(extra="forbid")

    cron: str = Field(max_length=100, description="When it begins, such as `0 8 * * 1-5`.")
    minutes: int = Field(strict=True, ge=1, le=A_WEEK, description="That it lasts.")
    replicas: int = Field(1, strict=True, ge=1, le=100)
    time_zone: str = Field("UTC", max_length=64, description="An IANA name: Europe/Berlin.")


class WarmWindows(BaseModel):
    """All warm windows of an endpoint; where several are open, the most replicas count."""

    model_config = ConfigDict(extra="forbid")

    windows: list[WarmWindow] = Field(max_length=MOST)


class WarmWindowShown(WarmWindow):
    open: bool
    next_start: Timestamp | None


class WarmWindowsShown(Document):
    windows: list[WarmWindowShown]


class WhyEndpoint(Why):
    """The cause of an endpoint's state. `ok`: idle, starting and serving are no faults."""

    endpoint: str


class Trial(BaseModel):
    """A request to an endpoint: `body` is what `POST /predict` of it takes."""

    model_config = ConfigDict(extra="forbid")

    body: dict[str, Any] | list[Any]
    tag: str | None = Field(None, pattern="^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")


class Tried(Document):
    """What the endpoint answered: also a refusal, which is its own status and problem."""

    status: int
    body: Any
    revision: str | None
    took_ms: float = Field(description="From here to the endpoint and back.")
    from_zero: bool = Field(description="No replica was there when it was asked.")


class Decisions(Document):
    """What an endpoint's autoscaler decided: a recording for each stretch with one policy."""

    recordings: list[dict[str, Any]]


class SeriesValues(Document):
    """One value for each step; null: not known, or of a time in which there was nothing to measure.

    `rate`, `errors` (500 and above), `refusals` (400 to 498) and `rows` are a second's; `p50`,
    `p95`, `p99` seconds; `concurrency` the average in flight, `cold_starts` those that began in the
    step, `cold_start_s` the longest that ended in it, to its first answer.
    """

    rate: list[float | None]
    errors: list[float | None]
    refusals: list[float | None]
    rows: list[float | None]
    p50: list[float | None]
    p95: list[float | None]
    p99: list[float | None]
    replicas_desired: list[int | None]
    replicas_ready: list[int | None]
    concurrency: list[float | None]
    cold_starts: list[int | None]
    cold_start_s: list[float | None]


class Series(Document):
    """What was measured of an endpoint lately, oldest first, without the step that is under way."""

    at: list[int] = Field(description="When each step began, in seconds since 1970.")
    every_s: int = Field(description="That a step lasts.")
    values: SeriesValues


class ConditionSaid(Document):
    """One of Knative's three-valued conditions, with its reason in a word and a sentence."""

    status: Condition
    reason: str
    message: str
    since: Timestamp | None


class Start(Document):
    """The newest start from nothing: from the first byte to the first answer."""

    at: Timestamp
    total_ms: float
    phases_ms: dict[str, float]


class Scaling(Document):
    """Knative's settings, all of them."""

    min_scale: int
    max_scale: int
    initial_scale: int
    activation_scale: int
    metric: Literal["concurrency", "rps"]
    target: float | None
    target_utilization_percentage: float
    target_burst_capacity: float
    window_s: float
    panic_window_percentage: float
    panic_threshold_percentage: float
    scale_down_delay_s: float
    scale_to_zero_grace_period_s: float
    scale_to_zero_pod_retention_period_s: float
    max_scale_up_rate: float
    max_scale_down_rate: float


class RoutedRevision(Document):
    """A revision of a release and its share of the traffic."""

    name: str
    model: str
    version: int
    backend: Literal["plan", "fallback"]
    percent: int
    tag: str | None


class ServedRevision(RoutedRevision):
    tag_url: str | None


class Endpoint(Document):
    """What is wanted of an endpoint, and what the engine sees of it."""

    name: str
    id: str
    tenant: str
    url: str | None
    local_url: str | SkipJsonSchema[None] = Field(None, description="Only with a gateway.")
    audience: str
    generation: int
    observed_generation: int
    ready: ConditionSaid
    active: ConditionSaid
    replicas: int
    warm_replicas: int = Field(
        description="Kept for a warm window; 0 on Knative, which does not tell."
    )
    desired_replicas: int
    concurrency: float
    requests_total: int
    starts_total: int
    cold_start: Start | None
    model: str | None
    release: int
    revisions: list[ServedRevision]
    scaling: Scaling
    container_concurrency: int
    timeout_s: float
    slo: Objectives | None
    created_at: Timestamp


class Release(Document):
    number: int
    endpoint: str
    action: str
    revisions: list[RoutedRevision]
    scaling: Scaling
    reason: str | None = Field(description="Why the installation made it, where nobody asked.")
    created_at: Timestamp
    created_by: str
    created_by_name: str | None
    current: bool
