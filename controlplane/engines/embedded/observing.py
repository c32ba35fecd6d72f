"""What a pool looks like from outside: conditions in Knative's words."""

from datetime import UTC, datetime

from controlplane.engines.embedded.pool import Pool
from controlplane.engines.embedded.worker import State
from controlplane.engines.engine import Condition, ObservedEndpoint, Status

Since = dict[tuple[str, str], tuple[Condition, str, datetime]]


def observe(pool: Pool, since: Since) -> ObservedEndpoint:
    """Tell the state of an endpoint.

    since  remembers when each condition last changed, by endpoint and type; kept by the caller
    """
    ready = len(pool.of_state(State.READY))
    conditions = (
        _dated(pool, since, "Ready", *_ready(pool, ready)),
        _dated(pool, since, "Active", *_active(pool, ready)),
    )
    wanted = pool.scaler.wanted if pool.scaler is not None else 0
    return ObservedEndpoint(
        id=pool.entry.desired.id,
        observed_generation=pool.entry.desired.generation,
        url=f"http://127.0.0.1:{pool.entry.port}",
        replicas=ready,
        desired_replicas=wanted,
        conditions=conditions,
        concurrency=sum(w.concurrency for w in pool.workers.values()),
        requests_total=pool.entry.requests_total,
        starts_total=pool.entry.starts_total,
        cold_start=pool.cold_start,
    )


def _ready(pool: Pool, ready: int) -> tuple[Condition, str, str]:
    trouble = pool.trouble
    if trouble is not None:
        served = ""
        if pool.entry.proven is not None and not pool.proven:
            served = f"; generation {pool.entry.proven.generation} goes on serving"
        return Condition.FALSE, trouble.reason, trouble.message + served
    if not pool.proven:
        return Condition.UNKNOWN, "Deploying", "The first worker of this release is starting."
    if ready:
        return Condition.TRUE, "Serving", f"{ready} worker(s) ready."
    return Condition.TRUE, "AtZero", "No worker runs; the next request starts one."


def _active(pool: Pool, ready: int) -> tuple[Condition, str, str]:
    scaler = pool.scaler
    if scaler is None or scaler.active is False:
        return Condition.FALSE, "NoTraffic", "No requests for a window; scaled to zero."
    if ready == 0 or scaler.active is None:
        return Condition.UNKNOWN, "Queued", "Requests wait for a worker to start."
    return Condition.TRUE, "Serving", "Requests are being served."


def _dated(
    pool: Pool,
    since: Since,
    kind: str,
    status: Condition,
    reason: str,
    message: str,
) -> Status:
    key = (pool.entry.desired.id, kind)
    known = since.get(key)
    if known is None or known[0] is not status:
        at = datetime.now(UTC)
        stored = pool.entry.active_since
        if kind == "Active" and known is None and stored is not None:
            at = stored
        since[key] = known = (status, reason, at)
    return Status(kind, status, reason, message, known[2])
