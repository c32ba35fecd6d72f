"""The coverage table: it is the committed one, and it leaves nobody out."""

from pathlib import Path

import pytest
from sklearn.utils import all_estimators

from controlplane.builder.coverage.page import page, share
from controlplane.builder.coverage.trial import Row, Served, rows

COMMITTED = Path(__file__).parents[3] / "COVERAGE.md"


@pytest.fixture(scope="module")
def tried() -> list[Row]:
    return rows()


def test_the_committed_table_is_what_the_code_does(tried):
    assert COMMITTED.read_text() == page(tried), "run `task coverage` and commit COVERAGE.md"


def test_every_estimator_has_a_line_and_a_fallback_its_reason(tried):
    assert [row.name for row in tried] == [name for name, _ in all_estimators()]
    for row in tried:
        assert row.notes or row.served is Served.PLAN, row.name
        assert bool(row.methods and row.exact) == (row.served in (Served.PLAN, Served.PARTLY))


def test_no_plan_was_refused_by_the_check_that_follows_it(tried):
    refused = [row.name for row in tried if any("refused by the check" in n for n in row.notes)]
    assert refused == []


def test_nine_of_ten_have_a_plan(tried):
    assert share(tried) >= 0.9


def test_the_share_counts_what_could_be_served():
    some = [
        Row("A", Served.PLAN),
        Row("B", Served.PARTLY),
        Row("C", Served.FALLBACK),
        Row("D", Served.NOTHING),
    ]
    assert share(some) == pytest.approx(2 / 3)
    assert "plan for 2 (66.7%)" in page(some)


def test_a_bar_in_a_reason_does_not_end_its_cell():
    assert "a \\| b" in page([Row("A", Served.FALLBACK, notes=("a |\nb",))])
