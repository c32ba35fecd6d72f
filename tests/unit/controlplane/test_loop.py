"""The work queue: one key one at a time, woken again when it must, never lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from controlplane.reconciler.loop import Loop
from runtime.problems import EngineUnavailable

Step = Callable[[str], Awaitable[bool]]


async def none() -> list[str]:
    return []


@pytest.fixture
async def loops() -> AsyncIterator[Callable[[Step], Loop[str]]]:
    made: list[Loop[str]] = []

    def make(step: Step) -> Loop[str]:
        loop = Loop("test", step, none, at_once=2, soon_s=0.001)
        made.append(loop)
        return loop

    yield make
    for loop in made:
        await loop.close()


async def test_a_key_is_looked_at_by_one_at_a_time_and_again_if_woken_meanwhile(loops) -> None:
    running, seen, twice = Counter[str](), Counter[str](), asyncio.Event()

    async def step(key: str) -> bool:
        running[key] += 1
        assert running[key] == 1
        await asyncio.sleep(0)
        seen[key] += 1
        await asyncio.sleep(0)
        running[key] -= 1
        if seen[key] == 2:
            twice.set()
        return False

    loop = loops(step)
    loop.wake("a")
    while not running["a"]:
        await asyncio.sleep(0)
    for _ in range(5):
        loop.wake("a")
    await asyncio.wait_for(twice.wait(), 10)
    assert seen["a"] == 2, "five wakes while it ran are one more look"


async def test_keys_run_side_by_side_but_not_more_than_allowed(loops) -> None:
    running, most, left = 0, 0, 6
    done = asyncio.Event()

    async def step(_: str) -> bool:
        nonlocal running, most, left
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running, left = running - 1, left - 1
        if not left:
            done.set()
        return False

    loop = loops(step)
    for key in "abcdef":
        loop.wake(key)
    await asyncio.wait_for(done.wait(), 10)
    assert most == 2


async def test_a_failed_step_is_tried_again_by_itself_and_then_forgotten(loops) -> None:
    tries, done = [], asyncio.Event()

    async def step(key: str) -> bool:
        tries.append(key)
        if len(tries) < 3:
            raise EngineUnavailable("away") if len(tries) == 1 else RuntimeError("broken")
        done.set()
        return False

    loop = loops(step)
    loop.wake("a")
    await asyncio.wait_for(done.wait(), 10)
    assert tries == ["a"] * 3
    while loop._failures:
        await asyncio.sleep(0)


async def test_a_step_that_is_not_done_is_looked_at_again_soon(loops) -> None:
    left, done = 3, asyncio.Event()

    async def step(_: str) -> bool:
        nonlocal left
        left -= 1
        if not left:
            done.set()
        return left > 0

    loops(step).wake("a")
    await asyncio.wait_for(done.wait(), 10)


async def test_the_resync_finds_what_nobody_woke_and_survives_a_database_that_is_away() -> None:
    seen, answers = asyncio.Event(), iter([OSError("away"), ["a"]])

    async def keys() -> list[str]:
        answer = next(answers, [])
        if isinstance(answer, OSError):
            raise answer
        return answer

    async def step(key: str) -> bool:
        assert key == "a"
        seen.set()
        return False

    loop = Loop("test", step, keys, resync_s=0.001)
    task = asyncio.create_task(loop.run())
    await asyncio.wait_for(seen.wait(), 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await loop.close()


async def test_closing_ends_what_runs_and_what_would_run_again(loops) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def step(key: str) -> bool:
        if key == "fails":
            raise RuntimeError
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return False

    loop = loops(step)
    loop.wake("fails")
    loop.wake("hangs")
    await asyncio.wait_for(began.wait(), 10)
    await loop.close()
    assert ended.is_set()
    loop.wake("hangs")
    assert not loop._tasks
    assert all(timer.cancelled() for timer in loop._timers.values())
