"""What the control plane tells of an endpoint while it is tested: replicas, load, starts."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import gevent

from controlplane.autoscaler.recording import merged
from controlplane.client import (
    ApiError,
    BadAnswer,
    ClientError,
    Endpoint,
    NotFound,
    TimedOut,
    Unreachable,
)
from loadtests.result import Scale, Started
from loadtests.target import Source

EVERY_S = 0.25
SEEN_WITHIN_S = 10.0  # a replica that answered is told of, on any engine
DECISIONS_EACH = 4  # looks
DELETED = "the endpoint was deleted"


class Watch:
    """Looks at an endpoint until it is closed.

    scale   what was seen, in seconds from `start`
    decisions  of its autoscaler, as recordings
    gone    the endpoint was deleted
    silent  looks that were not answered: the control plane was away
    """

    def __init__(self, client: Source, endpoint: Endpoint, start: float) -> None:
        self._client, self._endpoint, self._start = client, endpoint, start
        self.scale: list[Scale] = []
        self.starts: dict[datetime, Started] = {}
        self.decisions: list[dict[str, Any]] = []
        self.gone = False
        self.silent = 0
        self._greenlet = gevent.spawn(self._run)

    def close(self) -> None:
        """Look once more, and no more."""
        self._greenlet.kill()
        self._look()
        self._look_at_decisions()

    def _run(self) -> None:
        looks = 0
        while not self.gone:
            self._look()
            if looks % DECISIONS_EACH == 0:
                self._look_at_decisions()
            looks += 1
            gevent.sleep(EVERY_S)

    def _look_at_decisions(self) -> None:
        try:
            found = self._client.decisions(self._endpoint.name)
        except (ClientError, BadAnswer):
            return  # it may be away for a moment; what it decided is told the next time
        self.decisions = merged(self.decisions, found)

    def _look(self) -> None:
        try:
            endpoint = self._client.endpoint(self._endpoint.name)
        except NotFound:
            self.gone = True
            return
        except (ApiError, BadAnswer, TimedOut, Unreachable):
            self.silent += 1
            return
        if endpoint.id != self._endpoint.id:  # deleted, and another made of that name
            self.gone = True
            return
        self.scale.append(
            Scale(
                at=wall() - self._start,
                ready=endpoint.replicas,
                desired=endpoint.desired_replicas,
                concurrency=float(endpoint.raw.get("concurrency") or 0.0),
            )
        )
        self._note_start(endpoint)

    def _note_start(self, endpoint: Endpoint) -> None:
        at, start = _started_at(endpoint), endpoint.cold_start
        # What the check of the first request woke belongs to no test.
        if at is None or start is None or at.timestamp() < self._start:
            return
        self.starts[at] = Started(at=at, total_ms=start.total_ms, phases_ms=dict(start.phases_ms))


def _started_at(endpoint: Endpoint) -> datetime | None:
    start = endpoint.raw.get("cold_start")
    return datetime.fromisoformat(start["at"]) if isinstance(start, dict) else None


def wait_for_zero(
    client: Source, name: str, within_s: float, cut: Callable[[], str | None]
) -> str | None:
    """Wait until nothing runs; gives why it did not come to that, None if it did.

    It was asked just now, and Knative says a moment later that there is a replica: until one is
    seen, zero is news of before, unless it stays that.
    """
    began, seen = wall(), False
    while wall() < began + within_s:
        if (because := cut()) is not None:
            return because
        try:
            replicas = client.endpoint(name).replicas
            seen = seen or replicas > 0
            if replicas == 0 and (seen or wall() > began + SEEN_WITHIN_S):
                return None
        except NotFound:
            return DELETED
        except (BadAnswer, TimedOut, Unreachable):
            pass  # The control plane is away for a moment; the time is bounded.
        gevent.sleep(EVERY_S)
    return (
        f"{name} was not at zero within {within_s:g} s: its window may be longer, or its min_scale"
        " above 0"
    )


def wall() -> float:
    """Give the seconds since 1970."""
    return datetime.now(UTC).timestamp()
