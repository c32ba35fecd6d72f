"""What dies, is damaged or deleted while clients are served: who else notices, for real."""

# ruff: noqa: F811  (tests take the fixture by its name)

import asyncio
import resource
import socket
from contextlib import asynccontextmanager
from dataclasses import replace

import psutil
import pytest

from controlplane.engines.engine import Condition, Scaling
from runtime.problems import Conflict
from tests.integration.runtime_rig import linear_plan
from tests.integration.test_embedded_engine import real  # noqa: F401  (a fixture)
from tests.integration.test_embedded_race import ROW
from tests.integration.test_embedded_supervisor import ID, at_zero, port_of, until

QUICK = Scaling(window_s=2, scale_to_zero_grace_period_s=0)
SHORT = Scaling(window_s=1, scale_to_zero_grace_period_s=0)
OBSERVED_S = 2.0


class Client:
    """One connection that is never opened again by itself; it tells how often it was answered."""

    def __init__(self, rig, port):
        self.rig, self.port, self.answered = rig, port, 0
        head = (
            "POST /v1/models/iris:predict HTTP/1.1\r\nhost: iris\r\n"
            f"authorization: Bearer {rig.keys.token()}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(ROW)}\r\n\r\n"
        )
        self.request = head.encode() + ROW

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    def send(self):
        self.writer.write(self.request)

    async def answer(self, within_s=20):
        async with asyncio.timeout(within_s):
            head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
            lines = head.split(b"\r\n")
            (length,) = [int(line[16:]) for line in lines if line.startswith(b"content-length: ")]
            await self.reader.readexactly(length)
        self.answered += 1
        return int(head.split()[1])

    async def ask(self):
        self.send()
        return await self.answer()

    def close(self):
        self.writer.close()


@asynccontextmanager
async def clients(rig, port, count):
    opened = [await Client(rig, port).open() for _ in range(count)]
    try:
        yield opened
    finally:
        for client in opened:
            client.close()


async def served(rig, tmp_path, scaling=QUICK):
    """Release a plan; gives its port once it is ready."""
    await rig.release(linear_plan(tmp_path / "one.plan").read_bytes(), 1, scaling)
    return port_of(await rig.ready())


def zygote_of(rig):
    (zygote,) = psutil.Process(rig.process.pid).children()
    return zygote


class Load:
    """Clients that ask without end; one that is hung up on comes back."""

    def __init__(self, asking):
        self.asking, self.lost, self.done = asking, [], False

    async def ask(self, client):
        while not self.done:
            try:
                assert await client.ask() == 200
            except (asyncio.IncompleteReadError, ConnectionError):
                self.lost.append(client)
                client.close()
                await client.open()
            await asyncio.sleep(0.005)

    async def all_answered(self, count=20):
        """Wait until each client was answered so often from now on."""
        least = [client.answered + count for client in self.asking]

        async def answered():
            return all(c.answered >= n for c, n in zip(self.asking, least, strict=True))

        await until(answered)


@asynccontextmanager
async def load(rig, port, count=6):
    async with clients(rig, port, count) as asking, asyncio.TaskGroup() as group:
        asked = Load(asking)
        for client in asking:
            group.create_task(asked.ask(client))
        try:
            await asked.all_answered()
            yield asked
        finally:
            asked.done = True


@pytest.mark.parametrize("victim", ["worker", "zygote"])
async def test_killed_under_load_it_costs_each_client_one_request_at_most(real, tmp_path, victim):
    port = await served(real, tmp_path)
    async with load(real, port) as asked:
        for _ in range(2):  # the third in a row would be a crash loop
            asked.lost.clear()
            (process,) = [zygote_of(real)] if victim == "zygote" else real.workers()
            process.kill()
            await asked.all_answered()
            assert len(asked.lost) == len(set(asked.lost))
    await at_zero(real)
    async with clients(real, port, 1) as (client,):
        assert await client.ask() == 200


async def test_a_zygote_killed_at_zero_is_made_again_for_the_next_request(real, tmp_path):
    port = await served(real, tmp_path, SHORT)
    async with clients(real, port, 2) as (parked, fresh):
        assert await parked.ask() == 200
        for client in (parked, fresh):
            await at_zero(real)
            zygote_of(real).kill()
            assert await client.ask() == 200
        assert (await real.engine.observe(ID)).condition("Ready").status is Condition.TRUE


async def test_deaths_with_healthy_lives_between_are_no_crash_loop(real, tmp_path):
    port = await served(real, tmp_path, SHORT)
    async with clients(real, port, 1) as (client,):
        for _ in range(6):
            await at_zero(real)
            zygote_of(real).kill()
            assert await client.ask() == 200


