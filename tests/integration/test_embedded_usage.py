"""What the supervisor counts, through deaths of workers and of itself; and a tenant's replicas."""

import asyncio
import contextlib
import http.client
import json
import os
import signal

import pytest

from controlplane.engines.engine import (
    BackendKind,
    Condition,
    DesiredEndpoint,
    DesiredRevision,
    EndpointId,
    Scaling,
    TenantLimits,
)
from tests.integration.runtime_rig import AUDIENCE, linear_plan
from tests.integration.test_embedded_engine import real  # noqa: F401  (a fixture)
from tests.integration.test_embedded_supervisor import ID, at_zero, port_of, until

OTHER = EndpointId("6f1c1d1e-0000-4000-8000-000000000002")
SHORT = Scaling(window_s=6, scale_to_zero_grace_period_s=0)


@pytest.fixture
def rig(real):  # noqa: F811
    return real


async def read(rig, endpoint=ID):
    return next(one for one in await rig.engine.usage({}) if one.endpoint == endpoint)


async def counted(rig, requests):
    async def check():
        found = await read(rig)
        assert found.counters.requests <= requests
        return found if found.counters.requests == requests else None

    return await until(check)


def connected(port):
    return contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30))


async def ask(rig, port, times):
    with connected(port) as connection:
        for _ in range(times):
            status, body, _ = await asyncio.to_thread(rig.ask, connection)
            assert status == 200, body


async def test_counters_outlive_workers_and_supervisor_and_count_nothing_twice(rig, tmp_path):
    plan = linear_plan(tmp_path / "one.plan").read_bytes()
    await rig.release(plan, 1, SHORT)
    port = port_of(await rig.ready())
    await ask(rig, port, 5)
    found = await counted(rig, 5)
    first, source = found.counters, found.source
    assert (first.rows, first.starts, first.wakes) == (5, 1, 0)
    assert 0 < first.busy_s < first.ready_s
    assert first.starting_s > 0
    assert first.active_s == pytest.approx(first.starting_s + first.ready_s)

    (worker,) = rig.workers()
    os.kill(worker.pid, signal.SIGKILL)
    await ask(rig, port, 2)
    await counted(rig, 7)
    # What Prometheus is told goes on over the death of a worker, which is told too.
    (told,) = await rig.engine.metrics()
    assert (told.tenant, told.endpoint) == ("acme", "iris")
    assert sum(one.codes.get(200, 0) for one in told.counts.revisions.values()) == 7
    assert sum(sum(one.latency) for one in told.counts.revisions.values()) == 7
    assert told.counts.memory_bytes > 1 << 20
    assert (told.starts.crashes, told.starts.starts) == (1, 2)
    assert (told.scaled.desired, told.scaled.ready) == (1, 1)

    # What was told is on disk before: a supervisor that is killed goes on from there.
    rig.process.kill()
    await asyncio.to_thread(rig.process.wait)
    await rig.start()
    found = await read(rig)
    assert (found.source, found.counters.requests, found.counters.rows) == (source, 7, 7)
    assert found.counters.ready_s >= first.ready_s

    await ask(rig, port, 3)
    assert (await counted(rig, 10)).counters.wakes == found.counters.wakes + 1

    # Asked amid the last second of a worker too.
    await ask(rig, port, 1)
    await at_zero(rig)
    rest = (await counted(rig, 11)).counters
    assert rest.rows == 11
    assert (await read(rig)).counters == rest, "at zero nothing is used"

    async def told():
        # All since the new supervisor began, once the step with the last answer is over.
        found = await rig.engine.series(ID, 10)
        answered = sum(rate for rate in found.values["rate"] if rate) * found.every_s
        return found if round(answered) == 4 else None

    values = (await until(told)).values
    assert max(value or 0 for value in values["replicas_ready"]) == 1
    assert max(value or 0 for value in values["cold_start_s"]) > 0
    assert sum(value or 0 for value in values["cold_starts"]) == 1
    assert values["rate"][0] is None, "nobody was there to count"


async def deploy(rig, endpoint, name, sha, size, scaling):
    revision = DesiredRevision(f"{name}-00001", "iris", 1, BackendKind.PLAN, sha, size, {})
    desired = DesiredEndpoint(endpoint, "acme", name, 1, AUDIENCE, (revision,), scaling)
    await rig.engine.apply(desired)
    return desired


async def seen_as(rig, endpoint, status):
    async def check():
        seen = await rig.engine.observe(endpoint)
        return seen if seen.condition("Ready").status is status else None

    return await until(check)


async def test_a_tenant_runs_no_more_replicas_than_it_may_and_is_told(rig, tmp_path):
    await rig.engine.publish_limits(TenantLimits(replicas=9), {"acme": TenantLimits(replicas=1)})
    plan = linear_plan(tmp_path / "one.plan").read_bytes()
    sha = rig.store.put(plan)
    warm = Scaling(min_scale=1, max_scale=3, window_s=6)
    await deploy(rig, ID, "warm", sha, len(plan), warm)
    await seen_as(rig, ID, Condition.TRUE)
    other = await deploy(rig, OTHER, "iris", sha, len(plan), SHORT)

    async def one_runs():
        return len(rig.workers()) == 1

    async def refused():
        cause = await rig.engine.explain(other)
        return cause if cause.reason == "QuotaExceeded" else None

    cause = await until(refused)
    assert "quota of 1 replica(s)" in cause.message
    assert "kubeserve quota" in cause.next_step
    await until(one_runs)
    port = port_of(await rig.engine.observe(OTHER))
    with connected(port) as connection:
        status, body, _ = await asyncio.to_thread(rig.ask, connection)
    assert status == 503
    assert "quota of 1 replica(s)" in json.loads(body)["detail"]

    # Remembered by a supervisor that starts before the control plane speaks.
    rig.process.kill()
    await asyncio.to_thread(rig.process.wait)
    await rig.start()
    await seen_as(rig, ID, Condition.TRUE)
    await until(refused)
    await until(one_runs)

    await rig.engine.publish_limits(TenantLimits(replicas=9), {})
    await seen_as(rig, OTHER, Condition.TRUE)
    await ask(rig, port, 1)


async def test_a_release_starts_although_the_one_before_has_the_last_place(rig, tmp_path):
    await rig.engine.publish_limits(TenantLimits(replicas=1), {})
    plan = linear_plan(tmp_path / "one.plan").read_bytes()
    await rig.release(plan, 1, Scaling(min_scale=1, window_s=6))
    port = port_of(await rig.ready())
    await rig.release(plan, 2, Scaling(min_scale=1, window_s=6))

    async def served_by_the_second():
        with connected(port) as connection:
            status, _, revision = await asyncio.to_thread(rig.ask, connection)
        assert status == 200
        return revision == "iris-00002"

    await until(served_by_the_second)
