"""The stability index against closed forms, its noise against scipy and against chance itself."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from controlplane.payloads import psi
from controlplane.payloads.drifting import Column
from controlplane.payloads.psi import Level, shift
from controlplane.payloads.service import _column
from runtime import sketches
from runtime.sketches import Bins, Sketch, added, count, sketch, sketch_from

COUNTS = st.lists(st.integers(0, 10_000), min_size=2, max_size=20)


def of(reference: list[float], current: list[float]) -> psi.Shift:
    seen = sketch(np.array(reference))
    return shift(seen, count(np.array(current), seen.bins))


def test_the_index_is_its_formula() -> None:
    """(0.6 - 0.5) ln(0.6 / 0.5) + (0.4 - 0.5) ln(0.4 / 0.5); half a row is next to nothing."""
    expected = 0.1 * math.log(1.2) - 0.1 * math.log(0.8)
    assert psi.index([500_000, 500_000], [600_000, 400_000]) == pytest.approx(expected, rel=1e-5)


@given(COUNTS, st.data())
def test_the_index_is_symmetric_and_never_negative(first: list[int], data: st.DataObject) -> None:
    other = data.draw(st.lists(st.integers(0, 10_000), min_size=len(first), max_size=len(first)))
    found = psi.index(first, other)
    assert found >= 0
    assert found == pytest.approx(psi.index(other, first))
    assert psi.index(first, first) == 0
    # As the sum of both relative entropies, which scipy has.
    p, q = psi.shares(first), psi.shares(other)
    assert found == pytest.approx(stats.entropy(p, q) + stats.entropy(q, p), abs=1e-9)


@pytest.mark.parametrize("degrees", [1, 2, 5, 9, 10, 50])
def test_the_noise_is_a_chi_squared_as_scipy_has_it(degrees: int) -> None:
    exact = stats.chi2.ppf(0.95, degrees)
    assert psi.chi_squared_95(degrees) == pytest.approx(exact, rel=0.025)


def test_where_nothing_drifts_the_noise_is_exceeded_in_one_of_twenty() -> None:
    random = np.random.default_rng(0)
    reference = sketch(random.normal(size=2000))
    bound = psi.noise(reference.bins.size, 2000, 500)
    above = 0
    for _ in range(400):
        now = count(random.normal(size=500), reference.bins)
        above += psi.index(reference.counts, now.counts) > bound
    assert 5 <= above <= 45


def test_a_shifted_column_is_named_with_the_bin_that_grew() -> None:
    random = np.random.default_rng(1)
    seen = of(random.normal(size=2000).tolist(), random.normal(1.5, 1, size=2000).tolist())
    assert seen.level is Level.MAJOR
    assert seen.bins[0]["label"].startswith("> ")
    assert "before" in seen.evidence


def test_too_few_rows_are_inconclusive_and_not_stable() -> None:
    random = np.random.default_rng(2)
    many = random.normal(size=5000).tolist()
    assert of(many, many[:10]).level is Level.INCONCLUSIVE
    assert of(many, random.normal(size=45).tolist()).level is Level.INCONCLUSIVE
    assert of(many, random.normal(size=5000).tolist()).level is Level.STABLE


@pytest.mark.parametrize(
    ("before", "now", "level"),
    [
        (0, 0, Level.STABLE),
        (10, 12, Level.STABLE),
        (0, 50, Level.MODERATE),
        (0, 400, Level.MAJOR),
        (400, 0, Level.MAJOR),
    ],
)
def test_missing_values_have_a_level_of_their_own(before: int, now: int, level: Level) -> None:
    bins = Bins(sketches.NUMBER, (0.0,))
    there = (500, 500)
    seen = shift(Sketch(bins, there, before), Sketch(bins, there, now))
    assert seen.missing_level is level
    assert (seen.level is Level.STABLE) == (level is Level.STABLE)


def test_of_a_reference_of_few_rows_no_rate_of_missing_values_is_told() -> None:
    """Where it has rows, that values are gone is told though none are left to compare."""
    bins = Bins(sketches.NUMBER, (0.0,))
    now = Sketch(bins, (0, 0), 500)
    few = shift(Sketch(bins, (1, 1), 27), now)
    assert (few.level, few.missing_level) == (Level.INCONCLUSIVE, Level.INCONCLUSIVE)
    assert "the reference has 2 values" not in shift(Sketch(bins, (500, 500), 0), now).evidence
    assert shift(Sketch(bins, (500, 500), 0), now).level is Level.MAJOR


def test_new_categories_are_told() -> None:
    reference = sketch(["a"] * 600 + ["b"] * 400)
    now = count(["a"] * 500 + ["b"] * 300 + ["c"] * 200, reference.bins)
    seen = shift(reference, now)
    assert seen.unseen == pytest.approx(0.2)
    assert seen.level is Level.MAJOR
    assert any(one["label"] == "new values" for one in seen.bins)


def test_values_of_texts_are_named_to_who_may_read_them_alone() -> None:
    reference = sketch(["ada"] * 600 + ["bob"] * 400)
    seen = shift(reference, count(["eve"] * 1000, reference.bins))
    column = Column(reference, "training", None, None)
    shown = str(_column("input.name", column, seen, values=True))
    hidden = str(_column("input.name", column, seen, values=False))
    assert "'label': 'ada'" in shown
    assert "ada" not in hidden
    assert "major" in hidden


CELLS = st.one_of(st.none(), st.floats(-1e6, 1e6), st.just(math.nan))


@settings(max_examples=200)
@given(st.lists(CELLS, max_size=60), st.lists(CELLS, max_size=60))
def test_a_sketch_counts_each_cell_once_and_adds_up(
    first: list[float | None], second: list[float | None]
) -> None:
    one = sketch(np.array(first, object))
    assert one.rows == len(first)
    assert sketch_from(one.to_json()) == one
    other = count(np.array(second, object), one.bins)
    both = count(np.array([*first, *second], object), one.bins)
    assert added(one, other) == both
    # In each bin of numbers lies what numpy's histogram has in it.
    values = [v for v in second if v is not None and not math.isnan(v)]
    expected = [0] * one.bins.size
    for value in values:
        expected[sum(edge < value for edge in one.bins.edges)] += 1
    if one.bins.kind == sketches.NUMBER:
        assert list(other.counts) == expected


@given(st.lists(st.one_of(st.none(), st.text(max_size=5)), max_size=200))
def test_texts_are_counted_by_value_the_common_ones_apart(cells: list[str | None]) -> None:
    cells = [*cells, "x"]
    one = sketch(cells)
    assert one.rows == len(cells)
    assert one.bins.size <= sketches.MOST_VALUES + 1
    assert sketch_from(one.to_json()) == one
