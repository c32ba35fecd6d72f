"""What the coordinator and its generators tell each other, over Locust's own connection.

job      → one generator     what to send, where, when; then Locust spawns its user
token    → all               requests with another token from now on
burst    → all               so many at once, now
halt     → all               send no more
booked   ← each second       sums of intervals, and whether all is done
failed   ← once              why a generator could not go on
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from loadtests.shapes import Arrivals, Phase

JOB, TOKEN, BURST, HALT, BOOKED, FAILED = "job", "token", "burst", "halt", "booked", "failed"
MOST_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Job:
    """What one generator of several does.

    ready      headers and body of each different request
    starts_at  seconds since 1970
    """

    worker: int
    workers: int
    host: str
    port: int
    tls: bool
    name: str
    path: str
    format: str
    ready: tuple[tuple[dict[str, str], bytes], ...]
    token: str
    phases: tuple[Phase, ...]
    arrivals: Arrivals
    seed: int
    connections: int
    timeout_s: float
    missed_s: float
    interval_s: float
    ends_s: float
    starts_at: float

    def to_message(self) -> dict[str, Any]:
        """Give what `from_message` reads back."""
        message = {name: getattr(self, name) for name in self.__slots__}
        message["ready"] = [list(one) for one in self.ready]
        message["phases"] = [list(phase) for phase in self.phases]
        return message

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> "Job":
        """Read what the coordinator sent."""
        ready = tuple((dict(headers), bytes(body)) for headers, body in message["ready"])
        phases = tuple(Phase(*phase) for phase in message["phases"])
        return cls(**{**message, "ready": ready, "phases": phases})
