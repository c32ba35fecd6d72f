"""Builders that wait: a tenant that pushed lately has its next push built without a pod's start.

A pod that starts, imports scikit-learn and pandas and then waits takes one build and ends, so a
model's code never shares a pod with the build of another. What it builds is told over the object
store, for a pod can reach nothing else.
"""

import asyncio
import logging
import uuid
from dataclasses import dataclass
from typing import Final

from controlplane.artifacts.exchange import Exchange
from controlplane.builder.instructions import STANDBY, Instructions, Standby
from controlplane.engines.jobs import Jobs, StandbyJob

log = logging.getLogger("kubeserve.builds")

# Of an upload that a waiting builder has disk for; a larger one is built in a Job of its own.
UPLOAD_BYTES: Final = 64 << 20
# After a build: the deploy that mostly follows has the node first.
PAUSE_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Room:
    """What a builder gets, but for the upload; `deadline_s` of a build in it."""

    work: str
    memory_bytes: int
    disk_bytes: int
    deadline_s: int


class Standbys:
    """Starts a builder that waits after each build of a tenant, and has it build the next.

    wait_s  how long one waits; 0: none does
    """

    def __init__(self, jobs: Jobs, exchange: Exchange, room: Room, wait_s: float) -> None:
        self._jobs, self._exchange, self._room = jobs, exchange, room
        self._wait_s = wait_s
        self._starting: dict[str, asyncio.Task[None]] = {}

    def soon(self, tenant: str) -> None:
        """Have a builder wait for a tenant's next push."""
        if self._wait_s and tenant not in self._starting:
            task = self._starting[tenant] = asyncio.create_task(self._start(tenant))
            task.add_done_callback(lambda _: self._starting.pop(tenant, None))

    async def _start(self, tenant: str) -> None:
        await asyncio.sleep(PAUSE_S)
        room, made = self._room, uuid.uuid4()
        try:
            address = await self._exchange.presign_read(_name(made), self._wait_s + room.deadline_s)
            job = StandbyJob(
                id=made,
                wait_s=self._wait_s,
                tenant=tenant,
                environment={STANDBY: Standby(address, self._wait_s).write()},
                work=room.work,
                memory_bytes=room.memory_bytes,
                disk_bytes=room.disk_bytes + UPLOAD_BYTES,
                deadline_s=int(self._wait_s) + room.deadline_s,
            )
            await self._jobs.stand_by(job)
        except Exception as error:  # noqa: BLE001  (the next push starts a pod of its own)
            log.warning("no builder waits for %s: %s", tenant, error)

    async def assign(
        self, version: uuid.UUID, attempt: int, tenant: str, size_bytes: int
    ) -> uuid.UUID | None:
        """Make a waiting builder the job of a build; None when there is none. `tell` it then."""
        if not self._wait_s or size_bytes > UPLOAD_BYTES:
            return None
        return await self._jobs.assign(version, attempt, tenant)

    async def tell(self, standby: uuid.UUID, instructions: Instructions) -> None:
        """Tell a builder what to build; a second time is harmless."""
        await self._exchange.write(_name(standby), instructions.write().encode())

    async def forget(self, standby: uuid.UUID) -> None:
        """Remove what a builder was told."""
        await self._exchange.clear(_name(standby))

    async def close(self) -> None:
        """Start no more of them."""
        tasks = list(self._starting.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _name(standby: uuid.UUID) -> str:
    return f"standby/{standby}"
