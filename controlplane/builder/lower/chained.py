"""Lowering of IterativeImputer: the models of its last rounds, in the order they were fitted."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer

from controlplane.builder.lower.base import Draft, Lowering, Spec
from controlplane.builder.lower.imputers import missing_value
from runtime.plan.chained import MAX_STEPS


def _chained(draft: Draft, estimator: Any) -> Spec:
    if estimator.sample_posterior:
        raise draft.unsupported("sample_posterior=True draws its answers at random")
    steps = list(estimator.imputation_sequence_) if estimator.n_iter_ else []
    if len(steps) > MAX_STEPS:
        raise draft.unsupported(f"it predicts in more than {MAX_STEPS} steps")
    keeps = bool(getattr(estimator, "keep_empty_features", False))
    if keeps and not hasattr(estimator, "_is_empty_feature"):
        raise draft.unsupported(
            "with keep_empty_features=True scikit-learn replaced, before 1.6, cells that are there"
        )
    empty = _empty(estimator)
    width = len(empty) if keeps else int((~empty).sum())
    others = [np.asarray(step.neighbor_feat_idx, np.int64) for step in steps]
    return {
        "op": "chained",
        "initial": draft.node(estimator.initial_imputer_),
        "kept": None if keeps or not empty.any() else draft.tensor(np.flatnonzero(~empty), "i8"),
        "blank": draft.tensor(np.flatnonzero(empty), "i8") if keeps and empty.any() else None,
        "models": [draft.node(step.estimator) for step in steps],
        "targets": draft.tensor([step.feat_idx for step in steps], "i8"),
        "counts": draft.tensor([len(share) for share in others], "i8"),
        "others": draft.tensor(np.concatenate(others) if others else [], "i8"),
        "low": draft.tensor(_bound(estimator, "_min_value", width, -np.inf), "f8"),
        "high": draft.tensor(_bound(estimator, "_max_value", width, np.inf), "f8"),
        "indicated": (
            draft.tensor(estimator.indicator_.features_, "i8") if estimator.add_indicator else None
        ),
        "missing_value": missing_value(draft, estimator.missing_values, numeric=True),
    }


def _empty(estimator: Any) -> NDArray[np.bool_]:
    """Tell which columns were empty in training; before scikit-learn 1.6 their fill says so."""
    told = getattr(estimator, "_is_empty_feature", None)
    return np.isnan(estimator.initial_imputer_.statistics_) if told is None else np.asarray(told)


def _bound(estimator: Any, name: str, width: int, default: float) -> Any:
    """Give the bound of each column; where nothing was predicted there is none."""
    return np.broadcast_to(np.asarray(getattr(estimator, name, default), np.float64), width)


LOWERINGS: dict[type, Lowering] = {IterativeImputer: _chained}
