"""More than one worker, none less than asked for, and what goes wrong on the way, for real."""

# ruff: noqa: F811  (tests take the fixture by its name)

import asyncio
import http.client
import os
import signal
import socket
from contextlib import closing

from controlplane.engines.engine import Condition, Scaling
from tests.integration.runtime_rig import linear_plan
from tests.integration.test_embedded_engine import real  # noqa: F401  (a fixture)
from tests.integration.test_embedded_supervisor import ID, at_zero, port_of, until

BY_RPS = Scaling(
    window_s=6, scale_to_zero_grace_period_s=0, metric="rps", target=10, max_scale=3
)  # fmt: skip
KEPT = Scaling(window_s=6, scale_to_zero_grace_period_s=0, min_scale=2)


async def replicas(rig):
    return (await rig.engine.observe(ID)).replicas


async def test_it_grows_with_requests_shares_connections_and_goes_back(real, tmp_path):
    plan = linear_plan(tmp_path / "one.plan").read_bytes()
    await real.release(plan, 1, BY_RPS)
    port = port_of(await real.ready())
    done = asyncio.Event()

    async def ask():
        answered = 0
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=15)) as connection:
            await asyncio.to_thread(real.ask, connection)
            first = connection.sock
            while not done.is_set():
                status, _, _ = await asyncio.to_thread(real.ask, connection)
                assert status == 200
                assert connection.sock is first, "a connection was closed"
                answered += 1
                await asyncio.sleep(0.02)
        return answered

    async with asyncio.TaskGroup() as group:
        clients = [group.create_task(ask()) for _ in range(4)]

        async def grown():
            return await replicas(real) == 3

        await until(grown, 30.0)
        done.set()
    assert all(client.result() > 20 for client in clients)
    await at_zero(real)


async def test_min_scale_is_kept_and_a_killed_worker_replaced(real, tmp_path):
    await real.release(linear_plan(tmp_path / "one.plan").read_bytes(), 1, KEPT)

    async def both():
        return await replicas(real) == 2

    await until(both)
    before = {worker.pid for worker in real.workers()}
    os.kill(min(before), signal.SIGKILL)

    async def replaced():
        alive = {worker.pid for worker in real.workers()}
        return await replicas(real) == 2 and len(alive) == 2 and min(before) not in alive

    await until(replaced)
    assert (await real.engine.observe(ID)).condition("Ready").status is Condition.TRUE


async def test_a_release_that_cannot_be_read_leaves_the_one_before(real, tmp_path):
    await real.release(linear_plan(tmp_path / "one.plan").read_bytes(), 1, KEPT)
    port = port_of(await real.ready())
    await real.release(b"no plan at all", 2, KEPT)

    async def failed():
        seen = await real.engine.observe(ID)
        return seen.condition("Ready").reason == "BadPlan" and seen

    seen = await until(failed)
    assert seen.condition("Ready").status is Condition.FALSE
    assert "generation 1 goes on serving" in seen.condition("Ready").message
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=15)) as connection:
        status, _, revision = await asyncio.to_thread(real.ask, connection)
    assert (status, revision) == (200, "iris-00001")


async def test_a_zygote_that_is_killed_is_made_again(real, tmp_path):
    plan = linear_plan(tmp_path / "one.plan").read_bytes()
    await real.release(plan, 1, Scaling(window_s=6, scale_to_zero_grace_period_s=0))
    port = port_of(await real.ready())
    (zygote,) = [p for p in real.family() if "runtime.zygote" in " ".join(p.cmdline())
                 and p.ppid() == real.process.pid]  # fmt: skip
    zygote.kill()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=15)) as connection:

        async def answers():
            try:
                return (await asyncio.to_thread(real.ask, connection))[0] == 200
            except (OSError, http.client.HTTPException):
                connection.close()
                return False

        await until(answers)


async def test_a_port_that_is_taken_is_told_and_taken_back(real, tmp_path):
    plan = linear_plan(tmp_path / "one.plan").read_bytes()
    await real.release(plan, 1, Scaling(window_s=6, scale_to_zero_grace_period_s=0))
    port = port_of(await real.ready())
    real.process.kill()
    await asyncio.to_thread(real.process.wait)
    with socket.socket() as taker:
        taker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

        async def taken():
            try:
                taker.bind(("127.0.0.1", port))
            except OSError:
                return False
            return True

        await until(taken)
        taker.listen()
        await real.start()
        seen = await real.engine.observe(ID)
        assert seen.condition("Ready").reason == "PortTaken"
        assert str(port) in seen.condition("Ready").message
    assert port_of(await real.ready()) == port
