"""What a build may use, and what it says afterwards. Data only."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from controlplane.builder.bundled import RATIO
from runtime.plan import Cost
from runtime.plan.signature import Signature

MIB: Final = 1 << 20
GIB: Final = 1 << 30


class Outcome(StrEnum):
    """How a version can be served after its build."""

    PLAN = "plan"
    FALLBACK = "fallback"
    FAILED = "failed"


class SandboxPolicy(StrEnum):
    """What happens on a host where seccomp or the file-system layer cannot be switched on."""

    REQUIRED = "required"  # no build at all
    DEGRADED = "degraded"  # build with the layers there are; the report lists them


@dataclass(frozen=True, slots=True)
class Limits:
    """What one build may use.

    memory_bytes        beyond what the interpreter and scikit-learn take themselves
    decompressed_bytes  of a compressed upload; `ratio` counts above 64 MiB only
    work_bytes          everything the child writes into its folder, polled; `file_bytes` each file
    namespaces          use them where the system allows (off: for tests of the other layers)
    """

    memory_bytes: int = 2 * GIB
    cpu_s: int = 60
    wall_s: float = 120.0
    decompressed_bytes: int = 2 * GIB
    ratio: int = RATIO
    work_bytes: int = 2 * GIB
    file_bytes: int = 1 * GIB
    output_bytes: int = 64 * 1024
    sandbox: SandboxPolicy = SandboxPolicy.REQUIRED
    namespaces: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """The end of a build. Never raised, always returned.

    reason, advice    what happened and what to do next, for a person (outcome failed)
    sklearn_version   the version that wrote the file, read without loading it
    estimator         class of the model, e.g. "sklearn.pipeline.Pipeline"
    imports           what the file loads, e.g. ("sklearn.svm._classes.SVC", "numpy.ndarray")
    exactness         "bitwise", "batch" or "tolerance" (outcome plan; see `runtime.plan.ops.Node`)
    families          the plan's ops, sorted
    plan_path         the checked plan, in the work folder given to the build
    fallback_because  why there is no plan
    environment       what it was loaded with beside scikit-learn: a recipe (`needs`), None: nothing
    sandbox           layers that were on
    seconds           by phase
    output            what the child printed, cut, control characters removed
    """

    outcome: Outcome
    reason: str | None = None
    advice: str | None = None
    sklearn_version: str | None = None
    estimator: str | None = None
    imports: tuple[str, ...] = ()
    signature: Signature | None = None
    cost: Cost | None = None
    exactness: str | None = None
    families: tuple[str, ...] = ()
    plan_path: Path | None = None
    fallback_because: str | None = None
    environment: dict[str, Any] | None = None
    sandbox: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    output: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give the report as a JSON document; paths as text."""
        document = asdict(self)
        document["outcome"] = str(self.outcome)
        document["cost"] = self.cost._asdict() if self.cost else None
        document["signature"] = self.signature.to_json() if self.signature else None
        document["plan_path"] = str(self.plan_path) if self.plan_path else None
        return document
