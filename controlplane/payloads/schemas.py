"""What the routes of logged requests take and give."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from controlplane.edge.operations import Document, Timestamp
from controlplane.rest import Moment
from runtime.sketches import MOST_COLUMNS

Level = Literal["inconclusive", "stable", "moderate", "major"]
Kind = Literal["training", "window", "first"]


class PayloadLog(BaseModel):
    """What of an endpoint's requests is logged; without columns that are left out: all."""

    model_config = ConfigDict(extra="forbid")

    sample: float = Field(strict=True, gt=0, le=1, description="Share of the requests.")
    redact: list[str] = Field(
        default_factory=list, max_length=1000, description="Columns that are never logged."
    )
    hash: list[str] = Field(
        default_factory=list,
        max_length=1000,
        description="Columns of which a keyed hash is logged, alike for like values.",
    )
    predictions: bool = Field(True, strict=True, description="Log what was answered too.")
    retention_days: int = Field(30, strict=True, ge=1, le=3650)
    max_bytes_per_day: int = Field(1 << 30, strict=True, ge=1 << 20, le=1 << 40)


class Settings(Document):
    sample: float
    redact: list[str]
    hash: list[str]
    predictions: bool
    retention_days: int
    max_bytes_per_day: int


class Dropped(Document):
    """Requests that were chosen and are in no file, by why."""

    buffer_full: int = Field(description="The store took nothing for a while.")
    too_large: int = Field(description="Larger than 1 MiB, or of very many texts.")
    lost: int = Field(description="In the memory of a replica that was killed.")
    over_limit: int = Field(description="Beyond the day's bytes or the tenant's storage.")


class Day(Document):
    """A day in UTC."""

    day: str
    seen: int
    sampled: int
    logged: int
    size_bytes: int
    dropped: Dropped


class PayloadLogShown(Document):
    endpoint: str
    on: bool
    settings: Settings | None
    days: list[Day]


class PayloadFile(Document):
    """A Parquet file. `folder`: alike for files that can be read as one, of the same columns."""

    id: str
    day: str
    folder: str
    revision: str
    model: str
    version: int
    requests: int
    rows: int
    size_bytes: int
    first_at: Timestamp
    last_at: Timestamp
    expires_at: Timestamp


class Deleted(Document):
    files: int


class Training(BaseModel):
    """What training data are like: a sketch for each column, as the SDK makes it."""

    model_config = ConfigDict(extra="forbid")

    rows: int = Field(strict=True, ge=1, le=10**12)
    columns: dict[str, dict[str, Any]] = Field(min_length=1, max_length=MOST_COLUMNS)


class Window(BaseModel):
    model_config = ConfigDict(extra="forbid")

    since: Moment
    until: Moment | None = None


class Reference(Document):
    """What drift is measured against. `ready`: false until it is made of its window."""

    kind: Kind
    rows: int
    since: Timestamp | None
    until: Timestamp | None
    ready: bool


class TrainingShown(Reference):
    columns: dict[str, dict[str, Any]]


class Bin(Document):
    """A part of a column's values, and what it adds to the index."""

    label: str
    reference: float
    current: float
    psi: float


class DriftColumn(Document):
    """How far a column is from its reference. `noise`: what chance alone stays below in 95 %."""

    name: str
    role: Literal["input", "output"]
    kind: Literal["number", "text"]
    reference: Kind
    level: Level
    psi: float | None
    noise: float | None
    reference_rows: int
    rows: int
    missing_reference: float
    missing: float
    missing_level: Level
    unseen: float | None = Field(description="Share of values that the reference has not.")
    bins: list[Bin] = Field(description="Those that add most, five at most.")
    evidence: str


class Levels(Document):
    moderate: float
    major: float


class Drift(Document):
    """An endpoint's drift, the worst column first."""

    endpoint: str
    model: str
    version: int
    logged: bool
    since: Timestamp
    until: Timestamp
    rows: int
    level: Level
    columns: list[DriftColumn]
    references: list[Reference]
    levels: Levels
    message: str
