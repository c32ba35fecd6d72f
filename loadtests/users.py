"""Locust users, one for each format: each is a generator that offers its part of a load.

A user is not one caller but all of them: it sends each request when it is due, over as many
connections as that takes, and lets Locust's other greenlets run in between. What it booked goes to
the coordinator as sums; a call of Locust for each request would take longer than the request.
"""

# What gevent replaces is taken before it is.
from loadtests.generator import Generator, Limits  # isort: skip

import gc
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

import gevent
from gevent.event import Event
from locust import User, constant, task
from locust.exception import StopUser

from loadtests import jobs
from loadtests.jobs import Job
from loadtests.links import Address
from loadtests.shapes import moments
from loadtests.wire import request

SLICE_S: Final = 0.005  # Locust's greenlets wait so long for their turn
TELL_EVERY_S: Final = 1.0
IDLE_S: Final = 0.001


@dataclass
class Desk:
    """What has come for this process's generator; one a process. `tell` answers."""

    job: Job | None = None
    came: Event = field(default_factory=Event)
    token: str | None = None
    burst: tuple[int, int] | None = None
    halted: bool = False
    tell: Callable[[str, dict[str, Any]], None] = lambda _kind, _data: None

    def take(self, kind: str, data: dict[str, Any]) -> None:
        """Take a message of the coordinator."""
        match kind:
            case jobs.JOB:
                self.job = Job.from_message(data)
                self.came.set()
            case jobs.TOKEN:
                self.token = str(data["token"])
            case jobs.BURST:
                self.burst = int(data["number"]), int(data["size"])
            case jobs.HALT:
                self.halted = True
            case _:
                raise ValueError(f"a generator knows nothing of {kind!r}")


class OpenUser(User):
    """Offers its part of a load."""

    abstract = True
    wait_time = constant(0)
    desk: ClassVar[Desk] = Desk()
    format: ClassVar[str]

    @task
    def offer(self) -> None:
        """Send until all is sent and answered, or the coordinator says halt."""
        desk = self.desk
        desk.came.wait()
        job = desk.job
        if job is None:
            raise StopUser
        try:
            self._offer(job, desk)
        except Exception as error:
            desk.tell(jobs.FAILED, {"because": f"{type(error).__name__}: {error}"})
            raise
        raise StopUser

    def _offer(self, job: Job, desk: Desk) -> None:
        generator = made(job)
        gc.collect()
        gc.freeze()
        tell_at = time.perf_counter() + TELL_EVERY_S
        try:
            while not desk.halted or not generator.done:
                self._obey(generator, job, desk)
                now = time.perf_counter()
                generator.drive(now + SLICE_S)
                if now >= tell_at or (generator.done and job.phases):
                    tell_at = now + TELL_EVERY_S
                    self._tell(generator, job, desk, done=generator.done)
                    if generator.done and job.phases:
                        break
                gevent.sleep(IDLE_S if generator.done else 0)
            self._tell(generator, job, desk, done=True)
        finally:
            generator.close()

    @staticmethod
    def _obey(generator: Generator, job: Job, desk: Desk) -> None:
        if desk.token is not None:
            generator.use(written(job, desk.token))
            desk.token = None
        if desk.burst is not None:
            generator.burst(*desk.burst)
            desk.burst = None
        if desk.halted:
            generator.stop()

    @staticmethod
    def _tell(generator: Generator, job: Job, desk: Desk, *, done: bool) -> None:
        taken = generator.take()
        desk.tell(
            jobs.BOOKED,
            {
                "worker": job.worker,
                "intervals": [[place, one.to_message()] for place, one in taken.items()],
                "refused": generator.refused,
                "done": done,
            },
        )
        generator.refused = 0


class PredictUser(OpenUser):
    """Asks `/predict`."""

    format = "predict"


class V1User(OpenUser):
    """Asks V1's `:predict`."""

    format = "v1"


class V2User(OpenUser):
    """Asks V2 with JSON."""

    format = "v2"


class V2BinaryUser(OpenUser):
    """Asks V2 with raw tensors."""

    format = "v2-binary"


USERS: Final = {user.format: user for user in (PredictUser, V1User, V2User, V2BinaryUser)}


def written(job: Job, token: str) -> list[bytes]:
    """Write a job's requests as they are sent."""
    return [request(job.path, job.name, headers, body, token) for headers, body in job.ready]


def made(job: Job) -> Generator:
    """Make the generator of a job; it starts when the job does."""
    found = socket.getaddrinfo(job.host, job.port, type=socket.SOCK_STREAM)
    ip = str(found[0][4][0])
    address = Address(ip, job.port, job.name.partition(":")[0] if job.tls else None)
    arrivals = None
    if job.phases:
        arrivals = moments(
            job.phases, job.arrivals, worker=job.worker, workers=job.workers, seed=job.seed
        )
    limits = Limits(job.connections, job.timeout_s, job.missed_s, job.interval_s, job.ends_s)
    start = time.perf_counter() + job.starts_at - datetime.now(UTC).timestamp()
    return Generator(address, written(job, job.token), arrivals, limits, start=start)
