"""Batching laws, over real plans' shape but a backend that says what it was asked."""

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.batching import Batcher, Job, rows_in_a_call
from runtime.codecs.request import Call
from runtime.compute import Outcome
from runtime.gate import Gate
from runtime.plan.ops import Array, Frame, InputRefused, Inputs
from runtime.plan.plan import Cost
from runtime.plan.signature import Column, Kind, Output, Signature
from runtime.problems import DeadlinePassed, EngineUnavailable, Overloaded

POISON = 666.0
SIGNATURE = Signature((Column("a"),), (Output("predict", "FP64"), Output("transform", "FP64")))


@dataclass
class Doubler:
    """Doubles its only column; refuses POISON; notes the height of each call."""

    cost: Cost = field(default_factory=lambda: Cost(10.0, 0.1))
    calls: list[tuple[str, int]] = field(default_factory=list)
    signature: Signature = SIGNATURE

    def run(self, method: str, x: Inputs) -> Array:
        assert isinstance(x, np.ndarray)
        self.calls.append((method, len(x)))
        bad = np.flatnonzero(x[:, 0] == POISON)
        if bad.size:
            raise InputRefused(int(bad[0]), 0, "poisoned")
        return x[:, 0] * (2 if method == "predict" else 3)


class Afar(Doubler):
    """The same in another process, as far as a lane can tell."""

    async def run(self, method: str, inputs: Inputs) -> Array:  # type: ignore[override]
        await asyncio.sleep(0)
        return super().run(method, inputs)

    async def close(self) -> None: ...


@dataclass(eq=False)
class Asked:
    call: Call
    deadline: float = float("inf")
    gone: bool = False
    outcome: Outcome | None = None


def asked(*values: float, output: str = "predict") -> Asked:
    return Asked(Call(np.array([[v] for v in values]), len(values), (output,)))


