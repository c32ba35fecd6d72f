"""Counters that only grow become sums, whatever happens to the readings."""

from hypothesis import given
from hypothesis import strategies as st

from controlplane.engines.engine import Measured
from controlplane.rollouts.tally import Tally, tally_from
from tests.unit.rollouts.made import answers

BOTH = ("new", "old")


def told(source, new, old):
    return Measured(source, {"new": answers(new), "old": answers(old, errors=old // 2)})


def test_what_was_counted_before_the_first_reading_is_not_ours():
    tally = Tally()
    tally.read([told("a", 5, 1000)], BOTH)
    tally.read([told("a", 7, 1010)], BOTH)
    assert (tally.of_step("new").count, tally.of_step("old").count) == (2, 10)
    assert tally.of_step("old").errors == 5


def test_a_source_that_begins_anew_counts_from_nothing():
    tally = Tally()
    tally.read([], BOTH)
    tally.read([told("a", 4, 0)], BOTH)
    tally.read([told("b", 3, 0)], BOTH)
    assert tally.of_step("new").count == 7


def test_a_reading_that_comes_late_adds_nothing_and_takes_nothing_away():
    tally = Tally()
    for new in (0, 10, 6, 10, 12):
        tally.read([told("a", new, 0)], BOTH)
    assert tally.of_step("new").count == 12


def test_a_step_counts_anew_and_the_whole_goes_on():
    tally = Tally()
    tally.read([told("a", 0, 0)], BOTH)
    tally.read([told("a", 10, 20)], BOTH)
    tally.next_step(first=False)
    tally.read([told("a", 15, 20)], BOTH)
    assert (tally.of_step("new").count, tally.of_all("new").count) == (5, 15)
    assert (tally.of_step("old").count, tally.of_all("old").count) == (0, 20)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 50)), max_size=20))
def test_written_down_after_each_reading_it_says_the_same(readings):
    once, again, grown = Tally(), Tally(), {"a": 0, "b": 0}
    for source, more in readings:
        grown[source] += more
        now = [told(name, count, 0) for name, count in grown.items()]
        once.read(now, BOTH)
        again = tally_from(again.to_json())
        again.read(now, BOTH)
        assert again == once


def test_what_was_answered_before_there_was_traffic_does_not_count():
    tally = Tally()
    tally.read([told("a", 0, 0)], BOTH)
    tally.read([told("a", 10, 20)], BOTH)
    tally.next_step(first=True)
    tally.read([told("a", 11, 23)], BOTH)
    assert (tally.of_all("new").count, tally.of_all("old").count) == (1, 3)
