"""What a pool looks like from outside."""

from dataclasses import replace
from datetime import UTC, datetime

from controlplane.engines.embedded.measuring import Counts
from controlplane.engines.embedded.pool import Pool
from controlplane.engines.embedded.worker import State
from controlplane.engines.engine import ObservedEndpoint, Status
from controlplane.engines.metrics import Autoscaled, EndpointMetrics
from controlplane.engines.policies import policy_of
from runtime.families import EndpointCounts


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


def metrics(pool: Pool, memory_bytes: int) -> EndpointMetrics:
    """Tell what Prometheus is shown of an endpoint; `memory_bytes` of its workers."""
    entry, measures, workers = pool.entry, pool.measures, [*pool.workers.values()]
    # While a release is on trial, or failed, the one before it is served.
    states = [state for state in (entry.proven, entry.desired) if state is not None]
    launched = {one.name: one for state in states for one in state.revisions}
    counted = {name: measures.revisions.get(name) or Counts() for name in launched}
    running = sum(worker.running for worker in workers)
    counts = EndpointCounts(
        tenant=entry.desired.tenant,
        endpoint=entry.desired.name,
        revisions={name: one.told(launched[name]) for name, one in counted.items()},
        refused=measures.refused,
        in_flight=running,
        queued=max(0, sum(worker.in_flight for worker in workers) - running),
        shed=measures.shed,
        connections=sum(worker.connections for worker in workers),
        streams_open=sum(worker.streams_open for worker in workers),
        cpu_s=round(measures.cpu_s, 6),
        memory_bytes=memory_bytes,
        start_s=measures.start_s,
        payloads=measures.payloads,
    )
    starts = replace(measures.starts, wakes=entry.meter.wakes, starts=entry.meter.starts)
    parked = len(pool.door.parking)
    tenant, name = entry.desired.tenant, entry.desired.name
    return EndpointMetrics(tenant, name, _scaled(pool), counts, starts, parked)


def _scaled(pool: Pool) -> Autoscaled:
    serving = pool.release.serving
    scaling = serving.scaling_now
    # At zero there is nobody who decides, and nothing in flight.
    newest = pool.decisions.newest if pool.scaler is not None else None
    return Autoscaled(
        desired=pool.wanted,
        ready=len(pool.of_state(State.READY)),
        metric=scaling.metric,
        target=policy_of(scaling, serving.container_concurrency).target_value,
        stable=0.0 if newest is None else newest.averages.stable,
        panic=0.0 if newest is None else newest.averages.panic,
        panicking=pool.scaler is not None and pool.scaler.panicking,
        decisions=pool.decisions.total,
    )
