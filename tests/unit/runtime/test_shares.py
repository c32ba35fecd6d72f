"""Which revision answers, and what the autoscaler is told of it."""

import asyncio
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.accounting import Concurrency
from runtime.batching import Batcher
from runtime.gate import Gate
from runtime.launch import RevisionLaunch
from runtime.problems import NotFound
from runtime.revisions import Revision, Revisions
from tests.unit.runtime.test_batching import Doubler


def revisions(percents: list[int], start: float = 0.0) -> Revisions:
    loop = asyncio.new_event_loop()
    batcher = Batcher(loop, Gate(0, 1), time.monotonic)
    made = []
    for i, percent in enumerate(percents):
        tag = f"t{i}" if i else None
        launch = RevisionLaunch(f"r-{i}", "m", i + 1, "", "", percent, tag)
        backend = Doubler()
        made.append(Revision(launch, "e", backend, batcher.lane(backend, remote=False), 0.0))
    loop.close()
    return Revisions(made, start)


@given(
    cuts=st.lists(st.integers(0, 100), max_size=4),
    start=st.floats(0, 1, exclude_max=True),
    skip=st.integers(0, 50),
)
@settings(max_examples=60, deadline=None)
def test_each_revision_gets_its_share_within_one_percent(
    cuts: list[int], start: float, skip: int
) -> None:
    edges = [0, *sorted(cuts), 100]
    percents = [high - low for low, high in pairwise(edges)]
    chooser = revisions(percents, start)
    for _ in range(skip):
        chooser.choose()
    counts = dict.fromkeys(chooser.all, 0)
    for _ in range(2000):
        counts[chooser.choose()] += 1
    for revision, count in counts.items():
        assert abs(count / 20 - revision.launch.percent) <= 1
        if revision.launch.percent == 0:
            assert count == 0


def test_tags_and_versions_are_found_or_named_in_the_refusal() -> None:
    chooser = revisions([100, 0])
    assert chooser.choose(tag="t1").launch.name == "r-1"
    assert chooser.choose(version=2).launch.name == "r-1"
    with pytest.raises(NotFound, match=r"nightly.*t1"):
        chooser.choose(tag="nightly")
    only = Revisions(chooser.all[:1], 0.0, chosen_before=True)
    assert only.choose(tag="nightly").launch.name == "r-0"
    with pytest.raises(NotFound, match="version 9"):
        chooser.choose(version=9)


def test_concurrency_is_the_area_under_requests_in_flight() -> None:
    counted = Concurrency(100.0)
    counted.enter(100.0)
    counted.enter(100.25)
    counted.leave(100.5)
    counted.leave(101.0)
    assert counted.report(102.0) == (pytest.approx(1.25 / 2), 2)
    assert counted.report(103.0) == (0.0, 0)
    counted.enter(103.5)
    assert counted.report(104.0) == (pytest.approx(0.5), 1)
    assert counted.report(105.0) == (pytest.approx(1.0), 0)
    assert counted.report(105.0) == (0.0, 0)


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5)), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_no_request_is_lost_to_the_order_of_events(spans: list[tuple[float, float]]) -> None:
    events = sorted(
        [(start, 1) for start, _ in spans] + [(start + length, -1) for start, length in spans],
        key=lambda event: (event[0], -event[1]),
    )
    counted = Concurrency(0.0)
    for at, change in events:
        step = counted.enter if change > 0 else counted.leave
        step(at)
    average, requests = counted.report(10.0)
    total = sum(length for _, length in spans)
    assert average == pytest.approx(total / 10.0, abs=1e-6)
    assert (requests, counted.in_flight) == (len(spans), 0)


def test_busy_time_is_that_with_any_request_whatever_their_number() -> None:
    counted = Concurrency(0.0)
    counted.enter(1.0)
    counted.enter(2.0)
    counted.leave(4.0)
    counted.leave(5.0)
    counted.enter(9.0)
    counted.report(10.0)
    assert counted.busy_s == 5.0
    counted.leave(10.0)
    counted.passed(3, 0.6, 0.25)
    assert counted.report(11.0) == (0.6, 3)
    assert counted.busy_s == 5.25
