"""Transformers whose input is no table of columns: why each has no plan."""

from typing import Any

from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.preprocessing import LabelBinarizer, LabelEncoder, MultiLabelBinarizer

from controlplane.builder.lower.base import Draft, Lowering, Spec


def _targets(draft: Draft, _: Any) -> Spec:
    raise draft.unsupported(
        "it encodes the target, which a request does not hold; push the model that predicts it"
    )


def _records(draft: Draft, _: Any) -> Spec:
    raise draft.unsupported(
        "it takes dictionaries instead of columns; a request holds a table, so fit OneHotEncoder"
        " on named columns"
    )


LOWERINGS: dict[type, Lowering] = {
    LabelBinarizer: _targets,
    LabelEncoder: _targets,
    MultiLabelBinarizer: _targets,
    DictVectorizer: _records,
    FeatureHasher: _records,
}
