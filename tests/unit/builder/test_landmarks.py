"""What is known of a model's input by looking into it: inside ensembles, too."""

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.linear_model import Ridge
from sklearn.multiclass import OneVsOneClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from controlplane.builder.describe import describe
from controlplane.builder.landmarks import landmarks
from runtime.estimators import keeps_none


def ranges(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Columns that tell themselves apart by their size."""
    x = np.random.default_rng(seed).uniform(0.0, 1.0, (90, 3)) + 10.0 * np.arange(3)
    return x, (x.sum(axis=1) * 10).astype(int) % 3


@pytest.mark.parametrize(
    "model",
    [
        BaggingClassifier(max_features=2, random_state=0),
        BaggingClassifier(RandomForestClassifier(3), max_features=2, random_state=0),
        RandomForestClassifier(5),
        VotingClassifier([("tree", DecisionTreeClassifier())]),
        CalibratedClassifierCV(DecisionTreeClassifier(), cv=2),
        OneVsOneClassifier(DecisionTreeClassifier()),
    ],
    ids=lambda model: type(model).__name__,
)
def test_thresholds_of_members_are_found_for_the_columns_that_they_split(model):
    x, y = ranges()
    found = landmarks(model.fit(x, y), ["a", "b", "c"])
    assert sorted(found) == [0, 1, 2]
    for column, values in found.items():
        assert all(10 * column <= value <= 10 * column + 1 for value in values)


def test_products_that_are_not_kept_tell_nothing():
    x, y = ranges()
    model = SVC(kernel="precomputed").fit(x @ x.T, y)
    assert model.support_vectors_.size == 0
    assert not landmarks(model, [f"x{i}" for i in range(len(x))])
    assert len(describe(model).columns) == len(x)


class Odd(Ridge):
    """Has attributes that are named as scikit-learn's, and are none of them."""

    def fit(self, x, y):
        self.transformers_ = ["what went in"]
        return super().fit(x, y)


def test_a_class_that_cannot_be_looked_into_is_asked_all_the_same():
    x, y = ranges()
    model = Odd().fit(x, y)
    with pytest.raises(ValueError, match="unpack"):
        landmarks(model, ["a", "b", "c"])
    assert [output.name for output in describe(model).outputs] == ["predict"]


@pytest.mark.parametrize("missing", [None, np.nan])
def test_whether_missing_texts_were_none_is_asked_of_members(missing):
    frame = pd.DataFrame({"a": pd.Series(["x", missing, "y"] * 4, dtype=object)})
    tree = make_pipeline(OrdinalEncoder(), DecisionTreeClassifier())
    model = VotingClassifier([("tree", tree)]).fit(frame, [0, 1, 0] * 4)
    assert keeps_none(model) == (missing is None)
