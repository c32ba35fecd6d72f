"""Lowering of ensembles: averages, votes and stacks of models that have plans themselves."""

# A voting ensemble keeps the weights of those that vote in a private property.
# ruff: noqa: SLF001

import copy
import warnings
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.members import group, width
from controlplane.builder.lower.tree_layouts import Grown, lay_out
from controlplane.builder.lower.trees import TREES, grown_tree, missing, probabilities
from runtime.plan.adaboost import log_votes


def voting_classifier(draft: Draft, estimator: Any) -> Spec:
    """VotingClassifier; its members were fitted on places of the classes."""
    return {
        "op": "voting_classifier",
        "classes": draft.labels(estimator.classes_),
        "voting": estimator.voting,
        "flat": estimator.voting == "soft" and bool(estimator.flatten_transform),
        **_weights(draft, estimator),
        **group(draft, estimator, estimator.estimators_),
    }


def voting_regressor(draft: Draft, estimator: Any) -> Spec:
    """VotingRegressor."""
    return {
        "op": "voting_regressor",
        **_weights(draft, estimator),
        **group(draft, estimator, estimator.estimators_),
    }


def _weights(draft: Draft, estimator: Any) -> Spec:
    weights = estimator._weights_not_none
    if weights is None:
        return {"weights": None}
    array = np.asarray(weights, np.float64)
    if not (array >= 0).all() or not 0 < array.sum() < np.inf:
        raise draft.unsupported("its weights are negative, all zero or not finite")
    return {"weights": draft.tensor(array)}


def stacking(draft: Draft, estimator: Any) -> Spec:
    """StackingClassifier and StackingRegressor, whatever their `cv` was."""
    classes = getattr(estimator, "classes_", None)
    if isinstance(classes, list):
        raise draft.unsupported("it predicts several labels at once")
    given = draft.sparse
    draft.sparse = given and bool(estimator.passthrough)
    last = draft.node(estimator.final_estimator_)
    draft.sparse = given
    return {
        "op": "stacking",
        "classes": None if classes is None else draft.labels(classes),
        "asks": list(estimator.stack_method_),
        "widths": [int(count) for count in estimator._n_feature_outs],
        "binary": classes is not None and len(classes) == 2,
        "passthrough": bool(estimator.passthrough),
        "last": last,
        **group(draft, estimator, estimator.estimators_),
    }


def bagging(draft: Draft, estimator: Any) -> Spec:
    """BaggingClassifier and BaggingRegressor; single trees become one forest."""
    members = estimator.estimators_
    if estimator.n_estimators != len(members):
        raise draft.unsupported("its n_estimators was changed after it was fitted")
    picked = np.asarray(estimator.estimators_features_, np.int64)
    classifies = isinstance(estimator, BaggingClassifier)
    if all(type(member) in TREES for member in members):
        return _forest(draft, estimator, picked, classifies)
    shared = {
        "in_order": estimator.n_jobs in (None, 1),
        **group(draft, estimator, members, picked=picked),
    }
    if not classifies:
        return {"op": "averaged_regressor", **shared}
    votes = [not hasattr(member, "predict_proba") for member in members]
    if any(votes) and not all(votes):
        raise draft.unsupported("some of its members have probabilities and some have none")
    every = all(len(member.classes_) == estimator.n_classes_ for member in members)
    return {
        "op": "averaged_classifier",
        "classes": draft.labels(estimator.classes_),
        "votes": votes[0],
        # Members that have not seen every class give scores of different shapes.
        "decides": hasattr(estimator, "decision_function") and every,
        **shared,
    }


def _forest(draft: Draft, estimator: Any, picked: NDArray[np.int64], classifies: bool) -> Spec:
    """Bagged trees: the mean of a forest, whose trees are shown their own columns."""
    used = np.unique(picked)
    # scikit-learn checks what a tree is given; a column that no tree has may hold anything.
    all_used = len(used) == width(draft, estimator)
    places = picked if all_used else used.searchsorted(picked)
    trees = estimator.estimators_
    if classifies:
        count = len(estimator.classes_)
        values = [_spread(probabilities(t), t.classes_, count) for t in trees]
        own: Spec = {"op": "forest_classifier", "classes": draft.labels(estimator.classes_)}
    else:
        values = [t.tree_.value[:, :, 0] for t in trees]
        own = {"op": "forest_regressor"}
    grown = [
        grown_tree(t.tree_, leaves, columns)
        for t, leaves, columns in zip(trees, values, places, strict=True)
    ]
    forest = {
        **own,
        "n_in": len(used),
        "missing": missing(trees[0]),
        "in_order": estimator.n_jobs in (None, 1),
        **lay_out(draft, grown, narrow=True),
    }
    return forest if all_used else _over(draft, estimator, used, forest)


