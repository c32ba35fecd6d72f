"""What an endpoint used, from the times that its pods say of themselves. Pure.

Requests, rows and busy seconds are counted inside the pods, which tell them by way of the object
store (`runtime/telling.py`). What is here is true of pods that were there at a look: one that came
and went between two is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from controlplane.engines.engine import Counters, EndpointId, Metered
from controlplane.engines.knative.names import Document

FIRST: Final = "first"  # the source of what was never recorded
HOST_MOST: Final = 63


@dataclass(frozen=True, slots=True)
class Life:
    """When a pod was made, was ready first, and ended, as far as that is known."""

    made: datetime
    ready: datetime | None
    ended: datetime


def metered(
    endpoint: EndpointId, pods: Sequence[Document], since: datetime | None, now: datetime
) -> Metered:
    """Count what pods did from `since` on; each interval is a source of its own."""
    lives = sorted((_life(pod, now) for pod in pods), key=lambda life: life.made)
    begin = since or min((life.made for life in lives), default=now)
    new = [life for life in lives if since is None or life.made > since]
    source = FIRST if since is None else since.isoformat()
    counters = Counters(
        requests=None,
        rows=None,
        wakes=sum(_was_alone(life, lives) for life in new),
        starts=len(new),
        busy_s=None,
        starting_s=sum(_seconds(life.made, life.ready or life.ended, begin) for life in lives),
        ready_s=sum(_seconds(life.ready, life.ended, begin) for life in lives if life.ready),
        active_s=_union_s(lives, begin),
    )
    return Metered(endpoint, source, counters, frozenset(map(_host, pods)))


def _host(pod: Document) -> str:
    """Give the name that a pod's containers have as a host: the kubelet cuts longer ones."""
    return str(pod["metadata"]["name"])[:HOST_MOST].rstrip("-.")


def _life(pod: Document, now: datetime) -> Life:
    status, metadata = pod.get("status") or {}, pod["metadata"]
    states = [one.get("state") or {} for one in status.get("containerStatuses") or ()]
    ends = [_time(one["terminated"].get("finishedAt")) for one in states if "terminated" in one]
    over = len(ends) == len(states) and all(ends)
    ended = max([end for end in ends if end], default=now) if over else now
    return Life(_time(metadata["creationTimestamp"]) or now, _ready(pod, states), ended)


def _ready(pod: Document, states: Sequence[Document]) -> datetime | None:
    """Find since when a pod takes requests; one that ends is not Ready any more, and was."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    nothing: Document = {}
    ready = next((one for one in conditions if one.get("type") == "Ready"), nothing)
    if ready.get("status") == "True":
        return _time(ready.get("lastTransitionTime"))
    if not pod["metadata"].get("deletionTimestamp"):
        return None
    inside = [one.get("running") or one.get("terminated") or {} for one in states]
    began = [moment for one in inside if (moment := _time(one.get("startedAt")))]
    return max(began, default=None)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _seconds(start: datetime, end: datetime, begin: datetime) -> float:
    return max(0.0, (end - max(start, begin)).total_seconds())


def _was_alone(life: Life, lives: Sequence[Life]) -> bool:
    before = lives[: lives.index(life)]
    return all(other.ended < life.made for other in before)


def _union_s(lives: Sequence[Life], begin: datetime) -> float:
    total, reached = 0.0, begin
    for life in lives:
        total += _seconds(life.made, life.ended, reached)
        reached = max(reached, life.ended)
    return total
