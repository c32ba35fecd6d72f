"""README's figures are the result file's, and aims are held against what was measured."""

import json

import pytest

from loadtests.benchmarks import results, soak
from loadtests.benchmarks.measuring import Options, at_least, at_most, number


def test_readme_says_what_was_measured():
    readme, found = results.README.read_text(), results.read()
    again = "python -m loadtests.benchmarks --tables"
    assert results.refreshed(readme, found) == readme, again
    assert results.TABLES.read_text() == results.tables(found), again


def test_a_readme_without_marks_is_refused():
    with pytest.raises(ValueError, match="lost the marks"):
        results.refreshed("# KubeServe\n", {})


def test_nothing_measured_is_said():
    text = f"before\n{results.BEGIN}old\n{results.END}after\n"
    assert results.refreshed(text, {}) == (
        f"before\n{results.BEGIN}{results.NOTHING}{results.END}after\n"
    )


def test_an_aim_is_met_or_not():
    assert at_least("rate", 3.0, 3.0).met
    assert not at_least("rate", 2.999, 3.0).met
    assert at_most("latency", 1.0, 1.0).met
    assert not at_most("latency", 1.001, 1.0).met


@pytest.mark.parametrize(
    ("value", "text"), [(2.134, "2.13"), (61234.4, "61,234"), (0.8967, "0.897"), (100.4, "100")]
)
def test_numbers_have_three_digits(value, text):
    assert number(value) == text


def test_all_parts_together_end_within_25_minutes():
    parts = {name: part for name, part in results.PARTS.items() if name not in results.WHEN_ASKED}
    assert sum(part.limit_s(Options()) for part in parts.values()) <= 25 * 60


def test_a_part_replaces_its_last_result_and_no_other(tmp_path):
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"http": {"raw": 1}}))
    results.keep("http", {"raw": 2}, path)
    assert json.loads(path.read_text()) == {"http": {"raw": 2}}


@pytest.mark.parametrize(("waited", "met"), [(0.0, True), (0.5, False)])
def test_a_soak_that_piles_up_is_not_steady(waited, met):
    found = {"p50_us": 100.0, "p99_us": 200.0, "p999_us": 300.0, "waited": waited}
    found |= {"seconds": 60, "rss_mb": [50.0, 50.5], "minutes": [[1, 100.0, 200.0]], "stolen": 0.01}
    raw = {"soak": found, "alone": found, "rate": 1.0, "ceiling": 10.0}
    assert [row.met for row in soak.rows(raw)] == [met, True]
