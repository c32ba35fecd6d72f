"""How long a worker that keeps dying is left alone."""

from hypothesis import given
from hypothesis import strategies as st

from controlplane.engines.embedded.backoff import LASTED_S, MOST_S, Backoff


def test_the_first_death_is_answered_at_once_and_each_next_one_waits_twice_as_long():
    backoff, waits = Backoff(), []
    for now in range(10):
        backoff.failed(float(now), lived_s=0.1)
        waits.append(backoff.left(float(now)))
    assert waits == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_the_wait_runs_down_to_zero_and_no_further():
    backoff = Backoff()
    for _ in range(3):
        backoff.failed(100.0, lived_s=0.0)
    assert [backoff.left(now) for now in (100.25, 101.0, 500.0)] == [0.75, 0.0, 0.0]


def test_after_a_life_of_ten_seconds_it_is_the_first_death_again():
    backoff = Backoff()
    for _ in range(6):
        backoff.failed(0.0, lived_s=LASTED_S - 0.001)
    assert backoff.left(0.0) > 1
    backoff.failed(50.0, lived_s=LASTED_S)
    assert (backoff.failures, backoff.left(50.0)) == (1, 0.0)


def test_something_else_starts_without_a_wait():
    backoff = Backoff()
    for _ in range(6):
        backoff.failed(0.0, lived_s=0.0)
    backoff.forget()
    assert backoff.left(0.0) == 0.0
    backoff.failed(0.0, lived_s=0.0)
    assert backoff.left(0.0) == 0.0


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), max_size=2000))
def test_no_wait_is_longer_than_the_most_however_often_it_dies(deaths):
    backoff, now = Backoff(), 0.0
    for pause, lived in deaths:
        now += pause
        backoff.failed(now, lived)
        assert 0.0 <= backoff.left(now) <= MOST_S + 1e-6


def test_thousands_of_deaths_are_no_overflow():
    backoff = Backoff()
    for _ in range(5000):
        backoff.failed(0.0, lived_s=0.0)
    assert backoff.left(0.0) == MOST_S
