"""Sparse rows and texts reach the members of ensembles as they reach other models."""

from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    BaggingRegressor,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, RegressorChain
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from runtime.estimators import one_column_of_text
from runtime.plan import Frame, signature_of
from runtime.plan.ops import Node
from runtime.plan.signature import Kind
from tests.unit.plan.twins import assert_bitwise, assert_within, compiled

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

WORDS = np.array(["one", "two", "three", "four", "five", "six", "and", "of", "the", "a", "nought"])


def texts(seed: int, rows: int) -> list[str]:
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(WORDS, random.integers(0, 12))) for _ in range(rows)]


TEXTS = texts(0, 90)
Y = np.array([len(text) % 3 for text in TEXTS])
TWO = np.stack([Y > 0, [text.count("o") % 2 for text in TEXTS]], axis=1).astype(int)
HALF = np.where(np.arange(90) % 3 == 0, -1, Y)
LOGISTIC = LogisticRegression(max_iter=30)
FOREST = RandomForestClassifier(4, max_depth=4, random_state=0)
VECTORS = make_pipeline(TfidfVectorizer(), LOGISTIC)

SVC = LinearSVC(random_state=0)

SPARSE = {
    "soft vote": (VotingClassifier([("a", LOGISTIC), ("b", MultinomialNB())], voting="soft"), Y),
    "mixed vote": (VotingClassifier([("a", SVC), ("b", FOREST)]), Y),
    "mean": (VotingRegressor([("a", Ridge(solver="lsqr"))]), Y * 1.0),
    "stack": (StackingClassifier([("a", SVC), ("b", FOREST)], LOGISTIC, cv=2), Y),
    "stack with columns": (
        StackingClassifier([("a", ComplementNB())], LOGISTIC, cv=2, passthrough=True), Y
    ),
    "stack with columns for trees": (
        StackingClassifier([("a", ComplementNB())], FOREST, cv=2, passthrough=True), Y
    ),
    "bagging": (BaggingClassifier(LOGISTIC, n_estimators=3, max_features=0.5, random_state=0), Y),
    "bagging twice": (
        BaggingClassifier(
            LOGISTIC, n_estimators=3, max_features=0.5, bootstrap_features=True, random_state=0
        ), Y
    ),
    "bagged trees": (BaggingClassifier(max_features=0.2, random_state=0), Y),
    "bagged numbers": (BaggingRegressor(Ridge(solver="lsqr"), n_estimators=3), Y * 1.0),
    "adaboost": (AdaBoostClassifier(MultinomialNB(), n_estimators=3), Y),
    "adaboost of trees": (AdaBoostClassifier(n_estimators=3), Y),
    "calibrated": (CalibratedClassifierCV(SVC, cv=2), Y),
    "rest": (OneVsRestClassifier(LOGISTIC), Y),
    "labels": (OneVsRestClassifier(SVC), TWO),
    "one": (OneVsOneClassifier(SVC), Y),
    "codes": (OutputCodeClassifier(SVC, random_state=0), Y),
    "outputs": (MultiOutputClassifier(MultinomialNB()), TWO),
    "chain": (ClassifierChain(LOGISTIC, chain_method="decision_function"), TWO),
    "chain of trees": (ClassifierChain(DecisionTreeClassifier(max_depth=3)), TWO),
    "chained numbers": (RegressorChain(Ridge(solver="lsqr")), TWO * 1.0),
    "threshold": (FixedThresholdClassifier(LOGISTIC, threshold=0.4), TWO[:, 0]),
    "self-training": (SelfTrainingClassifier(MultinomialNB(), max_iter=2), HALF),
    "target": (TransformedTargetRegressor(Ridge(solver="lsqr"), func=np.sqrt,
                                          inverse_func=np.square), Y * 1.0),
    "search": (GridSearchCV(OneVsRestClassifier(RidgeClassifier(solver="lsqr")),
                            {"estimator__alpha": [1.0]}, cv=2), Y),
}  # fmt: skip


def held(rows: list[str]) -> Frame:
    column = np.empty(len(rows), object)
    column[:] = rows
    return Frame((column,))


def assert_twins(model: Any) -> Node:
    node = compiled(model)
    assert node.columns_in(True) == ((Kind.STRING, False),)
    signature_of(node, None)
    for asked in (texts(1, 40), texts(2, 1), [""]):
        for method in node.methods:
            ours, theirs = node.run(method, held(asked)), getattr(model, method)(asked)
            if isinstance(theirs, list):
                theirs = np.hstack(theirs)
            theirs = theirs.toarray() if hasattr(theirs, "toarray") else np.asarray(theirs)
            if theirs.dtype.kind == "f":
                assert_within(ours, theirs)
            else:
                assert_bitwise(ours, theirs)
    return node


@pytest.mark.parametrize("name", SPARSE)
def test_sparse_rows_reach_the_members(name):
    model, y = SPARSE[name]
    vectorizer = CountVectorizer() if "adaboost" in name else TfidfVectorizer()
    node = assert_twins(make_pipeline(vectorizer, model).fit(TEXTS, y))
    trees_alone = name in ("bagging twice", "adaboost of trees", "chain of trees")
    assert node.last.takes_sparse != trees_alone


@pytest.mark.parametrize("name", ["labels", "one", "rest"])
def test_scores_of_sparse_rows_are_scipys_to_the_last_bit(name):
    model, y = SPARSE[name]
    model = make_pipeline(TfidfVectorizer(), model).fit(TEXTS, y)
    asked = texts(1, 40)
    ours = compiled(model).run("decision_function", held(asked))
    assert_bitwise(ours, model.decision_function(asked))


@pytest.mark.parametrize(
    "model",
    [
        VotingClassifier([("a", VECTORS), ("b", make_pipeline(CountVectorizer(), FOREST))]),
        StackingClassifier([("a", VECTORS)], LOGISTIC, cv=2),
        CalibratedClassifierCV(VECTORS, cv=2),
        OneVsRestClassifier(VECTORS),
        MultiOutputClassifier(VECTORS),
        GridSearchCV(VECTORS, {"logisticregression__C": [1.0]}, cv=2),
        FixedThresholdClassifier(VECTORS),
    ],
    ids=lambda model: type(model).__name__,
)
def test_texts_reach_the_members(model):
    if isinstance(model, MultiOutputClassifier):
        model.fit(TEXTS, TWO)
    else:
        model.fit(TEXTS, TWO[:, 0] if isinstance(model, FixedThresholdClassifier) else Y)
    assert one_column_of_text(model)
    assert_twins(model)
    assert_twins(FrozenEstimator(model))


def test_a_stack_with_columns_hands_sparse_rows_on():
    stack = StackingClassifier([("a", ComplementNB())], LOGISTIC, cv=2, passthrough=True)
    model = Pipeline([("v", TfidfVectorizer()), ("s", stack), ("l", SVC)]).fit(TEXTS, Y)
    node = assert_twins(model)
    assert node.exact != "tolerance"


def test_many_columns_that_are_alike_are_joined_at_once():
    x = np.random.default_rng(0).normal(size=(6, 50_000))
    node = compiled(OneVsRestClassifier(RidgeClassifier()).fit(x, [0, 1, 2, 0, 1, 2]))
    assert node.columns_in(True) == ((Kind.NUMBER, False),) * 50_000
    assert node.example() == (0.0,) * 50_000
