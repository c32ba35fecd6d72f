"""Transformers of targets and of dictionaries: refused, and told why."""

import numpy as np
import pytest
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelBinarizer, LabelEncoder, MultiLabelBinarizer

from controlplane.builder.lower.base import Unsupported
from controlplane.builder.lower.registry import new_draft

RECORDS = [{"a": 1.0, "b": "x"}, {"a": 2.0, "b": "y"}]


@pytest.mark.parametrize(
    ("fitted", "words"),
    [
        (LabelEncoder().fit(["a", "b"]), "encodes the target"),
        (LabelBinarizer().fit(["a", "b"]), "encodes the target"),
        (MultiLabelBinarizer().fit([{"a"}, {"b"}]), "encodes the target"),
        (DictVectorizer().fit(RECORDS), "dictionaries instead of columns"),
        (FeatureHasher().fit(RECORDS), "dictionaries instead of columns"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_takes_no_table_says_what_it_takes(fitted, words):
    with pytest.raises(Unsupported, match=words):
        new_draft().node(fitted)


def test_it_is_named_inside_a_pipeline_too():
    model = make_pipeline(DictVectorizer(), LogisticRegression()).fit(RECORDS, np.array([0, 1]))
    with pytest.raises(Unsupported, match=r"^Pipeline > DictVectorizer: it takes dictionaries"):
        new_draft().node(model)