def bench(concurrency: int = 0) -> Batcher:
    loop = asyncio.get_running_loop()
    batcher = Batcher(loop, Gate(concurrency, 1 << 20), time.monotonic)

    def answered(jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> None:
        for job, outcome in zip(jobs, outcomes, strict=True):
            assert isinstance(job, Asked)
            if not job.gone:
                job.outcome, job.gone = outcome, True

    batcher.answered = answered
    return batcher


async def all_answered(jobs: Sequence[Asked]) -> None:
    async with asyncio.timeout(10):
        while any(job.outcome is None for job in jobs):
            await asyncio.sleep(0.001)


def values(job: Asked) -> list[float]:
    assert isinstance(job.outcome, dict), job.outcome
    return list(job.outcome[job.call.outputs[0]])


async def test_what_arrives_in_one_tick_is_one_call() -> None:
    backend, batcher = Doubler(), bench()
    lane = batcher.lane(backend, remote=False)
    jobs = [asked(float(i), float(-i)) for i in range(20)]
    for job in jobs:
        lane.put(job)
    await all_answered(jobs)
    assert backend.calls == [("predict", 40)]
    assert [values(job) for job in jobs] == [[2.0 * i, -2.0 * i] for i in range(20)]


async def test_other_outputs_are_another_call_and_order_is_kept() -> None:
    backend, batcher = Doubler(), bench()
    lane = batcher.lane(backend, remote=False)
    jobs = [asked(float(i), output=("predict", "transform")[i % 2]) for i in range(10)]
    for job in jobs:
        lane.put(job)
    await all_answered(jobs)
    assert sorted(backend.calls) == [("predict", 5), ("transform", 5)]
    assert [values(job)[0] for job in jobs] == [i * (2.0 + i % 2) for i in range(10)]


@dataclass
class Reader:
    """Says how long each text is; notes the thread of each call."""

    cost: Cost = field(default_factory=lambda: Cost(10.0, 20.0))
    signature: Signature = field(
        default_factory=lambda: Signature(
            (Column("note", Kind.STRING, missing=True), Column("text", Kind.STRING)),
            (Output("predict", "INT64"),),
        )
    )
    threads: list[threading.Thread] = field(default_factory=list)

    def run(self, method: str, x: Inputs) -> Array:
        assert isinstance(x, Frame)
        self.threads.append(threading.current_thread())
        return np.array([len(text) for text in x.columns[1]])


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize(
    ("texts", "inline"),
    [
        (["short"], True),
        (["y" * 300] * 90, True),
        (["x" * 40_000], False),
        (["y" * 900] * 40, False),
    ],
    ids=["short", "many", "one long", "some longer"],
)
async def test_long_texts_are_read_in_the_thread(
    texts: list[str], inline: bool, alone: bool
) -> None:
    backend, batcher = Reader(), bench()
    batcher.alone = alone
    lane = batcher.lane(backend, remote=False)
    columns = np.array([None] * len(texts), object), np.array(texts, object)
    job = Asked(Call(Frame(columns), len(texts), ("predict",)))
    lane.put(job)
    await all_answered([job])
    assert values(job) == [len(text) for text in texts]
    assert [thread is threading.current_thread() for thread in backend.threads] == [inline]


@pytest.mark.parametrize("kind", ["inline", "thread", "remote"])
@given(poisoned=st.sets(st.integers(0, 15), max_size=6), heights=st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_a_poisoned_request_fails_alone_and_names_its_own_row(
    kind: str, poisoned: set[int], heights: int
) -> None:
    async def scenario() -> None:
        cost = Cost(5000.0, 0.1) if kind == "thread" else Cost(10.0, 0.1)
        backend, batcher = (Afar if kind == "remote" else Doubler)(cost), bench()
        lane = batcher.lane(backend, remote=kind == "remote")
        jobs = []
        for i in range(16):
            cells = [float(i)] * heights
            if i in poisoned:
                cells[-1] = POISON
            jobs.append(asked(*cells))
            lane.put(jobs[-1])
        await all_answered(jobs)
        for i, job in enumerate(jobs):
            if i in poisoned:
                assert isinstance(job.outcome, InputRefused)
                assert (job.outcome.row, job.outcome.column) == (heights - 1, 0)
            else:
                assert values(job) == [2.0 * i] * heights
        assert batcher.gate.running == 0
        await batcher.close()

    asyncio.run(scenario())


async def test_while_a_slow_call_runs_the_loop_goes_on_and_the_next_batch_collects() -> None:
    class Slow(Doubler):
        def run(self, method: str, x: Inputs) -> Array:
            if not self.calls:
                asyncio.run_coroutine_threadsafe(ticked.wait(), loop).result(10)
            return super().run(method, x)

    loop, ticked = asyncio.get_running_loop(), asyncio.Event()
    backend, batcher = Slow(Cost(3000.0, 0.1)), bench()
    lane = batcher.lane(backend, remote=False)
    first = asked(1.0)
    lane.put(first)
    await asyncio.sleep(0.01)
    later = [asked(float(i)) for i in range(5)]
    for job in later:  # the loop still takes requests, one tick each
        lane.put(job)
        await asyncio.sleep(0)
    ticked.set()
    await all_answered([first, *later])
    assert backend.calls == [("predict", 1), ("predict", 5)]
    await batcher.close()


async def test_a_job_larger_than_a_call_may_be_is_cut_and_put_together() -> None:
    backend, batcher = Doubler(Cost(0.0, 100.0)), bench()
    lane = batcher.lane(backend, remote=False)
    assert lane.most_rows == 100
    large, small = asked(*map(float, range(250))), asked(1.0)
    lane.put(large)
    lane.put(small)
    poisoned = asked(*([1.0] * 180), POISON, 1.0)
    await all_answered([large, small])
    assert values(large) == [2.0 * i for i in range(250)]
    assert sorted(rows for _, rows in backend.calls) == [1, 50, 100, 100]
    lane.put(poisoned)
    await all_answered([poisoned])
    assert isinstance(poisoned.outcome, InputRefused)
    assert poisoned.outcome.row == 180
    await batcher.close()


async def test_what_is_late_is_not_started_and_what_is_gone_is_not_computed() -> None:
    backend, batcher = Doubler(), bench()
    lane = batcher.lane(backend, remote=False)
    late, gone, good = asked(1.0), asked(2.0), asked(3.0)
    late.deadline = time.monotonic() - 1
    gone.gone = True
    for job in (late, gone, good):
        lane.put(job)
    await all_answered([late, good])
    assert isinstance(late.outcome, DeadlinePassed)
    assert gone.outcome is None
    assert backend.calls == [("predict", 1)]


async def test_a_deadline_that_passes_amid_a_slow_call_is_told_at_once() -> None:
    class Stuck(Afar):
        async def run(self, method: str, inputs: Inputs) -> Array:  # type: ignore[override]
            await asyncio.Event().wait()
            raise AssertionError

    batcher = bench()
    lane = batcher.lane(Stuck(), remote=True)
    running, queued = asked(1.0), asked(2.0)
    running.deadline = queued.deadline = time.monotonic() + 0.02
    lane.put(running)
    await asyncio.sleep(0.005)
    lane.put(queued)
    await all_answered([running, queued])
    assert isinstance(running.outcome, DeadlinePassed)
    assert isinstance(queued.outcome, DeadlinePassed)
    await batcher.close()


async def test_container_concurrency_bounds_what_is_computed_over_all_revisions() -> None:
    batcher = bench(concurrency=3)
    most = 0

    class Watched(Afar):
        async def run(self, method: str, inputs: Inputs) -> Array:  # type: ignore[override]
            nonlocal most
            most = max(most, batcher.gate.running)
            assert batcher.gate.running <= 3
            return await super().run(method, inputs)

    lanes = [batcher.lane(Watched(), remote=True) for _ in range(2)]
    jobs = [asked(float(i)) for i in range(20)]
    for i, job in enumerate(jobs):
        lanes[i % 2].put(job)
    await all_answered(jobs)
    assert most == 3
    assert batcher.gate.running == 0


async def test_a_backend_that_is_away_is_not_asked_again_for_each_request() -> None:
    class Away(Afar):
        async def run(self, method: str, inputs: Inputs) -> Array:  # type: ignore[override]
            self.calls.append((method, 0))
            raise EngineUnavailable("gone")

    backend, batcher = Away(), bench()
    lane = batcher.lane(backend, remote=True)
    jobs = [asked(1.0) for _ in range(8)]
    for job in jobs:
        lane.put(job)
    await all_answered(jobs)
    assert all(isinstance(job.outcome, EngineUnavailable) for job in jobs)
    assert len(backend.calls) == 1


async def test_an_answer_of_the_wrong_height_goes_to_nobody() -> None:
    class Short(Doubler):
        def run(self, method: str, x: Inputs) -> Array:
            return super().run(method, x)[:-1]

    batcher = bench()
    lane = batcher.lane(Short(), remote=False)
    jobs = [asked(1.0), asked(2.0)]
    for job in jobs:
        lane.put(job)
    await all_answered(jobs)
    assert all(isinstance(job.outcome, RuntimeError) for job in jobs)
    await batcher.close()


@pytest.mark.parametrize(("concurrency", "most"), [(0, 2048), (1, 11), (20, 220)])
def test_the_gate_lets_ten_times_the_concurrency_wait(concurrency: int, most: int) -> None:
    gate = Gate(concurrency, 1)
    for _ in range(most):
        gate.enter(1)
    with pytest.raises(Overloaded) as shed:
        gate.enter(1)
    assert shed.value.retry_after_s == 1
    assert (gate.admitted, gate.shed) == (most, 1)


def test_the_gate_bounds_the_bytes_it_holds() -> None:
    gate = Gate(0, 1)
    gate.enter(gate.most_bytes - 1)
    with pytest.raises(Overloaded):
        gate.enter(2)
    gate.enter(1)
    assert gate.bytes == gate.most_bytes


def test_the_gate_bounds_what_is_half_read_and_lets_whole_requests_in_all_the_same() -> None:
    gate = Gate(0, 1)
    gate.keep(gate.most_bytes - 1)
    with pytest.raises(Overloaded):
        gate.keep(2)
    gate.enter(2)
    gate.keep(-10)
    gate.keep(2)
    assert (gate.bytes, gate.kept, gate.shed) == (2, gate.most_bytes - 9, 1)


@pytest.mark.parametrize(
    ("cost", "rows"),
    [(Cost(0, 100), 100), (Cost(9_000, 10), 900), (Cost(50_000, 50), 1000), (Cost(1, 0), 1 << 30)],
)
def test_a_call_lasts_ten_milliseconds_or_as_long_as_its_fixed_part(cost: Cost, rows: int) -> None:
    assert rows_in_a_call(cost) == rows
