"""Probe rows that a model has no answer to do not cost it its plan, nor the upload its model."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import CategoricalNB
from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from controlplane.builder.describe import describe
from controlplane.builder.draft import drafted
from controlplane.builder.lower.base import Unsupported
from controlplane.builder.verify import verify
from runtime.plan import Frame, distances, load

X = np.random.default_rng(0).normal(size=(30, 2))


def checked(model: object, folder: Path) -> dict[str, object]:
    (folder / "draft").write_bytes(drafted(model))
    with (folder / "draft").open("rb") as file:
        return verify(file.fileno(), folder, {})


def test_rows_without_neighbours_are_left_out_of_the_comparison(tmp_path):
    model = RadiusNeighborsClassifier(0.8).fit(X, np.arange(30) % 2)
    with pytest.raises(ValueError, match="No neighbors found"):
        model.predict(np.array([[50.0, 50.0]]))
    assert "refused" not in checked(model, tmp_path)


@pytest.mark.parametrize("scaled", [False, True])
def test_a_radius_far_from_zero_has_rows_to_compare(scaled, tmp_path):
    model = RadiusNeighborsClassifier(0.8)
    model = make_pipeline(StandardScaler(), model) if scaled else model
    model.fit(X + 1000.0, np.arange(30) % 2)
    assert "refused" not in checked(model, tmp_path)


def test_what_has_no_plan_is_asked_about_a_row_that_it_keeps():
    model = RadiusNeighborsClassifier(0.8, metric=lambda a, b: float(np.abs(a - b).max()))
    signature = describe(model.fit(X + 1000.0, np.arange(30) % 2))
    assert [output.name for output in signature.outputs] == ["predict", "predict_proba"]


def test_rows_below_zero_are_made_positive_where_counts_are_wanted(tmp_path):
    counts = np.floor(np.abs(X) * 3)
    for model in (CategoricalNB(), LatentDirichletAllocation(2, max_iter=2)):
        assert "refused" not in checked(model.fit(counts, np.arange(30) % 2), tmp_path)
        (tmp_path / "plan").unlink()


def test_a_plan_that_refuses_what_scikit_learn_answers_is_no_plan(monkeypatch):
    model = KNeighborsClassifier(3).fit(X, np.arange(30) % 2)
    monkeypatch.setattr(distances, "MOST", 1e-9)
    with pytest.raises(Unsupported, match="refuses a row that scikit-learn answers"):
        drafted(model)


def texts(missing: object, *more: list[object]) -> np.ndarray:
    """One column of texts, some of them missing, and others."""
    return np.array([["a", "b", missing, "c"] * 8, *more], object).T


def filled_texts() -> Pipeline:
    codes = OneHotEncoder(handle_unknown="ignore")
    return make_pipeline(SimpleImputer(strategy="most_frequent"), codes, LogisticRegression())


@pytest.mark.parametrize("missing", [None, np.nan])
def test_an_imputer_of_nan_leaves_the_none_that_it_was_fitted_on(missing, tmp_path):
    x = texts(missing)
    model = filled_texts().fit(x, [0, 1, 1, 0] * 8)
    assert "refused" not in checked(model, tmp_path)
    cells = np.array(["a", None, "c", "new"], object)
    asked = np.array([[missing if cell is None else cell] for cell in cells], object)
    proba = load(tmp_path / "plan").run("predict_proba", Frame((cells,)))
    np.testing.assert_allclose(proba, model.predict_proba(asked), rtol=1e-12)
    # None has a category of its own, NaN is what was most frequent.
    assert (proba[0] == proba[1]).all() == (missing is not None)


def test_an_imputer_that_would_fill_numbers_beside_none_has_no_plan():
    x = texts(None, [1.0, 2.0, np.nan, 2.0] * 8)
    with pytest.raises(Unsupported, match="leaves in its columns of texts"):
        drafted(filled_texts().fit(x, [0, 1, 1, 0] * 8))