def _spread(proba: NDArray[np.float64], classes: Sequence[int], count: int) -> NDArray[np.float64]:
    """Probabilities in columns of all classes; a tree may have been grown without some."""
    spread = np.zeros((len(proba), count))
    spread[:, np.asarray(classes, np.int64)] = proba
    return spread


def _over(draft: Draft, estimator: Any, used: NDArray[np.int64], forest: Spec) -> Spec:
    identity = {"op": "identity", "n_in": len(used), "refuses_missing": False}
    part = {"node": identity, "columns": used.tolist(), "weight": None}
    columns = {
        "op": "columns",
        "n_in": width(draft, estimator),
        "parts": [part],
        "any_unused": hasattr(estimator, "feature_names_in_"),
    }
    return {"op": "pipeline", "steps": [columns, forest], "shows_head": False, "sparse": False}


def adaboost_classifier(draft: Draft, estimator: Any) -> Spec:
    """AdaBoostClassifier, SAMME and the SAMME.R of old versions; single trees become one table."""
    if len(estimator.classes_) < 2:
        raise draft.unsupported("it has learnt a single class")
    members = estimator.estimators_
    real = getattr(estimator, "algorithm", "SAMME") == "SAMME.R"
    right = np.asarray(estimator.estimator_weights_, np.float64)[: len(members)]
    wrong = _share_of_the_wrong(estimator) * right
    own: Spec = {
        "classes": draft.labels(estimator.classes_),
        "norm": float(estimator.estimator_weights_.sum()),
    }
    if all(type(member) in TREES for member in members):
        grown = []
        for member, *votes in zip(members, right, wrong, strict=True):
            known = np.searchsorted(estimator.classes_, member.classes_)
            leaves = (
                log_votes(probabilities(member))
                if real
                else _votes(member, known, len(estimator.classes_), *votes)
            )
            grown.append(grown_tree(member.tree_, leaves))
        return {"op": "adaboost_tree_classifier", **own, **_grown(draft, estimator, grown)}
    weights = {} if real else {"right": draft.tensor(right), "wrong": draft.tensor(wrong)}
    return {
        "op": "adaboost_classifier",
        **own,
        **weights,
        "real": real,
        **group(draft, estimator, members, refuses_missing=True),
    }


def _votes(
    tree: Any, known: NDArray[np.int64], count: int, right: float, wrong: float
) -> NDArray[np.float64]:
    """What each node of a tree adds to every class; `known` are the places of the tree's own."""
    predicted = known[tree.tree_.value[:, 0, :].argmax(axis=1)]
    return np.where(np.arange(count) == predicted[:, None], right, wrong)


def _grown(draft: Draft, estimator: Any, grown: list[Grown]) -> Spec:
    # It is AdaBoost that looks at the table first, and refuses NaN whatever its trees do.
    shared = {"n_in": width(draft, estimator), "missing": "refuses"}
    return {**shared, **lay_out(draft, grown, narrow=True)}


def _share_of_the_wrong(estimator: Any) -> float:
    """What SAMME adds to classes not predicted, in weights: zero in old versions.

    This version's own decision function is asked, with a stand-in that always votes the first of
    three classes.
    """
    voter = SimpleNamespace(predict=lambda x: np.zeros(len(x), np.int64))
    stand_in = copy.copy(estimator)
    stand_in.algorithm, stand_in.classes_, stand_in.n_classes_ = "SAMME", np.arange(3), 3
    stand_in.estimators_, stand_in.estimator_weights_ = [voter], np.ones(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # columns without names
        scores = stand_in.decision_function(np.zeros((1, estimator.n_features_in_)))
    return 0.0 if scores[0, 1] == 0 else -1 / (len(estimator.classes_) - 1)


def adaboost_regressor(draft: Draft, estimator: Any) -> Spec:
    """AdaBoostRegressor; single trees become one table."""
    members = estimator.estimators_
    weights = np.asarray(estimator.estimator_weights_, np.float64)[: len(members)]
    if all(type(member) in TREES for member in members):
        grown = [grown_tree(m.tree_, m.tree_.value[:, :, 0]) for m in members]
        return {
            "op": "adaboost_tree_regressor",
            "weights": draft.tensor(weights),
            **_grown(draft, estimator, grown),
        }
    return {
        "op": "adaboost_regressor",
        "weights": draft.tensor(weights),
        **group(draft, estimator, members, refuses_missing=True),
    }


LOWERINGS: dict[type, Lowering] = {
    VotingClassifier: voting_classifier,
    VotingRegressor: voting_regressor,
    StackingClassifier: stacking,
    StackingRegressor: stacking,
    BaggingClassifier: bagging,
    BaggingRegressor: bagging,
    AdaBoostClassifier: adaboost_classifier,
    AdaBoostRegressor: adaboost_regressor,
}
