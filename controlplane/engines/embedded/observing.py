"""What a pool looks like from outside."""

from datetime import UTC, datetime

from controlplane.engines.embedded.pool import Pool
from controlplane.engines.embedded.worker import State
from controlplane.engines.engine import ObservedEndpoint, Status


def observe(pool: Pool) -> ObservedEndpoint:
    """Tell the state of an endpoint."""
    now = datetime.now(UTC)
    entry = pool.entry
    conditions = []
    url = f"http://127.0.0.1:{entry.port}"
    for verdict in pool.note():
        turn = entry.transitions.get(verdict.type)
        since = now if turn is None else turn.at
        conditions.append(
            Status(verdict.type, verdict.status, verdict.reason, verdict.message, since)
        )
    return ObservedEndpoint(
        id=entry.desired.id,
        observed_generation=entry.desired.generation,
        url=url,
        replicas=len(pool.of_state(State.READY)),
        desired_replicas=pool.wanted,
        conditions=tuple(conditions),
        concurrency=sum(w.concurrency for w in pool.workers.values()),
        requests_total=entry.meter.requests,
        starts_total=entry.meter.starts,
        cold_start=pool.cold_start,
        warm=entry.desired.warm,
        tag_urls={one.tag: url for one in entry.desired.revisions if one.tag is not None},
    )
