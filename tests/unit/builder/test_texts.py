"""Texts for models of text: what is asked of them at a build, and how they are called."""

import random
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor, VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler

from controlplane.builder.landmarks import landmarks, texts
from controlplane.builder.probe import probe_rows
from runtime.estimators import one_column_of_text
from runtime.plan.signature import Column, Kind, Output, Signature

TAUGHT = ["the cat sat on the mat", "a dog ran after the cat", "birds sing"] * 3
SIGNATURE = Signature((Column("x0", Kind.STRING),), (Output("predict", "INT64"),))


def model(vectorizer: Any) -> Any:
    return make_pipeline(vectorizer, LogisticRegression()).fit(TAUGHT, [0, 1, 1] * 3)


@pytest.mark.parametrize(
    "vectorizer",
    [TfidfVectorizer(), CountVectorizer(ngram_range=(1, 3)), HashingVectorizer(n_features=64)],
    ids=lambda vectorizer: type(vectorizer).__name__,
)
def test_texts_are_such_as_are_sent(vectorizer):
    made = texts(vectorizer.fit(TAUGHT))
    assert made == texts(vectorizer)
    known = set(getattr(vectorizer, "vocabulary_", {})) or {"THE"}
    lengths = [len(text.split()) for text in made]
    assert "" in made
    assert 20 < np.mean(lengths) < 200
    assert max(lengths) > 200
    assert any(word in text for text in made for word in known)
    assert any("never-seen" in text for text in made)
    assert any(not text.isascii() for text in made)
    assert any("\n" in text for text in made)


def test_a_large_vocabulary_is_asked_for_some_of_its_terms():
    terms = [f"term{i}" for i in range(20_000)]
    random.Random(0).shuffle(terms)
    made = " ".join(texts(CountVectorizer(vocabulary=terms).fit(TAUGHT))).replace(",", " ")
    assert len(set(made.split()) & set(terms)) > 1_000


def test_probe_rows_are_texts():
    batches = probe_rows(model(TfidfVectorizer()), SIGNATURE)
    assert [len(columns[0]) for columns in batches] == [1, 7, 64, 33]
    assert sum(len(text.split()) for text in batches[2][0]) > 64 * 10
    assert "never seen before" in batches[3][0].tolist()


def test_a_column_of_texts_in_a_table():
    rows = np.array([[1.0, text] for text in TAUGHT], object)
    columns = ColumnTransformer([("n", StandardScaler(), [0]), ("t", CountVectorizer(), 1)])
    found = landmarks(columns.fit(rows), ["x0", "x1"])
    assert any("cat" in value for value in found[1])
    assert all(isinstance(value, float) for value in found[0])


@pytest.mark.parametrize(
    ("estimator", "takes"),
    [
        (TfidfVectorizer(), True),
        (model(CountVectorizer()), True),
        (make_pipeline("passthrough", CountVectorizer()), True),
        (make_pipeline(FeatureUnion([("a", CountVectorizer())]), LogisticRegression()), True),
        (
            GridSearchCV(
                make_pipeline(CountVectorizer(), LogisticRegression()),
                {"countvectorizer__binary": [True]},
                cv=2,
            ).fit(TAUGHT, [0, 1, 1] * 3),
            True,
        ),
        (VotingClassifier([("a", model(CountVectorizer()))]).fit(TAUGHT, [0, 1, 1] * 3), True),
        (RandomForestRegressor(2).fit([[1.0], [2.0]], [1.0, 2.0]), False),
        (CountVectorizer(input="filename"), False),
        (Ridge(), False),
        (make_pipeline(StandardScaler(), Ridge()), False),
        (FeatureUnion([("a", StandardScaler())]), False),
    ],
    ids=str,
)
def test_who_takes_a_list_of_texts(estimator, takes):
    assert one_column_of_text(estimator) is takes
