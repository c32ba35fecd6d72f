"""Calls in pieces: the same bits whatever the cores, the first fault, and nobody kept waiting."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier

from loadtests.benchmarks.examples import compiled
from runtime.batching import Batcher
from runtime.codecs.request import Call
from runtime.cutting import TRIED_AGAIN, Width
from runtime.gate import Gate
from runtime.plan import Plan
from runtime.plan.ops import Array, InputRefused, Inputs
from runtime.plan.plan import Cost
from runtime.problems import DeadlinePassed
from tests.unit.runtime.test_batching import POISON, Asked, Doubler, all_answered, asked, values

CUT = Cost(0.0, 100.0)  # by 100 rows


class Held(Doubler):
    """Calls of 100 rows and more wait until they are let go; notes how many run side by side."""

    def __init__(self) -> None:
        super().__init__(CUT)
        self.let_go = threading.Event()
        self.began = threading.Semaphore(0)
        self.lock, self.beside, self.most_beside = threading.Lock(), 0, 0

    def run(self, method: str, x: Inputs) -> Array:
        assert isinstance(x, np.ndarray)
        if len(x) < 100:
            return super().run(method, x)
        with self.lock:
            self.beside += 1
            self.most_beside = max(self.most_beside, self.beside)
        self.began.release()
        assert self.let_go.wait(10)
        with self.lock:
            self.beside -= 1
        return super().run(method, x)


def bench(cores: int, clock: Callable[[], float] = lambda: 0.0) -> Batcher:
    batcher = Batcher(asyncio.get_running_loop(), Gate(0, 1 << 20), clock, cores)

    def answered(jobs: Sequence[Any], outcomes: Sequence[Any]) -> None:
        for job, outcome in zip(jobs, outcomes, strict=True):
            if not job.gone:
                job.outcome, job.gone = outcome, True

    batcher.answered = answered
    return batcher


async def began(backend: Held, pieces: int) -> None:
    for _ in range(pieces):
        assert await asyncio.to_thread(backend.began.acquire, timeout=10)


@given(
    rows=st.integers(1, 1200),
    piece=st.integers(20, 400),
    cores=st.integers(1, 4),
    poisoned=st.sets(st.integers(0, 1199), max_size=3),
)
@settings(max_examples=40, deadline=None)
def test_pieces_give_what_one_call_gives_and_the_first_fault_is_told(
    rows: int, piece: int, cores: int, poisoned: set[int]
) -> None:
    async def scenario() -> None:
        batcher = bench(cores)
        lane = batcher.lane(Doubler(Cost(0.0, 10_000.0 / piece)), remote=False)
        cells = [POISON if i in poisoned else i + 0.5 for i in range(rows)]
        job = asked(*cells)
        lane.put(job)
        await all_answered([job])
        faults = sorted(place for place in poisoned if place < rows)
        if faults:
            assert isinstance(job.outcome, InputRefused)
            assert (job.outcome.row, job.outcome.column) == (faults[0], 0)
        else:
            assert values(job) == [2.0 * cell for cell in cells]
        assert (batcher.gate.running, lane.waits()) == (0, False)
        await batcher.close()

    asyncio.run(scenario())


def plans() -> dict[str, Plan]:
    x, y = make_classification(400, 6, n_informative=4, n_classes=3, random_state=0)
    models = {
        "forest": RandomForestClassifier(30, random_state=0).fit(x, y),
        "neighbours": KNeighborsClassifier(algorithm="brute").fit(x, y),
    }
    return {name: compiled(model) for name, model in models.items()}


PLANS = plans()


@pytest.mark.parametrize("name", PLANS)
@given(rows=st.integers(300, 900), cores=st.integers(1, 4), seed=st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_a_plan_in_pieces_on_several_cores_answers_to_the_bit_as_uncut(
    name: str, rows: int, cores: int, seed: int
) -> None:
    class Costly:
        signature, cost = PLANS[name].signature, Cost(0.0, 100.0)

        def run(self, method: str, x: Inputs) -> Array:
            return PLANS[name].run(method, x)

    async def scenario() -> None:
        batcher = bench(cores)
        lane = batcher.lane(Costly(), remote=False)
        x = np.random.default_rng(seed).normal(size=(rows, 6))
        job = Asked(Call(x, rows, ("predict", "predict_proba")))
        lane.put(job)
        await all_answered([job])
        assert isinstance(job.outcome, dict)
        for method, answer in job.outcome.items():
            assert answer.tobytes() == PLANS[name].run(method, x).tobytes()
        await batcher.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("cores", [1, 2, 3])
async def test_as_many_pieces_as_cores_are_computed_at_a_time(cores: int) -> None:
    backend, batcher = Held(), bench(cores)
    large = asked(*[1.0] * 800)
    batcher.lane(backend, remote=False).put(large)
    await began(backend, cores)
    assert backend.most_beside == cores
    backend.let_go.set()
    await all_answered([large])
    assert backend.most_beside == cores
    await batcher.close()


async def test_small_requests_overtake_a_large_one_and_other_large_ones_wait() -> None:
    backend, batcher = Held(), bench(2)
    lane = batcher.lane(backend, remote=False)
    large, next_large = asked(*[1.0] * 500), asked(*[2.0] * 300)
    lane.put(large)
    lane.put(next_large)
    await began(backend, 2)
    small = [asked(float(i)) for i in range(5)]
    for job in small:
        lane.put(job)
    await all_answered(small)
    assert (large.outcome, next_large.outcome) == (None, None)
    backend.let_go.set()
    await all_answered([large, next_large])
    assert values(large) == [2.0] * 500
    assert values(next_large) == [4.0] * 300
    assert batcher.gate.running == 0
    await batcher.close()


@pytest.mark.parametrize("why", ["client left", "deadline"])
async def test_of_a_request_that_nobody_waits_for_no_more_pieces_are_begun(why: str) -> None:
    now = 0.0
    backend, batcher = Held(), bench(2, lambda: now)
    lane = batcher.lane(backend, remote=False)
    large = asked(*[1.0] * 1000)
    large.deadline = 5.0
    lane.put(large)
    await began(backend, 2)
    if why == "client left":
        large.gone = True
    else:
        now = 6.0
        await all_answered([large])
        assert isinstance(large.outcome, DeadlinePassed)
    assert batcher.gate.running == 1
    backend.let_go.set()
    after = asked(*[3.0] * 200)
    after.deadline = 10.0
    lane.put(after)
    await all_answered([after])
    assert len(backend.calls) == 2 + 2
    assert batcher.gate.running == 0
    await batcher.close()


def learn(width: Width, seconds: dict[int, float], calls: int) -> list[int]:
    """Have so many calls of 1,000 rows take what they take at each width; gives the widths used."""
    used = []
    for _ in range(calls):
        used.append(width.now)
        width.learn(width.now, 8, 1_000, seconds[width.now])
    return used


@pytest.mark.parametrize(
    ("seconds", "best"),
    [({1: 1.0, 2: 0.6}, 2), ({1: 1.0, 2: 1.2}, 1), ({1: 1.0, 2: 0.7, 4: 0.9}, 2)],
    ids=["threads gain", "threads lose", "some gain"],
)
def test_the_quickest_width_is_kept_once_all_were_tried(
    seconds: dict[int, float], best: int
) -> None:
    most = max(seconds)
    used = learn(Width(most), seconds, TRIED_AGAIN)
    tried = [most >> step for step in range(len(seconds))]
    assert used == [*tried, *[best] * (TRIED_AGAIN - len(seconds))]


def test_other_widths_are_tried_again_after_a_while() -> None:
    width = Width(2)
    learn(width, {1: 1.0, 2: 3.0}, TRIED_AGAIN)
    later = learn(width, {1: 1.0, 2: 0.3}, 8 * TRIED_AGAIN)
    assert later[-1] == 2
    assert 1 in later[:TRIED_AGAIN]


def test_nothing_is_learnt_where_there_is_nothing_to_choose() -> None:
    alone, few = Width(1), Width(4)
    learn(alone, {1: 1.0}, 40)
    few.learn(4, 3, 1_000, 9.0)  # pieces that could not keep all threads busy
    assert (alone.now, few.now) == (1, 4)
