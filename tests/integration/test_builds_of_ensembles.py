"""Ensembles and meta-estimators through the whole build: a plan each, under their own name."""

import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import pytest_asyncio
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    RandomForestClassifier,
    RandomTreesEmbedding,
    StackingClassifier,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, RegressorChain
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeRegressor

from controlplane.builder.job import Builder
from controlplane.builder.report import Limits, Outcome
from runtime.estimators import as_array
from runtime.plan import Frame, load

pytestmark = pytest.mark.asyncio(loop_scope="module")

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
# No two neighbours are equally far, as they are on the iris' grid.
APART = X + np.random.default_rng(0).normal(size=X.shape)
TWO = np.stack([Y > 0, Y > 1], axis=1).astype(int)
FOREST = RandomForestClassifier(5, random_state=0)
LOGISTIC = LogisticRegression(max_iter=300)
TABLE = pd.DataFrame(
    {"size": X[:, 0], "colour": np.where(X[:, 1] > 3, "red", "blue"), "weight": X[:, 2]}
)
ENCODED = make_pipeline(
    make_column_transformer((StandardScaler(), ["size", "weight"]), (OneHotEncoder(), ["colour"])),
    LOGISTIC,
)

MODELS: dict[str, tuple[Any, Any, Any]] = {
    "soft vote": (VotingClassifier([("a", LOGISTIC), ("b", FOREST)], voting="soft"), X, NAMES),
    "hard vote": (VotingClassifier([("a", GaussianNB()), ("b", FOREST)]), X, NAMES),
    "mean": (VotingRegressor([("a", Ridge()), ("b", DecisionTreeRegressor())]), X, X[:, 0]),
    "stack": (StackingClassifier([("a", FOREST), ("b", GaussianNB())], cv=2), X, NAMES),
    "bagging": (BaggingClassifier(max_features=0.5, random_state=0), X, NAMES),
    "bagged lines": (BaggingClassifier(LOGISTIC, n_estimators=3, random_state=0), X, Y),
    "adaboost": (AdaBoostClassifier(n_estimators=10), X, NAMES),
    "adaboost of numbers": (AdaBoostRegressor(n_estimators=10), X, X[:, 0]),
    "embedding": (RandomTreesEmbedding(4, max_depth=3, sparse_output=False), X, None),
    "calibrated": (CalibratedClassifierCV(LinearSVC(random_state=0), cv=2), X, NAMES),
    "isotonic": (IsotonicRegression(out_of_bounds="raise"), X[:, :1], X[:, 2]),
    "dummy": (DummyClassifier(), X, NAMES),
    "frozen": (FrozenEstimator(LOGISTIC.fit(X, NAMES)), X, NAMES),
    "search": (GridSearchCV(LOGISTIC, {"C": [1.0]}, cv=2), X, NAMES),
    "threshold": (FixedThresholdClassifier(LOGISTIC, threshold=0.3), X, Y > 0),
    "self-training": (SelfTrainingClassifier(GaussianNB()), X, np.where(X[:, 0] > 6, -1, Y)),
    "target": (
        TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1), X, X[:, 0]
    ),
    "one vs rest": (OneVsRestClassifier(LOGISTIC), X, NAMES),
    "labels": (OneVsRestClassifier(LOGISTIC), X, TWO),
    "one vs one": (OneVsOneClassifier(LinearSVC(random_state=0)), X, NAMES),
    # Both ask scikit-learn for distances, for which it wants to count its threads.
    "neighbours": (KNeighborsClassifier(algorithm="brute"), APART, NAMES),
    "codes": (OutputCodeClassifier(LinearSVC(random_state=0), random_state=0), X, NAMES),
    "outputs": (MultiOutputClassifier(FOREST), X, TWO),
    "chain": (ClassifierChain(LOGISTIC), X, TWO),
    "chained numbers": (RegressorChain(Ridge()), X, X[:, :2]),
    "forest of outputs": (FOREST, X, TWO),
    "vote over a table": (VotingClassifier([("a", ENCODED)], voting="soft"), TABLE, NAMES),
    "calibrated over a table": (CalibratedClassifierCV(ENCODED, cv=2), TABLE, NAMES),
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def builder() -> AsyncIterator[Builder]:
    builder = Builder(Limits(wall_s=60))
    await builder.start()
    yield builder
    await builder.close()


@pytest.mark.parametrize("name", MODELS)
async def test_ensemble_gets_a_plan(name: str, builder: Builder, tmp_path: Path) -> None:
    model, rows, y = MODELS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(rows, y)
    source, work = tmp_path / "model.joblib", tmp_path / "work"
    joblib.dump(model, source)
    work.mkdir()
    report = await builder.build(source, work)
    assert report.outcome is Outcome.PLAN, report
    assert report.estimator == f"{type(model).__module__}.{type(model).__qualname__}"
    assert report.plan_path is not None
    plan = load(report.plan_path)
    held = rows if isinstance(rows, np.ndarray) else Frame(tuple(rows[c].to_numpy() for c in rows))
    for output in plan.signature.outputs:
        theirs = as_array(getattr(model, output.name)(rows))
        ours = plan.run(output.name, held)
        if theirs.dtype.kind == "f":
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)
        else:
            np.testing.assert_array_equal(ours, theirs)
