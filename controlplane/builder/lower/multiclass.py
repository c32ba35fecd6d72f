"""Lowering of classifiers of many classes that are made of classifiers of two."""

from types import SimpleNamespace
from typing import Any, Final

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.multiclass import (
    OneVsOneClassifier,
    OneVsRestClassifier,
    OutputCodeClassifier,
    _ConstantPredictor,
)

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.members import group

_ROW: Final = np.zeros((1, 1))


def _score(member: Any) -> str:
    """Method that scikit-learn takes a member's score from."""
    if is_regressor(member):
        return "predict"
    return "decision_function" if hasattr(member, "decision_function") else "predict_proba"


def _turns(member: Any) -> float:
    """Score from which a member says yes."""
    decides = hasattr(member, "decision_function") and is_classifier(member)
    return 0.0 if decides else 0.5


def _binaries(draft: Draft, estimator: Any) -> Spec:
    members = list(estimator.estimators_)
    return {
        "classes": draft.labels(estimator.classes_),
        "asks": [_score(member) for member in members],
        **group(draft, estimator, members),
    }


def _all_have(estimator: Any, method: str) -> bool:
    return all(hasattr(member, method) for member in estimator.estimators_)


def _never() -> OneVsRestClassifier:
    """Make one of two classes, both of which no row belongs to."""
    member = _ConstantPredictor().fit(_ROW, np.zeros(1, np.int64))
    asked = OneVsRestClassifier(member)
    asked.estimators_, asked.classes_ = [member, member], np.arange(2)
    asked.label_binarizer_ = SimpleNamespace(y_type_="multiclass")
    return asked


def _last_wins() -> bool:
    """Ask this version which of two classes with equal scores it takes."""
    return bool(_never().predict(_ROW)[0] == 1)


def _none_is_nan() -> bool:
    """Ask this version what the probabilities are where no class has any; before 1.7 0 / 0."""
    with np.errstate(invalid="ignore"):
        return bool(np.isnan(_never().predict_proba(_ROW)).all())


def one_vs_rest(draft: Draft, estimator: Any) -> Spec:
    """OneVsRestClassifier over two classes, many classes, or several labels at once."""
    told = estimator.label_binarizer_.y_type_
    if told not in ("binary", "multiclass") and not told.startswith("multilabel"):
        raise draft.unsupported(f"it was fitted on a target of the kind {told!r}")
    if len(estimator.classes_) < 2 and not told.startswith("multilabel"):
        raise draft.unsupported("it has learnt a single class")
    return {
        "op": "one_vs_rest",
        **_binaries(draft, estimator),
        "kind_of": "multilabel" if told.startswith("multilabel") else told,
        "threshold": _turns(estimator.estimators_[0]),
        "last_wins": _last_wins(),
        "none_is_nan": _none_is_nan(),
        "has_proba": _all_have(estimator, "predict_proba"),
        "decides": _all_have(estimator, "decision_function"),
    }


def one_vs_one(draft: Draft, estimator: Any) -> Spec:
    """OneVsOneClassifier."""
    if estimator.pairwise_indices_ is not None:
        raise draft.unsupported("it takes a matrix of similarities instead of columns")
    return {
        "op": "one_vs_one",
        **_binaries(draft, estimator),
        "threshold": _turns(estimator.estimators_[0]),
    }


def output_code(draft: Draft, estimator: Any) -> Spec:
    """OutputCodeClassifier."""
    return {
        "op": "output_code",
        **_binaries(draft, estimator),
        "code": draft.tensor(estimator.code_book_, "f8"),
    }


LOWERINGS: dict[type, Lowering] = {
    OneVsRestClassifier: one_vs_rest,
    OneVsOneClassifier: one_vs_one,
    OutputCodeClassifier: output_code,
}
