"""From reports to a number of workers, on a clock of the test's own (KNATIVE.md 1.7, 1.8)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.engines.embedded.scaler import Scaler
from controlplane.engines.engine import Scaling

SECOND = 1_000_000_000
QUICK = Scaling(window_s=6, scale_to_zero_grace_period_s=0)


class World:
    """One endpoint in seconds: `load` requests in flight, shared by as many workers as wanted."""

    def __init__(self, scaling, concurrency=0):
        self.now, self.scaling = 1000 * SECOND, scaling
        self.scaler = Scaler(scaling, concurrency, self.now)
        self.ready = 0

    def seconds(self, count, load=0.0, requests=None):
        """Let seconds go by; gives what was wanted after each."""
        wanted = []
        for _ in range(count):
            self.ready = max(1, self.scaler.wanted) if self.scaler.wanted else 0
            self.scaler.became_ready(self.now, self.ready)
            for _ in range(self.ready):
                each = 0.0 if requests is None else requests / self.ready
                self.scaler.record(self.now, load / self.ready, each)
            if load or requests:
                self.scaler.touched(self.now)
            self.now += SECOND
            wanted.append(self.scaler.tick(self.now, self.ready, waiting=False))
        return wanted

    def until_zero(self, most=400):
        for second in range(1, most):
            if self.seconds(1) == [0]:
                return second
        raise AssertionError(f"not at zero after {most} s")


def test_it_goes_to_zero_a_window_after_the_last_request():
    world = World(QUICK)
    world.seconds(20, load=1.0)
    # The window to be empty, and a decision every two seconds.
    assert 6 <= world.until_zero() <= 10


def test_a_young_worker_stays_a_window_even_if_nobody_asks():
    assert World(QUICK).until_zero() >= 6


@pytest.mark.parametrize(
    ("change", "least"),
    [
        ({"scale_to_zero_pod_retention_period_s": 30}, 30),
        ({"scale_down_delay_s": 30}, 30),
    ],
)
def test_what_keeps_the_last_worker(change, least):
    world = World(replace(QUICK, **change))
    world.seconds(20, load=1.0)
    assert least <= world.until_zero() <= least + 20


def test_min_scale_is_never_left():
    world = World(replace(QUICK, min_scale=2))
    assert set(world.seconds(60)) == {2}


def test_it_grows_with_concurrency_and_stops_at_max_scale():
    world = World(replace(QUICK, max_scale=3, target=10))
    assert world.seconds(10, load=14)[-1] == 2
    assert world.seconds(10, load=1000)[-1] == 3


def test_rps_counts_requests_and_not_what_is_in_flight():
    world = World(replace(QUICK, metric="rps", target=100, max_scale=9))
    assert world.seconds(10, load=50.0, requests=50)[-1] == 1
    assert world.seconds(10, load=0.1, requests=350)[-1] == 5


def test_a_burst_panics_and_comes_down_only_after_a_window():
    world = World(replace(QUICK, window_s=60, max_scale=9, target=10))
    world.seconds(70, load=5)
    peak = world.seconds(8, load=60)[-1]
    assert world.scaler.panicking
    assert peak >= 8
    assert min(world.seconds(50, load=5)) == peak
    assert world.seconds(40, load=5)[-1] == 1


def test_activation_starts_several_and_a_floor_holds_a_release():
    assert World(replace(QUICK, activation_scale=3)).scaler.wanted == 3
    world = World(QUICK)
    world.scaler.floor = 2
    assert set(world.seconds(30)[5:]) == {2}
    world.scaler.floor = 0
    world.until_zero()


def test_new_settings_keep_what_was_measured():
    world = World(replace(QUICK, target=10, max_scale=9))
    world.seconds(20, load=30)
    world.scaler.reconfigure(replace(QUICK, target=20, max_scale=9), 0, world.now)
    assert world.seconds(2, load=30)[-1] in (3, 4, 5)
    assert world.seconds(70, load=30)[-1] == 3


def test_a_request_on_the_way_to_zero_keeps_it():
    world = World(replace(QUICK, scale_to_zero_pod_retention_period_s=20))
    world.seconds(10, load=1.0)
    world.seconds(12)
    world.seconds(1, load=1.0, requests=1)
    assert world.until_zero() >= 20


def test_the_grace_period_counts_from_the_end_of_the_window_unless_requests_queued_at_the_door():
    # With a burst capacity of 0 requests went straight to the worker until the window ended.
    direct = World(replace(QUICK, target_burst_capacity=0, scale_to_zero_grace_period_s=20))
    direct.seconds(60, load=1.0)
    assert 26 <= direct.until_zero() <= 32
    # With -1 they always went by the backlog: a minute is more than the grace period.
    queued = World(replace(QUICK, scale_to_zero_grace_period_s=20))
    queued.seconds(60, load=1.0)
    assert 6 <= queued.until_zero() <= 10


def test_it_decides_every_two_seconds_and_not_in_between():
    world = World(replace(QUICK, target=10, max_scale=9))
    world.seconds(20, load=5)
    loads = [40, 5, 60, 5, 80, 5] * 5
    wanted = [world.seconds(1, load=load)[0] for load in loads]
    changes = [at for at in range(1, len(wanted)) if wanted[at] != wanted[at - 1]]
    assert len({at % 2 for at in changes}) == 1, changes


def test_a_burst_shorter_than_the_panic_window_shows_only_there():
    calm = World(
        replace(QUICK, window_s=60, max_scale=9, target=10, panic_threshold_percentage=1000)
    )
    calm.seconds(70, load=5)
    assert calm.seconds(6, load=60)[-1] <= 2
    assert not calm.scaler.panicking
    panicked = World(replace(QUICK, window_s=60, max_scale=9, target=10))
    panicked.seconds(70, load=5)
    assert panicked.seconds(6, load=60)[-1] >= 6
    # Ten percent of another window are another panic window: 2 s instead of 6 s.
    quick = World(replace(QUICK, window_s=20, max_scale=9, target=10))
    quick.seconds(70, load=5)
    assert quick.seconds(2, load=60)[-1] >= 6


def test_who_waits_for_a_worker_keeps_it_wanted_however_long_it_takes():
    scaler = Scaler(QUICK, 0, 0)
    for second in range(1, 120):
        assert scaler.tick(second * SECOND, 0, waiting=True) >= 1


def test_nobody_waits_any_more_and_it_never_came_up_is_not_zero_before_it_did():
    # KNATIVE.md 1.8: while activating, "no requests" proves nothing.
    scaler = Scaler(QUICK, 0, 0)
    for second in range(1, 60):
        assert scaler.tick(second * SECOND, 0, waiting=False) == 1


def test_container_concurrency_bounds_the_target():
    world = World(replace(QUICK, max_scale=9), concurrency=1)
    assert world.seconds(10, load=2.0)[-1] == 3  # 70 percent of one each
    assert world.seconds(20, load=0.5)[-1] == 1


@given(
    st.lists(st.tuples(st.integers(1, 8), st.just(0.0) | st.floats(0.1, 300)), max_size=12),
    st.integers(0, 2),
    st.integers(2, 6),
    st.floats(0.5, 100),
)
def test_whatever_comes_bounds_hold_and_silence_ends_at_zero(loads, least, most, target):
    scaling = replace(QUICK, min_scale=least, max_scale=most, target=target)
    world = World(scaling)
    quiet = 0
    for load in [load for count, load in loads for _ in range(count)]:
        for wanted in world.seconds(1, load=load):
            quiet = quiet + 1 if load == 0 else 0
            assert max(least, 0 if quiet >= scaling.window_s - 1 else 1) <= wanted <= most
            if wanted == 0:  # the next request makes another scaler
                world, quiet = World(scaling), 0
    if least == 0:
        # Halved every two seconds at the most, after the window of what was measured.
        assert world.until_zero() <= 60