async def deleted_under_load(rig, port):
    async with clients(rig, port, 6) as asking, clients(rig, port, 3) as idle:
        deleted = asyncio.Event()

        async def ask(client):
            while True:
                try:
                    assert await client.ask() == 200
                except (asyncio.IncompleteReadError, ConnectionError) as end:
                    return deleted.is_set(), getattr(end, "partial", b"")

        tasks = [asyncio.create_task(ask(client)) for client in asking]

        async def all_served():
            return all(client.answered > 20 for client in asking)

        await until(all_served)
        deleted.set()
        await rig.engine.delete(ID)
        async with asyncio.timeout(10):
            ends = await asyncio.gather(*tasks)
            assert [await client.reader.read() for client in idle] == [b""] * 3
    assert ends == [(True, b"")] * 6  # not before it was deleted, not amid an answer
    assert await rig.engine.observe(ID) is None


async def test_deleted_under_load_it_hangs_up_and_its_place_is_free(real, tmp_path):
    port = await served(real, tmp_path)
    await deleted_under_load(real, port)

    async def clean():
        left = [p for f in ("endpoints", "plans") for p in (real.home / "engine" / f).iterdir()]
        return not left and not real.workers()

    await until(clean)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
    with pytest.raises(Conflict):
        await anext(real.engine.logs(ID, tail=1, follow=False))
    port = await served(real, tmp_path)
    async with clients(real, port, 1) as (client,):
        assert await client.ask() == 200


async def test_deleted_it_leaves_no_log(real, tmp_path):
    await deleted_under_load(real, await served(real, tmp_path))

    async def ended():
        return not real.workers()

    await until(ended)
    assert not list((real.home / "engine" / "logs").iterdir())


def damage(rig):
    """Cut every artifact on this machine in half, as a bad disk might."""
    for path in (rig.home / "engine" / "plans").iterdir():
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])


async def test_who_waits_parked_is_served_by_the_generation_before_a_damaged_one(real, tmp_path):
    plan = linear_plan(tmp_path / "one.plan").read_bytes()
    await real.release(plan, 1, SHORT)
    port = port_of(await real.ready())
    async with clients(real, port, 8) as waiting:
        for client in waiting:
            assert await client.ask() == 200
        await at_zero(real)
        await real.release(plan[: len(plan) // 2], 2, SHORT)
        for client in waiting:
            client.send()
        assert [await client.answer() for client in waiting] == [200] * 8
        seen = await real.ready(Condition.FALSE)
        assert seen.condition("Ready").reason == "BadPlan"
        # And again, from zero: it is known which one works.
        await at_zero(real)
        starts = (await real.engine.observe(ID)).starts_total
        assert await waiting[0].ask() == 200
        assert (await real.engine.observe(ID)).starts_total == starts + 1


@pytest.mark.parametrize("tried", [True, False])
async def test_what_cannot_start_is_refused_and_not_started_without_end(real, tmp_path, tried):
    if tried:
        port = await served(real, tmp_path, SHORT)
        await at_zero(real)
        damage(real)
    else:
        plan = linear_plan(tmp_path / "one.plan").read_bytes()
        await real.release(plan[: len(plan) // 2], 1, replace(SHORT, initial_scale=0))
        port = port_of(await real.engine.observe(ID))
    starts = (await real.engine.observe(ID)).starts_total
    async with clients(real, port, 1) as (client,):
        client.send()
        assert await client.answer(within_s=5) == 503
    seen = await real.ready(Condition.FALSE)
    assert seen.condition("Ready").reason == "BadPlan"
    assert seen.starts_total - starts <= 3


async def test_out_of_descriptors_it_refuses_without_spinning_and_recovers(real, tmp_path):
    port = await served(real, tmp_path, SHORT)
    supervisor = psutil.Process(real.process.pid)
    before = resource.prlimit(supervisor.pid, resource.RLIMIT_NOFILE)
    async with clients(real, port, 1) as (parked,):
        assert await parked.ask() == 200
        await at_zero(real)
        # Enough for the control socket's own connection, and not for a worker's channels.
        scarce = supervisor.num_fds() + 3
        resource.prlimit(supervisor.pid, resource.RLIMIT_NOFILE, (scarce, before[1]))
        starts = (await real.engine.observe(ID)).starts_total
        assert await parked.ask() == 503
        seen = await real.ready(Condition.FALSE)
        assert seen.condition("Ready").reason == "CrashLoop"
        assert seen.starts_total - starts <= 5
        # Who knocks while there is not even one descriptor for a refusal waits, and so does it.
        resource.prlimit(supervisor.pid, resource.RLIMIT_NOFILE, (scarce - 3, before[1]))
        async with clients(real, port, 5) as waiting:
            for client in waiting:
                client.send()
            busy = sum(supervisor.cpu_times()[:2])
            await asyncio.sleep(OBSERVED_S)  # a loop that spins shows in nothing but its time
            assert sum(supervisor.cpu_times()[:2]) - busy < OBSERVED_S / 2
            resource.prlimit(supervisor.pid, resource.RLIMIT_NOFILE, before)
            for client in waiting:
                assert await client.answer() in (200, 503)

        async def answers():
            async with clients(real, port, 1) as (client,):
                return await client.ask() == 200

        await until(answers)
    await real.ready()
