"""What the comparisons with scikit-learn call equal, within a promise, and faster."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
from sklearn.utils import all_estimators

from controlplane.builder.lower.registry import LOWERINGS
from loadtests.benchmarks import exactness, plans
from loadtests.benchmarks.examples import Example, Without, example
from loadtests.benchmarks.made import MADE

KINDS = {kind.__name__: kind for kind in LOWERINGS}


def test_equal_cells_do_not_differ_nor_do_gaps():
    same = np.array([1.0, np.nan, np.inf])
    assert exactness.difference(same, same.copy()) == {"differ": 0}


def test_a_difference_is_told_absolute_relative_and_as_tolerance():
    found = exactness.difference(np.array([1.0, 4.0 + 2**-50]), np.array([1.0, 4.0]))
    assert found["differ"] == 1
    assert found["absolute"] == 2**-50
    assert found["relative"] == 2**-52
    assert found["needs"] == 2**-53  # of the largest answer and the cell together


def test_labels_that_differ_are_counted():
    found = exactness.difference(np.array(["a", "b"], object), np.array(["a", "c"], object))
    assert found == {"differ": 1, "labels": True}


def test_other_shapes_are_an_error():
    with pytest.raises(ValueError, match="shape"):
        exactness.difference(np.zeros(2), np.zeros(3))


@pytest.mark.parametrize(
    ("promise", "where", "kept"),
    [
        ("bitwise", "7", False),
        ("batch", "7, same size", False),
        ("batch", "7", True),
        ("tolerance", "7", True),
    ],
)
def test_a_promise_is_kept_where_it_holds(promise, where, kept):
    apart = exactness.difference(np.array([1.0 + 2**-52]), np.array([1.0]))
    cells = {name: {"differ": 0} for name in ("at once", "7", "7, same size")} | {where: apart}
    family = {"promise": promise, "tolerance": 1e-12, "methods": {"predict": cells}}
    assert exactness.within(family) is kept


def test_a_tolerance_is_held_against_what_it_takes():
    apart = exactness.difference(np.array([1.0 + 1e-6]), np.array([1.0]))
    family = {"promise": "tolerance", "tolerance": 1e-12, "methods": {"predict": {"7": apart}}}
    assert not exactness.within(family)


@pytest.mark.parametrize(
    "name", ["StandardScaler", "OneHotEncoder", "ColumnTransformer", "DecisionTreeRegressor"]
)
def test_an_example_is_compared_from_end_to_end(name):
    found = example(KINDS[name])
    assert isinstance(found, Example)
    compared = exactness.compared(found, 70)
    assert exactness.within(compared)
    assert exactness.equal(compared, same_size=False)
    assert set(compared["methods"]) == set(found.methods)


def test_rows_of_an_example_are_the_same_for_both():
    found = example(KINDS["ColumnTransformer"])
    assert isinstance(found, Example)
    part = found.sample.rows(9).slice(3, 5)
    assert len(part) == part.ours.rows == 2
    assert [part.theirs[c].tolist() for c in part.theirs] == [c.tolist() for c in part.ours.columns]


def test_what_cannot_be_fitted_is_named_with_the_reason():
    class Picky(BaseEstimator):
        def fit(self, x, y):
            raise ValueError("rows of gold only")

    assert example(Picky) == Without("Picky", "cannot be fitted: rows of gold only")


def test_all_that_is_made_here_exists_in_scikit_learn():
    assert set(MADE) <= {name for name, _ in all_estimators()}


def test_a_height_is_met_when_every_family_is_fast_enough():
    assert plans.line(1, {"Ridge": 10.0, "SVC": 3.0}).met
    slow = plans.line(1, {"Ridge": 9.9, "SVC": 3.0})
    assert not slow.met
    assert slow.figure == "1 of 2"
    assert "Ridge 9.9" in slow.note
    assert plans.line(64, {"Ridge": 0.9}).met
