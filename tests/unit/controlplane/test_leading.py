"""Leadership: one at a time whatever the network does, soon another, at once after a good-bye.

The real code runs in virtual time: a loop whose clock jumps to the next thing that is due.
"""

import asyncio
import itertools
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.leading import Election, Leading, Record, Timings
from runtime.problems import Conflict, EngineUnavailable

Result = TypeVar("Result")
TIMINGS = Timings()
HANDOVER_S = 15.0


class VirtualLoop(asyncio.SelectorEventLoop):
    """Waits for nothing: whatever it would wait, is over."""

    def __init__(self) -> None:
        self.now = 0.0
        selector = selectors.DefaultSelector()
        wait = selector.select

        def select(timeout: float | None = None) -> Any:
            if timeout is None:
                raise RuntimeError("nothing is due and nothing will ever happen")
            self.now += timeout + 1e-6  # nothing takes no time
            return wait(0)

        selector.select = select  # type: ignore[method-assign]
        super().__init__(selector)

    def time(self) -> float:
        return self.now


def in_virtual_time(story: Coroutine[Any, Any, Result]) -> Result:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(story)


@dataclass
class Stored:
    """The lease as the API server has it: writes are compared by version."""

    record: Record = field(default_factory=Record)
    versions: Any = field(default_factory=lambda: itertools.count(1))

    def put(self, record: Record) -> Record:
        if record.version != self.record.version:
            raise Conflict("it changed")
        number = str(next(self.versions))
        self.record = replace(record, version=number, renewals=number)
        return self.record


@dataclass
class Wire:
    """One replica's way to the store: slow there, slow back, at times cut."""

    stored: Stored
    there: Callable[[], float] = lambda: 0.01
    back: Callable[[], float] = lambda: 0.01
    cut: bool = False

    async def get(self) -> Record:
        return await self._send(lambda: self.stored.record)

    async def put(self, record: Record) -> Record:
        return await self._send(lambda: self.stored.put(record))

    async def _send(self, do: Callable[[], Record]) -> Record:
        if self.cut:
            raise EngineUnavailable("cut off")
        # What was sent arrives, even when nobody waits for the answer any more.
        sent = asyncio.ensure_future(self._there(do))
        sent.add_done_callback(lambda done: done.cancelled() or done.exception())
        answer = await asyncio.shield(sent)
        await asyncio.sleep(self.back())
        return answer

    async def _there(self, do: Callable[[], Record]) -> Record:
        await asyncio.sleep(self.there())
        return do()


class Cluster:
    """Replicas that note who leads and when."""

    def __init__(self) -> None:
        self.stored = Stored()
        self.active: set[str] = set()
        self.spans: list[tuple[str, float]] = []
        self.worst = 0

    def replica(
        self, name: str, wire: Wire, *, rate: float = 1.0, offset: float = 0.0
    ) -> tuple[Leading, "asyncio.Task[None]"]:
        loop = asyncio.get_running_loop()

        async def lead() -> None:
            self.active.add(name)
            self.spans.append((name, loop.time()))
            self.worst = max(self.worst, len(self.active))
            try:
                await asyncio.Event().wait()
            finally:
                self.active.discard(name)

        leading = Leading(
            wire,
            lead,
            identity=name,
            clock=lambda: offset + rate * loop.time(),
            stuck=lambda: pytest.fail("stuck"),
        )
        return leading, asyncio.create_task(leading.run())

    async def led_by(self, *names: str) -> float:
        """Wait until one of these leads, and give the time."""
        async with asyncio.timeout(60):
            while not self.active & set(names):
                await asyncio.sleep(0.05)
        return asyncio.get_running_loop().time()


