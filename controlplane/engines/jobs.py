"""What an engine that builds and load tests in pods is to the rest of the control plane.

A job is named by version and attempt, or by test and number, so whoever comes after a crash finds
it again and never starts it twice. Engines raise EngineUnavailable while their cluster does not
answer.
"""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

COORDINATOR_PORT: Final = 5557  # of load tests, to which their generators connect


@dataclass(frozen=True, slots=True, kw_only=True)
class BuilderPod:
    """What the pod of a builder gets.

    environment   of the program; it holds signed addresses
    memory_bytes  of the model alone; the program's own need comes on top
    disk_bytes    of everything in `work`, an empty folder
    deadline_s    from the job's start to its end, waiting for a place included
    """

    tenant: str
    environment: dict[str, str]
    work: str
    memory_bytes: int
    disk_bytes: int
    deadline_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildJob(BuilderPod):
    """One attempt at building a version."""

    version: uuid.UUID
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StandbyJob(BuilderPod):
    """A builder that has imported everything and waits to be told what to build, once.

    wait_s  after which it ends; `deadline_s` has room for a build besides
    """

    id: uuid.UUID
    wait_s: float


class Phase(StrEnum):
    """How far a job is."""

    WAITING = "waiting"  # nothing of the model ran; `reason` says what it waits for
    RUNNING = "running"
    DONE = "done"  # it ended well
    FAILED = "failed"


class Blame(StrEnum):
    """Whom a failure concerns, and so what is done."""

    MODEL = "model"  # the same again would end the same: its owner is told
    HOST = "host"  # a node, a network: once more
    INSTALL = "install"  # images, policies: the operator is told


@dataclass(frozen=True, slots=True)
class JobSeen:
    """What there is of a job. `reason` and `advice` are for a person; `blame` is for FAILED.

    stuck  WAITING for what does not come by itself, such as an image that is not there; FAILED
           because it waited to the end
    standby the builder that waited for this build; it may not have been told yet what to build
    """

    attempt: int
    phase: Phase
    reason: str = ""
    advice: str = ""
    blame: Blame = Blame.HOST
    stuck: bool = False
    standby: uuid.UUID | None = None


class Jobs(Protocol):
    """Runs builds in pods."""

    async def run(self, job: BuildJob) -> None:
        """Start a job; one of this version and attempt that is there already is success."""

    async def stand_by(self, job: StandbyJob) -> None:
        """Start a builder that waits, unless its tenant has one or has little room left."""

    async def assign(self, version: uuid.UUID, attempt: int, tenant: str) -> uuid.UUID | None:
        """Make a builder that waits the job of a build; gives its id, None when none waits."""

    async def seen(self, version: uuid.UUID, tenant: str) -> tuple[JobSeen, ...]:
        """Tell of every job of a version, by attempt."""

    async def remove(self, version: uuid.UUID, tenant: str) -> None:
        """End and remove every job of a version; nothing there is success."""

    async def all(self) -> frozenset[tuple[uuid.UUID, str]]:
        """Name (version, tenant) of every job there is."""

    def changes(self) -> AsyncIterator[uuid.UUID]:
        """Name versions whose jobs changed, until cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadJob:
    """One pod of a load test.

    number       0 coordinates, the others send
    environment  of the program; it holds signed addresses
    deadline_s   from the job's start to its end, waiting for a place included
    """

    test: uuid.UUID
    number: int
    tenant: str
    command: tuple[str, ...]
    environment: dict[str, str]
    deadline_s: int


@dataclass(frozen=True, slots=True)
class LoadSeen:
    """What there is of a pod of a load test. `reason` is for a person.

    stuck    WAITING for what does not come by itself
    address  of the pod, once it has one
    """

    phase: Phase
    reason: str = ""
    stuck: bool = False
    address: str | None = None


class LoadJobs(Protocol):
    """Runs load tests in pods."""

    def inside(self, tenant: str, endpoint: str) -> str:
        """Give the address at which pods reach an endpoint."""

    async def run(self, job: LoadJob) -> None:
        """Start a job; one of this test and number that is there already is success."""

    async def seen(self, test: uuid.UUID, tenant: str) -> dict[int, LoadSeen]:
        """Tell of every job of a test, by number."""

    async def remove(self, test: uuid.UUID, tenant: str) -> None:
        """End and remove every job of a test; nothing there is success."""

    async def all(self) -> frozenset[tuple[uuid.UUID, str]]:
        """Name (test, tenant) of every job there is."""
