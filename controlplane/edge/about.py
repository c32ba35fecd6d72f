"""What the routes give that tell of the server itself."""

from typing import Literal

from controlplane.edge.operations import Document


class Health(Document):
    status: Literal["ok"]
    uptime_s: float


class Readiness(Document):
    status: Literal["ready"]


class UploadLimits(Document):
    upload_bytes: int
    build_memory_bytes: int
    build_wall_s: float


class Info(Document):
    """What runs here; `sandbox` is what builds need of it."""

    version: str
    engine: Literal["embedded", "knative"]
    issuer: str
    sandbox: Literal["required", "degraded"]
    limits: UploadLimits


class Finding(Document):
    name: str
    verdict: Literal["ok", "warn", "fail"]
    message: str
    advice: str


class Preflight(Document):
    items: list[Finding]


class ProblemKind(Document):
    """A kind of problem, at the address that is its `type`."""

    type: str
    status: int
    title: str