async def end(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def virtual(story: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    def test() -> None:
        in_virtual_time(story())  # type: ignore[arg-type]

    test.__name__ = story.__name__
    return test


@virtual
async def test_one_leads_and_goes_on_leading() -> None:
    cluster = Cluster()
    tasks = [cluster.replica(name, Wire(cluster.stored))[1] for name in "abc"]
    await asyncio.sleep(600)
    assert len(cluster.spans) == 1
    assert cluster.stored.record.transitions == 1
    await end(*tasks)
    assert cluster.stored.record.holder == ""


@virtual
async def test_a_killed_leader_is_followed_within_fifteen_seconds() -> None:
    for killed_after in (0.0, 1.0, 2.9, 3.1):
        cluster = Cluster()
        wire = Wire(cluster.stored)
        _, first = cluster.replica("a", wire)
        await cluster.led_by("a")
        others = [cluster.replica(name, Wire(cluster.stored))[1] for name in "bc"]
        await asyncio.sleep(20 + killed_after)
        wire.cut = True  # killed: neither a renewal nor a good-bye comes through
        await end(first)
        killed = asyncio.get_running_loop().time()
        assert await cluster.led_by("b", "c") - killed < HANDOVER_S
        assert cluster.worst == 1
        await end(*others)


@virtual
async def test_a_leader_that_says_good_bye_is_followed_at_once() -> None:
    cluster = Cluster()
    _, first = cluster.replica("a", Wire(cluster.stored))
    await cluster.led_by("a")
    other, second = cluster.replica("b", Wire(cluster.stored))
    await asyncio.sleep(10)
    await end(first)
    assert cluster.active == set()
    gone = asyncio.get_running_loop().time()
    other.look()  # as the database's notification does
    assert await cluster.led_by("b") - gone < 0.1
    await end(second)


@virtual
async def test_who_goes_while_it_takes_the_lease_gives_it_back() -> None:
    for after in (0.2, 0.7, 1.2):  # before, while and after it is written
        cluster = Cluster()
        _, task = cluster.replica("a", Wire(cluster.stored, lambda: 0.5, lambda: 0.0))
        await asyncio.sleep(after)
        await end(task)
        await asyncio.sleep(5)
        assert cluster.stored.record.holder == ""


@virtual
async def test_a_leader_that_cannot_renew_stops_before_another_may_begin() -> None:
    cluster = Cluster()
    wire = Wire(cluster.stored)
    leading, first = cluster.replica("a", wire)
    await cluster.led_by("a")
    _, second = cluster.replica("b", Wire(cluster.stored))
    await asyncio.sleep(30)
    wire.cut = True
    cut = asyncio.get_running_loop().time()
    async with asyncio.timeout(60):
        while cluster.active:
            await asyncio.sleep(0.01)
    assert not leading.leads()
    assert asyncio.get_running_loop().time() - cut <= TIMINGS.stop_after + 0.1
    await cluster.led_by("b")
    wire.cut = False
    await asyncio.sleep(60)
    assert cluster.active == {"b"}
    assert cluster.worst == 1
    await end(first, second)


@virtual
async def test_loops_that_fail_start_again() -> None:
    runs = 0

    async def lead() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise OSError("broken")
        await asyncio.Event().wait()

    for leases in (None, Wire(Stored())):
        runs = 0
        leading = Leading(leases, lead, clock=asyncio.get_running_loop().time)
        task = asyncio.create_task(leading.run())
        await asyncio.sleep(30)
        assert runs == 3
        await end(task)


@virtual
async def test_loops_that_do_not_stop_end_the_process() -> None:
    stuck: list[bool] = []

    async def lead() -> None:
        while not stuck:
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                continue

    wire = Wire(Stored())
    clock = asyncio.get_running_loop().time
    leading = Leading(wire, lead, clock=clock, stuck=lambda: stuck.append(True))
    task = asyncio.create_task(leading.run())
    await asyncio.sleep(5)
    wire.cut = True
    await asyncio.sleep(60)
    assert stuck
    await end(task)


def test_alone_one_leads_without_a_lease() -> None:
    async def lead() -> None:
        raise AssertionError("never run")

    assert Leading(None, lead).leads()


def test_the_holders_own_promise_counts() -> None:
    election = Election("b", TIMINGS)
    election.saw(Record("a", duration=30.0, renewals="1", version="1"), 100.0)
    assert election.opens_in(100.0) == 30.0
    assert election.wanted(129.9) is None
    taken = election.wanted(130.0)
    assert taken is not None
    assert (taken.holder, taken.duration, taken.transitions) == ("b", TIMINGS.duration, 1)
    assert not election.leads(130.0)


DELAYS = st.lists(st.floats(0, 2.5) | st.floats(0, 0.1), min_size=1, max_size=12)
REPLICAS = st.lists(
    st.tuples(
        DELAYS,
        DELAYS,
        st.floats(0.95, 1.05),
        st.floats(-1e6, 1e6),
        st.lists(st.floats(4, 25), max_size=6),  # times between cuts and mends of its wire
    ),
    min_size=2,
    max_size=3,
)


@settings(max_examples=100, deadline=None)
@given(REPLICAS)
def test_never_two_lead(replicas: list[tuple[Any, Any, float, float, list[float]]]) -> None:
    async def story() -> None:
        cluster = Cluster()
        tasks = []
        wires = []
        for name, (there, back, rate, offset, cuts) in zip("abc", replicas, strict=False):
            wire = Wire(
                cluster.stored, itertools.cycle(there).__next__, itertools.cycle(back).__next__
            )
            wires.append(wire)
            tasks.append(cluster.replica(name, wire, rate=rate, offset=offset)[1])
            tasks.append(asyncio.create_task(disturb(wire, cuts)))
        await asyncio.sleep(120)
        for wire in wires:  # in the end the network is good, and somebody leads
            wire.cut = False
            wire.there = wire.back = lambda: 0.01
        await cluster.led_by(*"abc")
        await end(*tasks)
        assert cluster.worst == 1

    in_virtual_time(story())


async def disturb(wire: Wire, cuts: list[float]) -> None:
    for pause in cuts:
        await asyncio.sleep(pause)
        wire.cut = not wire.cut
