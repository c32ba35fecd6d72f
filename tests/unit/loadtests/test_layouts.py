"""Layouts of trees are timed on the same rows; what a plan takes is held against the quickest."""

import pytest
from sklearn.ensemble import RandomForestClassifier

from loadtests.benchmarks import layouts


def cell(taken: str, **us: float) -> dict[str, object]:
    return {"trees": 10, "shape": "depth 6", "rows": 64, "taken": taken, "us": us}


def test_a_plan_that_takes_the_quickest_layout_or_one_near_it_meets_the_aim():
    raw = {"cells": [cell("walk", walk=8.0, quickscorer=9.0), cell("walk", walk=8.0, other=7.0)]}
    (row,) = layouts.rows(raw)
    assert row.met
    assert row.figure == "2 of 2"


def test_a_plan_that_takes_a_slow_layout_is_named():
    (row,) = layouts.rows({"cells": [cell("quickscorer", walk=4.0, quickscorer=9.0)]})
    assert not row.met
    assert "10 trees, depth 6, 64 rows 2.25" in row.note


def test_the_table_has_a_line_a_batch_and_marks_what_is_taken():
    text = layouts.tables({"cells": [cell("walk", walk=4.0, quickscorer=9.0)]})
    assert text.endswith("| 10 | depth 6 | 64 |  | **4** | 9 |\n")


@pytest.mark.parametrize("trees", [1, 3, 12])
@pytest.mark.parametrize("limits", [{"max_depth": 3}, {"max_leaf_nodes": 70}])
def test_every_layout_that_a_forest_has_is_timed(trees, limits):
    model = RandomForestClassifier(trees, random_state=0, **limits)
    small = "max_depth" in limits
    for found in layouts.forest(model, [1, 8, 600], each_s=0.0):
        assert found["taken"] in found["us"]
        assert ("quickscorer" in found["us"]) == small
        assert ("one by one" in found["us"]) == (found["rows"] * trees <= layouts.MOST_PAIRS)
        assert all(us > 0 for us in found["us"].values())
