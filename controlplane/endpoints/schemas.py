"""What the endpoints' routes take, and what `why` gives."""

from pydantic import BaseModel, ConfigDict, Field

from controlplane.rest import Text


class ScalingChange(BaseModel):
    """Knative's settings; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    min_scale: int | None = Field(None, ge=0, le=100)
    max_scale: int | None = Field(None, ge=1, le=100)
    initial_scale: int | None = Field(None, ge=0, le=100)
    activation_scale: int | None = Field(None, ge=1, le=100)
    metric: str | None = Field(None, pattern="^(concurrency|rps)$")
    target: float | None = Field(None, ge=0.01, le=1e6)
    target_utilization_percentage: float | None = Field(None, ge=1, le=100)
    target_burst_capacity: float | None = Field(None, ge=-1)
    window_s: float | None = Field(None, ge=6, le=3600)
    panic_window_percentage: float | None = Field(None, ge=1, le=100)
    panic_threshold_percentage: float | None = Field(None, ge=110, le=1000)
    scale_down_delay_s: float | None = Field(None, ge=0, le=3600)
    scale_to_zero_grace_period_s: float | None = Field(None, ge=0, le=3600)
    scale_to_zero_pod_retention_period_s: float | None = Field(None, ge=0, le=3600)
    max_scale_up_rate: float | None = Field(None, gt=1)
    max_scale_down_rate: float | None = Field(None, gt=1)


class Target(BaseModel):
    model_config = ConfigDict(extra="forbid")

    revision: Text | None = Field(None, max_length=63)
    version: int | None = Field(None, ge=1, lt=1 << 31)
    percent: int = Field(ge=0, le=100)
    tag: str | None = Field(None, pattern="^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")


class NewRelease(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: str | None = None
    version: int | str | None = None
    scaling: ScalingChange = Field(default_factory=lambda: ScalingChange())
    container_concurrency: int | None = Field(None, ge=0, le=1000)
    timeout_s: float | None = Field(None, gt=0, le=600)
    traffic: list[Target] | None = None


class Rollback(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to: int | None = Field(None, ge=1, lt=1 << 31)


class Why(BaseModel):
    """The cause of an endpoint's state. `ok`: idle, starting and serving are no faults."""

    endpoint: str
    reason: str
    ok: bool
    message: str
    evidence: list[str]
    next_step: str
