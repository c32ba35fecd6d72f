"""What the embedded engine does, explained by itself: real supervisor, real worker, real plan."""

import asyncio
import http.client
import socket

import pytest

from controlplane.engines.engine import DesiredEndpoint, Scaling
from runtime.problems import EngineUnavailable
from tests.integration import test_embedded_engine, test_embedded_supervisor
from tests.integration.runtime_rig import AUDIENCE, linear_plan
from tests.integration.test_embedded_supervisor import ID, Rig, at_zero, port_of, until

real, rig = test_embedded_engine.real, test_embedded_supervisor.rig  # fixtures
SOON = Scaling(window_s=6, scale_to_zero_grace_period_s=0)


def wanted(generation: int, scaling: Scaling = SOON) -> DesiredEndpoint:
    """Give what `RealRig.release` asks for, as far as it matters to `why`."""
    return DesiredEndpoint(ID, "acme", "iris", generation, AUDIENCE, (), scaling)


async def reason(rig: Rig, generation: int, expected: str):
    async def check():
        found = await rig.engine.explain(wanted(generation))
        return found if found.reason == expected else None

    return await until(check)


async def test_from_nothing_over_serving_to_idle_and_a_plan_that_is_refused(real, tmp_path):
    assert (await real.engine.explain(wanted(1))).reason == "NotTaken"
    plan = linear_plan(tmp_path / "one.plan").read_bytes()
    await real.release(plan, 1, SOON)
    serving = await reason(real, 1, "Serving")
    assert serving.ok
    connection = http.client.HTTPConnection("127.0.0.1", port_of(await real.ready()), timeout=15)
    assert (await asyncio.to_thread(real.ask, connection))[0] == 200
    assert (await real.engine.explain(wanted(2))).reason == "NotTaken"

    await at_zero(real)
    idle = await reason(real, 1, "Idle")
    assert idle.ok
    assert any("AtZero" in fact for fact in idle.evidence)

    await real.release(plan[: len(plan) // 2], 2, SOON)
    refused = await reason(real, 2, "BadPlan")
    assert not refused.ok
    assert "generation 1 goes on serving" in refused.message
    assert any("log of" in fact and "cannot serve" in fact for fact in refused.evidence)
    assert "kubeserve rollback iris" in refused.next_step
    connection.close()


async def test_a_supervisor_that_is_away_is_said_to_be(real, tmp_path):
    await real.release(linear_plan(tmp_path / "one.plan").read_bytes(), 1, SOON)
    await reason(real, 1, "Serving")
    (real.home / "engine" / "supervisor.sock").rename(real.home / "away")
    with pytest.raises(EngineUnavailable, match="supervisor does not answer"):
        await real.engine.explain(wanted(1))
    (real.home / "away").rename(real.home / "engine" / "supervisor.sock")
    assert (await real.engine.explain(wanted(1))).reason == "Serving"


async def test_a_worker_that_ends_again_and_again(rig):
    await rig.deploy("crash", 1)
    found = await reason(rig, 1, "CrashLoop")
    assert not found.ok
    assert "exit code 1" in found.message
    assert "kubeserve logs iris" in found.next_step


async def test_a_port_that_another_program_has(rig):
    await rig.deploy("one", 1)
    port = port_of(await rig.ready())
    rig.process.terminate()
    await asyncio.to_thread(rig.process.wait, 10)
    with socket.create_server(("127.0.0.1", port)):
        await rig.start()
        found = await reason(rig, 1, "PortTaken")
    assert str(port) in found.message
    assert "ss -ltnp" in found.next_step
    await reason(rig, 1, "Idle")
