"""What the registry's routes take and give."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from controlplane.edge.operations import Document, Timestamp
from controlplane.models.states import VersionState


class NewModel(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    description: str = Field("", max_length=10_000)


class AliasTarget(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int = Field(strict=True, ge=1, lt=1 << 31)


class Model(Document):
    """A model; `versions` is the number of the newest, 0 if there is none.

    latest_state, latest_at  of that one: how it stands, and when it was uploaded
    """

    name: str
    description: str
    versions: int
    latest_state: VersionState | None
    latest_at: Timestamp | None
    aliases: dict[str, int]
    created_at: Timestamp


class Cost(Document):
    """Microseconds of a call, and of each row."""

    call: float
    row: float


class Column(Document):
    name: str
    kind: Literal["number", "string", "any"]
    missing: bool


class Output(Document):
    name: str
    datatype: str
    width: int | None
    columns: list[str]


class Signature(Document):
    """What a version takes and gives."""

    columns: list[Column]
    outputs: list[Output]
    named: bool


class Version(Document):
    """An immutable version; what the build found out is null until it has ended."""

    model: str
    number: int
    state: VersionState
    reason: str | None
    advice: str | None
    backend: Literal["plan", "fallback"] | None
    fallback_because: str | None
    sha256: str
    size_bytes: int
    aliases: list[str]
    sklearn_version: str | None
    estimator: str | None
    imports: list[str] | None
    signature: Signature | None
    cost_us: Cost | None
    exactness: str | None
    families: list[str] | None
    packages: list[str]
    sandbox: list[str] | None
    plan_sha256: str | None
    plan_size_bytes: int | None
    build_seconds: dict[str, float] | None
    created_by: str
    created_by_name: str | None
    created_at: Timestamp
    ready_at: Timestamp | None


class Alias(Document):
    model: str
    alias: str
    version: int
