"""Lowering of models of several outputs that have one model an output."""

from typing import Any

import numpy as np
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.members import group
from runtime.plan.members import MAX_MEMBERS


def multi_output(draft: Draft, estimator: Any) -> Spec:
    """MultiOutputClassifier and MultiOutputRegressor."""
    return {
        "op": "multi_output",
        "has_proba": hasattr(estimator, "predict_proba"),
        **group(draft, estimator, estimator.estimators_),
    }


def _all_have(estimator: Any, method: str) -> bool:
    return hasattr(estimator, method) and all(hasattr(m, method) for m in estimator.estimators_)


def chain(draft: Draft, estimator: Any) -> Spec:
    """ClassifierChain and RegressorChain."""
    members = estimator.estimators_
    if len(members) > MAX_MEMBERS:
        raise draft.unsupported(f"it has more than {MAX_MEMBERS} members")
    feeds = getattr(estimator, "chain_method_", "predict")
    if feeds == "predict_log_proba":
        raise draft.unsupported("its members are fed logarithms of probabilities")
    # With more classes, or with one alone, scikit-learn has no one score an output to give.
    binary = all(len(getattr(member, "classes_", ())) == 2 for member in members)
    return {
        "op": "chain",
        "members": [draft.node(member) for member in members],
        "order": draft.tensor(np.asarray(estimator.order_), "i8"),
        "feeds": feeds,
        "has_predict_proba": binary and _all_have(estimator, "predict_proba"),
        "has_decision_function": binary and _all_have(estimator, "decision_function"),
    }


LOWERINGS: dict[type, Lowering] = {
    MultiOutputClassifier: multi_output,
    MultiOutputRegressor: multi_output,
    ClassifierChain: chain,
    RegressorChain: chain,
}
