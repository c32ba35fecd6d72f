"""What a load test is told: the seam between whoever wants one and the program that runs it."""

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from loadtests.shapes import MOST_S, Arrivals, Shape, Wake
from loadtests.slo import QUANTILES, Objectives
from loadtests.units import Duration

Format = Literal["predict", "v1", "v2", "v2-binary"]
MOST_REQUESTS: Final = 1e9
TAG: Final = "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"
LATENCIES: Final = tuple(QUANTILES)
# What of a promise each shape can tell. Bursts for an endpoint at zero wait for its start, which
# is promised by itself; scale-ups are those of peaks.
TOLD_BY: Final = {
    "steady": (*LATENCIES, "error_rate", "throughput"),
    "soak": (*LATENCIES, "error_rate", "throughput"),
    "ramp": (*LATENCIES, "error_rate"),
    "spike": (*LATENCIES, "error_rate", "scale_up"),
    "knee": (*LATENCIES, "error_rate"),
    "wake": ("error_rate", "cold_start"),
}


L = TypeVar("L", bound="Load")


class PlanError(ValueError):
    """A plan, or a file that belongs to it, is wrong; the message says where, and what to write."""


class Load(BaseModel):
    """What is sent to an endpoint, and what is asked of it; not yet when, and how much.

    endpoint     name of the endpoint; what reaches the control plane is the SDK's
    tag          of its revisions the one with this tag is tested, whatever its share
    slo          `endpoint`: what it promises is asked too; so it is where nothing else is asked
    address      where its requests go instead, such as http://127.0.0.1:18100 behind a tunnel
    format       of requests: `/predict`, V1, V2 with JSON or with raw tensors
    rows         rows of a request
    output       what is asked for; the model's first if None
    processes    generators; each has a core of its own at best
    connections  of all generators together, at most; they are opened as they are needed
    timeout      after which a request counts as not answered
    seed         of arrivals and drawn rows: the same plan sends the same
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: Annotated[str, Field(min_length=1, max_length=63)]
    objectives: Objectives = Objectives()
    slo: Literal["endpoint"] | None = None
    tag: Annotated[str | None, Field(pattern=TAG)] = None
    address: str | None = None
    format: Format = "v2"
    rows: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 1
    output: str | None = None
    arrivals: Arrivals = "poisson"
    processes: Annotated[int, Field(strict=True, ge=1, le=64)] = 1
    connections: Annotated[int, Field(strict=True, ge=1, le=20_000)] = 512
    timeout: Annotated[Duration, Field(gt=0, le=600)] = 10.0
    seed: Annotated[int, Field(strict=True, ge=0, lt=1 << 32)] = 1


class Plan(Load):
    """A load test, all of it."""

    shape: Shape

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if isinstance(self.shape, Wake):
            if self.processes != 1:
                raise ValueError("a burst comes from one process: leave out processes")
            if self.objectives.scale_up is not None:
                raise ValueError("scale_up is measured by the shapes spike, ramp and steady")
            if self.objectives.throughput is not None:
                raise ValueError("bursts have no rate: leave out throughput")
        elif self.objectives.cold_start is not None:
            raise ValueError("cold_start is measured by the shape wake")
        if self.connections < self.processes:
            raise ValueError("each process needs a connection: raise connections")
        phases = self.shape.phases()
        if sum(phase.requests for phase in phases) > MOST_REQUESTS:
            raise ValueError(f"these are more than {MOST_REQUESTS:.0e} requests")
        if sum(phase.seconds for phase in phases) > MOST_S:
            raise ValueError("this takes more than a day")
        return self


def plan_from(document: Any) -> Plan:
    """Read a plan; raises PlanError with every fault."""
    return read_as(Plan, document)


def read_as(kind: type[L], document: Any) -> L:
    """Read a load of some kind; raises PlanError with every fault."""
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        raise PlanError(_said(error)) from error


def held_to(plan: Plan, promised: Objectives | None) -> Plan:
    """Give a plan with what its endpoint promises, as far as its shape can tell; see `asked`."""
    return asked(plan, promised, TOLD_BY[plan.shape.kind])


def asked(load: L, promised: Objectives | None, told: Iterable[str]) -> L:
    """Give a load with what its endpoint promises: where it says so, or asks for nothing itself.

    What it asks goes before. Raises PlanError where it says so and nothing is promised.

    told  names of objectives that what is done with the load can tell of
    """
    found = Objectives() if promised is None else promised.only(told)
    nothing = found == Objectives()
    if load.slo is None and ("objectives" in load.model_fields_set or nothing):
        return load
    if nothing:
        what = "nothing" if promised is None else "nothing that such a load tells of"
        raise PlanError(
            f"{load.endpoint} promises {what}: kubeserve slo {load.endpoint} --p95 50ms, or say "
            "here what is asked"
        )
    both = Objectives.model_validate(found.to_json() | load.objectives.to_json())
    return load.model_copy(update={"slo": "endpoint", "objectives": both})


def read_document(path: Path) -> dict[str, Any]:
    """Read a mapping from YAML, TOML or JSON, by the file's ending; raises PlanError."""
    readers = {".yaml": yaml.safe_load, ".yml": yaml.safe_load, ".json": json.loads,
               ".toml": tomllib.loads}  # fmt: skip
    read = readers.get(path.suffix.lower())
    if read is None:
        raise PlanError(f"{path} must end in {', '.join(readers)}")
    try:
        found = read(path.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise PlanError(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise PlanError(f"{path} must hold names and values")
    return found


def _said(error: ValidationError) -> str:
    """Write what is wrong for people."""
    faults = []
    for fault in error.errors(include_url=False):
        place = ".".join(map(str, fault["loc"]))
        detail = fault["msg"].removeprefix("Value error, ")
        faults.append(f"{place}: {detail}" if place else detail)
    return "; ".join(faults)
